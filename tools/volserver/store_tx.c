// SPDX-License-Identifier: MIT
/* Transactions: what they have loaded, changed, allocated and freed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "redo.h"
#include "store_apply.h"
#include "store_tx.h"
#include "text.h"

int run_list_add(struct run_list *l, const struct alloc_run *run)
{
	if (l->nr == l->size) {
		size_t size = l->size ? 2 * l->size : 64;
		struct alloc_run *p = realloc(l->run, size * sizeof(*p));

		if (!p)
			return -ENOMEM;
		l->run = p;
		l->size = size;
	}
	l->run[l->nr++] = *run;
	return 0;
}

int tx_fail(struct store_tx *tx, int ret)
{
	static const int harmless[] = {
		0, -EEXIST, -ENOENT, -ENOTDIR, -EISDIR, -ENOTEMPTY, -EINVAL,
		-ENAMETOOLONG, -ENOMEDIUM, -ESTALE, -EROFS, -EXDEV, -EBUSY,
	};

	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (ret == harmless[i])
			return ret;
	if (!tx->err)
		tx->err = ret;
	return ret;
}

/* ---- vnodes --------------------------------------------------------------- */

static struct vnode **bucket_of(struct store_tx *tx, u32 grp, u32 vno)
{
	return &tx->bucket[(grp * 31 + vno / 2) % TX_BUCKETS];
}

void tx_add_vnode(struct store_tx *tx, struct vnode *vn)
{
	struct vnode **head = bucket_of(tx, vn->grp, vn->s.fid.vnode);

	vn->next = *head;
	*head = vn;
	TAILQ_INSERT_TAIL(&tx->vnodes, vn, by_age);
}

static struct vnode *find_vnode(struct store_tx *tx, const struct afsx_fid *fid)
{
	struct vnode *vn = *bucket_of(tx, fid->vid, fid->vnode);

	while (vn && (vn->grp != fid->vid || vn->s.fid.vnode != fid->vnode))
		vn = vn->next;
	return vn;
}

/* From the transactions before, or from the database. */
static int get_vnode(struct store_tx *tx, const struct afsx_fid *fid,
		     struct vnode **out)
{
	struct vnode *vn = hot_take(&tx->st->hot, fid->vid, fid->vnode);
	int ret;

	if (!vn) {
		struct afsx_fid any = { .vid = fid->vid, .vnode = fid->vnode };

		vn = calloc(1, sizeof(*vn));
		if (!vn)
			return -ENOMEM;
		ret = vnode_load_live(tx->db, &any, vn);
		if (ret) {
			free(vn);
			return ret;
		}
	}
	tx_add_vnode(tx, vn);
	*out = vn;
	return 0;
}

int tx_any_vnode(struct store_tx *tx, const struct afsx_fid *fid,
		 struct vnode **out)
{
	struct vnode *vn = find_vnode(tx, fid);
	int ret = vn ? 0 : get_vnode(tx, fid, &vn);

	if (ret)
		return ret;
	if (vn->dead)
		return -ENOENT;
	if (fid->unique && fid->unique != vn->s.fid.unique)
		return -ESTALE;
	*out = vn;
	return 0;
}

int tx_vnode(struct store_tx *tx, const struct afsx_fid *fid,
	     struct vnode **out)
{
	struct tx_grp *g;
	struct vnode *vn;
	int ret = tx_grp(tx, fid->vid, &g);

	if (!ret)
		ret = tx_any_vnode(tx, fid, &vn);
	if (!ret && !vn->s.nlink)
		ret = -ENOENT;
	if (!ret)
		*out = vn;
	return ret;
}

int tx_dir(struct store_tx *tx, const struct afsx_fid *fid, struct vnode **out)
{
	struct vnode *vn;
	int ret = tx_vnode(tx, fid, &vn);

	if (!ret && vn->s.type != AFSX_FTYPE_DIR)
		ret = -ENOTDIR;
	if (!ret)
		*out = vn;
	return ret;
}

#define LOOK_AHEAD	128u	/* numbers, of files and directories, in one query */

