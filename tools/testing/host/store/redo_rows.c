// SPDX-License-Identifier: MIT
/* The bytes of rows, and what is not a row. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "redo.h"
#include "redo_test.h"
#include "store_priv.h"
#include "store_row.h"
#include "store_rows.h"

#define ROW_MAX		4096u

static struct vnode a_vnode = {
	.grp = 0x10203040,
	.birth = 0x0102030405060708,
	.s = {
		.fid = { 0x10203040, 0x50607080, 0x90a0b0c0 },
		.type = AFSX_FTYPE_SYMLINK,
		.size = 0x1112131415161718,
		.dv = 0x2122232425262728,
		.nlink = 0x31323334,
		.mode = 0x41424344,
		.owner = 0x51525354,
		.group = 0x61626364,
		.author = 0x71727374,
		.parent_vnode = 0x81828384,
		.parent_unique = 0x91929394,
		.mtime_client = -0x123456789abc,
		.mtime_server = 0x2123456789ab,
		.used_kib = 0xa1a2a3a4a5a6a7a8,
	},
	.target = (char[]){ "target" },
	.acl = (char[]){ "access" },
	.acl_len = 5,
};

static const struct tx_grp a_group = {
	.id = 0x10203040,
	.vol = { .used_kib = 1000, .files = 500, .updated = 5 },
	.next_file = 0x51525354,
	.next_dir = 0x61626364,
	.next_unique = 0x71727374,
	.used_delta = -3,
	.files_delta = 7,
};

static const struct field vnode_fields[] = {
	{ 0, 4, 123 }, { 4, 4, 1 }, { 8, 4, 0x10203040 },
	{ 12, 4, 0x50607080 }, { 16, 8, 0x0102030405060708 },
	{ 24, 4, 0x90a0b0c0 }, { 28, 4, AFSX_FTYPE_SYMLINK },
	{ 32, 8, 0x2122232425262728 }, { 40, 8, 0x1112131415161718 },
	{ 48, 4, 0x31323334 }, { 52, 4, 0x41424344 }, { 56, 4, 0x51525354 },
	{ 60, 4, 0x61626364 }, { 64, 4, 0x71727374 }, { 68, 4, 0x81828384 },
	{ 72, 4, 0x91929394 }, { 76, 4, 6 }, { 80, 4, 5 },
	{ 88, 8, (u64)-0x123456789abc }, { 96, 8, 0x2123456789ab },
	{ 104, 8, 0xa1a2a3a4a5a6a7a8 },
	{ 112, 1, 't' }, { 113, 1, 'a' }, { 114, 1, 'r' }, { 115, 1, 'g' },
	{ 116, 1, 'e' }, { 117, 1, 't' }, { 118, 1, 'a' }, { 119, 1, 'c' },
	{ 120, 1, 'c' }, { 121, 1, 'e' }, { 122, 1, 's' }, { 0 },
};

static const struct field gone_fields[] = {
	{ 0, 4, 24 }, { 4, 4, 2 }, { 8, 4, 0x10203040 },
	{ 12, 4, 0x50607080 }, { 16, 8, 0x0102030405060708 }, { 0 },
};

static const struct field dirblk_fields[] = {
	{ 0, 4, 35 }, { 4, 4, 3 }, { 8, 4, 0x10203040 },
	{ 12, 4, 0x50607080 }, { 16, 8, 0x77 }, { 24, 4, 29 }, { 28, 4, 3 },
	{ 32, 1, 'd' }, { 33, 1, 'i' }, { 34, 1, 'r' }, { 0 },
};

static const struct field group_fields[] = {
	{ 0, 4, 64 }, { 4, 4, 4 }, { 8, 4, 0x10203040 }, { 24, 4, 0x51525354 },
	{ 28, 4, 0x61626364 }, { 32, 4, 0x71727374 }, { 40, 8, 997 },
	{ 48, 8, 507 }, { 56, 8, 0x9988776655 }, { 0 },
};

static const struct field block_fields[] = {
	{ 0, 4, 56 }, { 4, 4, 6 }, { 8, 4, 0x10203040 }, { 12, 4, 0x50607080 },
	{ 16, 8, 0x0102030405060708 }, { 24, 8, 0x0007abcdef012345 },
	{ 32, 8, 0xb1b2b3b4b5b6b7b8 }, { 40, 8, 0xc1c2c3c4c5c6c7c8 },
	{ 48, 4, 0xd1d2d3d4 }, { 0 },
};

static const struct file_block a_block = {
	.grp = 0x10203040,
	.vno = 0x50607080,
	.birth = 0x0102030405060708,
	.newest = (s64)0xc1c2c3c4c5c6c7c8,
	.nr = 0x0007abcdef012345,
	.phys = 0xb1b2b3b4b5b6b7b8,
	.sum = 0xd1d2d3d4,
};

static int put_vnode(void)
{
	return row_put_vnode(redo, &a_vnode);
}

static int put_gone(void)
{
	return row_put_gone(redo, &a_vnode);
}

static int put_dirblk(void)
{
	static const u8 block[AFSX_DIR_BLOCK_SIZE] = "dir";

	return row_put_dirblk(redo, &a_vnode, 29, 0x77, block, NULL);
}

static int put_group(void)
{
	return row_put_group(redo, &a_group, 0x9988776655);
}

static int put_block(void)
{
	return row_put_block(redo, &a_block);
}

static const struct {
	const char *what;
	int (*put)(void);
	const struct field *field;
	u32 len;
} kinds[] = {
	{ "vnode", put_vnode, vnode_fields, 123 },
	{ "gone", put_gone, gone_fields, 24 },
	{ "directory block", put_dirblk, dirblk_fields, 35 },
	{ "group", put_group, group_fields, 64 },
	{ "block of a file", put_block, block_fields, 56 },
};

/* As the format has it; returns its length. */
static u32 make_row(u32 kind, u8 *row)
{
	const struct field *f = kinds[kind].field;

	memset(row, 0, kinds[kind].len);
	for (; f->size; f++)
		put_field(row + f->at, f->size, f->value);
	return kinds[kind].len;
}

