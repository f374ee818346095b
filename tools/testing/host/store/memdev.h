/* SPDX-License-Identifier: MIT */
/*
 * A device in memory behind the functions of blkdev.h, for programs that link
 * this instead of blkdev.c: requests are carried out at once, in the caller's
 * thread.  One device at a time; what is asked of it by a URI is ignored.
 */
#ifndef AFSX_MEMDEV_H
#define AFSX_MEMDEV_H

#include "blkdev.h"

/**
 * memdev_create() - a device of zeros, instead of the one before
 * @bytes: size; memory is taken as it is written to
 */
void memdev_create(u64 bytes);

/** memdev_resize() - another size; what lies beyond it is zeros afterwards */
void memdev_resize(u64 bytes);

/** memdev_block() - contents of a block, to look at */
const u8 *memdev_block(u64 nr);

/**
 * memdev_touch() - contents of a block, to be changed behind the store's back
 * @nr: which
 *
 * Undone by memdev_restore(), as all changes are.
 */
u8 *memdev_touch(u64 nr);

/** memdev_save() - from now on remember what blocks hold before they change */
void memdev_save(void);

/** memdev_restore() - the state of memdev_save() again, and stop remembering */
void memdev_restore(void);

/**
 * struct memdev_counts - requests since memdev_create()
 * @trims: TRIM requests
 * @trimmed: blocks they covered
 * @flushes: FLUSH requests
 * @reads: blocks read
 * @fua: first block of the last durable write, those of one block left aside
 * @nr_fua: its length, blocks
 * @opened: connections beside the device's own that were asked for
 * @open: those there are
 * @beside: reads over them
 */
struct memdev_counts {
	u64 trims;
	u64 trimmed;
	u64 flushes;
	u64 reads;
	u64 fua;
	u64 nr_fua;
	u64 opened;
	u64 open;
	u64 beside;
};

/** memdev_counts() - so far */
struct memdev_counts memdev_counts(void);

/* What comes of connections beside the device's own. */
enum memdev_beside {
	MEMDEV_ALONE,	/* there may be none */
	MEMDEV_REFUSED,	/* they cannot be opened */
	MEMDEV_GOOD,
	MEMDEV_BROKEN,	/* reads fail */
	MEMDEV_STALE,	/* reads find something else */
	MEMDEV_ONCE,	/* from the first read on no other may follow */
};

/**
 * memdev_share() - have connections beside the device's own
 * @how: what comes of them
 * @await: have the device's own next read of MEMDEV_LONG bytes wait until one was made
 *	over such a connection, or it could not be opened
 *
 * The device's own connection becomes another one.
 */
void memdev_share(enum memdev_beside how, bool await);

#define MEMDEV_LONG	(256u * 1024)

#endif /* AFSX_MEMDEV_H */
