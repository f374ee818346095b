// SPDX-License-Identifier: MIT
/*
 * store-cut: a file with more extents than a transaction frees is cut, removed,
 * cloned and made longer again, and the store is killed in between.  What it
 * holds, and the blocks in use, follow from what was written.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "log.h"
#include "memdev.h"
#include "sound.h"
#include "store_priv.h"

#define DEVICE		(UINT64_C(64) << 20)
#define STEP		8u	/* extents */
#define EXTENTS		98u	/* of one block, with a hole behind; 6 steps behind the run */
#define RUN		200u	/* blocks of one extent in the middle */
#define RUN_AT		100u
#define END		(2 * EXTENTS + RUN)
#define BLOCKS		(EXTENTS + RUN)

static struct store *st;
static struct afsx_fid root, file;
static u64 free_before;

static void open_store(void)
{
	struct store_config cfg = { .uri = "memory", .readers = 1,
		.cache_mib = 16, .free_step = STEP, .flags = STORE_TAKEOVER };
	struct errbuf err = { "" };

	if (store_open(&cfg, &st, &err))
		die("open: %s", err.text);
}

/* Forget what was not written, as a killed process does. */
static void kill_store(void)
{
	memdev_save();
	store_close(st);
	memdev_restore();
	open_store();
}

static struct store_tx *begin(void)
{
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	return tx;
}

/* Blocks that are free, once what was freed may be used again. */
static u64 free_blocks(void)
{
	store_abort(begin());
	return alloc_free_blocks(st->alloc);
}

static void expect_used(const char *when, u64 blocks)
{
	u64 used = free_before - free_blocks();

	if (used != blocks)
		die("%s: %ju blocks are in use, should be %ju", when,
		    (uintmax_t)used, (uintmax_t)blocks);
}

static void expect_sound(const char *when)
{
	if (check_store(st))
		die("%s: the check finds problems", when);
}

/* Collect everything; no step may free more than it should.  Return: steps. */
static u32 collect(void)
{
	u64 before = free_blocks(), now;
	u32 steps = 0;
	int ret;

	while ((ret = store_collect(st, STEP)) > 0) {
		now = free_blocks();
		/* the long extent, and some of the short ones */
		if (now - before > RUN + STEP)
			die("a step freed %ju blocks", (uintmax_t)(now - before));
		before = now;
		steps++;
		expect_sound("while collecting");
	}
	must(ret, "collect");
	return steps;
}

static u8 byte_of(u64 block)
{
	return (u8)(block * 7 + 1);
}

static bool is_written(u64 block)
{
	return block < END && (!(block & 1) ||
			       (block >= RUN_AT && block < RUN_AT + RUN));
}

static void write_blocks(struct store_tx *tx, u64 block, u32 nr)
{
	static u8 data[RUN * BLK_SIZE];

	for (u32 i = 0; i < nr; i++)
		memset(data + i * BLK_SIZE, byte_of(block + i), BLK_SIZE);
	must(store_write(tx, &file, block * BLK_SIZE, data, nr * BLK_SIZE),
	     "write");
}

static void cut_to(struct store_tx *tx, u64 size)
{
	struct store_attr attr = { .mask = STORE_SET_SIZE, .size = size };

	must(store_setattr(tx, &file, &attr), "truncate");
}

static void make_file(void)
{
	struct store_tx *tx = begin();

	must(store_create(tx, &root, "f", 1, AFSX_FTYPE_FILE, NULL, NULL, &file),
	     "create");
	for (u64 i = 0; i < END; i += 2)
		if (i < RUN_AT || i >= RUN_AT + RUN)
			write_blocks(tx, i, 1);
	write_blocks(tx, RUN_AT, RUN);
	cut_to(tx, END * BLK_SIZE);
	must(store_commit(tx), "commit");
	expect_used("a new file", BLOCKS);
}

static void cut_file(u64 size)
{
	struct store_tx *tx = begin();

	cut_to(tx, size);
	must(store_commit(tx), "commit");
}

/* The first @size bytes are as written, zeros follow up to @end. */
static void expect_data(const struct afsx_fid *fid, u64 size, u64 end)
{
	static u8 data[2 * END * BLK_SIZE];
	struct store_status s;
	ssize_t n = store_read(st, fid, 0, data, sizeof(data), &s);

	if (n < 0 || (u64)n != end || s.size != end)
		die("%zd bytes, size %ju, should be %ju", n, (uintmax_t)s.size,
		    (uintmax_t)end);
	for (u64 i = 0; i < end; i++) {
		u64 block = i / BLK_SIZE;
		u8 right = i < size && is_written(block) ? byte_of(block) : 0;

		if (data[i] != right)
			die("byte %ju is wrong", (uintmax_t)i);
	}
}

static void remove_file(void)
{
	struct store_tx *tx = begin();

	must(store_unlink(tx, &root, "f", 1, false, NULL), "unlink");
	must(store_commit(tx), "commit");
}