/* The region is not zeros, and rows begin at any address. */
static void test_layout(u32 kind, u32 odd)
{
	u64 from = HEADER_LEN + odd;
	u8 want[ROW_MAX];
	u32 len = make_row(kind, want);

	memset(redo->buf, 0xee, 2 * ROW_MAX);
	redo_drop(redo);
	if (odd)
		redo_take(redo, odd);
	expect(kinds[kind].what, kinds[kind].put(), 0);
	expect("length", (s64)(redo->pos - from), len);
	if (memcmp(redo->buf + from, want, len))
		die("%s: other bytes", kinds[kind].what);
	expect("valid", row_is_valid(redo->buf + from, len), true);
	expect("length of it", row_len(redo->buf + from), len);
	redo_drop(redo);
}

static void test_status(void)
{
	struct store_status s;
	const char *text;
	u8 row[ROW_MAX];
	size_t len;

	make_row(0, row);
	row_get_status(row, &s, &text, &len);
	expect("length of the access list", (s64)len, 5);
	expect("access list", memcmp(text, "acces", 5), 0);
	expect("mode", s.mode, 0x41424344);
	expect("status", memcmp(&s, &a_vnode.s, sizeof(s)), 0);
	text = row_get_target(row, &len);
	expect("length of the target", (s64)len, 6);
	expect("target", memcmp(text, "target", 6), 0);
}

static void test_vnode(void)
{
	struct vnode vn;
	u8 row[ROW_MAX];

	make_row(0, row);
	must(row_get_vnode(row, &vn), "vnode");
	expect("birth", vn.birth, a_vnode.birth);
	expect("group", vn.grp, a_vnode.grp);
	expect("epoch", vn.snap, SNAP_LIVE);
	expect("a row", vn.row, true);
	expect("clean", vn.dirty, false);
	expect("target", strcmp(vn.target, "target"), 0);
	expect("access list", strcmp(vn.acl, "acces"), 0);
	expect("its length", (s64)vn.acl_len, 5);
	expect("status", memcmp(&vn.s, &a_vnode.s, sizeof(vn.s)), 0);
	vnode_release(&vn);
}

static void test_values(void)
{
	struct tx_grp g = { .id = 1 };
	struct file_block b;
	u8 row[ROW_MAX], block[AFSX_DIR_BLOCK_SIZE];
	static const u8 zeros[AFSX_DIR_BLOCK_SIZE];

	test_status();
	test_vnode();
	make_row(2, row);
	memset(block, 0xee, sizeof(block));
	row_get_dirblk(row, block);
	expect("data", memcmp(block, "dir", 3), 0);
	expect("zeros behind", memcmp(block + 3, zeros, sizeof(block) - 3), 0);
	expect("block", row_nr(row), 29);
	make_row(3, row);
	row_get_group(row, &g);
	expect("next file", g.next_file, 0x51525354);
	expect("next directory", g.next_dir, 0x61626364);
	expect("next uniquifier", g.next_unique, 0x71727374);
	expect("use", (s64)g.vol.used_kib, 997);
	expect("vnodes", (s64)g.vol.files, 507);
	expect("time", g.vol.updated, 0x9988776655);
	make_row(4, row);
	row_get_block(row, &b);
	expect("block of a file", memcmp(&b, &a_block, sizeof(b)), 0);
	expect("its number", (s64)row_nr(row), 0x0007abcdef012345);
	expect("its birth", row_birth(row), 0x0102030405060708);
}

