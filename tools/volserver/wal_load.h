/* SPDX-License-Identifier: MIT */
/*
 * The log as a crash left it: SQLite's header and frames, and the record that
 * follows each write of the log.  Format: Documentation/store-format.rst.
 */
#ifndef AFSX_WAL_LOAD_H
#define AFSX_WAL_LOAD_H

#include "blkdev.h"

#define WAL_RECORD_LEN	32u

/**
 * wal_load() - read the log of a device
 * @dev: device
 * @start: device offset of the region, bytes
 * @limit: its size, bytes
 * @mirror: @limit bytes
 * @size: bytes of @mirror up to the end of the last valid transaction; 0 when the
 *	log is empty
 *
 * A frame that is not valid belongs to the last write, which a crash may cut off,
 * or to an earlier one, which nothing may have touched.
 *
 * Return: 0; -EUCLEAN when something was lost that had been durable.
 */
int wal_load(struct blkdev *dev, u64 start, u64 limit, u8 *mirror, u64 *size);

/** wal_frame_end() - where the frame that byte @off - 1 is in ends */
u64 wal_frame_end(u64 off);

/**
 * wal_put_record() - what follows the frames of a write
 * @mirror: the log, for its salt
 * @durable: end of the last transaction that the device had before
 * @at: offset of the record in the log
 * @record: WAL_RECORD_LEN bytes
 */
void wal_put_record(const u8 *mirror, u64 durable, u64 at, u8 *record);

/** wal_put_empty() - the first block of an empty log */
void wal_put_empty(u8 *block);

#endif /* AFSX_WAL_LOAD_H */
