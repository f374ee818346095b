// SPDX-License-Identifier: MIT
#include "store_batch.h"

#include <errno.h>

#include "redo.h"
#include "store_apply.h"
#include "store_tx.h"

#define BATCH_MAX	64u	/* transactions that an idle device waits for */

int batch_begin(struct store_tx *tx)
{
	struct store *st = tx->st;

	if (st->batch.first)
		return 0;
	ckpt_make_room(st->ckpt);
	store_reap(st);
	return apply_room(st);
}

static void roll_back(struct store *st)
{
	if (!sqlite3_get_autocommit(st->writer.sql))
		db_run(&st->writer, SQL_ROLLBACK, "");
	st->batch.sql = false;
}

/* Rows that those before it left in records go first: its statements have to see them. */
static int begin_sql(struct store *st)
{
	int ret = db_run(&st->writer, SQL_BEGIN_WRITE, "");

	if (!ret)
		ret = apply_rows(st);
	if (ret) {
		roll_back(st);
		rows_unwrite(st->rows);
		return ret;
	}
	st->batch.sql = true;
	return 0;
}

static bool has_changes(const struct store *st)
{
	return st->batch.first || st->rows->used;
}

int batch_sql(struct store_tx *tx)
{
	struct store *st = tx->st;
	int ret;

	if (tx->sql)
		return 0;
	if (!st->batch.sql) {
		ret = begin_sql(st);
		if (ret)
			return tx_fail(tx, ret);
		tx->sql = TX_SQL_WHOLE;
	} else {
		tx->sql = TX_SQL_WHOLE;
		ret = apply_rows(st);
	}
	if (!ret && has_changes(st)) {
		ret = db_run(tx->db, SQL_SAVEPOINT, "");
		tx->sql = ret ? TX_SQL_WHOLE : TX_SQL_SAVED;
	}
	tx->rows = sqlite3_total_changes64(tx->db->sql);
	if (!ret)
		ret = blocks_flush(tx);
	return tx_fail(tx, ret);
}

/* Have readers ask the database for what changes. */
static void shut_changes(struct store_tx *tx)
{
	struct seen *c = tx->st->seen;

	if (tx->volumes)
		seen_shut_all(c);
	for (size_t i = 0; i < tx->nr_shut; i++)
		seen_shut(c, &tx->shut[i].s.fid);
}

/* Let them remember again; what it has become they know at once. */
static void open_changes(struct store_tx *tx, int err)
{
	struct seen *c = tx->st->seen;

	if (tx->volumes)
		seen_open_all(c);
	for (size_t i = 0; i < tx->nr_shut; i++)
		seen_open(c, &tx->shut[i], err ? 0 : tx->ticket);
}

static void finish_one(struct store_tx *tx, int err)
{
	struct alloc *alloc = tx->st->alloc;

	open_changes(tx, err);
	for (size_t i = 0; !err && i < tx->freed.nr; i++)
		alloc_retire(alloc, &tx->freed.run[i], tx->ticket);
	for (size_t i = 0; err && i < tx->taken.nr; i++)
		alloc_release(alloc, &tx->taken.run[i]);
	tx->err = err;
}

/* What readers may see of the batch, before they may remember what they see. */
static void show(struct store *st, int err)
{
	if (!err && !st->batch.sql) {
		rows_show(st->rows, wal_committed(st->wal) + 1);
	} else if (!err) {
		apply_done(st);
	} else {
		hot_clear(&st->hot);
		grps_clear(&st->grps);
		apply_undone(st);
	}
}

/* As soon as the log counts the ticket, each of them may be gone. */
static void finish(struct store *st, int err)
{
	struct store_tx *tx;

	show(st, err);
	while ((tx = st->batch.first)) {
		st->batch.first = tx->next;
		finish_one(tx, err);
	}
	st->batch.nr = 0;
	if (err)
		wal_cancel(st->wal);
	else if (st->batch.sql)
		wal_commit(st->wal);
	else
		wal_commit_record(st->wal);
	st->batch.sql = false;
}

