/* SPDX-License-Identifier: MIT */
/* Extents of files, as the database has them; store-format.rst. */
#ifndef AFSX_STORE_EXTENT_H
#define AFSX_STORE_EXTENT_H

#include "store_priv.h"

struct run_list;

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

/** extent_put() - a new one of the file; all but its id */
int extent_put(struct db *db, const struct vnode *vn, const struct extent *e);

/**
 * struct epochs - what becomes of an extent that a file has no more
 * @now: birth of what is new, and death of what clones still see
 * @newest: newest epoch that a clone shows; 0 for none
 */
struct epochs {
	s64 now;
	s64 newest;
};

/**
 * extent_punch() - the file has nothing in the blocks [@from, @to) any more
 * @db: the writer's connection
 * @vn: file
 * @ep: of its group
 * @from: first block of the range
 * @to: block behind it
 * @freed: gets what no clone sees either; or NULL
 * @nr: that many blocks more were there
 */
int extent_punch(struct db *db, const struct vnode *vn, const struct epochs *ep,
		 u64 from, u64 to, struct run_list *freed, u64 *nr);

#endif /* AFSX_STORE_EXTENT_H */
