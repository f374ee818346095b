// SPDX-License-Identifier: MIT
/*
 * Restoring: all that is written has a birth later than the epoch at which the
 * volume's row stands still meanwhile, so it becomes visible, and what ended
 * becomes invisible, when that row changes.  See Documentation/store-format.rst.
 */
#include "store_restore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_data.h"
#include "store_tx.h"
#include "text.h"

#define BATCH_OPS	1000u			/* vnodes and names */
#define BATCH_BYTES	(64u * 1024 * 1024)	/* file data */
#define KILL_STEP	1000			/* extents */

/**
 * struct store_restore - a restore under way
 * @st: store
 * @vid: volume
 * @base: epoch that others see of it; 0 for none
 * @tx: present transaction, or NULL
 * @ops: vnodes and names changed in it
 * @bytes: data written in it
 * @used: KiB that the volume uses, so far
 * @files: vnodes it has, so far
 * @last: largest number of a file and of a directory that was put
 * @unique: largest uniquifier that was put
 */
struct store_restore {
	struct store *st;
	u32 vid;
	s64 base;
	struct store_tx *tx;
	unsigned int ops;
	u64 bytes;
	s64 used;
	s64 files;
	u32 last[2];
	u32 unique;
};

/* ---- beginning ------------------------------------------------------------------ */

static int insert_new(struct store_restore *r, struct store_tx *tx,
		      const char *name, u32 id)
{
	char hidden[STORE_NAME_MAX + 1];
	int ret = vol_check_new(tx, name);

	if (!ret)
		ret = vol_take_id(tx, &id);
	if (!ret)
		ret = db_run(tx->db, SQL_GRP_INSERT, "i", (s64)id);
	if (ret)
		return ret;
	r->vid = id;
	snprintf(hidden, sizeof(hidden), "/restored/%u", id);
	return db_run(tx->db, SQL_VOL_INSERT, "iiisiiiiii", (s64)id, (s64)id,
		      (s64)AFSX_VOL_RW, hidden, (s64)0, tx->now, tx->now,
		      (s64)0, (s64)0, (s64)0);
}

/* Nothing may be in the group that has no name: it would be in the way. */
static int check_orphans(struct store_tx *tx, u32 vid)
{
	sqlite3_stmt *row = db_bind(tx->db, SQL_ORPHAN_OF_GRP, "i", (s64)vid);
	int ret = db_end(row, db_row(row));

	return ret > 0 ? -EBUSY : ret;
}

static int freeze(struct store_restore *r, struct store_tx *tx, u32 id)
{
	struct tx_grp *g;
	int ret = tx_grp(tx, id, &g);

	if (!ret)
		ret = check_orphans(tx, id);
	if (ret)
		return ret;
	r->vid = id;
	r->used = (s64)g->vol.used_kib;
	r->files = (s64)g->vol.files;
	tx_forget(tx);
	r->base = g->epoch++;
	g->counters = true;
	return db_run(tx->db, SQL_VOL_FREEZE, "ii", (s64)id, r->base);
}

static int start(struct store *st, const char *name, u32 id,
		 struct store_restore **out)
{
	struct store_restore *r = calloc(1, sizeof(*r));
	struct store_tx *tx;
	u32 *slot;
	int ret = r ? store_begin(st, &tx) : -ENOMEM;

	if (ret) {
		free(r);
		return ret;
	}
	r->st = st;
	slot = busy_slot(st, 0);
	ret = slot ? batch_sql(tx) : -EBUSY;
	if (!ret)
		ret = name ? insert_new(r, tx, name, id) : freeze(r, tx, id);
	if (ret) {
		store_abort(tx);
		free(r);
		return ret;
	}
	*slot = r->vid;
	ret = store_commit(tx);
	if (ret)
		store_restore_end(r);
	else
		*out = r;
	return ret;
}

int store_restore_new(struct store *st, const char *name, u32 id,
		      struct store_restore **r)
{
	return start(st, name, id, r);
}

int store_restore_over(struct store *st, u32 id, struct store_restore **r)
{
	return start(st, NULL, id, r);
}

u32 store_restore_id(const struct store_restore *r)
{
	return r->vid;
}

/* ---- transactions ----------------------------------------------------------------- */

static int end_batch(struct store_restore *r, int ret)
{
	struct store_tx *tx = r->tx;
	struct tx_grp *g;

	r->tx = NULL;
	r->ops = 0;
	r->bytes = 0;
	if (!ret)
		ret = tx_grp(tx, r->vid, &g);
	if (ret) {
		store_abort(tx);
		return ret;
	}
	r->used += g->used_delta;
	r->files += g->files_delta;
	return store_commit(tx);
}

