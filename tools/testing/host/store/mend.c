// SPDX-License-Identifier: MIT
/*
 * store-mend: every kind of damage that the checker knows, made by SQL or by hand.
 * The check must find it; what can be mended is mended by a repair, after which
 * another check finds nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "log.h"
#include "memdev.h"
#include "query.h"
#include "store_hold.h"
#include "store_priv.h"
#include "store_restore.h"

#define DEVICE		(UINT64_C(32) << 20)
#define COLLECT_STEP	100u

static struct store *st;
static u32 vid;
static char problems[8192];

static void open_store(unsigned int flags)
{
	struct store_config cfg = { .uri = "memory", .readers = 1,
		.cache_mib = 16, .flags = flags, .free_step = 2 };
	struct errbuf err = { "" };

	if (store_open(&cfg, &st, &err))
		die("open: %s", err.text);
}

static void close_store(void)
{
	if (store_close(st))
		die("close failed");
}

/* ---- a small tree -------------------------------------------------------------- */

static struct store_tx *begin(void)
{
	struct store_tx *tx;

	if (store_begin(st, &tx))
		die("no transaction");
	return tx;
}

static void commit(struct store_tx *tx)
{
	if (store_commit(tx))
		die("the transaction failed");
}

static struct afsx_fid add(struct store_tx *tx, struct afsx_fid dir,
			   const char *name, enum afsx_ftype type)
{
	static const char data[3 * BLK_SIZE] = "contents";
	const char *target = type == AFSX_FTYPE_SYMLINK ? "target" : NULL;
	struct afsx_fid fid;

	if (store_create(tx, &dir, name, strlen(name), type, NULL, target, &fid))
		die("no %s", name);
	if (type == AFSX_FTYPE_FILE &&
	    store_write(tx, &fid, 0, data, sizeof(data)))
		die("cannot write to %s", name);
	return fid;
}

