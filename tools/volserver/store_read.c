// SPDX-License-Identifier: MIT
/* The reading half of the interface. */
#include <errno.h>
#include <string.h>

#include "dir_image.h"
#include "store_apply.h"
#include "store_fetch.h"
#include "store_tx.h"

static struct reader *load_with(struct store *st, struct reader *r,
				const struct afsx_fid *fid, struct vnode *vn,
				int *ret)
{
	if (!r)
		return NULL;
	*ret = vnode_load(&r->db, fid, vn);
	if (!*ret)
		return r;
	*ret = reader_put(st, r, *ret);
	return NULL;
}

/* Begin to read from a vnode: NULL with *@ret set when that is not possible. */
static struct reader *read_begin(struct store *st, const struct afsx_fid *fid,
				 struct vnode *vn, int *ret)
{
	return load_with(st, reader_get_for(st, fid, ret), fid, vn, ret);
}

static int read_end(struct store *st, struct reader *r, struct vnode *vn,
		    int ret)
{
	vnode_release(vn);
	return reader_put(st, r, ret);
}

/* What is newer than the database; -ENODATA when it is not. */
static ssize_t newer_status(struct store *st, const struct afsx_fid *fid,
			    struct store_status *status, char *acl)
{
	unsigned int losses = wal_losses(st->wal);
	ssize_t len;
	int ret;

	if (!st->rows || apply_is_lost(st))
		return -ENODATA;
	len = rows_status(st->rows, fid, status, acl);
	if (len == -ENODATA)
		return len;
	ret = wal_barrier(st->wal, losses);
	return ret ? ret : len;
}

/* A status from the database; @acl: NULL, or for the access list of its own. */
static ssize_t load_status(struct store *st, const struct afsx_fid *fid,
			   struct store_status *status, char *acl)
{
	u64 mark = seen_mark(st->seen, fid->vid, fid->vnode);
	struct vnode vn;
	int ret;
	struct reader *r = read_begin(st, fid, &vn, &ret);
	size_t len;

	if (!r)
		return ret;
	*status = vn.s;
	len = vn.acl_len;
	if (acl && len)
		memcpy(acl, vn.acl, len);
	ret = reader_put(st, r, 0);
	if (!ret)
		seen_put(st->seen, status, vn.acl, len, mark);
	vnode_release(&vn);
	return ret ? ret : (ssize_t)len;
}

/*
 * What somebody found, or a transaction made of it; -ENODATA when that is not known. After
 * a loss what is not durable was lost, and the database has what there was before.
 */
static ssize_t seen_status(struct store *st, const struct afsx_fid *fid,
			   struct store_status *status, char *acl)
{
	u64 ticket;
	ssize_t len = seen_get(st->seen, fid, status, acl, &ticket);
	int ret;

	if (len < 0)
		return -ENODATA;
	if (ticket <= wal_durable(st->wal))
		return len;
	if (wal_losses(st->wal))
		return -ENODATA;
	ret = wal_wait(st->wal, ticket);
	return ret ? ret : len;
}

static ssize_t get_status(struct store *st, const struct afsx_fid *fid,
			  struct store_status *status, char *acl)
{
	ssize_t len = seen_status(st, fid, status, acl);

	if (len == -ENODATA)
		len = newer_status(st, fid, status, acl);
	return len == -ENODATA ? load_status(st, fid, status, acl) : len;
}

int store_getattr(struct store *st, const struct afsx_fid *fid,
		  struct store_status *status)
{
	ssize_t len = get_status(st, fid, status, NULL);

	return len < 0 ? (int)len : 0;
}

static int read_contents(struct store *st, struct reader *r,
			 const struct vnode *vn, u64 off, void *buf, size_t len)
{
	switch (vn->s.type) {
	case AFSX_FTYPE_FILE:
		return data_read(st, &r->db, vn, off, buf, len);
	case AFSX_FTYPE_DIR:
		return dir_read(&r->db, vn, off, buf, len);
	case AFSX_FTYPE_SYMLINK:
		if (!vn->target || strlen(vn->target) != vn->s.size)
			return -EUCLEAN;
		memcpy(buf, vn->target + off, len);
		return 0;
	default:
		return -EUCLEAN;
	}
}

