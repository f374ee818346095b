// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Messages of the file server (afsint.xg), and of GiveUpCallBacks and
 * GetCapabilities, which other services share.
 */
#include "rpc_codec.h"

bool afsx_enc_fid_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_fetch_status_args *a = msg;

	return afsx_enc_fid(e, &a->fid);
}

bool afsx_dec_fid_args(struct afsx_dec *d, void *msg)
{
	struct afsx_fetch_status_args *a = msg;

	return afsx_dec_fid(d, &a->fid);
}

/* A position or length in the 32-bit FetchData, where it is signed. */
static bool enc_off32(struct afsx_enc *e, u64 v)
{
	if (v > S32_MAX) {
		e->err = -EINVAL;
		return false;
	}
	return afsx_enc_u32(e, (u32)v);
}

static bool dec_off32(struct afsx_dec *d, u64 *v)
{
	u32 word;

	if (!afsx_dec_u32(d, &word))
		return false;
	*v = word;
	return word <= S32_MAX;
}

bool afsx_enc_fetch_data_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_fetch_data_args *a = msg;

	return afsx_enc_fid(e, &a->fid) && enc_off32(e, a->pos) && enc_off32(e, a->len);
}

bool afsx_dec_fetch_data_args(struct afsx_dec *d, void *msg)
{
	struct afsx_fetch_data_args *a = msg;

	return afsx_dec_fid(d, &a->fid) && dec_off32(d, &a->pos) && dec_off32(d, &a->len);
}

static bool enc_off64(struct afsx_enc *e, u64 v)
{
	if (v > S64_MAX) {
		e->err = -EINVAL;
		return false;
	}
	return afsx_enc_u64(e, v);
}

static bool dec_off64(struct afsx_dec *d, u64 *v)
{
	return afsx_dec_u64(d, v) && *v <= S64_MAX;
}

bool afsx_enc_fetch_data64_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_fetch_data_args *a = msg;

	return afsx_enc_fid(e, &a->fid) && enc_off64(e, a->pos) && enc_off64(e, a->len);
}

bool afsx_dec_fetch_data64_args(struct afsx_dec *d, void *msg)
{
	struct afsx_fetch_data_args *a = msg;

	return afsx_dec_fid(d, &a->fid) && dec_off64(d, &a->pos) && dec_off64(d, &a->len);
}

bool afsx_enc_status_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_status_reply *r = msg;

	return afsx_enc_status(e, &r->status) && afsx_enc_callback(e, &r->cb) &&
	       afsx_enc_volsync(e, &r->sync);
}

bool afsx_dec_status_reply(struct afsx_dec *d, void *msg)
{
	struct afsx_status_reply *r = msg;

	return afsx_dec_status(d, &r->status) && afsx_dec_callback(d, &r->cb) &&
	       afsx_dec_volsync(d, &r->sync);
}

bool afsx_enc_acl_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_acl_reply *r = msg;

	return afsx_enc_opaque(e, &r->acl, AFSX_OPAQUE_MAX) && afsx_enc_status(e, &r->status) &&
	       afsx_enc_volsync(e, &r->sync);
}

bool afsx_dec_acl_reply(struct afsx_dec *d, void *msg)
{
	struct afsx_acl_reply *r = msg;

	return afsx_dec_opaque(d, &r->acl, AFSX_OPAQUE_MAX) && afsx_dec_status(d, &r->status) &&
	       afsx_dec_volsync(d, &r->sync);
}

static bool enc_fids(struct afsx_enc *e, u32 nr, const struct afsx_fid *fid)
{
	if (!afsx_enc_count(e, nr, AFSX_BULK_MAX))
		return false;
	for (u32 i = 0; i < nr; i++)
		if (!afsx_enc_fid(e, &fid[i]))
			return false;
	return true;
}

static bool dec_fids(struct afsx_dec *d, u32 *nr, struct afsx_fid *fid)
{
	if (!afsx_dec_count(d, nr, AFSX_BULK_MAX))
		return false;
	for (u32 i = 0; i < *nr; i++)
		if (!afsx_dec_fid(d, &fid[i]))
			return false;
	return true;
}

