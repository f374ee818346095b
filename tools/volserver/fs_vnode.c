// SPDX-License-Identifier: MIT
/*
 * The file service: status, data, names and access lists of vnodes.
 *
 * Whatever a call says about a vnode it promises to keep current, and it makes
 * the promise before it looks (see callbacks_grant()).
 */
#include <stdio.h>
#include <stdlib.h>

#include "afsxd.h"
#include "callback.h"
#include "cleanup.h"
#include "fs_vnode.h"
#include "log.h"
#include "rx_server.h"

/* File data is read and sent in pieces of this size. */
#define FETCH_CHUNK	(256 * 1024u)

/* Everybody may read everything: there are no access lists to judge yet. */
#define FS_ACCESS	(AFSX_ACE_READ | AFSX_ACE_LOOKUP)

/* Access list of a directory that has none: one positive entry, 9 = rl. */
#define FS_DEFAULT_ACL	"1\n0\nsystem:anyuser\t9\n"

static_assert(FS_ACCESS == 9, "FS_DEFAULT_ACL says what FS_ACCESS says");

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
	case -EIO:
	case -EUCLEAN:
		log_error("store failed", LOG_I("error", err));
		return afsx_errno_to_abort(-EIO);
	default:
		return afsx_errno_to_abort(err);
	}
}

/**
 * fs_find_volume() - look up the volume a call is about, into @call->vol
 * @call: the call
 * @vid: volume id
 *
 * Return: 0 or an abort code.
 */
s32 fs_find_volume(struct svc_call *call, u32 vid)
{
	int err = store_vol_get(call->d->store, vid, &call->vol);

	if (err)
		return fs_abort(err);
	return call->vol.online ? 0 : AFSX_VOFFLINE;
}

/* A read/write volume changes vnode by vnode, a clone as a whole. */
static struct afsx_callback promise(struct svc_call *call,
				    const struct afsx_fid *fid)
{
	struct afsx_fid whole = { .vid = fid->vid };

	return callbacks_grant(call->d->callbacks, call->host,
			       call->vol.type == AFSX_VOL_RW ? fid : &whole);
}

static struct afsx_volsync sync_of(const struct svc_call *call)
{
	return (struct afsx_volsync){ .creation = (u32)call->vol.created };
}

static struct afsx_status status_of(const struct store_status *st)
{
	return (struct afsx_status){
		.if_version = AFSX_STATUS_VERSION,
		.size = st->size,
		.data_version = st->dv,
		.type = st->type,
		.nlink = st->nlink,
		.author = st->author,
		.owner = st->owner,
		.group = st->group,
		.caller_access = FS_ACCESS,
		.anon_access = FS_ACCESS,
		.mode = st->mode,
		.parent_vnode = st->parent_vnode,
		.parent_unique = st->parent_unique,
		.mtime_client = st->mtime_client,
		.mtime_server = st->mtime_server,
	};
}

/* Find the volume of @fid and promise the vnode; @cb may be NULL. */
static s32 enter(struct svc_call *call, const struct afsx_fid *fid,
		 struct afsx_callback *cb)
{
	s32 code = fs_find_volume(call, fid->vid);

	if (code)
		return code;
	/* To the store 0 means any uniquifier; clients must know theirs. */
	if (!fid->vnode || !fid->unique)
		return AFSX_VNOVNODE;
	if (cb)
		*cb = promise(call, fid);
	return 0;
}

static s32 get_status(struct svc_call *call, const struct afsx_fid *fid,
		      struct afsx_status *status, struct afsx_callback *cb)
{
	struct store_status st;
	s32 code = enter(call, fid, cb);
	int err;

	if (code)
		return code;
	err = store_getattr(call->d->store, fid, &st);
	if (err)
		return fs_abort(err);
	*status = status_of(&st);
	return 0;
}

/** fs_fetch_status() - FetchStatus */
s32 fs_fetch_status(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_fetch_status_args *a = args;
	struct afsx_status_reply *r = reply;
	s32 code = get_status(call, &a->fid, &r->status, &r->cb);

	r->sync = sync_of(call);
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
	struct store_status st;
	ssize_t n;
	s32 code;
	u64 left;

	code = enter(call, &a->fid, &r->cb);
	if (code)
		return code;
	buf = malloc(chunk + 1);
	if (!buf)
		return afsx_errno_to_abort(-ENOMEM);
	n = store_read(call->d->store, &a->fid, a->pos, buf, chunk, &st);
	if (n < 0)
		return fs_abort(n);
	left = a->pos < st.size ? min(a->len, st.size - a->pos) : 0;
	code = send_data(call, &a->fid, a->pos, left, buf, n, &st);
	r->status = status_of(&st);
	r->sync = sync_of(call);
	return code;
}

/** fs_fetch_acl() - FetchACL: of the directory itself, or of a file's */
s32 fs_fetch_acl(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_fetch_status_args *a = args;
	struct afsx_acl_reply *r = reply;
	struct afsx_fid dir = a->fid;
	ssize_t len;
	s32 code;

	code = get_status(call, &a->fid, &r->status, NULL);
	if (code)
		return code;
	if (r->status.type != AFSX_FTYPE_DIR) {
		dir.vnode = r->status.parent_vnode;
		dir.unique = r->status.parent_unique;
	}
	len = store_acl_get(call->d->store, &dir, call->text,
			    sizeof(call->text));
	if (len < 0)
		return fs_abort(len);
	if (!len)
		len = snprintf(call->text, sizeof(call->text), FS_DEFAULT_ACL);
	r->acl = (struct afsx_str){ .p = call->text, .len = len };
	r->sync = sync_of(call);
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
	r->sync = sync_of(call);
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
		r->cb[i] = (struct afsx_callback){
			.version = AFSX_CALLBACK_VERSION,
			.type = AFSX_CB_DROPPED,
		};
	}
	r->nr = a->nr;
	r->nr_cb = a->nr;
	r->sync = sync_of(call);
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
		return afsx_errno_to_abort(err);
	r->sync = sync_of(call);
	return get_status(call, &r->fid, &r->status, &r->cb);
}
