/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Helpers of the wire suites, which run under KUnit and, through the shim in
 * tools/testing/host/kunit-shim, in userspace under the sanitizers.
 */
#ifndef AFSX_WIRE_UTIL_H
#define AFSX_WIRE_UTIL_H

#include <kunit/test.h>
#include <afsx/rpc.h>

/**
 * afsx_test_bytes - The bytes of words, in a buffer of exactly that size
 * @test: suite
 * @words: words in host order
 * @nr: how many
 *
 * Return: @nr * 4 bytes, at the end of which a sanitizer watches.
 */
u8 *afsx_test_bytes(struct kunit *test, const u32 *words, u32 nr);

/**
 * afsx_test_rand - Next number of a reproducible sequence
 * @state: anything but 0 at first
 */
u32 afsx_test_rand(u32 *state);

/**
 * struct afsx_golden - A message, decoded and as the specification lays it out
 * @id: RPC
 * @reply: the reply, not the arguments
 * @msg: decoded; NULL for an empty message
 * @words: encoded, in host order; the first of arguments is the opcode
 * @nr: how many
 */
struct afsx_golden {
	enum afsx_rpc_id id;
	bool reply;
	const void *msg;
	const u32 *words;
	u32 nr;
};

/**
 * afsx_golden_check - Encode, decode, and cut short at every place
 * @test: suite
 * @g: message
 */
void afsx_golden_check(struct kunit *test, const struct afsx_golden *g);

/**
 * struct afsx_golden_bad - One word that makes a good message bad
 * @id: RPC
 * @reply: as struct afsx_golden
 * @word: index of the word to change
 * @value: what to
 * @why: what is wrong then
 */
struct afsx_golden_bad {
	enum afsx_rpc_id id;
	bool reply;
	u32 word;
	u32 value;
	const char *why;
};

/**
 * afsx_golden_refuse - A message with one bad word must not be decoded
 * @test: suite
 * @g: good messages
 * @nr: how many; the first of the RPC wanted is used
 * @bad: what to change
 */
void afsx_golden_refuse(struct kunit *test, const struct afsx_golden *g, u32 nr,
			const struct afsx_golden_bad *bad);

#endif /* AFSX_WIRE_UTIL_H */
