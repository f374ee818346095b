// SPDX-License-Identifier: MIT
#include "store_extent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "store_tx.h"

#define PUNCH_MAX	((u64)64)	/* looked up at a time */

/* Columns of SQL_EXTENT_COVER; blocks, except the checksums. */
static int extent_from_row(sqlite3_stmt *row, struct extent *e)
{
	s64 nr = db_int(row, 3);

	e->id = db_int(row, 0);
	e->off = (u64)db_int(row, 1);
	e->birth = db_int(row, 2);
	e->phys = (u64)db_int(row, 4);
	if (nr < 1 || nr > (s64)EXTENT_MAX ||
	    sqlite3_column_bytes(row, 5) != (int)(nr * (s64)SUM_LEN))
		return -EUCLEAN;
	e->nr = (u32)nr;
	memcpy(e->sums, sqlite3_column_blob(row, 5), e->nr * SUM_LEN);
	return 0;
}

int extent_find(struct db *db, const struct vnode *vn, u64 from, u64 to,
		struct extent *list, int max)
{
	sqlite3_stmt *row;
	int ret, n = 0;

	row = db_bind(db, SQL_EXTENT_COVER, "iiiii", (s64)vn->grp,
		      (s64)vn->s.fid.vnode, (s64)from, (s64)to, vn->snap);
	while (n < max && (ret = db_row(row)) > 0) {
		ret = extent_from_row(row, &list[n]);
		if (ret)
			break;
		if (list[n].off + list[n].nr > from)
			n++;
	}
	return db_end(row, n < max && ret < 0 ? ret : n);
}

/* ---- changing ------------------------------------------------------------------- */

int extent_put(struct db *db, const struct vnode *vn, const struct extent *e)
{
	return db_run(db, SQL_EXTENT_INSERT, "iiiiiib", (s64)vn->grp,
		      (s64)vn->s.fid.vnode, (s64)e->off, e->birth, (s64)e->nr,
		      (s64)e->phys, e->sums, (size_t)e->nr * SUM_LEN);
}

/* The part of @e that starts @skip blocks in. */
static void tail_of(const struct extent *e, u64 skip, struct extent *tail)
{
	*tail = *e;
	tail->off += skip;
	tail->phys += skip;
	tail->nr -= (u32)skip;
	memmove(tail->sums, e->sums + skip * SUM_LEN, tail->nr * SUM_LEN);
}

/* Drop a whole extent: what no clone sees is free once this is committed. */
static int drop(struct db *db, const struct epochs *ep, const struct extent *e,
		struct run_list *freed)
{
	struct alloc_run run = { .start = e->phys, .nr = e->nr };

	if (e->birth <= ep->newest)
		return db_run(db, SQL_EXTENT_KILL, "ii", e->id, ep->now);
	if (freed && run_list_add(freed, &run))
		return -ENOMEM;
	return db_run(db, SQL_EXTENT_DELETE, "i", e->id);
}

/*
 * Cut @e at @at blocks from its start and make @e the second part, with a row
 * of its own.  Both keep the birth, so clones see what they saw.
 */
static int split(struct db *db, const struct vnode *vn, struct extent *e, u64 at)
{
	struct extent tail;
	int ret;

	tail_of(e, at, &tail);
	ret = db_run(db, SQL_EXTENT_TRIM, "iib", e->id, (s64)at, e->sums,
		     (size_t)(at * SUM_LEN));
	if (!ret)
		ret = extent_put(db, vn, &tail);
	tail.id = sqlite3_last_insert_rowid(db->sql);
	*e = tail;
	return ret;
}

/* Leave @e the part of it within [@from, @to). */
static int isolate(struct db *db, const struct vnode *vn, struct extent *e,
		   u64 from, u64 to)
{
	struct extent rest;
	int ret = 0;

	if (e->off < from)
		ret = split(db, vn, e, from - e->off);
	if (!ret && e->off + e->nr > to) {
		rest = *e;
		ret = split(db, vn, &rest, to - e->off);
		e->nr = (u32)(to - e->off);
	}
	return ret;
}

static int punch_one(struct db *db, const struct vnode *vn,
		     const struct epochs *ep, struct extent *e, u64 from, u64 to,
		     struct run_list *freed)
{
	int ret = isolate(db, vn, e, from, to);

	return ret ? ret : drop(db, ep, e, freed);
}

int extent_punch(struct db *db, const struct vnode *vn, const struct epochs *ep,
		 u64 from, u64 to, struct run_list *freed, u64 *nr)
{
	int max = from < to ? (int)min(to - from, PUNCH_MAX) : 0, n = max, ret = 0;
	struct extent *list CLEANUP_FREE = malloc((size_t)max * sizeof(*list));

	if (max && !list)
		return -ENOMEM;
	while (!ret && n == max && from < to) {
		n = extent_find(db, vn, from, to, list, max);
		ret = min(n, 0);
		for (int i = 0; !ret && i < n; i++) {
			ret = punch_one(db, vn, ep, &list[i], from, to, freed);
			from = list[i].off + list[i].nr;
			*nr += list[i].nr;
		}
	}
	return ret;
}
