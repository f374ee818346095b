/* SPDX-License-Identifier: MIT */
/*
 * Numbers of the NBD protocol, from doc/proto.md of the project
 * NetworkBlockDevice/nbd and its extension of 64-bit headers. All of them are
 * big-endian on the wire.
 */
#ifndef AFSX_NBD_PROTO_H
#define AFSX_NBD_PROTO_H

#include <endian.h>
#include <string.h>

#include "defs.h"

#define NBD_PORT		10809

#define NBD_MAGIC		0x4e42444d41474943ULL	/* "NBDMAGIC" */
#define NBD_MAGIC_OPTION	0x49484156454f5054ULL	/* "IHAVEOPT" */
#define NBD_MAGIC_OPTION_REPLY	0x0003e889045565a9ULL
#define NBD_MAGIC_OLDSTYLE	0x0000420281861253ULL

#define NBD_MAGIC_REQUEST		0x25609513u
#define NBD_MAGIC_SIMPLE_REPLY		0x67446698u
#define NBD_MAGIC_STRUCTURED_REPLY	0x668e33efu
#define NBD_MAGIC_EXTENDED_REQUEST	0x21e41c71u
#define NBD_MAGIC_EXTENDED_REPLY	0x6e8a278cu

#define NBD_OLDSTYLE_SIZE		152
#define NBD_OPTION_HEAD_SIZE		16
#define NBD_OPTION_REPLY_HEAD_SIZE	20
#define NBD_REQUEST_SIZE		28
#define NBD_EXTENDED_REQUEST_SIZE	32
#define NBD_SIMPLE_REPLY_SIZE		16
#define NBD_STRUCTURED_REPLY_SIZE	20
#define NBD_EXTENDED_REPLY_SIZE		32
/* Zeroes after the answer to NBD_OPT_EXPORT_NAME. */
#define NBD_EXPORT_NAME_ZEROES		124

#define NBD_STRING_MAX		4096

/* Of the server, then of the client: the same numbers. */
enum nbd_handshake_flags {
	NBD_FLAG_FIXED_NEWSTYLE	= 1 << 0,
	NBD_FLAG_NO_ZEROES	= 1 << 1,
};

enum nbd_option {
	NBD_OPT_EXPORT_NAME		= 1,
	NBD_OPT_ABORT			= 2,
	NBD_OPT_LIST			= 3,
	NBD_OPT_STARTTLS		= 5,
	NBD_OPT_INFO			= 6,
	NBD_OPT_GO			= 7,
	NBD_OPT_STRUCTURED_REPLY	= 8,
	NBD_OPT_LIST_META_CONTEXT	= 9,
	NBD_OPT_SET_META_CONTEXT	= 10,
	NBD_OPT_EXTENDED_HEADERS	= 11,
};

#define NBD_REP_ERROR(n)	(0x80000000u | (n))

enum nbd_option_reply {
	NBD_REP_ACK			= 1,
	NBD_REP_SERVER			= 2,
	NBD_REP_INFO			= 3,
	NBD_REP_META_CONTEXT		= 4,
	NBD_REP_ERR_UNSUP		= NBD_REP_ERROR(1),
	NBD_REP_ERR_POLICY		= NBD_REP_ERROR(2),
	NBD_REP_ERR_INVALID		= NBD_REP_ERROR(3),
	NBD_REP_ERR_TLS_REQD		= NBD_REP_ERROR(5),
	NBD_REP_ERR_UNKNOWN		= NBD_REP_ERROR(6),
	NBD_REP_ERR_BLOCK_SIZE_REQD	= NBD_REP_ERROR(8),
	NBD_REP_ERR_TOO_BIG		= NBD_REP_ERROR(9),
	NBD_REP_ERR_EXT_HEADER_REQD	= NBD_REP_ERROR(10),
};

enum nbd_info {
	NBD_INFO_EXPORT		= 0,
	NBD_INFO_NAME		= 1,
	NBD_INFO_DESCRIPTION	= 2,
	NBD_INFO_BLOCK_SIZE	= 3,
};

enum nbd_transmission_flags {
	NBD_FLAG_HAS_FLAGS		= 1 << 0,
	NBD_FLAG_READ_ONLY		= 1 << 1,
	NBD_FLAG_SEND_FLUSH		= 1 << 2,
	NBD_FLAG_SEND_FUA		= 1 << 3,
	NBD_FLAG_ROTATIONAL		= 1 << 4,
	NBD_FLAG_SEND_TRIM		= 1 << 5,
	NBD_FLAG_SEND_WRITE_ZEROES	= 1 << 6,
	NBD_FLAG_SEND_DF		= 1 << 7,
	NBD_FLAG_CAN_MULTI_CONN		= 1 << 8,
	NBD_FLAG_SEND_CACHE		= 1 << 10,
	NBD_FLAG_SEND_FAST_ZERO		= 1 << 11,
};

enum nbd_command {
	NBD_CMD_READ		= 0,
	NBD_CMD_WRITE		= 1,
	NBD_CMD_DISC		= 2,
	NBD_CMD_FLUSH		= 3,
	NBD_CMD_TRIM		= 4,
	NBD_CMD_CACHE		= 5,
	NBD_CMD_WRITE_ZEROES	= 6,
	NBD_CMD_BLOCK_STATUS	= 7,
};

enum nbd_command_flags {
	NBD_CMD_FLAG_FUA		= 1 << 0,
	NBD_CMD_FLAG_NO_HOLE		= 1 << 1,
	NBD_CMD_FLAG_DF			= 1 << 2,
	NBD_CMD_FLAG_REQ_ONE		= 1 << 3,
	NBD_CMD_FLAG_FAST_ZERO		= 1 << 4,
	NBD_CMD_FLAG_PAYLOAD_LEN	= 1 << 5,
};

enum nbd_reply_flags {
	NBD_REPLY_FLAG_DONE	= 1 << 0,
};

enum nbd_reply_type {
	NBD_REPLY_TYPE_NONE			= 0,
	NBD_REPLY_TYPE_OFFSET_DATA		= 1,
	NBD_REPLY_TYPE_BLOCK_STATUS		= 5,
	NBD_REPLY_TYPE_BLOCK_STATUS_EXT		= 6,
	NBD_REPLY_TYPE_ERROR			= 0x8001,
};

/* Of the context base:allocation. */
enum nbd_state {
	NBD_STATE_HOLE	= 1 << 0,
	NBD_STATE_ZERO	= 1 << 1,
};

enum nbd_error {
	NBD_SUCCESS	= 0,
	NBD_EPERM	= 1,
	NBD_EIO		= 5,
	NBD_ENOMEM	= 12,
	NBD_EINVAL	= 22,
	NBD_ENOSPC	= 28,
	NBD_EOVERFLOW	= 75,
	NBD_ENOTSUP	= 95,
	NBD_ESHUTDOWN	= 108,
};

static inline u64 be64_get(const void *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

/* These write a number at @p and return where the next one goes. */
static inline u8 *put16(u8 *p, u16 v)
{
	put_unaligned_be16(v, p);
	return p + 2;
}

static inline u8 *put32(u8 *p, u32 v)
{
	put_unaligned_be32(v, p);
	return p + 4;
}

static inline u8 *put64(u8 *p, u64 v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
	return p + 8;
}

#endif /* AFSX_NBD_PROTO_H */
