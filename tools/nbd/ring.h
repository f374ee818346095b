/* SPDX-License-Identifier: MIT */
/* Operations in the background, carried out by the kernel (io_uring). */
#ifndef AFSX_NBD_RING_H
#define AFSX_NBD_RING_H

#include "blk.h"

struct ring;

/** ring_probe() - 0, or the negative errno for which the kernel refuses a ring. */
int ring_probe(void);

/**
 * ring_open() - have a ring
 * @ring: result
 * @depth: operations at a time
 *
 * Only one thread at a time may use a ring, and that thread runs what is done when an
 * operation has ended.
 *
 * Return: 0 or a negative errno.
 */
int ring_open(struct ring **ring, unsigned int depth);

/**
 * ring_add() - for struct blk_ops: begin an operation on a file
 * @ring: ring that is not full
 * @fd: file; at the offset of @io
 * @io: operation, the ring's until its @done is called
 *
 * It begins with the next ring_push() or ring_wait(). What the kernel does only a part
 * of is continued.
 *
 * Return: 0; -EOPNOTSUPP when the ring has failed and does nothing any more.
 */
int ring_add(struct ring *ring, int fd, struct blk_io *io);

/** ring_busy() - whether there are operations that have not ended. */
bool ring_busy(const struct ring *ring);

/** ring_full() - whether there are as many as there can be. */
bool ring_full(const struct ring *ring);

/**
 * ring_push() - let what was added begin
 * @ring: ring
 *
 * Where the kernel does not take it, it ends with -EOPNOTSUPP.
 */
void ring_push(struct ring *ring);

/**
 * ring_wait() - wait until an operation ends, or there is something to receive
 * @ring: ring that is busy
 * @fd: socket, or -1
 *
 * Calls @done of every operation that has ended.
 *
 * Return: whether there is something to receive, or the connection has ended.
 */
bool ring_wait(struct ring *ring, int fd);

/** ring_close() - wait for all operations to end, and free the ring. */
void ring_close(struct ring *ring);

#endif /* AFSX_NBD_RING_H */
