// SPDX-License-Identifier: MIT
/* Vnodes: their rows, and the versions of a row that clones need. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store_cut.h"
#include "store_data.h"
#include "store_tx.h"
#include "text.h"

/* Columns of SQL_VNODE_GET */
enum {
	COL_BIRTH, COL_DEATH, COL_UNIQ, COL_TYPE, COL_DV, COL_SIZE, COL_NLINK,
	COL_MODE, COL_OWNER, COL_GID, COL_AUTHOR, COL_PVNO, COL_PUNIQ,
	COL_MTIME, COL_STIME, COL_USED, COL_TARGET, COL_GRP, COL_SNAP,
	COL_VOL_TYPE, COL_ACL,
};

static void status_from_row(sqlite3_stmt *row, struct store_status *s)
{
	s->fid.unique = (u32)db_int(row, COL_UNIQ);
	s->type = (enum afsx_ftype)db_int(row, COL_TYPE);
	s->dv = (u64)db_int(row, COL_DV);
	s->size = (u64)db_int(row, COL_SIZE);
	s->nlink = (u32)db_int(row, COL_NLINK);
	s->mode = (u32)db_int(row, COL_MODE);
	s->owner = (u32)db_int(row, COL_OWNER);
	s->group = (u32)db_int(row, COL_GID);
	s->author = (u32)db_int(row, COL_AUTHOR);
	s->parent_vnode = (u32)db_int(row, COL_PVNO);
	s->parent_unique = (u32)db_int(row, COL_PUNIQ);
	s->mtime_client = db_int(row, COL_MTIME);
	s->mtime_server = db_int(row, COL_STIME);
	s->used_kib = (u64)db_int(row, COL_USED);
}

static int copy_blob(sqlite3_stmt *row, int column, char **copy, size_t *len)
{
	const void *blob = sqlite3_column_blob(row, column);

	*len = (size_t)sqlite3_column_bytes(row, column);
	return text_copy(blob, *len, copy);
}

static int vnode_from_row(sqlite3_stmt *row, struct vnode *vn)
{
	size_t len;
	int ret;

	vn->grp = (u32)db_int(row, COL_GRP);
	vn->snap = db_int(row, COL_SNAP);
	vn->vol_type = (enum afsx_voltype)db_int(row, COL_VOL_TYPE);
	if (sqlite3_column_type(row, COL_BIRTH) == SQLITE_NULL)
		return -ENOENT;
	if (sqlite3_column_type(row, COL_DEATH) != SQLITE_NULL &&
	    db_int(row, COL_DEATH) <= vn->snap)
		return -ENOENT;
	vn->birth = db_int(row, COL_BIRTH);
	vn->row = true;
	status_from_row(row, &vn->s);
	ret = copy_blob(row, COL_TARGET, &vn->target, &len);
	if (!ret)
		ret = copy_blob(row, COL_ACL, &vn->acl, &vn->acl_len);
	return ret;
}

/* Of a R/W volume, when the database does not have it yet: 1; 0 when it has; an error. */
static int load_newer(const struct rows *newer, const struct afsx_fid *fid,
		      struct vnode *vn)
{
	const u8 *row = rows_find(newer, ROW_VNODE, fid->vid, fid->vnode, 0);
	int ret;

	if (!row)
		return 0;
	if (row_kind(row) == ROW_GONE)
		return -ENOENT;
	ret = row_get_vnode(row, vn);
	if (!ret && fid->unique && fid->unique != vn->s.fid.unique) {
		vnode_release(vn);
		ret = -ESTALE;
	}
	return ret ? ret : 1;
}

/* @snap: an epoch at least as late as this is looked at */
static int load(struct db *db, const struct afsx_fid *fid, s64 snap,
		struct vnode *vn)
{
	sqlite3_stmt *row;
	int ret;

	ret = db->newer ? load_newer(db->newer, fid, vn) : 0;
	if (ret)
		return min(ret, 0);
	memset(vn, 0, sizeof(*vn));
	vn->s.fid = *fid;
	row = db_bind(db, SQL_VNODE_GET, "iii", (s64)fid->vid, (s64)fid->vnode,
		      snap);
	ret = db_row(row);
	if (!ret)
		ret = -ENOMEDIUM;
	if (ret > 0)
		ret = vnode_from_row(row, vn);
	db_end(row, 0);
	if (!ret && fid->unique && fid->unique != vn->s.fid.unique)
		ret = -ESTALE;
	if (ret)
		vnode_release(vn);
	return ret;
}

int vnode_load_any(struct db *db, const struct afsx_fid *fid, struct vnode *vn)
{
	return load(db, fid, 0, vn);
}

int vnode_load_live(struct db *db, const struct afsx_fid *fid,
		    struct vnode *vn)
{
	return load(db, fid, SNAP_LIVE, vn);
}

