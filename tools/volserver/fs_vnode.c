// SPDX-License-Identifier: MIT
/*
 * The file service: status, data, names and access lists of vnodes.
 *
 * Whatever a call says about a vnode it promises to keep current, and it makes
 * the promise before it looks (see callbacks_grant()).
 */
#include <stdio.h>
#include <stdlib.h>

#include "acl.h"
#include "afsxd.h"
#include "callback.h"
#include "cleanup.h"
#include "fs_access.h"
#include "fs_vnode.h"
#include "rx_server.h"
#include "stats.h"

/* File data is read and sent in pieces of this size. */
#define FETCH_CHUNK	(256 * 1024u)

/*
 * Find the volume of @fid and promise the vnode; @cb may be NULL. A clone may be renewed
 * meanwhile: what is said of it must be of the time after the promise.
 */
static s32 enter(struct svc_call *call, const struct afsx_fid *fid,
		 struct afsx_callback *cb)
{
	s32 code = fs_find_volume(call, fid->vid);

	if (!code)
		code = fs_check_fid(fid);
	if (code || !cb)
		return code;
	*cb = fs_promise(call, fid);
	return call->vol.type == AFSX_VOL_RW ? 0 :
	       fs_find_volume(call, fid->vid);
}

/* Look at the vnode of enter(). One that is not there will not change. */
static s32 look(struct svc_call *call, const struct afsx_fid *fid,
		struct fs_vnode *v, const struct afsx_callback *cb)
{
	s32 code = fs_get_vnode(call, fid, v);

	if (code == AFSX_VNOVNODE && cb)
		callbacks_give_up(call->d->callbacks, call->host, fid);
	return code;
}

static s32 get_status(struct svc_call *call, const struct afsx_fid *fid,
		      struct afsx_status *status, struct afsx_callback *cb)
{
	struct fs_vnode v;
	s32 code = enter(call, fid, cb);

	if (!code)
		code = look(call, fid, &v, cb);
	if (!code)
		code = fs_may_fetch(&v, false);
	if (!code)
		*status = fs_status(call, &v);
	return code;
}

/** fs_fetch_status() - FetchStatus */
s32 fs_fetch_status(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_fetch_status_args *a = args;
	struct afsx_status_reply *r = reply;
	s32 code = get_status(call, &a->fid, &r->status, &r->cb);

	r->sync = fs_sync(call);
	return code;
}

static s32 send_length(struct svc_call *call, u64 len)
{
	u8 word[8];

	put_unaligned_be32(len >> 32, word);
	put_unaligned_be32(len, word + 4);
	if (call->rpc->flags & AFSX_RPC_LEN64)
		return rxs_write(call->rx, word, sizeof(word));
	return rxs_write(call->rx, word + 4, sizeof(word) - 4);
}

/*
 * Send the @left bytes from @pos on, the first @have of which are in @buf.
 * A write that comes between the pieces would tear the file: the client is
 * told to ask again.
 */
static s32 send_data(struct svc_call *call, const struct afsx_fid *fid, u64 pos,
		     u64 left, u8 *buf, size_t have, struct store_status *st)
{
	u64 dv = st->dv;
	ssize_t n = have;

	if (send_length(call, left))
		return AFSX_RX_CALL_DEAD;
	while (left) {
		if (rxs_write(call->rx, buf, n))
			return AFSX_RX_CALL_DEAD;
		pos += n;
		left -= n;
		if (!left)
			break;
		n = store_read(call->d->store, fid, pos, buf,
			       min(left, FETCH_CHUNK), st);
		if (n < 0)
			return fs_abort(n);
		if (!n || st->dv != dv)
			return AFSX_VBUSY;
	}
	return 0;
}

