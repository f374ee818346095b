/* SPDX-License-Identifier: MIT */
/* One request of a client: taken from the wire, judged, carried out. */
#ifndef AFSX_NBD_REQUEST_H
#define AFSX_NBD_REQUEST_H

#include "handshake.h"

/**
 * struct request - a request as it came
 * @flags: enum nbd_command_flags
 * @type: enum nbd_command
 * @cookie: what replies are to carry
 * @offset: bytes
 * @length: bytes the request is about
 * @payload: bytes of data that follow the request
 */
struct request {
	u16	flags;
	u16	type;
	u64	cookie;
	u64	offset;
	u64	length;
	u64	payload;
};

/** request_size() - bytes of a request without its data. */
size_t request_size(enum reply_style style);

/**
 * request_parse() - read a request
 * @style: of the connection
 * @head: request_size() bytes
 * @r: result
 *
 * Return: 0; -EPROTO when there is no request there.
 */
int request_parse(enum reply_style style, const u8 *head, struct request *r);

/**
 * request_check() - find out whether a request can be carried out
 * @s: session
 * @limits: what a client may use
 * @r: request
 * @why: sentence for people, when it cannot
 *
 * The errors are those doc/proto.md names for each command.
 *
 * Return: 0 or an enum nbd_error.
 */
u32 request_check(const struct session *s, const struct limits *limits,
		  const struct request *r, const char **why);

/**
 * request_run() - carry out a request other than NBD_CMD_BLOCK_STATUS
 * @exp: export
 * @r: request that request_check() found nothing wrong with
 * @buf: the data, of NBD_CMD_READ to fill, of NBD_CMD_WRITE to write
 * @flags: BLK_NOWAIT or 0
 *
 * Return: 0 or a negative errno; -EAGAIN when it would have had to wait.
 */
int request_run(const struct export *exp, const struct request *r, void *buf,
		u32 flags);

/**
 * request_io() - describe a request as an operation in the background
 * @exp: export
 * @r: request that request_check() found nothing wrong with
 * @buf: as request_run() takes it
 * @io: result; @done is left as it is
 *
 * Return: whether it is one.
 */
bool request_io(const struct export *exp, const struct request *r, void *buf,
		struct blk_io *io);

/** request_quick() - whether it is worth trying with BLK_NOWAIT. */
bool request_quick(const struct export *exp, const struct request *r);

/** request_error() - what a client is told of the negative errno @ret. */
u32 request_error(int ret);

#endif /* AFSX_NBD_REQUEST_H */
