// SPDX-License-Identifier: MIT
#include "ramnbd.h"

#include <errno.h>
#include <libnbd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cleanup.h"

#define QUEUE_MAX	256u
#define GARBAGE		0xdb	/* what a trimmed block may hold */

/* A request on its way. */
struct queued {
	enum ram_op op;
	bool fua;
	u64 off;
	u64 len;
	void *buf;
	struct ram_req *rec;
	nbd_completion_callback cb;
};

struct nbd_handle {
	struct ramdev *dev;
	int event;
	bool dead;
	struct queued queue[QUEUE_MAX];
	u32 nr;
};

static struct ramdev *served;

void ramdev_init(struct ramdev *d, u8 *mem, u64 size, u64 seed)
{
	memset(d, 0, sizeof(*d));
	d->mem = mem;
	d->size = size;
	d->rng = seed;
	pthread_mutex_init(&d->lock, NULL);
}

void ramdev_serve(struct ramdev *d)
{
	served = d;
}

void ramdev_resize(struct ramdev *d, u64 size)
{
	MUTEX_GUARD(&d->lock);

	d->size = size;
}

u64 ramdev_now(struct ramdev *d)
{
	MUTEX_GUARD(&d->lock);

	return d->clock++;
}

void ramdev_forget(struct ramdev *d)
{
	for (u32 i = 0; i < d->nr; i++)
		free(d->req[i]);
	free(d->req);
	d->req = NULL;
	d->nr = 0;
	d->room = 0;
}

static struct ram_req *record(struct ramdev *d, const struct queued *q)
{
	u64 extra = q->op == RAM_WRITE ? q->len : 0;
	struct ram_req *rec;

	if (!d->record || q->op == RAM_READ)
		return NULL;
	if (d->nr == d->room) {
		d->room = d->room ? 2 * d->room : 1024;
		d->req = realloc(d->req, d->room * sizeof(*d->req));
	}
	rec = malloc(sizeof(*rec) + extra);
	if (!rec || !d->req)
		abort();
	*rec = (struct ram_req){
		.op = q->op,
		.fua = q->fua,
		.off = q->off,
		.len = q->len,
		.sent = d->clock++,
		.answered = RAM_NEVER,
	};
	if (extra)
		memcpy(rec->data, q->buf, extra);
	d->req[d->nr++] = rec;
	return rec;
}

/* ---- the server --------------------------------------------------------- */

static void carry_out(struct ramdev *d, const struct queued *q, u64 len)
{
	u8 *at = d->mem + q->off;

	if (q->op == RAM_READ)
		memcpy(q->buf, at, len);
	else if (q->op == RAM_WRITE)
		memcpy(at, q->buf, len);
	else if (q->op == RAM_ZERO || q->op == RAM_TRIM)
		memset(at, q->op == RAM_TRIM ? GARBAGE : 0, len);
}

static enum ram_fault next_fault(struct ramdev *d, enum ram_op op)
{
	d->requests++;
	if (d->fault == RAM_BROKEN && d->requests > d->fault_at &&
	    op != RAM_READ)
		return RAM_EIO;
	return d->requests == d->fault_at ? d->fault : RAM_GOOD;
}

/* What the answer is: 0 or a negative errno. */
static int answer(struct ramdev *d, const struct queued *q,
		  enum ram_fault fault)
{
	switch (fault) {
	case RAM_GOOD:
		carry_out(d, q, q->len);
		return 0;
	case RAM_SHORT:
		carry_out(d, q, q->len / 2 / RAM_SECTOR * RAM_SECTOR);
		return -EIO;
	case RAM_ENOSPC:
		return q->op == RAM_WRITE || q->op == RAM_ZERO ? -ENOSPC : -EIO;
	default:
		return -EIO;
	}
}

/* Nobody is told any more: of what was sent, some was carried out. */
static void disconnect(struct nbd_handle *h, enum ram_fault fault)
{
	struct ramdev *d = h->dev;

	for (u32 i = 0; i < h->nr; i++)
		if (h->queue[i].op != RAM_READ && rng_below(&d->rng, 2))
			carry_out(d, &h->queue[i], h->queue[i].len);
	h->nr = 0;
	h->dead = true;
	if (fault == RAM_CRASH && d->lose)
		d->lose(d);
}

/* Take one request off the queue and do it; false when the connection ends. */
static bool serve_one(struct nbd_handle *h, struct queued *q, int *err)
{
	struct ramdev *d = h->dev;
	u32 i;
	enum ram_fault fault;

	MUTEX_GUARD(&d->lock);
	i = d->late ? rng_below(&d->rng, h->nr) : 0;
	fault = next_fault(d, h->queue[i].op);
	if (fault == RAM_DISCONNECT || fault == RAM_CRASH) {
		disconnect(h, fault);
		return false;
	}
	*q = h->queue[i];
	h->nr--;
	memmove(&h->queue[i], &h->queue[i + 1], (h->nr - i) * sizeof(*q));
	*err = -answer(d, q, fault);
	if (q->rec && !*err)
		q->rec->answered = d->clock++;
	return true;
}

