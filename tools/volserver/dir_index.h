/* SPDX-License-Identifier: MIT */
/*
 * Where the names of one large directory are.
 *
 * AFS's format has 128 hash chains, whatever the size: among 50,000 names each has 390,
 * in about half of all blocks. Here every name is found at once, by a hash of 32 bits,
 * and with it the entry in front of it in its chain, which is to be changed when it is
 * removed. What is found is compared with the block by who looks for it.
 */
#ifndef AFSX_DIR_INDEX_H
#define AFSX_DIR_INDEX_H

#include <afsx/dir.h>

#include "defs.h"

/* Blocks from which on it pays: chains of eight names. Measured with bench-store. */
#define DIR_INDEX_BLOCKS	16u

/* Times a name is looked for by its chain before: so often costs as much as to build it. */
#define DIR_INDEX_AFTER		4u

struct dir_index;

/**
 * dir_index_build() - of a directory as it is
 * @rd: directory, without an index; all of its blocks are read
 * @out: the index
 *
 * Return: 0; -ENOMEM; -EIO when a block cannot be read, or when the chains are not what
 * they should be: every entry once, in the chain of its name.
 */
int dir_index_build(const struct afsx_dir_reader *rd, struct dir_index **out);

/** dir_index_free() - @x may be NULL */
void dir_index_free(struct dir_index *x);

/** dir_index_bytes() - memory that it takes; @x may be NULL */
size_t dir_index_bytes(const struct dir_index *x);

/** dir_index_candidate() - as struct afsx_dir_index has it */
u32 dir_index_candidate(const struct dir_index *x, const char *name, u32 len,
			u32 after, u32 *prev);

/** dir_index_add() - likewise; -ENOMEM: it is of no use any more */
int dir_index_add(struct dir_index *x, const char *name, u32 len, u32 slot,
		  u32 next);

/** dir_index_remove() - likewise */
void dir_index_remove(struct dir_index *x, u32 slot, u32 prev, u32 next);

#endif /* AFSX_DIR_INDEX_H */
