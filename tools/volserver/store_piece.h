/* SPDX-License-Identifier: MIT */
/*
 * Pieces of a long read.  Each is read and verified by itself; who is ready for one
 * takes the next, so that a slow connection reads fewer of them.
 */
#ifndef AFSX_STORE_PIECE_H
#define AFSX_STORE_PIECE_H

#include <stdatomic.h>

#include "blkdev.h"

#define PIECE_BLOCKS	64u	/* in one request */
#define PIECES_MAX	64u	/* of one read */
#define PIECE_DEPTH	8u	/* under way for one read */
#define SIDE_DEPTH	2u	/* of them, on the second connection: it may be late */

struct side;

/**
 * struct piece - blocks that are beside each other on the device
 * @at: where, bytes
 * @nr: how many, at most PIECE_BLOCKS
 * @sums: what their checksums shall be
 * @buf: where they go
 * @err: 0 once they are there; a negative errno
 */
struct piece {
	u64 at;
	u32 nr;
	const u8 *sums;
	u8 *buf;
	int err;
};

/**
 * struct pieces - all of a read
 * @piece: in any order
 * @nr: how many
 * @next: the first that nobody has taken
 */
struct pieces {
	struct piece piece[PIECES_MAX];
	unsigned int nr;
	atomic_uint next;
};

/**
 * pieces_read() - read and verify
 * @ps: pieces, of which only @piece and @nr need be set
 * @dev: device
 * @side: NULL, or helps if there are enough; what it says is wrong, or could not read,
 *	is read from @dev
 *
 * Return: 0; -EUCLEAN when a checksum does not match; an I/O error.
 */
int pieces_read(struct pieces *ps, struct blkdev *dev, struct side *side);

/**
 * struct way - a connection that takes pieces
 * @dev: connection
 * @depth: requests under way, at most PIECE_DEPTH
 * @main: NULL, or go on only while blkdev_shared() of this device returns @number
 * @number: see there
 */
struct way {
	struct blkdev *dev;
	unsigned int depth;
	struct blkdev *main;
	unsigned int number;
};

/**
 * pieces_take() - read and verify until the last one is taken
 * @ps: pieces
 * @way: how
 *
 * Return: 0, or the first error, after which it takes no more.
 */
int pieces_take(struct pieces *ps, const struct way *way);

#endif /* AFSX_STORE_PIECE_H */
