/* SPDX-License-Identifier: MIT */
/*
 * Batches, which take several transactions of the store each.
 *
 * What comes while the log is being written is gathered, and the log is written once for
 * all. If all that is changed is names and status, a record of the rows that result is
 * what makes a batch durable, and the database gets them later (store_apply.h). As soon as
 * one of the batch needs SQLite, all of it is one transaction of SQLite. There, one of the
 * store that fails is undone by a savepoint. What they do can be seen by those that follow
 * in the same batch, but by no reader before batch_end().
 *
 * The functions are called with the writer's lock held.
 */
#ifndef AFSX_STORE_BATCH_H
#define AFSX_STORE_BATCH_H

#include <stdatomic.h>
#include <stdbool.h>

#include "rally.h"
#include "wal.h"

struct store;
struct store_tx;

/**
 * struct batch - transactions that end together
 * @first: in the order in which they ended
 * @last: the last one, when there is a first
 * @nr: their number
 * @sql: SQLite has a transaction open, with what those did that need one
 * @queued: threads that wait for the writer's lock, and changes that wait for one that has it
 * @rally: who may still come
 */
struct batch {
	struct store_tx *first;
	struct store_tx *last;
	unsigned int nr;
	bool sql;
	atomic_uint queued;
	struct rally rally;
};

/** batch_begin() - a new transaction: on top of those that wait, or the first */
int batch_begin(struct store_tx *tx);

/**
 * batch_sql() - the transaction executes statements that change the database
 * @tx: transaction
 *
 * All that transactions before it left in records is written first.  To be called before
 * the first of the statements, and before reading what records may have.
 *
 * Return: 0; an error, with which the transaction can only be undone.
 */
int batch_sql(struct store_tx *tx);

/** batch_undo() - take back what @tx changed in the database since batch_begin() */
void batch_undo(struct store_tx *tx);

/**
 * batch_add() - @tx is complete
 * @tx: its changes are in the database; or undone, but it has seen those of others
 *
 * Others may change the same things as soon as the writer's lock is free.
 */
void batch_add(struct store_tx *tx);

/** batch_end() - commit what was gathered, so that it can be seen; true if anything was */
bool batch_end(struct store *st);

/** batch_source - for wal_set_source(), with the store */
extern const struct wal_source batch_source;

/** batch_settle() - batch_end() for who goes on to hold the writer's lock */
void batch_settle(struct store *st);

/** batch_leave() - give the writer's lock back after batch_add(), and have it written */
void batch_leave(struct store *st);

/**
 * batch_wait() - wait until @tx is durable
 * @tx: after batch_leave()
 * @woken: the thread was asleep in the log's list (wal_enter()), and was woken; or NULL
 *
 * Return: 0, or an error; then the whole batch did not happen, or not for sure. -EBUSY
 * when that was for the failure of another transaction: it can be tried again.
 */
int batch_wait(struct store_tx *tx, struct wal_waiter *woken);

#endif /* AFSX_STORE_BATCH_H */
