// SPDX-License-Identifier: MIT
#include "wal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cleanup.h"

/* Of SQLite's file format, sections 4.1 and 4.3: big-endian */
#define HEADER_LEN	32
#define FRAME_HEADER	24
#define FRAME_LEN	(FRAME_HEADER + 4096)
#define HEADER_SALT	16	/* offset in the header, 8 bytes */
#define FRAME_SALT	8	/* offset in a frame's header */

#define LOAD_STEP	(1024u * 1024)

static const u8 magic[3] = { 0x37, 0x7f, 0x06 };	/* then 0x82 or 0x83 */

/**
 * struct wal - the log
 * @dev: device
 * @start: device offset of the region, bytes
 * @limit: its size, bytes
 * @mirror: @limit bytes
 * @lock: protects what follows
 * @done: a write to the device, or a transaction, ended
 * @size: bytes of the mirror in use
 * @dirty_from: what the device lacks; nothing when not below @dirty_to
 * @dirty_to: its end
 * @need_flush: file data was written; a FLUSH must come first
 * @writing: somebody writes to the device
 * @err: 0, or why the log stopped
 * @announced: @committed, or one more while a transaction is ending
 * @committed: tickets given out
 * @durable: tickets that the device has
 */
struct wal {
	struct blkdev *dev;
	u64 start;
	u64 limit;
	u8 *mirror;
	pthread_mutex_t lock;
	pthread_cond_t done;
	u64 size;
	u64 dirty_from;
	u64 dirty_to;
	bool need_flush;
	bool writing;
	int err;
	atomic_ullong announced;
	atomic_ullong committed;
	atomic_ullong durable;
};

/*
 * Where the frames of the current log end.  Frames of an earlier use of the
 * region have another salt; SQLite itself verifies the checksums.
 */
static int load(struct wal *w)
{
	u64 have = 0, end = HEADER_LEN;

	for (;;) {
		while (have < end + FRAME_HEADER && have < w->limit) {
			int ret = blkdev_read(w->dev, w->start + have,
					      w->mirror + have,
					      min(w->limit - have, (u64)LOAD_STEP));

			if (ret)
				return ret;
			have += min(w->limit - have, (u64)LOAD_STEP);
		}
		if (end == HEADER_LEN && memcmp(w->mirror, magic, sizeof(magic)))
			return 0;
		if (end + FRAME_LEN > w->limit ||
		    memcmp(w->mirror + end + FRAME_SALT,
			   w->mirror + HEADER_SALT, 8))
			break;
		end += FRAME_LEN;
	}
	w->size = end;
	return 0;
}

int wal_open(struct blkdev *dev, const struct sb_region *region,
	     struct wal **out)
{
	struct wal *w = calloc(1, sizeof(*w));
	int ret = -ENOMEM;

	if (!w)
		return ret;
	w->dev = dev;
	w->start = region->start << BLK_SHIFT;
	w->limit = (u64)region->nr << BLK_SHIFT;
	w->dirty_from = U64_MAX;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->done, NULL);
	w->mirror = mmap(NULL, w->limit, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (w->mirror == MAP_FAILED)
		w->mirror = NULL;
	else
		ret = load(w);
	if (ret)
		wal_close(w);
	else
		*out = w;
	return ret;
}

void wal_close(struct wal *w)
{
	if (!w)
		return;
	if (w->mirror)
		munmap(w->mirror, w->limit);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->done);
	free(w);
}

u64 wal_size(struct wal *w)
{
	MUTEX_GUARD(&w->lock);

	return w->size;
}

u64 wal_limit(struct wal *w)
{
	return w->limit;
}

int wal_read(struct wal *w, u64 off, void *buf, size_t len)
{
	MUTEX_GUARD(&w->lock);

	if (off + len > w->size)
		return -ENODATA;
	memcpy(buf, w->mirror + off, len);
	return 0;
}

int wal_write(struct wal *w, u64 off, const void *buf, size_t len)
{
	MUTEX_GUARD(&w->lock);

	if (off + len > w->limit)
		return -ENOSPC;
	memcpy(w->mirror + off, buf, len);
	w->size = max(w->size, off + len);
	w->dirty_from = min(w->dirty_from, off);
	w->dirty_to = max(w->dirty_to, off + len);
	return 0;
}

