/* SPDX-License-Identifier: MIT */
/*
 * The lease: which process has the store open for writing.
 *
 * NBD has no locks.  The owner writes block 1 every LEASE_PERIOD_S seconds; who
 * wants to become the owner looks whether the present one lives: on the same
 * boot of the same machine by its process id, otherwise by watching the
 * counter.  An owner that finds anything but its own lease stops writing at once:
 * another has the store, or had it and closed it.
 *
 * Of several that find the store free at the same time one becomes the owner:
 * who claims it writes within LEASE_CLAIM_MS of looking, waits for longer than
 * that, and has it if its claim is still there.  Who was slower than that waits
 * until an owner would have seen the claim and stopped.
 */
#ifndef AFSX_LEASE_H
#define AFSX_LEASE_H

#include <afsx/types.h>

#include "blkdev.h"

#define LEASE_PERIOD_S	2
#define LEASE_WATCH_S	7	/* without a sign of life the owner is dead */
#define LEASE_CLAIM_MS	250	/* from looking to having written */
#define LEASE_SETTLE_MS	300	/* until no other claim can follow */

struct lease;
struct sb;

/**
 * lease_acquire() - become the owner
 * @dev: device
 * @sb: of the store; a lease of another store does not count
 * @takeover: take it from a living owner, and do not ask whether another comes at
 *	the same time
 * @lease: result
 * @err: says who the owner is, on failure
 *
 * May take LEASE_WATCH_S seconds when the owner was on another machine and did
 * not close the store, or when the device is slow, or until an owner that lives has
 * noticed that it is one no more.
 *
 * Return: 0; -EBUSY; an I/O error.
 */
int lease_acquire(struct blkdev *dev, const struct sb *sb, bool takeover,
		  struct lease **lease, struct errbuf *err);

/** lease_check() - -EBUSY, with a text, when the store has a living owner */
int lease_check(struct blkdev *dev, const struct afsx_uuid *store,
		struct errbuf *err);

/**
 * lease_hold() - see that the store is still ours
 * @lease: ours
 *
 * Asks the device only when the lease was not renewed in time, as after the
 * process was stopped for a while: others may have taken it for dead.
 *
 * Return: 0; -ESTALE when another owns the store now.
 */
int lease_hold(struct lease *lease);

/**
 * lease_note() - note beside the lease how large the store is
 * @lease: ours
 * @blocks: of the superblocks, which are durable, see sb_note()
 *
 * Return: 0 when that is durable as well; -ESTALE; an I/O error.
 */
int lease_note(struct lease *lease, u64 blocks);

/**
 * lease_resume() - see that the store is still ours, on a new connection
 * @lease: ours
 *
 * To be called by identify() of struct blkdev_opts only.
 *
 * Return: 0; -ESTALE when another owns the store now, or did; an I/O error.
 */
int lease_resume(struct lease *lease);

/** lease_release() - give it up, if it is still ours; @lease may be NULL */
void lease_release(struct lease *lease);

#endif /* AFSX_LEASE_H */
