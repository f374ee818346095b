/* SPDX-License-Identifier: MIT */
/*
 * Blocks of files that change without SQLite: a few at a time, which a record can tell.
 *
 * A transaction collects them. They go to the record with what else it has changed, or to
 * the database as soon as it needs that for something else. The functions are called with
 * the writer's lock held.
 */
#ifndef AFSX_STORE_BLOCKS_H
#define AFSX_STORE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "store_row.h"

struct db;
struct extent;
struct store_tx;

/**
 * struct blocks - of a transaction
 * @list: the last version of each
 * @nr: entries of @list
 * @size: there is room for so many
 * @slot: where they are in @list, plus one, by what they are; 0 for nothing
 * @mask: of @slot
 */
struct blocks {
	struct file_block *list;
	size_t nr;
	size_t size;
	u32 *slot;
	size_t mask;
};

/** blocks_have_room() - whether @nr blocks more of a file may be told by a record */
bool blocks_have_room(const struct store_tx *tx, u32 nr);

/**
 * blocks_find() - where a block of a file is now
 * @tx: transaction; what it and those before it did counts
 * @vn: file
 * @nr: which of its blocks
 * @b: the block
 *
 * Return: 1; 0 when there is none; an error.
 */
int blocks_find(struct store_tx *tx, const struct vnode *vn, u64 nr,
		struct file_block *b);

/**
 * blocks_replace() - others will take the place of the blocks [@from, @to) of a file
 * @tx: transaction, which has nothing of one of SQLite; it will free those that no clone
 *	sees
 * @g: group of the file
 * @vn: file
 * @from: first block
 * @to: block behind the last one
 * @nr: that many more were there
 */
int blocks_replace(struct store_tx *tx, const struct tx_grp *g,
		   const struct vnode *vn, u64 from, u64 to, u64 *nr);

/** blocks_put() - the file has these blocks now; those before were replaced; -ENOMEM */
int blocks_put(struct store_tx *tx, const struct tx_grp *g,
	       const struct vnode *vn, const struct extent *e);

/** blocks_log() - all to the record; -ENOBUFS when there is no room */
int blocks_log(struct store_tx *tx);

/** blocks_flush() - all to the database, in the transaction of SQLite that is open */
int blocks_flush(struct store_tx *tx);

/** blocks_clear() - forget all */
void blocks_clear(struct blocks *bs);

/**
 * blocks_write() - blocks of files to the database
 * @db: the writer's connection, in a transaction
 * @list: blocks, none of them twice; their order changes
 * @nr: how many
 */
int blocks_write(struct db *db, struct file_block *list, size_t nr);

#endif /* AFSX_STORE_BLOCKS_H */