/* ---- the tests -------------------------------------------------------------------- */

/* Where a cut can be: on a block, in a block, in a hole, in the long extent. */
static const struct {
	u64 size;
	u64 blocks;
} cuts[] = {
	{ 0, 0 },
	{ 20 * BLK_SIZE, 10 },
	{ 20 * BLK_SIZE + 7, 11 },
	{ 21 * BLK_SIZE + 7, 11 },
	{ (RUN_AT + 50) * BLK_SIZE, RUN_AT / 2 + 50 },
	{ (RUN_AT + 50) * BLK_SIZE + 1, RUN_AT / 2 + 51 },
	{ (RUN_AT + RUN + 10) * BLK_SIZE, RUN_AT / 2 + RUN + 5 },
};

static void test_cuts(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		make_file();
		cut_file(cuts[i].size);
		expect_data(&file, cuts[i].size, cuts[i].size);
		expect_sound("after a cut");
		if (i & 1)
			kill_store();
		collect();
		expect_data(&file, cuts[i].size, cuts[i].size);
		expect_used("after a cut", cuts[i].blocks);
		remove_file();
		collect();
		expect_used("after removing", 0);
	}
}

/* What was cut off does not come back when the file grows again. */
static void test_growth(void)
{
	static const u64 end = (END + 20) * BLK_SIZE;
	struct store_tx *tx;

	for (u32 way = 0; way < 4; way++) {
		make_file();
		cut_file(20 * BLK_SIZE + 7);
		if (way & 1)
			must(store_collect(st, 1000) > 0 ? 0 : -EIO, "a step");
		if (way & 2)
			must(store_settle(st, &file, end), "settle");
		cut_file(end);
		expect_data(&file, 20 * BLK_SIZE + 7, end);
		expect_used("after growing", 11);
		collect();
		expect_data(&file, 20 * BLK_SIZE + 7, end);
		expect_used("after growing and collecting", 11);
		remove_file();
		collect();
	}
	/* by writing, in the transaction that cuts */
	make_file();
	tx = begin();
	cut_to(tx, 10);
	write_blocks(tx, 30, 1);
	must(store_commit(tx), "commit");
	expect_used("after cutting and writing", 2);
	expect_sound("after cutting and writing");
	remove_file();
	collect();
	expect_used("after cutting and writing", 0);
}

/* A clone shows what it did, and its blocks go with it. */
static void test_clones(void)
{
	struct afsx_fid before = { .vnode = 0 }, during;
	struct store_tx *tx;

	make_file();
	before = file;
	tx = begin();
	must(store_vol_clone_as(tx, root.vid, "before", &before.vid), "clone");
	must(store_commit(tx), "commit");
	cut_file(20 * BLK_SIZE + 7);
	during = file;
	tx = begin();
	must(store_vol_clone_as(tx, root.vid, "during", &during.vid), "clone");
	must(store_commit(tx), "commit");
	collect();
	expect_data(&before, END * BLK_SIZE, END * BLK_SIZE);
	expect_data(&during, 20 * BLK_SIZE + 7, 20 * BLK_SIZE + 7);
	/* the block that the cut goes through was written anew */
	expect_used("with clones", BLOCKS + 1);
	tx = begin();
	must(store_vol_remove(tx, before.vid), "remove");
	must(store_commit(tx), "commit");
	collect();
	expect_data(&during, 20 * BLK_SIZE + 7, 20 * BLK_SIZE + 7);
	expect_sound("with one clone");
	tx = begin();
	must(store_vol_remove(tx, during.vid), "remove");
	must(store_commit(tx), "commit");
	collect();
	expect_used("without clones", 11);
	remove_file();
	collect();
	expect_used("without the file", 0);
}

static void test_removal(void)
{
	u32 steps;

	make_file();
	remove_file();
	expect_sound("after removing");
	must(store_collect(st, 1000) > 0 ? 0 : -EIO, "a step");
	kill_store();
	steps = collect() + 1;
	if (steps < EXTENTS / STEP)
		die("it went in %u steps", steps);
	expect_used("after removing in steps", 0);
}

int main(int argc, char **argv)
{
	struct store_format_opts format = { .uri = "memory" };
	struct errbuf err = { "" };
	struct store_tx *tx;

	log_setup("store-cut", LOG_ERROR);
	memdev_create(DEVICE);
	if (store_format(&format, &err))
		die("format: %s", err.text);
	open_store();
	tx = begin();
	must(store_vol_create(tx, "v", 0, &root.vid), "volume");
	must(store_commit(tx), "commit");
	root.vnode = AFSX_ROOT_VNODE;
	root.unique = AFSX_ROOT_UNIQUE;
	free_before = free_blocks();
	test_cuts();
	test_growth();
	test_clones();
	test_removal();
	must(store_close(st), "close");
	puts("cut, made longer, cloned and removed in steps: as it should be");
	return 0;
}
