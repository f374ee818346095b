// SPDX-License-Identifier: MIT
#include "wal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cleanup.h"
#include "clock.h"
#include "redo.h"
#include "spin.h"
#include "wal_load.h"

/*
 * Who waits for a write looks whether it is over, for at most so many ns, and lets others
 * run between two looks: to fetch back a processor that has nothing to do takes as long as
 * a write. More threads than these only stood in each other's way.
 */
#define LOOK_MAX	500000u
#define LOOKERS_MAX	16u

/**
 * struct wal - the log
 * @dev: device
 * @start: device offset of the region, bytes
 * @limit: its size, without that of the records, bytes
 * @room: the same when it is detached, for it cannot begin anew then
 * @mirror: the log
 * @redo: records, or NULL
 * @detached: nothing is written any more, not even by SQLite's wish
 * @lock: protects what follows
 * @first: who waits, in order of arrival
 * @last: where the next one is entered
 * @source: ends the transaction that is open, or NULL
 * @source_ctx: for @source
 * @patience: ns to wait for others before a transaction is ended
 * @patient: who of the list waits no longer than that, or NULL
 * @on_loss: told when transactions were lost, or NULL
 * @on_loss_ctx: for @on_loss
 * @size: bytes of the mirror in use
 * @end: of the frames of the transaction that is being written, or of the last one
 * @committed_end: end of the last transaction; 0 when the log was begun anew
 * @durable_end: end of the last one that the device has, likewise
 * @sent_end: end of one that the device has when the present round of writing has ended
 * @dirty_from: what the device lacks; nothing when not below @dirty_to
 * @dirty_to: its end
 * @need_flush: file data was written; a FLUSH must come first
 * @need_frames: there is a transaction that the records do not have
 * @writing: somebody writes to the device
 * @gathering: somebody ends a transaction, to write it then
 * @repeating: a transaction is ending that is not announced
 * @err: 0, or why the log stopped
 * @announced: @committed, or one more while a transaction is ending
 * @committed: tickets given out
 * @durable: tickets that the device has
 * @losses: 0; 1 while transactions are being forgotten, 2 afterwards
 * @spin: how long is waited for writes
 * @looking: threads that look for the end of a write
 */
struct wal {
	struct blkdev *dev;
	u64 start;
	u64 limit;
	u64 room;
	u8 *mirror;
	struct redo *redo;
	atomic_bool detached;
	pthread_mutex_t lock;
	struct wal_waiter *first;
	struct wal_waiter **last;
	const struct wal_source *source;
	void *source_ctx;
	unsigned int patience;
	struct wal_waiter *patient;
	void (*on_loss)(void *ctx);
	void *on_loss_ctx;
	u64 size;
	u64 end;
	u64 committed_end;
	u64 durable_end;
	u64 sent_end;
	u64 dirty_from;
	u64 dirty_to;
	bool need_flush;
	bool need_frames;
	bool writing;
	bool gathering;
	bool repeating;
	int err;
	atomic_ullong announced;
	atomic_ullong committed;
	atomic_ullong durable;
	atomic_uint losses;
	struct spin spin;
	atomic_uint looking;
};

