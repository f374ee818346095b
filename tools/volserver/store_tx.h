/* SPDX-License-Identifier: MIT */
/* A transaction from the inside. */
#ifndef AFSX_STORE_TX_H
#define AFSX_STORE_TX_H

#include "store_blocks.h"
#include "store_grp.h"
#include "store_priv.h"

/* A growing list of runs of blocks. */
struct run_list {
	struct alloc_run *run;
	size_t nr;
	size_t size;
};

/**
 * enum tx_sql - what a transaction has of one of SQLite
 * @TX_SQL_NONE: nothing: a record is enough for what it changes, so far
 * @TX_SQL_WHOLE: all of it, so far
 * @TX_SQL_SAVED: what comes after a savepoint
 */
enum tx_sql {
	TX_SQL_NONE,
	TX_SQL_WHOLE,
	TX_SQL_SAVED,
};

#define TX_BUCKETS	256u
#define TX_NEWS_MAX	4096u	/* more than that: the whole volume changed */

/**
 * struct store_tx - a transaction
 * @st: store
 * @db: the writer's connection
 * @next: in the same batch
 * @ticket: of its batch
 * @err: 0, or why it can only be aborted; then, what came of its batch
 * @now: time of all changes, seconds since 1970
 * @losses: wal_losses() when it began
 * @restoring: group that a restore fills unseen by others, or 0
 * @sql: what it has of SQLite's transaction
 * @record: where its rows begin in the record that is open
 * @rows: that the connection had ever changed before it
 * @pages: of the database with all of its changes, at most
 * @writes: file data under way
 * @wrote: file data was written that takes a FLUSH to be durable
 * @fua_writes: writes of data that may not have needed one
 * @has_ingest: it is given data of a struct store_ingest
 * @cutting: a file is made shorter: blocks may come out of the reserve when others
 *	are freed
 * @taken: blocks allocated, to be given back when it is aborted
 * @freed: blocks to be retired when it is committed
 * @blocks: of files, which neither the record nor the database has yet
 * @grps: groups it has loaded
 * @vnodes: that it has loaded, in this order
 * @bucket: the same, by group and number; not to be used once they are given to others
 * @shut: what changes, and readers may not remember until the batch has ended
 * @nr_shut: entries of @shut
 * @origin: for the notifier
 * @volumes: volumes change
 * @news: what the notifier will be told
 * @nr_news: entries of @news
 * @news_size: there is room for so many
 */
struct store_tx {
	struct store *st;
	struct db *db;
	struct store_tx *next;
	u64 ticket;
	int err;
	s64 now;
	unsigned int losses;
	u32 restoring;
	enum tx_sql sql;
	u64 record;
	s64 rows;
	s64 pages;
	struct blkdev_batch writes;
	bool wrote;
	unsigned int fua_writes;
	bool has_ingest;
	bool cutting;
	struct run_list taken;
	struct run_list freed;
	struct blocks blocks;
	struct grps grps;
	struct hot_age vnodes;
	struct vnode *bucket[TX_BUCKETS];
	struct seen_change *shut;
	size_t nr_shut;
	const void *origin;
	bool volumes;
	struct afsx_fid *news;
	size_t nr_news;
	size_t news_size;
};

/** tx_vnode() - vnode of a R/W volume, loaded at first */
int tx_vnode(struct store_tx *tx, const struct afsx_fid *fid,
	     struct vnode **vn);

/** tx_any_vnode() - the same, also when no name leads to it any more */
int tx_any_vnode(struct store_tx *tx, const struct afsx_fid *fid,
		 struct vnode **vn);

/** tx_dir() - tx_vnode() for a directory; -ENOTDIR */
int tx_dir(struct store_tx *tx, const struct afsx_fid *fid, struct vnode **vn);

/** tx_new_vnode() - a vnode with a new number, not yet in any directory */
int tx_new_vnode(struct store_tx *tx, struct tx_grp *g, enum afsx_ftype type,
		 struct vnode **vn);

/** tx_add_vnode() - enter a vnode that the caller made with calloc() */
void tx_add_vnode(struct store_tx *tx, struct vnode *vn);

/** tx_touch() - the vnode's row changes; @data: its data version too */
void tx_touch(struct store_tx *tx, struct vnode *vn, bool data);

/**
 * tx_charge() - account for space; -EDQUOT when the quota does not allow it
 * @tx: transaction
 * @vn: who uses it
 * @kib: KiB more, or fewer when negative
 */
int tx_charge(struct store_tx *tx, struct vnode *vn, s64 kib);

/** tx_new() - a transaction that has not begun; -EROFS, -ENOMEM */
int tx_new(struct store *st, struct store_tx **tx);

/** tx_start() - begin it; called with the writer's lock held, as the two that can follow */
int tx_start(struct store_tx *tx);

/** tx_seal() - have it in the batch, complete; on error it is undone, and not there */
int tx_seal(struct store_tx *tx);

/** tx_give_up() - undo it; true: it is in the batch, for what it has seen */
bool tx_give_up(struct store_tx *tx);

/** tx_tell() - it is durable: tell the notifier */
void tx_tell(struct store_tx *tx);

/** tx_free() - forget a transaction that has ended, or has not begun */
void tx_free(struct store_tx *tx);

/** tx_flush() - write the rows of all vnodes that changed so far to the database */
int tx_flush(struct store_tx *tx);

/** tx_forget() - rows change in a way that no vnode or group in memory tells */
void tx_forget(struct store_tx *tx);

/** tx_news() - something for the notifier */
void tx_news(struct store_tx *tx, const struct afsx_fid *fid);

/**
 * tx_fail() - pass on the result of an operation
 * @tx: transaction
 * @ret: the result
 *
 * Errors that are found before anything changes are harmless; after others
 * the transaction can only be aborted.
 *
 * Return: @ret.
 */
int tx_fail(struct store_tx *tx, int ret);

/** tx_collect_rows() - run what RETURNs the blocks it frees; how many rows */
int tx_collect_rows(struct store_tx *tx, sqlite3_stmt *row);

/** tx_collect_busy() - end what a crash interrupted; rows, or 0 for nothing */
int tx_collect_busy(struct store_tx *tx, unsigned int max);

/** store_release() - trim blocks, and let them be used again; changes @runs */
void store_release(struct store *st, struct run_list *runs);

/** run_list_add() - -ENOMEM */
int run_list_add(struct run_list *l, const struct alloc_run *run);

#endif /* AFSX_STORE_TX_H */
