// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Directory blobs as a hostile or broken server could send them: every answer is
 * an error, and the work is bounded.
 */
#include "dir_util.h"

/*
 * The directory that the rows below damage: "." in slot 13, ".." in 14,
 * "victim" in 15, a name of 60 bytes in 16..18, names of 255 bytes up to the end
 * of block 0 and in slots 65..73.
 */
#define LONG_NAME "long-long-long-long-long-long-long-long-long-long-long-name-"
#define BUCKET(n)	(160 + 2 * (n))
#define SLOT(n)		((n) * 32)

static struct test_dir *make_victim(struct kunit *test)
{
	struct test_dir *td = test_dir_new(test);
	char name[AFSX_NAME_MAX + 1];

	KUNIT_ASSERT_EQ(test, test_dir_add(td, "victim", 2), 0);
	KUNIT_ASSERT_EQ(test, test_dir_add(td, LONG_NAME, 4), 0);
	for (u32 i = 0; i < 6; i++) {
		test_dir_name(name, i, 255);
		KUNIT_ASSERT_EQ(test, test_dir_add(td, name, 10 + i), 0);
	}
	KUNIT_ASSERT_EQ(test, td->ed.rd.nr_blocks, 2);
	return td;
}

static bool take_all(void *ctx, const char *name, u32 len, u32 vnode, u32 unique, u64 pos)
{
	return true;
}

static int list(struct test_dir *td)
{
	u64 pos = 0;

	return afsx_dir_iterate(&td->ed.rd, &pos, take_all, NULL);
}

/* Damage inside a block: seen by the check, by listing and by lookup. */
static const struct {
	const char *what;
	u32 at;
	u8 value;
	bool lookup_fails;	/* of "victim" */
} damage[] = {
	{ "magic number", 2, 0, true },
	{ "magic number, low byte", 3, 0xd3, true },
	{ "header slot free", 5, 0xfe, true },
	{ "hash table slot free", 6, 0xef, true },
	{ "first slot free though reserved", 5, 0x7f, true },
	{ "entry without the flag", SLOT(15), 0, true },
	{ "entry with another flag", SLOT(15), 3, true },
	{ "empty name", SLOT(15) + 12, 0, true },
	{ "slash in the name", SLOT(15) + 14, '/', true },
	{ "second slot of the long name free", 7, 0xfd, false },
	{ "name runs into the next entry", SLOT(15) + 18, 'x', false },
};

static void dir_hostile_block(struct kunit *test)
{
	for (u32 i = 0; i < ARRAY_SIZE(damage); i++) {
		struct test_dir *td = make_victim(test);
		const char *what = damage[i].what;

		KUNIT_EXPECT_EQ(test, afsx_dir_check_block(td->blk[0], 0), 0);
		KUNIT_EXPECT_NE_MSG(test, td->blk[0][damage[i].at], damage[i].value, "%s", what);
		td->blk[0][damage[i].at] = damage[i].value;
		if (damage[i].at == SLOT(15) + 18) /* "victim" grows to 20 bytes and beyond */
			memset(td->blk[0] + SLOT(15) + 12, 'x', 20);
		KUNIT_EXPECT_EQ_MSG(test, afsx_dir_check_block(td->blk[0], 0), -EIO, "%s", what);
		KUNIT_EXPECT_EQ_MSG(test, list(td), -EIO, "%s", what);
		if (damage[i].lookup_fails)
			KUNIT_EXPECT_EQ_MSG(test, test_dir_lookup(td, "victim"), -EIO, "%s", what);
	}
}

