/* SPDX-License-Identifier: MIT */
/*
 * Rows that are newer than those of the database: the records of the log have them.
 *
 * Of each the last version is kept, where the records' mirror has it, until it is written
 * to the database, which is done for many at once: a directory that a thousand files were
 * made in is one row then. The writer finds them here; readers have them written first,
 * or look for a status here.
 */
#ifndef AFSX_STORE_ROWS_H
#define AFSX_STORE_ROWS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "store_row.h"

struct afsx_fid;
struct redo;

/**
 * struct row_entry - the last version of a row
 * @next: in the same chain
 * @row: in the mirror of the records
 * @ticket: of its batch: until that has ended readers may not see it
 * @older: the one of a batch before, for readers; or NULL: they find it in the database
 * @written: it is in the transaction of SQLite that is open
 */
struct row_entry {
	struct row_entry *next;
	const u8 *row;
	u64 ticket;
	const u8 *older;
	bool written;
};

/**
 * struct rows - all of them
 * @lock: protects the rest from readers; the writer, who alone changes it, has the
 *	writer's lock
 * @max: that there may be
 * @used: that there are
 * @nr: the same, for readers that have no lock: it changes when a change is complete
 * @visible: ticket of the last batch that has ended
 * @entry: memory for them; the first @used are in use
 * @mask: of @chain
 * @chain: by what they are
 */
struct rows {
	pthread_mutex_t lock;
	unsigned int max;
	unsigned int used;
	atomic_uint nr;
	u64 visible;
	struct row_entry *entry;
	unsigned int mask;
	struct row_entry **chain;
};

/** rows_create() - room for @max rows; NULL without memory */
struct rows *rows_create(unsigned int max);

/** rows_destroy() - @rows may be NULL */
void rows_destroy(struct rows *rows);

/**
 * rows_count() - how many rows there are in the @len bytes at @list
 * @list: rows
 * @len: bytes
 * @first: where the first of all records' rows may be
 *
 * Return: their number; -EUCLEAN when that is not all valid.
 */
int rows_count(const u8 *list, size_t len, const u8 *first);

/** rows_room() - for how many more there is room */
unsigned int rows_room(struct rows *rows);

/**
 * rows_put() - valid rows that take the place of those there are, in this order
 * @rows: rows
 * @list: rows
 * @len: bytes
 * @ticket: of their batch; 0: readers may see them
 *
 * Return: bytes that were taken: all, or up to one that there is no room for.
 */
size_t rows_put(struct rows *rows, const u8 *list, size_t len, u64 ticket);

/** rows_show() - the batch with this ticket has ended, and was announced */
void rows_show(struct rows *rows, u64 ticket);

/** rows_clear() - the database has all */
void rows_clear(struct rows *rows);

/** rows_refill() - what the records behind sequence @after have; there was room for it before */
void rows_refill(struct rows *rows, const struct redo *r, u64 after);

/** rows_unwrite() - the transaction of SQLite that was open did not happen */
void rows_unwrite(struct rows *rows);

/** rows_find() - one that was not written, for the writer; NULL */
const u8 *rows_find(const struct rows *rows, enum row_kind kind, u32 grp,
		    u32 vno, u64 nr);

/** rows_have() - whether a vnode is newer than the database has it, for readers */
bool rows_have(struct rows *rows, u32 grp, u32 vno);

/**
 * rows_status() - status of a vnode, for readers
 * @rows: rows
 * @fid: which; a uniquifier of 0 matches any
 * @s: its status
 * @acl: NULL, or STORE_ACL_MAX bytes for the access list of its own
 *
 * Return: length of the access list; -ENODATA when it is not newer than the database has
 * it; -ENOENT, -ESTALE.
 */
ssize_t rows_status(struct rows *rows, const struct afsx_fid *fid,
		    struct store_status *s, char *acl);

/** rows_group() - counters of a group that are newer, and usage; false: they are not */
bool rows_group(struct rows *rows, u32 grp, struct tx_grp *g);

#endif /* AFSX_STORE_ROWS_H */
