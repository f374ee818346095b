// SPDX-License-Identifier: MIT
/*
 * In place of tools/nbd/qcow2_file.c: a disk in memory whose power may fail. What
 * was written since the last time it was made durable may be there in part, in any
 * order, and cut at sectors. At random moments such a state is written to a file,
 * with the journal of that moment, for QEMU's programs to judge.
 *
 * CRASH_DIR, CRASH_JOURNAL, CRASH_SEED and CRASH_RATE say where, of what, which,
 * and once in how many writes.
 */
#include <pthread.h>

#include "image-test.h"
#include "qcow2_priv.h"

struct change {
	u64 offset;
	size_t len;
	u8 *data;		/* NULL: zeroes that are punched */
};

struct bytes {
	u8 *p;
	u64 size;
	u64 room;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct bytes now, stable;
static struct change *pending;
static size_t nr_pending, room_pending;
static struct rng rng;
static unsigned int crashes;
static u64 rate;

static void grow(struct bytes *b, u64 size)
{
	u64 room = b->room;

	if (size > b->room) {
		b->room = 2 * size;
		b->p = realloc(b->p, b->room);
		memset(b->p + room, 0, b->room - room);
	}
	b->size = max(b->size, size);
}

static void apply(struct bytes *b, const struct change *c, u64 from, u64 len)
{
	if (c->data) {
		grow(b, c->offset + from + len);
		memcpy(b->p + c->offset + from, c->data + from, len);
	} else if (c->offset + from < b->size) {
		memset(b->p + c->offset + from, 0, min(len, b->size - c->offset - from));
	}
}

/* Some of the sectors of a change: all, none, or any. */
static void apply_part(struct bytes *b, const struct change *c, u64 how)
{
	u64 at, n;

	for (at = 0; at < c->len; at += n) {
		n = min(c->len - at, SECTOR - (c->offset + at) % SECTOR);
		if (how == 0 || (how == 1 && rng_below(&rng, 2)))
			apply(b, c, at, n);
	}
}

static void write_file(const char *path, const void *data, u64 len)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(data, 1, len, f) != len || fclose(f))
		err(2, "%s", path);
}

static void keep_crash(void)
{
	struct bytes b = { 0 };
	char path[4096];
	u64 size = 0, mode = rng_below(&rng, 4);
	void *journal = map_file(getenv("CRASH_JOURNAL"), &size);
	size_t i;

	grow(&b, stable.size);
	memcpy(b.p, stable.p, stable.size);
	for (i = 0; i < nr_pending; i++)
		apply_part(&b, &pending[i], mode == 3 ? 0 : rng_below(&rng, 3));
	snprintf(path, sizeof(path), "%s/%u.qcow2", getenv("CRASH_DIR"), crashes);
	write_file(path, b.p, b.size);
	snprintf(path, sizeof(path), "%s/%u.journal", getenv("CRASH_DIR"), crashes++);
	write_file(path, journal, size);
	free(b.p);
}

static void add_change(const void *data, size_t len, u64 offset)
{
	struct change *c;

	if (nr_pending == room_pending) {
		room_pending = 2 * room_pending + 16;
		pending = realloc(pending, room_pending * sizeof(*pending));
	}
	c = &pending[nr_pending++];
	*c = (struct change) { offset, len, NULL };
	if (data) {
		c->data = malloc(len);
		memcpy(c->data, data, len);
	}
	apply(&now, c, 0, len);
	if (!rng_below(&rng, rate))
		keep_crash();
}

/* All of it is there for sure. */
static void settle(void)
{
	size_t i;

	for (i = 0; i < nr_pending; i++) {
		apply(&stable, &pending[i], 0, pending[i].len);
		free(pending[i].data);
	}
	nr_pending = 0;
}

int qcow2_file_open(struct qcow2_file *file, const char *path,
		    const struct blk_options *options, struct errbuf *err)
{
	u64 size = 0;
	void *p = map_file(path, &size);

	grow(&now, size);
	grow(&stable, size);
	memcpy(now.p, p, size);
	memcpy(stable.p, p, size);
	rate = strtoull(getenv("CRASH_RATE"), NULL, 10);
	rng = rng_seed(strtoull(getenv("CRASH_SEED"), NULL, 10));
	return 0;
}

void qcow2_file_close(struct qcow2_file *file)
{
	settle();
	free(now.p);
	free(stable.p);
	free(pending);
}

int qcow2_file_size(struct qcow2_file *file, u64 *size)
{
	MUTEX_GUARD(&lock);

	*size = now.size;
	return 0;
}

int qcow2_pread(struct qcow2_file *file, void *buf, size_t len, u64 offset, u32 flags)
{
	u64 n;
	MUTEX_GUARD(&lock);

	n = offset < now.size ? min((u64)len, now.size - offset) : 0;
	memcpy(buf, now.p + offset, n);
	memset((u8 *)buf + n, 0, len - n);
	return 0;
}

int qcow2_pwrite(struct qcow2_file *file, const void *buf, size_t len, u64 offset)
{
	MUTEX_GUARD(&lock);

	add_change(buf, len, offset);
	return 0;
}

int qcow2_pwritev(struct qcow2_file *file, struct iovec *iov, int nr, u64 offset)
{
	int i;

	for (i = 0; i < nr; offset += iov[i++].iov_len)
		qcow2_pwrite(file, iov[i].iov_base, iov[i].iov_len, offset);
	return 0;
}

int qcow2_pwrite_nowait(struct qcow2_file *file, const void *buf, size_t len, u64 offset)
{
	return qcow2_pwrite(file, buf, len, offset);
}

int qcow2_sync(struct qcow2_file *file)
{
	MUTEX_GUARD(&lock);

	if (!rng_below(&rng, 4))
		keep_crash();
	settle();
	return 0;
}

void qcow2_punch(struct qcow2_file *file, u64 len, u64 offset)
{
	MUTEX_GUARD(&lock);

	add_change(NULL, len, offset);
}
