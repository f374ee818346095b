// SPDX-License-Identifier: MIT
/*
 * A store of version 2, which has no place for records: what will be one is a part of
 * SQLite's log, or has what looks like records. It is read as it is, and gets its place
 * when it is opened for writing, whenever that is interrupted. And one of version 3, whose
 * records have less.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "die.h"
#include "le.h"
#include "memdev.h"
#include "redo.h"
#include "redo_test.h"
#include "store_tx.h"

#define DEVICE		(64 * MIB)
#define CHANGES		300u
#define MORE		60u
#define LINKS		2500u
#define TARGET		700u	/* of a link: several rows to a page */

/* How it was left by the older version. */
enum left {
	CLOSED,
	WITH_LOG,	/* in use, not as far as records go */
	WITH_LONG_LOG,	/* as far as that */
};

static struct {
	char *dump;
	u8 *image;
	u64 next;	/* change */
} old;

static struct sb sb_of(u64 block)
{
	struct sb sb;

	must(sb_decode(memdev_block(block), &sb), "superblock");
	return sb;
}

static void expect_version(u32 version)
{
	struct sb sb = sb_of(0);

	expect("version", sb.version, version);
	expect("that of the second copy", sb_of(sb.blocks - 1).version, version);
}

/* The log's region shall have @blocks blocks, or as many as before if 0. */
static void make_old(u32 version, u32 blocks)
{
	struct sb sb = sb_of(0);

	sb.version = version;
	if (blocks)
		sb.region[0].nr = blocks;
	sb_encode(&sb, memdev_touch(0));
	sb_encode(&sb, memdev_touch(sb.blocks - 1));
}

static void forget_records(void)
{
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	must(batch_sql(tx), "begin by SQL");
	if (sqlite3_exec(tx->db->sql, "DELETE FROM config WHERE key GLOB 'redo_*'",
			 NULL, NULL, NULL))
		die("%s", sqlite3_errmsg(tx->db->sql));
	must(store_commit(tx), "commit");
}

/* ---- what looks like records --------------------------------------------------------- */

/* As the first one of all, or one that something durable follows. */
static void put_garbage(u8 *p, const struct afsx_uuid *uuid, u64 seq, u32 vid)
{
	const u8 salt[8] = { 0 };
	u32 crc;

	memset(p, 0, BLK_SIZE);
	memcpy(p, "AFSXREDO", 8);
	le64_put(p + 8, seq);
	le64_put(p + 16, seq - 1);
	le32_put(p + 24, 24);
	le32_put(p + 32, 24);
	le32_put(p + 36, 2);		/* the root directory is gone */
	le32_put(p + 40, vid);
	le32_put(p + 44, AFSX_ROOT_VNODE);
	le64_put(p + 48, 1);
	crc = crc32c(0, uuid->b, sizeof(uuid->b));
	crc = crc32c(crc, salt, sizeof(salt));
	crc = crc32c(crc, p, 28);
	le32_put(p + 28, crc32c(crc, p + 32, 24));
}

/* From the first block that is for records to the last. */
static void fill_with_garbage(u64 first_seq, u32 vid)
{
	struct sb sb = sb_of(0);
	u64 len = redo_len((u64)sb.region[0].nr * BLK_SIZE) / BLK_SIZE;
	u64 end = sb.region[0].start + sb.region[0].nr;

	for (u64 nr = end - len; nr < end; nr++)
		put_garbage(memdev_touch(nr), &sb.uuid,
			    first_seq + nr - (end - len), vid);
}

/* ---- stores ----------------------------------------------------------------------------- */

/* Enough in one transaction that the log goes that far. */
static void fill_log(u32 vid)
{
	struct afsx_fid root = { vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE }, fid;
	struct store_tx *tx;
	char name[16], target[TARGET + 1];

	memset(target, 'l', TARGET);
	target[TARGET] = '\0';
	must(store_begin(st, &tx), "begin");
	for (u32 i = 0; i < LINKS; i++) {
		snprintf(name, sizeof(name), "long-%u", i);
		must(store_create(tx, &root, name, strlen(name),
				  AFSX_FTYPE_SYMLINK, NULL, target, &fid), name);
	}
	must(store_commit(tx), "commit");
}

static u32 first_volume(void)
{
	struct store_vol v;

	expect("a volume", store_vol_next(st, 0, &v), 1);
	return v.id;
}

