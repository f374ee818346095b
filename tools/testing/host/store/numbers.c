// SPDX-License-Identifier: MIT
/*
 * store-numbers: no two vnodes of a volume ever have the same uniquifier, and none is
 * skipped, whatever is refused; both kinds of numbers begin anew behind the largest.
 */
#include <stdio.h>
#include <string.h>

#include "die.h"
#include "log.h"
#include "memdev.h"
#include "store_priv.h"
#include "store_tx.h"

static struct store *st;
static struct afsx_fid root = { 0, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
static unsigned int made;

static void open_store(void)
{
	struct store_config cfg = { .uri = "memory", .readers = 1, .cache_mib = 16 };
	struct errbuf err = { "" };

	if (store_open(&cfg, &st, &err))
		die("open: %s", err.text);
}

static void make_store(void)
{
	struct store_format_opts format = { .uri = "memory" };
	struct errbuf err = { "" };
	struct store_tx *tx;

	memdev_create(64 << 20);
	if (store_format(&format, &err))
		die("format: %s", err.text);
	open_store();
	must(store_begin(st, &tx), "begin");
	must(store_vol_create(tx, "v", 0, &root.vid), "volume");
	must(store_commit(tx), "commit");
}

static int create(struct store_tx *tx, const char *name, struct afsx_fid *fid)
{
	return store_create(tx, &root, name, strlen(name), AFSX_FTYPE_FILE, NULL,
			    NULL, fid);
}

static struct afsx_fid make(void)
{
	struct afsx_fid fid;
	struct store_tx *tx;
	char name[16];

	snprintf(name, sizeof(name), "f%u", made++);
	must(store_begin(st, &tx), "begin");
	must(create(tx, name, &fid), name);
	must(store_commit(tx), "commit");
	return fid;
}

static void refuse(void)
{
	struct afsx_fid fid;
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	if (create(tx, "f0", &fid) != -EEXIST)
		die("f0 is not there any more");
	must(store_refuse(tx), "refuse");
}

/* A vnode is made, and the transaction undone. */
static void undo(void)
{
	struct afsx_fid fid;
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	must(create(tx, "undone", &fid), "create");
	store_abort(tx);
}

/* What is in memory of volumes and vnodes is dropped, but for what records have. */
static void forget(void)
{
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	tx_forget(tx);
	store_abort(tx);
}

static void again(void)
{
	must(store_close(st), "close");
	open_store();
}

static u32 expect_next(const char *when, u32 next)
{
	u32 unique = make().unique;

	if (unique != next)
		die("%s: %u comes, not %u", when, unique, next);
	return next + 1;
}

static void test_order(void)
{
	u32 next = make().unique + 1;

	for (int i = 0; i < 300; i++)
		next = expect_next("another", next);
	for (int i = 0; i < 1000; i++)
		refuse();
	next = expect_next("after refusals", next);
	for (int i = 0; i < 1000; i++)
		undo();
	next = expect_next("after what was undone", next);
	for (int i = 0; i < 300; i++) {
		forget();
		next = expect_next("after all was forgotten", next);
	}
	for (int i = 0; i < 20; i++) {
		again();
		for (int n = 0; n < 5 * i; n++)
			next = expect_next("opened again", next);
	}
}

/* Home directories: more volumes than a few, which change in turn. */
static void test_many(void)
{
	static u32 vid[100], next[100];
	const u32 first = root.vid;
	struct store_tx *tx;
	char name[16];

	for (size_t i = 0; i < ARRAY_SIZE(vid); i++) {
		snprintf(name, sizeof(name), "home%zu", i);
		must(store_begin(st, &tx), "begin");
		must(store_vol_create(tx, name, 0, &vid[i]), name);
		must(store_commit(tx), "commit");
	}
	for (size_t i = 0; i < 10 * ARRAY_SIZE(vid); i++) {
		size_t v = i % ARRAY_SIZE(vid);

		root.vid = vid[v];
		next[v] = next[v] ? expect_next("in its turn", next[v]) :
				    make().unique + 1;
	}
	root.vid = first;
}

/* Give out @file and @unique next, whatever was. */
static void set_next(u32 file, u32 unique)
{
	struct store_tx *tx;
	char sql[80];

	snprintf(sql, sizeof(sql), "UPDATE grp SET next_file = %u, next_unique = %u",
		 file, unique);
	must(store_begin(st, &tx), "begin");
	must(batch_sql(tx), "before statements of its own");
	tx_forget(tx);
	if (sqlite3_exec(tx->db->sql, sql, NULL, NULL, NULL))
		die("%s: %s", sql, sqlite3_errmsg(tx->db->sql));
	must(store_commit(tx), "commit");
}

static void test_largest(void)
{
	static const u32 uniques[] = { U32_MAX - 1, U32_MAX, 2, 3 };
	const u32 vnodes = make().vnode;

	set_next(U32_MAX - 3, U32_MAX - 1);
	for (size_t i = 0; i < ARRAY_SIZE(uniques); i++) {
		struct afsx_fid fid = make();
		bool right = i < 2 ? fid.vnode == U32_MAX - 3 + 2 * (u32)i :
				     fid.vnode <= vnodes + 2 * (u32)i;

		if (!right || fid.vnode % 2 || fid.unique != uniques[i])
			die("FID %zu is %u.%u", i, fid.vnode, fid.unique);
	}
	again();
	expect_next("behind the largest", 4);
}

int main(void)
{
	log_setup("store-numbers", LOG_ERROR);
	make_store();
	test_order();
	test_many();
	test_largest();
	must(store_close(st), "close");
	printf("%u vnodes, each with a uniquifier of its own\n", made);
	return 0;
}
