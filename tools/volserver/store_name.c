// SPDX-License-Identifier: MIT
/* Names: creating, linking, removing and renaming what directories hold. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store_data.h"
#include "store_tx.h"

static int check_name(const char *name, size_t len)
{
	if (len > AFSX_NAME_MAX)
		return -ENAMETOOLONG;
	if (!len || memchr(name, '/', len) || memchr(name, '\0', len))
		return -EINVAL;
	if (len <= 2 && !memcmp(name, "..", len))
		return -EINVAL;
	return 0;
}

static int check_target(enum afsx_ftype type, const char *target)
{
	size_t len;

	if (type != AFSX_FTYPE_SYMLINK)
		return target ? -EINVAL : 0;
	len = target ? strlen(target) : 0;
	if (len > STORE_TARGET_MAX)
		return -ENAMETOOLONG;
	return len ? 0 : -EINVAL;
}

/* A directory of the transaction, and that @name can be entered in it. */
static int find_place(struct store_tx *tx, const struct afsx_fid *fid,
		      const char *name, size_t len, struct vnode **dir)
{
	struct afsx_fid found;
	int ret = check_name(name, len);

	if (!ret)
		ret = tx_dir(tx, fid, dir);
	if (ret)
		return ret;
	ret = dir_find(tx->db, *dir, name, len, &found);
	return ret == -ENOENT ? 0 : ret ? ret : -EEXIST;
}

static void apply_attr(struct store_status *s, const struct store_attr *attr)
{
	if (attr->mask & STORE_SET_MODE)
		s->mode = attr->mode & 07777;
	if (attr->mask & STORE_SET_OWNER)
		s->owner = attr->owner;
	if (attr->mask & STORE_SET_GROUP)
		s->group = attr->group;
	if (attr->mask & STORE_SET_AUTHOR)
		s->author = attr->author;
	if (attr->mask & STORE_SET_MTIME)
		s->mtime_client = attr->mtime;
}

static u32 default_mode(enum afsx_ftype type)
{
	static const u32 modes[] = {
		[AFSX_FTYPE_FILE] = 0644,
		[AFSX_FTYPE_DIR] = 0755,
		[AFSX_FTYPE_SYMLINK] = 0777,
	};

	return modes[type];
}

/* Give a new vnode its contents. */
static int fill_vnode(struct store_tx *tx, struct vnode *vn,
		      const struct vnode *dir, const struct store_attr *attr,
		      const char *target)
{
	int ret = 0;

	vn->s.parent_vnode = dir->s.fid.vnode;
	vn->s.parent_unique = dir->s.fid.unique;
	if (vn->s.type == AFSX_FTYPE_DIR) {
		vn->s.nlink = 2;
		ret = dir_make(tx, vn, &dir->s.fid);
	} else if (vn->s.type == AFSX_FTYPE_SYMLINK) {
		vn->target = strdup(target);
		if (!vn->target)
			return -ENOMEM;
		vn->s.size = strlen(target);
		ret = tx_charge(tx, vn, SYMLINK_KIB);
	}
	vn->s.mode = default_mode(vn->s.type);
	vn->s.mtime_client = tx->now;
	if (attr)
		apply_attr(&vn->s, attr);
	return ret;
}

static int create(struct store_tx *tx, struct vnode *dir, const char *name,
		  size_t len, enum afsx_ftype type,
		  const struct store_attr *attr, const char *target,
		  struct afsx_fid *fid)
{
	struct vnode *vn;
	struct tx_grp *g;
	int ret = tx_grp(tx, dir->grp, &g);

	if (!ret)
		ret = tx_new_vnode(tx, g, type, &vn);
	if (!ret)
		ret = fill_vnode(tx, vn, dir, attr, target);
	if (!ret && dir->acl && type == AFSX_FTYPE_DIR)
		ret = store_acl_set(tx, &vn->s.fid, dir->acl, dir->acl_len);
	if (!ret)
		ret = dir_enter(tx, dir, name, len, &vn->s.fid);
	if (ret)
		return ret;
	if (type == AFSX_FTYPE_DIR)
		dir->s.nlink++;
	*fid = vn->s.fid;
	return 0;
}

