// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The arithmetic of df, done by hand, in KiB.
 */
#include <afsx/statfs.h>

#include "wire_util.h"

#define MOST S32_MAX
#define LEAST S32_MIN

static const struct {
	const char *what;
	s32 quota, used, avail, part;
	bool readonly;
	u64 blocks, bfree, bavail;
} rows[] = {
	{ "quota the limit", 5000, 1200, 90000, 100000, false, 5000, 3800, 3800 },
	{ "partition the limit", 5000, 1200, 700, 100000, false, 5000, 3800, 700 },
	{ "partition full", 5000, 1200, 0, 100000, false, 5000, 3800, 0 },
	{ "quota beyond the partition", 500000, 1200, 90000, 100000, false, 500000, 498800, 90000 },
	{ "no quota", 0, 1200, 90000, 100000, false, 100000, 90000, 90000 },
	{ "no quota, partition full", 0, 1200, 0, 100000, false, 100000, 0, 0 },
	{ "empty volume", 5000, 0, 90000, 100000, false, 5000, 5000, 5000 },
	{ "quota used up", 5000, 5000, 90000, 100000, false, 5000, 0, 0 },
	{ "over quota", 5000, 7000, 90000, 100000, false, 5000, 0, 0 },
	{ "far over quota", 1, MOST, 90000, 100000, false, 1, 0, 0 },
	{ "read-only with quota", 5000, 1200, 90000, 100000, true, 5000, 3800, 0 },
	{ "read-only without", 0, 1200, 90000, 100000, true, 100000, 90000, 0 },
	{ "largest everything", MOST, 0, MOST, MOST, false, 2147483647, 2147483647, 2147483647 },
	{ "more available than there is", 0, 0, 900, 100, false, 100, 100, 100 },
	{ "the same with a quota", 5000, 0, 900, 100, false, 5000, 5000, 100 },
	{ "negative quota", -1, 1200, 90000, 100000, false, 100000, 90000, 90000 },
	{ "smallest quota", LEAST, 0, 1, 2, false, 2, 1, 1 },
	{ "negative usage", 5000, -7, 90000, 100000, false, 5000, 5000, 5000 },
	{ "negative availability", 5000, 1200, -7, 100000, false, 5000, 3800, 0 },
	{ "negative partition", 0, 1200, 5, -7, false, 0, 0, 0 },
	{ "smallest everything", LEAST, LEAST, LEAST, LEAST, false, 0, 0, 0 },
	{ "nothing", 0, 0, 0, 0, false, 0, 0, 0 },
};

static void statfs_table(struct kunit *test)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct afsx_volstatus vs = {
			.max_quota = rows[i].quota, .blocks_in_use = rows[i].used,
			.part_avail = rows[i].avail, .part_max = rows[i].part,
		};
		struct afsx_statfs s;

		afsx_statfs_from(&vs, rows[i].readonly, &s);
		KUNIT_EXPECT_EQ_MSG(test, s.blocks, rows[i].blocks, "%s", rows[i].what);
		KUNIT_EXPECT_EQ_MSG(test, s.bfree, rows[i].bfree, "%s", rows[i].what);
		KUNIT_EXPECT_EQ_MSG(test, s.bavail, rows[i].bavail, "%s", rows[i].what);
		KUNIT_EXPECT_LE_MSG(test, s.bavail, s.bfree, "%s", rows[i].what);
		KUNIT_EXPECT_LE_MSG(test, s.bfree, s.blocks, "%s", rows[i].what);
	}
}

static struct kunit_case statfs_cases[] = {
	KUNIT_CASE(statfs_table),
	{}
};

static struct kunit_suite statfs_suite = {
	.name = "afsx-statfs",
	.test_cases = statfs_cases,
};

kunit_test_suite(statfs_suite);
