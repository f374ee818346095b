/* SPDX-License-Identifier: MIT */
/* The header of a qcow2 image, and the table of its internal snapshots. */
#ifndef AFSX_NBD_QCOW2_HEADER_H
#define AFSX_NBD_QCOW2_HEADER_H

#include "qcow2.h"
#include "qcow2_file.h"

#define QCOW2_HEADER_V2		72
#define QCOW2_HEADER_V3		104
#define QCOW2_L1_MAX		(32u << 20)	/* bytes */
#define QCOW2_REFTABLE_MAX	(8u << 20)	/* bytes */

#define QCOW2_INCOMPAT_DIRTY		0x1ull
#define QCOW2_INCOMPAT_CORRUPT		0x2ull
#define QCOW2_INCOMPAT_COMPRESSION	0x8ull

/**
 * struct qcow2_header - a header that is in order
 * @version: 2 or 3
 * @cluster_bits: log2 of the bytes of a cluster
 * @size: bytes of the disk
 * @l1_size: entries of the L1 table
 * @l1_at: where it is in the file
 * @reftable_at: where the table of reference counts is
 * @reftable_clusters: its size
 * @nb_snapshots: internal snapshots
 * @snapshots_at: where the table of them is
 * @incompatible: features, QCOW2_INCOMPAT_*
 * @autoclear: features that end with the first change
 * @refcount_order: log2 of the bits of a reference count
 * @zstd: clusters are compressed by zstd, not deflate
 * @nb_bitmaps: persistent bitmaps
 * @backing: name of the backing file as it stands in the image, or NULL
 * @backing_format: its format, or NULL
 */
struct qcow2_header {
	u32	version;
	u32	cluster_bits;
	u64	size;
	u32	l1_size;
	u64	l1_at;
	u64	reftable_at;
	u32	reftable_clusters;
	u32	nb_snapshots;
	u64	snapshots_at;
	u64	incompatible;
	u64	autoclear;
	u32	refcount_order;
	bool	zstd;
	u32	nb_bitmaps;
	char	*backing;
	char	*backing_format;
};

/** qcow2_header_read() - read and check it; 0, or a negative errno with @err set. */
int qcow2_header_read(struct qcow2_file *file, struct qcow2_header *h, struct errbuf *err);

/** qcow2_header_free() - free its strings. */
void qcow2_header_free(struct qcow2_header *h);

/** qcow2_header_write_features() - make feature bits durable that were changed. */
int qcow2_header_write_features(struct qcow2_file *file, const struct qcow2_header *h);

/**
 * struct qcow2_snapshot - the disk at an earlier time
 * @l1_at: where its L1 table is in the file
 * @l1_size: entries of that
 * @size: bytes of the disk then
 */
struct qcow2_snapshot {
	u64	l1_at;
	u32	l1_size;
	u64	size;
};

typedef int (*qcow2_snapshot_fn)(void *ctx, const struct qcow2_snapshot *snapshot,
				 const char *id, const char *name);

/**
 * qcow2_snapshots_walk() - look at all snapshots
 * @file: the image
 * @h: its header
 * @fn: called for each until it returns something else than 0
 * @ctx: for @fn
 * @end: where the table ends in the file
 *
 * Return: 0, what @fn returned, or a negative errno for a table that is damaged.
 */
int qcow2_snapshots_walk(struct qcow2_file *file, const struct qcow2_header *h,
			 qcow2_snapshot_fn fn, void *ctx, u64 *end);

/** qcow2_snapshot_find() - the snapshot that @options ask for; -ENOENT, errors. */
int qcow2_snapshot_find(struct qcow2_file *file, const struct qcow2_header *h,
			const struct blk_options *options,
			struct qcow2_snapshot *found, struct errbuf *err);

#endif /* AFSX_NBD_QCOW2_HEADER_H */
