/* SPDX-License-Identifier: MIT */
/* A directory blob in memory for the directory targets. */
#ifndef FUZZ_BLOB_H
#define FUZZ_BLOB_H

#include <afsx/dir.h>

#define BLOB_MAX_BLOCKS 8

/**
 * struct blob - A directory blob
 * @ed: editor and reader of it
 * @blk: blocks, each an allocation of its own
 * @calls: how often a block was asked for
 */
struct blob {
	struct afsx_dir_editor ed;
	u8 *blk[BLOB_MAX_BLOCKS];
	u32 calls;
};

/* An empty blob. The editor can append up to BLOB_MAX_BLOCKS, then fails. */
void blob_init(struct blob *b);

/* Append a block of these bytes, and zeros to its end. */
void blob_append(struct blob *b, const u8 *data, size_t len);

void blob_free(struct blob *b);

#endif /* FUZZ_BLOB_H */
