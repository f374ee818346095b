// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * XDR cursors: what RFC 4506 says a number and a string look like, and every
 * way in which a buffer can end too early.
 */
#include <afsx/xdr.h>

#include "wire_util.h"

static void xdr_numbers(struct kunit *test)
{
	static const u8 wire[] = {
		0x01, 0x02, 0x03, 0x04,				/* unsigned */
		0xff, 0xff, 0xff, 0xfe,				/* -2 */
		0x00, 0x00, 0x00, 0x01, 0x80, 0x00, 0x00, 0x05,	/* hyper, high word first */
		0xff, 0xff, 0xff, 0x85,				/* char, sign-extended */
		0x00, 0x00, 0x00, 0x7f,				/* char */
	};
	struct afsx_dec d;
	struct afsx_enc e;
	u8 buf[sizeof(wire)], c1, c2;
	u32 u;
	s32 s;
	u64 h;

	afsx_dec_init(&d, wire, sizeof(wire));
	KUNIT_EXPECT_TRUE(test, afsx_dec_u32(&d, &u));
	KUNIT_EXPECT_TRUE(test, afsx_dec_s32(&d, &s));
	KUNIT_EXPECT_TRUE(test, afsx_dec_u64(&d, &h));
	KUNIT_EXPECT_TRUE(test, afsx_dec_char(&d, &c1));
	KUNIT_EXPECT_TRUE(test, afsx_dec_char(&d, &c2));
	KUNIT_EXPECT_TRUE(test, afsx_dec_done(&d));
	KUNIT_EXPECT_EQ(test, u, 0x01020304);
	KUNIT_EXPECT_EQ(test, s, -2);
	KUNIT_EXPECT_EQ(test, h, 0x180000005ULL);
	KUNIT_EXPECT_EQ(test, c1, 0x85);
	KUNIT_EXPECT_EQ(test, c2, 0x7f);

	afsx_enc_init(&e, buf, sizeof(buf));
	KUNIT_EXPECT_TRUE(test, afsx_enc_u32(&e, u) && afsx_enc_s32(&e, s) && afsx_enc_u64(&e, h) &&
			  afsx_enc_char(&e, c1) && afsx_enc_char(&e, c2));
	KUNIT_EXPECT_PTR_EQ(test, e.p, e.end);
	KUNIT_EXPECT_MEMEQ(test, buf, wire, sizeof(wire));
}

static void xdr_short_numbers(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, 8, GFP_KERNEL);
	struct afsx_dec d;
	u32 u;
	u64 h;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (u32 len = 0; len < 8; len++) {
		/* The last @len bytes, so that the end of the allocation is the end. */
		afsx_dec_init(&d, buf + 8 - len, len);
		KUNIT_EXPECT_FALSE(test, afsx_dec_u64(&d, &h));
		KUNIT_EXPECT_EQ(test, afsx_dec_left(&d), len);
		KUNIT_EXPECT_EQ(test, afsx_dec_u32(&d, &u), len >= 4);
		KUNIT_EXPECT_EQ(test, afsx_dec_skip(&d, 1), len >= 8);
	}
	afsx_dec_init(&d, NULL, 0);
	KUNIT_EXPECT_FALSE(test, afsx_dec_u32(&d, &u));
	KUNIT_EXPECT_TRUE(test, afsx_dec_done(&d));
	afsx_dec_init(&d, buf, 8);
	KUNIT_EXPECT_FALSE(test, afsx_dec_skip(&d, U32_MAX));
	KUNIT_EXPECT_TRUE(test, afsx_dec_skip(&d, 2));
	KUNIT_EXPECT_TRUE(test, afsx_dec_skip(&d, 0));
}