static size_t clip(const struct store_status *s, u64 off, size_t len)
{
	return off < s->size ? min(len, s->size - off) : 0;
}

/* From memory, if all of it is there; else a negative errno. */
static ssize_t read_warm(struct store *st, const struct afsx_fid *fid, u64 off,
			 void *buf, size_t len, struct store_status *s)
{
	unsigned int era = seen_era(st->seen);

	if (seen_status(st, fid, s, NULL) < 0)
		return -ENODATA;
	len = clip(s, off, len);
	if (!warm_get(st->warm, s, era, off, buf, len) ||
	    seen_era(st->seen) != era)
		return -ENODATA;
	return (ssize_t)len;
}

static ssize_t read_cold(struct store *st, const struct afsx_fid *fid, u64 off,
			 void *buf, size_t len, struct store_status *s)
{
	unsigned int era = seen_era(st->seen);
	struct vnode vn;
	int ret;
	struct reader *r = read_begin(st, fid, &vn, &ret);

	if (!r)
		return ret;
	*s = vn.s;
	len = clip(s, off, len);
	if (len)
		ret = read_contents(st, r, &vn, off, buf, len);
	ret = read_end(st, r, &vn, ret);
	if (ret)
		return ret;
	warm_put(st->warm, s, era, off, buf, len);
	return (ssize_t)len;
}

ssize_t store_read(struct store *st, const struct afsx_fid *fid, u64 off,
		   void *buf, size_t len, struct store_status *status)
{
	struct store_status s;
	ssize_t n = read_warm(st, fid, off, buf, len, &s);

	if (n < 0)
		n = read_cold(st, fid, off, buf, len, &s);
	if (n >= 0 && status)
		*status = s;
	return n;
}

/* ---- names ---------------------------------------------------------------------- */

/**
 * struct lookup - a name that somebody looks for
 * @name: the name
 * @len: its bytes
 * @era: seen_era() from before
 * @fid: result
 * @m: contents that were read, to be kept; or NULL
 */
struct lookup {
	const char *name;
	size_t len;
	unsigned int era;
	struct afsx_fid *fid;
	struct dir_image *m;
};

static int find_in(const struct dir_image *m, const struct store_status *s,
		   const struct lookup *l)
{
	l->fid->vid = s->fid.vid;
	return dir_image_find(m, l->name, l->len, l->fid);
}

/* In contents that are at hand; -ENODATA when there are none of this version. */
static int find_at_hand(struct store *st, const struct store_status *s,
			const struct lookup *l)
{
	struct dir_image *m = places_get(st->places, s, l->era);
	int ret = -ENODATA;

	if (m && seen_era(st->seen) == l->era)
		ret = find_in(m, s, l);
	dir_image_put(m);
	return ret;
}

/* From memory, without a lock of all; -ENODATA when not all of it is there. */
static int lookup_warm(struct store *st, const struct afsx_fid *dir,
		       const struct lookup *l)
{
	struct store_status s;

	if (seen_status(st, dir, &s, NULL) < 0)
		return -ENODATA;
	return find_at_hand(st, &s, l);
}

/* If a volume was renewed since @l->era, what the reader sees is of either era. */
static bool is_time_to_read(struct store *st, const struct vnode *dir,
			    const struct lookup *l)
{
	return l->era && seen_era(st->seen) == l->era &&
	       places_worth(st->places, &dir->s, l->era);
}

static int lookup_in(struct store *st, struct db *db, struct vnode *dir,
		     struct lookup *l)
{
	int ret;