/* Promises go with an array of @nr_fids entries, one for one, or are left out. */
static bool enc_cbs(struct afsx_enc *e, u32 nr_fids, u32 nr, const struct afsx_callback *cb)
{
	if (nr && nr != nr_fids) {
		e->err = -EINVAL;
		return false;
	}
	if (!afsx_enc_count(e, nr, AFSX_BULK_MAX))
		return false;
	for (u32 i = 0; i < nr; i++)
		if (!afsx_enc_callback(e, &cb[i]))
			return false;
	return true;
}

static bool dec_cbs(struct afsx_dec *d, u32 nr_fids, u32 *nr, struct afsx_callback *cb)
{
	if (!afsx_dec_count(d, nr, AFSX_BULK_MAX) || (*nr && *nr != nr_fids))
		return false;
	for (u32 i = 0; i < *nr; i++)
		if (!afsx_dec_callback(d, &cb[i]))
			return false;
	return true;
}

bool afsx_enc_bulk_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_bulk_status_args *a = msg;

	return enc_fids(e, a->nr, a->fid);
}

bool afsx_dec_bulk_args(struct afsx_dec *d, void *msg)
{
	struct afsx_bulk_status_args *a = msg;

	return dec_fids(d, &a->nr, a->fid);
}

bool afsx_enc_bulk_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_bulk_status_reply *r = msg;

	if (!afsx_enc_count(e, r->nr, AFSX_BULK_MAX))
		return false;
	for (u32 i = 0; i < r->nr; i++)
		if (!afsx_enc_status(e, &r->status[i]))
			return false;
	return enc_cbs(e, r->nr, r->nr_cb, r->cb) && afsx_enc_volsync(e, &r->sync);
}

typedef bool (*dec_status_t)(struct afsx_dec *d, struct afsx_status *st);

static bool dec_bulk(struct afsx_dec *d, struct afsx_bulk_status_reply *r, dec_status_t dec_status)
{
	if (!afsx_dec_count(d, &r->nr, AFSX_BULK_MAX))
		return false;
	for (u32 i = 0; i < r->nr; i++)
		if (!dec_status(d, &r->status[i]))
			return false;
	return dec_cbs(d, r->nr, &r->nr_cb, r->cb) && afsx_dec_volsync(d, &r->sync);
}

bool afsx_dec_bulk_reply(struct afsx_dec *d, void *msg)
{
	return dec_bulk(d, msg, afsx_dec_status);
}

bool afsx_enc_inline_bulk_reply(struct afsx_enc *e, const void *msg)
{
	return afsx_enc_bulk_reply(e, msg);
}

bool afsx_dec_inline_bulk_reply(struct afsx_dec *d, void *msg)
{
	return dec_bulk(d, msg, afsx_dec_status_entry);
}

bool afsx_enc_lookup_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_lookup_args *a = msg;

	return afsx_enc_fid(e, &a->dir) && afsx_enc_str(e, &a->name, AFSX_XDR_NAME_MAX);
}

bool afsx_dec_lookup_args(struct afsx_dec *d, void *msg)
{
	struct afsx_lookup_args *a = msg;

	return afsx_dec_fid(d, &a->dir) && afsx_dec_str(d, &a->name, AFSX_XDR_NAME_MAX);
}

bool afsx_enc_lookup_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_lookup_reply *r = msg;

	return afsx_enc_fid(e, &r->fid) && afsx_enc_status(e, &r->status) &&
	       afsx_enc_status(e, &r->dir_status) && afsx_enc_callback(e, &r->cb) &&
	       afsx_enc_volsync(e, &r->sync);
}

bool afsx_dec_lookup_reply(struct afsx_dec *d, void *msg)
{
	struct afsx_lookup_reply *r = msg;

	return afsx_dec_fid(d, &r->fid) && afsx_dec_status(d, &r->status) &&
	       afsx_dec_status(d, &r->dir_status) && afsx_dec_callback(d, &r->cb) &&
	       afsx_dec_volsync(d, &r->sync);
}

bool afsx_enc_volume_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_volume_args *a = msg;

	return afsx_enc_u32(e, a->vid);
}

bool afsx_dec_volume_args(struct afsx_dec *d, void *msg)
{
	struct afsx_volume_args *a = msg;

	return afsx_dec_u32(d, &a->vid);
}