/* Vnodes: 2 file, 3 dir, 4 dir/inner, 5 dir/sub, 6 dir/sub/deep, 8 link. */
static void make_store(void)
{
	struct store_format_opts format = { .uri = "memory" };
	struct afsx_fid root = { 0, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	struct afsx_fid dir, sub;
	struct errbuf err = { "" };
	struct store_tx *tx;

	memdev_create(DEVICE);
	if (store_format(&format, &err))
		die("format: %s", err.text);
	open_store(0);
	tx = begin();
	if (store_vol_create(tx, "v", 0, &vid))
		die("cannot make a volume");
	root.vid = vid;
	add(tx, root, "file", AFSX_FTYPE_FILE);
	dir = add(tx, root, "dir", AFSX_FTYPE_DIR);
	add(tx, dir, "inner", AFSX_FTYPE_FILE);
	sub = add(tx, dir, "sub", AFSX_FTYPE_DIR);
	add(tx, sub, "deep", AFSX_FTYPE_FILE);
	add(tx, root, "link", AFSX_FTYPE_SYMLINK);
	commit(tx);
	close_store();
}

/* ---- checking ------------------------------------------------------------------- */

static void note(void *ctx, const char *text)
{
	size_t len = strlen(problems);

	snprintf(problems + len, sizeof(problems) - len, "%s\n", text);
}

static int examine(unsigned int flags)
{
	int ret;

	problems[0] = '\0';
	ret = store_check(st, flags | STORE_CHECK_DATA, note, NULL);
	if (ret < 0)
		die("the check failed: %s", strerror(-ret));
	return ret;
}

static void expect_found(const char *what, const char *text)
{
	if (!examine(0) || !strstr(problems, text))
		die("%s: the check does not find '%s'", what, text);
}

static int collect_all(void)
{
	int ret;

	do {
		ret = store_collect(st, COLLECT_STEP);
	} while (ret > 0);
	return ret;
}

static void collect(void)
{
	int ret = collect_all();

	if (ret)
		die("collecting failed: %s", strerror(-ret));
}

static void expect_mended(const char *what)
{
	if (!examine(STORE_CHECK_REPAIR) || !strstr(problems, "mended: "))
		die("%s: not mended", what);
	collect();
	if (examine(0))
		die("%s: problems are left", what);
}

/* ---- damage by SQL ---------------------------------------------------------------- */

/* ?1 is the group. */
struct damage {
	const char *name;
	const char *sql;
	const char *found;
	const char *path;	/* that must be there afterwards, or NULL */
};

static const struct damage mendable[] = {
	{ "links of a file", "UPDATE vnode SET nlink = 7 WHERE vno = 2",
	  "vnode 2: wrong link count", "file" },
	{ "no links", "UPDATE vnode SET nlink = 0 WHERE vno = 4",
	  "vnode 4: wrong link count", "dir/inner" },
	{ "links of a directory", "UPDATE vnode SET nlink = 7 WHERE vno = 3",
	  "vnode 3: wrong link count", "dir/sub/deep" },
	{ "KiB of a file", "UPDATE vnode SET used = 999 WHERE vno = 2",
	  "vnode 2: wrong count of KiB", "file" },
	{ "KiB of a volume", "UPDATE vol SET used = used + 100",
	  "counted as", NULL },
	{ "vnodes of a volume", "UPDATE vol SET files = 1",
	  "counted as 1", NULL },
	{ "a lost vnode", "DELETE FROM vnode WHERE vno = 4",
	  "'inner' leads to no vnode", "dir/sub" },
	{ "a lost directory", "DELETE FROM vnode WHERE vno = 3",
	  "vnode 5: no name leads to it", "lost+found/5.5/deep" },
	{ "another parent", "UPDATE vnode SET pvno = 1, puniq = 1 WHERE vno = 5",
	  "is not in the directory it says", "dir/sub/deep" },
	{ "links and names", "UPDATE vnode SET nlink = 9 WHERE vno = 3;"
	  "DELETE FROM vnode WHERE vno = 5",
	  "'sub' leads to no vnode", "lost+found/6.6" },
	{ "a name that waits", "INSERT INTO orphan SELECT id, 2 FROM grp",
	  "has a name, but waits", "file" },
	{ "forgotten", "UPDATE vnode SET nlink = 0 WHERE vno = 6;"
	  "DELETE FROM vnode WHERE vno = 5",
	  "does not wait to be collected", "dir/inner" },
	{ "data behind the end", "UPDATE vnode SET size = 5000 WHERE vno = 2",
	  "vnode 2: data behind the end", "file" },
	{ "rows that nobody sees",
	  "INSERT INTO dirblk SELECT 999, id, 1, 9, 1, 1, x'00' FROM grp",
	  "rows that no volume shows", NULL },
	{ "a group without volumes", "INSERT INTO grp VALUES(600000000, 1, 2, 3, 2)",
	  "rows that no volume shows", NULL },
	{ "uniquifiers", "UPDATE grp SET next_unique = 3",
	  "uniquifiers would be used again", NULL },
	{ "stray extent",
	  "INSERT INTO extent SELECT 999, id, 100, 0, 1, NULL, 1, 8000, x'00000000' FROM grp",
	  "belong to no vnode", NULL },
};

static const struct damage hopeless[] = {
	{ "shared blocks", "UPDATE extent SET phys = (SELECT min(phys) FROM extent)",
	  "shares blocks", NULL },
	{ "off the device", "UPDATE extent SET phys = 99999999 WHERE vno = 2",
	  "outside of the device", NULL },
	{ "too many blocks", "UPDATE extent SET nr = 5 WHERE vno = 2",
	  "5 blocks with 12 bytes", NULL },
	{ "unknown type", "UPDATE vnode SET type = 9 WHERE vno = 2",
	  "unknown type", NULL },
	{ "a damaged directory", "UPDATE dirblk SET data = x'ffff' WHERE vno = 3",
	  "damaged directory", NULL },
	{ "a lost root", "DELETE FROM vnode WHERE vno = 1",
	  "the root is missing", NULL },
};

static void damage(const struct damage *d)
{
	char *err = NULL;

	open_store(0);
	if (sqlite3_exec(st->writer.sql, d->sql, NULL, NULL, &err))
		die("%s: %s", d->name, err);
	close_store();
}

static void expect_path(const struct damage *d)
{
	struct afsx_fid fid = { vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	char path[64], *name, *save = NULL;

	if (!d->path)
		return;
	snprintf(path, sizeof(path), "%s", d->path);
	for (name = strtok_r(path, "/", &save); name;
	     name = strtok_r(NULL, "/", &save))
		if (store_lookup(st, &fid, name, strlen(name), &fid))
			die("%s: there is no %s", d->name, d->path);
}

static void test_mendable(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mendable); i++) {
		const struct damage *d = &mendable[i];

		make_store();
		damage(d);
		open_store(0);
		expect_found(d->name, d->found);
		expect_mended(d->name);
		expect_path(d);
		close_store();
	}
}

