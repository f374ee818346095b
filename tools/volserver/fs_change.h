/* SPDX-License-Identifier: MIT */
/*
 * A call of the file service that changes something: one transaction, and what
 * its caller knows of the change without being told.
 */
#ifndef AFSXD_FS_CHANGE_H
#define AFSXD_FS_CHANGE_H

#include "callback.h"
#include "fs_access.h"

/**
 * struct fs_change - a change in progress
 * @call: the call
 * @tx: its transaction
 * @origin: the caller, and the vnodes whose new status the reply says
 */
struct fs_change {
	struct svc_call *call;
	struct store_tx *tx;
	struct callbacks_origin origin;
};

s32 fs_change_begin(struct fs_change *c, struct svc_call *call, u32 vid);
s32 fs_change_end(struct fs_change *c, s32 code);
void fs_change_known(struct fs_change *c, const struct afsx_fid *fid);
s32 fs_change_status(struct fs_change *c, const struct afsx_fid *fid,
		     struct afsx_status *status);
s32 fs_change_sign(struct fs_change *c, const struct afsx_fid *fid);

#endif /* AFSXD_FS_CHANGE_H */