int wal_open(struct blkdev *dev, u64 start, u64 limit, struct wal **out)
{
	struct wal *w = calloc(1, sizeof(*w));
	int ret = -ENOMEM;

	if (!w)
		return ret;
	w->dev = dev;
	w->start = start;
	w->limit = limit;
	w->room = 2 * limit;
	w->dirty_from = U64_MAX;
	w->spin.max = LOOK_MAX;
	w->spin.forgiven = 4 * LOOKERS_MAX * SPIN_LOST;	/* all of them, more than once */
	pthread_mutex_init(&w->lock, NULL);
	w->last = &w->first;
	w->mirror = mmap(NULL, w->room, PROT_READ | PROT_WRITE,
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

void wal_set_source(struct wal *w, const struct wal_source *source, void *ctx)
{
	w->source = source;
	w->source_ctx = ctx;
}

void wal_set_redo(struct wal *w, struct redo *redo, u64 limit)
{
	w->redo = redo;
	w->limit = limit;
}

void wal_detach(struct wal *w)
{
	atomic_store(&w->detached, true);
}

int wal_failed(struct wal *w)
{
	MUTEX_GUARD(&w->lock);

	return w->err;
}

bool wal_is_detached(struct wal *w)
{
	return atomic_load(&w->detached);
}

void wal_close(struct wal *w)
{
	if (!w)
		return;
	if (w->mirror)
		munmap(w->mirror, w->room);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static bool is_dirty(const struct wal *w)
{
	return w->dirty_from < w->dirty_to;
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

	if (w->err && !wal_is_detached(w))
		return w->err;
	if (off + len > (wal_is_detached(w) ? w->room : w->limit))
		return -ENOSPC;
	if (!off) {
		/* a new header: the database has all of the old log */
		w->end = 0;
		w->committed_end = 0;
		w->durable_end = 0;
		w->sent_end = 0;
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
	w->sent_end = 0;
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

	if (!w->err || w->repeating || atomic_load(&w->announced) == durable ||
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

static u64 commit(struct wal *w)
{
	u64 ticket = atomic_load(&w->announced);

	atomic_store(&w->committed, ticket);
	cut(w);
	return ticket;
}

/* A checkpoint may have written the frames, or be about to, before the transaction counts. */
static void count_frames(struct wal *w)
{
	w->committed_end = w->end;
	if (is_dirty(w))
		return;
	if (w->writing)
		w->sent_end = w->end;
	else
		w->durable_end = w->end;
}

u64 wal_commit(struct wal *w)
{
	MUTEX_GUARD(&w->lock);

	count_frames(w);
	w->need_frames = true;
	return commit(w);
}

u64 wal_commit_record(struct wal *w)
{
	MUTEX_GUARD(&w->lock);

	if (!redo_is_empty(w->redo))
		redo_seal(w->redo);
	return commit(w);
}

void wal_repeat(struct wal *w)
{
	MUTEX_GUARD(&w->lock);

	w->repeating = true;
}

void wal_repeated(struct wal *w)
{
	MUTEX_GUARD(&w->lock);

	count_frames(w);
	w->repeating = false;
	cut(w);
}

bool wal_restart_redo(struct wal *w, u64 salt)
{
	MUTEX_GUARD(&w->lock);

	if (w->writing || w->err || is_dirty(w))
		return false;
	redo_restart(w->redo, salt);
	return true;
}

void wal_cancel(struct wal *w)
{
	MUTEX_GUARD(&w->lock);

	w->end = w->committed_end;
	w->repeating = false;
	/* who waits for its ticket waits for what was before */
	atomic_store(&w->committed, atomic_load(&w->announced));
	cut(w);
}

u64 wal_committed(struct wal *w)
{
	return atomic_load(&w->committed);
}

bool wal_is_settled(struct wal *w)
{
	u64 announced = atomic_load(&w->announced);

	return atomic_load(&w->durable) >= announced;
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

static void take_out(struct wal *w, struct wal_waiter **link)
{
	struct wal_waiter *p = *link;

	*link = p->next;
	if (!*link)
		w->last = link;
	if (w->patient == p)
		w->patient = NULL;
	p->next = NULL;
}

/* Take those out of the list for whom the wait is over, and return them as one. */
static struct wal_waiter *take_satisfied(struct wal *w)
{
	u64 durable = atomic_load(&w->durable);
	struct wal_waiter **link = &w->first, *list = NULL, **end = &list;
	struct wal_waiter *p;

	while ((p = *link)) {
		if (p->ticket > durable && !w->err) {
			link = &p->next;
			continue;
		}
		take_out(w, link);
		p->over = true;
		p->ret = p->ticket > durable ? w->err : 0;
		p->next = NULL;
		*end = p;
		end = &p->next;
	}
	w->last = link;
	return list;
}

/* The first who can write at once; else one who has to end a transaction before. */
static struct wal_waiter **find_leader(struct wal *w)
{
	struct wal_waiter **link = &w->first;

	while (*link && (*link)->ticket > atomic_load(&w->committed))
		link = &(*link)->next;
	return *link ? link : &w->first;
}

/* Let one of those who wait lead the next write. */
static void wake_leader(struct wal *w)
{
	struct wal_waiter **link = find_leader(w);
	struct wal_waiter *p = *link;

	if (!p)
		return;
	take_out(w, link);
	sem_post(&p->woken);
}

/* All the write was for, and one of those who came since. */
static void wake_waiters(struct wal *w)
{
	struct wal_waiter *list = take_satisfied(w);

	wake_leader(w);
	if (list)
		sem_post(&list->woken);
}

/* Behind those who wait already. Called with the lock held. */
static void append(struct wal *w, struct wal_waiter *list)
{
	*w->last = list;
	while (*w->last)
		w->last = &(*w->last)->next;
}

static void leave_list(struct wal *w, const struct wal_waiter *self)
{
	struct wal_waiter **link = &w->first;

	while (*link != self)
		link = &(*link)->next;
	take_out(w, link);
}

/* One who waits, and whether it is among those who look. */
struct looker {
	struct wal *w;
	struct wal_waiter *self;
	bool looks;
};

static void look_away(struct looker *l)
{
	if (l->looks)
		atomic_fetch_sub(&l->w->looking, 1);
	l->looks = false;
}

static bool look(void *ctx)
{
	struct looker *l = ctx;

	return !sem_trywait(&l->self->woken);
}

static void sleep_long(void *ctx)
{
	struct looker *l = ctx;

	look_away(l);
	while (sem_wait(&l->self->woken))
		;	/* a signal came */
}

void wal_sleep(struct wal *w, struct wal_waiter *self)
{
	static const struct spin_wait wait = { .look = look, .sleep = sleep_long };
	struct looker l = { .w = w, .self = self };

	l.looks = atomic_fetch_add(&w->looking, 1) < LOOKERS_MAX;
	if (!l.looks)
		atomic_fetch_sub(&w->looking, 1);
	if (l.looks)
		spin_wait(&w->spin, &wait, &l);
	else
		sleep_long(&l);
	look_away(&l);
}

/*
 * One is enough to see whether others still come. Who is not the patient one any more was
 * taken out of the list, and is posted to.
 */
static void sleep_patiently(struct wal *w, struct wal_waiter *self, s64 ns)
{
	s64 end = clock_mono_ns() + ns;
	struct timespec at = {
		.tv_sec = end / 1000000000,
		.tv_nsec = end % 1000000000,
	};
	bool posted = !sem_clockwait(&self->woken, CLOCK_MONOTONIC, &at);
	bool listed;

	pthread_mutex_lock(&w->lock);
	listed = w->patient == self;
	if (listed)
		leave_list(w, self);
	pthread_mutex_unlock(&w->lock);
	if (!posted && !listed)
		wal_sleep(w, self);
}

/* Called with the lock held, which is given back. */
static void sleep_in_list(struct wal *w, struct wal_waiter *self)
{
	s64 ns = w->patient ? 0 : w->patience;

	w->patience = 0;
	if (ns)
		w->patient = self;
	pthread_mutex_unlock(&w->lock);
	if (ns)
		sleep_patiently(w, self, ns);
	else
		wal_sleep(w, self);
}

static void wake_next(const struct wal_waiter *self)
{
	if (self->over && self->next)
		sem_post(&self->next->woken);
}

/*
 * Until the wait is over, or it is this thread's turn to write.  Called with the lock
 * held, which is given back.  Return: whether it is over.
 */
static bool wait_for_write(struct wal *w, u64 ticket, int *ret)
{
	struct wal_waiter self = { .ticket = ticket };

	sem_init(&self.woken, 0, 0);
	append(w, &self);
	sleep_in_list(w, &self);
	wake_next(&self);
	sem_destroy(&self.woken);
	*ret = self.ret;
	return self.over;
}

/**
 * struct wal_round - what one round of writing makes durable
 * @ticket: the last one
 * @end: of the frames of transactions; 0 when no frames are written
 * @flush: file data was written
 * @off: device offset of @tail
 * @len: its bytes
 * @tail: frames, or NULL
 * @part: records
 */
struct wal_round {
	u64 ticket;
	u64 end;
	bool flush;
	u64 off;
	size_t len;
	u8 *tail;
	struct redo_part part;
};

static int take_frames(struct wal *w, struct wal_round *r)
{
	r->tail = take_tail(w, &r->off, &r->len);
	if (!r->tail)
		return -ENOMEM;
	r->end = w->committed_end;
	w->need_frames = false;
	return 0;
}

/* A log with nothing to be written may be begun anew at any moment. */
static bool has_work(const struct wal_round *r)
{
	return r->tail || r->part.from < r->part.to;
}

static int begin_round(struct wal *w, bool frames, struct wal_round *r)
{
	int ret = 0;

	*r = (struct wal_round){
		.ticket = atomic_load(&w->committed),
		.part = redo_unwritten(w->redo),
	};
	if (!is_dirty(w))
		w->need_frames = false;
	else if (frames || w->need_frames)
		ret = take_frames(w, r);
	/* both may be of data */
	if (!ret && has_work(r)) {
		r->flush = w->need_flush;
		w->need_flush = false;
	}
	return ret;
}

/* Records may be of what was changed after the transactions that the frames are of. */
static int write_round(struct wal *w, const struct wal_round *r)
{
	s64 start = clock_mono_ns();
	int ret = r->flush ? blkdev_flush(w->dev) : 0;

	if (!ret && r->tail)
		ret = blkdev_write_fua(w->dev, r->off, r->tail, r->len);
	if (!ret)
		ret = redo_write(w->redo, &r->part);
	if (w->source)
		w->source->written(w->source_ctx, clock_mono_ns() - start);
	return ret;
}

/* Called with the lock held, when everything up to the ticket is durable, or never. */
static void end_round(struct wal *w, const struct wal_round *r, int err)
{
	if (err) {
		w->err = err;
		cut(w);
		return;
	}
	if (r->tail)
		w->durable_end = r->end;
	w->durable_end = max(w->durable_end, w->sent_end);
	w->sent_end = 0;
	redo_written(w->redo, &r->part);
	atomic_store(&w->durable, r->ticket);
}

/*
 * Called, and returns, with the lock held; @w->writing is false. @frames: also those that
 * only repeat what the records have.
 */
static void lead(struct wal *w, bool frames)
{
	struct wal_round r;
	int ret = begin_round(w, frames, &r);

	if (!ret && has_work(&r)) {
		w->writing = true;
		pthread_mutex_unlock(&w->lock);
		ret = write_round(w, &r);
		free(r.tail);
		pthread_mutex_lock(&w->lock);
		w->writing = false;
	}
	if (ret)
		blkdev_fail(w->dev, ret);
	end_round(w, &r, ret);
	wake_waiters(w);
}

static bool is_idle(const struct wal *w)
{
	return !w->writing && !w->gathering;
}

/*
 * End the transaction that is open.  Called, and returns, with the lock held.
 * Return: 1; 0 when somebody still adds to it; -EINVAL when there is none.
 */
static int gather(struct wal *w)
{
	bool ended;

	if (!w->source)
		return -EINVAL;
	w->patience = w->source->patience(w->source_ctx);
	if (w->patience || !w->source->try_begin(w->source_ctx))
		return 0;
	w->gathering = true;
	pthread_mutex_unlock(&w->lock);
	ended = w->source->end(w->source_ctx);
	pthread_mutex_lock(&w->lock);
	w->gathering = false;
	/* wal_sync() may have written it: who came meanwhile relies on being woken */
	if (!ended || wal_is_settled(w))
		wake_leader(w);
	return ended ? 1 : -EINVAL;
}

/*
 * Write what the ticket waits for, as far as it is this thread's turn.  Called, and
 * returns, with the lock held.  Return: 1 to go on waiting; 0; a negative errno.
 */
static int try_ticket(struct wal *w, u64 ticket)
{
	int ret = 1;

	while (!w->err && atomic_load(&w->durable) < ticket && is_idle(w) &&
	       ret > 0) {
		if (atomic_load(&w->committed) >= ticket)
			lead(w, false);
		else
			ret = gather(w);
	}
	if (atomic_load(&w->durable) >= ticket)
		return 0;
	return w->err ? : ret < 0 ? ret : 1;
}

int wal_wait(struct wal *w, u64 ticket)
{
	int ret;

	do {
		pthread_mutex_lock(&w->lock);
		ret = try_ticket(w, ticket);
		if (ret <= 0) {
			pthread_mutex_unlock(&w->lock);
			return ret;
		}
	} while (!wait_for_write(w, ticket, &ret));
	return ret;
}

void wal_enter(struct wal *w, struct wal_waiter *list)
{
	MUTEX_GUARD(&w->lock);

	append(w, list);
	list = take_satisfied(w);
	if (list)
		sem_post(&list->woken);
}

int wal_resume(struct wal *w, struct wal_waiter *self)
{
	wake_next(self);
	return self->over ? self->ret : wal_wait(w, self->ticket);
}

bool wal_is_idle(struct wal *w)
{
	MUTEX_GUARD(&w->lock);

	return is_idle(w);
}

void wal_kick(struct wal *w)
{
	MUTEX_GUARD(&w->lock);

	if (is_idle(w))
		wake_leader(w);
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
	int ret;

	if (wal_is_detached(w))
		return 0;
	pthread_mutex_lock(&w->lock);
	while (w->writing) {
		wait_for_write(w, 0, &ret);
		pthread_mutex_lock(&w->lock);
	}
	if (!w->err && is_dirty(w))
		lead(w, true);
	ret = w->err;
	pthread_mutex_unlock(&w->lock);
	return ret;
}