/* A string on the wire, and the limits under which it is well-formed */
static const struct {
	u8 wire[16];
	u32 len;	/* of wire */
	u32 max;
	bool opaque;	/* good as an opaque */
	bool str;	/* good as a string */
	const char *text;
} strings[] = {
	{ { 0, 0, 0, 0 }, 4, 0, true, true, "" },
	{ { 0, 0, 0, 1, 'a', 0, 0, 0 }, 8, 1, true, true, "a" },
	{ { 0, 0, 0, 4, 'a', 'b', 'c', 'd' }, 8, 4, true, true, "abcd" },
	{ { 0, 0, 0, 5, 'a', 'b', 'c', 'd', 'e', 0, 0, 0 }, 12, 9, true, true, "abcde" },
	/* padding that is not zero is not our business */
	{ { 0, 0, 0, 1, 'a', 1, 2, 3 }, 8, 1, true, true, "a" },
	{ { 0, 0, 0, 2, 'a', 0, 0, 0 }, 8, 2, true, false, NULL },
	/* longer than allowed, than the buffer, than anything */
	{ { 0, 0, 0, 2, 'a', 'b', 0, 0 }, 8, 1, false, false, NULL },
	{ { 0, 0, 0, 5, 'a', 'b', 'c', 'd' }, 8, 8, false, false, NULL },
	{ { 0, 0, 0, 3, 'a', 'b', 'c' }, 7, 8, false, false, NULL },
	{ { 0xff, 0xff, 0xff, 0xff, 'a', 'b', 'c', 'd' }, 8, U32_MAX, false, false, NULL },
	{ { 0xff, 0xff, 0xff, 0xfc, 'a', 'b', 'c', 'd' }, 8, U32_MAX, false, false, NULL },
	{ { 0x80, 0, 0, 0, 'a', 'b', 'c', 'd' }, 8, U32_MAX, false, false, NULL },
	{ { 0, 0, 0 }, 3, 8, false, false, NULL },
};

static void xdr_strings(struct kunit *test)
{
	for (u32 i = 0; i < ARRAY_SIZE(strings); i++) {
		u8 *buf = kunit_kzalloc(test, strings[i].len, GFP_KERNEL);
		struct afsx_dec d;
		struct afsx_str s;

		KUNIT_ASSERT_NOT_NULL(test, buf);
		memcpy(buf, strings[i].wire, strings[i].len);
		afsx_dec_init(&d, buf, strings[i].len);
		KUNIT_EXPECT_EQ_MSG(test, afsx_dec_opaque(&d, &s, strings[i].max),
				    strings[i].opaque, "row %u", i);
		afsx_dec_init(&d, buf, strings[i].len);
		KUNIT_EXPECT_EQ_MSG(test, afsx_dec_str(&d, &s, strings[i].max), strings[i].str,
				    "row %u", i);
		if (!strings[i].str)
			continue;
		KUNIT_EXPECT_TRUE(test, afsx_dec_done(&d));
		KUNIT_EXPECT_EQ(test, s.len, strlen(strings[i].text));
		KUNIT_EXPECT_MEMEQ(test, s.p, strings[i].text, s.len);
	}
}

static void xdr_string_encoding(struct kunit *test)
{
	static const u8 want[] = { 0, 0, 0, 5, 'a', 'b', 'c', 'd', 'e', 0, 0, 0 };
	const struct afsx_str five = { "abcde", 5 }, empty = { NULL, 0 }, nul = { "a\0b", 3 };
	struct afsx_enc e;
	u8 buf[sizeof(want)];

	memset(buf, 0xaa, sizeof(buf));
	afsx_enc_init(&e, buf, sizeof(buf));
	KUNIT_EXPECT_TRUE(test, afsx_enc_str(&e, &five, 5));
	KUNIT_EXPECT_MEMEQ(test, buf, want, sizeof(want));
	afsx_enc_init(&e, buf, sizeof(buf));
	KUNIT_EXPECT_FALSE(test, afsx_enc_str(&e, &five, 4));
	KUNIT_EXPECT_EQ(test, e.err, -EINVAL);
	afsx_enc_init(&e, buf, sizeof(buf) - 1);
	KUNIT_EXPECT_FALSE(test, afsx_enc_str(&e, &five, 5));
	KUNIT_EXPECT_EQ(test, e.err, -EMSGSIZE);
	afsx_enc_init(&e, buf, sizeof(buf));
	KUNIT_EXPECT_FALSE(test, afsx_enc_str(&e, &nul, 5));
	KUNIT_EXPECT_EQ(test, e.err, -EINVAL);
	afsx_enc_init(&e, buf, 4);
	KUNIT_EXPECT_TRUE(test, afsx_enc_str(&e, &empty, 0));
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(buf), 0);
}

