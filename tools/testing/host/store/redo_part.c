// SPDX-License-Identifier: MIT
/* Rows that have only what differs from another one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "redo.h"
#include "redo_test.h"
#include "store_priv.h"
#include "store_row.h"

#define LIMIT		64u		/* blocks of the region */
#define GROUP		0x10203040u
#define VNODE		0x50607081u
#define NR		29u
#define BIRTH		0x77
#define ROWS_AT		32u		/* behind the header of the record */
#define DATA_AT		32u		/* in a row */
#define WHOLE_LEN	(DATA_AT + AFSX_DIR_BLOCK_SIZE)

static const struct afsx_uuid uuid;
static const struct vnode dir = { .grp = GROUP, .s.fid.vnode = VNODE };
static struct redo *part;

static u64 get_number(const u8 *p, u32 size)
{
	u64 value = 0;

	for (u32 i = 0; i < size; i++)
		value |= (u64)p[i] << 8 * i;
	return value;
}

static const u8 *put(const u8 *block, const u8 *last)
{
	const u8 *row = part->buf + part->pos;

	must(row_put_dirblk(part, &dir, NR, BIRTH, block, last), "put");
	return row;
}

/* All of it is in use. */
static void make_block(u8 *block)
{
	for (u32 i = 0; i < AFSX_DIR_BLOCK_SIZE; i++)
		block[i] = (u8)(i * 7 | 1);
}

static void expect_block(const char *what, const u8 *row, const u8 *block)
{
	u8 got[AFSX_DIR_BLOCK_SIZE];

	memset(got, 0xee, sizeof(got));
	row_get_dirblk(row, got);
	expect(what, memcmp(got, block, sizeof(got)), 0);
}

/* ---- layout --------------------------------------------------------------------- */

/* As the format has it: words 8 to 15, 16 to 23 and 2040 to 2047 differ. */
static void test_layout(void)
{
	u8 block[AFSX_DIR_BLOCK_SIZE], want[64] = { 0 };
	const u8 *base, *row;

	make_block(block);
	base = put(block, NULL);
	expect("whole", get_number(base + 4, 4), 3);
	block[15] ^= 1;
	block[16] ^= 1;
	block[2047] ^= 1;
	row = put(block, base);
	put_field(want, 4, 32 + 4 + 16 + 4 + 8);
	put_field(want + 4, 4, 5);
	put_field(want + 8, 4, GROUP);
	put_field(want + 12, 4, VNODE);
	put_field(want + 16, 8, BIRTH);
	put_field(want + 24, 4, NR);
	put_field(want + 28, 4, WHOLE_LEN);
	put_field(want + 32, 2, 8);
	put_field(want + 34, 2, 16);
	memcpy(want + 36, block + 8, 16);
	put_field(want + 52, 2, 2040);
	put_field(want + 54, 2, 8);
	memcpy(want + 56, block + 2040, 8);
	expect("bytes of a part", memcmp(row, want, sizeof(want)), 0);
	expect("end of a part", row + sizeof(want) - part->buf, (s64)part->pos);
	expect_block("block", row, block);
	expect("number", row_nr(row), NR);
	redo_drop(part);
}

/* ---- when it is a part ------------------------------------------------------------ */

/* So many words differ, every second one or one behind the other, in a block in use or not. */
static const struct {
	const char *what;
	u32 words;
	u32 step;
	bool used;
	u32 kind;
	u32 len;
} sizes[] = {
	{ "nothing", 0, 1, true, 5, 32 },
	{ "a word", 1, 1, true, 5, 32 + 12 },
	{ "as many words as may", 32, 2, true, 5, 32 + 384 },
	{ "one more", 33, 2, true, 3, WHOLE_LEN },
	{ "the longest range", 47, 1, true, 5, 32 + 380 },
	{ "a longer one", 48, 1, true, 3, WHOLE_LEN },
	{ "all", 256, 1, true, 3, WHOLE_LEN },
	{ "a word of few", 1, 1, false, 3, 32 + 1 },
};

static void test_size(u32 i)
{
	u8 block[AFSX_DIR_BLOCK_SIZE] = { 0 };
	const u8 *base, *row;

	if (sizes[i].used)
		make_block(block);
	base = put(block, NULL);
	for (u32 k = 0; k < sizes[i].words; k++)
		block[8 * k * sizes[i].step] ^= 2;
	row = put(block, base);
	expect(sizes[i].what, row_kind(row), sizes[i].kind);
	expect(sizes[i].what, row_len(row), sizes[i].len);
	expect(sizes[i].what, row_is_valid(row, row_len(row)), true);
	expect(sizes[i].what, row_has_base(row, part->buf), true);
	expect_block(sizes[i].what, row, block);
	redo_drop(part);
}

