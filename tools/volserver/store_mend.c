// SPDX-License-Identifier: MIT
/*
 * What the checker can mend without inventing data.  Rows are corrected where they
 * are, so that clones that share them are right as well; names are changed in the
 * read/write volume only.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store_check.h"
#include "store_tx.h"

static const char lost_found[] = "lost+found";

/* Tell what was done; a failure ends the repair. */
__printf(3, 4)
static int done(struct check *k, int ret, const char *fmt, ...)
{
	char text[512] = "mended: ";
	size_t len = strlen(text);
	va_list ap;

	if (ret)
		return ret;
	va_start(ap, fmt);
	vsnprintf(text + len, sizeof(text) - len, fmt, ap);
	va_end(ap);
	k->mended++;
	k->report(k->ctx, text);
	return 0;
}

/* The vnode when the transaction has loaded it, else a copy of no consequence. */
static struct store_status *loaded(struct check *k, u32 grp, u32 vno, s64 snap)
{
	struct afsx_fid fid = { .vid = grp, .vnode = vno };
	static struct store_status none;
	struct vnode *vn;

	if (snap != SNAP_LIVE || tx_vnode(k->tx, &fid, &vn))
		return &none;
	return &vn->s;
}

int mend_links(struct check *k, u32 grp, u32 vno, s64 snap, u32 nlink)
{
	loaded(k, grp, vno, snap)->nlink = nlink;
	return done(k, db_run(k->db, SQL_MEND_LINKS, "iiii", (s64)grp, (s64)vno,
			      snap, (s64)nlink),
		    "vnode %u.%u: %u links", grp, vno, nlink);
}

int mend_used(struct check *k, u32 grp, u32 vno, s64 snap, u64 kib)
{
	loaded(k, grp, vno, snap)->used_kib = kib;
	return done(k, db_run(k->db, SQL_MEND_USED, "iiii", (s64)grp, (s64)vno,
			      snap, (s64)kib),
		    "vnode %u.%u: %ju KiB", grp, vno, (uintmax_t)kib);
}

int mend_usage(struct check *k, u32 vid, s64 kib, s64 files)
{
	return done(k, db_run(k->db, SQL_VOL_USAGE, "iiii", (s64)vid, kib,
			      files, k->tx->now),
		    "volume %u: %+jd KiB, %+jd vnodes", vid, (intmax_t)kib,
		    (intmax_t)files);
}

static int load_dir(struct check *k, u32 vid, u32 vno, struct vnode **dir)
{
	struct afsx_fid fid = { .vid = vid, .vnode = vno };

	return tx_dir(k->tx, &fid, dir);
}

int mend_entry(struct check *k, u32 vid, u32 vno, const char *name, size_t len)
{
	struct vnode *dir;
	int ret = load_dir(k, vid, vno, &dir);

	if (!ret)
		ret = dir_drop(k->tx, dir, name, len);
	return done(k, ret, "directory %u.%u: '%.*s' removed", vid, vno,
		    (int)len, name);
}

int mend_dots(struct check *k, u32 vid, u32 vno, u32 parent)
{
	struct vnode *dir, *up;
	int ret = load_dir(k, vid, vno, &dir);

	if (!ret)
		ret = load_dir(k, vid, parent, &up);
	if (ret)
		return ret;
	dir->s.parent_vnode = up->s.fid.vnode;
	dir->s.parent_unique = up->s.fid.unique;
	tx_touch(k->tx, dir, false);
	ret = dir_redirect(k->tx, dir, ".", 1, &dir->s.fid);
	if (!ret)
		ret = dir_redirect(k->tx, dir, "..", 2, &up->s.fid);
	return done(k, ret, "directory %u.%u: '.' and '..'", vid, vno);
}

/* The directory for what has lost its name; made when there is none. */
static int find_lost_found(struct check *k, u32 vid, struct vnode **dir)
{
	struct afsx_fid root = { vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	struct store_attr attr = { .mask = STORE_SET_MODE, .mode = 0700 };
	struct afsx_fid fid;
	int ret;

	ret = store_tx_lookup(k->tx, &root, lost_found, strlen(lost_found),
			      &fid);
	if (ret == -ENOENT)
		ret = store_create(k->tx, &root, lost_found, strlen(lost_found),
				   AFSX_FTYPE_DIR, &attr, NULL, &fid);
	return ret ? ret : tx_dir(k->tx, &fid, dir);
}

int mend_lost(struct check *k, u32 vid, u32 vno, u32 unique)
{
	struct afsx_fid fid = { vid, vno, unique };
	struct vnode *lost, *vn;
	char name[32];
	int ret = find_lost_found(k, vid, &lost);

	snprintf(name, sizeof(name), "%u.%u", vno, unique);
	if (!ret)
		ret = tx_vnode(k->tx, &fid, &vn);
	if (!ret)
		ret = dir_enter(k->tx, lost, name, strlen(name), &fid);
	if (ret)
		return ret;
	vn->s.parent_vnode = lost->s.fid.vnode;
	vn->s.parent_unique = lost->s.fid.unique;
	tx_touch(k->tx, vn, false);
	if (vn->s.type == AFSX_FTYPE_DIR) {
		lost->s.nlink++;
		ret = dir_redirect(k->tx, vn, "..", 2, &lost->s.fid);
	}
	return done(k, ret, "vnode %u.%u: is in '%s' now, as '%s'", vid, vno,
		    lost_found, name);
}

int mend_forgotten(struct check *k, u32 grp, u32 vno)
{
	return done(k, db_run(k->db, SQL_ORPHAN_INSERT, "ii", (s64)grp,
			      (s64)vno),
		    "vnode %u.%u: to be collected", grp, vno);
}

int mend_named(struct check *k, u32 grp, u32 vno)
{
	return done(k, db_run(k->db, SQL_ORPHAN_DELETE, "ii", (s64)grp,
			      (s64)vno),
		    "vnode %u.%u: not to be collected", grp, vno);
}

int mend_strays(struct check *k)
{
	sqlite3_stmt *row = db_bind(k->db, SQL_MEND_STRAYS, "");
	int ret;

	while ((ret = db_row(row)) > 0) {
		struct alloc_run run = {
			.start = (u64)db_int(row, 0),
			.nr = (u32)db_int(row, 1),
		};

		if (run_list_add(&k->tx->freed, &run)) {
			ret = -ENOMEM;
			break;
		}
	}
	ret = db_end(row, ret);
	if (!ret)
		ret = db_run(k->db, SQL_MEND_STRAY_DIRS, "");
	return done(k, ret, "extents without a vnode: freed");
}

int mend_unseen(struct check *k, u32 grp)
{
	return done(k, db_run(k->db, SQL_GARBAGE_INSERT, "i", (s64)grp),
		    "group %u: to be collected", grp);
}

int mend_counter(struct check *k, u32 grp, u32 unique)
{
	return done(k, db_run(k->db, SQL_MEND_UNIQUE, "ii", (s64)grp,
			      (s64)unique),
		    "group %u: next uniquifier %u", grp, unique);
}