static void xdr_counts(struct kunit *test)
{
	static const u8 wire[] = { 0, 0, 0, 50, 0, 0, 0, 51 };
	struct afsx_dec d;
	struct afsx_enc e;
	u8 buf[8];
	u32 nr;

	afsx_dec_init(&d, wire, sizeof(wire));
	KUNIT_EXPECT_TRUE(test, afsx_dec_count(&d, &nr, 50));
	KUNIT_EXPECT_EQ(test, nr, 50);
	KUNIT_EXPECT_FALSE(test, afsx_dec_count(&d, &nr, 50));
	afsx_enc_init(&e, buf, sizeof(buf));
	KUNIT_EXPECT_TRUE(test, afsx_enc_count(&e, 50, 50));
	KUNIT_EXPECT_FALSE(test, afsx_enc_count(&e, 51, 50));
	KUNIT_EXPECT_EQ(test, e.err, -EINVAL);
	KUNIT_EXPECT_MEMEQ(test, buf, wire, 4);
	KUNIT_EXPECT_FALSE(test, afsx_enc_zero(&e, U32_MAX));
	KUNIT_EXPECT_EQ(test, e.err, -EMSGSIZE);
}

/* The UUID 00010203-8485-8687-8889-8a8b8c8d8e8f, its octets as rxgen sends chars */
static void xdr_uuid(struct kunit *test)
{
	static const u32 words[] = {
		0x00010203, 0x8485, 0x8687, 0xffffff88, 0xffffff89, 0xffffff8a, 0xffffff8b,
		0xffffff8c, 0xffffff8d, 0xffffff8e, 0xffffff8f,
	};
	static const u8 want[16] = {
		0x00, 0x01, 0x02, 0x03, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d,
		0x8e, 0x8f,
	};
	u8 *wire = afsx_test_bytes(test, words, ARRAY_SIZE(words)), buf[44];
	struct afsx_uuid uuid;
	struct afsx_dec d;
	struct afsx_enc e;

	afsx_dec_init(&d, wire, 44);
	KUNIT_EXPECT_TRUE(test, afsx_dec_uuid(&d, &uuid));
	KUNIT_EXPECT_MEMEQ(test, uuid.b, want, 16);
	afsx_enc_init(&e, buf, sizeof(buf));
	KUNIT_EXPECT_TRUE(test, afsx_enc_uuid(&e, &uuid));
	KUNIT_EXPECT_MEMEQ(test, buf, wire, 44);

	/* A peer that does not extend the sign means the same UUID. */
	for (u32 i = 12; i < 44; i += 4)
		memset(wire + i, 0, 3);
	afsx_dec_init(&d, wire, 44);
	KUNIT_EXPECT_TRUE(test, afsx_dec_uuid(&d, &uuid));
	KUNIT_EXPECT_MEMEQ(test, uuid.b, want, 16);
}

/* Times are unsigned 32-bit words: 1901 becomes 1970, not 2038 or 2106. */
static void xdr_status_saturates(struct kunit *test)
{
	struct afsx_status st = { .if_version = 1, .type = AFSX_FTYPE_FILE, .mode = 0100644,
				  .mtime_client = -1, .mtime_server = 0x100000000LL };
	struct afsx_dec d;
	struct afsx_enc e;
	u8 buf[84];

	afsx_enc_init(&e, buf, sizeof(buf));
	KUNIT_EXPECT_TRUE(test, afsx_enc_status(&e, &st));
	afsx_dec_init(&d, buf, sizeof(buf));
	KUNIT_EXPECT_TRUE(test, afsx_dec_status(&d, &st));
	KUNIT_EXPECT_EQ(test, st.mtime_client, 0);
	KUNIT_EXPECT_EQ(test, st.mtime_server, 0xffffffffLL);
	KUNIT_EXPECT_EQ(test, st.mode, 0644);
}

static struct kunit_case xdr_cases[] = {
	KUNIT_CASE(xdr_numbers),
	KUNIT_CASE(xdr_short_numbers),
	KUNIT_CASE(xdr_strings),
	KUNIT_CASE(xdr_string_encoding),
	KUNIT_CASE(xdr_counts),
	KUNIT_CASE(xdr_uuid),
	KUNIT_CASE(xdr_status_saturates),
	{}
};

static struct kunit_suite xdr_suite = {
	.name = "afsx-xdr",
	.test_cases = xdr_cases,
};

kunit_test_suite(xdr_suite);
