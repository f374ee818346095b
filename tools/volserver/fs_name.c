// SPDX-License-Identifier: MIT
/*
 * The file service: names are made, removed and moved.
 *
 * The reply says what became of the directories, so the caller keeps its
 * promises for them; whoever else was promised to hear of them is told.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "afsxd.h"
#include "fs_change.h"
#include "fs_name.h"

/* Clients replace this, at the end of a name, by what they run on. */
#define AT_SYS		"@sys"

/* A mode without these makes a symbolic link a mount point. */
#define MODE_EXEC	0111

/* Names that no client could use; the store refuses the rest. */
static s32 check_new_name(const struct afsx_str *name)
{
	size_t n = strlen(AT_SYS);

	if (name->len >= n && !memcmp(name->p + name->len - n, AT_SYS, n))
		return afsx_errno_to_abort(-EINVAL);
	return 0;
}

/* A directory that the caller wants to change, with the right it takes. */
static s32 open_dir(struct fs_change *c, const struct afsx_fid *fid, u32 right,
		    struct fs_vnode *dir)
{
	s32 code = fs_tx_vnode(c->tx, fid, dir);

	return code ? code : fs_may_change_dir(dir, right);
}

/* A directory has changed: what the reply says of it. */
static s32 close_dir(struct fs_change *c, const struct afsx_fid *fid,
		     struct afsx_status *status)
{
	s32 code = fs_change_sign(c, fid);

	return code ? code : fs_change_status(c, fid, status);
}

static struct store_attr attr_of_new(const struct afsx_store_status *in)
{
	struct store_attr attr = {
		.mask = STORE_SET_MODE | STORE_SET_OWNER | STORE_SET_GROUP |
			STORE_SET_AUTHOR,
		.mode = in->mask & AFSX_SET_MODE ? fs_mode_given(in->mode) : 0777,
		.owner = in->mask & AFSX_SET_OWNER ? in->owner :
						     AFSX_ANONYMOUS_ID,
		.group = in->mask & AFSX_SET_GROUP ? in->group : 0,
		.author = AFSX_ANONYMOUS_ID,
	};

	if (in->mask & AFSX_SET_MTIME) {
		attr.mask |= STORE_SET_MTIME;
		attr.mtime = in->mtime;
	}
	return attr;
}

/* A new vnode: where it shall be, what it is, and where to tell of it. */
struct birth {
	const struct afsx_fid *dir;
	const struct afsx_str *name;
	const struct afsx_store_status *in;
	enum afsx_ftype type;
	const char *target;
	struct afsx_callback *cb;
	struct afsx_fid *fid;
	struct afsx_status *status;
	struct afsx_status *dir_status;
};

static s32 make_vnode(struct fs_change *c, const void *args, void *reply)
{
	const struct birth *b = args;
	struct store_attr attr = attr_of_new(b->in);
	u32 right = AFSX_ACE_INSERT;
	struct fs_vnode dir;
	s32 code;
	int err;

	(void)reply;
	code = open_dir(c, b->dir, right, &dir);
	if (!code && b->target && !(attr.mode & MODE_EXEC))
		code = fs_may_change_dir(&dir, AFSX_ACE_ADMINISTER);
	if (code)
		return code;
	err = store_create(c->tx, b->dir, b->name->p, b->name->len, b->type,
			   &attr, b->target, b->fid);
	if (err)
		return fs_name_abort(err);
	/* nobody can change it before the transaction ends */
	if (b->cb)
		*b->cb = callbacks_try_grant(c->call->d->callbacks,
					     c->call->host, b->fid);
	code = fs_change_status(c, b->fid, b->status);
	return code ? code : close_dir(c, b->dir, b->dir_status);
}

static s32 create(struct svc_call *call, const struct birth *b)
{
	s32 code = check_new_name(b->name);

	return code ? code : fs_change(call, b->dir->vid, make_vnode, b, NULL);
}

static s32 create_promised(struct svc_call *call,
			   const struct afsx_create_args *a,
			   enum afsx_ftype type, struct afsx_lookup_reply *r)
{
	struct birth b = {
		.dir = &a->dir, .name = &a->name, .in = &a->in, .type = type,
		.cb = &r->cb, .fid = &r->fid, .status = &r->status,
		.dir_status = &r->dir_status,
	};
	s32 code = create(call, &b);

