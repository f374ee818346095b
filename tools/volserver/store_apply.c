// SPDX-License-Identifier: MIT
#include "store_apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cleanup.h"
#include "log.h"
#include "redo.h"
#include "store_blocks.h"
#include "store_tx.h"

#define FRAME_LEN	(24 + 4096)	/* of SQLite's file format, section 4.1 */
#define ROWS_MIN	64u
#define ROWS_SHARE	8u		/* a row for so many frames that the log has room for */

static const char key_seq[] = "redo_seq";
static const char key_salt[] = "redo_salt";

/* ---- rows to the database --------------------------------------------------------- */

static int write_vnode(struct db *db, const u8 *row)
{
	struct store_status s;
	struct vnode_text text;

	row_get_status(row, &s, &text.acl, &text.acl_len);
	text.target = row_get_target(row, &text.target_len);
	return vnode_put_row(db, &s, row_birth(row), &text);
}

/* A group with clones has no directory that is gone among these: see vnode_log(). */
static int write_gone(struct db *db, const u8 *row)
{
	s64 grp = row_grp(row), vno = row_vno(row);
	int ret = db_run(db, SQL_VNODE_DELETE, "iii", grp, vno, row_birth(row));

	if (!ret && vno & 1)
		ret = db_run(db, SQL_DIRBLK_DROP_ALL, "iii", grp, vno, (s64)0);
	return ret;
}

static int write_dirblk(struct db *db, const u8 *row)
{
	u8 data[AFSX_DIR_BLOCK_SIZE];

	row_get_dirblk(row, data);
	return dirblk_put_row(db, row_grp(row), row_vno(row), row_nr(row),
			      row_birth(row), data);
}

static int write_group(struct db *db, const u8 *row)
{
	struct tx_grp g;
	s64 id = row_grp(row);
	int ret;

	row_get_group(row, &g);
	ret = db_run(db, SQL_GRP_COUNTERS, "iiii", id, (s64)g.next_file,
		     (s64)g.next_dir, (s64)g.next_unique);
	if (!ret)
		ret = db_run(db, SQL_VOL_USES, "iiii", id, (s64)g.vol.used_kib,
			     (s64)g.vol.files, g.vol.updated);
	return ret;
}

static int write_row(struct db *db, const u8 *row)
{
	switch (row_kind(row)) {
	case ROW_VNODE:
		return write_vnode(db, row);
	case ROW_GONE:
		return write_gone(db, row);
	case ROW_DIRBLK:
	case ROW_DIRPART:
		return write_dirblk(db, row);
	case ROW_GROUP:
		return write_group(db, row);
	case ROW_BLOCK:
		break;	/* these are written together */
	}
	return -EUCLEAN;
}

/* The next row from @i on that was not written, of blocks of files or of all else. */
static struct row_entry *next_row(const struct rows *rows, unsigned int *i,
				  bool blocks)
{
	while (*i < rows->used) {
		struct row_entry *e = &rows->entry[(*i)++];

		if (!e->written && (row_kind(e->row) == ROW_BLOCK) == blocks)
			return e;
	}
	return NULL;
}

/* Blocks of a directory that is gone may still be among the rows: so those go last. */
static int write_some(struct store *st, bool gone)
{
	struct row_entry *e;
	unsigned int i = 0;
	int ret = 0;

	while (!ret && (e = next_row(st->rows, &i, false))) {
		if ((row_kind(e->row) == ROW_GONE) != gone)
			continue;
		ret = write_row(&st->writer, e->row);
		e->written = !ret;
	}
	return ret;
}

/* What lies beside each other becomes one extent. */
static int write_blocks(struct store *st)
{
	struct file_block *list CLEANUP_FREE =
		malloc(st->rows->used * sizeof(*list));
	struct row_entry *e;
	unsigned int i = 0;
	size_t nr = 0;

	if (!list)
		return -ENOMEM;
	while ((e = next_row(st->rows, &i, true))) {
		row_get_block(e->row, &list[nr++]);
		e->written = true;
	}
	return blocks_write(&st->writer, list, nr);
}

static int write_rows(struct store *st)
{
	int ret = st->rows->used ? write_blocks(st) : 0;

	if (!ret)
		ret = write_some(st, false);
	return ret ? ret : write_some(st, true);
}

/* The database has to fit its region before the log has what it becomes. */
static int fit_region(struct store *st)
{
	s64 pages = 0;
	int ret = db_number(&st->writer, SQL_PAGE_COUNT, &pages);

	if (!ret && !wal_is_detached(st->wal))
		ret = store_grow_meta(st, (u64)pages);
	if (ret == -ENOSPC && (u64)pages <= meta_capacity(st->meta))
		ret = 0;
	if (!ret)
		st->pages = pages;
	return ret;
}

static int set_config(struct store *st, const char *key, u64 value)
{
	return db_run(&st->writer, SQL_CONFIG_SET, "si", key, (s64)value);
}

