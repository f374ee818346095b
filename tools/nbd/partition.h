/* SPDX-License-Identifier: MIT */
/* Partition tables: MBR with chains of extended records, and GPT. */
#ifndef AFSX_NBD_PARTITION_H
#define AFSX_NBD_PARTITION_H

#include "blk.h"

#define PARTITION_MAX	128

/**
 * struct partition - where a partition lies
 * @offset: bytes from the start of the image
 * @length: bytes
 */
struct partition {
	u64 offset;
	u64 length;
};

/**
 * partition_find() - look a partition up by the number Linux would give it
 * @blk: image
 * @nr: 1 to PARTITION_MAX; in an MBR logical partitions begin at 5
 * @part: the answer, inside of the image and not empty
 * @err: what was wrong, naming the partition
 *
 * An MBR with an entry of type 0xEE stands for a GPT, which is read with sectors
 * of 512 and of 4096 bytes, from its primary header or else from the backup.
 * Return: 0; -ENOENT without such a partition; -EINVAL for a table that is none,
 * is damaged, or leads out of the image; errors of reading.
 */
int partition_find(struct blk *blk, unsigned int nr, struct partition *part,
		   struct errbuf *err);

/** partition_find_gpt() - the same for an image known to have a GPT. */
int partition_find_gpt(struct blk *blk, unsigned int nr, struct partition *part,
		       struct errbuf *err);

#endif /* AFSX_NBD_PARTITION_H */
