// SPDX-License-Identifier: MIT
/*
 * The device became larger, and block 0 is torn or gone before the store has grown: the
 * second superblock is where the device ended.  It is found without a search, however
 * large the device is, and no copy that an earlier size left is taken for it.
 */
#include <stdio.h>
#include <string.h>

#include "die.h"
#include "grow.h"
#include "memdev.h"
#include "store_priv.h"

#define SMALL		(32 * MIB)
#define LARGE		(48 * MIB)
#define LARGER		(80 * MIB)
#define NOTE_SECTOR	(BLK_SIZE - SECTOR)	/* of the lease's block */
#define SB_BLOCKS	40	/* bytes, in a superblock */

/* ---- what becomes of block 0 --------------------------------------------------------- */

static void clear(void)
{
	memset(memdev_touch(0), 0, BLK_SIZE);
}

static void clear_start(void)
{
	memset(memdev_touch(0), 0, SECTOR);
}

static void clear_end(void)
{
	memset(memdev_touch(0) + SECTOR, 0xff, BLK_SIZE - SECTOR);
}

static void flip(void)
{
	memdev_touch(0)[SB_BLOCKS] ^= 1;
}

static void point_beyond(void)
{
	memset(memdev_touch(0) + SB_BLOCKS, 0xff, 8);
}

static void overwrite(void)
{
	memset(memdev_touch(0), 0xa5, BLK_SIZE);
}

static const struct {
	const char *what;
	void (*run)(void);
	bool legible;	/* the place of the second copy */
} damages[] = {
	{ "zeros", clear, false },
	{ "no first sector", clear_start, false },
	{ "the first sector only", clear_end, true },
	{ "a flipped bit", flip, false },
	{ "a wrong number of blocks", point_beyond, false },
	{ "something else", overwrite, false },
};

/* A store as versions before this one leave it: nothing but a lease in block 1. */
static void forget_place(void)
{
	memset(memdev_touch(SB_LEASE_BLOCK), 0, BLK_SIZE);
}

static void expect_mended(void)
{
	struct sb sb;

	if (sb_decode(memdev_block(0), &sb) ||
	    memcmp(memdev_block(0), memdev_block(sb.blocks - 1), BLK_SIZE))
		die("the superblocks are not written again");
}

static void expect_opens(const char *what, u64 size, unsigned int flags)
{
	must(try_open(flags), what);
	/* a superblock is still damaged where nothing may be written */
	if (flags & STORE_RDONLY)
		expect_contents(what, size);
	else
		expect_whole(what, size);
	must(store_close(st), "close");
}

static void expect_nothing(const char *what)
{
	struct store_config cfg = { .uri = "memory", .flags = STORE_RDONLY };
	struct errbuf err = { "" };

	if (!store_open(&cfg, &st, &err))
		die("%s: it is opened", what);
	if (!strstr(err.text, "neither superblock") &&
	    !strstr(err.text, "no afsx store") &&
	    !strstr(err.text, "the store needs"))
		die("%s: %s", what, err.text);
}

/* ---- the place of the second copy ---------------------------------------------------- */

/* As a process leaves it that was killed, if not @closed. */
static void leave_store(u64 size, bool closed)
{
	make_store(size);
	if (!closed)
		memdev_save();
	must(store_close(st), "close");
	if (!closed)
		memdev_restore();
}

static void test_found(void)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(damages); i++) {
		leave_store(SMALL, i % 2);
		memdev_resize(LARGE);
		damages[i / 2].run();
		expect_opens(damages[i / 2].what, SMALL, STORE_RDONLY);
		/* a grow that was given up, or killed before it began */
		expect_opens(damages[i / 2].what, SMALL, STORE_KEEP_SIZE);
		expect_mended();
		damages[i / 2].run();
		expect_opens(damages[i / 2].what, LARGE, 0);
		expect_mended();
		damages[i / 2].run();
		expect_opens("damaged again", LARGE, 0);
	}
}

/* Of a torn block 0 the first sector is there, or at once the end of the device is. */
static void test_found_without_note(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		leave_store(SMALL, true);
		forget_place();
		memdev_resize(LARGE);
		damages[i].run();
		if (!damages[i].legible) {
			expect_nothing(damages[i].what);
			memdev_resize(SMALL);
		}
		expect_opens(damages[i].what, SMALL, STORE_RDONLY);
	}
}

static u64 reads_to_open(void)
{
	u64 before = memdev_counts().reads;

	must(try_open(STORE_RDONLY), "open");
	must(store_close(st), "close");
	return memdev_counts().reads - before;
}

