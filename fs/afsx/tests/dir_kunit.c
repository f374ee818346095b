// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Directory blobs as they should be: layouts worked out by hand from the format
 * in OpenAFS's src/dir/dir.h, and edits compared with a simple set.
 */
#include "dir_util.h"

/* Hashes worked out elsewhere: h = h * 173 + c in 32 bits, modulo 128, mirrored above 2^31 */
static const struct {
	const char *name;
	u32 hash;
} hashes[] = {
	{ "", 0 },
	{ ".", 46 },
	{ "..", 68 },
	{ "a", 97 },
	{ "passwd", 42 },
	{ "README", 6 },
	{ "root.cell", 90 },
	{ "zzzzzzzz", 16 },
	{ "\xc3\xa9", 112 },
	{ "\xe5\x90\x8d\xe5\x89\x8d", 31 },
	{ "Makefile", 98 },
	{ "a.out", 3 },
	{ "bin", 21 },
	{ "user.joe", 81 },
};

static void dir_hash(struct kunit *test)
{
	for (u32 i = 0; i < ARRAY_SIZE(hashes); i++)
		KUNIT_EXPECT_EQ_MSG(test, afsx_dir_hash(hashes[i].name,
							(u32)strlen(hashes[i].name)),
				    hashes[i].hash, "%s", hashes[i].name);
}