/* ---- what is not a row ------------------------------------------------------------- */

/* A row of a kind, with one field changed: whether it is one in @room bytes */
static const struct {
	const char *what;
	u32 kind;
	struct field change;
	s32 longer;		/* its length is another one, and says so */
	s32 room;		/* more than its length, or less */
	bool valid;
} changes[] = {
	{ "vnode, room behind", 0, { 0 }, 0, 100, true },
	{ "vnode, cut off", 0, { 0 }, 0, -1, false },
	{ "vnode, too long", 0, { 0 }, 1, 0, false },
	{ "vnode, too short", 0, { 0 }, -1, 0, false },
	{ "vnode, as long as a head", 0, { 0, 4, 24 }, 0, 0, false },
	{ "vnode, shorter than its text begins", 0, { 0, 4, 111 }, 0, 0, false },
	{ "vnode, target beyond", 0, { 76, 4, 7 }, 0, 0, false },
	{ "vnode, target within", 0, { 76, 4, 5 }, 0, 0, false },
	{ "vnode, list beyond", 0, { 80, 4, 6 }, 0, 0, false },
	{ "vnode, target that wraps around", 0, { 76, 4, 0xfffffffb }, -11, 0, false },
	{ "vnode, list that wraps around", 0, { 80, 4, 0xfffffffa }, -11, 0, false },
	{ "vnode, longest target", 0, { 76, 4, 1023 }, 1017, 0, true },
	{ "vnode, longer target", 0, { 76, 4, 1024 }, 1018, 0, false },
	{ "vnode, longest list", 0, { 80, 4, 1024 }, 1019, 0, true },
	{ "vnode, longer list", 0, { 80, 4, 1025 }, 1020, 0, false },
	{ "gone, room behind", 1, { 0 }, 0, 1, true },
	{ "gone, cut off", 1, { 0 }, 0, -1, false },
	{ "gone, too long", 1, { 0 }, 1, 0, false },
	{ "no length", 1, { 0, 4, 0 }, 0, 0, false },
	{ "length of less than a head", 1, { 0, 4, 23 }, 0, 0, false },
	{ "length of all that can be", 1, { 0, 4, U32_MAX }, 0, 0, false },
	{ "length of more than there is", 1, { 0, 4, 25 }, 0, 0, false },
	{ "no kind", 1, { 4, 4, 0 }, 0, 0, false },
	{ "unknown kind", 1, { 4, 4, 7 }, 0, 0, false },
	{ "kind of more than a byte", 1, { 4, 4, 0x102 }, 0, 0, false },
	{ "block, room behind", 2, { 0 }, 0, 9, true },
	{ "block, cut off", 2, { 0 }, 0, -1, false },
	{ "block, no data", 2, { 28, 4, 0 }, -3, 0, true },
	{ "block, less than its head", 2, { 28, 4, 0 }, -4, 0, false },
	{ "block, only a head", 2, { 28, 4, 0xfffffff8 }, -11, 0, false },
	{ "block, data beyond", 2, { 28, 4, 4 }, 0, 0, false },
	{ "block, data within", 2, { 28, 4, 2 }, 0, 0, false },
	{ "block, whole", 2, { 28, 4, 2048 }, 2045, 0, true },
	{ "block, more than whole", 2, { 28, 4, 2049 }, 2046, 0, false },
	{ "block, last number", 2, { 24, 4, AFSX_DIR_MAX_BLOCKS - 1 }, 0, 0, true },
	{ "block, number too large", 2, { 24, 4, AFSX_DIR_MAX_BLOCKS }, 0, 0, false },
	{ "block, number far too large", 2, { 24, 4, U32_MAX }, 0, 0, false },
	{ "group, room behind", 3, { 0 }, 0, 9, true },
	{ "group, cut off", 3, { 0 }, 0, -1, false },
	{ "group, too long", 3, { 0 }, 1, 0, false },
	{ "group, too short", 3, { 0 }, -1, 0, false },
	{ "block of a file, room behind", 4, { 0 }, 0, 9, true },
	{ "block of a file, cut off", 4, { 0 }, 0, -1, false },
	{ "block of a file, too long", 4, { 0 }, 1, 0, false },
	{ "block of a file, too short", 4, { 0 }, -1, 0, false },
	{ "block of a file, last number", 4, { 24, 8, (UINT64_C(1) << 51) - 1 }, 0, 0, true },
	{ "block of a file, number too large", 4, { 24, 8, UINT64_C(1) << 51 }, 0, 0, false },
};

