// SPDX-License-Identifier: MIT
#include <errno.h>

#include "afsxd.h"
#include "fs_change.h"

/*
 * The volume is read within the transaction: outside, that would wait until all is durable
 * that others have just changed, and changes could not share a write of the log.
 */
static bool run(struct store_tx *tx, void *ctx)
{
	struct fs_change *c = ctx;
	int err = store_tx_vol_get(tx, c->vid, &c->call->vol);

	c->tx = tx;
	c->code = err ? fs_abort(err) : fs_check_rw(c->call);
	if (!c->code) {
		store_set_origin(tx, &c->origin);
		c->code = c->fn(c, c->args, c->reply);
	}
	return !c->code;
}

/**
 * fs_change() - change a volume, and break the promises to others
 * @call: the call
 * @vid: the volume; the call knows it afterwards
 * @fn: makes the change
 * @args: for @fn
 * @reply: for @fn
 *
 * Return: 0, @fn's abort code, or why the transaction could not be made, or why it is not
 * sure that there still is what it was refused for.
 */
s32 fs_change(struct svc_call *call, u32 vid, fs_change_fn fn, const void *args,
	      void *reply)
{
	struct fs_change c = {
		.call = call, .vid = vid, .fn = fn, .args = args, .reply = reply,
		.origin.host = call->host,
	};
	int err = store_change(call->d->store, run, &c);

	return err ? fs_abort(err) : c.code;
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
