/* SPDX-License-Identifier: MIT */
/*
 * What the calls of the file service share: the volume and the vnodes they are
 * about, what the caller may do with them, and what it is told of them.
 *
 * Functions that return an s32 return 0 or an abort code.
 */
#ifndef AFSXD_FS_ACCESS_H
#define AFSXD_FS_ACCESS_H

#include <afsx/rpc.h>

#include "dispatch.h"

/**
 * struct fs_vnode - a vnode as the caller has it
 * @st: status
 * @rights: AFSX_ACE_* of the caller, by the access list the vnode is under
 */
struct fs_vnode {
	struct store_status st;
	u32 rights;
};

s32 fs_abort(int err);
s32 fs_name_abort(int err);

s32 fs_find_volume(struct svc_call *call, u32 vid);
s32 fs_find_rw(struct svc_call *call, u32 vid);
s32 fs_check_rw(const struct svc_call *call);
s32 fs_check_fid(const struct afsx_fid *fid);
s32 fs_get_vnode(struct svc_call *call, const struct afsx_fid *fid,
		 struct fs_vnode *v);
s32 fs_tx_vnode(struct store_tx *tx, const struct afsx_fid *fid,
		struct fs_vnode *v);

s32 fs_may_fetch(const struct fs_vnode *v, bool data);
u32 fs_mode_given(u32 mode);
s32 fs_may_store_data(const struct fs_vnode *v,
		      const struct afsx_store_status *in);
s32 fs_may_store_status(const struct fs_vnode *v,
			const struct afsx_store_status *in);
s32 fs_may_change_dir(const struct fs_vnode *v, u32 right);
s32 fs_may_lock(const struct fs_vnode *v, u32 type);

struct afsx_callback fs_promise(struct svc_call *call,
				const struct afsx_fid *fid);
struct afsx_callback fs_no_promise(void);
struct afsx_status fs_status(const struct svc_call *call,
			     const struct fs_vnode *v);
struct afsx_volsync fs_sync(const struct svc_call *call);

#endif /* AFSXD_FS_ACCESS_H */
