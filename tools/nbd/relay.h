/* SPDX-License-Identifier: MIT */
/*
 * A pipe through which pages of an image go to a client without being copied. That takes
 * three system calls in place of two, and is worth it for what is large.
 */
#ifndef AFSX_NBD_RELAY_H
#define AFSX_NBD_RELAY_H

#include <stdbool.h>

#include "blk.h"

/* Bytes of one answer. */
#define RELAY_MIN	(64 * 1024u)
#define RELAY_MAX	(256 * 1024u)
#define RELAY_MAX_TCP	(128 * 1024u)

/**
 * struct relay - the pipe of a connection, opened when it is needed
 * @in: its ends, or -1
 * @out: the same
 * @never: no pipe can be had
 */
struct relay {
	int	in;
	int	out;
	bool	never;
};

/** relay_init() - begin without a pipe. */
void relay_init(struct relay *relay);

/**
 * relay_fill() - put a range of an image into the pipe
 * @relay: pipe, empty
 * @blk: image
 * @len: bytes, RELAY_MAX at most
 * @offset: in the image
 *
 * Return: 0 when all are there for the caller to take; -EAGAIN when they have to be read.
 */
int relay_fill(struct relay *relay, struct blk *blk, u32 len, u64 offset);

/** relay_close() - give the pipe back, and what is in it. */
void relay_close(struct relay *relay);

#endif /* AFSX_NBD_RELAY_H */