bool afsx_enc_volstatus(struct afsx_enc *e, const void *msg)
{
	const struct afsx_volstatus *vs = msg;

	return afsx_enc_u32(e, vs->vid) && afsx_enc_u32(e, vs->parent_id) &&
	       afsx_enc_char(e, vs->online) && afsx_enc_char(e, vs->in_service) &&
	       afsx_enc_char(e, vs->blessed) && afsx_enc_char(e, vs->needs_salvage) &&
	       afsx_enc_u32(e, vs->type) && afsx_enc_s32(e, vs->min_quota) &&
	       afsx_enc_s32(e, vs->max_quota) && afsx_enc_s32(e, vs->blocks_in_use) &&
	       afsx_enc_s32(e, vs->part_avail) && afsx_enc_s32(e, vs->part_max) &&
	       afsx_enc_str(e, &vs->name, AFSX_XDR_NAME_MAX) &&
	       afsx_enc_str(e, &vs->offline_msg, AFSX_OPAQUE_MAX) &&
	       afsx_enc_str(e, &vs->motd, AFSX_OPAQUE_MAX);
}

bool afsx_dec_volstatus(struct afsx_dec *d, void *msg)
{
	struct afsx_volstatus *vs = msg;

	return afsx_dec_u32(d, &vs->vid) && afsx_dec_u32(d, &vs->parent_id) &&
	       afsx_dec_char(d, &vs->online) && afsx_dec_char(d, &vs->in_service) &&
	       afsx_dec_char(d, &vs->blessed) && afsx_dec_char(d, &vs->needs_salvage) &&
	       afsx_dec_u32(d, &vs->type) && afsx_dec_s32(d, &vs->min_quota) &&
	       afsx_dec_s32(d, &vs->max_quota) && afsx_dec_s32(d, &vs->blocks_in_use) &&
	       afsx_dec_s32(d, &vs->part_avail) && afsx_dec_s32(d, &vs->part_max) &&
	       afsx_dec_str(d, &vs->name, AFSX_XDR_NAME_MAX) &&
	       afsx_dec_str(d, &vs->offline_msg, AFSX_OPAQUE_MAX) &&
	       afsx_dec_str(d, &vs->motd, AFSX_OPAQUE_MAX);
}

bool afsx_enc_name_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_name_reply *r = msg;

	return afsx_enc_str(e, &r->name, AFSX_XDR_NAME_MAX);
}

bool afsx_dec_name_reply(struct afsx_dec *d, void *msg)
{
	struct afsx_name_reply *r = msg;

	return afsx_dec_str(d, &r->name, AFSX_XDR_NAME_MAX);
}

bool afsx_enc_time_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_time_reply *r = msg;

	return afsx_enc_u32(e, r->sec) && afsx_enc_u32(e, r->usec);
}

bool afsx_dec_time_reply(struct afsx_dec *d, void *msg)
{
	struct afsx_time_reply *r = msg;

	return afsx_dec_u32(d, &r->sec) && afsx_dec_u32(d, &r->usec);
}

bool afsx_enc_caps(struct afsx_enc *e, const void *msg)
{
	const struct afsx_caps *c = msg;

	if (!afsx_enc_count(e, c->nr, AFSX_CAPS_MAX))
		return false;
	for (u32 i = 0; i < c->nr; i++)
		if (!afsx_enc_u32(e, c->word[i]))
			return false;
	return true;
}

bool afsx_dec_caps(struct afsx_dec *d, void *msg)
{
	struct afsx_caps *c = msg;

	if (!afsx_dec_count(d, &c->nr, AFSX_CAPS_MAX))
		return false;
	for (u32 i = 0; i < c->nr; i++)
		if (!afsx_dec_u32(d, &c->word[i]))
			return false;
	return true;
}

bool afsx_enc_callbacks(struct afsx_enc *e, const void *msg)
{
	const struct afsx_cb_callback_args *a = msg;

	return enc_fids(e, a->nr, a->fid) && enc_cbs(e, a->nr, a->nr_cb, a->cb);
}

bool afsx_dec_callbacks(struct afsx_dec *d, void *msg)
{
	struct afsx_cb_callback_args *a = msg;

	return dec_fids(d, &a->nr, a->fid) && dec_cbs(d, a->nr, &a->nr_cb, a->cb);
}