/* A part of what is a part builds on the row that is whole. */
static void test_chain(void)
{
	u8 block[AFSX_DIR_BLOCK_SIZE], before[AFSX_DIR_BLOCK_SIZE];
	const u8 *base, *first, *second;

	make_block(block);
	base = put(block, NULL);
	block[100] ^= 1;
	memcpy(before, block, sizeof(before));
	first = put(block, base);
	block[100] ^= 1;
	block[200] ^= 1;
	second = put(block, first);
	expect("builds on", second - (s64)get_number(second + 28, 4) - base, 0);
	expect("what is as it was", row_len(second), DATA_AT + 4 + 8);
	expect_block("first", first, before);
	expect_block("second", second, block);
	redo_drop(part);
}

/* Whatever changes, what was put is what is got, and so is what was put before. */
static void test_random(void)
{
	u8 block[AFSX_DIR_BLOCK_SIZE], before[AFSX_DIR_BLOCK_SIZE];
	unsigned int seed = 1, parts = 0, wholes = 0;
	const u8 *last = NULL, *row;

	memset(block, 0, sizeof(block));
	for (u32 i = 0; i < 2000; i++) {
		memcpy(before, block, sizeof(before));
		for (int k = rand_r(&seed) % 40; k >= 0; k--)
			block[rand_r(&seed) % sizeof(block)] =
				(u8)(rand_r(&seed) % 3 ? rand_r(&seed) : 0);
		if (part->pos > LIMIT * BLK_SIZE - 2 * WHOLE_LEN) {
			redo_drop(part);
			last = NULL;
		}
		row = put(block, last);
		expect_block("block", row, block);
		if (last)
			expect_block("the one before", last, before);
		expect("valid", row_is_valid(row, row_len(row)), true);
		expect("base", row_has_base(row, part->buf), true);
		parts += row_kind(row) == ROW_DIRPART;
		wholes += row_kind(row) == ROW_DIRBLK;
		last = row;
	}
	expect("parts and whole ones", parts > 500 && wholes > 100, true);
	redo_drop(part);
}

static void test_no_room(void)
{
	u8 block[AFSX_DIR_BLOCK_SIZE];
	const u8 *base;
	u64 pos;

	make_block(block);
	base = put(block, NULL);
	block[8] ^= 1;
	redo_take(part, LIMIT * BLK_SIZE - part->pos - 43);
	pos = part->pos;
	expect("no room", row_put_dirblk(part, &dir, NR, BIRTH, block, base),
	       -ENOBUFS);
	expect("nothing taken", (s64)part->pos, (s64)pos);
	redo_cut(part, pos - 1);
	expect("room", row_put_dirblk(part, &dir, NR, BIRTH, block, base), 0);
	expect("all of it", (s64)part->pos, LIMIT * BLK_SIZE);
	redo_drop(part);
}

/* ---- what is no part --------------------------------------------------------------- */

/*
 * A part of two ranges, at 32 and 44, 56 bytes in all: what becomes of it with one number
 * changed, and another length.
 */
static const struct {
	const char *what;
	u32 at;
	u32 size;
	u64 value;
	u32 len;
	bool valid;
} flaws[] = {
	{ "as it was made", 4, 4, 5, 56, true },
	{ "one range", 0, 4, 44, 44, true },
	{ "no range", 0, 4, 32, 32, true },
	{ "less than a head", 0, 4, 31, 31, false },
	{ "a byte of a range", 0, 4, 45, 45, false },
	{ "three bytes of a range", 0, 4, 47, 47, false },
	{ "a range without its bytes", 0, 4, 48, 48, false },
	{ "a range cut off", 0, 4, 55, 55, false },
	{ "a byte behind", 0, 4, 57, 57, false },
	{ "an empty range", 46, 2, 0, 48, true },
	{ "last bytes of the block", 44, 2, 2040, 56, true },
	{ "a byte beyond the block", 44, 2, 2041, 56, false },
	{ "far beyond the block", 44, 2, 0xffff, 56, false },
	{ "longer than there is", 46, 2, 9, 56, false },
	{ "far longer", 46, 2, 0xffff, 56, false },
	{ "the first one longer", 34, 2, 9, 56, false },
	{ "last number", 24, 4, AFSX_DIR_MAX_BLOCKS - 1, 56, true },
	{ "number too large", 24, 4, AFSX_DIR_MAX_BLOCKS, 56, false },
};

