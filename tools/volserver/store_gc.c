// SPDX-License-Identifier: MIT
/*
 * Collecting what nothing refers to: rows that only a former clone saw, groups
 * whose volumes are gone, and orphans, which are vnodes without a name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store_cut.h"
#include "store_tx.h"

static struct afsx_fid *find_staged(struct store *st, u32 vid, u32 vnode)
{
	for (u32 i = 0; i < STAGED_MAX; i++)
		if (st->staged[i].vid == vid && st->staged[i].vnode == vnode)
			return &st->staged[i];
	return NULL;
}

int store_stage(struct store_tx *tx, u32 vid, struct afsx_fid *dir)
{
	struct afsx_fid *slot = find_staged(tx->st, 0, 0);
	struct afsx_fid root = { vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	struct vnode *vn;
	struct tx_grp *g;
	int ret;

	if (!slot)
		return -EBUSY;
	ret = batch_sql(tx);
	if (!ret)
		ret = tx_grp(tx, vid, &g);
	if (ret)
		return ret;
	ret = tx_new_vnode(tx, g, AFSX_FTYPE_DIR, &vn);
	if (!ret) {
		vn->s.nlink = 2;
		vn->s.mode = 0700;
		vn->s.parent_vnode = root.vnode;
		vn->s.parent_unique = root.unique;
		ret = dir_make(tx, vn, &root);
	}
	if (!ret)
		ret = db_run(tx->db, SQL_ORPHAN_INSERT, "ii", (s64)vid,
			     (s64)vn->s.fid.vnode);
	if (ret)
		return tx_fail(tx, ret);
	*dir = vn->s.fid;
	*slot = *dir;
	return 0;
}

void store_unstage(struct store *st, const struct afsx_fid *dir)
{
	struct afsx_fid *slot;

	store_enter(st);
	slot = find_staged(st, dir->vid, dir->vnode);
	if (slot)
		memset(slot, 0, sizeof(*slot));
	store_leave(st);
}

/* ---- orphans -------------------------------------------------------------- */

/* 1 with the next orphan that nobody works on, 0 for none. */
static int next_orphan(struct store_tx *tx, struct afsx_fid *fid)
{
	const struct afsx_fid *last = &tx->st->passed;
	sqlite3_stmt *row = db_bind(tx->db, SQL_ORPHAN_NEXT, "ii",
				    (s64)last->vid, (s64)last->vnode);
	int ret;

	while ((ret = db_row(row)) > 0) {
		fid->vid = (u32)db_int(row, 0);
		fid->vnode = (u32)db_int(row, 1);
		fid->unique = 0;
		if (!find_staged(tx->st, fid->vid, fid->vnode))
			break;
	}
	return db_end(row, ret);
}

static int forget_orphan(struct store_tx *tx, const struct afsx_fid *fid)
{
	return db_run(tx->db, SQL_ORPHAN_DELETE, "ii", (s64)fid->vid,
		      (s64)fid->vnode);
}

/* Names to be removed from an orphaned directory. */
struct victims {
	unsigned int max;
	unsigned int nr;
	struct {
		struct afsx_fid fid;
		size_t len;
		char name[AFSX_NAME_MAX];
	} entry[];
};

static bool note_victim(void *ctx, const char *name, u32 len, u32 vnode,
			u32 unique, u64 pos)
{
	struct victims *v = ctx;

	(void)pos;
	if (len <= 2 && !memcmp(name, "..", len))
		return true;
	if (v->nr == v->max)
		return false;
	v->entry[v->nr].fid.vnode = vnode;
	v->entry[v->nr].fid.unique = unique;
	v->entry[v->nr].len = len;
	memcpy(v->entry[v->nr].name, name, len);
	v->nr++;
	return true;
}

/* Remove one name; a directory behind it becomes an orphan of its own. */
static int remove_victim(struct store_tx *tx, struct vnode *dir,
			 const char *name, size_t len, struct afsx_fid *fid)
{
	int ret;

	fid->vid = dir->grp;
	if (!(fid->vnode & 1)) {
		ret = store_unlink(tx, &dir->s.fid, name, len, false, NULL);
		return ret == -ENOENT || ret == -ESTALE ? -EUCLEAN : ret;
	}
	ret = dir_drop(tx, dir, name, len);
	dir->s.nlink--;
	if (!ret)
		ret = db_run(tx->db, SQL_ORPHAN_INSERT, "ii", (s64)fid->vid,
			     (s64)fid->vnode);
	return ret;
}

static int collect_dir(struct store_tx *tx, struct vnode *dir, unsigned int max)
{
	struct victims *v;
	int ret;

	v = malloc(sizeof(*v) + max * sizeof(v->entry[0]));
	if (!v)
		return -ENOMEM;
	v->max = max;
	v->nr = 0;
	ret = dir_iterate(tx->db, dir, note_victim, v);
	for (unsigned int i = 0; !ret && i < v->nr; i++)
		ret = remove_victim(tx, dir, v->entry[i].name, v->entry[i].len,
				    &v->entry[i].fid);
	if (!ret && v->nr < max)
		ret = vnode_destroy(tx, dir);
	if (!ret && dir->dead)
		ret = forget_orphan(tx, &dir->s.fid);
	if (!ret)
		ret = (int)v->nr + 1;
	free(v);
	return ret;
}