int apply_rows(struct store *st)
{
	int ret;

	if (!st->rows || !st->rows->used)
		return 0;
	ret = write_rows(st);
	if (!ret && st->redo->seq != st->applied)
		ret = set_config(st, key_seq, st->redo->seq);
	return ret ? ret : fit_region(st);
}

void apply_done(struct store *st)
{
	if (!st->rows)
		return;
	redo_drop(st->redo);
	if (st->rows->used)
		rows_clear(st->rows);
	st->applied = st->redo->seq;
}

/* ---- transactions of their own ---------------------------------------------------- */

static int commit(struct store *st, int ret)
{
	wal_repeat(st->wal);
	if (!ret)
		ret = db_run(&st->writer, SQL_COMMIT, "");
	if (ret) {
		if (!sqlite3_get_autocommit(st->writer.sql))
			db_run(&st->writer, SQL_ROLLBACK, "");
		wal_cancel(st->wal);
		apply_undone(st);
		return ret;
	}
	wal_repeated(st->wal);
	apply_done(st);
	return 0;
}

int apply_all(struct store *st)
{
	int ret;

	if (!st->rows || !st->rows->used)
		return 0;
	ret = db_run(&st->writer, SQL_BEGIN_WRITE, "");
	return ret ? ret : commit(st, apply_rows(st));
}

int apply_commit(struct store *st)
{
	return commit(st, 0);
}

/* ---- reading records -------------------------------------------------------------- */

/* The rows are what the records say that the database lacks. */
void apply_undone(struct store *st)
{
	if (!st->rows || !st->rows->used)
		return;
	redo_drop(st->redo);
	rows_refill(st->rows, st->redo, st->applied);
}

static int read_config(struct store *st, const char *key, u64 *value)
{
	sqlite3_stmt *row = db_bind(&st->writer, SQL_CONFIG_GET, "s", key);
	int ret = db_row(row);

	*value = ret > 0 ? (u64)db_int(row, 0) : 0;
	return db_end(row, min(ret, 0));
}

static int make_room(struct store *st)
{
	int ret = write_rows(st);

	rows_clear(st->rows);
	return ret;
}

static int replay_record(void *ctx, const u8 *list, size_t len)
{
	struct store *st = ctx;
	int ret = min(rows_count(list, len, st->redo->buf), 0);
	size_t at = 0;

	while (!ret && at < len) {
		at += rows_put(st->rows, list + at, len - at, 0);
		if (at < len)
			ret = make_room(st);
	}
	return ret;
}

static int replay(struct store *st)
{
	int ret = redo_each(st->redo, st->applied, replay_record, st);

	return ret ? ret : apply_rows(st);
}

/* Apply records to what the log has; then they are of no more use, if @salt is a new one. */
static int replay_all(struct store *st, u64 salt)
{
	int ret = db_run(&st->writer, SQL_BEGIN_WRITE, "");

	if (ret)
		return ret;
	rows_clear(st->rows);
	ret = replay(st);
	if (!ret && salt)
		ret = set_config(st, key_seq, st->redo->seq);
	if (!ret && salt)
		ret = set_config(st, key_salt, salt);
	ret = commit(st, ret);
	/* there may be more than fits: a part of it must not be taken for all */
	if (ret)
		rows_clear(st->rows);
	return ret;
}

bool apply_is_lost(struct store *st)
{
	return st->rows && wal_losses(st->wal) != st->losses;
}

/* The log was cut off: it has less than the records that are durable. */
static int recover(struct store *st)
{
	unsigned int losses = wal_losses(st->wal);
	int ret;

	st->writer.newer = NULL;
	redo_forget_unwritten(st->redo);
	ret = read_config(st, key_seq, &st->applied);
	if (!ret)
		ret = replay_all(st, 0);
	st->writer.newer = st->rows;
	if (!ret)
		st->losses = losses;
	return ret;
}

static int bring_up(struct store *st)
{
	int ret = 0;

	/* as no transaction is ending, what is lost has been cut off */
	if (wal_failed(st->wal))
		wal_detach(st->wal);
	if (apply_is_lost(st))
		ret = recover(st);
	return ret ? ret : apply_all(st);
}

bool apply_is_behind(struct store *st, const struct afsx_fid *fid)
{
	if (!st->rows)
		return false;
	if (apply_is_lost(st))
		return true;
	return fid ? rows_have(st->rows, fid->vid, fid->vnode) :
		     atomic_load(&st->rows->nr);
}

int apply_bring_up(struct store *st)
{
	bool detached;
	int ret = 0;

	batch_settle(st);
	do {
		detached = wal_is_detached(st->wal);
		ret = bring_up(st);
	} while (ret && wal_failed(st->wal) && !detached);
	return ret;
}

/* ---- room ------------------------------------------------------------------------- */

static bool is_full(struct store *st)
{
	return st->redo->tail > st->redo->limit / 2 ||
	       rows_room(st->rows) < st->rows->max / 2;
}