	r->sync = fs_sync(call);
	return code;
}

/** fs_create_file() - CreateFile; tells its owner so by an additional right */
s32 fs_create_file(struct svc_call *call, const void *args, void *reply)
{
	struct afsx_lookup_reply *r = reply;
	s32 code = create_promised(call, args, AFSX_FTYPE_FILE, r);

	r->status.caller_access |= AFSX_ACE_ADMINISTER;
	return code;
}

/** fs_make_dir() - MakeDir; the store lets it have its parent's access list */
s32 fs_make_dir(struct svc_call *call, const void *args, void *reply)
{
	return create_promised(call, args, AFSX_FTYPE_DIR, reply);
}

/** fs_symlink() - Symlink; a mount point takes the right to administer */
s32 fs_symlink(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_symlink_args *a = args;
	struct afsx_symlink_reply *r = reply;
	char target[AFSX_XDR_PATH_MAX + 1];
	struct birth b = {
		.dir = &a->dir, .name = &a->name, .in = &a->in,
		.type = AFSX_FTYPE_SYMLINK, .target = target, .fid = &r->fid,
		.status = &r->status, .dir_status = &r->dir_status,
	};
	s32 code;

	memcpy(target, a->target.p, a->target.len);
	target[a->target.len] = '\0';
	code = create(call, &b);
	r->sync = fs_sync(call);
	return code;
}

static s32 check_link(struct fs_change *c, const struct afsx_link_args *a)
{
	struct fs_vnode dir, v;
	s32 code;

	code = open_dir(c, &a->dir, AFSX_ACE_INSERT, &dir);
	if (!code)
		code = fs_tx_vnode(c->tx, &a->fid, &v);
	if (code)
		return code;
	if (v.st.type != AFSX_FTYPE_FILE)
		return afsx_errno_to_abort(-EISDIR);
	/* a file is under one access list: that of its one directory */
	if (v.st.parent_vnode != a->dir.vnode)
		return afsx_errno_to_abort(-EXDEV);
	return 0;
}

static s32 add_link(struct fs_change *c, const void *args, void *reply)
{
	const struct afsx_link_args *a = args;
	struct afsx_link_reply *r = reply;
	s32 code = check_link(c, a);
	int err;

	if (code)
		return code;
	err = store_link(c->tx, &a->dir, a->name.p, a->name.len, &a->fid);
	if (err)
		return fs_name_abort(err);
	code = close_dir(c, &a->fid, &r->status);
	return code ? code : close_dir(c, &a->dir, &r->dir_status);
}

/** fs_link() - Link: another name in the same directory */
s32 fs_link(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_link_args *a = args;
	struct afsx_link_reply *r = reply;
	s32 code = check_new_name(&a->name);

	if (!code && a->dir.vid != a->fid.vid)
		code = afsx_errno_to_abort(-EXDEV);
	if (!code)
		code = fs_change(call, a->dir.vid, add_link, a, r);
	r->sync = fs_sync(call);
	return code;
}

/*
 * A name that led to @fid is gone.  If it was the last, the caller knows all
 * there is to know of it; if not, it must hear that there is one less.
 */
static bool is_gone(struct fs_change *c, const struct afsx_fid *fid)
{
	struct store_status st;

	if (store_tx_getattr(c->tx, fid, &st) != -ENOENT)
		return false;
	fs_change_known(c, fid);
	return true;
}

/* What was removed for good, and what it occupied, is nobody's any more. */
static void forget(struct svc_call *call, const struct afsx_fid *fid)
{
	callbacks_give_up(call->d->callbacks, call->host, fid);
	atomic_store(&call->d->leftovers, true);
}

/* What is to be removed, and, with the last name, what was. */
struct removal {
	bool want_dir;
	struct afsx_fid gone;
	struct afsx_status *status;
};

static s32 drop_name(struct fs_change *c, const void *args, void *reply)
{
	const struct afsx_lookup_args *a = args;
	struct removal *rm = reply;
	struct fs_vnode dir;
	struct afsx_fid fid;
	int err;
	s32 code = open_dir(c, &a->dir, AFSX_ACE_DELETE, &dir);

	if (code)
		return code;
	err = store_unlink(c->tx, &a->dir, a->name.p, a->name.len,
			   rm->want_dir, &fid);
	if (err)
		return fs_name_abort(err);
	if (is_gone(c, &fid))
		rm->gone = fid;
	return close_dir(c, &a->dir, rm->status);
}

