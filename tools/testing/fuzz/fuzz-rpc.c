// SPDX-License-Identifier: MIT
/*
 * Fuzz target: arguments and replies of every RPC.
 *
 * Input: 0 for arguments or 1 for a reply, the port less 7000, the opcode (4
 * bytes), and what follows the opcode.
 *
 * What decodes must encode within the size the table promises, decode again, and
 * then encode to the same bytes: nothing is accepted that cannot be said.
 */
#include <afsx/rpc.h>

#include "fuzz.h"

#define HEADER 6

static int encode(const struct afsx_rpc *rpc, bool reply, const void *msg, u8 *buf, u32 size)
{
	return reply ? afsx_rpc_encode_reply(rpc, msg, buf, size) :
		       afsx_rpc_encode_args(rpc, msg, buf, size);
}

static int decode(const struct afsx_rpc *rpc, bool reply, const u8 *buf, size_t len, void *msg)
{
	return reply ? afsx_rpc_decode_reply(rpc, buf, len, msg) :
		       afsx_rpc_decode_args(rpc, buf, len, msg);
}

static void *allocate(u32 size)
{
	void *p = malloc(size ? size : 1);

	MUST(p);
	return p;
}

static void check(const struct afsx_rpc *rpc, bool reply, const u8 *buf, size_t len)
{
	u32 msg_size = reply ? rpc->reply_size : rpc->args_size;
	u32 max = reply ? rpc->max_reply : rpc->max_args;
	void *msg = allocate(msg_size), *again = allocate(msg_size);
	u8 *first = allocate(max), *second = allocate(max);
	u32 head = reply ? 0 : 4;
	int ret = decode(rpc, reply, buf, len, msg);

	MUST(ret == 0 || ret == -EBADMSG);
	if (!ret) {
		ret = encode(rpc, reply, msg, first, max);
		MUST(ret >= (int)head && ret <= (int)max);
		MUST(decode(rpc, reply, first + head, (size_t)ret - head, again) == 0);
		MUST(encode(rpc, reply, again, second, max) == ret);
		MUST(!memcmp(first, second, (size_t)ret));
		MUST(ret == 0 || encode(rpc, reply, msg, first, (u32)ret - 1) == -EMSGSIZE);
	}
	free(msg);
	free(again);
	free(first);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct afsx_rpc *rpc;

	if (size < HEADER)
		return -1;
	rpc = afsx_rpc_find((u16)(7000 + data[1]), get_unaligned_be32(data + 2));
	if (!rpc)
		return -1;
	check(rpc, data[0] & 1, data + HEADER, size - HEADER);
	return 0;
}