/* They are told, by a store that may not even be written to. */
static void test_hopeless(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(hopeless); i++) {
		make_store();
		damage(&hopeless[i]);
		open_store(STORE_RDONLY);
		expect_found(hopeless[i].name, hopeless[i].found);
		close_store();
	}
}

/* ---- damage by hand --------------------------------------------------------------- */

static void test_free_map(void)
{
	struct alloc_run run = { .nr = 1 };

	make_store();
	open_store(0);
	run.start = (u64)query_number(st, "SELECT phys FROM extent WHERE vno = 2");
	alloc_release(st->alloc, &run);
	expect_found("free map", "is marked free");
	examine(STORE_CHECK_REPAIR);
	if (examine(0))
		die("free map: not mended");
	close_store();
}

/* Damaged data cannot be mended: every check says so. */
static void test_data(void)
{
	struct store_scrub s = { .after = 0 };
	u64 block;

	make_store();
	open_store(0);
	block = (u64)query_number(st, "SELECT phys FROM extent WHERE vno = 4") + 1;
	memdev_touch(block)[77] ^= 4;
	expect_found("data", "wrong checksum: vnode 536870912.4 at byte 4096");
	examine(STORE_CHECK_REPAIR);
	expect_found("data", "wrong checksum");
	problems[0] = '\0';
	while (store_scrub(st, &s, 1, note, NULL) > 0)
		;
	if (s.problems != 1 || s.kib != 3 * 3 * BLK_KIB)
		die("scrub: %ju problems in %ju KiB", (uintmax_t)s.problems,
		    (uintmax_t)s.kib);
	close_store();
}

/* One damaged copy of the superblock or of sums is mended by opening. */
static void test_copies(void)
{
	static const u32 copies[] = { 0, DEVICE / BLK_SIZE - 1,
		2 + 4 * 256, 2 + 5 * 256 - 1 };

	for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
		make_store();
		memdev_touch(copies[i])[100] ^= 1;
		open_store(STORE_RDONLY);
		expect_found("copies", "damaged or old");
		close_store();
		open_store(0);
		if (examine(0))
			die("block %u: not mended", copies[i]);
		close_store();
	}
}

/* ---- work under way is no damage ---------------------------------------------------- */

static void expect_nothing(const char *when)
{
	if (examine(0))
		die("%s: the check finds problems", when);
}

