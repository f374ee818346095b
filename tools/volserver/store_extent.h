/* SPDX-License-Identifier: MIT */
/* Extents of files, as the database has them; store-format.rst. */
#ifndef AFSX_STORE_EXTENT_H
#define AFSX_STORE_EXTENT_H

#include "store_priv.h"

/**
 * struct extent - a row of the table
 * @id: of the row
 * @off: which block of the file it begins with
 * @birth: epoch it was written in
 * @nr: blocks
 * @phys: where they are on the device
 * @sums: checksum of each
 */
struct extent {
	s64 id;
	u64 off;
	s64 birth;
	u32 nr;
	u64 phys;
	u8 sums[EXTENT_MAX * SUM_LEN];
};

/**
 * extent_find() - the first extents that have blocks in a range, in order
 * @db: connection
 * @vn: file
 * @from: first block of the range
 * @to: block behind it
 * @list: where to put them
 * @max: how many, at most
 *
 * Return: how many, or a negative errno.
 */
int extent_find(struct db *db, const struct vnode *vn, u64 from, u64 to,
		struct extent *list, int max);

#endif /* AFSX_STORE_EXTENT_H */
