/* SPDX-License-Identifier: MIT */
/*
 * Superblocks: who the store is and where its regions are.  Two copies, in the
 * first and in the last block; format: Documentation/store-format.rst.
 */
#ifndef AFSX_SB_H
#define AFSX_SB_H

#include <afsx/types.h>

#include "blkdev.h"

#define SB_VERSION	4	/* 3: without blocks of files in records */
#define SB_VERSION_BARE	2	/* without a place for records */
#define SB_REGIONS_MAX	240
#define SB_LEASE_BLOCK	1	/* block of the owner's lease, see lease.h */
#define SB_FIRST_FREE	2	/* first block that a region may take */

enum sb_region_type {
	SB_REGION_WAL = 1,	/* exactly one */
	SB_REGION_META = 2,	/* in the order of their offsets in the database */
};

/**
 * struct sb_region - a run of blocks that is not for file data
 * @type: what for
 * @start: first block
 * @nr: number of blocks
 */
struct sb_region {
	enum sb_region_type type;
	u64 start;
	u32 nr;
};

/**
 * struct sb - decoded superblock
 * @version: of the format: SB_VERSION_BARE to SB_VERSION
 * @uuid: of the store
 * @seq: grows with each change; the valid copy with the larger one counts
 * @blocks: size of the device when the store was made, or grew last
 * @created: seconds since 1970
 * @nr: number of regions
 * @region: the regions
 */
struct sb {
	u32 version;
	struct afsx_uuid uuid;
	u64 seq;
	u64 blocks;
	s64 created;
	u32 nr;
	struct sb_region region[SB_REGIONS_MAX];
};

/**
 * sb_decode() - check a block and take it apart
 * @block: BLK_SIZE bytes
 * @sb: result
 *
 * Return: 0; -EMEDIUMTYPE when it is no superblock at all; -EUCLEAN when it is
 * damaged: @sb has the uuid and the blocks that it gives, right or wrong;
 * -EPROTONOSUPPORT when its version is unknown.
 */
int sb_decode(const void *block, struct sb *sb);

/** sb_encode() - the block of a superblock, with its checksum */
void sb_encode(const struct sb *sb, void *block);

/**
 * sb_note() - note where the second copy is
 * @block: of the lease, BLK_SIZE bytes; its last sector is written to
 * @uuid: of the store
 * @blocks: as in the superblock that is durable in block 0 and at the end of them
 *
 * A note is believed: nothing that only the larger store may do is done before it is on
 * the device.
 */
void sb_note(void *block, const struct afsx_uuid *uuid, u64 blocks);

/**
 * sb_read() - find the superblock of a device
 * @dev: device
 * @sb: result
 * @stale: set when one of the copies is missing, damaged or older
 * @err: says why on failure
 *
 * Without the first copy, the second is looked for where the note says, and without a note
 * where a torn first copy does or else at the end of the device.  There is no search.
 *
 * Return: 0; -EMEDIUMTYPE, -EUCLEAN, -EPROTONOSUPPORT, or an I/O error.
 */
int sb_read(struct blkdev *dev, struct sb *sb, bool *stale,
	    struct errbuf *err);

/**
 * sb_write() - write both copies, the first durable before the second starts
 * @dev: device
 * @sb: superblock; its seq grows
 *
 * Raises @sb->seq.  After a crash at any point one of the copies is valid.
 */
int sb_write(struct blkdev *dev, struct sb *sb);

/**
 * sb_grow() - the device has more blocks than before: use them
 * @dev: device
 * @sb: superblock; its blocks and seq grow
 * @blocks: how many there are now
 *
 * The second copy, in the new last block, is durable before the first is written.
 * While the first is torn, the copies of before and of now both say what the store is:
 * nothing may be changed before lease_note() was told of the new one.
 */
int sb_grow(struct blkdev *dev, struct sb *sb, u64 blocks);

/** sb_check_layout() - regions within the device, apart, one log; -EUCLEAN */
int sb_check_layout(const struct sb *sb, struct errbuf *err);

#endif /* AFSX_SB_H */
