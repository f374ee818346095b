// SPDX-License-Identifier: MIT
/* The checker's view of volumes: vnodes, and the names that lead to them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store_check.h"

/**
 * struct node - what is known of a vnode
 * @vno: number
 * @unique: uniquifier
 * @type: enum afsx_ftype
 * @nlink: as its row says
 * @names: entries found that lead to it
 * @subdirs: directories found in it
 * @parent: as its row says
 * @orphan: known to have no name
 */
struct node {
	u32 vno;
	u32 unique;
	u32 type;
	u32 nlink;
	u32 names;
	u32 subdirs;
	u32 parent;
	bool orphan;
};

/**
 * struct tree - a volume being checked
 * @k: the check
 * @vol: volume
 * @snap: epoch it shows
 * @node: its vnodes, by number
 * @nr: number of them
 * @size: room in @node
 * @used: KiB, added up
 * @dir: the directory being read, during a walk of it
 */
struct tree {
	struct check *k;
	struct store_vol vol;
	s64 snap;
	struct node *node;
	size_t nr;
	size_t size;
	u64 used;
	struct node *dir;
};

static int compare_nodes(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	return x->vno < y->vno ? -1 : x->vno > y->vno;
}

static struct node *find_node(const struct tree *t, u32 vno)
{
	struct node key = { .vno = vno };

	return bsearch(&key, t->node, t->nr, sizeof(key), compare_nodes);
}

static int add_node(struct tree *t, const struct vnode *vn)
{
	if (t->nr == t->size) {
		size_t size = t->size ? 2 * t->size : 1024;
		struct node *p = realloc(t->node, size * sizeof(*p));

		if (!p)
			return -ENOMEM;
		t->node = p;
		t->size = size;
	}
	t->node[t->nr++] = (struct node){
		.vno = vn->s.fid.vnode,
		.unique = vn->s.fid.unique,
		.type = vn->s.type,
		.nlink = vn->s.nlink,
		.parent = vn->s.parent_vnode,
		.orphan = !vn->s.nlink,
	};
	return 0;
}

static void complain(const struct tree *t, u32 vno, const char *what)
{
	check_problem(t->k, "volume %s: vnode %u: %s", t->vol.name, vno, what);
}

/* ---- vnodes by themselves ------------------------------------------------------ */

static int check_blocks(struct tree *t, const struct vnode *vn)
{
	sqlite3_stmt *row;
	u64 end = 0, blocks = 0;
	int ret;

	row = db_bind(t->k->db, SQL_EXTENT_RANGE, "iiiii", (s64)vn->grp,
		      (s64)vn->s.fid.vnode, (s64)-1, S64_MAX, vn->snap);
	while ((ret = db_row(row)) > 0) {
		u64 off = (u64)db_int(row, 1), nr = (u64)db_int(row, 3);

		if (off < end)
			complain(t, vn->s.fid.vnode, "extents overlap");
		end = off + nr;
		blocks += nr;
	}
	db_end(row, 0);
	if (end > DIV_ROUND_UP(vn->s.size, BLK_SIZE))
		complain(t, vn->s.fid.vnode, "data behind the end of the file");
	if (blocks * BLK_KIB != vn->s.used_kib)
		complain(t, vn->s.fid.vnode, "wrong count of KiB used");
	return ret;
}

static int check_vnode(struct tree *t, const struct vnode *vn)
{
	const struct store_status *s = &vn->s;
	u32 vno = s->fid.vnode;

	if ((vno & 1) != (s->type == AFSX_FTYPE_DIR ? 1 : 0))
		complain(t, vno, "parity of the number does not fit the type");
	switch (s->type) {
	case AFSX_FTYPE_FILE:
		return check_blocks(t, vn);
	case AFSX_FTYPE_DIR:
		if (s->used_kib * 1024 != s->size ||
		    s->size % AFSX_DIR_BLOCK_SIZE)
			complain(t, vno, "wrong size of a directory");
		return 0;
	case AFSX_FTYPE_SYMLINK:
		if (!vn->target || strlen(vn->target) != s->size ||
		    s->used_kib != SYMLINK_KIB)
			complain(t, vno, "wrong size of a symbolic link");
		return 0;
	default:
		complain(t, vno, "unknown type");
		return 0;
	}
}

static int load(struct tree *t, u32 vno, struct vnode *vn)
{
	struct afsx_fid fid = { .vid = t->vol.id, .vnode = vno };

	return vnode_load_any(t->k->db, &fid, vn);
}

static int read_vnodes(struct tree *t)
{
	sqlite3_stmt *row = db_bind(t->k->db, SQL_CHECK_VNODES, "ii",
				    (s64)t->vol.rw_id, t->snap);
	struct vnode vn;
	int ret;

	while ((ret = db_row(row)) > 0) {
		ret = load(t, (u32)db_int(row, 0), &vn);
		if (ret)
			break;
		t->used += vn.s.used_kib;
		ret = add_node(t, &vn);
		if (!ret)
			ret = check_vnode(t, &vn);
		vnode_release(&vn);
		if (ret)
			break;
	}
	return db_end(row, ret);
}

