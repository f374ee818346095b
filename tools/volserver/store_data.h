/* SPDX-License-Identifier: MIT */
/* Data of files: extents on the device. */
#ifndef AFSX_STORE_DATA_H
#define AFSX_STORE_DATA_H

#include "store_priv.h"

/** data_punch() - free the blocks [@from, @to) of a file */
int data_punch(struct store_tx *tx, struct tx_grp *g, struct vnode *vn,
	       u64 from, u64 to);

/** data_write() - write to a file; its size grows, all else stays */
int data_write(struct store_tx *tx, struct vnode *vn, u64 off, const void *buf,
	       size_t len);

/**
 * data_send() - start to write data to blocks that nothing refers to yet
 * @st: store
 * @batch: to be waited for before something does
 * @own: of @st->changing, those that are the caller's; 0 when a FLUSH is needed anyway
 * @run: blocks, at most EXTENT_MAX
 * @data: what goes there
 *
 * Return: whether they are durable only after a FLUSH.
 */
bool data_send(struct store *st, struct blkdev_batch *batch, unsigned int own,
	       const struct alloc_run *run, const u8 *data);

/** data_sum() - checksums of @nr blocks, at most EXTENT_MAX, as a row of an extent has them */
void data_sum(const u8 *data, u32 nr, u8 *sums);

/**
 * struct placed - blocks that are on the device already
 * @off: which block of the file they are
 * @end: the byte of the file behind them; zeros follow in the last block
 * @run: where they are, at most EXTENT_MAX
 * @flush: whether they are durable only after a FLUSH
 * @sums: their checksums
 */
struct placed {
	u64 off;
	u64 end;
	struct alloc_run run;
	bool flush;
	const u8 *sums;
};

/**
 * data_place() - blocks become part of a file
 * @tx: transaction
 * @vn: file; when @p->end is within a block, not longer than that
 * @p: blocks; the writes have been waited for
 */
int data_place(struct store_tx *tx, struct vnode *vn, const struct placed *p);

/** data_truncate() - change a file's size */
int data_truncate(struct store_tx *tx, struct vnode *vn, u64 size);

#endif /* AFSX_STORE_DATA_H */