/* An open transaction, for another operation on so many bytes. */
static int next_op(struct store_restore *r, size_t bytes)
{
	int ret = 0;

	if (r->tx && (r->ops >= BATCH_OPS || r->bytes >= BATCH_BYTES))
		ret = end_batch(r, 0);
	if (ret)
		return ret;
	if (!r->tx) {
		ret = store_begin_long(r->st, &r->tx);
		if (ret)
			return ret;
		r->tx->restoring = r->vid;
		ret = batch_sql(r->tx);
		if (ret)
			return ret;
	}
	r->ops++;
	r->bytes += bytes;
	return 0;
}

int store_restore_pause(struct store_restore *r)
{
	return r->tx ? end_batch(r, 0) : 0;
}

static int find(struct store_restore *r, u32 vnode, struct vnode **vn)
{
	struct afsx_fid fid = { .vid = r->vid, .vnode = vnode };

	return tx_vnode(r->tx, &fid, vn);
}

/* ---- removing what was there -------------------------------------------------------- */

static int kill_contents(struct store_restore *r, const struct vnode *vn,
			 s64 epoch)
{
	s64 vno = vn->s.fid.vnode;
	int ret = 0, n = KILL_STEP;

	if (vn->s.type == AFSX_FTYPE_DIR)
		return db_run(r->tx->db, SQL_DIRBLK_KILL_ALL, "iiii",
			      (s64)r->vid, vno, r->base, epoch);
	while (!ret && n == KILL_STEP) {
		ret = db_run(r->tx->db, SQL_EXTENT_KILL_SOME, "iiii",
			     (s64)r->vid, vno, epoch, (s64)KILL_STEP);
		n = sqlite3_changes(r->tx->db->sql);
		r->ops += (unsigned int)n;
		if (!ret)
			ret = next_op(r, 0);
	}
	return ret;
}

/* End the vnode that others see with this number, if there is one. */
static int kill_old(struct store_restore *r, u32 vnode)
{
	struct afsx_fid fid = { .vid = r->vid, .vnode = vnode };
	s64 epoch = r->base + 1;
	struct vnode vn;
	int ret = vnode_load_live(r->tx->db, &fid, &vn);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = vn.birth > r->base ? -EEXIST : kill_contents(r, &vn, epoch);
	if (!ret)
		ret = db_run(r->tx->db, SQL_VNODE_KILL, "iiii", (s64)r->vid,
			     (s64)vnode, vn.birth, epoch);
	r->used -= (s64)vn.s.used_kib;
	r->files--;
	vnode_release(&vn);
	return ret;
}

int store_restore_drop(struct store_restore *r, u32 vnode)
{
	int ret = next_op(r, 0);

	return ret ? ret : kill_old(r, vnode);
}

/* ---- writing ------------------------------------------------------------------------ */

static void apply(struct vnode *vn, const struct store_status *s)
{
	struct store_status now = vn->s;

	vn->s = *s;
	vn->s.fid = now.fid;
	vn->s.type = now.type;
	vn->s.used_kib = now.used_kib;
	vn->s.size = now.type == AFSX_FTYPE_FILE ? max(s->size, now.size) :
						   now.size;
	vn->s.nlink = max(s->nlink, 1u);
	vn->dirty = true;
}

static struct vnode *new_vnode(struct store_restore *r, const struct tx_grp *g,
			       const struct store_status *s)
{
	struct vnode *vn = calloc(1, sizeof(*vn));

	if (!vn)
		return NULL;
	vn->grp = r->vid;
	vn->snap = SNAP_LIVE;
	vn->birth = g->epoch;
	vn->vol_type = AFSX_VOL_RW;
	vn->tail_known = true;
	vn->s.fid = s->fid;
	vn->s.fid.vid = r->vid;
	vn->s.type = s->type;
	tx_add_vnode(r->tx, vn);
	return vn;
}

static int fill(struct store_restore *r, struct vnode *vn,
		const struct store_status *s, const char *target)
{
	struct afsx_fid parent = {
		.vid = r->vid,
		.vnode = s->parent_vnode,
		.unique = s->parent_unique,
	};
	int ret = 0;

	if (s->type == AFSX_FTYPE_DIR) {
		ret = dir_make(r->tx, vn, &parent);
	} else if (s->type == AFSX_FTYPE_SYMLINK) {
		ret = text_copy(target, strlen(target), &vn->target);
		vn->s.size = strlen(target);
		if (!ret)
			ret = tx_charge(r->tx, vn, SYMLINK_KIB);
	}
	return ret;
}

