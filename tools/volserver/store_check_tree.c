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
 * @found_in: directory it was found in, when that is another; else 0
 * @used: KiB that it really uses; U64_MAX when what its row says is right
 * @lost: no name leads to it, and one should
 * @waits: it waits to be collected
 * @behind: it has data behind its end
 */
struct node {
	u32 vno;
	u32 unique;
	u32 type;
	u32 nlink;
	u32 names;
	u32 subdirs;
	u32 parent;
	u32 found_in;
	u64 used;
	bool lost;
	bool waits;
	bool behind;
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
 * @wrong_dots: its "." or ".." is
 * @damaged: a directory could not be read to the end
 * @dangling: names in @dir that lead nowhere, when they are to be removed
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
	bool wrong_dots;
	bool damaged;
	struct dangling *dangling;
};

/* A name that leads nowhere. */
struct dangling {
	struct dangling *next;
	size_t len;
	char name[];
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
		.used = U64_MAX,
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
	t->node[t->nr - 1].behind = end > DIV_ROUND_UP(vn->s.size, BLK_SIZE);
	if (blocks * BLK_KIB != vn->s.used_kib) {
		complain(t, vn->s.fid.vnode, "wrong count of KiB used");
		t->node[t->nr - 1].used = blocks * BLK_KIB;
	}
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
		ret = add_node(t, &vn);
		if (!ret)
			ret = check_vnode(t, &vn);
		if (!ret)
			t->used += t->node[t->nr - 1].used != U64_MAX ?
				   t->node[t->nr - 1].used : vn.s.used_kib;
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

/* A volume that may change: no clone, and not being restored. */
static bool is_live(const struct tree *t)
{
	return t->snap == SNAP_LIVE;
}

static bool may_mend(const struct tree *t)
{
	return t->k->tx && is_live(t);
}

static void note_dangling(struct tree *t, const char *name, u32 len)
{
	struct dangling *d = may_mend(t) ? malloc(sizeof(*d) + len) : NULL;

	check_problem(t->k, "volume %s: directory %u: '%.*s' leads to no vnode",
		      t->vol.name, t->dir->vno, (int)len, name);
	if (!d)
		return;	/* found again by the next check */
	d->len = len;
	memcpy(d->name, name, len);
	d->next = t->dangling;
	t->dangling = d;
}

static bool see_entry(void *ctx, const char *name, u32 len, u32 vnode,
		      u32 unique, u64 pos)
{
	struct tree *t = ctx;
	struct node *n = find_node(t, vnode);

	if (is_dot(name, len) || is_dotdot(name, len)) {
		u32 right = is_dot(name, len) ? t->dir->vno : t->dir->parent;

		if (vnode != right || !n || n->unique != unique) {
			complain(t, t->dir->vno, "wrong '.' or '..'");
			t->wrong_dots = true;
		}
		return true;
	}
	if (!n || n->unique != unique) {
		note_dangling(t, name, len);
		return true;
	}
	n->names++;
	if (n->type == AFSX_FTYPE_DIR) {
		t->dir->subdirs++;
		if (n->parent != t->dir->vno) {
			complain(t, n->vno, "is not in the directory it says");
			n->found_in = t->dir->vno;
		}
	}
	return true;
}

static int remove_dangling(struct tree *t, int ret)
{
	struct dangling *d;

	while ((d = t->dangling)) {
		if (!ret)
			ret = mend_entry(t->k, t->vol.id, t->dir->vno, d->name,
					 d->len);
		t->dangling = d->next;
		free(d);
	}
	return ret;
}

static int read_directory(struct tree *t)
{
	struct vnode vn;
	int ret = load(t, t->dir->vno, &vn);

	if (ret)
		return ret;
	t->wrong_dots = false;
	ret = dir_iterate(t->k->db, &vn, see_entry, t);
	vnode_release(&vn);
	if (ret == -EUCLEAN) {
		complain(t, t->dir->vno, "damaged directory");
		t->damaged = true;
		ret = 0;
	}
	return ret;
}

static int read_directories(struct tree *t)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < t->nr; i++) {
		t->dir = &t->node[i];
		if (t->dir->type != AFSX_FTYPE_DIR)
			continue;
		ret = read_directory(t);
		/* without its parent it gets another one later */
		if (!ret && may_mend(t) && t->wrong_dots &&
		    find_node(t, t->dir->parent))
			ret = mend_dots(t->k, t->vol.id, t->dir->vno,
					t->dir->parent);
		ret = remove_dangling(t, ret);
	}
	return ret;
}

