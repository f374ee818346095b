/* SPDX-License-Identifier: MIT */
/* Checkpoints: pages of the log go to the database region, so that the log ends. */
#ifndef AFSX_STORE_CKPT_H
#define AFSX_STORE_CKPT_H

#include "db.h"
#include "err.h"
#include "wal.h"

struct ckpt;

/**
 * ckpt_start() - watch the log of a store that is open for writing
 * @writer: connection that changes the database; its commits are counted
 * @vfs: name of the VFS
 * @wal: the log
 * @out: for ckpt_stop()
 * @err: says why on failure
 *
 * A thread with a connection of its own copies pages while transactions go on.
 */
int ckpt_start(struct db *writer, const char *vfs, struct wal *wal,
	       struct ckpt **out, struct errbuf *err);

/** ckpt_stop() - end the thread; @c may be NULL */
void ckpt_stop(struct ckpt *c);

/**
 * ckpt_make_room() - see that the log has room for a transaction
 * @c: of the store
 *
 * Called between transactions, with the writer's lock held.  Does nothing unless
 * the log is more than half full, which the thread mostly prevents.
 */
void ckpt_make_room(struct ckpt *c);

#endif /* AFSX_STORE_CKPT_H */
