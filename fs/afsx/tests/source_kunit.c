// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Mount sources: every form, what it prefers, and many that are wrong.
 *
 * The forms and the errors are those of the AFS client of Linux 6.12, except
 * that an over-long volume name gives -ENAMETOOLONG.
 */
#include <afsx/source.h>

#include "wire_util.h"

#define RW	AFSX_VOL_RW
#define RO	AFSX_VOL_RO
#define BK	AFSX_VOL_BACKUP

static const struct {
	const char *text;
	bool rwpath;
	const char *cell;
	const char *volume;
	enum afsx_voltype type;
	bool force;
	u32 vid;
	const char *canonical;
} good[] = {
	{ "%c:root.cell", false, "c", "root.cell", RW, true, 0, "%c:root.cell" },
	{ "%c:root.cell.", false, "c", "root.cell", RW, true, 0, "%c:root.cell" },
	{ "%root.cell", false, "", "root.cell", RW, true, 0, "%root.cell" },
	{ "%root.cell.", false, "", "root.cell", RW, true, 0, "%root.cell" },
	{ "#c:root.cell", false, "c", "root.cell", RO, false, 0, "#c:root.cell" },
	{ "#c:root.cell.", false, "c", "root.cell", RO, false, 0, "#c:root.cell" },
	{ "#root.cell", false, "", "root.cell", RO, false, 0, "#root.cell" },
	{ "#root.cell.", false, "", "root.cell", RO, false, 0, "#root.cell" },
	{ "#c:root.cell", true, "c", "root.cell", RW, true, 0, "%c:root.cell" },
	{ "#root.cell.", true, "", "root.cell", RW, true, 0, "%root.cell" },
	{ "%c:root.cell", true, "c", "root.cell", RW, true, 0, "%c:root.cell" },
	{ "%c:v.readonly", false, "c", "v", RO, true, 0, "#c:v.readonly" },
	{ "#c:v.readonly", false, "c", "v", RO, true, 0, "#c:v.readonly" },
	{ "#c:v.readonly", true, "c", "v", RO, true, 0, "#c:v.readonly" },
	{ "#v.readonly", false, "", "v", RO, true, 0, "#v.readonly" },
	{ "%v.readonly.", false, "", "v", RO, true, 0, "#v.readonly" },
	{ "%c:v.backup", false, "c", "v", BK, true, 0, "#c:v.backup" },
	{ "#c:v.backup", false, "c", "v", BK, true, 0, "#c:v.backup" },
	{ "#c:v.backup.", true, "c", "v", BK, true, 0, "#c:v.backup" },
	{ "#v.backup", false, "", "v", BK, true, 0, "#v.backup" },
	{ "%c:v.bogus", false, "c", "v.bogus", RW, true, 0, "%c:v.bogus" },
	{ "#c:v.readonl", false, "c", "v.readonl", RO, false, 0, "#c:v.readonl" },
	{ "#c:vreadonly", false, "c", "vreadonly", RO, false, 0, "#c:vreadonly" },
	{ "#c:v.Readonly", false, "c", "v.Readonly", RO, false, 0, "#c:v.Readonly" },
	{ "%EXAMPLE.ORG:user.jo_e-2", false, "EXAMPLE.ORG", "user.jo_e-2", RW, true, 0,
	  "%EXAMPLE.ORG:user.jo_e-2" },
	{ "%c:536870915", false, "c", "536870915", RW, true, 536870915, "%c:536870915" },
	{ "#c:536870916.", false, "c", "536870916", RO, false, 536870916, "#c:536870916" },
	{ "%1", false, "", "1", RW, true, 1, "%1" },
	{ "%007", false, "", "007", RW, true, 7, "%007" },
	{ "%4294967295", false, "", "4294967295", RW, true, 4294967295U, "%4294967295" },
	{ "#12.readonly", false, "", "12", RO, true, 12, "#12.readonly" },
	{ "%12a", false, "", "12a", RW, true, 0, "%12a" },
	{ "%c:.hidden", false, "c", ".hidden", RW, true, 0, "%c:.hidden" },
	{ "%v", false, "", "v", RW, true, 0, "%v" },
};

