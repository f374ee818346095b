// SPDX-License-Identifier: MIT
/*
 * Volumes that a command works on: held ones, which show a moment, and those
 * being restored, which show what they were.  Their rows in the table of
 * volumes say so, and what a crash leaves of them is undone by the collector.
 */
#include "store_hold.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store_tx.h"

u32 *busy_slot(struct store *st, u32 id)
{
	for (size_t i = 0; i < BUSY_MAX; i++)
		if (st->busy[i] == id)
			return &st->busy[i];
	return NULL;
}

/* The row of a volume whatever its state; -ENOMEDIUM. */
static int load_row(struct store_tx *tx, u32 id, struct store_vol *vol,
		    s64 *snap)
{
	sqlite3_stmt *row = db_bind(tx->db, SQL_VOL_ROW, "i", (s64)id);
	int ret = db_row(row);

	if (ret > 0)
		vol_from_row(row, vol, snap);
	return db_end(row, ret > 0 ? 0 : ret ? ret : -ENOMEDIUM);
}

/* An id that no row has: those below the first volume's are never given away. */
static int free_id(struct store_tx *tx, u32 *id)
{
	struct store_vol vol;
	s64 snap;
	int ret;

	for (*id = 1; *id <= BUSY_MAX; ++*id) {
		ret = load_row(tx, *id, &vol, &snap);
		if (ret)
			return ret == -ENOMEDIUM ? 0 : ret;
	}
	return -EBUSY;
}

/* The epoch to hold: of a R/W volume the present one, which ends by that. */
static int epoch_to_hold(struct store_tx *tx, const struct store_vol *vol,
			 s64 *snap)
{
	struct tx_grp *g;
	int ret;

	if (vol->type != AFSX_VOL_RW)
		return 0;
	ret = tx_grp(tx, vol->id, &g);
	if (ret)
		return ret;
	*snap = g->epoch++;
	g->newest = *snap;
	g->counters = true;
	return 0;
}

static int hold(struct store_tx *tx, u32 from, struct store_vol *vol)
{
	char name[STORE_NAME_MAX + 1];
	s64 snap;
	u32 id;
	int ret = load_row(tx, from, vol, &snap);

	if (!ret && ((u32)vol->type >= AFSX_VOL_TYPES || snap <= 0))
		ret = -ENOMEDIUM;
	if (!ret)
		ret = epoch_to_hold(tx, vol, &snap);
	if (!ret)
		ret = free_id(tx, &id);
	if (ret)
		return ret;
	vol->id = id;
	snprintf(name, sizeof(name), "/held/%u", id);
	return db_run(tx->db, SQL_VOL_INSERT, "iiisiiiiii", (s64)id,
		      (s64)vol->rw_id, (s64)VOL_TYPE_HELD, name, snap,
		      vol->created, vol->updated, (s64)vol->quota_kib,
		      (s64)vol->used_kib, (s64)vol->files);
}

int store_hold(struct store *st, u32 id, struct store_vol *vol)
{
	struct store_tx *tx;
	u32 *slot;
	int ret = store_begin(st, &tx);

	if (ret)
		return ret;
	slot = busy_slot(st, 0);
	ret = slot ? batch_sql(tx) : -EBUSY;
	if (!ret)
		ret = hold(tx, id, vol);
	if (ret) {
		store_abort(tx);
		return ret;
	}
	*slot = vol->id;
	ret = store_commit(tx);
	if (ret)
		store_unhold(st, vol);
	return ret;
}

void store_unhold(struct store *st, const struct store_vol *vol)
{
	u32 *slot;

	store_enter(st);
	slot = busy_slot(st, vol->id);
	if (slot)
		*slot = 0;
	store_leave(st);
}

/* ---- what is busy, and what only seems so -------------------------------------- */

/* A row of SQL_VOL_BUSY. */
struct busy {
	s64 id;
	s64 grp;
	s64 type;
	s64 snap;
};

static void busy_from_row(sqlite3_stmt *row, struct busy *b)
{
	b->id = db_int(row, 0);
	b->grp = db_int(row, 1);
	b->type = db_int(row, 2);
	b->snap = db_int(row, 3);
}

int vol_check_idle(struct store_tx *tx, u32 rw_id)
{
	sqlite3_stmt *row = db_bind(tx->db, SQL_VOL_BUSY, "");
	struct busy b;
	int ret;

	while ((ret = db_row(row)) > 0) {
		busy_from_row(row, &b);
		if (b.grp == (s64)rw_id && busy_slot(tx->st, (u32)b.id))
			break;
	}
	return db_end(row, ret > 0 ? -EBUSY : ret);
}

/* 1 with a volume that is marked as busy, but that nobody works on; or 0. */
static int next_stale(struct store_tx *tx, struct busy *b)
{
	sqlite3_stmt *row = db_bind(tx->db, SQL_VOL_BUSY, "");
	int ret;

	while ((ret = db_row(row)) > 0) {
		busy_from_row(row, b);
		if (!busy_slot(tx->st, (u32)b->id))
			break;
	}
	return db_end(row, ret);
}

/* A step back to what a volume was before it was restored over. */
static int undo_restore(struct store_tx *tx, const struct busy *b,
			unsigned int max)
{
	static const enum db_sql steps[] = {
		SQL_UNDO_EXTENTS, SQL_UNDO_DIRBLKS, SQL_UNDO_VNODES,
		SQL_REVIVE_EXTENTS, SQL_REVIVE_DIRBLKS, SQL_REVIVE_VNODES,
	};
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		ret = tx_collect_rows(tx, db_bind(tx->db, steps[i], "iii",
						  b->grp, b->snap, (s64)max));
		if (ret)
			return ret;
	}
	ret = db_run(tx->db, SQL_VOL_FREEZE, "ii", b->id, SNAP_LIVE);
	return ret ? ret : 1;
}

int tx_collect_busy(struct store_tx *tx, unsigned int max)
{
	struct busy b;
	int ret = next_stale(tx, &b);

	if (ret > 0)
		ret = batch_sql(tx) ? : ret;
	if (ret <= 0)
		return ret;
	tx_forget(tx);
	if (b.type == AFSX_VOL_RW && b.snap > 0)
		return undo_restore(tx, &b, max);
	ret = db_run(tx->db, SQL_VOL_DELETE, "i", b.id);
	if (!ret)
		ret = db_run(tx->db, SQL_GARBAGE_INSERT, "i", b.grp);
	return ret ? ret : 1;
}