/* A name whose NUL is missing must not be read past the block, or be too long. */
static void dir_hostile_unterminated(struct kunit *test)
{
	struct test_dir *td = make_victim(test);
	u8 *blk = td->blk[1];

	/* The last slot of block 1 as an entry whose name fills it */
	blk[5 + 7] |= 0x80;
	memset(blk + SLOT(63), 'n', 32);
	blk[SLOT(63)] = 1;
	put_unaligned_be16(127, td->blk[0] + BUCKET(afsx_dir_hash("victim", 6)));
	KUNIT_EXPECT_EQ(test, test_dir_lookup(td, "victim"), -EIO);
	KUNIT_EXPECT_EQ(test, list(td), -EIO);
	KUNIT_EXPECT_EQ(test, afsx_dir_check_block(blk, 1), -EIO);
	/* It would be good if the NUL were there and the name took one slot, */
	blk[SLOT(63) + 12 + 15] = 0;
	KUNIT_EXPECT_EQ(test, afsx_dir_check_block(blk, 1), 0);
	/* but 16 bytes take two, and the second is past the end. */
	blk[SLOT(63) + 12 + 15] = 'n';
	blk[SLOT(63) + 12 + 16] = 0;
	KUNIT_EXPECT_EQ(test, afsx_dir_check_block(blk, 1), -EIO);

	/* One byte more than the longest name, though its slots would hold it */
	td = make_victim(test);
	blk = td->blk[1];
	KUNIT_EXPECT_EQ(test, blk[SLOT(1) + 12 + 255], 0);
	blk[SLOT(1) + 12 + 255] = 'n';
	KUNIT_EXPECT_EQ(test, afsx_dir_check_block(blk, 1), -EIO);
}

/* A vnode of 0 would be the whole volume. */
static void dir_hostile_vnode(struct kunit *test)
{
	struct test_dir *td = make_victim(test);

	put_unaligned_be32(0, td->blk[0] + SLOT(15) + 4);
	KUNIT_EXPECT_EQ(test, test_dir_lookup(td, "victim"), -EIO);
	KUNIT_EXPECT_EQ(test, afsx_dir_check_block(td->blk[0], 0), -EIO);
}

/* Where a hash chain must not lead */
static const struct {
	const char *what;
	u16 slot;
} chains[] = {
	{ "the block header", 1 },
	{ "the hash table", 12 },
	{ "the header of block 1", 64 },
	{ "the second slot of an entry", 17 },
	{ "a free slot", 74 },
	{ "the first slot past the end", 128 },
	{ "a slot far past the end", 0xffff },
};

static void dir_hostile_chain(struct kunit *test)
{
	u32 bucket = BUCKET(afsx_dir_hash("victim", 6));
	struct afsx_fid fid;

	for (u32 i = 0; i < ARRAY_SIZE(chains); i++) {
		struct test_dir *td = make_victim(test);
		const char *to = chains[i].what;

		/* as the head of the chain, and behind a good entry */
		put_unaligned_be16(chains[i].slot, td->blk[0] + bucket);
		KUNIT_EXPECT_EQ_MSG(test, test_dir_lookup(td, "victim"), -EIO, "%s", to);
		put_unaligned_be16(16, td->blk[0] + bucket);
		put_unaligned_be16(chains[i].slot, td->blk[0] + SLOT(16) + 2);
		KUNIT_EXPECT_EQ_MSG(test, test_dir_lookup(td, "victim"), -EIO, "%s", to);
		KUNIT_EXPECT_EQ_MSG(test, test_dir_add(td, "victim", 5), -EIO, "%s", to);
		KUNIT_EXPECT_EQ_MSG(test, afsx_dir_remove(&td->ed, "victim", 6, &fid), -EIO,
				    "%s", to);
	}
}

/* Chains that bite their tail: a lookup ends after as many steps as there are slots. */
static void dir_hostile_loop(struct kunit *test)
{
	u32 bucket = BUCKET(afsx_dir_hash("nobody", 6));
	struct test_dir *td = make_victim(test);

	put_unaligned_be16(15, td->blk[0] + bucket);
	put_unaligned_be16(15, td->blk[0] + SLOT(15) + 2);
	td->reads = 0;
	KUNIT_EXPECT_EQ(test, test_dir_lookup(td, "nobody"), -EIO);
	KUNIT_EXPECT_LE(test, td->reads, 2 * 64 + 1);
	put_unaligned_be16(16, td->blk[0] + SLOT(15) + 2);
	put_unaligned_be16(13, td->blk[0] + SLOT(16) + 2);
	put_unaligned_be16(15, td->blk[0] + SLOT(13) + 2);
	td->reads = 0;
	KUNIT_EXPECT_EQ(test, test_dir_lookup(td, "nobody"), -EIO);
	KUNIT_EXPECT_LE(test, td->reads, 2 * 64 + 1);
	KUNIT_EXPECT_EQ(test, test_dir_add(td, "nobody", 2), -EIO);
}