static s32 remove_name(struct svc_call *call, const struct afsx_lookup_args *a,
		       bool want_dir, struct afsx_store_reply *r)
{
	struct removal rm = { .want_dir = want_dir, .status = &r->status };
	s32 code = fs_change(call, a->dir.vid, drop_name, a, &rm);

	if (!code && rm.gone.vnode)
		forget(call, &rm.gone);
	r->sync = fs_sync(call);
	return code;
}

/** fs_remove_file() - RemoveFile: of a file, a link or a mount point */
s32 fs_remove_file(struct svc_call *call, const void *args, void *reply)
{
	return remove_name(call, args, false, reply);
}

/** fs_remove_dir() - RemoveDir: of an empty directory */
s32 fs_remove_dir(struct svc_call *call, const void *args, void *reply)
{
	return remove_name(call, args, true, reply);
}

/* The vnode that is moved, what it replaces (vnode 0: nothing), and where to tell of it. */
struct move {
	struct afsx_fid fid;
	struct afsx_fid old;
	bool dir;
	struct afsx_rename_reply *r;
};

static s32 find_moved(struct fs_change *c, const struct afsx_rename_args *a,
		      struct move *m)
{
	struct store_status st;
	int err;

	err = store_tx_lookup(c->tx, &a->from_dir, a->from.p, a->from.len,
			      &m->fid);
	if (err)
		return fs_name_abort(err);
	err = store_tx_getattr(c->tx, &m->fid, &st);
	if (err)
		return fs_abort(err);
	m->dir = st.type == AFSX_FTYPE_DIR;
	/* a file with several names is under one access list, as with Link */
	if (!m->dir && st.nlink > 1 && !afsx_fid_eq(&a->from_dir, &a->to_dir))
		return afsx_errno_to_abort(-EXDEV);
	return 0;
}

static s32 check_move(struct fs_change *c, const struct afsx_rename_args *a,
		      struct move *m)
{
	struct fs_vnode from, to;
	s32 code;
	int err;

	code = open_dir(c, &a->from_dir, AFSX_ACE_DELETE, &from);
	if (!code)
		code = open_dir(c, &a->to_dir, AFSX_ACE_INSERT, &to);
	if (!code)
		code = find_moved(c, a, m);
	if (code)
		return code;
	err = store_tx_lookup(c->tx, &a->to_dir, a->to.p, a->to.len, &m->old);
	if (err == -ENOENT) {
		m->old.vnode = 0;
		return 0;
	}
	return err ? fs_name_abort(err) :
		     fs_may_change_dir(&to, AFSX_ACE_DELETE);
}

static s32 move_name(struct fs_change *c, const void *args, void *reply)
{
	const struct afsx_rename_args *a = args;
	struct move *m = reply;
	s32 code = check_move(c, a, m);
	int err;

	if (code)
		return code;
	err = store_rename(c->tx, &a->from_dir, a->from.p, a->from.len,
			   &a->to_dir, a->to.p, a->to.len);
	if (err)
		return fs_name_abort(err);
	/* a directory that has a new parent has new contents: the caller hears */
	if (!m->dir)
		fs_change_known(c, &m->fid);
	if (m->old.vnode && !is_gone(c, &m->old))
		m->old.vnode = 0;
	code = close_dir(c, &a->from_dir, &m->r->from_dir);
	return code ? code : close_dir(c, &a->to_dir, &m->r->to_dir);
}

/** fs_rename() - Rename, also over what has the name already */
s32 fs_rename(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_rename_args *a = args;
	struct afsx_rename_reply *r = reply;
	struct move m = { .r = r };
	s32 code = check_new_name(&a->to);

	if (!code && a->from_dir.vid != a->to_dir.vid)
		code = afsx_errno_to_abort(-EXDEV);
	if (!code)
		code = fs_change(call, a->from_dir.vid, move_name, a, &m);
	if (!code && m.old.vnode)
		forget(call, &m.old);
	r->sync = fs_sync(call);
	return code;
}