#define X10 "xxxxxxxxxx"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *text;
	int err;
} bad[] = {
	{ "", -EINVAL },
	{ "%", -EINVAL },
	{ "#", -EINVAL },
	{ "none", -EINVAL },
	{ "root.cell", -EINVAL },
	{ "root.cell.", -EINVAL },
	{ "c:root.cell", -EINVAL },
	{ "c:x", -EINVAL },
	{ "@c:x", -EINVAL },
	{ "$c:x", -EINVAL },
	{ " %c:x", -EINVAL },
	{ "/%c:x", -EINVAL },
	{ "%:", -EINVAL },
	{ "#:", -EINVAL },
	{ "%:x", -EINVAL },
	{ "#:x", -EINVAL },
	{ "%::", -EINVAL },
	{ "%::x", -EINVAL },
	{ "%.c:x", -EINVAL },
	{ "%..:x", -EINVAL },
	{ "%a/b:x", -EINVAL },
	{ "%/:x", -EINVAL },
	{ "%a@b:x", -EINVAL },
	{ "%a b:x", -EINVAL },
	{ "%a\tb:x", -EINVAL },
	{ "%a\x7f:x", -EINVAL },
	{ "%caf\xc3\xa9:x", -EINVAL },
	{ "%%c:x", -EINVAL },
	{ "##c:x", -EINVAL },
	{ "%c:a/b", -EINVAL },
	{ "%c:/", -EINVAL },
	{ "%a/b", -EINVAL },
	{ "%c:v:x", -EINVAL },
	{ "%c:v:", -EINVAL },
	{ "%c v", -EINVAL },
	{ "%c:v ", -EINVAL },
	{ "%c: v", -EINVAL },
	{ "%c:v\n", -EINVAL },
	{ "%c:v\x01", -EINVAL },
	{ "%c:\xff", -EINVAL },
	{ "%c:%v", -EINVAL },
	{ "%c:#v", -EINVAL },
	{ "%c:v..", -EINVAL },
	{ "%v...", -EINVAL },
	{ "%c:v.readonly.readonly", -EINVAL },
	{ "%c:v.backup.readonly", -EINVAL },
	{ "%c:v..readonly", -EINVAL },
	{ "%c:0", -EINVAL },
	{ "%000", -EINVAL },
	{ "%4294967296", -EINVAL },
	{ "%99999999999999999999999999", -EINVAL },
	{ "%0.readonly", -EINVAL },
	{ "%" X50 X50 X50 X50 X50 "xxxx:v", -EINVAL },
	{ "%" X50 X50 X50 X50 X50 X50 ":v", -EINVAL },
	{ "%c:", -ENOMEDIUM },
	{ "#c:", -ENOMEDIUM },
	{ "%c:.", -ENOMEDIUM },
	{ "%.", -ENOMEDIUM },
	{ "#.", -ENOMEDIUM },
	{ "%.readonly", -ENOMEDIUM },
	{ "%c:.backup", -ENOMEDIUM },
	{ "%c:.backup.", -ENOMEDIUM },
	{ "%c:" X50 X10 "xxxxx", -ENAMETOOLONG },
	{ "%c:" X50 X10 X10, -ENAMETOOLONG },
	{ "%" X50 X10 X10 ".readonly", -ENAMETOOLONG },
};

static bool str_is(const struct afsx_str *s, const char *text)
{
	return s->len == strlen(text) && (!s->len || !memcmp(s->p, text, s->len));
}

/* A copy without a NUL, at the end of an allocation of its own */
static const char *bare_copy(struct kunit *test, const char *text)
{
	size_t len = strlen(text);
	char *copy = kunit_kzalloc(test, len ?: 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, copy);
	memcpy(copy, text, len);
	return copy;
}

static void source_good(struct kunit *test)
{
	struct afsx_source src;
	const char *why;

	for (u32 i = 0; i < ARRAY_SIZE(good); i++) {
		const char *s = good[i].text;

		KUNIT_EXPECT_EQ_MSG(test, afsx_source_parse(bare_copy(test, s), strlen(s),
							    good[i].rwpath, &src, &why), 0,
				    "%s: %s", s, why);
		KUNIT_EXPECT_EQ_MSG(test, src.sigil, *s, "%s", s);
		KUNIT_EXPECT_TRUE_MSG(test, str_is(&src.cell, good[i].cell), "%s", s);
		KUNIT_EXPECT_TRUE_MSG(test, str_is(&src.volume, good[i].volume), "%s", s);
		KUNIT_EXPECT_EQ_MSG(test, src.type, good[i].type, "%s", s);
		KUNIT_EXPECT_EQ_MSG(test, src.force, good[i].force, "%s", s);
		KUNIT_EXPECT_EQ_MSG(test, src.numeric, !!good[i].vid, "%s", s);
		KUNIT_EXPECT_EQ_MSG(test, src.vid, good[i].vid, "%s", s);
	}
}

static void source_bad(struct kunit *test)
{
	struct afsx_source src;
	const char *why;

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *s = bad[i].text;

		for (u32 rwpath = 0; rwpath < 2; rwpath++) {
			why = NULL;
			KUNIT_EXPECT_EQ_MSG(test,
					    afsx_source_parse(bare_copy(test, s), strlen(s),
							      rwpath, &src, &why),
					    bad[i].err, "'%s'", s);
			KUNIT_EXPECT_TRUE_MSG(test, why && *why, "no reason for '%s'", s);
		}
	}
	KUNIT_EXPECT_EQ(test, afsx_source_parse("%c\0:v", 5, false, &src, &why), -EINVAL);
	KUNIT_EXPECT_EQ(test, afsx_source_parse("%c:v\0", 5, false, &src, &why), -EINVAL);
	KUNIT_EXPECT_EQ(test, afsx_source_parse(NULL, 0, false, &src, &why), -EINVAL);
}

