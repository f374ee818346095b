// SPDX-License-Identifier: MIT
/* Transactions: what they have loaded, changed, allocated and freed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store_tx.h"

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

/* A vnode number that no row of the group has; numbers wrap around. */
static int new_number(struct store_tx *tx, struct tx_grp *g, bool dir, u32 *vno)
{
	u32 *next = dir ? &g->next_dir : &g->next_file;
	u32 first = dir ? 3 : 2;
	int ret;

	g->counters = true;
	do {
		sqlite3_stmt *row;

		*vno = *next;
		*next = *vno > U32_MAX - 3 ? first : *vno + 2;
		row = db_bind(tx->db, SQL_VNODE_EXISTS, "ii", (s64)g->id,
			      (s64)*vno);
		ret = db_end(row, db_row(row));
	} while (ret > 0);
	return ret;
}

static u32 new_unique(struct tx_grp *g)
{
	u32 unique = g->next_unique;

	g->next_unique = unique == U32_MAX ? 2 : unique + 1;
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

/* Have readers ask the database for what changes, or let them remember again. */
static void each_change(struct store_tx *tx,
			void (*one)(struct seen *c, u32 vid, u32 vno),
			void (*all)(struct seen *c))
{
	struct seen *c = tx->st->seen;

	if (tx->volumes)
		all(c);
	for (struct tx_grp *g = tx->grps.first; g; g = g->next)
		one(c, g->id, 0);
	for (size_t i = 0; i < TX_BUCKETS; i++)
		for (struct vnode *vn = tx->bucket[i]; vn; vn = vn->next)
			if (vn->touched)
				one(c, vn->grp, vn->s.fid.vnode);
}

/*
 * What is committed can be of use to the transactions that follow, unless its volume
 * may be gone.
 */
static void keep_vnodes(struct store_tx *tx)
{
	for (size_t i = 0; i < TX_BUCKETS; i++) {
		struct vnode *vn, *next, *dead = NULL;

		for (vn = tx->bucket[i]; vn; vn = next) {
			next = vn->next;
			if (vn->dead || tx->volumes) {
				vn->next = dead;
				dead = vn;
				continue;
			}
			vn->touched = false;
			vn->versioned = false;
			hot_put(&tx->st->hot, vn);
		}
		tx->bucket[i] = dead;
	}
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

static void tx_free(struct store_tx *tx)
{
	for (size_t i = 0; i < TX_BUCKETS; i++) {
		while (tx->bucket[i]) {
			struct vnode *vn = tx->bucket[i];

			tx->bucket[i] = vn->next;
			vnode_release(vn);
			free(vn);
		}
	}
	grps_clear(&tx->grps);
	free(tx->taken.run);
	free(tx->freed.run);
	free(tx->news);
	atomic_fetch_sub(&tx->st->changing, 1);
	free(tx);
}

int store_begin(struct store *st, struct store_tx **out)
{
	struct store_tx *tx;
	int ret = 0;

	if (!st->lease || lease_hold(st->lease) || blkdev_failed(st->dev))
		return -EROFS;
	tx = calloc(1, sizeof(*tx));
	if (!tx)
		return -ENOMEM;
	tx->st = st;
	tx->db = &st->writer;
	tx->now = time(NULL);
	atomic_fetch_add(&st->changing, 1);
	pthread_mutex_lock(&st->writer_lock);
	tx->losses = wal_losses(st->wal);
	tx->rows = sqlite3_total_changes64(tx->db->sql);
	ckpt_make_room(st->ckpt);
	store_reap(st);
	ret = db_run(tx->db, SQL_BEGIN_WRITE, "");
	if (ret) {
		pthread_mutex_unlock(&st->writer_lock);
		tx_free(tx);
		return ret;
	}
	*out = tx;
	return 0;
}

void store_set_origin(struct store_tx *tx, const void *origin)
{
	tx->origin = origin;
}

int tx_flush(struct store_tx *tx)
{
	int ret = tx->err;

	for (size_t i = 0; i < TX_BUCKETS; i++)
		for (struct vnode *vn = tx->bucket[i]; !ret && vn; vn = vn->next)
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
	if (!sqlite3_get_autocommit(tx->db->sql))
		db_run(tx->db, SQL_ROLLBACK, "");
	wal_cancel(tx->st->wal);
	for (size_t i = 0; i < tx->taken.nr; i++)
		alloc_release(tx->st->alloc, &tx->taken.run[i]);
	pthread_mutex_unlock(&tx->st->writer_lock);
	tx_free(tx);
}

void store_abort(struct store_tx *tx)
{
	undo(tx);
}

int store_refuse(struct store_tx *tx)
{
	struct wal *wal = tx->st->wal;
	unsigned int losses = tx->losses;

	undo(tx);
	return wal_barrier(wal, losses);
}

static int commit_locked(struct store_tx *tx, u64 *ticket)
{
	struct store *st = tx->st;
	int ret = flush_everything(tx);

	if (!ret)
		ret = reserve_pages(tx);
	if (!ret)
		ret = blkdev_wait(st->dev, &tx->writes);
	if (ret)
		return ret;
	each_change(tx, seen_shut, seen_shut_all);
	wal_announce(st->wal, tx->wrote);
	ret = db_run(tx->db, SQL_COMMIT, "");
	if (ret)
		wal_cancel(st->wal);
	else
		*ticket = wal_commit(st->wal);
	each_change(tx, seen_open, seen_open_all);
	if (ret)
		return ret;
	st->pages = tx->pages;
	for (size_t i = 0; i < tx->freed.nr; i++)
		alloc_retire(st->alloc, &tx->freed.run[i], *ticket);
	keep_vnodes(tx);
	condense_news(tx);
	grps_keep(tx);
	return 0;
}

int store_commit(struct store_tx *tx)
{
	struct store *st = tx->st;
	u64 ticket;
	int ret = commit_locked(tx, &ticket);

	if (ret) {
		undo(tx);
		return ret;
	}
	pthread_mutex_unlock(&st->writer_lock);
	ret = wal_wait(st->wal, ticket);
	if (!ret && tx->nr_news)
		st->notify(st->notify_ctx, tx->origin, tx->news,
			   tx->nr_news);
	tx_free(tx);
	return ret;
}