/* Where the next number at or behind @from is that a row of the group has, or the end. */
static int find_used(struct store_tx *tx, const struct tx_grp *g, u32 from,
		     u64 *used)
{
	s64 end = (s64)from + LOOK_AHEAD;
	sqlite3_stmt *row = db_bind(tx->db, SQL_VNODE_NEXT, "iii", (s64)g->id,
				    (s64)from, end);
	int ret = db_row(row);

	*used = (u64)(ret > 0 ? db_int(row, 0) : end);
	return db_end(row, min(ret, 0));
}

/* A vnode number that no row of the group has; numbers wrap around. */
static int new_number(struct store_tx *tx, struct tx_grp *g, bool dir, u32 *vno)
{
	u32 *next = dir ? &g->next_dir : &g->next_file;
	u64 *until = dir ? &g->free_dir : &g->free_file;
	bool used;
	int ret;

	do {
		*vno = *next;
		ret = *vno < *until ? 0 : find_used(tx, g, *vno, until);
		used = *vno >= *until;
		*next = *vno + 2;
		if (*vno > U32_MAX - 3) {
			*next = dir ? 3 : 2;
			*until = 0;
		}
	} while (!ret && used);
	return ret;
}

static u32 new_unique(struct tx_grp *g)
{
	u32 unique = g->next_unique;

	g->next_unique = unique < U32_MAX ? unique + 1 : 2;
	g->counters = true;
	return unique;
}

int tx_new_vnode(struct store_tx *tx, struct tx_grp *g, enum afsx_ftype type,
		 struct vnode **out)
{
	struct vnode *vn = calloc(1, sizeof(*vn));
	int ret;

	if (!vn)
		return -ENOMEM;
	ret = new_number(tx, g, type == AFSX_FTYPE_DIR, &vn->s.fid.vnode);
	if (ret) {
		free(vn);
		return ret;
	}
	vn->grp = g->id;
	vn->snap = SNAP_LIVE;
	vn->birth = g->epoch;
	vn->vol_type = AFSX_VOL_RW;
	vn->tail_known = true;
	vn->s.fid.vid = g->id;
	vn->s.fid.unique = new_unique(g);
	vn->s.type = type;
	vn->s.nlink = 1;
	g->files_delta++;
	tx_add_vnode(tx, vn);
	tx_touch(tx, vn, true);
	*out = vn;
	return 0;
}

void tx_touch(struct store_tx *tx, struct vnode *vn, bool data)
{
	struct tx_grp *g;

	if (data && !vn->versioned) {
		vn->s.dv++;
		vn->versioned = true;
	}
	vn->s.mtime_server = tx->now;
	if (!vn->dirty)
		tx_news(tx, &vn->s.fid);
	vn->dirty = true;
	vn->touched = true;
	if (!tx_grp(tx, vn->grp, &g))
		g->changed = true;
}

int tx_charge(struct store_tx *tx, struct vnode *vn, s64 kib)
{
	struct tx_grp *g;
	int ret = tx_grp(tx, vn->grp, &g);
	s64 used;

	if (ret)
		return ret;
	used = (s64)g->vol.used_kib + g->used_delta + kib;
	if (kib > 0 && g->vol.quota_kib && used > (s64)g->vol.quota_kib)
		return -EDQUOT;
	g->used_delta += kib;
	g->changed = true;
	vn->s.used_kib = (u64)((s64)vn->s.used_kib + kib);
	return 0;
}

void tx_forget(struct store_tx *tx)
{
	hot_clear(&tx->st->hot);
	grps_clear(&tx->st->grps);
	tx->volumes = true;
}

/*
 * What readers will see of a vnode. They see nothing of one without a name, and something
 * else of a volume that is restored; of volumes that change, who knows.
 */
static int list_status(const struct store_tx *tx, const struct vnode *vn,
		       struct seen_change *change)
{
	change->s = vn->s;
	change->s.fid.vid = vn->grp;
	if (vn->dead || !vn->s.nlink || tx->volumes || tx->restoring)
		return 0;
	change->shown = true;
	change->acl_len = vn->acl_len;
	if (!vn->acl_len)
		return 0;
	return text_copy(vn->acl, vn->acl_len, &change->acl);
}

