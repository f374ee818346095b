// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Abort codes by number, as the error tables of AFS assign them.
 */
#include "wire_util.h"

static const struct {
	s32 abort;
	int err;
} codes[] = {
	{ 0, 0 }, { 1, -EPERM }, { 2, -ENOENT }, { 13, -EACCES }, { 30, -EROFS }, { 34, -ERANGE },
	/* above 34 systems differ, so a raw number says nothing */
	{ 35, -EREMOTEIO }, { 39, -EREMOTEIO }, { 100, -EREMOTEIO },
	{ -1, -ETIMEDOUT }, { -3, -ETIMEDOUT }, { -5, -EPROTO }, { -100, -EBUSY },
	{ -453, -EPROTO }, { -455, -EOPNOTSUPP },
	{ 101, -EIO }, { 102, -ENOENT }, { 103, -ENOMEDIUM }, { 104, -EEXIST }, { 105, -ENODEV },
	{ 106, -ENODEV }, { 107, -EEXIST }, { 108, -ENOSPC }, { 109, -EDQUOT }, { 110, -EBUSY },
	{ 111, -ENXIO }, { 112, -EIO }, { 113, -EBUSY }, { 120, -EACCES },
	{ 363524, -ENOMEDIUM }, { 363526, -ENOMEDIUM }, { 363527, -EINVAL }, { 363546, -EACCES },
	{ 363521, -EREMOTEIO }, { 363552, -EREMOTEIO },
	{ 19270405, -EKEYREJECTED }, { 19270408, -EKEYREJECTED }, { 19270409, -EKEYEXPIRED },
	{ 49733376, -EPERM }, { 49733377, -ENOENT }, { 49733388, -EACCES }, { 49733392, -EEXIST },
	{ 49733393, -EXDEV }, { 49733395, -ENOTDIR }, { 49733396, -EISDIR }, { 49733397, -EINVAL },
	{ 49733402, -EFBIG }, { 49733403, -ENOSPC }, { 49733405, -EROFS }, { 49733410, -EDEADLK },
	{ 49733411, -ENAMETOOLONG }, { 49733412, -ENOLCK }, { 49733413, -EOPNOTSUPP },
	{ 49733414, -ENOTEMPTY }, { 49733415, -ELOOP }, { 49733416, -EAGAIN },
	{ 49733432, -EBADSLT }, { 49733433, -EBFONT }, { 49733459, -ERESTART },
	{ 49733469, -EOPNOTSUPP }, { 49733484, -ETIMEDOUT }, { 49733490, -ESTALE },
	{ 49733495, -EREMOTEIO }, { 49733496, -EDQUOT }, { 49733497, -ENOMEDIUM },
	{ 49733498, -EMEDIUMTYPE },
	{ 49733499, -EREMOTEIO }, { 49733375, -EREMOTEIO },
	{ S32_MAX, -EREMOTEIO }, { S32_MIN, -EREMOTEIO },
};

static void abort_to_errno(struct kunit *test)
{
	for (u32 i = 0; i < ARRAY_SIZE(codes); i++)
		KUNIT_EXPECT_EQ_MSG(test, afsx_abort_to_errno(codes[i].abort), codes[i].err,
				    "%d", codes[i].abort);
}

static void errno_to_abort(struct kunit *test)
{
	static const struct {
		int err;
		s32 abort;
	} rows[] = {
		{ 0, 0 }, { -EPERM, 49733376 }, { -ENOENT, 49733377 }, { -EIO, 49733380 },
		{ -EAGAIN, 49733386 }, { -EACCES, 49733388 }, { -EOPNOTSUPP, 49733469 },
		{ -ESTALE, 49733490 }, { -EDQUOT, 49733496 }, { -EMEDIUMTYPE, 49733498 },
		/* no unified code of their own */
		{ -ENOKEY, 49733380 }, { -4095, 49733380 }, { 5, 49733380 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_EQ_MSG(test, afsx_errno_to_abort(rows[i].err), rows[i].abort, "%d",
				    rows[i].err);
}

/* Whatever a server aborts with, the caller gets an errno, and it survives the way back. */
static void abort_both_ways(struct kunit *test)
{
	for (s32 abort = AFSX_UAE_BASE; abort < AFSX_UAE_BASE + AFSX_UAE_COUNT; abort++) {
		int err = afsx_abort_to_errno(abort);

		KUNIT_EXPECT_LT(test, err, 0);
		KUNIT_EXPECT_GT(test, err, -4096);
		KUNIT_EXPECT_EQ_MSG(test, afsx_abort_to_errno(afsx_errno_to_abort(err)), err, "%d",
				    abort);
	}
	for (s32 abort = -1000; abort < 1000; abort++)
		KUNIT_EXPECT_EQ_MSG(test, afsx_abort_to_errno(abort) < 0, abort != 0, "%d", abort);
}

static struct kunit_case abort_cases[] = {
	KUNIT_CASE(abort_to_errno),
	KUNIT_CASE(errno_to_abort),
	KUNIT_CASE(abort_both_ways),
	{}
};

static struct kunit_suite abort_suite = {
	.name = "afsx-abort",
	.test_cases = abort_cases,
};

kunit_test_suite(abort_suite);