/* A file with a number and a uniquifier far from those in use. */
static void restore_some(struct store_restore *r, u32 vnode)
{
	static const char data[2 * BLK_SIZE] = "restored";
	const struct store_status root = {
		.fid = { 0, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE },
		.type = AFSX_FTYPE_DIR, .nlink = 2,
		.parent_vnode = AFSX_ROOT_VNODE,
		.parent_unique = AFSX_ROOT_UNIQUE,
	};
	const struct store_status file = {
		.fid = { 0, vnode, 77777 },
		.type = AFSX_FTYPE_FILE, .nlink = 1,
		.parent_vnode = AFSX_ROOT_VNODE,
		.parent_unique = AFSX_ROOT_UNIQUE,
	};

	if (store_restore_put(r, &root, NULL, NULL, 0) ||
	    store_restore_put(r, &file, NULL, NULL, 0) ||
	    store_restore_enter(r, AFSX_ROOT_VNODE, "back", 4, &file.fid) ||
	    store_restore_write(r, vnode, 0, data, sizeof(data)) ||
	    store_restore_pause(r))
		die("cannot restore");
}

static void change_file(u32 vnode)
{
	struct afsx_fid fid = { .vid = vid, .vnode = vnode };
	struct store_tx *tx = begin();

	if (store_write(tx, &fid, 0, "changed", 7))
		die("cannot change a file");
	commit(tx);
}

static void test_restores(void)
{
	struct store_restored as = { .name = "w", .next_unique = 2 };
	struct store_restore *r;

	if (store_restore_new(st, "w", 0, &r))
		die("no restore");
	restore_some(r, 100);
	expect_nothing("restoring a new volume");
	if (store_restore_publish(r, &as))
		die("cannot publish");
	store_restore_end(r);
	expect_nothing("after restoring a new volume");
	if (store_restore_over(st, vid, &r))
		die("no restore over a volume");
	restore_some(r, 2);
	if (store_restore_drop(r, 4))
		die("cannot drop");
	store_restore_pause(r);
	expect_nothing("restoring over a volume");
	store_restore_end(r);
	expect_nothing("after giving up a restore");
	collect();
	expect_nothing("after undoing a restore");
}

static void test_quiet(void)
{
	struct afsx_fid dir;
	struct store_vol held;
	struct store_tx *tx;

	make_store();
	open_store(0);
	if (store_hold(st, vid, &held))
		die("cannot hold");
	change_file(2);
	expect_nothing("holding a volume");
	store_unhold(st, &held);
	expect_nothing("after holding a volume");
	tx = begin();
	if (store_stage(tx, vid, &dir))
		die("cannot stage");
	add(tx, dir, "staged", AFSX_FTYPE_FILE);
	commit(tx);
	expect_nothing("building a tree");
	store_unstage(st, &dir);
	expect_nothing("after giving up a tree");
	collect();
	test_restores();
	close_store();
}

/* ---- collecting ---------------------------------------------------------------------- */

/* A directory with a name that leads nowhere, and behind it what can be freed. */
static void test_orphans(void)
{
	static const struct damage orphans = { "orphans",
		"DELETE FROM vnode WHERE vno = 4;"
		"UPDATE vnode SET nlink = 0 WHERE vno = 8;"
		"INSERT INTO orphan SELECT id, 3 FROM grp;"
		"INSERT INTO orphan SELECT id, 8 FROM grp", NULL, NULL };

	make_store();
	damage(&orphans);
	open_store(0);
	for (int round = 0; round < 2; round++) {
		if (collect_all() != -EUCLEAN)
			die("orphans: collecting does not say that one is damaged");
		if (query_number(st, "SELECT count(*) FROM vnode WHERE vno = 8"))
			die("orphans: the one behind a damaged one stays");
		if (query_number(st, "SELECT vno FROM orphan") != 3)
			die("orphans: the damaged one is forgotten");
	}
	close_store();
}

int main(int argc, char **argv)
{
	log_setup("store-mend", LOG_ERROR);
	test_quiet();
	test_mendable();
	test_hopeless();
	test_free_map();
	test_data();
	test_copies();
	test_orphans();
	printf("%zu kinds of damage mended, %zu told\n",
	       ARRAY_SIZE(mendable) + 1, ARRAY_SIZE(hopeless) + 1);
	return 0;
}