int apply_room(struct store *st)
{
	int ret = 0;

	if (!st->rows)
		return 0;
	if (wal_is_detached(st->wal) || apply_is_lost(st))
		return -EIO;
	if (!st->rows->used && st->redo->tail)
		wal_restart_redo(st->wal, st->redo->salt);
	if (!is_full(st))
		return 0;
	ret = apply_all(st);
	if (!ret && st->redo->tail > st->redo->limit / 2) {
		ret = wal_sync(st->wal);
		wal_restart_redo(st->wal, st->redo->salt);
	}
	return ret;
}

/* ---- beginning and end ------------------------------------------------------------ */

static int make_rows(struct store *st, u64 log_len)
{
	unsigned int frames = (unsigned int)(log_len / FRAME_LEN);

	st->rows = rows_create(max(frames / ROWS_SHARE, ROWS_MIN));
	return st->rows ? 0 : -ENOMEM;
}

static int new_salt(u64 *salt)
{
	do {
		if (getrandom(salt, sizeof(*salt), 0) != sizeof(*salt))
			return -EIO;
	} while (!*salt);
	return 0;
}

/* From now on all records are new ones. */
static int begin_anew(struct store *st)
{
	u64 salt = 0;
	int ret = new_salt(&salt);

	/* a log that a crash left may be rather full */
	sqlite3_wal_checkpoint_v2(st->writer.sql, NULL,
				  SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (!ret)
		ret = replay_all(st, salt);
	if (!ret)
		ret = wal_sync(st->wal);
	if (!ret && !wal_restart_redo(st->wal, salt))
		ret = -EIO;
	return ret;
}

/* Before, the log may have been where records shall be. */
static int make_place(struct store *st, u64 start, u64 limit)
{
	int ret = sqlite3_wal_checkpoint_v2(st->writer.sql, NULL,
					    SQLITE_CHECKPOINT_TRUNCATE, NULL,
					    NULL);

	if (ret != SQLITE_OK)
		return db_errno(ret);
	ret = blkdev_zero(st->dev, start, limit);
	return ret ? ret : blkdev_flush(st->dev);
}

static int upgrade(struct store *st, u64 start, u64 limit)
{
	int ret = 0;

	if (st->sb.version == SB_VERSION_BARE)
		ret = make_place(st, start, limit);
	if (ret)
		return ret;
	st->sb.version = SB_VERSION;
	log_info("the store may have records of files now; older versions cannot open it any more");
	return sb_write(st->dev, &st->sb);
}

/* Nothing else may use the blocks that records have, while those are applied. */
static int claim_blocks(void *ctx, const u8 *list, size_t len)
{
	struct store *st = ctx;
	int ret = min(rows_count(list, len, st->redo->buf), 0);

	for (size_t at = 0; !ret && at < len; at += row_len(list + at)) {
		struct alloc_run run = { .nr = 1 };
		struct file_block b;

		if (row_kind(list + at) != ROW_BLOCK)
			continue;
		row_get_block(list + at, &b);
		run.start = b.phys;
		if (alloc_claim(st->alloc, &run) == -ERANGE)
			ret = -EUCLEAN;
	}
	return ret;
}

static int start(struct store *st, u64 begin, u64 len)
{
	u64 limit = redo_len(len), salt;
	int ret = 0, some;

	if (st->sb.version == SB_VERSION_BARE && !st->lease)
		return 0;
	if (st->sb.version != SB_VERSION && st->lease)
		ret = upgrade(st, begin + len - limit, limit);
	if (!ret)
		ret = make_rows(st, len - limit);
	if (!ret)
		ret = redo_open(st->dev, &st->sb.uuid, begin + len - limit,
				limit, &st->redo);
	if (!ret)
		ret = read_config(st, key_salt, &salt);
	if (!ret)
		ret = read_config(st, key_seq, &st->applied);
	if (!ret)
		ret = redo_load(st->redo, salt, st->applied);
	if (!ret)
		ret = redo_each(st->redo, st->applied, claim_blocks, st);
	if (ret)
		return ret;
	some = st->redo->seq != st->applied;
	wal_set_redo(st->wal, st->redo, len - limit);
	if (!st->lease)
		wal_detach(st->wal);
	ret = st->lease ? begin_anew(st) : replay_all(st, 0);
	st->writer.newer = st->rows;
	return ret ? ret : some;
}

int apply_start(struct store *st, const struct sb_region *log,
		struct errbuf *err)
{
	int ret = start(st, log->start << BLK_SHIFT, (u64)log->nr << BLK_SHIFT);

	return ret < 0 ? err_set(err, ret, "cannot apply the records of changes: %s",
				 ret == -EUCLEAN ? "damaged" : strerror(-ret)) : ret;
}

void apply_stop(struct store *st)
{
	st->writer.newer = NULL;
	if (st->rows && st->lease && !wal_is_detached(st->wal))
		apply_all(st);
	rows_destroy(st->rows);
	st->rows = NULL;
}