/* The log is as large as what will be there, when the superblock says less. */
static u32 shrink_region(void)
{
	u64 used = wal_size(st->wal);
	u32 blocks = (u32)(ROUND_UP(used, BLK_SIZE) / BLK_SIZE) + 16;

	if (blocks * (u64)BLK_SIZE - redo_len(blocks * (u64)BLK_SIZE) >= used ||
	    blocks > sb_of(0).region[0].nr)
		die("a log of %ju bytes", (uintmax_t)used);
	return blocks;
}

static void make_store(enum left left, u64 seed)
{
	u32 vid, blocks = 0;

	ops_start(seed, left == WITH_LONG_LOG ? 8 : 0);
	for (old.next = 0; old.next < CHANGES; old.next++)
		must(ops_run(old.next, true, true), "change");
	vid = first_volume();
	forget_records();
	if (left == CLOSED) {
		close_store();
		open_store(STORE_RDONLY);
	}
	if (left == WITH_LONG_LOG) {
		fill_log(vid);
		blocks = shrink_region();
	}
	old.dump = dump_store();
	crash();
	make_old(2, blocks);
	if (left != WITH_LONG_LOG)
		fill_with_garbage(seed % 2 ? 1 : 100, vid);
	old.image = image_take();
}

static void forget_store(void)
{
	free(old.dump);
	free(old.image);
}

/* ---- tests ------------------------------------------------------------------------------ */

static void test_reading(void)
{
	for (int i = 0; i < 2; i++) {
		open_store(STORE_RDONLY);
		expect_dump("version 2, for reading only", old.dump);
		close_store();
		expect("the device is as before", image_is(old.image), true);
	}
}

/* It is one like any other. */
static void expect_new(void)
{
	expect_version(SB_VERSION);
	expect_dump("opened for writing", old.dump);
}

static void test_changes(void)
{
	char *text;

	open_store(0);
	expect_new();
	for (u64 i = 0; i < MORE; i++)
		must(ops_run(old.next + i, false, false), "change");
	expect("records", st->redo->seq > MORE / 2, true);
	crash();
	open_store(0);
	text = dump_store();
	close_store();
	open_store(STORE_RDONLY);
	expect_dump("changed, and closed", text);
	close_store();
	free(text);
}

/* The device breaks at write @nr; whether it came to that. */
static bool break_at(u64 nr, u32 sectors)
{
	bool opened, broken;

	image_put(old.image);
	fault_after(nr, sectors);
	opened = !try_open(0);
	broken = fault_clear();
	if (opened)
		crash();
	if (opened == broken)
		die("write %ju failed: %d, opened: %d", (uintmax_t)nr, broken,
		    opened);
	return broken;
}

/* At every @step-th write from @nr on; return: the one that there was not any more. */
static u64 interrupt(u64 nr, u64 step)
{
	for (;; nr += step) {
		bool broken = break_at(nr, nr % 8);

		if (nr % 3) {
			open_store(STORE_RDONLY);
			expect_shown("interrupted, for reading only", old.dump);
			close_store();
		}
		open_store(0);
		expect_new();
		close_store();
		if (!broken)
			return nr;
	}
}

/* The last ones are those that give it a place for records. */
static void test_interrupted(u64 step)
{
	u64 end = interrupt(0, step);

	for (; step > 1; step /= 10)
		end = interrupt(end - step, step / 10);
	printf("interrupted before write %ju\n", (uintmax_t)end);
}

/* Version 3 has records, but none of blocks of files. */
static void test_without_blocks(u64 seed)
{
	ops_start(seed, 0);
	for (old.next = 0; old.next < CHANGES; old.next++)
		must(ops_run(old.next, false, false), "change");
	expect("rows that the database lacks", st->rows->used > 0, true);
	old.image = image_take();
	old.dump = dump_store();
	crash();
	image_put(old.image);
	free(old.image);
	make_old(3, 0);
	old.image = image_take();
	test_reading();
	expect_version(3);
	test_changes();
	forget_store();
}

void test_old(void)
{
	static const u64 steps[] = { 1, 1, 100 };

	for (u64 i = 0; i < 2 * ARRAY_SIZE(steps); i++) {
		make_store((enum left)(i / 2), i + 1);
		test_reading();
		test_changes();
		test_interrupted(steps[i / 2]);
		forget_store();
	}
	test_without_blocks(7);
}