/* SQLite undid more than it was asked to. */
static void fail(struct store *st)
{
	wal_announce(st->wal, false);
	roll_back(st);
	finish(st, -EBUSY);
}

/* Only what it did, if others did something before. */
static int undo_sql(struct store_tx *tx)
{
	struct store *st = tx->st;
	int ret = -EBUSY;

	if (tx->sql == TX_SQL_SAVED && !sqlite3_get_autocommit(tx->db->sql))
		ret = db_run(tx->db, SQL_ROLLBACK_TO, "");
	if (!ret)
		ret = db_run(tx->db, SQL_RELEASE, "");
	/* rows of records are all that is left */
	if (!ret && !st->batch.first) {
		ret = apply_commit(st);
		st->batch.sql = false;
	}
	return ret;
}

void batch_undo(struct store_tx *tx)
{
	struct store *st = tx->st;

	redo_cut(st->redo, tx->record);
	if (!tx->sql)
		return;
	if (!undo_sql(tx))
		return;
	if (st->batch.first) {
		fail(st);
		return;
	}
	roll_back(st);
	apply_undone(st);
	wal_cancel(st->wal);
}

void batch_add(struct store_tx *tx)
{
	struct batch *b = &tx->st->batch;

	tx->next = NULL;
	if (b->first)
		b->last->next = tx;
	else
		b->first = tx;
	b->last = tx;
	b->nr++;
	tx->ticket = wal_committed(tx->st->wal) + 1;
	rally_come(&b->rally, !wal_is_idle(tx->st->wal));
	shut_changes(tx);
}

static int commit_sql(struct store *st)
{
	int ret = apply_rows(st);

	if (!ret)
		ret = db_run(&st->writer, SQL_COMMIT, "");
	if (ret)
		roll_back(st);
	return ret;
}

bool batch_end(struct store *st)
{
	bool wrote = false;
	int ret;

	if (!st->batch.first)
		return false;
	rally_end(&st->batch.rally, st->batch.nr);
	for (struct store_tx *tx = st->batch.first; tx; tx = tx->next)
		wrote |= tx->wrote;
	wal_announce(st->wal, wrote);
	ret = st->batch.sql ? commit_sql(st) : 0;
	finish(st, ret);
	return true;
}

/* Who waits for the lock to change something will see to what comes of the batch. */
static bool try_begin(void *ctx)
{
	struct store *st = ctx;

	return !atomic_load(&st->batch.queued) &&
	       !pthread_mutex_trylock(&st->writer_lock);
}

static bool end_and_leave(void *ctx)
{
	struct store *st = ctx;
	bool ended = batch_end(st);

	store_unlock(st);
	return ended;
}

static unsigned int patience(void *ctx)
{
	struct store *st = ctx;

	return rally_patience(&st->batch.rally);
}

static void written(void *ctx, s64 took)
{
	struct store *st = ctx;

	rally_over(&st->batch.rally, took);
}

const struct wal_source batch_source = {
	.patience = patience,
	.try_begin = try_begin,
	.end = end_and_leave,
	.written = written,
};

void batch_settle(struct store *st)
{
	if (batch_end(st))
		wal_kick(st->wal);
}

/*
 * While the log is written there is time for more; otherwise those who are here already,
 * or will be soon, come first, for one write is much dearer than what they do.
 */
static bool is_full(struct store *st)
{
	struct batch *b = &st->batch;

	if (!b->first || !wal_is_idle(st->wal))
		return false;
	return b->nr >= BATCH_MAX ||
	       (!atomic_load(&b->queued) && !rally_patience(&b->rally));
}

void batch_leave(struct store *st)
{
	if (is_full(st))
		batch_end(st);
	store_unlock(st);
}

int batch_wait(struct store_tx *tx, struct wal_waiter *woken)
{
	struct store *st = tx->st;
	int ret = woken ? wal_resume(st->wal, woken) :
			  wal_wait(st->wal, tx->ticket);

	if (ret) {
		/* nobody writes any more: it may still be in the list */
		store_enter(st);
		batch_end(st);
		store_unlock(st);
	}
	return tx->err ? : ret;
}
