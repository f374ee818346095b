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

/** expect_whole() - the file is there, all is sound, and the device has @bytes */
void expect_whole(const char *when, u64 bytes);

/** tear() - let block @nr have some first or last @sectors of @now, and others of @old */
void tear(u64 nr, const u8 *old, const u8 *now, u32 sectors, bool last);

/** watch_begin() - a write is about to be made; 0, or how it fails */
int watch_begin(u64 off, u64 len);

/** watch_end() - it was */
void watch_end(u64 off, u64 len);

/** test_busy() - growing while threads use the store */
void test_busy(void);

/** test_open() - what else may happen to a store that is open */
void test_open(void);

#endif /* AFSX_STORE_GROW_H */
