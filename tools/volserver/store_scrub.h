/* SPDX-License-Identifier: MIT */
/* Reading file data only to see whether it is what was written. */
#ifndef AFSX_STORE_SCRUB_H
#define AFSX_STORE_SCRUB_H

#include "store_priv.h"

/**
 * struct scrub_extent - an extent to verify
 * @id: of its row
 * @start: first block on the device
 * @nr: number of blocks
 * @sums: a CRC of 4 bytes for each
 * @grp: volume group
 * @vno: file
 * @off: first block in the file
 */
struct scrub_extent {
	s64 id;
	u64 start;
	u32 nr;
	const u8 *sums;
	u32 grp;
	u32 vno;
	u64 off;
};

/**
 * scrub_extent_row() - the extent of a row of SQL_SCRUB_EXTENTS, SQL_CHECK_EXTENTS
 * @row: row, whose memory @sums points into
 *
 * Return: the extent as it is there, not judged.
 */
struct scrub_extent scrub_extent_row(sqlite3_stmt *row);

/**
 * scrub_extent() - read and verify
 * @st: store
 * @e: extent, of at most EXTENT_MAX blocks
 * @buf: room for EXTENT_MAX blocks
 * @report: told of every problem
 * @ctx: for @report
 *
 * Return: number of problems.
 */
u32 scrub_extent(struct store *st, const struct scrub_extent *e, u8 *buf,
		 store_report_t report, void *ctx);

#endif /* AFSX_STORE_SCRUB_H */
