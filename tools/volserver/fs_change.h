/* SPDX-License-Identifier: MIT */
/*
 * A call of the file service that changes something: one transaction, and what
 * its caller knows of the change without being told.
 */
#ifndef AFSXD_FS_CHANGE_H
#define AFSXD_FS_CHANGE_H

#include "callback.h"
#include "fs_access.h"

struct fs_change;

/*
 * What a call does within its transaction.
 *
 * It has the call's arguments, and its reply or what becomes of it. It may run in the
 * thread of another call, and may make no call to a client. Return: 0, or an abort code,
 * for which the transaction is undone.
 */
typedef s32 (*fs_change_fn)(struct fs_change *c, const void *args, void *reply);

/**
 * struct fs_change - a change in progress
 * @call: the call
 * @vid: volume that shall change
 * @fn: what is done
 * @args: for @fn
 * @reply: likewise
 * @code: its result
 * @tx: its transaction
 * @origin: the caller, and the vnodes whose new status the reply says
 */
struct fs_change {
	struct svc_call *call;
	u32 vid;
	fs_change_fn fn;
	const void *args;
	void *reply;
	s32 code;
	struct store_tx *tx;
	struct callbacks_origin origin;
};

s32 fs_change(struct svc_call *call, u32 vid, fs_change_fn fn, const void *args,
	      void *reply);
void fs_change_known(struct fs_change *c, const struct afsx_fid *fid);
s32 fs_change_status(struct fs_change *c, const struct afsx_fid *fid,
		     struct afsx_status *status);
s32 fs_change_sign(struct fs_change *c, const struct afsx_fid *fid);

#endif /* AFSXD_FS_CHANGE_H */
