// SPDX-License-Identifier: MIT
#include "store_scrub.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "store_data.h"

/* Which file it is that has a problem in block @i of @e. */
static void tell(const struct scrub_extent *e, u32 i, const char *what,
		 store_report_t report, void *ctx)
{
	char text[256];

	snprintf(text, sizeof(text), "extent %jd, block %ju: %s: vnode %u.%u at byte %ju",
		 (intmax_t)e->id, (uintmax_t)e->start + i, what, e->grp, e->vno,
		 (uintmax_t)(e->off + i) << BLK_SHIFT);
	report(ctx, text);
}

struct scrub_extent scrub_extent_row(sqlite3_stmt *row)
{
	return (struct scrub_extent){
		.id = db_int(row, 0),
		.start = (u64)db_int(row, 1),
		.nr = (u32)db_int(row, 2),
		.sums = sqlite3_column_blob(row, 3),
		.grp = (u32)db_int(row, 4),
		.vno = (u32)db_int(row, 5),
		.off = (u64)db_int(row, 6),
	};
}

u32 scrub_extent(struct store *st, const struct scrub_extent *e, u8 *buf,
		 store_report_t report, void *ctx)
{
	u8 sums[EXTENT_MAX * SUM_LEN];
	u32 problems = 0;
	int ret = blkdev_read(st->dev, e->start << BLK_SHIFT, buf,
			      (size_t)e->nr * BLK_SIZE);

	if (ret) {
		tell(e, 0, strerror(-ret), report, ctx);
		return 1;
	}
	data_sum(buf, e->nr, sums);
	for (u32 i = 0; i < e->nr; i++) {
		if (!memcmp(sums + SUM_LEN * i, e->sums + SUM_LEN * i, SUM_LEN))
			continue;
		tell(e, i, "wrong checksum", report, ctx);
		problems++;
	}
	return problems;
}

/* The next extent: 1, 0 for none, or an error. */
static int one_extent(struct store *st, struct db *db, struct store_scrub *s,
		      u8 *buf, store_report_t report, void *ctx)
{
	sqlite3_stmt *row = db_bind(db, SQL_SCRUB_EXTENTS, "i", s->after);
	int ret = db_row(row);
	struct scrub_extent e;

	if (ret <= 0)
		return db_end(row, ret);
	e = scrub_extent_row(row);
	if (e.nr < 1 || e.nr > EXTENT_MAX ||
	    sqlite3_column_bytes(row, 3) != (int)(4 * e.nr))
		return db_end(row, -EUCLEAN);
	s->problems += scrub_extent(st, &e, buf, report, ctx);
	s->after = e.id;
	s->kib += (u64)e.nr * BLK_KIB;
	return db_end(row, 1);
}

int store_scrub(struct store *st, struct store_scrub *s, u64 kib,
		store_report_t report, void *ctx)
{
	u8 *buf CLEANUP_FREE = malloc(EXTENT_MAX * BLK_SIZE);
	u64 end = s->kib + kib;
	struct reader *r;
	int ret;

	if (!buf)
		return -ENOMEM;
	/* while it is held the blocks are not used again */
	r = reader_get(st, &ret);
	if (!r)
		return ret;
	ret = db_number(&r->db, SQL_SCRUB_LAST, &s->last);
	if (!ret) {
		do {
			ret = one_extent(st, &r->db, s, buf, report, ctx);
		} while (ret > 0 && s->kib < end);
	}
	return reader_put(st, r, ret);
}
