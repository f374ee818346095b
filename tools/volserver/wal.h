/* SPDX-License-Identifier: MIT */
/*
 * The log region: SQLite's write-ahead log, mirrored in memory.
 *
 * SQLite reads and writes the mirror only.  The device gets the tail of the log
 * as one aligned FUA write when a transaction is to become durable; commits
 * that end while such a write is under way share the next one.
 *
 * What the records (redo.h) say of a transaction is enough to make it durable.  Frames that
 * only repeat it stay in the mirror until others, or a checkpoint, need them there.
 */
#ifndef AFSX_WAL_H
#define AFSX_WAL_H

#include <semaphore.h>
#include <stdbool.h>

#include "blkdev.h"
#include "sb.h"

struct redo;
struct wal;

/**
 * struct wal_waiter - somebody who waits for a write of the log
 * @next: behind it in the same list
 * @ticket: until this one is durable
 * @over: nothing is left to wait for, and @ret is the result; else it is to lead
 * @ret: 0, or why the ticket never becomes durable
 * @woken: posted, once each time, when it is to go on
 *
 * Who is woken at the end wakes the next one: were all of them woken at once they would
 * only stand in each other's way, for all go to the same locks.
 */
struct wal_waiter {
	struct wal_waiter *next;
	u64 ticket;
	bool over;
	int ret;
	sem_t woken;
};

/**
 * wal_open() - load the log of the device
 * @dev: device
 * @start: device offset, bytes
 * @limit: its size, without that of records, bytes
 * @w: result
 *
 * Return: 0; -EUCLEAN when it is damaged.
 */
int wal_open(struct blkdev *dev, u64 start, u64 limit, struct wal **w);

/**
 * wal_set_redo() - there are records beside the log from now on
 * @w: log; nobody else uses it yet
 * @redo: written with the log
 * @limit: size of the log without them, bytes; it is not longer
 */
void wal_set_redo(struct wal *w, struct redo *redo, u64 limit);

/**
 * wal_detach() - nothing is written to the device any more, but SQLite may go on
 * @w: log that could not be written, or of a device that is only read
 *
 * What the records have can be written to the mirror then.  Called with the writer's lock
 * held, when there is no transaction and none will be.
 */
void wal_detach(struct wal *w);

/** wal_failed() - 0, or why the log stopped */
int wal_failed(struct wal *w);

/** wal_is_detached() - after wal_detach() */
bool wal_is_detached(struct wal *w);

/**
 * wal_on_loss() - who is to forget what the log no longer has
 * @w: log
 * @fn: called with the log's lock held when transactions were lost
 * @ctx: for @fn
 */
void wal_on_loss(struct wal *w, void (*fn)(void *ctx), void *ctx);

/**
 * struct wal_source - how to end a transaction that somebody waits for
 * @patience: for how many ns others may be waited for first; 0: not at all. May not block
 * @try_begin: keep others from adding to it; false when somebody does, or is about to,
 *	who will write the log, or call wal_kick().  May not block, nor call the log
 * @end: wal_announce() and what follows; then let others add to the next. False when
 *	there was none
 * @written: told how many ns a write of the log took, when it has ended. May not block
 */
struct wal_source {
	unsigned int (*patience)(void *ctx);
	bool (*try_begin)(void *ctx);
	bool (*end)(void *ctx);
	void (*written)(void *ctx, s64 took);
};

/** wal_set_source() - where transactions come from; @ctx: for its functions */
void wal_set_source(struct wal *w, const struct wal_source *source, void *ctx);

/** wal_close() - forget the mirror; nothing is written. @w may be NULL. */
void wal_close(struct wal *w);

/** wal_size() - length of the log, bytes */
u64 wal_size(struct wal *w);

/** wal_limit() - size of the region, bytes */
u64 wal_limit(struct wal *w);

/** wal_read() - bytes of the mirror; -ENODATA beyond the end */
int wal_read(struct wal *w, u64 off, void *buf, size_t len);