int store_restore_put(struct store_restore *r, const struct store_status *s,
		      const char *target, const char *acl, size_t acl_len)
{
	u32 *last = &r->last[s->fid.vnode & 1];
	struct tx_grp *g;
	struct vnode *vn;
	int ret = next_op(r, 0);

	if (!ret)
		ret = kill_old(r, s->fid.vnode);
	if (!ret)
		ret = tx_grp(r->tx, r->vid, &g);
	if (ret)
		return ret;
	vn = new_vnode(r, g, s);
	if (!vn)
		return -ENOMEM;
	g->files_delta++;
	*last = max(*last, s->fid.vnode);
	r->unique = max(r->unique, s->fid.unique);
	ret = text_copy(acl, acl_len, &vn->acl);
	vn->acl_len = acl ? acl_len : 0;
	if (!ret)
		ret = fill(r, vn, s, target);
	apply(vn, s);
	return ret;
}

int store_restore_enter(struct store_restore *r, u32 dir, const char *name,
			size_t len, const struct afsx_fid *fid)
{
	struct vnode *vn;
	int ret = next_op(r, 0);

	if (!ret)
		ret = find(r, dir, &vn);
	return ret ? ret : dir_enter(r->tx, vn, name, len, fid);
}

int store_restore_write(struct store_restore *r, u32 vnode, u64 off,
			const void *buf, size_t len)
{
	struct vnode *vn;
	int ret = next_op(r, len);

	if (!ret)
		ret = find(r, vnode, &vn);
	if (!ret)
		ret = data_write(r->tx, vn, off, buf, len);
	if (!ret)
		vn->dirty = true;
	return ret;
}

int store_restore_status(struct store_restore *r, const struct store_status *s)
{
	struct vnode *vn;
	int ret = next_op(r, 0);

	if (!ret)
		ret = find(r, s->fid.vnode, &vn);
	if (!ret)
		apply(vn, s);
	return ret;
}

int store_restore_links(struct store_restore *r, u32 vnode, u32 nlink,
			const struct afsx_fid *parent)
{
	struct vnode *vn;
	int ret = next_op(r, 0);

	if (!ret)
		ret = find(r, vnode, &vn);
	if (ret)
		return ret;
	vn->s.nlink = nlink;
	vn->s.parent_vnode = parent->vnode;
	vn->s.parent_unique = parent->unique;
	vn->dirty = true;
	return 0;
}

/* ---- the end ------------------------------------------------------------------------ */

/* New vnodes get numbers and uniquifiers behind all that were restored. */
static int raise_counters(const struct store_restore *r, struct store_tx *tx,
			  u32 unique)
{
	sqlite3_stmt *row = db_bind(tx->db, SQL_GRP_GET, "i", (s64)r->vid);
	s64 next[2] = { 2, 3 }, epoch = 0;
	int ret = db_row(row);
	u32 own = 0;

	if (ret > 0) {
		epoch = db_int(row, 0);
		next[0] = db_int(row, 1);
		next[1] = db_int(row, 2);
		own = (u32)db_int(row, 3);
	}
	db_end(row, 0);
	if (ret <= 0)
		return ret ? ret : -EUCLEAN;
	for (int i = 0; i < 2; i++)
		if (r->last[i] <= U32_MAX - 3)
			next[i] = max(next[i], (s64)r->last[i] + 2);
	unique = max(unique, own);
	if (r->unique < U32_MAX)
		unique = max(unique, r->unique + 1);
	return db_run(tx->db, SQL_GRP_UPDATE, "iiiii", (s64)r->vid, epoch,
		      next[0], next[1], (s64)unique);
}

/* A new volume's name may have been taken meanwhile. */
static int check_name(const struct store_restore *r, struct store_tx *tx,
		      const char *name)
{
	return r->base ? 0 : vol_check_new(tx, name);
}

int store_restore_publish(struct store_restore *r,
			  const struct store_restored *as)
{
	struct store_tx *tx;
	int ret = store_restore_pause(r);

	if (!ret)
		ret = store_begin(r->st, &tx);
	if (ret)
		return ret;
	ret = batch_sql(tx);
	if (!ret)
		ret = check_name(r, tx, as->name);
	if (!ret)
		ret = raise_counters(r, tx, as->next_unique);
	if (!ret)
		ret = db_run(tx->db, SQL_VOL_PUBLISH, "isiiiii", (s64)r->vid,
			     as->name, as->created, as->updated,
			     (s64)as->quota_kib, r->used, r->files);
	if (!ret)
		ret = db_run(tx->db, SQL_GARBAGE_INSERT, "i", (s64)r->vid);
	if (ret) {
		store_abort(tx);
		return ret;
	}
	tx_news(tx, &(struct afsx_fid){ .vid = r->vid });
	return store_commit(tx);
}

void store_restore_end(struct store_restore *r)
{
	u32 *slot;

	if (!r)
		return;
	if (r->tx)
		store_abort(r->tx);
	store_enter(r->st);
	slot = busy_slot(r->st, r->vid);
	if (slot)
		*slot = 0;
	store_leave(r->st);
	free(r);
}