/* ---- names ---------------------------------------------------------------------- */

static bool is_dot(const char *name, u32 len)
{
	return len == 1 && name[0] == '.';
}

static bool is_dotdot(const char *name, u32 len)
{
	return len == 2 && name[0] == '.' && name[1] == '.';
}

static bool see_entry(void *ctx, const char *name, u32 len, u32 vnode,
		      u32 unique, u64 pos)
{
	struct tree *t = ctx;
	struct node *n = find_node(t, vnode);

	if (!n || n->unique != unique) {
		check_problem(t->k, "volume %s: directory %u: '%.*s' leads to no vnode",
			      t->vol.name, t->dir->vno, (int)len, name);
		return true;
	}
	if (is_dot(name, len) || is_dotdot(name, len)) {
		u32 right = is_dot(name, len) ? t->dir->vno : t->dir->parent;

		if (vnode != right)
			complain(t, t->dir->vno, "wrong '.' or '..'");
		return true;
	}
	n->names++;
	if (n->type == AFSX_FTYPE_DIR) {
		t->dir->subdirs++;
		if (n->parent != t->dir->vno)
			complain(t, n->vno, "is not in the directory it says");
	}
	return true;
}

static int read_directories(struct tree *t)
{
	struct vnode vn;
	int ret = 0;

	for (size_t i = 0; !ret && i < t->nr; i++) {
		t->dir = &t->node[i];
		if (t->dir->type != AFSX_FTYPE_DIR)
			continue;
		ret = load(t, t->dir->vno, &vn);
		if (ret)
			return ret;
		ret = dir_iterate(t->k->db, &vn, see_entry, t);
		vnode_release(&vn);
		if (ret == -EUCLEAN) {
			complain(t, t->dir->vno, "damaged directory");
			ret = 0;
		}
	}
	return ret;
}

/* Orphans are right to have no name. */
static int mark_orphans(struct tree *t)
{
	sqlite3_stmt *row = db_bind(t->k->db, SQL_ORPHAN_NEXT, "");
	struct node *n;
	int ret;

	while ((ret = db_row(row)) > 0) {
		n = find_node(t, (u32)db_int(row, 1));
		if (n && (u32)db_int(row, 0) == t->vol.rw_id)
			n->orphan = true;
	}
	return db_end(row, ret);
}

static void check_links(const struct tree *t)
{
	for (size_t i = 0; i < t->nr; i++) {
		const struct node *n = &t->node[i];
		bool root = n->vno == AFSX_ROOT_VNODE;
		u32 right = n->type == AFSX_FTYPE_DIR ? 2 + n->subdirs : n->names;

		if (!n->names && !root && !n->orphan && t->vol.type == AFSX_VOL_RW)
			complain(t, n->vno, "no name leads to it");
		if (n->type == AFSX_FTYPE_DIR && n->names > 1)
			complain(t, n->vno, "a directory with several names");
		if (n->nlink != right && n->nlink)
			complain(t, n->vno, "wrong link count");
	}
}

static void check_usage(const struct tree *t)
{
	if (t->vol.type != AFSX_VOL_RW)
		return;
	if (t->used != t->vol.used_kib)
		check_problem(t->k, "volume %s: %ju KiB used, counted as %ju",
			      t->vol.name, (uintmax_t)t->used,
			      (uintmax_t)t->vol.used_kib);
	if (t->nr != t->vol.files)
		check_problem(t->k, "volume %s: %zu vnodes, counted as %ju",
			      t->vol.name, t->nr, (uintmax_t)t->vol.files);
}

static int check_volume(struct check *k, const struct store_vol *vol, s64 snap)
{
	struct tree t = { .k = k, .vol = *vol, .snap = snap };
	int ret = read_vnodes(&t);

	if (!ret)
		ret = mark_orphans(&t);
	if (!ret)
		ret = read_directories(&t);
	if (!ret) {
		check_links(&t);
		check_usage(&t);
		if (!find_node(&t, AFSX_ROOT_VNODE))
			complain(&t, AFSX_ROOT_VNODE, "the root is missing");
	}
	free(t.node);
	return ret;
}

int check_volumes(struct check *k)
{
	struct store_vol vol = { .id = 0 };
	s64 snap = 0;
	int ret;

	for (;;) {
		sqlite3_stmt *row = db_bind(k->db, SQL_VOL_NEXT, "i",
					    (s64)vol.id);

		ret = db_row(row);
		if (ret > 0)
			vol_from_row(row, &vol, &snap);
		db_end(row, 0);
		if (ret <= 0)
			return ret;
		ret = check_volume(k, &vol, snap);
		if (ret)
			return ret;
	}
}