/** wal_write() - bytes into the mirror; -ENOSPC beyond the region */
int wal_write(struct wal *w, u64 off, const void *buf, size_t len);

/** wal_format() - an empty log at device offset @start, durably */
int wal_format(struct blkdev *dev, u64 start);

/** wal_reset() - make the log empty, durably */
int wal_reset(struct wal *w);

/**
 * wal_announce() - a transaction is about to end in the mirror
 * @w: log
 * @data: it refers to file data that was acknowledged, but not flushed
 *
 * From here on readers may see the transaction, so wal_barrier() waits for it,
 * and any write of the log may make it durable, so it flushes the data first.
 * Called with the writer's lock held, as are the two that can follow.
 */
void wal_announce(struct wal *w, bool data);

/** wal_commit() - it ended in the mirror; a ticket for wal_wait(), the last one and 1 */
u64 wal_commit(struct wal *w);

/** wal_commit_record() - the same for one that is in the record that is open, and only there */
u64 wal_commit_record(struct wal *w);

/**
 * wal_repeat() - a transaction ends in the mirror that only has what the records have
 * @w: log
 *
 * wal_repeated() or wal_cancel() follows.
 */
void wal_repeat(struct wal *w);

/** wal_repeated() - it has ended */
void wal_repeated(struct wal *w);

/**
 * wal_restart_redo() - the records begin anew, if the device has all frames
 * @w: log
 * @salt: of records to come
 *
 * Called with the writer's lock held, when the database has what all records have.
 *
 * Return: whether they do.
 */
bool wal_restart_redo(struct wal *w, u64 salt);

/**
 * wal_cancel() - it did not, or was given up before wal_announce()
 * @w: log
 *
 * After wal_announce() its ticket counts, for who waits for it must come to know.
 */
void wal_cancel(struct wal *w);

/** wal_committed() - the last ticket */
u64 wal_committed(struct wal *w);

/** wal_is_settled() - whether the device has everything that a reader can see */
bool wal_is_settled(struct wal *w);

/** wal_durable() - the last ticket whose transaction the device has */
u64 wal_durable(struct wal *w);

/**
 * wal_wait() - wait until a transaction is durable
 * @w: log
 * @ticket: which, and with it all before it
 *
 * The first to come writes for all who came meanwhile.  The ticket may be the next one,
 * of a transaction that is open.  An error is final, and
 * makes the device fail.  The log is cut off behind the last transaction that
 * is durable, so that it goes on to show that state; whether the device has
 * what came later, only the next recovery can tell.
 */
int wal_wait(struct wal *w, u64 ticket);

/** wal_sleep() - until @self->woken is posted; if that is soon, without going to sleep */
void wal_sleep(struct wal *w, struct wal_waiter *self);

/**
 * wal_enter() - have others wait, each of whom is asleep until its @woken is posted
 * @w: log
 * @list: them; their tickets are the next one, of a transaction that is open, or that of
 *	one that was given up since
 *
 * Called with the writer's lock held. Who calls it does wal_wait() or wal_kick() later.
 */
void wal_enter(struct wal *w, struct wal_waiter *list);

/** wal_resume() - the rest of wal_wait(), for who was woken after wal_enter() */
int wal_resume(struct wal *w, struct wal_waiter *self);

/** wal_is_idle() - nobody writes to the device, or ends a transaction to do so */
bool wal_is_idle(struct wal *w);

/** wal_kick() - who added to a transaction, or could have, does not wait itself */
void wal_kick(struct wal *w);

/** wal_losses() - changes when transactions were lost, and while they are */
unsigned int wal_losses(struct wal *w);

/**
 * wal_barrier() - wait until everything that a reader can see is durable
 * @w: log
 * @losses: wal_losses() from before it began to read
 *
 * Return: 0; an error when what it saw may be lost.
 */
int wal_barrier(struct wal *w, unsigned int losses);

/** wal_sync() - make the whole mirror durable, as SQLite wants it */
int wal_sync(struct wal *w);

#endif /* AFSX_WAL_H */