/* A file without a name, or with blocks behind its end. */
static int collect_file(struct store_tx *tx, struct vnode *vn)
{
	int ret = cut_step(tx, vn);

	if (ret <= 0 || vn->s.nlink)
		return ret < 0 ? ret : 1;
	ret = vnode_destroy(tx, vn);
	if (!ret)
		ret = forget_orphan(tx, &vn->s.fid);
	return ret ? ret : 1;
}

static int collect_orphan(struct store_tx *tx, const struct afsx_fid *fid,
			  unsigned int max)
{
	struct vnode *vn;
	int ret = tx_any_vnode(tx, fid, &vn);

	if (ret == -ENOMEDIUM || ret == -ENOENT) {
		/* its volume was removed, with all that was in it */
		ret = forget_orphan(tx, fid);
		return ret ? ret : 1;
	}
	if (ret)
		return ret;
	if (vn->s.type == AFSX_FTYPE_DIR)
		return collect_dir(tx, vn, max);
	return collect_file(tx, vn);
}

/* ---- garbage -------------------------------------------------------------- */

int tx_collect_rows(struct store_tx *tx, sqlite3_stmt *row)
{
	int ret, n = 0;

	while ((ret = db_row(row)) > 0) {
		struct alloc_run run = {
			.start = (u64)db_int(row, 0),
			.nr = (u32)db_int(row, 1),
		};

		n++;
		if (run.nr && run_list_add(&tx->freed, &run)) {
			ret = -ENOMEM;
			break;
		}
	}
	return db_end(row, ret ? ret : n);
}

static int has_volumes(struct store_tx *tx, s64 grp)
{
	sqlite3_stmt *row = db_bind(tx->db, SQL_VOL_ANY_OF_GRP, "i", grp);

	return db_end(row, db_row(row));
}

static int collect_group(struct store_tx *tx, s64 grp, unsigned int max)
{
	static const enum db_sql steps[2][3] = {
		{ SQL_ABANDON_EXTENTS, SQL_ABANDON_DIRBLKS, SQL_ABANDON_VNODES },
		{ SQL_COLLECT_EXTENTS, SQL_COLLECT_DIRBLKS, SQL_COLLECT_VNODES },
	};
	int volumes = has_volumes(tx, grp);
	int ret = volumes;

	if (volumes < 0)
		return volumes;
	for (int i = 0; i < 3; i++) {
		ret = tx_collect_rows(tx, db_bind(tx->db, steps[volumes][i],
						  "ii", grp, (s64)max));
		if (ret)
			return ret;
	}
	if (!volumes)
		ret = db_run(tx->db, SQL_GRP_DELETE, "i", grp);
	if (!ret)
		ret = db_run(tx->db, SQL_GARBAGE_DELETE, "i", grp);
	return ret ? ret : 1;
}

static int next_garbage(struct store_tx *tx, s64 *grp)
{
	sqlite3_stmt *row = db_bind(tx->db, SQL_GARBAGE_NEXT, "");
	int ret = db_row(row);

	if (ret > 0)
		*grp = db_int(row, 0);
	return db_end(row, ret);
}

/* One that is damaged is passed over, and nothing is changed: there may be others. */
static int collect_orphans(struct store_tx *tx, unsigned int max, bool *damaged)
{
	struct afsx_fid fid;
	int n = next_orphan(tx, &fid);

	if (n > 0)
		n = batch_sql(tx) ? : n;
	if (n <= 0)
		return n;
	n = collect_orphan(tx, &fid, max);
	if (n != -EUCLEAN)
		return n;
	tx->st->passed = fid;
	*damaged = true;
	return 1;
}

static int collect_garbage(struct store_tx *tx, unsigned int max)
{
	s64 grp = 0;
	int n = next_garbage(tx, &grp);

	if (n > 0)
		n = batch_sql(tx) ? : n;
	return n > 0 ? collect_group(tx, grp, max) : n;
}

/* All has been gone through: begin with the first again, and say what was left. */
static int end_round(struct store *st)
{
	bool damaged = st->passed.vid;

	memset(&st->passed, 0, sizeof(st->passed));
	if (damaged)
		return -EUCLEAN;
	atomic_store(&st->cuts, false);
	return 0;
}

int store_collect(struct store *st, unsigned int max)
{
	struct store_tx *tx;
	bool damaged = false;
	int n, ret = store_begin_long(st, &tx);

	if (ret)
		return ret;
	n = tx_collect_busy(tx, max);
	if (!n)
		n = collect_orphans(tx, max, &damaged);
	if (!n)
		n = collect_garbage(tx, max);
	if (!n)
		n = end_round(st);
	if (n <= 0 || damaged) {
		store_abort(tx);
		return n;
	}
	ret = store_commit(tx);
	return ret ? ret : n;
}