	if (dir->s.type != AFSX_FTYPE_DIR)
		return -ENOTDIR;
	ret = find_at_hand(st, &dir->s, l);
	if (ret != -ENODATA)
		return ret;
	if (is_time_to_read(st, dir, l))
		l->m = dir_image_load(db, dir);
	return l->m ? find_in(l->m, &dir->s, l) :
	       dir_find(db, dir, l->name, l->len, l->fid);
}

/* What was read is kept when it is known to be durable. */
static int lookup_cold(struct store *st, const struct afsx_fid *dir,
		       struct lookup *l)
{
	u64 mark = seen_mark(st->seen, dir->vid, dir->vnode);
	struct vnode vn;
	int ret, err;
	struct reader *r = read_begin(st, dir, &vn, &ret);

	if (!r)
		return ret;
	ret = lookup_in(st, &r->db, &vn, l);
	err = reader_put(st, r, 0);
	if (!err)
		seen_put(st->seen, &vn.s, vn.acl, vn.acl_len, mark);
	if (!err && l->m)
		places_put(st->places, &vn.s, l->era, l->m);
	dir_image_put(l->m);
	vnode_release(&vn);
	return err ? err : ret;
}

int store_lookup(struct store *st, const struct afsx_fid *dir,
		 const char *name, size_t len, struct afsx_fid *fid)
{
	struct lookup l = {
		.name = name,
		.len = len,
		.era = seen_era(st->seen),
		.fid = fid,
	};
	int ret = lookup_warm(st, dir, &l);

	return ret == -ENODATA ? lookup_cold(st, dir, &l) : ret;
}

/* ---- listing -------------------------------------------------------------------- */

/* Passes entries on in the form that callers of the store see. */
struct emit {
	store_emit_t fn;
	void *ctx;
	u32 vid;
};

static bool emit_entry(void *ctx, const char *name, u32 len, u32 vnode,
		       u32 unique, u64 pos)
{
	const struct emit *e = ctx;
	struct afsx_fid fid = { e->vid, vnode, unique };

	(void)pos;
	return e->fn(e->ctx, name, len, &fid);
}

int store_readdir(struct store *st, const struct afsx_fid *dir,
		  store_emit_t fn, void *ctx)
{
	struct emit e = { .fn = fn, .ctx = ctx, .vid = dir->vid };
	struct vnode vn;
	int ret;
	struct reader *r = read_begin(st, dir, &vn, &ret);

	if (!r)
		return ret;
	if (vn.s.type == AFSX_FTYPE_DIR)
		ret = dir_iterate(&r->db, &vn, emit_entry, &e);
	else
		ret = -ENOTDIR;
	return read_end(st, r, &vn, ret);
}

int store_vnode_list(struct store *st, u32 vid, u32 after, u32 *list, int max)
{
	sqlite3_stmt *row;
	int n = 0, ret;
	struct reader *r = reader_get(st, &ret);

	if (!r)
		return ret;
	row = db_bind(&r->db, SQL_VNODE_LIST, "iii", (s64)vid, (s64)after,
		      (s64)max);
	while (n < max && (ret = db_row(row)) > 0)
		list[n++] = (u32)db_int(row, 0);
	ret = db_end(row, n < max ? ret : 0);
	return reader_put(st, r, ret ? ret : n);
}

/* Length of the access list of a loaded directory, which is left in @buf. */
static ssize_t copy_acl(const struct vnode *dir, char *buf, size_t size)
{
	if (dir->s.type != AFSX_FTYPE_DIR)
		return -ENOTDIR;
	if (dir->acl_len > size)
		return -ERANGE;
	if (dir->acl_len)
		memcpy(buf, dir->acl, dir->acl_len);
	return (ssize_t)dir->acl_len;
}

static struct afsx_fid parent_of(const struct store_status *s)
{
	return (struct afsx_fid){
		.vid = s->fid.vid,
		.vnode = s->parent_vnode,
		.unique = s->parent_unique,
	};
}

