// SPDX-License-Identifier: MIT
/*
 * The checker: regions, pages, database, extents against the free map.  What
 * directories and vnodes say of each other is in store_check_tree.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "store_apply.h"
#include "store_check.h"
#include "store_scrub.h"
#include "store_tx.h"

void check_problem(struct check *k, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	k->problems++;
	k->report(k->ctx, text);
}

static void check_superblocks(struct check *k)
{
	struct errbuf err = { "" };
	bool stale = false;
	struct sb sb;

	if (sb_read(k->st->dev, &sb, &stale, &err))
		check_problem(k, "superblock: %s", err.text);
	else if (stale)
		check_problem(k, "superblock: one copy is missing, damaged or old");
}

/*
 * Pages as the device has them.  Those that the log still holds may be torn
 * after a crash, so this needs an empty log.
 */
static int check_pages(struct check *k)
{
	s64 pages;
	int ret;

	if (k->st->lease)
		sqlite3_wal_checkpoint_v2(k->st->writer.sql, NULL,
					  SQLITE_CHECKPOINT_TRUNCATE, NULL,
					  NULL);
	if (wal_size(k->st->wal))
		return 0;
	if (meta_damaged_sums(k->st->meta))
		check_problem(k, "metadata: %u copies of sums are damaged or old",
			      meta_damaged_sums(k->st->meta));
	ret = db_number(k->db, SQL_PAGE_COUNT, &pages);
	for (s64 i = 0; !ret && i < pages; i++) {
		ret = meta_check_page(k->st->meta, (u64)i);
		if (ret == -EUCLEAN || ret == -ENODATA) {
			check_problem(k, "metadata: page %jd: %s", (intmax_t)i,
				      ret == -ENODATA ? "outside of the region" :
							"wrong checksum");
			ret = 0;
		}
	}
	return ret;
}

static int check_database(struct check *k)
{
	sqlite3_stmt *row = db_bind(k->db, SQL_CHECK_PAGES, "");
	char text[256];
	int ret;

	while ((ret = db_row(row)) > 0) {
		db_text(row, 0, text, sizeof(text));
		if (strcmp(text, "ok"))
			check_problem(k, "database: %s", text);
	}
	return db_end(row, ret);
}

/* ---- extents ---------------------------------------------------------------- */

/* The map is in memory: to mend it takes no transaction. */
static void check_mark(struct check *k, const struct scrub_extent *r, u64 block)
{
	struct alloc_run run = { .start = block, .nr = 1 };

	if (alloc_is_used(k->st->alloc, block))
		return;
	check_problem(k, "extent %jd: block %ju is marked free",
		      (intmax_t)r->id, (uintmax_t)block);
	if (k->tx && !alloc_claim(k->st->alloc, &run))
		k->mended++;
}

/* One extent, in the order of their places; @end: where the last one ended. */
static bool check_extent(struct check *k, const struct scrub_extent *r, int sums_len,
			 u64 *end)
{
	const struct sb *sb = &k->st->sb;

	if (r->nr < 1 || r->nr > EXTENT_MAX || sums_len != (int)(4 * r->nr)) {
		check_problem(k, "extent %jd: %u blocks with %d bytes of checksums",
			      (intmax_t)r->id, r->nr, sums_len);
		return false;
	}
	if (r->start < SB_FIRST_FREE || r->start + r->nr > sb->blocks - 1) {
		check_problem(k, "extent %jd: outside of the device",
			      (intmax_t)r->id);
		return false;
	}
	for (u32 i = 0; i < sb->nr; i++)
		if (r->start < sb->region[i].start + sb->region[i].nr &&
		    sb->region[i].start < r->start + r->nr)
			check_problem(k, "extent %jd: inside region %u",
				      (intmax_t)r->id, i);
	if (r->start < *end)
		check_problem(k, "extent %jd: shares blocks with the one before",
			      (intmax_t)r->id);
	for (u32 i = 0; i < r->nr; i++)
		check_mark(k, r, r->start + i);
	*end = max(*end, r->start + r->nr);
	return true;
}

static int check_extents(struct check *k)
{
	u8 *buf CLEANUP_FREE = malloc(EXTENT_MAX * BLK_SIZE);
	sqlite3_stmt *row;
	u64 end = 0;
	int ret;

	if (!buf)
		return -ENOMEM;
	row = db_bind(k->db, SQL_CHECK_EXTENTS, "");
	while ((ret = db_row(row)) > 0) {
		struct scrub_extent r = scrub_extent_row(row);

		if (check_extent(k, &r, sqlite3_column_bytes(row, 3), &end) &&
		    k->flags & STORE_CHECK_DATA)
			k->problems += scrub_extent(k->st, &r, buf, k->report,
						    k->ctx);
		k->blocks += r.nr;
	}
	return db_end(row, ret);
}

