// SPDX-License-Identifier: MIT
#include "store_extent.h"

#include <errno.h>
#include <string.h>

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