static int mark_waiting(struct tree *t)
{
	sqlite3_stmt *row = db_bind(t->k->db, SQL_ORPHAN_NEXT, "ii",
				    (s64)0, (s64)0);
	struct node *n;
	int ret;

	while ((ret = db_row(row)) > 0) {
		n = find_node(t, (u32)db_int(row, 1));
		if (n && (u32)db_int(row, 0) == t->vol.rw_id)
			n->waits = true;
	}
	return db_end(row, ret);
}

/*
 * Who waits to be collected has no name, or data behind the end, and who has that
 * waits.  A clone may show a file that waited when it was made.
 */
static int check_names(struct tree *t, struct node *n)
{
	if (!is_live(t) || n->vno == AFSX_ROOT_VNODE)
		return 0;
	if (n->behind && n->nlink && !n->waits) {
		complain(t, n->vno, "data behind the end of the file");
		return t->k->tx ? mend_forgotten(t->k, t->vol.id, n->vno) : 0;
	}
	if (n->names && n->waits && !n->behind) {
		complain(t, n->vno, "has a name, but waits to be collected");
		return t->k->tx ? mend_named(t->k, t->vol.id, n->vno) : 0;
	}
	if (n->names || n->waits)
		return 0;
	if (n->nlink) {
		complain(t, n->vno, "no name leads to it");
		/* its name may be where a directory cannot be read */
		n->lost = !t->damaged;
		return 0;
	}
	complain(t, n->vno, "has no links, but does not wait to be collected");
	return t->k->tx ? mend_forgotten(t->k, t->vol.id, n->vno) : 0;
}

/* What the row of a vnode counts. */
static int check_counts(struct tree *t, const struct node *n)
{
	u32 right = n->type == AFSX_FTYPE_DIR ? 2 + n->subdirs :
		    n->names + n->lost;
	int ret = 0;

	if (n->type == AFSX_FTYPE_DIR && n->names > 1)
		complain(t, n->vno, "a directory with several names");
	/* what waits may have lost its links already */
	if (n->nlink != right && (n->nlink || !n->waits)) {
		complain(t, n->vno, "wrong link count");
		if (t->k->tx)
			ret = mend_links(t->k, t->vol.rw_id, n->vno, t->snap,
					 right);
	}
	if (!ret && t->k->tx && n->used != U64_MAX)
		ret = mend_used(t->k, t->vol.rw_id, n->vno, t->snap, n->used);
	return ret;
}

static int check_nodes(struct tree *t)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < t->nr; i++) {
		ret = check_names(t, &t->node[i]);
		if (!ret)
			ret = check_counts(t, &t->node[i]);
	}
	/* rows first: this loads them */
	for (size_t i = 0; !ret && may_mend(t) && i < t->nr; i++) {
		const struct node *n = &t->node[i];

		if (n->lost)
			ret = mend_lost(t->k, t->vol.id, n->vno, n->unique);
		else if (n->found_in)
			ret = mend_dots(t->k, t->vol.id, n->vno, n->found_in);
	}
	return ret;
}

static int check_usage(const struct tree *t)
{
	s64 kib = (s64)(t->used - t->vol.used_kib);
	s64 files = (s64)(t->nr - t->vol.files);

	if (!is_live(t) || (!kib && !files))
		return 0;
	if (kib)
		check_problem(t->k, "volume %s: %ju KiB used, counted as %ju",
			      t->vol.name, (uintmax_t)t->used,
			      (uintmax_t)t->vol.used_kib);
	if (files)
		check_problem(t->k, "volume %s: %zu vnodes, counted as %ju",
			      t->vol.name, t->nr, (uintmax_t)t->vol.files);
	return t->k->tx ? mend_usage(t->k, t->vol.id, kib, files) : 0;
}

static int check_volume(struct check *k, const struct store_vol *vol, s64 snap)
{
	struct tree t = { .k = k, .vol = *vol, .snap = snap };
	int ret = read_vnodes(&t);

	if (!ret)
		ret = mark_waiting(&t);
	if (!ret && !find_node(&t, AFSX_ROOT_VNODE))
		complain(&t, AFSX_ROOT_VNODE, "the root is missing");
	if (!ret)
		ret = read_directories(&t);
	if (!ret)
		ret = check_nodes(&t);
	if (!ret)
		ret = check_usage(&t);
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
