// SPDX-License-Identifier: MIT
/*
 * The file service: advisory locks.
 *
 * In a clone, which nobody can change, locks to read are granted to all, and
 * none is kept.
 */
#include <errno.h>

#include "afsxd.h"
#include "callback.h"
#include "fs_access.h"
#include "fs_lock.h"
#include "lock.h"

static s32 find_vnode(struct svc_call *call, const struct afsx_fid *fid,
		      struct fs_vnode *v)
{
	s32 code = fs_find_volume(call, fid->vid);

	if (!code)
		code = fs_check_fid(fid);
	return code ? code : fs_get_vnode(call, fid, v);
}

static s32 set_lock(struct svc_call *call, const struct fs_vnode *v, u32 type)
{
	s32 code;

	if (call->vol.type != AFSX_VOL_RW)
		return type == AFSX_LOCK_READ ? 0 : afsx_errno_to_abort(-EROFS);
	code = fs_may_lock(v, type);
	if (code)
		return code;
	return afsx_errno_to_abort(locks_set(call->d->locks, &v->st.fid, type));
}

/** fs_set_lock() - SetLock */
s32 fs_set_lock(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_set_lock_args *a = args;
	struct afsx_sync_reply *r = reply;
	struct fs_vnode v;
	s32 code;

	if (a->type != AFSX_LOCK_READ && a->type != AFSX_LOCK_WRITE)
		return afsx_errno_to_abort(-EINVAL);
	code = find_vnode(call, &a->fid, &v);
	if (!code)
		code = set_lock(call, &v, a->type);
	r->sync = fs_sync(call);
	return code;
}

/** fs_extend_lock() - ExtendLock */
s32 fs_extend_lock(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_fetch_status_args *a = args;
	struct afsx_sync_reply *r = reply;
	struct fs_vnode v;
	s32 code = find_vnode(call, &a->fid, &v);

	if (!code && call->vol.type == AFSX_VOL_RW)
		code = afsx_errno_to_abort(locks_extend(call->d->locks,
							&a->fid));
	r->sync = fs_sync(call);
	return code;
}

/* Clients that wait for a lock try again when their promise is broken. */
static void tell_waiters(struct svc_call *call, const struct afsx_fid *fid)
{
	struct callbacks_origin origin = {
		.host = call->host, .nr = 1, .fid = { *fid },
	};

	callbacks_break(call->d->callbacks, &origin, fid, 1);
}

/** fs_release_lock() - ReleaseLock */
s32 fs_release_lock(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_fetch_status_args *a = args;
	struct afsx_sync_reply *r = reply;
	struct fs_vnode v;
	s32 code = find_vnode(call, &a->fid, &v);

	if (!code && call->vol.type == AFSX_VOL_RW &&
	    !locks_release(call->d->locks, &a->fid))
		tell_waiters(call, &a->fid);
	r->sync = fs_sync(call);
	return code;
}