int wal_reset(struct wal *w)
{
	u8 zeros[BLK_SIZE] = { 0 };

	pthread_mutex_lock(&w->lock);
	w->size = 0;
	w->dirty_from = U64_MAX;
	w->dirty_to = 0;
	pthread_mutex_unlock(&w->lock);
	return blkdev_write_fua(w->dev, w->start, zeros, sizeof(zeros));
}

void wal_announce(struct wal *w, bool data)
{
	MUTEX_GUARD(&w->lock);

	w->need_flush |= data;
	atomic_store(&w->announced, atomic_load(&w->committed) + 1);
}

u64 wal_commit(struct wal *w)
{
	MUTEX_GUARD(&w->lock);

	atomic_store(&w->committed, atomic_load(&w->announced));
	pthread_cond_broadcast(&w->done);
	return atomic_load(&w->committed);
}

void wal_cancel(struct wal *w)
{
	MUTEX_GUARD(&w->lock);

	atomic_store(&w->announced, atomic_load(&w->committed));
	pthread_cond_broadcast(&w->done);
}

u64 wal_committed(struct wal *w)
{
	return atomic_load(&w->committed);
}

u64 wal_durable(struct wal *w)
{
	return atomic_load(&w->durable);
}

/*
 * Copy of the dirty part, widened to whole blocks: SQLite may append to the
 * mirror while the device is busy.
 */
static void *take_tail(struct wal *w, u64 *off, size_t *len)
{
	u64 from = ROUND_DOWN(w->dirty_from, BLK_SIZE);
	u64 to = ROUND_UP(w->dirty_to, BLK_SIZE);
	void *copy = malloc(to - from);

	if (!copy)
		return NULL;
	memcpy(copy, w->mirror + from, to - from);
	*off = w->start + from;
	*len = to - from;
	w->dirty_from = U64_MAX;
	w->dirty_to = 0;
	return copy;
}

static int write_tail(struct wal *w, bool flush, u64 off, const void *tail,
		      size_t len)
{
	int ret = flush ? blkdev_flush(w->dev) : 0;

	return ret ? ret : blkdev_write_fua(w->dev, off, tail, len);
}

/* Called, and returns, with the lock held; @w->writing is false. */
static void lead(struct wal *w)
{
	u64 ticket = atomic_load(&w->committed);
	bool flush = w->need_flush;
	void *tail = NULL;
	size_t len = 0;
	u64 off = 0;
	int ret = 0;

	if (w->dirty_from < w->dirty_to) {
		tail = take_tail(w, &off, &len);
		ret = tail ? 0 : -ENOMEM;
		w->need_flush = false;
	}
	w->writing = true;
	pthread_mutex_unlock(&w->lock);

	if (tail)
		ret = write_tail(w, flush, off, tail, len);
	free(tail);
	if (ret)
		blkdev_fail(w->dev, ret);

	pthread_mutex_lock(&w->lock);
	w->writing = false;
	if (ret)
		w->err = ret;
	else
		atomic_store(&w->durable, ticket);
	pthread_cond_broadcast(&w->done);
}

static int wait_locked(struct wal *w, u64 ticket)
{
	for (;;) {
		/* one that was announced may have been cancelled since */
		if (atomic_load(&w->announced) < ticket)
			ticket = atomic_load(&w->announced);
		if (atomic_load(&w->durable) >= ticket)
			return 0;
		if (w->err)
			return w->err;
		if (w->writing || atomic_load(&w->committed) < ticket)
			pthread_cond_wait(&w->done, &w->lock);
		else
			lead(w);
	}
}

int wal_wait(struct wal *w, u64 ticket)
{
	MUTEX_GUARD(&w->lock);

	return wait_locked(w, ticket);
}

int wal_barrier(struct wal *w)
{
	u64 ticket = atomic_load(&w->announced);

	if (atomic_load(&w->durable) >= ticket)
		return 0;
	return wal_wait(w, ticket);
}

int wal_sync(struct wal *w)
{
	MUTEX_GUARD(&w->lock);

	while (w->writing)
		pthread_cond_wait(&w->done, &w->lock);
	if (!w->err && w->dirty_from < w->dirty_to)
		lead(w);
	return w->err;
}