static void test_bounded(void)
{
	u64 whole, without;

	leave_store(SMALL, true);
	whole = reads_to_open();
	memdev_resize(UINT64_C(4) << 40);
	clear();
	without = reads_to_open();
	if (without > whole + 2)
		die("%ju blocks are read, and %ju with block 0",
		    (uintmax_t)without, (uintmax_t)whole);
	forget_place();
	whole = memdev_counts().reads;
	expect_nothing("4 TiB");
	without = memdev_counts().reads - whole;
	if (without > 3)
		die("%ju blocks are read in vain", (uintmax_t)without);
	memdev_create(SMALL);
}

/* ---- copies of another time ---------------------------------------------------------- */

static void put(u64 nr, const u8 *block)
{
	memcpy(memdev_touch(nr), block, BLK_SIZE);
}

/* A store that grew from SMALL to LARGE; @first, @second: its copies before. */
static void grow_once(u8 *first, u8 *second)
{
	leave_store(SMALL, true);
	memcpy(first, memdev_block(0), BLK_SIZE);
	memcpy(second, memdev_block(SMALL / BLK_SIZE - 1), BLK_SIZE);
	memdev_resize(LARGE);
	must(try_open(0), "grow");
	must(store_close(st), "close");
}

/* The copy from before it grew is gone, and does not count when it is there. */
static void test_former_copy(void)
{
	static u8 first[BLK_SIZE], second[BLK_SIZE];
	u64 former = SMALL / BLK_SIZE - 1;
	struct sb sb;

	grow_once(first, second);
	if (sb_decode(memdev_block(former), &sb) != -EMEDIUMTYPE)
		die("the former second copy is still there");
	memdev_resize(LARGER);
	put(former, second);
	clear();
	expect_opens("with the former copy", LARGE, STORE_RDONLY);
	/* as a write leaves it that never came to the device */
	put(0, first);
	expect_opens("with the former copies", LARGE, STORE_RDONLY);
	forget_place();
	clear();
	expect_nothing("a former copy");
	memdev_resize(SMALL);
}

/* A device that lost what was added last is not the one that was enlarged. */
static void test_shrunk(void)
{
	static u8 first[BLK_SIZE], second[BLK_SIZE];

	grow_once(first, second);
	put(SMALL / BLK_SIZE - 1, second);
	memdev_resize(SMALL);
	expect_nothing("shrunk");
	clear();
	expect_nothing("shrunk, without block 0");
	put(0, first);
	expect_nothing("shrunk, with a former block 0");
}

/*
 * Growing was cut off before block 0 was written, and then the store went on as it was: the
 * copy at the end says nothing, whatever its sequence.
 */
static void test_copy_ahead(void)
{
	static u8 block[BLK_SIZE];
	struct sb sb;

	make_store(SMALL);
	must(store_close(st), "close");
	must(sb_decode(memdev_block(0), &sb), "superblock");
	sb.blocks = LARGE / BLK_SIZE;
	sb.seq += 100;
	memdev_resize(LARGE);
	sb_encode(&sb, block);
	put(LARGE / BLK_SIZE - 1, block);
	expect_opens("with a copy ahead", SMALL, STORE_KEEP_SIZE);
	clear();
	expect_opens("with a copy ahead, and without block 0", SMALL,
		     STORE_RDONLY);
}

/* What lies there is a superblock, but of another store, or from another place. */
static void test_foreign_copy(void)
{
	static u8 block[BLK_SIZE];
	u64 last = SMALL / BLK_SIZE - 1;
	struct sb sb;

	leave_store(SMALL, true);
	memdev_resize(LARGE);
	must(sb_decode(memdev_block(0), &sb), "superblock");
	sb.uuid.b[3] ^= 1;
	sb_encode(&sb, block);
	put(last, block);
	clear_end();
	expect_nothing("another store's copy");
	clear();
	expect_nothing("another store's copy, without block 0");
	sb.uuid.b[3] ^= 1;
	sb_encode(&sb, block);
	put(LARGE / BLK_SIZE - 1, block);
	expect_nothing("a copy from another place");
	forget_place();
	expect_nothing("a copy from another place, without the note");
	put(last, block);
	memdev_resize(SMALL);
	expect_opens("in its place", SMALL, STORE_RDONLY);
}

/* The last sector of the lease's block stands by itself. */
static void test_torn_lease(void)
{
	leave_store(SMALL, false);
	memdev_resize(LARGE);
	memset(memdev_touch(SB_LEASE_BLOCK), 0x77, NOTE_SECTOR);
	clear();
	expect_opens("a torn lease", SMALL, STORE_RDONLY);
	for (u32 i = 0; i < 36; i++) {
		u8 *note = memdev_touch(SB_LEASE_BLOCK) + NOTE_SECTOR;

		note[i] ^= 4;
		expect_nothing("a damaged note");
		note[i] ^= 4;
	}
	expect_opens("a torn lease", LARGE, 0);
}

void test_lost(void)
{
	test_found();
	test_found_without_note();
	test_bounded();
	test_former_copy();
	test_shrunk();
	test_copy_ahead();
	test_foreign_copy();
	test_torn_lease();
	puts("found without block 0");
}