/* Sizes no directory has, and blocks that cannot be read */
static void dir_hostile_size(struct kunit *test)
{
	struct test_dir *td = make_victim(test);

	td->ed.rd.nr_blocks = 0;
	KUNIT_EXPECT_EQ(test, test_dir_lookup(td, "victim"), -EIO);
	KUNIT_EXPECT_EQ(test, list(td), 0);
	td->ed.rd.nr_blocks = 1024;
	KUNIT_EXPECT_EQ(test, test_dir_lookup(td, "victim"), -EIO);
	KUNIT_EXPECT_EQ(test, list(td), -EIO);
	td->ed.rd.nr_blocks = 2;
	for (s32 n = 0; n < 2; n++) {
		td->fail_after = n;
		KUNIT_EXPECT_EQ(test, test_dir_lookup(td, "victim"), -EIO);
		td->fail_after = n;
		KUNIT_EXPECT_EQ(test, list(td), -EIO);
	}
}

/* An editor must not trust free counts, nor take slots that are reserved. */
static void dir_hostile_counts(struct kunit *test)
{
	struct test_dir *td = test_dir_new(test);
	char name[AFSX_NAME_MAX + 1];

	for (u32 i = 0; i < 49; i++) {
		test_dir_name(name, i, 4);
		KUNIT_ASSERT_EQ(test, test_dir_add(td, name, i + 1), 0);
	}
	td->blk[0][32] = 255;	/* full, says the bitmap */
	KUNIT_EXPECT_EQ(test, test_dir_add(td, "new", 1), 0);
	KUNIT_EXPECT_EQ(test, td->ed.rd.nr_blocks, 2);
	KUNIT_EXPECT_EQ(test, test_dir_lookup(td, "new"), 1);
	td->blk[0][32] = 0;
	td->blk[1][5] &= 0xfe;	/* the header of block 1 is free? */
	KUNIT_EXPECT_EQ(test, test_dir_add(td, "newer", 1), -EIO);
	KUNIT_EXPECT_EQ(test, get_unaligned_be16(td->blk[1] + 2), 1234);
}

/* Random damage: nothing but bounded work and an error or an answer. */
static void dir_hostile_random(struct kunit *test)
{
	struct test_dir *td = make_victim(test);
	u8 *good = kunit_kzalloc(test, 2 * AFSX_DIR_BLOCK_SIZE, GFP_KERNEL);
	u32 seed = 0x1d872b41;
	struct afsx_fid fid;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, good);
	memcpy(good, td->blk[0], AFSX_DIR_BLOCK_SIZE);
	memcpy(good + AFSX_DIR_BLOCK_SIZE, td->blk[1], AFSX_DIR_BLOCK_SIZE);
	for (u32 round = 0; round < 3000; round++) {
		for (u32 n = afsx_test_rand(&seed) % 8; n; n--) {
			u32 r = afsx_test_rand(&seed);

			/* mostly where the structure is */
			td->blk[r & 1][(r >> 1) % (r & 0x10000 ? 2048 : 608)] = (u8)(r >> 24);
		}
		td->reads = 0;
		ret = afsx_dir_lookup(&td->ed.rd, "victim", 6, &fid);
		KUNIT_EXPECT_TRUE(test, !ret || ret == -ENOENT || ret == -EIO);
		test_dir_lookup(td, LONG_NAME);
		test_dir_add(td, "one more", 3);
		test_dir_remove(td, "victim");
		ret = list(td);
		KUNIT_EXPECT_TRUE(test, !ret || ret == -EIO);
		KUNIT_EXPECT_LE(test, td->reads, 5 * 193 + 10);
		td->ed.rd.nr_blocks = 2;
		memcpy(td->blk[0], good, AFSX_DIR_BLOCK_SIZE);
		memcpy(td->blk[1], good + AFSX_DIR_BLOCK_SIZE, AFSX_DIR_BLOCK_SIZE);
	}
}

static struct kunit_case dir_hostile_cases[] = {
	KUNIT_CASE(dir_hostile_block),
	KUNIT_CASE(dir_hostile_unterminated),
	KUNIT_CASE(dir_hostile_vnode),
	KUNIT_CASE(dir_hostile_chain),
	KUNIT_CASE(dir_hostile_loop),
	KUNIT_CASE(dir_hostile_size),
	KUNIT_CASE(dir_hostile_counts),
	KUNIT_CASE(dir_hostile_random),
	{}
};

static struct kunit_suite dir_hostile_suite = {
	.name = "afsx-dir-hostile",
	.test_cases = dir_hostile_cases,
};

kunit_test_suite(dir_hostile_suite);