int store_create(struct store_tx *tx, const struct afsx_fid *dir,
		 const char *name, size_t len, enum afsx_ftype type,
		 const struct store_attr *attr, const char *target,
		 struct afsx_fid *fid)
{
	struct vnode *d = NULL;
	int ret;

	if (type != AFSX_FTYPE_FILE && type != AFSX_FTYPE_DIR &&
	    type != AFSX_FTYPE_SYMLINK)
		return -EINVAL;
	ret = check_target(type, target);
	if (!ret)
		ret = find_place(tx, dir, name, len, &d);
	if (ret)
		return ret;
	ret = create(tx, d, name, len, type, attr, target, fid);
	if (ret && !tx->err)
		tx->err = ret;
	return ret;
}

int store_link(struct store_tx *tx, const struct afsx_fid *dir,
	       const char *name, size_t len, const struct afsx_fid *fid)
{
	struct vnode *d = NULL, *vn;
	int ret;

	if (dir->vid != fid->vid)
		return -EXDEV;
	ret = find_place(tx, dir, name, len, &d);
	if (!ret)
		ret = tx_vnode(tx, fid, &vn);
	if (!ret && vn->s.type == AFSX_FTYPE_DIR)
		ret = -EISDIR;
	if (ret)
		return ret;
	vn->s.nlink++;
	tx_touch(tx, vn, false);
	return tx_fail(tx, dir_enter(tx, d, name, len, &vn->s.fid));
}

/* One name less leads to @vn, which was in @dir. */
static int drop_link(struct store_tx *tx, struct vnode *dir, struct vnode *vn)
{
	if (vn->s.type == AFSX_FTYPE_DIR) {
		dir->s.nlink--;
		return vnode_destroy(tx, vn);
	}
	tx_touch(tx, vn, false);
	if (--vn->s.nlink)
		return 0;
	return vnode_destroy(tx, vn);
}

static int check_removal(struct store_tx *tx, struct vnode *vn, bool want_dir)
{
	int ret;

	if (vn->s.type != AFSX_FTYPE_DIR)
		return want_dir ? -ENOTDIR : 0;
	if (!want_dir)
		return -EISDIR;
	ret = dir_is_empty(tx->db, vn);
	return ret < 0 ? ret : ret ? 0 : -ENOTEMPTY;
}

int store_unlink(struct store_tx *tx, const struct afsx_fid *dir,
		 const char *name, size_t len, bool want_dir,
		 struct afsx_fid *fid)
{
	struct vnode *d, *vn;
	struct afsx_fid found;
	int ret = check_name(name, len);

	if (!ret)
		ret = tx_dir(tx, dir, &d);
	if (!ret)
		ret = dir_find(tx->db, d, name, len, &found);
	if (!ret)
		ret = tx_vnode(tx, &found, &vn);
	if (!ret)
		ret = check_removal(tx, vn, want_dir);
	if (ret)
		return tx_fail(tx, ret);
	if (fid)
		*fid = found;
	ret = dir_drop(tx, d, name, len);
	if (!ret)
		ret = drop_link(tx, d, vn);
	return tx_fail(tx, ret);
}

/* Whether @dir is @top or lies below it: 1, 0, or a negative errno. */
static int is_below(struct store_tx *tx, struct vnode *dir,
		    const struct vnode *top)
{
	while (dir != top && dir->s.fid.vnode != AFSX_ROOT_VNODE) {
		struct afsx_fid up = {
			.vid = dir->s.fid.vid,
			.vnode = dir->s.parent_vnode,
			.unique = dir->s.parent_unique,
		};
		int ret = tx_dir(tx, &up, &dir);

		if (ret)
			return ret;
	}
	return dir == top;
}

/**
 * struct move - a rename
 * @from: directory to take it from
 * @to: directory to put it into
 * @vn: what is moved
 * @old: what it replaces, or NULL
 */
struct move {
	struct vnode *from;
	struct vnode *to;
	struct vnode *vn;
	struct vnode *old;
};

static int find_move(struct store_tx *tx, struct move *m,
		     const struct afsx_fid *from_dir, const char *from,
		     size_t from_len, const struct afsx_fid *to_dir,
		     const char *to, size_t to_len)
{
	struct afsx_fid fid;
	int ret = tx_dir(tx, from_dir, &m->from);

	if (!ret)
		ret = tx_dir(tx, to_dir, &m->to);
	if (!ret)
		ret = dir_find(tx->db, m->from, from, from_len, &fid);
	if (!ret)
		ret = tx_vnode(tx, &fid, &m->vn);
	if (ret)
		return ret;
	m->old = NULL;
	ret = dir_find(tx->db, m->to, to, to_len, &fid);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return tx_vnode(tx, &fid, &m->old);
}

