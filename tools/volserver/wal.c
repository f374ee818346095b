// SPDX-License-Identifier: MIT
#include "wal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cleanup.h"
#include "wal_load.h"

/**
 * struct wal - the log
 * @dev: device
 * @start: device offset of the region, bytes
 * @limit: its size, bytes
 * @mirror: @limit bytes
 * @lock: protects what follows
 * @ended: a transaction ended in the mirror
 * @done: a write to the device ended: for those it is for, and for the others
 * @turn: index in @done of those that the present write is for
 * @writing_to: ticket that the present write goes up to
 * @on_loss: told when transactions were lost, or NULL
 * @on_loss_ctx: for @on_loss
 * @size: bytes of the mirror in use
 * @end: of the frames of the transaction that is being written, or of the last one
 * @committed_end: end of the last transaction; 0 when the log was begun anew
 * @durable_end: end of the last one that the device has, likewise
 * @dirty_from: what the device lacks; nothing when not below @dirty_to
 * @dirty_to: its end
 * @need_flush: file data was written; a FLUSH must come first
 * @writing: somebody writes to the device
 * @err: 0, or why the log stopped
 * @announced: @committed, or one more while a transaction is ending
 * @committed: tickets given out
 * @durable: tickets that the device has
 * @losses: 0; 1 while transactions are being forgotten, 2 afterwards
 */
struct wal {
	struct blkdev *dev;
	u64 start;
	u64 limit;
	u8 *mirror;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	pthread_cond_t done[2];
	unsigned int turn;
	u64 writing_to;
	void (*on_loss)(void *ctx);
	void *on_loss_ctx;
	u64 size;
	u64 end;
	u64 committed_end;
	u64 durable_end;
	u64 dirty_from;
	u64 dirty_to;
	bool need_flush;
	bool writing;
	int err;
	atomic_ullong announced;
	atomic_ullong committed;
	atomic_ullong durable;
	atomic_uint losses;
};

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
	pthread_cond_init(&w->ended, NULL);
	pthread_cond_init(&w->done[0], NULL);
	pthread_cond_init(&w->done[1], NULL);
	w->mirror = mmap(NULL, w->limit, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (w->mirror == MAP_FAILED)
		w->mirror = NULL;
	else
		ret = wal_load(dev, w->start, w->limit, w->mirror, &w->size);
	w->end = w->size;
	w->committed_end = w->size;
	w->durable_end = w->size;
	if (ret)
		wal_close(w);
	else
		*out = w;
	return ret;
}

void wal_on_loss(struct wal *w, void (*fn)(void *ctx), void *ctx)
{
	w->on_loss = fn;
	w->on_loss_ctx = ctx;
}

void wal_close(struct wal *w)
{
	if (!w)
		return;
	if (w->mirror)
		munmap(w->mirror, w->limit);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->ended);
	pthread_cond_destroy(&w->done[0]);
	pthread_cond_destroy(&w->done[1]);
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

	if (w->err)
		return w->err;
	if (off + len > w->limit)
		return -ENOSPC;
	if (!off) {
		/* a new header: the database has all of the old log */
		w->end = 0;
		w->committed_end = 0;
		w->durable_end = 0;
	}
	memcpy(w->mirror + off, buf, len);
	/* SQLite may go back to frames of the same transaction */
	w->end = max(w->end, off + len);
	w->size = max(w->size, w->end);
	w->dirty_from = min(w->dirty_from, off);
	w->dirty_to = max(w->dirty_to, off + len);
	return 0;
}

int wal_format(struct blkdev *dev, u64 start)
{
	u8 block[BLK_SIZE];

	wal_put_empty(block);
	return blkdev_write_fua(dev, start, block, sizeof(block));
}

int wal_reset(struct wal *w)
{
	pthread_mutex_lock(&w->lock);
	w->size = 0;
	w->end = 0;
	w->committed_end = 0;
	w->durable_end = 0;
	w->dirty_from = U64_MAX;
	w->dirty_to = 0;
	pthread_mutex_unlock(&w->lock);
	return wal_format(w->dev, w->start);
}

void wal_announce(struct wal *w, bool data)
{
	MUTEX_GUARD(&w->lock);

	w->need_flush |= data;
	atomic_store(&w->announced, atomic_load(&w->committed) + 1);
}

/*
 * After an error: forget the transactions that the device may lack.  Not while
 * one is ending, for SQLite would say afterwards that the log has it.  Who has seen
 * one of them must not find @announced lowered and @losses as before.
 */
static void cut(struct wal *w)
{
	u64 durable = atomic_load(&w->durable);

	if (!w->err || atomic_load(&w->announced) == durable ||
	    atomic_load(&w->announced) > atomic_load(&w->committed))
		return;
	atomic_store(&w->losses, 1);
	w->size = w->durable_end;
	w->end = w->durable_end;
	atomic_store(&w->committed, durable);
	atomic_store(&w->announced, durable);
	if (w->on_loss)
		w->on_loss(w->on_loss_ctx);
	atomic_store(&w->losses, 2);
}

