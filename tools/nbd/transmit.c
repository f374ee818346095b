// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "cleanup.h"
#include "pace.h"
#include "pool.h"
#include "proto.h"
#include "reply.h"
#include "transmit.h"

#define IN_SIZE		(512 * 1024)	/* received and not yet carried out */
#define OUT_SIZE	(512 * 1024)	/* replies not yet sent */
#define QUICK_MAX	(256 * 1024)	/* bytes read at once, in the same thread */
#define SEND_EARLY	(128 * 1024)	/* replies that do not wait for others */
#define TAKE_EXACTLY	(64 * 1024)	/* missing data that is received alone */
/* Data that doc/proto.md does not allow to be met with a hang-up. */
#define SKIP_MAX	(32 * 1024 * 1024)
#define POOL_SIZE	(64ULL * 1024 * 1024)

struct conn {
	struct channel		*ch;
	const struct session	*s;
	const struct limits	*limits;
	const bool		*stop;
	struct pool		pool;
	struct pace		pace;
	/* in[start..end) has been received */
	u8			*in;
	size_t			start;
	size_t			end;
	u8			*out;
	size_t			out_len;
};

/* A request that another thread carries out. */
struct job {
	struct pool_job	pool;
	struct request	r;
	u8		data[];
};

/* What was sent is not whole: end the connection for all of its threads. */
static int send_or_end(struct conn *c, const void *buf, size_t len)
{
	int ret = channel_send(c->ch, buf, len);

	if (ret)
		shutdown(c->ch->fd, SHUT_RDWR);
	return ret;
}

static int flush_out(struct conn *c)
{
	size_t len = c->out_len;

	c->out_len = 0;
	return len ? send_or_end(c, c->out, len) : 0;
}

/* Make room for a reply. Return: where it goes, or NULL when sending failed. */
static u8 *out_room(struct conn *c, size_t len)
{
	if (c->out_len + len > OUT_SIZE && flush_out(c))
		return NULL;
	return c->out + c->out_len;
}

static int put_out(struct conn *c, const u8 *end)
{
	c->out_len = (size_t)(end - c->out);
	return c->out_len >= SEND_EARLY ? flush_out(c) : 0;
}

static int refuse(struct conn *c, const struct request *r, u32 error,
		  const char *why)
{
	u8 *p = out_room(c, REPLY_SIZE_MAX);

	if (!p)
		return -EPIPE;
	return put_out(c, reply_put_error(p, c->s->style, r, error, why));
}

static u8 *put_result(struct conn *c, u8 *p, const struct request *r, int ret)
{
	if (ret)
		return reply_put_error(p, c->s->style, r, request_error(ret),
				       strerrordesc_np(-ret) ?: "unknown error");
	if (r->type == NBD_CMD_READ)
		return reply_put_data(p, c->s->style, r);
	return reply_put_done(p, c->s->style, r);
}

/* Bytes a reply may take. */
static size_t reply_room(const struct request *r)
{
	if (r->type == NBD_CMD_READ)
		return REPLY_SIZE_MAX + r->length;
	if (r->type == NBD_CMD_BLOCK_STATUS)
		return REPLY_SIZE_MAX + REPLY_EXTENTS_MAX * REPLY_EXTENT_SIZE;
	return REPLY_SIZE_MAX;
}

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

/* Carry out a request and remember how long that takes. Return: as request_run(). */
static int run(struct conn *c, const struct request *r, u8 *data, u32 flags)
{
	const struct export *exp = c->s->exp;
	u64 start;
	int ret;

	if (request_quick(exp, r)) {
		ret = request_run(exp, r, data, flags);
		if (r->type == NBD_CMD_WRITE && !ret)
			pace_note_change(&c->pace, r->length);
		return ret;
	}
	start = now_ns();
	ret = request_run(exp, r, data, 0);
	pace_note(&c->pace, r, now_ns() - start);
	return ret;
}

static u8 *block_status(struct conn *c, u8 *p, const struct request *r)
{
	struct blk *blk = c->s->exp->blk;
	struct blk_extent *extents;
	bool one = r->flags & NBD_CMD_FLAG_REQ_ONE;
	int nr = 1;
	u8 *end;

	extents = malloc(REPLY_EXTENTS_MAX * sizeof(*extents));
	if (!extents)
		return put_result(c, p, r, -ENOMEM);
	if (blk->ops->extents)
		nr = blk->ops->extents(blk, r->length, r->offset, extents,
				       one ? 1 : REPLY_EXTENTS_MAX);
	else
		extents[0] = (struct blk_extent){ .length = r->length };
	if (nr < 0)
		end = put_result(c, p, r, nr);
	else
		end = reply_put_extents(p, c->s->style, r, extents, nr);
	free(extents);
	return end;
}

/* Carry out a job, however long that takes, and answer it. */
static void run_job(void *ctx, struct pool_job *pool_job)
{
	struct job *job = container_of(pool_job, struct job, pool);
	struct request *r = &job->r;
	u8 small[REPLY_SIZE_MAX], *p, *end;
	struct conn *c = ctx;
	void *data = job->data;
	u8 *room;
	int ret;

	room = malloc(reply_room(r));
	p = room ?: small;
	if (r->type == NBD_CMD_READ)
		data = p + reply_data_head(c->s->style);
	if (!room) {
		end = put_result(c, p, r, -ENOMEM);
	} else if (r->type == NBD_CMD_BLOCK_STATUS) {
		end = block_status(c, p, r);
	} else {
		ret = run(c, r, data, 0);
		end = put_result(c, p, r, ret);
	}
	send_or_end(c, p, (size_t)(end - p));
	free(room);
	free(job);
}

static struct job *new_job(const struct request *r)
{
	struct job *job = malloc(sizeof(*job) + r->payload);