/* What readers are to ask the database for until the batch has ended. */
static int list_changes(struct store_tx *tx)
{
	size_t nr = tx->grps.nr;
	struct vnode *vn;
	int ret = 0;

	TAILQ_FOREACH(vn, &tx->vnodes, by_age)
		nr += vn->touched;
	tx->shut = nr ? calloc(nr, sizeof(*tx->shut)) : NULL;
	if (nr && !tx->shut)
		return -ENOMEM;
	for (struct tx_grp *g = tx->grps.first; g; g = g->next)
		tx->shut[tx->nr_shut++].s.fid.vid = g->id;
	TAILQ_FOREACH(vn, &tx->vnodes, by_age)
		if (!ret && vn->touched)
			ret = list_status(tx, vn, &tx->shut[tx->nr_shut++]);
	return ret;
}

static void forget_changes(struct store_tx *tx)
{
	for (size_t i = 0; i < tx->nr_shut; i++)
		free(tx->shut[i].acl);
	free(tx->shut);
	tx->shut = NULL;
	tx->nr_shut = 0;
}

/* What is complete is of use to those that follow, unless its volume may be gone. */
static void keep_vnodes(struct store_tx *tx)
{
	struct hot_age gone = TAILQ_HEAD_INITIALIZER(gone);
	struct vnode *vn;

	while ((vn = TAILQ_FIRST(&tx->vnodes))) {
		TAILQ_REMOVE(&tx->vnodes, vn, by_age);
		if (vn->dead || tx->volumes) {
			TAILQ_INSERT_TAIL(&gone, vn, by_age);
			continue;
		}
		vn->touched = false;
		vn->versioned = false;
		hot_put(&tx->st->hot, vn);
	}
	TAILQ_CONCAT(&tx->vnodes, &gone, by_age);
}

/* ---- news ----------------------------------------------------------------- */

static int grow_news(struct store_tx *tx)
{
	size_t size = tx->news_size ? 2 * tx->news_size : 8;
	struct afsx_fid *p = realloc(tx->news, size * sizeof(*p));

	if (!p)
		return -ENOMEM;
	tx->news = p;
	tx->news_size = size;
	return 0;
}

void tx_news(struct store_tx *tx, const struct afsx_fid *fid)
{
	tx->volumes |= !fid->vnode;
	if (!tx->st->notify || tx->restoring || tx->nr_news > TX_NEWS_MAX)
		return;
	if (tx->nr_news == tx->news_size && grow_news(tx)) {
		tx->err = -ENOMEM;
		return;
	}
	tx->news[tx->nr_news++] = *fid;
}

/* Too much to tell one by one: say that the whole volumes changed. */
static void condense_news(struct store_tx *tx)
{
	size_t nr = 0;

	if (tx->nr_news <= TX_NEWS_MAX)
		return;
	for (struct tx_grp *g = tx->grps.first; g; g = g->next)
		if (g->changed && nr < TX_NEWS_MAX)
			tx->news[nr++] = (struct afsx_fid){ .vid = g->id };
	tx->nr_news = nr;
}

/* ---- beginning and end ---------------------------------------------------- */

void tx_free(struct store_tx *tx)
{
	struct vnode *vn;

	while ((vn = TAILQ_FIRST(&tx->vnodes))) {
		TAILQ_REMOVE(&tx->vnodes, vn, by_age);
		vnode_release(vn);
		free(vn);
	}
	grps_clear(&tx->grps);
	free(tx->taken.run);
	free(tx->freed.run);
	blocks_clear(&tx->blocks);
	free(tx->news);
	forget_changes(tx);
	atomic_fetch_sub(&tx->st->changing, 1);
	free(tx);
}

int tx_new(struct store *st, struct store_tx **out)
{
	struct store_tx *tx;

	if (!st->lease || lease_hold(st->lease) || blkdev_failed(st->dev))
		return -EROFS;
	tx = calloc(1, sizeof(*tx));
	if (!tx)
		return -ENOMEM;
	TAILQ_INIT(&tx->vnodes);
	tx->st = st;
	tx->db = &st->writer;
	atomic_fetch_add(&st->changing, 1);
	*out = tx;
	return 0;
}

int tx_start(struct store_tx *tx)
{
	int ret;

	tx->now = time(NULL);
	tx->losses = wal_losses(tx->st->wal);
	ret = batch_begin(tx);
	tx->record = tx->st->redo->pos;
	return ret;
}