u64 wal_commit(struct wal *w)
{
	u64 ticket;

	MUTEX_GUARD(&w->lock);
	ticket = atomic_load(&w->announced);
	atomic_store(&w->committed, ticket);
	w->committed_end = w->end;
	cut(w);
	pthread_cond_broadcast(&w->ended);
	return ticket;
}

void wal_cancel(struct wal *w)
{
	MUTEX_GUARD(&w->lock);

	w->end = w->committed_end;
	atomic_store(&w->announced, atomic_load(&w->committed));
	cut(w);
	pthread_cond_broadcast(&w->ended);
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
 * Copy of the dirty part, widened to whole blocks, with a record behind its last
 * frame: SQLite may append to the mirror while the device is busy.
 */
static u8 *take_tail(struct wal *w, u64 *off, size_t *len)
{
	u64 from = ROUND_DOWN(w->dirty_from, BLK_SIZE);
	u64 record = wal_frame_end(w->dirty_to);
	u64 to = ROUND_UP(record + WAL_RECORD_LEN, BLK_SIZE);
	u8 *copy;

	if (to > w->limit)	/* no room: the log is about to start anew */
		to = ROUND_UP(w->dirty_to, BLK_SIZE);
	copy = malloc(to - from);
	if (!copy)
		return NULL;
	memcpy(copy, w->mirror + from, to - from);
	if (record + WAL_RECORD_LEN <= to)
		wal_put_record(w->mirror, w->durable_end, record,
			       copy + (record - from));
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

/* All the write was for, and one of those who came since, to lead the next. */
static void wake_waiters(struct wal *w)
{
	pthread_cond_broadcast(&w->done[w->turn]);
	if (w->err) {
		pthread_cond_broadcast(&w->ended);
		pthread_cond_broadcast(&w->done[!w->turn]);
	} else {
		pthread_cond_signal(&w->done[!w->turn]);
	}
}

/* Called with the lock held, when everything up to @ticket is durable, or never. */
static void end_write(struct wal *w, u64 ticket, u64 end, int err)
{
	if (err) {
		w->err = err;
		cut(w);
	} else {
		w->durable_end = end;
		atomic_store(&w->durable, ticket);
	}
}

/* Called, and returns, with the lock held; @w->writing is false. */
static void lead(struct wal *w)
{
	u64 ticket = atomic_load(&w->committed);
	u64 end = w->committed_end;
	bool flush = w->need_flush;
	u8 *tail = NULL;
	size_t len = 0;
	u64 off = 0;
	int ret = 0;

	if (w->dirty_from < w->dirty_to) {
		tail = take_tail(w, &off, &len);
		ret = tail ? 0 : -ENOMEM;
		w->need_flush = false;
	}
	w->turn = !w->turn;
	w->writing_to = ticket;
	/* a log with nothing to be written may be begun anew at any moment */
	if (tail) {
		w->writing = true;
		pthread_mutex_unlock(&w->lock);
		ret = write_tail(w, flush, off, tail, len);
		free(tail);
		pthread_mutex_lock(&w->lock);
		w->writing = false;
	}
	if (ret)
		blkdev_fail(w->dev, ret);
	end_write(w, ticket, end, ret);
	wake_waiters(w);
}

/* Until a write is over that is, or is not yet, for @ticket. */
static void wait_for_write(struct wal *w, u64 ticket)
{
	bool later = ticket > w->writing_to;

	pthread_cond_wait(&w->done[later ? !w->turn : w->turn], &w->lock);
}

static int wait_locked(struct wal *w, u64 ticket)
{
	for (;;) {
		if (atomic_load(&w->durable) >= ticket)
			return 0;
		if (w->err)
			return w->err;
		/* one that was announced may have been cancelled since */
		if (atomic_load(&w->announced) < ticket) {
			ticket = atomic_load(&w->announced);
			continue;
		}
		if (atomic_load(&w->committed) < ticket)
			pthread_cond_wait(&w->ended, &w->lock);
		else if (w->writing)
			wait_for_write(w, ticket);
		else
			lead(w);
	}
}

int wal_wait(struct wal *w, u64 ticket)
{
	MUTEX_GUARD(&w->lock);

	return wait_locked(w, ticket);
}

unsigned int wal_losses(struct wal *w)
{
	return atomic_load(&w->losses);
}

int wal_barrier(struct wal *w, unsigned int losses)
{
	u64 ticket = atomic_load(&w->announced);
	unsigned int now = atomic_load(&w->losses);

	if (now != losses || now == 1)
		return -EIO;
	if (atomic_load(&w->durable) >= ticket)
		return 0;
	return wal_wait(w, ticket);
}

int wal_sync(struct wal *w)
{
	MUTEX_GUARD(&w->lock);

	while (w->writing)
		wait_for_write(w, 0);
	if (!w->err && w->dirty_from < w->dirty_to)
		lead(w);
	return w->err;
}
