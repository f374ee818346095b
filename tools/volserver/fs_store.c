// SPDX-License-Identifier: MIT
/*
 * The file service: data, status and access lists are stored.
 *
 * The bytes of StoreData are on the device before the transaction begins, so
 * that a client can take its time for them; they become the file's all at once.
 */
#include <errno.h>
#include <stdlib.h>

#include "acl.h"
#include "afsxd.h"
#include "cleanup.h"
#include "fs_change.h"
#include "fs_store.h"
#include "rx_server.h"
#include "stats.h"

/* Bytes taken from the connection at a time. */
#define STORE_CHUNK	(256 * 1024u)

#define MODE_SET_UID	04000

/* Length of a file after a StoreData that finds it @size bytes long. */
static u64 new_size(const struct afsx_store_data_args *a, u64 size)
{
	u64 kept = min(a->file_len, size);

	return max(kept, a->pos + a->len);
}

/* KiB by which a StoreData makes a file larger, holes not counted */
static u64 growth_kib(const struct afsx_store_data_args *a, u64 size)
{
	u64 then = new_size(a, size);

	return then > size ? min(then - size, a->len) / 1024 : 0;
}

/*
 * Whether it is worth while to take the data: rights, and the quota as far as
 * the new length tells.  The transaction looks again.
 */
static s32 check_store_data(struct svc_call *call,
			    const struct afsx_store_data_args *a)
{
	struct fs_vnode v;
	s32 code;

	if (a->pos > S64_MAX || a->len > S64_MAX - a->pos)
		return afsx_errno_to_abort(-EFBIG);
	code = fs_check_fid(&a->fid);
	/* what readers see they wait for, until it is durable; a little data is soon here */
	if (code || a->len <= STORE_CHUNK)
		return code;
	code = fs_find_rw(call, a->fid.vid);
	if (!code)
		code = fs_get_vnode(call, &a->fid, &v);
	if (!code)
		code = fs_may_store_data(&v, &a->in);
	if (code || !call->vol.quota_kib)
		return code;
	return call->vol.used_kib + growth_kib(a, v.st.size) >
	       call->vol.quota_kib ? AFSX_VOVERQUOTA : 0;
}

/* Take the data the client sends, which must be just what it announced. */
static s32 receive(struct svc_call *call, const struct afsx_store_data_args *a,
		   struct store_ingest *in)
{
	u8 *buf CLEANUP_FREE = malloc(STORE_CHUNK);
	u64 left = a->len;
	int err = 0;

	if (!buf)
		return fs_abort(-ENOMEM);
	while (!err && left) {
		size_t part = min(left, STORE_CHUNK);

		if (rxs_read(call->rx, buf, part) != part)
			return AFSX_RXGEN_SS_UNMARSHAL;
		err = store_ingest_add(in, buf, part);
		left -= part;
	}
	if (!err && rxs_read(call->rx, buf, 1))
		return AFSX_RXGEN_SS_UNMARSHAL;
	if (!err)
		err = store_ingest_end(in, a->pos + a->len >= a->file_len);
	return err ? fs_abort(err) : 0;
}

/* What shall be set of a vnode besides its data. */
static struct store_attr attr_of(const struct afsx_store_status *in)
{
	struct store_attr attr = { .mask = 0 };

	if (in->mask & AFSX_SET_MTIME) {
		attr.mask |= STORE_SET_MTIME;
		attr.mtime = in->mtime;
	}
	if (in->mask & AFSX_SET_MODE) {
		attr.mask |= STORE_SET_MODE;
		attr.mode = fs_mode_given(in->mode);
	}
	return attr;
}

/*
 * Cut the file to the length announced, then write.  Without data, a position
 * behind the end is what makes the file longer.
 */
static int write_data(struct fs_change *c, const struct afsx_store_data_args *a,
		      u64 size, struct store_ingest *in)
{
	struct store_attr attr = {
		.mask = STORE_SET_SIZE, .size = min(a->file_len, size),
	};
	int err = 0;

	if (!a->len)
		attr.size = max(attr.size, a->pos);
	if (attr.size < size)
		atomic_store(&c->call->d->leftovers, true);
	if (attr.size != size)
		err = store_setattr(c->tx, &a->fid, &attr);
	return err ? err : store_write_ingest(c->tx, &a->fid, in);
}