/* Who wants what is in records would have to wait for the writer's lock. */
static int clear_records(struct store *st)
{
	batch_settle(st);
	return apply_all(st);
}

static int begin(struct store *st, bool takes_long, struct store_tx **out)
{
	struct store_tx *tx;
	int ret = tx_new(st, &tx);

	if (ret)
		return ret;
	store_enter(st);
	if (takes_long)
		ret = clear_records(st);
	if (!ret)
		ret = tx_start(tx);
	if (ret) {
		store_leave(st);
		tx_free(tx);
		return ret;
	}
	*out = tx;
	return 0;
}

int store_begin(struct store *st, struct store_tx **tx)
{
	return begin(st, false, tx);
}

int store_begin_long(struct store *st, struct store_tx **tx)
{
	return begin(st, true, tx);
}

void store_set_origin(struct store_tx *tx, const void *origin)
{
	tx->origin = origin;
}

int tx_flush(struct store_tx *tx)
{
	int ret = tx->err ? : batch_sql(tx);
	struct vnode *vn;

	TAILQ_FOREACH(vn, &tx->vnodes, by_age)
		if (!ret)
			ret = vnode_flush(tx, vn);
	return ret;
}

static int flush_everything(struct store_tx *tx)
{
	int ret = tx_flush(tx);

	for (struct tx_grp *g = tx->grps.first; !ret && g; g = g->next)
		ret = grp_flush(tx, g);
	return ret;
}

static int log_everything(struct store_tx *tx)
{
	struct vnode *vn;
	int ret = 0;

	TAILQ_FOREACH(vn, &tx->vnodes, by_age)
		if (!ret)
			ret = vnode_log(tx, vn);
	for (struct tx_grp *g = tx->grps.first; !ret && g; g = g->next)
		ret = grp_log(tx, g);
	return ret ? ret : blocks_log(tx);
}

static const u8 *record_of(const struct store_tx *tx, size_t *len)
{
	*len = tx->st->redo->pos - tx->record;
	return tx->st->redo->buf + tx->record;
}

/*
 * Pages that a row of a record adds to the database at most: two each to its table and to
 * the index, when leaves are split. What that adds to the levels above is much less. A block
 * of a file takes one each: of an extent that it is cut out of two parts are left, but the
 * numbers of extents rise, so that leaves of the table fill up.
 */
#define RECORD_ROW_PAGES	4
#define RECORD_BLOCK_PAGES	2
#define RECORD_PAGES		64

/* Rows of a record must be sure to fit the database later. */
static int reserve_rows(struct store_tx *tx)
{
	struct store *st = tx->st;
	size_t len;
	const u8 *list = record_of(tx, &len);
	int nr = rows_count(list, len, st->redo->buf), ret = 0;
	u64 more;

	if (nr < 0)
		return nr;
	if ((unsigned int)nr > rows_room(st->rows))
		return -ENOBUFS;
	more = RECORD_PAGES + tx->blocks.nr * RECORD_BLOCK_PAGES +
	       (st->rows->used + (u64)nr - tx->blocks.nr) * RECORD_ROW_PAGES;
	/* the number may be one that was reckoned with, not one that there is */
	if (!store_has_pages(st, (u64)st->pages + more))
		ret = db_number(tx->db, SQL_PAGE_COUNT, &st->pages);
	tx->pages = st->pages;
	return ret ? ret : store_grow_meta(st, (u64)st->pages + more);
}

/* Leave what changed in the record, if that is possible; else 1. */
static int try_record(struct store_tx *tx)
{
	int ret = tx->err;

	if (ret)
		return ret;
	if (tx->sql || tx->volumes)
		return 1;
	ret = log_everything(tx);
	if (!ret)
		ret = reserve_rows(tx);
	if (ret != -ENOBUFS && ret != -ENOSPC)
		return ret;
	redo_cut(tx->st->redo, tx->record);
	return 1;
}

static bool only_frees(const struct store_tx *tx)
{
	bool frees = false;

	for (struct tx_grp *g = tx->grps.first; g; g = g->next) {
		if (g->files_delta > 0 || g->used_delta > 0)
			return false;
		frees |= g->files_delta < 0 || g->used_delta < 0;
	}
	return frees;
}