static ssize_t governing_acl(struct db *db, const struct vnode *vn, char *buf,
			     size_t size)
{
	struct afsx_fid up = parent_of(&vn->s);
	struct vnode dir;
	ssize_t ret;

	if (vn->s.type == AFSX_FTYPE_DIR)
		return copy_acl(vn, buf, size);
	ret = vnode_load(db, &up, &dir);
	if (ret)
		return ret;
	ret = copy_acl(&dir, buf, size);
	vnode_release(&dir);
	return ret;
}

/* Both at one moment, from the database. */
static ssize_t load_with_acl(struct store *st, const struct afsx_fid *fid,
			     struct store_status *status, char *acl,
			     size_t size)
{
	struct vnode vn;
	ssize_t len;
	int ret;
	struct reader *r = load_with(st, reader_get(st, &ret), fid, &vn, &ret);

	if (!r)
		return ret;
	*status = vn.s;
	len = governing_acl(&r->db, &vn, acl, size);
	ret = read_end(st, r, &vn, (int)min(len, 0));
	return ret ? ret : len;
}

/*
 * The list found after the status is that of the directory the vnode was in: as
 * good as if both had been read then, unless it was moved meanwhile.
 */
static ssize_t known_with_acl(struct store *st, const struct afsx_fid *fid,
			      struct store_status *status, char *acl)
{
	struct store_status dir, again;
	struct afsx_fid up;
	ssize_t len = get_status(st, fid, status, acl);

	if (len < 0 || status->type == AFSX_FTYPE_DIR)
		return len;
	up = parent_of(status);
	len = get_status(st, &up, &dir, acl);
	if (len < 0 || dir.type != AFSX_FTYPE_DIR ||
	    get_status(st, fid, &again, NULL) < 0 ||
	    again.parent_vnode != status->parent_vnode)
		return -EAGAIN;
	return len;
}

ssize_t store_getattr_acl(struct store *st, const struct afsx_fid *fid,
			  struct store_status *status, char *acl, size_t size)
{
	ssize_t len = -EAGAIN;

	if (size >= STORE_ACL_MAX)
		len = known_with_acl(st, fid, status, acl);
	return len == -EAGAIN ? load_with_acl(st, fid, status, acl, size) : len;
}

ssize_t store_acl_get(struct store *st, const struct afsx_fid *fid, char *buf,
		      size_t size)
{
	struct vnode vn;
	ssize_t len;
	int ret;
	struct reader *r = read_begin(st, fid, &vn, &ret);

	if (!r)
		return ret;
	len = copy_acl(&vn, buf, size);
	ret = read_end(st, r, &vn, (int)min(len, 0));
	return ret ? ret : len;
}

int store_tx_getattr(struct store_tx *tx, const struct afsx_fid *fid,
		     struct store_status *status)
{
	struct vnode *vn;
	int ret = tx_vnode(tx, fid, &vn);

	if (!ret)
		*status = vn->s;
	return tx_fail(tx, ret);
}

ssize_t store_tx_getattr_acl(struct store_tx *tx, const struct afsx_fid *fid,
			     struct store_status *status, char *acl,
			     size_t size)
{
	struct vnode *vn, *dir;
	struct afsx_fid up;
	int ret = tx_vnode(tx, fid, &vn);

	if (ret)
		return tx_fail(tx, ret);
	*status = vn->s;
	up = parent_of(&vn->s);
	dir = vn;
	if (vn->s.type != AFSX_FTYPE_DIR)
		ret = tx_dir(tx, &up, &dir);
	return ret ? tx_fail(tx, ret) : copy_acl(dir, acl, size);
}

int store_tx_lookup(struct store_tx *tx, const struct afsx_fid *dir,
		    const char *name, size_t len, struct afsx_fid *fid)
{
	struct vnode *vn;
	int ret = tx_dir(tx, dir, &vn);

	if (!ret)
		ret = dir_find(tx->db, vn, name, len, fid);
	return tx_fail(tx, ret);
}