/* What becomes of data that was taken from a client. */
struct arrived {
	struct store_ingest *in;
	struct afsx_status *status;
};

static s32 store_data(struct fs_change *c, const void *args, void *reply)
{
	const struct afsx_store_data_args *a = args;
	struct arrived *data = reply;
	struct store_attr attr = attr_of(&a->in);
	struct fs_vnode v;
	s32 code;
	int err;

	code = fs_tx_vnode(c->tx, &a->fid, &v);
	if (!code)
		code = fs_may_store_data(&v, &a->in);
	if (code)
		return code;
	if (!(attr.mask & STORE_SET_MODE)) {
		attr.mask |= STORE_SET_MODE;
		attr.mode = v.st.mode & ~MODE_SET_UID;
	}
	attr.mask |= STORE_SET_AUTHOR;
	attr.author = AFSX_ANONYMOUS_ID;
	err = write_data(c, a, v.st.size, data->in);
	if (!err)
		err = store_setattr(c->tx, &a->fid, &attr);
	return err ? fs_abort(err) : fs_change_status(c, &a->fid, data->status);
}

/** fs_store_data() - StoreData and StoreData64 */
s32 fs_store_data(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_store_data_args *a = args;
	struct afsx_store_reply *r = reply;
	struct arrived data = { .status = &r->status };
	s32 code;

	code = check_store_data(call, a);
	if (code)
		return code;
	code = fs_abort(store_ingest_begin(call->d->store, a->pos,
					   &data.in));
	if (!code)
		code = receive(call, a, data.in);
	if (!code)
		code = fs_abort(store_settle(call->d->store, &a->fid,
					     a->pos + a->len));
	if (!code)
		code = fs_change(call, a->fid.vid, store_data, a, &data);
	if (!code)
		stats_stored(call->d->stats, a->len);
	store_ingest_free(data.in);
	r->sync = fs_sync(call);
	return code;
}

static s32 store_status(struct fs_change *c, const void *args, void *reply)
{
	const struct afsx_store_status_args *a = args;
	struct afsx_store_reply *r = reply;
	struct store_attr attr = attr_of(&a->in);
	struct fs_vnode v;
	s32 code;
	int err;

	code = fs_tx_vnode(c->tx, &a->fid, &v);
	if (!code)
		code = fs_may_store_status(&v, &a->in);
	if (code)
		return code;
	err = store_setattr(c->tx, &a->fid, &attr);
	return err ? fs_abort(err) : fs_change_status(c, &a->fid, &r->status);
}

/** fs_store_status() - StoreStatus: mode and modification time */
s32 fs_store_status(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_store_status_args *a = args;
	struct afsx_store_reply *r = reply;
	s32 code = fs_change(call, a->fid.vid, store_status, a, r);

	r->sync = fs_sync(call);
	return code;
}

/* An access list as it is stored. */
struct acl_text {
	const struct afsx_fid *fid;
	char text[STORE_ACL_MAX];
	size_t len;
};

static s32 store_acl(struct fs_change *c, const void *args, void *reply)
{
	const struct acl_text *a = args;
	struct afsx_store_reply *r = reply;
	struct fs_vnode dir;
	s32 code;
	int err;

	code = fs_tx_vnode(c->tx, a->fid, &dir);
	if (!code)
		code = fs_may_change_dir(&dir, AFSX_ACE_ADMINISTER);
	if (code)
		return code;
	err = store_acl_set(c->tx, a->fid, a->text, a->len);
	return err ? fs_abort(err) : fs_change_status(c, a->fid, &r->status);
}

/** fs_store_acl() - StoreACL, by either opcode: the list of a directory */
s32 fs_store_acl(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_store_acl_args *a = args;
	struct afsx_store_reply *r = reply;
	struct acl_text new = { .fid = &a->fid };
	struct acl acl;
	ssize_t len;
	s32 code;

	len = acl_parse(a->acl.p, a->acl.len, &acl);
	if (!len)
		len = acl_format(&acl, new.text, sizeof(new.text));
	if (len < 0)
		return afsx_errno_to_abort((int)len);
	new.len = (size_t)len;
	code = fs_change(call, a->fid.vid, store_acl, &new, r);
	r->sync = fs_sync(call);
	return code;
}
