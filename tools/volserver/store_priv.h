/* SPDX-License-Identifier: MIT */
/* What the files of the store share; store.h is what others see. */
#ifndef AFSX_STORE_PRIV_H
#define AFSX_STORE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include <afsx/dir.h>

#include "alloc.h"
#include "blkdev.h"
#include "db.h"
#include "lease.h"
#include "meta.h"
#include "sb.h"
#include "store.h"
#include "store_batch.h"
#include "store_ckpt.h"
#include "store_dir.h"
#include "store_grp.h"
#include "store_hot.h"
#include "store_places.h"
#include "store_queue.h"
#include "store_rows.h"
#include "store_seen.h"
#include "store_side.h"
#include "store_vnode.h"
#include "store_warm.h"
#include "vfs.h"
#include "wal.h"

#define SNAP_LIVE	S64_MAX		/* vol.snap of a R/W volume */
#define EXTENT_MAX	256u		/* blocks in one extent: 1 MiB */
#define DATA_BLOCKS_MAX	(UINT64_C(1) << (63 - BLK_SHIFT))	/* in a file */
#define SUM_LEN		4u		/* bytes of a block's checksum */
#define BLK_KIB		(BLK_SIZE / 1024)
#define MIB_BLOCKS	(1024 / BLK_KIB)
#define DIRBLK_KIB	(AFSX_DIR_BLOCK_SIZE / 1024)
#define SYMLINK_KIB	1u
#define STAGED_MAX	16u		/* imports at once */
#define BUSY_MAX	16u		/* held volumes, and restores, at once */
#define VOL_TYPE_HELD	3		/* vol.type of a held volume */

/**
 * struct reader - a database connection for reading
 * @db: connection
 * @busy: in use by a thread
 * @since: transactions that were committed when that thread took it
 * @losses: wal_losses() at that time
 */
struct reader {
	struct db db;
	bool busy;
	u64 since;
	unsigned int losses;
};

/**
 * struct store - an open store
 * @cfg: as opened; the URI is not kept
 * @dev: device
 * @side: a second way to it, for long reads; or NULL
 * @sb: superblock; changed by the writer only
 * @known: @sb was read: reconnecting compares the UUID
 * @lease: NULL when opened for reading only
 * @owned: the same, for reconnecting
 * @meta: database pages
 * @wal: log
 * @vfs: both, for SQLite
 * @alloc: free map
 * @writer_lock: held from store_begin() until the transaction is in @batch
 * @queue: changes that wait for it
 * @writer: connection that changes the database
 * @batch: transactions that end together
 * @pages: of the database after the last transaction, at most
 * @redo: records of changes; NULL for a store of version 2 that is only read
 * @rows: what they have and the database does not; likewise
 * @applied: sequence of the last record that the database has
 * @losses: wal_losses() that @rows are true for
 * @hot: what it loaded lately
 * @grps: volume groups that transactions changed lately, as they were committed
 * @ckpt: makes checkpoints; NULL when opened for reading only
 * @reader_lock: protects @reader[].busy and .since
 * @reader_free: a reader was put back, for one that needs it
 * @reader_left: the same, for one that waits until all have moved on
 * @reader: connections for reading
 * @nr_readers: their number
 * @changing: transactions, and data on their way to one
 * @commits: transactions that are durable since the store was opened
 * @staged: directories of store_stage(), protected by @writer_lock
 * @passed: orphan that cannot be collected: go on behind it; likewise
 * @busy: volumes of store_hold() and restores, protected by @writer_lock
 * @ingest_lock: protects @ingesting, and with it the free map against checks
 * @ingesting: blocks in use by data that no file refers to yet
 * @seen: what is known of vnodes and volumes, for readers
 * @warm: what they read
 * @places: whole directories, for them to look for names in
 * @cuts: there may be files with blocks that wait to be freed
 * @notify: told of changes, or NULL
 * @notify_ctx: for @notify
 */