static void dir_slots(struct kunit *test)
{
	static const u32 rows[][2] = {
		{ 1, 1 }, { 15, 1 }, { 16, 2 }, { 47, 2 }, { 48, 3 }, { 79, 3 }, { 80, 4 },
		{ 111, 4 }, { 112, 5 }, { 143, 5 }, { 144, 6 }, { 207, 7 }, { 208, 8 }, { 239, 8 },
		{ 240, 9 }, { 255, 9 }, { 256, 9 }, { 271, 9 }, { 272, 10 }, { 1999, 63 },
		{ 2000, 64 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_EQ_MSG(test, afsx_dir_slots(rows[i][0]), rows[i][1], "%u", rows[i][0]);
}

static void expect_bytes(struct kunit *test, const u8 *blk, u32 at, const u8 *want, u32 len)
{
	for (u32 i = 0; i < len; i++)
		KUNIT_EXPECT_EQ_MSG(test, blk[at + i], want[i], "byte %u", at + i);
}

/* An empty directory has one block, and in it "." in slot 13 and ".." in slot 14. */
static void dir_layout_empty(struct kunit *test)
{
	static const u8 header[32] = { 0, 1, 0x04, 0xd2, 51, 0xff, 0x7f };
	static const u8 dot[32] = { 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, '.' };
	static const u8 dotdot[32] = { 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, '.', '.' };
	struct test_dir *td = test_dir_new(test);
	const u8 *blk = td->blk[0];

	KUNIT_EXPECT_EQ(test, td->ed.rd.nr_blocks, 1);
	expect_bytes(test, blk, 0, header, 32);
	KUNIT_EXPECT_EQ(test, blk[32], 49);
	for (u32 i = 1; i < 128; i++)
		KUNIT_EXPECT_EQ(test, blk[32 + i], 64);
	for (u32 i = 0; i < 128; i++)
		KUNIT_EXPECT_EQ_MSG(test, get_unaligned_be16(blk + 160 + 2 * i),
				    i == 46 ? 13 : i == 68 ? 14 : 0, "bucket %u", i);
	expect_bytes(test, blk, 13 * 32, dot, 32);
	expect_bytes(test, blk, 14 * 32, dotdot, 32);
	for (u32 i = 15 * 32; i < 2048; i++)
		KUNIT_EXPECT_EQ(test, blk[i], 0);
	KUNIT_EXPECT_EQ(test, afsx_dir_init(&td->ed, &TEST_SELF, &TEST_PARENT), -EINVAL);
}

/* A name of 20 bytes takes two slots and runs on into the second. */
static void dir_layout_long(struct kunit *test)
{
	static const u8 entry[64] = {
		1, 0, 0, 0, 0x01, 0x02, 0x03, 0x04, 0x01, 0x11, 0x45, 0x44,
		'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q',
		'r', 's', 't',
	};
	struct test_dir *td = test_dir_new(test);

	KUNIT_EXPECT_EQ(test, test_dir_add(td, "abcdefghijklmnopqrst", 0x01020304), 0);
	expect_bytes(test, td->blk[0], 15 * 32, entry, 64);
	KUNIT_EXPECT_EQ(test, td->blk[0][6], 0xff);	/* slots 8..15 */
	KUNIT_EXPECT_EQ(test, td->blk[0][7], 0x01);	/* slot 16 */
	KUNIT_EXPECT_EQ(test, td->blk[0][32], 47);
}

/*
 * Names with the same hash form a chain, newest first.  "a~" and "bQ" have one:
 * 97 * 173 + 126 = 132 * 128 + 11 and 98 * 173 + 81 = 133 * 128 + 11.
 */
static void dir_layout_chain(struct kunit *test)
{
	struct test_dir *td = test_dir_new(test);
	const u8 *bucket = td->blk[0] + 160 + 2 * 11;

	KUNIT_EXPECT_EQ(test, test_dir_add(td, "a~", 2), 0);	/* slot 15 */
	KUNIT_EXPECT_EQ(test, test_dir_add(td, "zz", 4), 0);	/* slot 16, elsewhere */
	KUNIT_EXPECT_EQ(test, test_dir_add(td, "bQ", 6), 0);	/* slot 17 */
	KUNIT_EXPECT_EQ(test, get_unaligned_be16(bucket), 17);
	KUNIT_EXPECT_EQ(test, get_unaligned_be16(td->blk[0] + 17 * 32 + 2), 15);
	KUNIT_EXPECT_EQ(test, get_unaligned_be16(td->blk[0] + 15 * 32 + 2), 0);
	KUNIT_EXPECT_EQ(test, test_dir_lookup(td, "a~"), 2);
	KUNIT_EXPECT_EQ(test, test_dir_lookup(td, "bQ"), 6);
	/* Taking out the last of a chain, then the first. */
	KUNIT_EXPECT_EQ(test, test_dir_remove(td, "a~"), 0);
	KUNIT_EXPECT_EQ(test, get_unaligned_be16(td->blk[0] + 17 * 32 + 2), 0);
	KUNIT_EXPECT_EQ(test, test_dir_remove(td, "bQ"), 0);
	KUNIT_EXPECT_EQ(test, get_unaligned_be16(bucket), 0);
	KUNIT_EXPECT_EQ(test, test_dir_lookup(td, "zz"), 4);
	test_dir_check(td);
}

/* Block 0 takes 51 one-slot entries, further blocks 63 each; their headers count nothing. */
static void dir_layout_blocks(struct kunit *test)
{
	static const u8 header[32] = { 0, 0, 0x04, 0xd2, 63, 0x03 };
	struct test_dir *td = test_dir_new(test);
	char name[AFSX_NAME_MAX + 1];

	for (u32 i = 0; i < 49; i++) {
		test_dir_name(name, i, 4);
		KUNIT_EXPECT_EQ(test, test_dir_add(td, name, i + 1), 0);
	}
	KUNIT_EXPECT_EQ(test, td->ed.rd.nr_blocks, 1);
	KUNIT_EXPECT_EQ(test, td->blk[0][32], 0);
	KUNIT_EXPECT_EQ(test, test_dir_add(td, "first", 50), 0);
	KUNIT_EXPECT_EQ(test, td->ed.rd.nr_blocks, 2);
	KUNIT_EXPECT_EQ(test, td->blk[0][1], 2);
	KUNIT_EXPECT_EQ(test, td->blk[0][33], 62);
	expect_bytes(test, td->blk[1], 0, header, 32);
	for (u32 i = 50; i < 50 + 62; i++) {
		test_dir_name(name, i, 4);
		KUNIT_EXPECT_EQ(test, test_dir_add(td, name, i + 1), 0);
	}
	KUNIT_EXPECT_EQ(test, td->ed.rd.nr_blocks, 2);
	KUNIT_EXPECT_EQ(test, test_dir_add(td, "third", 999), 0);
	KUNIT_EXPECT_EQ(test, td->ed.rd.nr_blocks, 3);
	test_dir_check(td);
}

/* Every length, and bytes beyond ASCII. */
static void dir_names(struct kunit *test)
{
	static const char *const utf8[] = {
		"\xc3\xa9", "\xe5\x90\x8d\xe5\x89\x8d", "\xf0\x9f\x90\xa7.txt", "\xff\xfe", "a b",
		"\x01", "~", "-", "...", "\\", "%c:v.",
	};
	struct test_dir *td = test_dir_new(test);
	char name[AFSX_NAME_MAX + 2];
	struct afsx_fid fid;

	for (u32 len = 1; len <= AFSX_NAME_MAX; len++) {
		memset(name, 'n', len);
		name[len] = '\0';
		KUNIT_EXPECT_EQ_MSG(test, test_dir_add(td, name, len), 0, "length %u", len);
		KUNIT_EXPECT_EQ_MSG(test, test_dir_add(td, name, len), -EEXIST, "length %u", len);
	}
	for (u32 i = 0; i < ARRAY_SIZE(utf8); i++)
		KUNIT_EXPECT_EQ_MSG(test, test_dir_add(td, utf8[i], 1000 + i), 0, "%s", utf8[i]);
	test_dir_check(td);
	for (u32 len = 1; len <= AFSX_NAME_MAX; len++) {
		memset(name, 'n', len);
		name[len] = '\0';
		KUNIT_EXPECT_EQ_MSG(test, test_dir_lookup(td, name), len, "length %u", len);
	}
	for (u32 i = 0; i < ARRAY_SIZE(utf8); i++)
		KUNIT_EXPECT_EQ_MSG(test, test_dir_lookup(td, utf8[i]), 1000 + i, "%s", utf8[i]);

	memset(name, 'n', 256);
	fid = TEST_SELF;
	KUNIT_EXPECT_EQ(test, afsx_dir_add(&td->ed, name, 256, &fid), -ENAMETOOLONG);
	KUNIT_EXPECT_EQ(test, afsx_dir_lookup(&td->ed.rd, name, 256, &fid), -ENAMETOOLONG);
	KUNIT_EXPECT_EQ(test, afsx_dir_remove(&td->ed, name, 256, &fid), -ENAMETOOLONG);
	KUNIT_EXPECT_EQ(test, afsx_dir_remove(&td->ed, name, U32_MAX, &fid), -ENAMETOOLONG);
	KUNIT_EXPECT_EQ(test, afsx_dir_add(&td->ed, "", 0, &fid), -EINVAL);
	KUNIT_EXPECT_EQ(test, afsx_dir_add(&td->ed, "a/b", 3, &fid), -EINVAL);
	KUNIT_EXPECT_EQ(test, afsx_dir_add(&td->ed, "a\0b", 3, &fid), -EINVAL);
	KUNIT_EXPECT_EQ(test, afsx_dir_lookup(&td->ed.rd, "", 0, &fid), -ENOENT);
	fid.vnode = 0;
	KUNIT_EXPECT_EQ(test, afsx_dir_add(&td->ed, "new", 3, &fid), -EINVAL);
}

/*
 * Names longer than AFSX_NAME_MAX. AFS-3 lets a server take 256 bytes, and a block has
 * room for more: the 63 slots of an entry that has block 1 to itself hold 1999.
 */
static const struct {
	u32 len;
	u32 slots;
	bool fits;
} long_names[] = {
	{ 255, 9, true },
	{ 256, 9, true },
	{ 257, 9, true },
	{ 271, 9, true },
	{ 272, 10, true },
	{ 1023, 33, true },
	{ 1999, 63, true },
	{ 2000, 63, false },
	{ 2003, 63, false },
};

#define LONG_SLOT	65	/* the first of block 1 */

/*
 * Block 1 has nothing but a name of @len bytes in @slots slots, which are in use. Its
 * entry is the first in the chain of "behind", which is in block 0.
 */
static struct test_dir *make_long(struct kunit *test, u32 len, u32 slots)
{
	struct test_dir *td = test_dir_new(test);
	u8 *bucket = td->blk[0] + 160 + 2 * afsx_dir_hash("behind", 6);
	u8 *blk = kunit_kzalloc(test, AFSX_DIR_BLOCK_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, blk);
	KUNIT_ASSERT_EQ(test, test_dir_add(td, "behind", 2), 0);
	td->blk[1] = blk;
	td->ed.rd.nr_blocks = 2;
	put_unaligned_be16(AFSX_DIR_MAGIC, blk + 2);
	for (u32 i = 0; i <= slots; i++)
		blk[5 + i / 8] |= (u8)(1 << i % 8);
	blk[32] = 1;
	memcpy(blk + 32 + 2, bucket, 2);
	put_unaligned_be32(4, blk + 32 + 4);
	put_unaligned_be32(1, blk + 32 + 8);
	memset(blk + 32 + 12, 'n', len);
	put_unaligned_be16(LONG_SLOT, bucket);
	return td;
}

/* What a listing gave: how many names, and the length of the longest */
struct lengths {
	u32 nr;
	u32 longest;
};

static bool take_length(void *ctx, const char *name, u32 len, u32 vnode, u32 unique, u64 pos)
{
	struct lengths *l = ctx;

	l->nr++;
	l->longest = max(l->longest, len);
	return true;
}

static void dir_long_name(struct kunit *test)
{
	for (u32 i = 0; i < ARRAY_SIZE(long_names); i++) {
		struct test_dir *td = make_long(test, long_names[i].len, long_names[i].slots);
		u32 len = long_names[i].len;
		struct lengths l = {};
		u64 pos = 0;
		int ret = long_names[i].fits ? 0 : -EIO;

		KUNIT_EXPECT_EQ_MSG(test, afsx_dir_iterate(&td->ed.rd, &pos, take_length, &l), ret,
				    "length %u", len);
		KUNIT_EXPECT_EQ_MSG(test, l.nr, ret ? 3 : 4, "length %u", len);
		KUNIT_EXPECT_EQ_MSG(test, l.longest, ret ? 6 : len, "length %u", len);
		KUNIT_EXPECT_EQ_MSG(test, test_dir_lookup(td, "behind"), ret ?: 2,
				    "length %u", len);
		KUNIT_EXPECT_EQ_MSG(test, afsx_dir_check_block(td->blk[1], 1),
				    len > 255 ? -EIO : 0, "length %u", len);
	}
}

/* The last slot of a long name must be in use, too, and be in the block. */
static void dir_long_name_damaged(struct kunit *test)
{
	struct test_dir *td = make_long(test, 272, 9);
	struct lengths l = {};
	u64 pos = 0;

	KUNIT_EXPECT_EQ(test, afsx_dir_iterate(&td->ed.rd, &pos, take_length, &l), -EIO);
	KUNIT_EXPECT_EQ(test, test_dir_lookup(td, "behind"), -EIO);
	td = make_long(test, 272, 10);
	td->blk[1][32 + 12 + 260] = '/';
	KUNIT_EXPECT_EQ(test, test_dir_lookup(td, "behind"), -EIO);
}

static void dir_replace(struct kunit *test)
{
	const struct afsx_fid other = { .vid = 7, .vnode = 77, .unique = 777 };
	struct test_dir *td = test_dir_new(test);
	struct afsx_fid fid = { .vid = 5 };

	KUNIT_EXPECT_EQ(test, test_dir_add(td, "a", 2), 0);
	KUNIT_EXPECT_EQ(test, afsx_dir_replace(&td->ed, "a", 1, &other), 0);
	KUNIT_EXPECT_EQ(test, afsx_dir_lookup(&td->ed.rd, "a", 1, &fid), 0);
	KUNIT_EXPECT_EQ(test, fid.vid, 5);
	KUNIT_EXPECT_EQ(test, fid.vnode, 77);
	KUNIT_EXPECT_EQ(test, fid.unique, 777);
	KUNIT_EXPECT_EQ(test, afsx_dir_replace(&td->ed, "b", 1, &other), -ENOENT);
	fid = (struct afsx_fid) {};
	KUNIT_EXPECT_EQ(test, afsx_dir_remove(&td->ed, "a", 1, &fid), 0);
	KUNIT_EXPECT_EQ(test, fid.vnode, 77);
	KUNIT_EXPECT_EQ(test, fid.unique, 777);
}

/* What the model of a directory of @nr possible names says is there */
struct model {
	struct test_dir *td;
	u8 *there;
	u32 nr;
	u32 max_len;
	u32 seen;
};

static void model_name(const struct model *m, u32 i, char *name)
{
	test_dir_name(name, i, 4 + (i * 37) % (m->max_len - 3));
}

static u32 model_number(const char *name)
{
	u32 nr = 0;

	for (s32 i = 3; i >= 0; i--)
		nr = nr * 36 + (u32)(name[i] <= '9' ? name[i] - '0' : name[i] - 'a' + 10);
	return nr;
}

static bool model_seen(void *ctx, const char *name, u32 len, u32 vnode, u32 unique, u64 pos)
{
	struct model *m = ctx;
	struct kunit *test = m->td->test;
	char want[AFSX_NAME_MAX + 1];
	u32 i;

	if (len < 4)	/* "." and ".." */
		return true;
	i = model_number(name);
	KUNIT_ASSERT_LT(test, i, m->nr);
	model_name(m, i, want);
	KUNIT_EXPECT_EQ(test, len, strlen(want));
	KUNIT_EXPECT_MEMEQ(test, name, want, len);
	KUNIT_EXPECT_EQ_MSG(test, m->there[i], 1, "%u listed twice or not there", i);
	KUNIT_EXPECT_EQ(test, vnode, i + 1);
	KUNIT_EXPECT_EQ(test, unique, i + 1000001);
	m->there[i] = 2;
	m->seen++;
	return true;
}

static void model_compare(struct model *m)
{
	struct kunit *test = m->td->test;
	u32 there = 0, step = 1 + m->nr / 5000;
	char name[AFSX_NAME_MAX + 1];
	u64 pos = 0;

	m->seen = 0;
	KUNIT_EXPECT_EQ(test, afsx_dir_iterate(&m->td->ed.rd, &pos, model_seen, m), 0);
	for (u32 i = 0; i < m->nr; i++) {
		there += !!m->there[i];
		m->there[i] = !!m->there[i];
	}
	for (u32 i = 0; i < m->nr; i += step) {
		model_name(m, i, name);
		KUNIT_EXPECT_EQ_MSG(test, test_dir_lookup(m->td, name),
				    m->there[i] ? (int)i + 1 : -ENOENT, "%u", i);
	}
	KUNIT_EXPECT_EQ(test, m->seen, there);
	test_dir_check(m->td);
}

/* Add or remove a name, as the model says it is there or not. */
static void model_flip(struct model *m, u32 i)
{
	struct test_dir *td = m->td;
	char name[AFSX_NAME_MAX + 1];

	model_name(m, i, name);
	td->modifies = 0;
	if (m->there[i])
		KUNIT_EXPECT_EQ_MSG(td->test, test_dir_remove(td, name), 0, "%u", i);
	else
		KUNIT_EXPECT_EQ_MSG(td->test, test_dir_add(td, name, i + 1), 0, "%u", i);
	KUNIT_EXPECT_LE_MSG(td->test, td->modifies, 3, "%u", i);
	m->there[i] = !m->there[i];
}

static void run_model(struct kunit *test, u32 nr, u32 max_len, u32 edits)
{
	struct model m = { .td = test_dir_new(test), .nr = nr, .max_len = max_len };
	u32 seed = 0x2545f491;

	m.there = kunit_kzalloc(test, nr, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.there);
	for (u32 i = 0; i < nr; i++)
		model_flip(&m, i);
	model_compare(&m);
	for (u32 i = 0; i < edits; i++)
		model_flip(&m, afsx_test_rand(&seed) % nr);
	model_compare(&m);
	for (u32 i = 0; i < nr; i++)
		if (m.there[i])
			model_flip(&m, i);
	model_compare(&m);
}

static void dir_model_1(struct kunit *test)
{
	run_model(test, 1, 255, 5);
}

static void dir_model_13(struct kunit *test)
{
	run_model(test, 13, 255, 500);
}

static void dir_model_64(struct kunit *test)
{
	run_model(test, 64, 255, 5000);
}

static void dir_model_3000(struct kunit *test)
{
	run_model(test, 3000, 100, 10000);
}

static void dir_model_30000(struct kunit *test)
{
	run_model(test, 30000, 20, 10000);
}

/* The longest possible names, seven to a block, until all blocks are full. */
static void dir_full(struct kunit *test)
{
	struct test_dir *td = test_dir_new(test);
	char name[AFSX_NAME_MAX + 1];
	u32 nr = 0;
	int ret;

	for (;; nr++) {
		test_dir_name(name, nr, 255);
		ret = test_dir_add(td, name, nr + 1);
		if (ret)
			break;
	}
	KUNIT_EXPECT_EQ(test, ret, -EFBIG);
	KUNIT_EXPECT_EQ(test, nr, 5 + 1022 * 7);
	KUNIT_EXPECT_EQ(test, td->ed.rd.nr_blocks, 1023);
	KUNIT_EXPECT_EQ(test, test_dir_lookup(td, name), -ENOENT);
	/* Room in the middle is found, by an editor that knows nothing of it, too. */
	test_dir_name(name, 5 + 500 * 7, 255);
	KUNIT_EXPECT_EQ(test, test_dir_remove(td, name), 0);
	td->ed.hint = 0;
	KUNIT_EXPECT_EQ(test, test_dir_add(td, name, 1), 0);
	KUNIT_EXPECT_EQ(test, td->ed.rd.nr_blocks, 1023);
	test_dir_check(td);
}

/* Past the counted blocks, an editor remembers where there was room. */
static void dir_hint(struct kunit *test)
{
	struct test_dir *td = test_dir_new(test);
	char name[AFSX_NAME_MAX + 1];

	for (u32 nr = 0; nr < 5 + 199 * 7; nr++) {
		test_dir_name(name, nr, 255);
		KUNIT_ASSERT_EQ(test, test_dir_add(td, name, nr + 1), 0);
	}
	KUNIT_EXPECT_EQ(test, td->ed.rd.nr_blocks, 200);
	test_dir_name(name, 5 + 149 * 7, 255);
	KUNIT_EXPECT_EQ(test, test_dir_remove(td, name), 0);
	KUNIT_EXPECT_EQ(test, td->ed.hint, 150);
	KUNIT_EXPECT_EQ(test, test_dir_add(td, name, 1), 0);
	KUNIT_EXPECT_EQ(test, td->ed.rd.nr_blocks, 200);
	test_dir_check(td);
}

/*
 * Run an edit with the first, second, ... access to a block failing, until it
 * works: each time it fails, nothing has changed.
 */
static void edit_fails_whole(struct test_dir *td, const char *name, s32 at_least,
			     int (*edit)(struct test_dir *td, const char *name))
{
	u32 nr = td->ed.rd.nr_blocks, size = nr * AFSX_DIR_BLOCK_SIZE;
	u8 *before = kunit_kzalloc(td->test, size, GFP_KERNEL);
	s32 n;

	KUNIT_ASSERT_NOT_NULL(td->test, before);
	for (u32 i = 0; i < nr; i++)
		memcpy(before + i * AFSX_DIR_BLOCK_SIZE, td->blk[i], AFSX_DIR_BLOCK_SIZE);
	for (n = 0;; n++) {
		int ret;

		td->fail_after = n;
		ret = edit(td, name);
		td->fail_after = -1;
		if (!ret)
			break;
		KUNIT_EXPECT_EQ_MSG(td->test, ret, -EIO, "%s", name);
		KUNIT_EXPECT_EQ_MSG(td->test, td->ed.rd.nr_blocks, nr, "%s", name);
		for (u32 i = 0; i < nr; i++)
			KUNIT_EXPECT_MEMEQ(td->test, td->blk[i], before + i * AFSX_DIR_BLOCK_SIZE,
					   AFSX_DIR_BLOCK_SIZE);
	}
	KUNIT_EXPECT_GE_MSG(td->test, n, at_least, "%s", name);
	test_dir_check(td);
}

static int replace_9(struct test_dir *td, const char *name)
{
	const struct afsx_fid fid = { .vnode = 9, .unique = 9 };

	return afsx_dir_replace(&td->ed, name, (u32)strlen(name), &fid);
}

static int add_9(struct test_dir *td, const char *name)
{
	return test_dir_add(td, name, 9);
}

static void dir_edit_fails_whole(struct kunit *test)
{
	struct test_dir *td = test_dir_new(test);
	char name[AFSX_NAME_MAX + 1];

	for (u32 i = 0; i < 49 + 63; i++) {
		test_dir_name(name, i, 4);
		KUNIT_ASSERT_EQ(test, test_dir_add(td, name, i + 1), 0);
	}
	KUNIT_ASSERT_EQ(test, td->ed.rd.nr_blocks, 2);
	edit_fails_whole(td, "appended", 3, add_9);
	KUNIT_EXPECT_EQ(test, td->ed.rd.nr_blocks, 3);
	edit_fails_whole(td, name, 4, test_dir_remove);
	test_dir_name(name, 0, 4);
	edit_fails_whole(td, name, 4, test_dir_remove);
	edit_fails_whole(td, name, 4, add_9);
	edit_fails_whole(td, name, 3, replace_9);

	td = test_dir_blob(test);
	td->fail_after = 0;
	KUNIT_EXPECT_EQ(test, afsx_dir_init(&td->ed, &TEST_SELF, &TEST_PARENT), -EIO);
	KUNIT_EXPECT_EQ(test, td->ed.rd.nr_blocks, 0);
}

/* A listing interrupted at every entry, with edits in between */
struct lister {
	u32 quota;
	u32 nr;
	u32 vnode[200];
};

static bool list_some(void *ctx, const char *name, u32 len, u32 vnode, u32 unique, u64 pos)
{
	struct lister *l = ctx;

	if (!l->quota)
		return false;
	l->quota--;
	if (l->nr < ARRAY_SIZE(l->vnode))
		l->vnode[l->nr++] = vnode;
	return true;
}

static void dir_iterate_resumes(struct kunit *test)
{
	struct test_dir *td = test_dir_new(test);
	struct lister *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	char name[AFSX_NAME_MAX + 1];
	u32 kept = 0;
	u64 pos = 0, last;

	KUNIT_ASSERT_NOT_NULL(test, l);
	for (u32 i = 0; i < 100; i++) {
		test_dir_name(name, i, 4 + i % 40);
		KUNIT_EXPECT_EQ(test, test_dir_add(td, name, 1000 + i), 0);
	}
	for (u32 i = 0;; i++) {
		last = pos;
		l->quota = 1;
		KUNIT_EXPECT_EQ(test, afsx_dir_iterate(&td->ed.rd, &pos, list_some, l), 0);
		if (pos >= (u64)td->ed.rd.nr_blocks * AFSX_DIR_SLOTS)
			break;
		KUNIT_EXPECT_GT(test, pos, last);
		/* Odd entries go, before or after they were listed; others stay. */
		if (i < 100 && i % 2) {
			test_dir_name(name, i, 4 + i % 40);
			KUNIT_EXPECT_EQ(test, test_dir_remove(td, name), 0);
		}
	}
	for (u32 i = 0; i < l->nr; i++)
		for (u32 k = i + 1; k < l->nr; k++)
			KUNIT_EXPECT_NE_MSG(test, l->vnode[i], l->vnode[k], "listed twice");
	for (u32 i = 0; i < l->nr; i++)
		kept += l->vnode[i] >= 1000 && l->vnode[i] % 2 == 0;
	KUNIT_EXPECT_EQ(test, kept, 50);
	l->quota = 10;
	pos = U64_MAX;
	KUNIT_EXPECT_EQ(test, afsx_dir_iterate(&td->ed.rd, &pos, list_some, l), 0);
	KUNIT_EXPECT_EQ(test, l->quota, 10);
}

static struct kunit_case dir_cases[] = {
	KUNIT_CASE(dir_hash),
	KUNIT_CASE(dir_slots),
	KUNIT_CASE(dir_layout_empty),
	KUNIT_CASE(dir_layout_long),
	KUNIT_CASE(dir_layout_chain),
	KUNIT_CASE(dir_layout_blocks),
	KUNIT_CASE(dir_names),
	KUNIT_CASE(dir_long_name),
	KUNIT_CASE(dir_long_name_damaged),
	KUNIT_CASE(dir_replace),
	KUNIT_CASE(dir_model_1),
	KUNIT_CASE(dir_model_13),
	KUNIT_CASE(dir_model_64),
	KUNIT_CASE(dir_model_3000),
	KUNIT_CASE_SLOW(dir_model_30000),
	KUNIT_CASE(dir_full),
	KUNIT_CASE(dir_hint),
	KUNIT_CASE(dir_edit_fails_whole),
	KUNIT_CASE(dir_iterate_resumes),
	{}
};

static struct kunit_suite dir_suite = {
	.name = "afsx-dir",
	.test_cases = dir_cases,
};

kunit_test_suite(dir_suite);
