// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "acl.h"
#include "afsxd.h"
#include "callback.h"
#include "fs_access.h"
#include "lock.h"
#include "log.h"

/* Bits of a mode */
#define MODE_READ	0500	/* what lets a file be read: to execute is to read */
#define MODE_WRITE	0200
#define MODE_SET_ID	06000
#define MODE_ANYBODY	0777	/* what it takes no administrator to set */

/**
 * fs_abort() - the abort code of the file service for an error of the store
 * @err: negative errno
 */
s32 fs_abort(int err)
{
	switch (err) {
	case -ENOMEDIUM:
		return AFSX_VNOVOL;
	case -ENOENT:
	case -ESTALE:
		return AFSX_VNOVNODE;
	case -EDQUOT:
		return AFSX_VOVERQUOTA;
	case -ENOSPC:
		return AFSX_VDISKFULL;
	case -EBUSY:
		return AFSX_VBUSY;
	case -EIO:
	case -EUCLEAN:
		log_error("store failed", LOG_I("error", err));
		return afsx_errno_to_abort(-EIO);
	default:
		return afsx_errno_to_abort(err);
	}
}

/** fs_name_abort() - the same when what can be missing is a name */
s32 fs_name_abort(int err)
{
	return err == -ENOENT ? afsx_errno_to_abort(err) : fs_abort(err);
}

/**
 * fs_find_volume() - look up the volume a call is about, into @call->vol
 * @call: the call
 * @vid: volume id
 */
s32 fs_find_volume(struct svc_call *call, u32 vid)
{
	int err = store_vol_get(call->d->store, vid, &call->vol);

	if (err)
		return fs_abort(err);
	return call->vol.online ? 0 : AFSX_VOFFLINE;
}

/** fs_find_rw() - the same for a call that changes something */
s32 fs_find_rw(struct svc_call *call, u32 vid)
{
	s32 code = fs_find_volume(call, vid);

	return code ? code : fs_check_rw(call);
}

/** fs_check_rw() - whether the volume of the call can be changed now */
s32 fs_check_rw(const struct svc_call *call)
{
	if (!call->vol.online)
		return AFSX_VOFFLINE;
	return call->vol.type == AFSX_VOL_RW ? 0 : afsx_errno_to_abort(-EROFS);
}

/** fs_check_fid() - to the store 0 means any uniquifier; clients must know theirs */
s32 fs_check_fid(const struct afsx_fid *fid)
{
	return fid->vnode && fid->unique ? 0 : AFSX_VNOVNODE;
}

/* Rights of the caller by a list of @len bytes, 0 for the default one. */
static u32 rights_by(const char *text, size_t len)
{
	struct acl acl;

	if (!len) {
		text = ACL_DEFAULT;
		len = strlen(ACL_DEFAULT);
	}
	if (acl_parse(text, len, &acl)) {
		log_error("access list is damaged");
		return 0;
	}
	return acl_rights_of_anyone(&acl);
}

/**
 * fs_get_vnode() - status of a vnode, and the caller's rights
 * @call: the call
 * @fid: vnode
 * @v: result
 */
s32 fs_get_vnode(struct svc_call *call, const struct afsx_fid *fid,
		 struct fs_vnode *v)
{
	char acl[STORE_ACL_MAX];
	ssize_t len;

	len = store_getattr_acl(call->d->store, fid, &v->st, acl, sizeof(acl));
	if (len < 0)
		return fs_abort((int)len);
	v->rights = rights_by(acl, (size_t)len);
	return 0;
}

/** fs_tx_vnode() - the same within a transaction */
s32 fs_tx_vnode(struct store_tx *tx, const struct afsx_fid *fid,
		struct fs_vnode *v)
{
	char acl[STORE_ACL_MAX];
	ssize_t len = fs_check_fid(fid) ? -ENOENT :
		      store_tx_getattr_acl(tx, fid, &v->st, acl, sizeof(acl));

	if (len < 0)
		return fs_abort((int)len);
	v->rights = rights_by(acl, (size_t)len);
	return 0;
}

static s32 allow(bool allowed)
{
	return allowed ? 0 : afsx_errno_to_abort(-EACCES);
}

/* Nobody has a name here yet, so what nobody made belongs to every caller. */
static bool is_owner(const struct fs_vnode *v)
{
	return v->st.owner == AFSX_ANONYMOUS_ID;
}

/**
 * fs_may_fetch() - whether the caller may read a vnode
 * @v: vnode
 * @data: its data, not only its status
 *
 * A file needs the right to read, also for its status; others that to look up.
 * The mode keeps a file's data from all but the owner.
 */
s32 fs_may_fetch(const struct fs_vnode *v, bool data)
{
	if (v->st.type != AFSX_FTYPE_FILE)
		return allow(v->rights & AFSX_ACE_LOOKUP);
	if (!(v->rights & AFSX_ACE_READ))
		return allow(false);
	return allow(!data || is_owner(v) || v->st.mode & MODE_READ);
}

static bool changes_owner(const struct fs_vnode *v,
			  const struct afsx_store_status *in)
{
	return (in->mask & AFSX_SET_OWNER && in->owner != v->st.owner) ||
	       (in->mask & AFSX_SET_GROUP && in->group != v->st.group);
}