struct store {
	struct store_config cfg;
	struct blkdev *dev;
	struct side *side;
	struct sb sb;
	atomic_bool known;
	struct lease *lease;
	struct lease *owned;
	struct meta *meta;
	struct wal *wal;
	struct vfs *vfs;
	struct alloc *alloc;

	pthread_mutex_t writer_lock;
	struct queue queue;
	struct db writer;
	struct batch batch;
	s64 pages;
	struct redo *redo;
	struct rows *rows;
	u64 applied;
	atomic_uint losses;
	struct hot hot;
	struct grps grps;
	struct ckpt *ckpt;

	pthread_mutex_t reader_lock;
	pthread_cond_t reader_free;
	pthread_cond_t reader_left;
	struct reader *reader;
	unsigned int nr_readers;

	atomic_uint changing;
	atomic_ullong commits;
	struct afsx_fid staged[STAGED_MAX];
	struct afsx_fid passed;
	u32 busy[BUSY_MAX];

	pthread_mutex_t ingest_lock;
	u64 ingesting;

	struct seen *seen;
	struct warm *warm;
	struct places *places;
	atomic_bool cuts;
	store_notify_t notify;
	void *notify_ctx;
};

/* ---- store.c ------------------------------------------------------------ */

/** reader_open() - a connection with a read transaction open; NULL on failure */
struct reader *reader_open(struct store *st, int *err);

/** reader_get() - the same, and the database has all that was changed before */
struct reader *reader_get(struct store *st, int *err);

/** reader_get_for() - the same, as far as vnode @fid goes */
struct reader *reader_get_for(struct store *st, const struct afsx_fid *fid,
			      int *err);

/**
 * reader_put() - end the transaction and give the connection back
 * @st: store
 * @r: connection
 * @ret: result of what was read
 *
 * Return: @ret, or why what was read may not be shown to anybody.
 */
int reader_put(struct store *st, struct reader *r, int ret);

/** store_reap() - let blocks that nobody can see any more be used again */
void store_reap(struct store *st);

/**
 * store_recover_blocks() - after alloc_take() found none
 * @st: store
 *
 * Waits until nobody can see what was freed.  Not to be called with a lock that
 * a reader, or a transaction that ends, needs.
 *
 * Return: 0 when it is worth another try; -ENOSPC; -EIO.
 */
int store_recover_blocks(struct store *st);

/** store_has_pages() - whether there is room for @pages database pages, and some more */
bool store_has_pages(struct store *st, u64 pages);

/** store_grow_meta() - make room for @pages database pages */
int store_grow_meta(struct store *st, u64 pages);

/* ---- store_grow.c ------------------------------------------------------- */

/**
 * store_enlarge() - the store has so many blocks from now on
 * @st: store
 * @blocks: more than before
 *
 * When it fails, the device may have the superblocks of before or of now.
 */
int store_enlarge(struct store *st, u64 blocks);

/** store_set_reserve() - keep a part of the free blocks for metadata */
void store_set_reserve(struct store *st);

/* ---- store_vol.c -------------------------------------------------------- */

/** vol_from_row() - decode the columns of a SQL_VOL_* query */
void vol_from_row(sqlite3_stmt *stmt, struct store_vol *vol, s64 *snap);

/** vol_check_new() - whether a R/W volume may get this name; -EEXIST, -EINVAL */
int vol_check_new(struct store_tx *tx, const char *name);

/**
 * vol_take_id() - an id for a new group of volumes
 * @tx: transaction
 * @id: the one asked for, or 0 for any; then the one it got
 *
 * Return: 0; -EDOM when no R/W volume can have it; -ENOTUNIQ when it is in use.
 */
int vol_take_id(struct store_tx *tx, u32 *id);

/* ---- store_hold.c ------------------------------------------------------- */

/** busy_slot() - entry of @st->busy with this id, or 0 for a free one; NULL */
u32 *busy_slot(struct store *st, u32 id);

/** vol_check_idle() - -EBUSY while a volume of the group is held or restored */
int vol_check_idle(struct store_tx *tx, u32 rw_id);

#endif /* AFSX_STORE_PRIV_H */