	if (!job)
		return NULL;
	job->r = *r;
	job->pool.size = sizeof(*job) + r->payload + reply_room(r);
	return job;
}

static int submit(struct conn *c, struct job *job)
{
	int ret = 0;

	/* the client may wait for what is in there, the pool for the client */
	if (pool_full(&c->pool, job->pool.size))
		ret = flush_out(c);
	pool_submit(&c->pool, &job->pool);
	return ret;
}

/* Whether a request should be tried by the thread that has received it. */
static bool tried_here(const struct conn *c, const struct request *r)
{
	return r->length <= QUICK_MAX &&
	       (request_quick(c->s->exp, r) || pace_brief(&c->pace, r));
}

/* Carry out a request at once. Return: -EAGAIN when that is not possible. */
static int run_quickly(struct conn *c, const struct request *r, u8 *data)
{
	u8 *p = out_room(c, reply_room(r));
	int ret;

	if (!p)
		return -EPIPE;
	if (r->type == NBD_CMD_READ)
		data = p + reply_data_head(c->s->style);
	ret = run(c, r, data, BLK_NOWAIT);
	if (ret == -EAGAIN)
		return ret;
	return put_out(c, put_result(c, p, r, ret));
}

/* Carry out a request whose data, if any, is at @data. */
static int handle(struct conn *c, const struct request *r, u8 *data)
{
	struct job *job;
	int ret;

	if (tried_here(c, r)) {
		ret = run_quickly(c, r, data);
		if (ret != -EAGAIN)
			return ret;
	}
	job = new_job(r);
	if (!job)
		return refuse(c, r, NBD_ENOMEM, "out of memory");
	memcpy(job->data, data, r->payload);
	return submit(c, job);
}

/*
 * Receive what is missing for @need bytes from c->start on, and more if it is
 * there. Return: 1, 0 when the client has left, or an error.
 */
static int fill(struct conn *c, size_t need)
{
	size_t have = c->end - c->start, missing = need - have;
	ssize_t n;
	int ret;

	ret = flush_out(c);
	if (ret)
		return ret;
	if (!have || c->start + need > IN_SIZE) {
		memmove(c->in, c->in + c->start, have);
		c->start = 0;
		c->end = have;
	}
	/* data that fills the buffer alone need not be moved later */
	n = channel_recv(c->ch, c->in + c->end, missing,
			 missing > TAKE_EXACTLY ? missing : IN_SIZE - c->end);
	if (n <= 0)
		return n < 0 ? (int)n : have ? -ECONNRESET : 0;
	c->end += n;
	return 1;
}

/* Receive the data of a request that is larger than the buffer. */
static int receive_large(struct conn *c, const struct request *r)
{
	size_t have = c->end - c->start;
	struct job *job = new_job(r);
	int ret;

	if (!job)
		return -ENOMEM;
	memcpy(job->data, c->in + c->start, have);
	c->start = 0;
	c->end = 0;
	ret = flush_out(c);
	if (!ret)
		ret = channel_read(c->ch, job->data + have, r->payload - have);
	if (ret) {
		free(job);
		return ret;
	}
	return submit(c, job);
}

/* Pass over the data of a request. */
static int skip(struct conn *c, u64 len)
{
	int ret = 1;

	while (len && ret > 0) {
		size_t n = min_u64(len, c->end - c->start);

		c->start += n;
		len -= n;
		if (len)
			ret = fill(c, 1);
	}
	return ret > 0 ? 0 : ret ? ret : -ECONNRESET;
}

/* A request's head has been taken; the data may not have come yet. */
static int receive(struct conn *c, const struct request *r)
{
	const char *why;
	u32 error;
	int ret;

	error = request_check(c->s, c->limits, r, &why);
	if (error) {
		if (r->payload > SKIP_MAX && r->payload > c->limits->request_max)
			return -EPROTO;
		ret = skip(c, r->payload);
		return ret ? ret : refuse(c, r, error, why);
	}
	if (r->payload > IN_SIZE)
		return receive_large(c, r);
	if (c->end - c->start < r->payload) {
		ret = fill(c, r->payload);
		if (ret <= 0)
			return ret ? ret : -ECONNRESET;
	}
	c->start += r->payload;
	return handle(c, r, c->in + c->start - r->payload);
}

/* Return: 1, 0 at the end of the connection, or an error. */
static int serve_one(struct conn *c)
{
	size_t size = request_size(c->s->style);
	struct request r;
	int ret;

	if (c->end - c->start < size) {
		ret = fill(c, size);
		if (ret <= 0)
			return ret;
	}
	ret = request_parse(c->s->style, c->in + c->start, &r);
	if (ret)
		return ret;
	c->start += size;
	if (r.type == NBD_CMD_DISC)
		return 0;
	ret = receive(c, &r);
	return ret ? ret : 1;
}

int transmit(struct channel *ch, const struct session *s,
	     const struct limits *limits, const bool *stop)
{
	CLEANUP_FREE u8 *in = malloc(IN_SIZE);
	CLEANUP_FREE u8 *out = malloc(OUT_SIZE);
	struct conn c = {
		.ch = ch,
		.s = s,
		.limits = limits,
		.stop = stop,
		.in = in,
		.out = out,
		.pool = {
			.run = run_job,
			.ctx = &c,
			.max_threads = limits->threads,
			.max_size = POOL_SIZE,
		},
	};
	int ret = 1, sent;

	if (!in || !out)
		return -ENOMEM;
	pool_init(&c.pool);
	pace_init(&c.pace);
	while (ret > 0 && !__atomic_load_n(stop, __ATOMIC_RELAXED))
		ret = serve_one(&c);
	sent = flush_out(&c);
	pool_destroy(&c.pool);
	return ret < 0 ? ret : sent;
}
