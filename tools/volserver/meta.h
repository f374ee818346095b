/* SPDX-License-Identifier: MIT */
/*
 * The metadata region: pages of the SQLite database, on one or more runs of
 * blocks, each with a checksum in its last four bytes, behind a page cache that
 * all database connections share.
 */
#ifndef AFSX_META_H
#define AFSX_META_H

#include <afsx/types.h>

#include "blkdev.h"
#include "meta_sums.h"
#include "sb.h"

#define META_PAGE	BLK_SIZE
#define META_RESERVED	4	/* bytes of a page that SQLite leaves to us */

struct meta;

/**
 * meta_open() - attach to the metadata runs of a superblock
 * @dev: device
 * @sb: for the UUID, which is part of every checksum, and the runs
 * @cache_pages: pages kept in memory, at least 4096
 * @m: result
 */
int meta_open(struct blkdev *dev, const struct sb *sb, u32 cache_pages,
	      struct meta **m);

/** meta_close() - forget everything; nothing is written. @m may be NULL. */
void meta_close(struct meta *m);

/**
 * meta_prepare() - load the checksums of a run that the region is to grow by
 * @m: region
 * @run: blocks; those of a new run are zeros
 * @sums: result, for meta_extend() or sums_free()
 *
 * Return: 0; -ENOMEM; an I/O error.
 */
int meta_prepare(struct meta *m, const struct sb_region *run,
		 struct sums **sums);

/** meta_extend() - the superblock names @run; takes @sums over, cannot fail */
void meta_extend(struct meta *m, const struct sb_region *run,
		 struct sums *sums);

/** meta_capacity() - pages that the runs can hold */
u64 meta_capacity(struct meta *m);

/** meta_blocks() - blocks of the runs, those of sums included */
u64 meta_blocks(struct meta *m);

/** meta_size() - pages in the file as SQLite shall see it; 0: no database */
u64 meta_size(struct meta *m);

/**
 * meta_read() - one page
 * @m: region
 * @off: first byte, a multiple of META_PAGE
 * @buf: META_PAGE bytes
 *
 * A page that was never written is zeros.
 *
 * Return: 0; -ENODATA beyond the end; -EUCLEAN when it is not what was last
 * written there.
 */
int meta_read(struct meta *m, u64 off, void *buf);

/**
 * meta_read_header() - bytes of the first page, verified or not
 * @m: region
 * @off: first byte, in the first sector
 * @buf: where to put them
 * @len: how many
 *
 * SQLite learns the size of a page in this way before it looks into the log.
 * After a crash during a checkpoint the page may be torn; the log has it then.
 *
 * Return: 0; -ENODATA when there is no database; an I/O error.
 */
int meta_read_header(struct meta *m, u64 off, void *buf, size_t len);

/**
 * meta_write() - one page
 * @m: region
 * @off: first byte, a multiple of META_PAGE
 * @buf: META_PAGE bytes; the last ones are replaced by the checksum
 *
 * Returns before the device has it; an I/O error is reported by a later
 * meta_write() or meta_sync().
 */
int meta_write(struct meta *m, u64 off, const void *buf);

/** meta_sync() - make every page written so far durable */
int meta_sync(struct meta *m);

/**
 * meta_check_page() - read page @nr from the device, past the cache
 * @m: region
 * @nr: page
 *
 * Return: 0; -EUCLEAN; -ENODATA beyond the end; an I/O error.
 */
int meta_check_page(struct meta *m, u64 nr);

/**
 * meta_damaged_sums() - copies of sums of pages that are damaged or old
 * @m: region
 *
 * That is so after a crash during a checkpoint as well.  The next meta_sync()
 * writes them anew.
 */
u32 meta_damaged_sums(struct meta *m);

/** meta_run_blocks() - blocks a run must have to hold @pages pages */
u64 meta_run_blocks(u64 pages);

#endif /* AFSX_META_H */
