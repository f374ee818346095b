/* SPDX-License-Identifier: MIT */
/*
 * A second connection to the device, for long reads of file data, with a thread that
 * receives and verifies what comes over it: so two processors do.  It is made when it
 * is wanted first, and given up for a while after any error.  Nothing depends on it:
 * what it does not read right is read over the device's own connection.
 */
#ifndef AFSX_STORE_SIDE_H
#define AFSX_STORE_SIDE_H

#include "blkdev.h"

struct pieces;
struct side;

/** side_create() - a second way to @dev, which is not used yet; NULL without memory */
struct side *side_create(struct blkdev *dev);

/** side_destroy() - end it; nobody may need help any more. @side may be NULL. */
void side_destroy(struct side *side);

/**
 * side_help() - have pieces taken
 * @side: second way
 * @ps: pieces, as pieces_read() has prepared them
 *
 * Does not wait.  Return: whether there may be help; then side_leave() must follow.
 */
bool side_help(struct side *side, struct pieces *ps);

/** side_leave() - wait until those that it took have ended, well or not */
void side_leave(struct side *side, struct pieces *ps);

/** side_stats() - add what it did so far to @stats */
void side_stats(struct side *side, struct blkdev_stats *stats);

#endif /* AFSX_STORE_SIDE_H */
