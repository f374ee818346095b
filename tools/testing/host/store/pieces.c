// SPDX-License-Identifier: MIT
/*
 * store-pieces: a file of several extents and holes is read from every block on, and
 * with each of its blocks damaged in turn.  What it holds follows from where it is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "le.h"
#include "log.h"
#include "memdev.h"
#include "store.h"

#define DEVICE		(UINT64_C(64) << 20)
#define LONGEST		600u	/* blocks written at once */
#define NEAR		70u	/* blocks around a damaged one that are read with it */
#define FAR		97u	/* of so many damaged ones, one is read with all others */

/* What is written; what is between stays a hole. */
static const struct {
	u64 block;
	u32 nr;
} runs[] = {
	{ 0, 1 }, { 1, 64 }, { 65, 65 }, { 133, 512 }, { 645, 7 }, { 700, 600 },
	{ 1300, 63 }, { 1364, 1 },
};

#define END	1365u
#define NR_RUNS	(sizeof(runs) / sizeof(*runs))

static struct store *st;
static struct afsx_fid root, file;
static u64 place[END];	/* on the device; 0 for a hole */

static u64 word_of(u64 block, u32 i)
{
	return (block << 16 | i) * 0x9e3779b97f4a7c15u + 1;
}

static void fill(u64 block, u8 *buf)
{
	for (u32 i = 0; i < BLK_SIZE / 8; i++)
		le64_put(buf + 8 * i, word_of(block, i));
}

static void write_run(struct store_tx *tx, u64 block, u32 nr)
{
	static u8 data[LONGEST * BLK_SIZE];

	for (u32 i = 0; i < nr; i++)
		fill(block + i, data + i * BLK_SIZE);
	must(store_write(tx, &file, block * BLK_SIZE, data, nr * BLK_SIZE),
	     "write");
}

static void make_file(void)
{
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	must(store_vol_create(tx, "v", 0, &root.vid), "volume");
	root.vnode = AFSX_ROOT_VNODE;
	root.unique = AFSX_ROOT_UNIQUE;
	must(store_create(tx, &root, "f", 1, AFSX_FTYPE_FILE, NULL, NULL, &file),
	     "create");
	for (size_t i = 0; i < NR_RUNS; i++)
		write_run(tx, runs[i].block, runs[i].nr);
	must(store_commit(tx), "commit");
}

static u64 find(const u8 *contents)
{
	for (u64 nr = 1; nr < DEVICE / BLK_SIZE; nr++)
		if (!memcmp(memdev_block(nr), contents, BLK_SIZE))
			return nr;
	die("a block is not on the device");
}

static void find_blocks(void)
{
	u8 data[BLK_SIZE];

	for (size_t i = 0; i < NR_RUNS; i++)
		for (u64 k = runs[i].block; k < runs[i].block + runs[i].nr; k++) {
			fill(k, data);
			place[k] = find(data);
		}
}

static void expect_read(u64 from, u64 to)
{
	static u8 data[END * BLK_SIZE], right[BLK_SIZE];
	size_t len = (to - from) * BLK_SIZE;
	ssize_t n;

	memset(data, 0xa5, len);
	n = store_read(st, &file, from * BLK_SIZE, data, len, NULL);
	if (n != (ssize_t)len)
		die("blocks %ju to %ju: %zd", (uintmax_t)from, (uintmax_t)to, n);
	for (u64 k = from; k < to; k++) {
		memset(right, 0, sizeof(right));
		if (place[k])
			fill(k, right);
		if (memcmp(data + (k - from) * BLK_SIZE, right, BLK_SIZE))
			die("blocks %ju to %ju: %ju is wrong", (uintmax_t)from,
			    (uintmax_t)to, (uintmax_t)k);
	}
}

static void expect_refused(u64 from, u64 to, u64 block)
{
	static u8 data[END * BLK_SIZE];
	ssize_t n = store_read(st, &file, from * BLK_SIZE, data,
			       (to - from) * BLK_SIZE, NULL);

	if (n != -EUCLEAN)
		die("blocks %ju to %ju, %ju damaged: %zd", (uintmax_t)from,
		    (uintmax_t)to, (uintmax_t)block, n);
}

static void test_reading(void)
{
	for (u64 from = 0; from < END; from += 3) {
		expect_read(from, min(from + 1 + from % 150, (u64)END));
		if (from % FAR < 3)
			expect_read(from, END);
	}
}

static void damage(u64 block)
{
	u64 from = block < NEAR ? 0 : block - NEAR;
	u64 to = block + NEAR < END ? block + NEAR : END;

	memdev_save();
	memdev_touch(place[block])[block % BLK_SIZE] ^= 1 << block % 8;
	expect_refused(from, to, block);
	if (!(block % FAR) || block == END - 1)
		expect_refused(0, END, block);
	if (block)
		expect_read(from, block);
	if (block + 1 < END)
		expect_read(block + 1, to);
	memdev_restore();
}

int main(void)
{
	struct store_format_opts format = { .uri = "memory" };
	struct store_config cfg = { .uri = "memory", .readers = 1 };
	struct errbuf err = { "" };

	log_setup("store-pieces", LOG_ERROR);
	memdev_create(DEVICE);
	if (store_format(&format, &err) || store_open(&cfg, &st, &err))
		die("%s", err.text);
	make_file();
	find_blocks();
	test_reading();
	for (u64 k = 0; k < END; k++)
		if (place[k])
			damage(k);
	must(store_close(st), "close");
	puts("every piece is as written, or refused");
	return 0;
}
