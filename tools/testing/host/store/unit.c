// SPDX-License-Identifier: MIT
/*
 * store-test unit: the parts of the store that need no device. Expected values come
 * from RFC 3720 and from arithmetic, not from the code under test.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "crc32c.h"
#include "le.h"
#include "sb.h"
#include "size.h"
#include "store-test.h"
#include "store_warm.h"

static int bad;

#define EXPECT(cond)							\
do {									\
	if (!(cond)) {							\
		printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
		bad = 1;						\
	}								\
} while (0)

/* RFC 3720, appendix B.4 */
static void test_crc32c(void)
{
	u8 buf[32];

	memset(buf, 0, sizeof(buf));
	EXPECT(crc32c(0, buf, sizeof(buf)) == 0x8a9136aa);
	EXPECT(crc32c_table(0, buf, sizeof(buf)) == 0x8a9136aa);
	memset(buf, 0xff, sizeof(buf));
	EXPECT(crc32c(0, buf, sizeof(buf)) == 0x62a8ab43);
	EXPECT(crc32c_table(0, buf, sizeof(buf)) == 0x62a8ab43);
	for (u8 i = 0; i < sizeof(buf); i++)
		buf[i] = i;
	EXPECT(crc32c(0, buf, sizeof(buf)) == 0x46dd794e);
	EXPECT(crc32c_table(0, buf, sizeof(buf)) == 0x46dd794e);
	/* in two pieces, at odd addresses */
	EXPECT(crc32c(crc32c(0, buf, 5), buf + 5, 27) == 0x46dd794e);
	EXPECT(crc32c_table(crc32c_table(0, buf, 5), buf + 5, 27) == 0x46dd794e);
}

/* Of pieces that are made side by side, and those left over. */
static void test_crc32c_each(void)
{
	static const u32 of_32[] = { 0x8a9136aa, 0x62a8ab43, 0x46dd794e, 0x113fdb5c };
	u8 buf[11 * 32];
	u32 crcs[12];

	for (size_t i = 0; i < sizeof(buf); i++) {
		u8 k = i % 32, bytes[] = { 0, 0xff, k, 31 - k };

		buf[i] = bytes[i / 32 % 4];
	}
	for (size_t nr = 0; nr <= 11; nr++) {
		memset(crcs, 0, sizeof(crcs));
		crc32c_each(buf, 32, nr, crcs);
		for (size_t i = 0; i < nr; i++)
			EXPECT(crcs[i] == of_32[i % 4]);
		EXPECT(!crcs[nr]);
	}
	/* a length that is no multiple of what the instruction takes */
	memcpy(buf, "123456789123456789123456789123456789", 36);
	crc32c_each(buf, 9, 4, crcs);
	for (size_t i = 0; i < 4; i++)
		EXPECT(crcs[i] == 0xe3069283);
}