int nbd_aio_notify_read(struct nbd_handle *h)
{
	struct queued q;
	eventfd_t n;
	int err;

	eventfd_read(h->event, &n);
	while (h->nr && serve_one(h, &q, &err)) {
		q.cb.callback(q.cb.user_data, &err);
		if (h->dev->late && h->nr < 8 && !rng_below(&h->dev->rng, 3))
			break;
	}
	if (h->nr || h->dead)
		eventfd_write(h->event, 1);
	return 0;
}

int nbd_aio_notify_write(struct nbd_handle *h)
{
	return 0;
}

/* ---- requests ------------------------------------------------------------- */

static s64 enqueue(struct nbd_handle *h, const struct queued *q)
{
	if (h->dead || h->nr == QUEUE_MAX)
		return -1;
	MUTEX_GUARD(&h->dev->lock);
	if (q->len > h->dev->size || q->off > h->dev->size - q->len)
		return -1;
	h->queue[h->nr] = *q;
	h->queue[h->nr++].rec = record(h->dev, q);
	eventfd_write(h->event, 1);
	return 1;
}

int64_t nbd_aio_pread(struct nbd_handle *h, void *buf, size_t len, uint64_t off,
		      nbd_completion_callback cb, uint32_t flags)
{
	struct queued q = { .op = RAM_READ, .off = off,
		       .len = len, .buf = buf, .cb = cb };

	return enqueue(h, &q);
}

int64_t nbd_aio_pwrite(struct nbd_handle *h, const void *buf, size_t len,
		       uint64_t off, nbd_completion_callback cb, uint32_t flags)
{
	struct queued q = { .op = RAM_WRITE, .off = off,
		       .len = len, .buf = (void *)buf, .cb = cb,
		       .fua = flags & LIBNBD_CMD_FLAG_FUA };

	return enqueue(h, &q);
}

int64_t nbd_aio_flush(struct nbd_handle *h, nbd_completion_callback cb,
		      uint32_t flags)
{
	struct queued q = { .op = RAM_FLUSH, .cb = cb };

	return enqueue(h, &q);
}

int64_t nbd_aio_trim(struct nbd_handle *h, uint64_t len, uint64_t off,
		     nbd_completion_callback cb, uint32_t flags)
{
	struct queued q = { .op = RAM_TRIM, .off = off,
		       .len = len, .cb = cb };

	return enqueue(h, &q);
}

int64_t nbd_aio_zero(struct nbd_handle *h, uint64_t len, uint64_t off,
		     nbd_completion_callback cb, uint32_t flags)
{
	struct queued q = { .op = RAM_ZERO, .off = off,
		       .len = len, .cb = cb };

	return enqueue(h, &q);
}

/* ---- connections ------------------------------------------------------------ */

struct nbd_handle *nbd_create(void)
{
	struct nbd_handle *h = calloc(1, sizeof(*h));

	if (h)
		h->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return h;
}

void nbd_close(struct nbd_handle *h)
{
	if (!h)
		return;
	close(h->event);
	free(h);
}

int nbd_aio_connect_uri(struct nbd_handle *h, const char *uri)
{
	h->dev = served;
	return strcmp(uri, RAM_URI) || !served ? -1 : 0;
}

int nbd_shutdown(struct nbd_handle *h, uint32_t flags)
{
	h->dead = true;
	return 0;
}

int nbd_aio_get_fd(struct nbd_handle *h)
{
	return h->event;
}

unsigned int nbd_aio_get_direction(struct nbd_handle *h)
{
	return LIBNBD_AIO_DIRECTION_READ;
}

int nbd_poll(struct nbd_handle *h, int timeout)
{
	return nbd_aio_notify_read(h) < 0 ? -1 : 1;
}

int64_t nbd_get_size(struct nbd_handle *h)
{
	MUTEX_GUARD(&h->dev->lock);

	return (s64)h->dev->size;
}

int64_t nbd_get_block_size(struct nbd_handle *h, int type)
{
	return 0;
}

const char *nbd_get_error(void)
{
	return "no such server";
}

int nbd_get_errno(void)
{
	return 0;
}

int nbd_aio_is_connecting(struct nbd_handle *h)
{
	return 0;
}

int nbd_aio_is_ready(struct nbd_handle *h)
{
	return !h->dead;
}

int nbd_aio_is_processing(struct nbd_handle *h)
{
	return 0;
}

int nbd_aio_is_closed(struct nbd_handle *h)
{
	return 0;
}

int nbd_aio_is_dead(struct nbd_handle *h)
{
	return h->dead;
}

int nbd_is_read_only(struct nbd_handle *h)
{
	return 0;
}

int nbd_can_flush(struct nbd_handle *h)
{
	return 1;
}

int nbd_can_fua(struct nbd_handle *h)
{
	return !h->dev->no_fua;
}

int nbd_can_multi_conn(struct nbd_handle *h)
{
	return 0;	/* what is recorded has one order */
}

int nbd_can_trim(struct nbd_handle *h)
{
	return 1;
}

int nbd_can_zero(struct nbd_handle *h)
{
	return 1;
}

int nbd_set_pread_initialize(struct nbd_handle *h, bool request)
{
	return 0;
}

int nbd_set_uri_allow_local_file(struct nbd_handle *h, bool allow)
{
	return 0;
}