static void test_flaw(u32 i)
{
	u8 block[AFSX_DIR_BLOCK_SIZE], *row;
	const u8 *base;

	make_block(block);
	base = put(block, NULL);
	block[8] ^= 1;
	block[1000] ^= 1;
	put(block, base);
	row = malloc(flaws[i].len);	/* the sanitizer knows its end */
	if (!row)
		die("out of memory");
	memset(row, 0, flaws[i].len);
	memcpy(row, base + WHOLE_LEN, min(flaws[i].len, 56u));
	put_field(row, 4, flaws[i].len);
	put_field(row + flaws[i].at, flaws[i].size, flaws[i].value);
	expect(flaws[i].what, row_is_valid(row, flaws[i].len), flaws[i].valid);
	free(row);
	redo_drop(part);
}

/* A part behind a whole block: one number of either changed, or where all rows begin. */
static const struct {
	const char *what;
	bool of_part;
	u32 at;
	u32 size;
	u64 value;
	u32 first;
	bool there;
} bases[] = {
	{ "as it was made", true, 4, 4, 5, 0, true },
	{ "of no other", true, 28, 4, 0, 0, false },
	{ "within itself", true, 28, 4, 23, 0, false },
	{ "a byte off", true, 28, 4, WHOLE_LEN - 1, 0, false },
	{ "in front of all", true, 28, 4, WHOLE_LEN + 1, 0, false },
	{ "far in front", true, 28, 4, U32_MAX, 0, false },
	{ "not among the rows", true, 4, 4, 5, 1, false },
	{ "that is of another kind", false, 4, 4, 4, 0, false },
	{ "that is a part", false, 4, 4, 5, 0, false },
	{ "longer than up to it", false, 0, 4, WHOLE_LEN + 1, 0, false },
	{ "of another group", false, 8, 4, GROUP + 1, 0, false },
	{ "of another vnode", false, 12, 4, VNODE + 2, 0, false },
	{ "of another block", false, 24, 4, NR + 1, 0, false },
};

static void test_base(u32 i)
{
	u8 block[AFSX_DIR_BLOCK_SIZE];
	const u8 *base, *row;
	u8 *changed;

	make_block(block);
	base = put(block, NULL);
	block[8] ^= 1;
	row = put(block, base);
	changed = part->buf + ((bases[i].of_part ? row : base) - part->buf);
	put_field(changed + bases[i].at, bases[i].size, bases[i].value);
	expect(bases[i].what, row_has_base(row, base + bases[i].first),
	       bases[i].there);
	expect(bases[i].what,
	       rows_count(row, row_len(row), base + bases[i].first),
	       bases[i].there ? 1 : -EUCLEAN);
	redo_drop(part);
}

/* ---- in their table ------------------------------------------------------------------ */

/* Of a block there is one row, whatever its kind; a part of one that was written is none. */
static void test_table(void)
{
	struct rows *rows = rows_create(8);
	u8 block[AFSX_DIR_BLOCK_SIZE];
	const u8 *base, *row;

	if (!rows)
		die("out of memory");
	make_block(block);
	base = put(block, NULL);
	block[8] ^= 1;
	row = put(block, base);
	expect("taken", (s64)rows_put(rows, base, row_len(base), 1), row_len(base));
	expect("taken", (s64)rows_put(rows, row, row_len(row), 1), row_len(row));
	expect("one row", rows_room(rows), 7);
	expect("the last", rows_find(rows, ROW_DIRBLK, GROUP, VNODE, NR) - row, 0);
	expect("of this block", !rows_find(rows, ROW_DIRBLK, GROUP, VNODE, 0), true);
	rows->entry[0].written = true;
	expect("written", !rows_find(rows, ROW_DIRBLK, GROUP, VNODE, NR), true);
	rows_destroy(rows);
	redo_drop(part);
}

void test_parts(void)
{
	must(redo_open(NULL, &uuid, 0, LIMIT * BLK_SIZE, &part), "records");
	expect("first row", (s64)part->pos, ROWS_AT);
	test_layout();
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
		test_size(i);
	test_chain();
	test_random();
	test_no_room();
	for (u32 i = 0; i < ARRAY_SIZE(flaws); i++)
		test_flaw(i);
	for (u32 i = 0; i < ARRAY_SIZE(bases); i++)
		test_base(i);
	test_table();
	redo_close(part);
}