static void test_sizes(void)
{
	static const struct {
		const char *text;
		u64 unit;
		int ret;
		u64 bytes;
	} cases[] = {
		{ "0", 1, 0, 0 },
		{ "5000", 1024, 0, 5120000 },
		{ "1K", 1024, 0, 1024 },
		{ "3m", 1, 0, 3145728 },
		{ "2G", 1, 0, 2147483648 },
		{ "4T", 1, 0, 4398046511104 },
		{ "", 1, -EINVAL, 0 },
		{ "-1", 1, -EINVAL, 0 },
		{ " 1", 1, -EINVAL, 0 },
		{ "1KB", 1, -EINVAL, 0 },
		{ "1.5G", 1, -EINVAL, 0 },
		{ "K", 1, -EINVAL, 0 },
		{ "99999999999999999999", 1, -ERANGE, 0 },
		{ "18014398509481984K", 1, -ERANGE, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 bytes = 0;
		int ret = size_parse(cases[i].text, cases[i].unit, &bytes);

		if (ret != cases[i].ret || (!ret && bytes != cases[i].bytes)) {
			printf("size '%s': %d, %ju\n", cases[i].text, ret,
			       (uintmax_t)bytes);
			bad = 1;
		}
	}
}

static struct sb good_sb(void)
{
	return (struct sb){
		.version = SB_VERSION,
		.uuid = { "0123456789abcde" },
		.seq = 7,
		.blocks = 100000,
		.created = 1700000000,
		.nr = 2,
		.region = {
			{ SB_REGION_WAL, 2, 1024 },
			{ SB_REGION_META, 1026, 256 },
		},
	};
}

static void test_superblock(void)
{
	struct sb sb = good_sb(), back;
	u8 block[BLK_SIZE], hurt[BLK_SIZE];

	sb_encode(&sb, block);
	/* Documentation/store-format.rst: magic, version, seq, first region */
	EXPECT(!memcmp(block, "AFSXSTOR\4\0\0\0\2\0\0\0", 16));
	EXPECT(le64_get(block + 32) == 7 && le64_get(block + 40) == 100000);
	EXPECT(le64_get(block + 64) == 2 && le32_get(block + 72) == 1024);
	EXPECT(!sb_decode(block, &back) && !memcmp(&sb, &back, sizeof(sb)));
	for (size_t i = 0; i < BLK_SIZE; i++) {
		memcpy(hurt, block, sizeof(hurt));
		hurt[i] ^= 0x10;
		EXPECT(sb_decode(hurt, &back) ==
		       (i < 8 ? -EMEDIUMTYPE : -EUCLEAN));
	}
	/* the format before, which can be opened, and others, with right checksums */
	for (u32 version = 0; version < 6; version++) {
		le32_put(block + 8, version);
		le32_put(block + BLK_SIZE - 4, crc32c(0, block, BLK_SIZE - 4));
		EXPECT(sb_decode(block, &back) ==
		       (version >= 2 && version <= 4 ? 0 : -EPROTONOSUPPORT));
	}
}

/* Documentation/store-format.rst: the last sector of block 1, and nothing else of it */
static void test_note(void)
{
	static const u8 start[] = "AFSXLAST0123456789abcde\0\x40\x42\x0f\0\0\0\0";
	struct sb sb = good_sb();
	u8 block[BLK_SIZE], rest[BLK_SIZE];

	memset(block, 0x5a, sizeof(block));
	memset(rest, 0x5a, sizeof(rest));
	sb_note(block, &sb.uuid, 1000000);
	EXPECT(!memcmp(block + 3584, start, 32));
	EXPECT(le32_get(block + 3616) == crc32c(0, start, 32));
	EXPECT(!memcmp(block, rest, 3584) &&
	       !memcmp(block + 3620, rest, sizeof(block) - 3620));
}

static void test_layout(void)
{
	struct sb sb = good_sb();

	EXPECT(!sb_check_layout(&sb, NULL));
	sb.region[1].start = 1025;			/* on the log */
	EXPECT(sb_check_layout(&sb, NULL) == -EUCLEAN);
	sb.region[1].start = 99999 - 255;		/* on the last block */
	EXPECT(sb_check_layout(&sb, NULL) == -EUCLEAN);
	sb.region[1].start = 99999 - 256;
	EXPECT(!sb_check_layout(&sb, NULL));
	sb.region[1].start = U64_MAX - 10;		/* wraps around */
	EXPECT(sb_check_layout(&sb, NULL) == -EUCLEAN);
	sb = good_sb();
	sb.region[0].start = 1;				/* on the lease */
	EXPECT(sb_check_layout(&sb, NULL) == -EUCLEAN);
	sb = good_sb();
	sb.region[1].type = SB_REGION_WAL;		/* two logs */
	EXPECT(sb_check_layout(&sb, NULL) == -EUCLEAN);
	sb = good_sb();
	sb.region[0].nr = 0;
	EXPECT(sb_check_layout(&sb, NULL) == -EUCLEAN);
}

static void test_alloc_ends(void)
{
	/* 64 * 64 + 5: a partly used word and summary word at the end */
	struct alloc *a = alloc_create(4101);
	struct alloc_run run;
	u64 total = 0;

	EXPECT(alloc_free_blocks(a) == 4101);
	while (!alloc_take(a, 1000, 0, &run)) {
		EXPECT(run.start + run.nr <= 4101);
		total += run.nr;
	}
	EXPECT(total == 4101 && !alloc_free_blocks(a));
	run = (struct alloc_run){ 4100, 1 };
	alloc_release(a, &run);
	run.start = 0;
	EXPECT(!alloc_take(a, 5, 0, &run) && run.start == 4100 && run.nr == 1);
	EXPECT(alloc_take(a, 1, 0, &run) == -ENOSPC);
	run = (struct alloc_run){ 4100, 2 };
	EXPECT(alloc_claim(a, &run) == -ERANGE);
	run.nr = 1;
	EXPECT(alloc_claim(a, &run) == -EEXIST);
	alloc_destroy(a);
}

static void test_alloc_order(void)
{
	struct alloc *a = alloc_create(1000);
	struct alloc_run run = { 10, 20 };

	alloc_set_reserve(a, 100);
	EXPECT(!alloc_claim(a, &run));
	EXPECT(alloc_free_blocks(a) == 880);
	/* next to what was written before, as far as it is free */
	EXPECT(!alloc_take(a, 50, 5, &run) && run.start == 5 && run.nr == 5);
	EXPECT(!alloc_take_reserve(a, 256, 256, &run) && run.start == 744);
	EXPECT(alloc_take_reserve(a, 720, 720, &run) == -ENOSPC);
	alloc_destroy(a);
}

static void test_alloc_urgent(void)
{
	struct alloc *a = alloc_create(1000);
	struct alloc_run run;

	alloc_set_reserve(a, 100);
	EXPECT(!alloc_take(a, 1000, 0, &run) && run.start == 0 && run.nr == 900);
	EXPECT(alloc_take(a, 1, 0, &run) == -ENOSPC);
	EXPECT(!alloc_take_urgent(a, 60, 0, &run) && run.start == 900 && run.nr == 60);
	EXPECT(alloc_take(a, 1, 0, &run) == -ENOSPC);
	EXPECT(!alloc_take_urgent(a, 60, 0, &run) && run.start == 960 && run.nr == 40);
	EXPECT(alloc_take_urgent(a, 1, 0, &run) == -ENOSPC);
	alloc_destroy(a);
}

static void test_alloc_retire(void)
{
	struct alloc *a = alloc_create(64);
	struct alloc_run run = { 0, 64 };

	EXPECT(!alloc_claim(a, &run));
	for (u32 i = 0; i < 64; i++) {
		run = (struct alloc_run){ i, 1 };
		EXPECT(!alloc_retire(a, &run, i / 2));
	}
	EXPECT(alloc_free_blocks(a) == 64 && alloc_is_used(a, 0));
	EXPECT(alloc_take(a, 1, 0, &run) == -ENOSPC);
	for (u32 i = 0; i < 10; i++) {
		EXPECT(alloc_reap(a, 4, &run) && run.start == i);
		alloc_release(a, &run);
	}
	EXPECT(!alloc_reap(a, 4, &run));
	EXPECT(!alloc_is_used(a, 9) && alloc_is_used(a, 10));
	alloc_destroy(a);
}

/* Byte @i of a file is that of its block and offset, as this has it. */
static void fill(u8 *buf, u64 off, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (u8)((off + i) / 4096 * 7 + (off + i));
}

static bool has(struct warm *w, const struct store_status *s, unsigned int era,
		u64 off, size_t len)
{
	static u8 is[65536], should[65536];

	if (!warm_get(w, s, era, off, is, len))
		return false;
	fill(should, off, len);
	EXPECT(!memcmp(is, should, len));
	return true;
}

static void test_warm(void)
{
	struct warm *w = warm_create(1024 * 1024);
	struct store_status s = { .fid = { 1, 2, 3 }, .size = 10000, .dv = 5 };
	static u8 buf[65536];

	fill(buf, 0, 10000);
	EXPECT(!has(w, &s, 1, 0, 1));
	/* of the second block only a part was read */
	warm_put(w, &s, 1, 0, buf, 6000);
	EXPECT(has(w, &s, 1, 0, 4096) && !has(w, &s, 1, 4096, 1));
	EXPECT(has(w, &s, 1, 4095, 1) && !has(w, &s, 1, 4095, 2));
	/* the last block ends where the file does */
	warm_put(w, &s, 1, 100, buf + 100, 9900);
	EXPECT(has(w, &s, 1, 0, 10000) && has(w, &s, 1, 9999, 1));
	EXPECT(!has(w, &s, 0, 0, 1) && !has(w, &s, 2, 0, 1));
	for (s.dv = 6; s.dv < 500; s.dv++)
		EXPECT(!has(w, &s, 1, 0, 1));
	s.dv = 5;
	s.fid.unique = 4;
	EXPECT(!has(w, &s, 1, 0, 1));
	/* more than there is room for: what is there is right */
	s.size = 16 * 65536 * 3;
	for (u64 off = 0; off < s.size; off += 65536) {
		fill(buf, off, 65536);
		warm_put(w, &s, 1, off, buf, 65536);
		EXPECT(has(w, &s, 1, off, 65536));
	}
	for (u64 off = 0; off < s.size; off += 4096)
		has(w, &s, 1, off, 4096);
	warm_destroy(w);
}

int test_unit(int argc, char **argv)
{
	test_crc32c();
	test_crc32c_each();
	test_sizes();
	test_superblock();
	test_note();
	test_layout();
	test_alloc_ends();
	test_alloc_order();
	test_alloc_urgent();
	test_alloc_retire();
	test_warm();
	puts(bad ? "failed" : "good");
	return bad;
}