static int check_move(struct store_tx *tx, const struct move *m)
{
	bool dir = m->vn->s.type == AFSX_FTYPE_DIR;
	int ret = dir ? is_below(tx, m->to, m->vn) : 0;

	if (ret)
		return ret < 0 ? ret : -EINVAL;
	if (!m->old)
		return 0;
	/* as rename(2) sees it, even when a file would replace a directory */
	ret = is_below(tx, m->from, m->old);
	if (ret)
		return ret < 0 ? ret : -ENOTEMPTY;
	return check_removal(tx, m->old, dir);
}

/* Let a moved vnode know its new directory. */
static int reparent(struct store_tx *tx, const struct move *m)
{
	struct vnode *vn = m->vn;
	s64 mtime = vn->s.mtime_client;
	int ret;

	vn->s.parent_vnode = m->to->s.fid.vnode;
	vn->s.parent_unique = m->to->s.fid.unique;
	tx_touch(tx, vn, false);
	if (vn->s.type != AFSX_FTYPE_DIR)
		return 0;
	m->from->s.nlink--;
	m->to->s.nlink++;
	ret = dir_redirect(tx, vn, "..", 2, &m->to->s.fid);
	vn->s.mtime_client = mtime;	/* its names are what they were */
	return ret;
}

int store_rename(struct store_tx *tx, const struct afsx_fid *from_dir,
		 const char *from, size_t from_len,
		 const struct afsx_fid *to_dir, const char *to, size_t to_len)
{
	struct move m;
	int ret;

	if (from_dir->vid != to_dir->vid)
		return -EXDEV;
	ret = check_name(from, from_len);
	if (!ret)
		ret = check_name(to, to_len);
	if (!ret)
		ret = find_move(tx, &m, from_dir, from, from_len, to_dir, to,
				to_len);
	if (!ret && m.old == m.vn)
		return 0;	/* two names of one file: nothing to do */
	if (!ret)
		ret = check_move(tx, &m);
	if (ret)
		return tx_fail(tx, ret);
	ret = dir_drop(tx, m.from, from, from_len);
	if (!ret && m.old)
		ret = dir_redirect(tx, m.to, to, to_len, &m.vn->s.fid);
	else if (!ret)
		ret = dir_enter(tx, m.to, to, to_len, &m.vn->s.fid);
	if (!ret && m.old)
		ret = drop_link(tx, m.to, m.old);
	if (!ret && m.from != m.to)
		ret = reparent(tx, &m);
	if (ret && !tx->err)
		tx->err = ret;
	return ret;
}

int store_setattr(struct store_tx *tx, const struct afsx_fid *fid,
		  const struct store_attr *attr)
{
	struct vnode *vn;
	int ret = tx_vnode(tx, fid, &vn);

	if (ret)
		return ret;
	if (attr->mask & STORE_SET_SIZE) {
		if (vn->s.type != AFSX_FTYPE_FILE)
			return vn->s.type == AFSX_FTYPE_DIR ? -EISDIR : -EINVAL;
		if (attr->size > S64_MAX)
			return -EINVAL;
		ret = data_truncate(tx, vn, attr->size);
		vn->s.mtime_client = tx->now;
	}
	apply_attr(&vn->s, attr);
	tx_touch(tx, vn, attr->mask & STORE_SET_SIZE);
	return tx_fail(tx, ret);
}

int store_acl_set(struct store_tx *tx, const struct afsx_fid *fid,
		  const char *acl, size_t len)
{
	char *copy = NULL;
	struct vnode *vn;
	int ret = tx_dir(tx, fid, &vn);

	if (ret)
		return ret;
	if (len > STORE_ACL_MAX)
		return -EINVAL;
	if (len) {
		copy = malloc(len);
		if (!copy)
			return tx_fail(tx, -ENOMEM);
		memcpy(copy, acl, len);
	}
	free(vn->acl);
	vn->acl = copy;
	vn->acl_len = len;
	tx_touch(tx, vn, false);
	return 0;
}
