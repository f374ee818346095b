// SPDX-License-Identifier: MIT
#include <errno.h>

#include "afsxd.h"
#include "fs_change.h"

/**
 * fs_change_begin() - find the volume and start the transaction
 * @c: the change
 * @call: the call
 * @vid: volume that shall change
 *
 * No call to a client may be made until fs_change_end().  The volume is read
 * within the transaction: outside, that would wait until all is durable that
 * others have just changed, and changes could not share a write of the log.
 *
 * Return: 0, after which fs_change_end() must follow, or an abort code.
 */
s32 fs_change_begin(struct fs_change *c, struct svc_call *call, u32 vid)
{
	s32 code;
	int err;

	*c = (struct fs_change){ .call = call, .origin.host = call->host };
	err = store_begin(call->d->store, &c->tx);
	if (err)
		return fs_abort(err);
	err = store_tx_vol_get(c->tx, vid, &call->vol);
	code = err ? fs_abort(err) : fs_check_rw(call);
	if (code)
		return fs_change_end(c, code);
	store_set_origin(c->tx, &c->origin);
	return 0;
}

/**
 * fs_change_end() - commit the transaction, and break the promises to others
 * @c: the change
 * @code: abort code for which the transaction is undone instead, or 0
 *
 * Return: @code, or why the transaction could not be committed, or why it is not
 * sure that there still is what it was refused for.
 */
s32 fs_change_end(struct fs_change *c, s32 code)
{
	int err;

	err = code ? store_refuse(c->tx) : store_commit(c->tx);
	return err ? fs_abort(err) : code;
}

/** fs_change_known() - the caller need not be told that @fid changed */
void fs_change_known(struct fs_change *c, const struct afsx_fid *fid)
{
	c->origin.fid[c->origin.nr++] = *fid;
}

/**
 * fs_change_status() - what the reply says of a vnode after the change
 * @c: the change
 * @fid: vnode, of which the caller need not be told any more
 * @status: result
 */
s32 fs_change_status(struct fs_change *c, const struct afsx_fid *fid,
		     struct afsx_status *status)
{
	struct fs_vnode v;
	s32 code = fs_tx_vnode(c->tx, fid, &v);

	if (code)
		return code;
	fs_change_known(c, fid);
	*status = fs_status(c->call, &v);
	return 0;
}

/** fs_change_sign() - the caller is the last who wrote to @fid */
s32 fs_change_sign(struct fs_change *c, const struct afsx_fid *fid)
{
	struct store_attr attr = {
		.mask = STORE_SET_AUTHOR,
		.author = AFSX_ANONYMOUS_ID,
	};
	int err = store_setattr(c->tx, fid, &attr);

	return err ? fs_abort(err) : 0;
}