/*
 * Pages that a row adds to the database at most: its own, and in each of three trees
 * two on every level.
 */
#define ROW_PAGES	64

/* SQLite knows how many pages there will be, but has to compile the question each time. */
static s64 most_pages(const struct store_tx *tx)
{
	s64 rows = sqlite3_total_changes64(tx->db->sql) - tx->rows;

	return tx->st->pages + rows * ROW_PAGES;
}

/*
 * The database must fit its region before the log says that it changed.  When
 * the region cannot grow the last of its pages are for what makes room.
 */
static int reserve_pages(struct store_tx *tx)
{
	s64 pages = most_pages(tx);
	int ret = 0;

	if (!store_has_pages(tx->st, (u64)pages))
		ret = db_number(tx->db, SQL_PAGE_COUNT, &pages);
	if (ret)
		return ret;
	ret = store_grow_meta(tx->st, (u64)pages);
	if (ret == -ENOSPC && (u64)pages <= meta_capacity(tx->st->meta) &&
	    (pages <= tx->st->pages || only_frees(tx)))
		ret = 0;
	if (!ret)
		tx->pages = pages;
	return ret;
}

static void undo(struct store_tx *tx)
{
	/* blocks must not be reused while a write to them is under way */
	blkdev_wait(tx->st->dev, &tx->writes);
	batch_undo(tx);
	for (size_t i = 0; i < tx->taken.nr; i++)
		alloc_release(tx->st->alloc, &tx->taken.run[i]);
	tx->taken.nr = 0;
	tx->freed.nr = 0;
	blocks_clear(&tx->blocks);
	tx->wrote = false;
	tx->volumes = false;
	forget_changes(tx);
}

void store_abort(struct store_tx *tx)
{
	undo(tx);
	store_leave(tx->st);
	tx_free(tx);
}

/* What it was refused for may be of the same batch, and must be durable as well. */
bool tx_give_up(struct store_tx *tx)
{
	undo(tx);
	if (!tx->st->batch.first)
		return false;
	batch_add(tx);
	return true;
}

int store_refuse(struct store_tx *tx)
{
	struct store *st = tx->st;
	int ret;

	if (tx_give_up(tx)) {
		batch_leave(st);
		ret = batch_wait(tx, NULL);
	} else {
		store_leave(st);
		ret = wal_barrier(st->wal, tx->losses);
	}
	tx_free(tx);
	return ret;
}

/* All that can fail, so that it can be undone. */
static int complete(struct store_tx *tx)
{
	int ret = try_record(tx);

	if (ret > 0) {
		ret = flush_everything(tx);
		if (!ret)
			ret = reserve_pages(tx);
	}
	if (!ret)
		ret = blkdev_wait(tx->st->dev, &tx->writes);
	if (!ret)
		ret = list_changes(tx);
	return ret || tx->sql != TX_SQL_SAVED ? ret :
	       db_run(tx->db, SQL_RELEASE, "");
}

/* The record has what it changed. */
static void keep_record(struct store_tx *tx)
{
	struct vnode *vn;
	size_t len;
	const u8 *list = record_of(tx, &len);

	rows_put(tx->st->rows, list, len, wal_committed(tx->st->wal) + 1);
	TAILQ_FOREACH(vn, &tx->vnodes, by_age)
		vnode_logged(tx, vn);
}

int tx_seal(struct store_tx *tx)
{
	int ret = complete(tx);

	if (ret) {
		undo(tx);
		return ret;
	}
	if (!tx->sql)
		keep_record(tx);
	batch_add(tx);
	tx->st->pages = tx->pages;
	keep_vnodes(tx);
	condense_news(tx);
	grps_keep(tx);
	return 0;
}

void tx_tell(struct store_tx *tx)
{
	struct store *st = tx->st;

	atomic_fetch_add(&st->commits, 1);
	if (tx->nr_news)
		st->notify(st->notify_ctx, tx->origin, tx->news, tx->nr_news);
}

int store_commit(struct store_tx *tx)
{
	struct store *st = tx->st;
	int ret = tx_seal(tx);

	if (ret) {
		store_leave(st);
	} else {
		batch_leave(st);
		ret = batch_wait(tx, NULL);
		if (!ret)
			tx_tell(tx);
	}
	tx_free(tx);
	return ret;
}