static void check_free_map(struct check *k)
{
	const struct sb *sb = &k->st->sb;
	u64 used = SB_FIRST_FREE + 1 + k->blocks;

	MUTEX_GUARD(&k->st->ingest_lock);
	used += k->st->ingesting;

	for (u32 i = 0; i < sb->nr; i++)
		used += sb->region[i].nr;
	if (alloc_count_free(k->st->alloc) != sb->blocks - used)
		check_problem(k, "free map: %ju blocks are free, should be %ju",
			      (uintmax_t)alloc_count_free(k->st->alloc),
			      (uintmax_t)(sb->blocks - used));
}

static int check_strays(struct check *k)
{
	s64 strays = 0;
	int ret = db_number(k->db, SQL_CHECK_STRAYS, &strays);

	if (ret || !strays)
		return ret;
	check_problem(k, "%jd extents or blocks of directories belong to no vnode",
		      (intmax_t)strays);
	return k->tx ? mend_strays(k) : 0;
}

/* What nobody sees is found by collecting, which is told of it by a row. */
static int check_unseen(struct check *k)
{
	sqlite3_stmt *row = db_bind(k->db, SQL_CHECK_UNSEEN, "");
	int ret;

	while ((ret = db_row(row)) > 0) {
		u32 grp = (u32)db_int(row, 0);

		check_problem(k, "group %u: rows that no volume shows", grp);
		ret = k->tx ? mend_unseen(k, grp) : 0;
		if (ret)
			break;
	}
	return db_end(row, ret);
}

#define UNIQUE_WRAPPED	0xff000000u	/* from here on the next may be small */

static int check_uniques(struct check *k)
{
	sqlite3_stmt *row = db_bind(k->db, SQL_CHECK_UNIQUES, "");
	int ret;

	while ((ret = db_row(row)) > 0) {
		u32 grp = (u32)db_int(row, 0);
		s64 next = db_int(row, 1), largest = db_int(row, 2);

		if (next > largest || largest > UNIQUE_WRAPPED)
			continue;
		check_problem(k, "group %u: uniquifiers would be used again",
			      grp);
		ret = k->tx ? mend_counter(k, grp, (u32)largest + 1) : 0;
		if (ret)
			break;
	}
	return db_end(row, ret);
}

static int check_device(struct check *k)
{
	check_superblocks(k);
	return check_pages(k);
}

static int check_contents(struct check *k)
{
	int ret = check_database(k);

	if (!ret)
		ret = check_extents(k);
	if (!ret)
		check_free_map(k);
	if (!ret)
		ret = check_strays(k);
	if (!ret)
		ret = check_unseen(k);
	if (!ret)
		ret = check_uniques(k);
	if (!ret)
		ret = check_volumes(k);
	return ret;
}

/* Check and mend in one transaction: all of it happens, or nothing. */
static int check_and_mend(struct check *k)
{
	int ret = store_begin_long(k->st, &k->tx);

	if (ret)
		return ret;
	ret = batch_sql(k->tx);
	/* rows are changed behind the back of what was loaded from them */
	tx_forget(k->tx);
	if (!ret)
		ret = check_contents(k);
	if (!ret && k->mended)
		return store_commit(k->tx);
	store_abort(k->tx);
	return ret;
}

int store_check(struct store *st, unsigned int flags, store_report_t report,
		void *ctx)
{
	struct check k = {
		.st = st,
		.db = &st->writer,
		.flags = flags,
		.report = report,
		.ctx = ctx,
	};
	bool mend = flags & STORE_CHECK_REPAIR;
	int ret;

	store_enter(st);
	batch_settle(st);
	ret = apply_all(st);
	if (!ret)
		ret = check_device(&k);
	if (!ret && !mend)
		ret = check_contents(&k);
	store_leave(st);
	if (!ret && mend)
		ret = check_and_mend(&k);
	if (ret == -EUCLEAN) {
		/* so damaged that it cannot even be read through */
		check_problem(&k, "metadata: cannot be read to the end");
		ret = 0;
	}
	return ret ? ret : (int)k.problems;
}