/* Who made a file may store to it without the right to write. */
static bool may_fill(const struct fs_vnode *v)
{
	return v->st.type == AFSX_FTYPE_FILE && is_owner(v) &&
	       v->rights & AFSX_ACE_INSERT;
}

static s32 check_store(const struct fs_vnode *v,
		       const struct afsx_store_status *in)
{
	if (changes_owner(v, in))
		return afsx_errno_to_abort(-EPERM);
	return allow(may_fill(v) || !(in->mask & AFSX_SET_MODE) ||
		     !(in->mode & MODE_SET_ID));
}

/**
 * fs_mode_given() - the mode that a caller's wish comes to
 * @mode: what was asked for
 *
 * No caller is an administrator here, as OpenAFS has it for these bits: a program
 * that runs as its owner, put here by just anybody, would be believed by clients.
 */
u32 fs_mode_given(u32 mode)
{
	return mode & MODE_ANYBODY;
}

/**
 * fs_may_store_data() - whether the caller may write to a file
 * @v: vnode
 * @in: status to be set with the data
 */
s32 fs_may_store_data(const struct fs_vnode *v,
		      const struct afsx_store_status *in)
{
	s32 code = v->st.type == AFSX_FTYPE_FILE ? check_store(v, in) :
		   afsx_errno_to_abort(-EISDIR);

	if (code)
		return code;
	return allow(may_fill(v) ||
		     (v->rights & AFSX_ACE_WRITE && v->st.mode & MODE_WRITE));
}

/**
 * fs_may_store_status() - whether the caller may change a vnode's status
 * @v: vnode
 * @in: what to set
 *
 * The mode of a link says whether it is a mount point, and stays.
 */
s32 fs_may_store_status(const struct fs_vnode *v,
			const struct afsx_store_status *in)
{
	u32 right = v->st.type == AFSX_FTYPE_DIR ?
		    AFSX_ACE_DELETE | AFSX_ACE_INSERT : AFSX_ACE_WRITE;
	s32 code = check_store(v, in);

	if (!code)
		code = allow(may_fill(v) || v->rights & right);
	if (!code && v->st.type == AFSX_FTYPE_SYMLINK &&
	    in->mask & AFSX_SET_MODE)
		code = afsx_errno_to_abort(-EINVAL);
	return code;
}

/**
 * fs_may_change_dir() - whether the caller may change a directory
 * @v: vnode
 * @right: AFSX_ACE_* it takes
 */
s32 fs_may_change_dir(const struct fs_vnode *v, u32 right)
{
	if (v->st.type != AFSX_FTYPE_DIR)
		return afsx_errno_to_abort(-ENOTDIR);
	return allow(v->rights & right);
}

/**
 * fs_may_lock() - whether the caller may lock a vnode
 * @v: vnode
 * @type: AFSX_LOCK_READ or AFSX_LOCK_WRITE
 */
s32 fs_may_lock(const struct fs_vnode *v, u32 type)
{
	u32 right = type == AFSX_LOCK_READ ? AFSX_ACE_LOCK | AFSX_ACE_WRITE :
					     AFSX_ACE_WRITE;

	return allow(v->rights & right ||
		     (is_owner(v) && v->rights & AFSX_ACE_INSERT));
}

/**
 * fs_promise() - promise the caller to tell it of a change
 * @call: the call, whose volume is known
 * @fid: vnode
 *
 * A read/write volume changes vnode by vnode, a clone as a whole.
 */
struct afsx_callback fs_promise(struct svc_call *call,
				const struct afsx_fid *fid)
{
	struct afsx_fid whole = { .vid = fid->vid };

	return callbacks_grant(call->d->callbacks, call->host,
			       call->vol.type == AFSX_VOL_RW ? fid : &whole);
}

/** fs_no_promise() - what is sent instead of a promise */
struct afsx_callback fs_no_promise(void)
{
	return (struct afsx_callback){
		.version = AFSX_CALLBACK_VERSION,
		.type = AFSX_CB_DROPPED,
	};
}

/** fs_status() - what the caller is told of a vnode */
struct afsx_status fs_status(const struct svc_call *call,
			     const struct fs_vnode *v)
{
	const struct store_status *st = &v->st;

	return (struct afsx_status){
		.if_version = AFSX_STATUS_VERSION,
		.size = st->size,
		.data_version = st->dv,
		.type = st->type,
		.nlink = st->nlink,
		.author = st->author,
		.owner = st->owner,
		.group = st->group,
		.caller_access = v->rights,
		.anon_access = v->rights,
		.mode = st->mode,
		.parent_vnode = st->parent_vnode,
		.parent_unique = st->parent_unique,
		.lock_count = locks_count(call->d->locks, &st->fid),
		.mtime_client = st->mtime_client,
		.mtime_server = st->mtime_server,
	};
}

/** fs_sync() - what the caller is told of the volume */
struct afsx_volsync fs_sync(const struct svc_call *call)
{
	return (struct afsx_volsync){ .creation = (u32)call->vol.created };
}
