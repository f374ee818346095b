/* SPDX-License-Identifier: MIT */
/* Replies in the three styles of the protocol. */
#ifndef AFSX_NBD_REPLY_H
#define AFSX_NBD_REPLY_H

#include "request.h"

#define REPLY_TEXT_MAX	128
/* No reply takes more, leaving out data that was read and extents. */
#define REPLY_SIZE_MAX	(32 + 8 + REPLY_TEXT_MAX)

/* Extents in one reply, and the bytes each of them takes at most. */
#define REPLY_EXTENTS_MAX	1024
#define REPLY_EXTENT_SIZE	16

/** reply_data_head() - bytes in front of the data of NBD_CMD_READ. */
size_t reply_data_head(enum reply_style style);

/* All of these write a whole reply to @r at @p and return where it ends. */

/** reply_put_done() - success of a command that has nothing to tell. */
u8 *reply_put_done(u8 *p, enum reply_style style, const struct request *r);

/** reply_put_data() - success of NBD_CMD_READ; the data is in place already. */
u8 *reply_put_data(u8 *p, enum reply_style style, const struct request *r);

/** reply_put_error() - @error, an enum nbd_error, and @why for people. */
u8 *reply_put_error(u8 *p, enum reply_style style, const struct request *r,
		    u32 error, const char *why);

/**
 * reply_put_extents() - the answer to NBD_CMD_BLOCK_STATUS
 * @p: where to write
 * @style: of the connection, not REPLY_SIMPLE
 * @r: request
 * @extents: runs from the request's offset, together no longer than it
 * @nr: how many, 1 to REPLY_EXTENTS_MAX
 */
u8 *reply_put_extents(u8 *p, enum reply_style style, const struct request *r,
		      const struct blk_extent *extents, unsigned int nr);

#endif /* AFSX_NBD_REPLY_H */
