// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A directory blob in memory.
 */
#include "dir_util.h"

static bool may_go_on(struct test_dir *td)
{
	if (td->fail_after < 0)
		return true;
	return td->fail_after-- > 0;
}

static const void *read_block(void *ctx, u32 nr)
{
	struct test_dir *td = ctx;

	KUNIT_EXPECT_LT(td->test, nr, td->ed.rd.nr_blocks);
	td->reads++;
	return may_go_on(td) ? td->blk[nr] : NULL;
}

static void *modify_block(void *ctx, u32 nr)
{
	struct test_dir *td = ctx;

	KUNIT_EXPECT_LE(td->test, nr, td->ed.rd.nr_blocks);
	KUNIT_ASSERT_LT(td->test, nr, AFSX_DIR_MAX_BLOCKS);
	td->modifies++;
	if (!may_go_on(td))
		return NULL;
	if (nr == td->ed.rd.nr_blocks && !td->blk[nr])
		td->blk[nr] = kunit_kzalloc(td->test, AFSX_DIR_BLOCK_SIZE, GFP_KERNEL);
	return td->blk[nr];
}

struct test_dir *test_dir_blob(struct kunit *test)
{
	struct test_dir *td = kunit_kzalloc(test, sizeof(*td), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, td);
	td->test = test;
	td->fail_after = -1;
	td->ed.rd.block = read_block;
	td->ed.rd.ctx = td;
	td->ed.modify = modify_block;
	return td;
}

struct test_dir *test_dir_new(struct kunit *test)
{
	struct test_dir *td = test_dir_blob(test);

	KUNIT_ASSERT_EQ(test, afsx_dir_init(&td->ed, &TEST_SELF, &TEST_PARENT), 0);
	return td;
}

int test_dir_add(struct test_dir *td, const char *name, u32 vnode)
{
	const struct afsx_fid fid = { .vnode = vnode, .unique = vnode + 1000000 };

	return afsx_dir_add(&td->ed, name, (u32)strlen(name), &fid);
}

int test_dir_remove(struct test_dir *td, const char *name)
{
	struct afsx_fid fid;

	return afsx_dir_remove(&td->ed, name, (u32)strlen(name), &fid);
}

int test_dir_lookup(struct test_dir *td, const char *name)
{
	struct afsx_fid fid = {};
	int ret = afsx_dir_lookup(&td->ed.rd, name, (u32)strlen(name), &fid);

	return ret ?: (int)fid.vnode;
}

void test_dir_name(char *buf, u32 nr, u32 len)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	u32 i;

	for (i = 0; i < 4; i++, nr /= 36)
		buf[i] = digits[nr % 36];
	for (; i < len; i++)
		buf[i] = digits[(i * 7 + len) % 36];
	buf[i] = '\0';
}

void test_dir_check(struct test_dir *td)
{
	const struct afsx_dir_head *head = (const void *)td->blk[0];

	for (u32 b = 0; b < td->ed.rd.nr_blocks; b++) {
		const struct afsx_dir_hdr *hdr = (const void *)td->blk[b];
		u32 nr_free = 0;

		KUNIT_EXPECT_EQ_MSG(td->test, afsx_dir_check_block(hdr, b), 0, "block %u", b);
		for (u32 i = 0; i < AFSX_DIR_SLOTS; i++)
			nr_free += !(hdr->bitmap[i / 8] >> (i % 8) & 1);
		if (b < AFSX_DIR_CTR_BLOCKS)
			KUNIT_EXPECT_EQ_MSG(td->test, head->free[b], nr_free, "block %u", b);
	}
	for (u32 b = td->ed.rd.nr_blocks; b < AFSX_DIR_CTR_BLOCKS; b++)
		KUNIT_EXPECT_EQ_MSG(td->test, head->free[b], AFSX_DIR_SLOTS, "block %u", b);
	KUNIT_EXPECT_EQ(td->test, get_unaligned_be16(head->hdr.nr_blocks), td->ed.rd.nr_blocks);
}