/** fs_fetch_data() - FetchData and FetchData64 */
s32 fs_fetch_data(struct svc_call *call, const void *args, void *reply)
{
	u8 *buf CLEANUP_FREE = NULL;
	const struct afsx_fetch_data_args *a = args;
	size_t chunk = min(a->len, FETCH_CHUNK);
	struct afsx_status_reply *r = reply;
	struct fs_vnode v;
	ssize_t n;
	s32 code;
	u64 left;

	code = enter(call, &a->fid, &r->cb);
	if (!code)
		code = look(call, &a->fid, &v, &r->cb);
	if (!code)
		code = fs_may_fetch(&v, true);
	if (code)
		return code;
	buf = malloc(chunk + 1);
	if (!buf)
		return afsx_errno_to_abort(-ENOMEM);
	n = store_read(call->d->store, &a->fid, a->pos, buf, chunk, &v.st);
	if (n < 0)
		return fs_abort(n);
	left = a->pos < v.st.size ? min(a->len, v.st.size - a->pos) : 0;
	code = send_data(call, &a->fid, a->pos, left, buf, n, &v.st);
	if (!code)
		stats_fetched(call->d->stats, left);
	r->status = fs_status(call, &v);
	r->sync = fs_sync(call);
	return code;
}

/** fs_fetch_acl() - FetchACL: of the directory itself, or of a file's */
s32 fs_fetch_acl(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_fetch_status_args *a = args;
	struct afsx_acl_reply *r = reply;
	struct store_status st;
	ssize_t len;
	s32 code;

	code = get_status(call, &a->fid, &r->status, NULL);
	if (code)
		return code;
	/* the last byte is for a NUL, which clients are used to find there */
	len = store_getattr_acl(call->d->store, &a->fid, &st, call->text,
				sizeof(call->text) - 1);
	if (len < 0)
		return fs_abort((int)len);
	if (!len)
		len = snprintf(call->text, sizeof(call->text), ACL_DEFAULT);
	call->text[len] = '\0';
	r->acl = (struct afsx_str){ .p = call->text, .len = len + 1 };
	r->sync = fs_sync(call);
	return 0;
}

/** fs_bulk_status() - BulkStatus: all the statuses or none */
s32 fs_bulk_status(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_bulk_status_args *a = args;
	struct afsx_bulk_status_reply *r = reply;
	s32 code;
	u32 i;

	if (!a->nr)
		return afsx_errno_to_abort(-EINVAL);
	for (i = 0; i < a->nr; i++) {
		code = get_status(call, &a->fid[i], &r->status[i], &r->cb[i]);
		if (code)
			return code;
	}
	r->nr = a->nr;
	r->nr_cb = a->nr;
	r->sync = fs_sync(call);
	return 0;
}

/** fs_inline_bulk_status() - InlineBulkStatus: a status or a code for each */
s32 fs_inline_bulk_status(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_bulk_status_args *a = args;
	struct afsx_bulk_status_reply *r = reply;
	u32 i;

	if (!a->nr)
		return afsx_errno_to_abort(-EINVAL);
	for (i = 0; i < a->nr; i++) {
		s32 code = get_status(call, &a->fid[i], &r->status[i],
				      &r->cb[i]);

		if (!code)
			continue;
		r->status[i] = (struct afsx_status){
			.if_version = AFSX_STATUS_VERSION,
			.abort_code = code,
		};
		r->cb[i] = fs_no_promise();
	}
	r->nr = a->nr;
	r->nr_cb = a->nr;
	r->sync = fs_sync(call);
	return 0;
}

/** fs_lookup() - Lookup: a name in a directory */
s32 fs_lookup(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_lookup_args *a = args;
	struct afsx_lookup_reply *r = reply;
	int err;
	s32 code;

	code = get_status(call, &a->dir, &r->dir_status, NULL);
	if (code)
		return code;
	err = store_lookup(call->d->store, &a->dir, a->name.p, a->name.len,
			   &r->fid);
	if (err)
		return fs_name_abort(err);
	r->sync = fs_sync(call);
	return get_status(call, &r->fid, &r->status, &r->cb);
}
