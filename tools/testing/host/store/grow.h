/* SPDX-License-Identifier: MIT */
/* The parts of store-grow. */
#ifndef AFSX_STORE_GROW_H
#define AFSX_STORE_GROW_H

#include "blkdev.h"
#include "store.h"

#define MIB		(UINT64_C(1) << 20)
#define SECTOR		512u
#define SECTORS		(BLK_SIZE / SECTOR)

extern struct store *st;
extern struct afsx_fid root;	/* of the volume */

/** make_store() - open, with a volume and a file, on a new device */
void make_store(u64 bytes);

/** try_open() - the store again; @flags: STORE_* */
int try_open(unsigned int flags);

/** expect_contents() - the file is there, and the device has @bytes */
void expect_contents(const char *when, u64 bytes);

/** expect_whole() - the same, and all is sound */
void expect_whole(const char *when, u64 bytes);

#define CUT_SECTORS	(4 * SECTORS)	/* that growing writes to */

/** cut_begin() - the device has grown, and the store is about to */
void cut_begin(u64 from, u64 to);

/** cut_end() - it has */
void cut_end(void);

/**
 * cut_off() - what a crash leaves of that
 * @sectors: how many it had written
 * @last: of the block it was writing to the last ones, not the first
 */
void cut_off(u32 sectors, bool last);

/** watch_begin() - a write is about to be made; 0, or how it fails */
int watch_begin(u64 off, u64 len);

/** watch_end() - it was */
void watch_end(u64 off, u64 len);

/** test_busy() - growing while threads use the store */
void test_busy(void);

/** test_lost() - block 0 damaged before the store has grown with the device */
void test_lost(void);

/** test_open() - what else may happen to a store that is open */
void test_open(void);

#endif /* AFSX_STORE_GROW_H */