int vnode_load(struct db *db, const struct afsx_fid *fid, struct vnode *vn)
{
	int ret = vnode_load_any(db, fid, vn);

	if (!ret && !vn->s.nlink) {
		vnode_release(vn);
		ret = -ENOENT;
	}
	return ret;
}

void vnode_release(struct vnode *vn)
{
	free(vn->target);
	free(vn->acl);
	dirbuf_free(vn->dir);
	vn->target = NULL;
	vn->acl = NULL;
	vn->dir = NULL;
}

int vnode_put_row(struct db *db, const struct store_status *s, s64 birth,
		  const struct vnode_text *text)
{
	return db_run(db, SQL_VNODE_PUT, "iiiiiiiiiiiiiiiiibb",
		      (s64)s->fid.vid, (s64)s->fid.vnode, birth,
		      (s64)s->fid.unique, (s64)s->type, (s64)s->dv,
		      (s64)s->size, (s64)s->nlink, (s64)s->mode,
		      (s64)s->owner, (s64)s->group, (s64)s->author,
		      (s64)s->parent_vnode, (s64)s->parent_unique,
		      s->mtime_client, s->mtime_server, (s64)s->used_kib,
		      text->target, text->target_len, text->acl, text->acl_len);
}

static int put_row(struct store_tx *tx, const struct vnode *vn)
{
	struct vnode_text text = {
		.target = vn->target,
		.target_len = vn->target ? strlen(vn->target) : 0,
		.acl = vn->acl,
		.acl_len = vn->acl_len,
	};

	return vnode_put_row(tx->db, &vn->s, vn->birth, &text);
}

/* End the row where clones still see it, or remove it. */
static int kill_row(struct store_tx *tx, const struct tx_grp *g,
		    const struct vnode *vn)
{
	if (vn->birth <= g->newest)
		return db_run(tx->db, SQL_VNODE_KILL, "iiii", (s64)vn->grp,
			      (s64)vn->s.fid.vnode, vn->birth, g->epoch);
	return db_run(tx->db, SQL_VNODE_DELETE, "iii", (s64)vn->grp,
		      (s64)vn->s.fid.vnode, vn->birth);
}

int vnode_flush(struct store_tx *tx, struct vnode *vn)
{
	struct tx_grp *g;
	int ret;

	if (!vn->dirty)
		return 0;
	vn->dirty = false;
	ret = tx_grp(tx, vn->grp, &g);
	if (ret)
		return ret;
	if (vn->dead && vn->s.type == AFSX_FTYPE_DIR)
		ret = dir_destroy(tx, g, vn);
	if (vn->dead)
		return ret || !vn->row ? ret : kill_row(tx, g, vn);
	if (vn->dir)
		ret = dir_flush(tx, g, vn);
	if (!ret && vn->row && vn->birth <= g->newest) {
		ret = kill_row(tx, g, vn);
		vn->birth = g->epoch;
	}
	if (!ret)
		ret = put_row(tx, vn);
	vn->row = true;
	return ret;
}

int vnode_log(struct store_tx *tx, struct vnode *vn)
{
	struct redo *r = tx->st->redo;
	bool dir = vn->s.type == AFSX_FTYPE_DIR;
	struct tx_grp *g;
	int ret;

	if (!vn->dirty || (vn->dead && !vn->row))
		return 0;
	ret = tx_grp(tx, vn->grp, &g);
	if (ret)
		return ret;
	/* clones see the present row, or blocks of the directory */
	if ((vn->row && vn->birth <= g->newest) || (vn->dead && dir && g->newest))
		return -ENOBUFS;
	if (vn->dead)
		return row_put_gone(r, vn);
	if (vn->dir)
		ret = dir_log(tx, g, vn);
	return ret ? ret : row_put_vnode(r, vn);
}

void vnode_logged(struct store_tx *tx, struct vnode *vn)
{
	struct tx_grp *g;

	if (!vn->dirty)
		return;
	vn->dirty = false;
	vn->row = true;
	if (vn->dir && !tx_grp(tx, vn->grp, &g))
		dir_logged(g, vn);
}

int vnode_destroy(struct store_tx *tx, struct vnode *vn)
{
	struct tx_grp *g;
	int ret = tx_grp(tx, vn->grp, &g);

	if (!ret)
		ret = cut_is_long(tx, vn);
	if (ret < 0)
		return ret;
	if (ret) {
		vn->s.nlink = 0;
		tx_touch(tx, vn, false);
		return cut_wait(tx, vn);
	}
	/* without blocks there are no extents: a name is all that goes */
	if (vn->s.type == AFSX_FTYPE_FILE && vn->s.used_kib)
		ret = data_punch(tx, g, vn, 0, DATA_BLOCKS_MAX);
	if (ret)
		return ret;
	g->files_delta--;
	ret = tx_charge(tx, vn, -(s64)vn->s.used_kib);
	tx_touch(tx, vn, false);
	vn->dead = true;
	return ret;
}
