// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Helpers of the wire suites.
 */
#include "wire_util.h"

u8 *afsx_test_bytes(struct kunit *test, const u32 *words, u32 nr)
{
	u8 *buf = kunit_kzalloc(test, nr * 4, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (u32 i = 0; i < nr; i++)
		put_unaligned_be32(words[i], buf + 4 * i);
	return buf;
}

/* xorshift32 */
u32 afsx_test_rand(u32 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static int encode(const struct afsx_golden *g, const void *msg, void *buf, size_t size)
{
	const struct afsx_rpc *rpc = afsx_rpc(g->id);

	return g->reply ? afsx_rpc_encode_reply(rpc, msg, buf, size) :
			  afsx_rpc_encode_args(rpc, msg, buf, size);
}

/* @buf is the whole message; the opcode, if there is one, is passed over. */
static int decode(const struct afsx_golden *g, const u8 *buf, size_t len, void *msg)
{
	const struct afsx_rpc *rpc = afsx_rpc(g->id);

	return g->reply ? afsx_rpc_decode_reply(rpc, buf, len, msg) :
			  afsx_rpc_decode_args(rpc, buf + 4, len - 4, msg);
}

static void *new_msg(struct kunit *test, const struct afsx_golden *g)
{
	const struct afsx_rpc *rpc = afsx_rpc(g->id);
	void *msg = kunit_kzalloc(test, (g->reply ? rpc->reply_size : rpc->args_size) ?: 1,
				  GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, msg);
	return msg;
}

static const char *name_of(const struct afsx_golden *g)
{
	return afsx_rpc(g->id)->name;
}

static void check_encoding(struct kunit *test, const struct afsx_golden *g, const void *msg)
{
	const u8 *want = afsx_test_bytes(test, g->words, g->nr);
	int len = (int)g->nr * 4;
	u8 *got = kunit_kzalloc(test, g->nr * 4 + 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, got);
	KUNIT_EXPECT_EQ_MSG(test, encode(g, msg, got, g->nr * 4), len, "%s", name_of(g));
	for (u32 i = 0; i < g->nr; i++)
		KUNIT_EXPECT_EQ_MSG(test, get_unaligned_be32(got + 4 * i), g->words[i],
				    "%s %s, word %u", name_of(g), g->reply ? "reply" : "args", i);
	KUNIT_EXPECT_MEMEQ(test, got, want, g->nr * 4);
	KUNIT_EXPECT_EQ(test, got[g->nr * 4], 0);
}

static void check_room(struct kunit *test, const struct afsx_golden *g)
{
	const struct afsx_rpc *rpc = afsx_rpc(g->id);
	u8 *buf;

	KUNIT_EXPECT_GE_MSG(test, g->reply ? rpc->max_reply : rpc->max_args, g->nr * 4, "%s",
			    rpc->name);
	for (u32 size = 0; size < g->nr * 4; size++) {
		buf = kunit_kzalloc(test, size ?: 1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, buf);
		KUNIT_EXPECT_EQ_MSG(test, encode(g, g->msg, buf, size), -EMSGSIZE,
				    "%s in %u bytes", rpc->name, size);
		kunit_kfree(test, buf);
	}
}

static void check_lengths(struct kunit *test, const struct afsx_golden *g)
{
	const u8 *good = afsx_test_bytes(test, g->words, g->nr);
	void *msg = new_msg(test, g);
	u8 *buf;

	for (u32 len = g->reply ? 0 : 4; len <= g->nr * 4 + 8; len++) {
		if (len == g->nr * 4)
			continue;
		buf = kunit_kzalloc(test, len ?: 1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, buf);
		memcpy(buf, good, min(len, g->nr * 4));
		KUNIT_EXPECT_EQ_MSG(test, decode(g, buf, len, msg), -EBADMSG,
				    "%s %s of %u bytes, cut or padded to %u", name_of(g),
				    g->reply ? "reply" : "args", g->nr * 4, len);
		kunit_kfree(test, buf);
	}
}

void afsx_golden_check(struct kunit *test, const struct afsx_golden *g)
{
	const u8 *buf = afsx_test_bytes(test, g->words, g->nr);
	void *msg = new_msg(test, g);

	check_encoding(test, g, g->msg);
	check_room(test, g);
	KUNIT_EXPECT_EQ_MSG(test, decode(g, buf, g->nr * 4, msg), 0, "%s", name_of(g));
	check_encoding(test, g, msg);
	check_lengths(test, g);
}

void afsx_golden_refuse(struct kunit *test, const struct afsx_golden *g, u32 nr,
			const struct afsx_golden_bad *bad)
{
	u8 *buf;

	while (nr && (g->id != bad->id || g->reply != bad->reply)) {
		g++;
		nr--;
	}
	KUNIT_ASSERT_NE_MSG(test, nr, 0, "no good message for: %s", bad->why);
	KUNIT_ASSERT_LT(test, bad->word, g->nr);
	buf = afsx_test_bytes(test, g->words, g->nr);
	KUNIT_EXPECT_NE_MSG(test, get_unaligned_be32(buf + 4 * bad->word), bad->value,
			    "not a change: %s", bad->why);
	put_unaligned_be32(bad->value, buf + 4 * bad->word);
	KUNIT_EXPECT_EQ_MSG(test, decode(g, buf, g->nr * 4, new_msg(test, g)), -EBADMSG, "%s: %s",
			    name_of(g), bad->why);
}