/* What is behind the room is not to be touched: that is what the sanitizer tells. */
static bool is_valid(const u8 *row, size_t room)
{
	u8 *copy = malloc(room ? room : 1);
	bool valid;

	if (!copy)
		die("out of memory");
	memcpy(copy, row, room);
	valid = row_is_valid(copy, room);
	expect("rows counted", rows_count(copy, room, copy) >= 0, valid || !room);
	free(copy);
	return valid;
}

static void test_change(u32 i)
{
	const struct field *f = &changes[i].change;
	u8 row[2 * ROW_MAX] = { 0 };
	u32 len = make_row(changes[i].kind, row);

	len = (u32)((s32)len + changes[i].longer);
	if (changes[i].longer)
		put_field(row, 4, len);
	if (f->size)
		put_field(row + f->at, f->size, f->value);
	expect(changes[i].what,
	       row_is_valid(row, (size_t)((s32)len + changes[i].room)),
	       changes[i].valid);
	if (changes[i].room <= 0)
		expect(changes[i].what,
		       is_valid(row, (size_t)((s32)len + changes[i].room)),
		       changes[i].valid);
}

/* Cut off anywhere it is none. */
static void test_cuts(u32 kind)
{
	u8 row[ROW_MAX];
	u32 len = make_row(kind, row);

	for (u32 room = 0; room <= len; room++)
		expect(kinds[kind].what, is_valid(row, room), room == len);
}

static void test_list(void)
{
	u8 list[ROW_MAX];
	size_t len = 0;

	for (u32 i = 0; i < 2 * ARRAY_SIZE(kinds); i++)
		len += make_row(i % ARRAY_SIZE(kinds), list + len);
	expect("rows", rows_count(list, len, list), 2 * ARRAY_SIZE(kinds));
	expect("none", rows_count(list, 0, list), 0);
	expect("one cut off", rows_count(list, len - 1, list), -EUCLEAN);
	list[kinds[0].len + 4] = 9;
	expect("one that is none", rows_count(list, len, list), -EUCLEAN);
}

/* Rows that there is no room for leave nothing. */
static void test_no_room(void)
{
	const u64 end = LIMIT * BLK_SIZE;

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		redo_drop(redo);
		redo_take(redo, end - HEADER_LEN - kinds[i].len + 1);
		expect("no room", kinds[i].put(), -ENOBUFS);
		expect("and nothing taken", (s64)redo->pos,
		       end - kinds[i].len + 1);
		redo_cut(redo, redo->pos - 1);
		expect("room", kinds[i].put(), 0);
		expect("all of it", (s64)redo->pos, end);
		expect("and no more", kinds[i].put(), -ENOBUFS);
	}
	redo_drop(redo);
}

/* As they may be in a volume that was restored. */
static void test_too_long(void)
{
	char text[STORE_ACL_MAX + 2];
	struct vnode vn = a_vnode;

	memset(text, 'x', sizeof(text));
	text[STORE_TARGET_MAX + 1] = '\0';
	vn.target = text;
	expect("target too long", row_put_vnode(redo, &vn), -ENOBUFS);
	text[STORE_TARGET_MAX] = '\0';
	expect("longest target", row_put_vnode(redo, &vn), 0);
	vn.acl = text;
	vn.acl_len = STORE_ACL_MAX + 1;
	expect("list too long", row_put_vnode(redo, &vn), -ENOBUFS);
	vn.acl_len = STORE_ACL_MAX;
	expect("longest list", row_put_vnode(redo, &vn), 0);
	redo_drop(redo);
}

void test_rows(void)
{
	open_region();
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		for (u32 odd = 0; odd < 8; odd++)
			test_layout(i, odd);
	test_values();
	for (u32 i = 0; i < ARRAY_SIZE(changes); i++)
		test_change(i);
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		test_cuts(i);
	test_list();
	test_no_room();
	test_too_long();
	close_region();
}