/* However long, a text is refused for what is wrong with it, and not read for ever. */
static void source_endless(struct kunit *test)
{
	char *text = kunit_kzalloc(test, PATH_MAX + 1, GFP_KERNEL);
	struct afsx_source src;
	const char *why;

	KUNIT_ASSERT_NOT_NULL(test, text);
	memset(text, 'v', PATH_MAX + 1);
	text[0] = '%';
	KUNIT_EXPECT_EQ(test, afsx_source_parse(text, PATH_MAX, false, &src, &why), -ENAMETOOLONG);
	KUNIT_EXPECT_EQ(test, afsx_source_parse(text, PATH_MAX + 1, false, &src, &why), -EINVAL);
	KUNIT_EXPECT_STREQ(test, why, "too long");
}

/* The longest names go through, to the byte. */
static void source_limits(struct kunit *test)
{
	static const char longest[] = "%" X50 X50 X50 X50 X50 "xxx:" X50 X10 "xxxx.readonly.";
	struct afsx_source src;
	char buf[AFSX_SOURCE_BUF];
	const char *why;

	KUNIT_EXPECT_EQ(test, afsx_source_parse(longest, sizeof(longest) - 1, false, &src, &why),
			0);
	KUNIT_EXPECT_EQ(test, src.cell.len, 253);
	KUNIT_EXPECT_EQ(test, src.volume.len, 64);
	KUNIT_EXPECT_EQ(test, afsx_source_format(buf, sizeof(buf), &src), sizeof(buf) - 1);
	KUNIT_EXPECT_EQ(test, strlen(buf), sizeof(buf) - 1);
	KUNIT_EXPECT_EQ(test, afsx_source_format(buf, sizeof(buf) - 1, &src), -ENAMETOOLONG);
}

static void source_format(struct kunit *test)
{
	struct afsx_source src;
	const char *why;
	char buf[AFSX_SOURCE_BUF];

	for (u32 i = 0; i < ARRAY_SIZE(good); i++) {
		int len = (int)strlen(good[i].canonical);

		afsx_source_parse(good[i].text, strlen(good[i].text), good[i].rwpath, &src, &why);
		KUNIT_EXPECT_EQ(test, afsx_source_format(buf, sizeof(buf), &src), len);
		KUNIT_EXPECT_STREQ(test, buf, good[i].canonical);
		/* In every shorter buffer: cut, terminated, and said to be cut. */
		for (int size = 0; size <= len; size++) {
			memset(buf, '!', sizeof(buf));
			KUNIT_EXPECT_EQ(test, afsx_source_format(buf, (size_t)size, &src),
					-ENAMETOOLONG);
			KUNIT_EXPECT_EQ(test, buf[size], '!');
			if (size) {
				KUNIT_EXPECT_EQ(test, strlen(buf), size - 1);
				KUNIT_EXPECT_MEMEQ(test, buf, good[i].canonical, size - 1);
			}
		}
	}
}

/* The canonical form means what the original meant. */
static void source_round_trip(struct kunit *test)
{
	struct afsx_source a, b;
	const char *why;

	for (u32 i = 0; i < ARRAY_SIZE(good); i++) {
		const char *text = good[i].text, *canonical = good[i].canonical;

		afsx_source_parse(text, strlen(text), good[i].rwpath, &a, &why);
		KUNIT_EXPECT_EQ_MSG(test, afsx_source_parse(canonical, strlen(canonical), false, &b,
							    &why), 0, "%s", canonical);
		KUNIT_EXPECT_EQ_MSG(test, a.type, b.type, "%s", text);
		KUNIT_EXPECT_EQ_MSG(test, a.force, b.force, "%s", text);
		KUNIT_EXPECT_EQ_MSG(test, a.vid, b.vid, "%s", text);
	}
}

/* By row: what is wanted; by column: bit 0 R/W exists, bit 1 R/O, bit 2 backup. */
static void source_pick(struct kunit *test)
{
	static const int no = -ENOMEDIUM;
	static const struct {
		const char *text;
		int want[8];
	} rows[] = {
		{ "%v", { no, RW, no, RW, no, RW, no, RW } },
		{ "#v", { no, RW, RO, RO, no, RW, RO, RO } },
		{ "#v.readonly", { no, no, RO, RO, no, no, RO, RO } },
		{ "%v.readonly", { no, no, RO, RO, no, no, RO, RO } },
		{ "#v.backup", { no, no, no, no, BK, BK, BK, BK } },
		{ "%v.backup", { no, no, no, no, BK, BK, BK, BK } },
	};
	struct afsx_source src;
	const char *why;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		afsx_source_parse(rows[i].text, strlen(rows[i].text), false, &src, &why);
		for (u32 n = 0; n < 8; n++)
			KUNIT_EXPECT_EQ_MSG(test, afsx_source_pick(&src, n << 12), rows[i].want[n],
					    "%s of %u", rows[i].text, n);
	}
}

static struct kunit_case source_cases[] = {
	KUNIT_CASE(source_good),
	KUNIT_CASE(source_bad),
	KUNIT_CASE(source_endless),
	KUNIT_CASE(source_limits),
	KUNIT_CASE(source_format),
	KUNIT_CASE(source_round_trip),
	KUNIT_CASE(source_pick),
	{}
};

static struct kunit_suite source_suite = {
	.name = "afsx-source",
	.test_cases = source_cases,
};

kunit_test_suite(source_suite);
