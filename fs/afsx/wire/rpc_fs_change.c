// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Messages of the file server (afsint.xg) that change something.
 */
#include "rpc_codec.h"

static bool enc_word(struct afsx_enc *e, u64 v)
{
	if (v > U32_MAX) {
		e->err = -EINVAL;
		return false;
	}
	return afsx_enc_u32(e, (u32)v);
}

static bool dec_word(struct afsx_dec *d, u64 *v)
{
	u32 word;

	if (!afsx_dec_u32(d, &word))
		return false;
	*v = word;
	return true;
}

bool afsx_enc_store_data_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_store_data_args *a = msg;

	return afsx_enc_fid(e, &a->fid) && afsx_enc_store_status(e, &a->in) &&
	       enc_word(e, a->pos) && enc_word(e, a->len) && enc_word(e, a->file_len);
}

bool afsx_dec_store_data_args(struct afsx_dec *d, void *msg)
{
	struct afsx_store_data_args *a = msg;

	return afsx_dec_fid(d, &a->fid) && afsx_dec_store_status(d, &a->in) &&
	       dec_word(d, &a->pos) && dec_word(d, &a->len) && dec_word(d, &a->file_len);
}

bool afsx_enc_store_data64_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_store_data_args *a = msg;

	return afsx_enc_fid(e, &a->fid) && afsx_enc_store_status(e, &a->in) &&
	       afsx_enc_u64(e, a->pos) && afsx_enc_u64(e, a->len) && afsx_enc_u64(e, a->file_len);
}

bool afsx_dec_store_data64_args(struct afsx_dec *d, void *msg)
{
	struct afsx_store_data_args *a = msg;

	return afsx_dec_fid(d, &a->fid) && afsx_dec_store_status(d, &a->in) &&
	       afsx_dec_u64(d, &a->pos) && afsx_dec_u64(d, &a->len) &&
	       afsx_dec_u64(d, &a->file_len);
}

bool afsx_enc_store_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_store_reply *r = msg;

	return afsx_enc_status(e, &r->status) && afsx_enc_volsync(e, &r->sync);
}

bool afsx_dec_store_reply(struct afsx_dec *d, void *msg)
{
	struct afsx_store_reply *r = msg;

	return afsx_dec_status(d, &r->status) && afsx_dec_volsync(d, &r->sync);
}

bool afsx_enc_store_acl_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_store_acl_args *a = msg;

	return afsx_enc_fid(e, &a->fid) && afsx_enc_opaque(e, &a->acl, AFSX_OPAQUE_MAX);
}

bool afsx_dec_store_acl_args(struct afsx_dec *d, void *msg)
{
	struct afsx_store_acl_args *a = msg;

	return afsx_dec_fid(d, &a->fid) && afsx_dec_opaque(d, &a->acl, AFSX_OPAQUE_MAX);
}

bool afsx_enc_store_status_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_store_status_args *a = msg;

	return afsx_enc_fid(e, &a->fid) && afsx_enc_store_status(e, &a->in);
}

bool afsx_dec_store_status_args(struct afsx_dec *d, void *msg)
{
	struct afsx_store_status_args *a = msg;

	return afsx_dec_fid(d, &a->fid) && afsx_dec_store_status(d, &a->in);
}

/* A directory and a name in it */
static bool enc_entry(struct afsx_enc *e, const struct afsx_fid *dir, const struct afsx_str *name)
{
	return afsx_enc_fid(e, dir) && afsx_enc_str(e, name, AFSX_XDR_NAME_MAX);
}

static bool dec_entry(struct afsx_dec *d, struct afsx_fid *dir, struct afsx_str *name)
{
	return afsx_dec_fid(d, dir) && afsx_dec_str(d, name, AFSX_XDR_NAME_MAX);
}

bool afsx_enc_create_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_create_args *a = msg;

	return enc_entry(e, &a->dir, &a->name) && afsx_enc_store_status(e, &a->in);
}

bool afsx_dec_create_args(struct afsx_dec *d, void *msg)
{
	struct afsx_create_args *a = msg;

	return dec_entry(d, &a->dir, &a->name) && afsx_dec_store_status(d, &a->in);
}

bool afsx_enc_rename_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_rename_args *a = msg;

	return enc_entry(e, &a->from_dir, &a->from) && enc_entry(e, &a->to_dir, &a->to);
}

bool afsx_dec_rename_args(struct afsx_dec *d, void *msg)
{
	struct afsx_rename_args *a = msg;

	return dec_entry(d, &a->from_dir, &a->from) && dec_entry(d, &a->to_dir, &a->to);
}

bool afsx_enc_rename_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_rename_reply *r = msg;

	return afsx_enc_status(e, &r->from_dir) && afsx_enc_status(e, &r->to_dir) &&
	       afsx_enc_volsync(e, &r->sync);
}

bool afsx_dec_rename_reply(struct afsx_dec *d, void *msg)
{
	struct afsx_rename_reply *r = msg;

	return afsx_dec_status(d, &r->from_dir) && afsx_dec_status(d, &r->to_dir) &&
	       afsx_dec_volsync(d, &r->sync);
}

bool afsx_enc_symlink_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_symlink_args *a = msg;

	return enc_entry(e, &a->dir, &a->name) &&
	       afsx_enc_str(e, &a->target, AFSX_XDR_PATH_MAX) && afsx_enc_store_status(e, &a->in);
}

bool afsx_dec_symlink_args(struct afsx_dec *d, void *msg)
{
	struct afsx_symlink_args *a = msg;

	return dec_entry(d, &a->dir, &a->name) &&
	       afsx_dec_str(d, &a->target, AFSX_XDR_PATH_MAX) && afsx_dec_store_status(d, &a->in);
}

bool afsx_enc_symlink_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_symlink_reply *r = msg;

	return afsx_enc_fid(e, &r->fid) && afsx_enc_status(e, &r->status) &&
	       afsx_enc_status(e, &r->dir_status) && afsx_enc_volsync(e, &r->sync);
}

bool afsx_dec_symlink_reply(struct afsx_dec *d, void *msg)
{
	struct afsx_symlink_reply *r = msg;

	return afsx_dec_fid(d, &r->fid) && afsx_dec_status(d, &r->status) &&
	       afsx_dec_status(d, &r->dir_status) && afsx_dec_volsync(d, &r->sync);
}

bool afsx_enc_link_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_link_args *a = msg;

	return enc_entry(e, &a->dir, &a->name) && afsx_enc_fid(e, &a->fid);
}

bool afsx_dec_link_args(struct afsx_dec *d, void *msg)
{
	struct afsx_link_args *a = msg;

	return dec_entry(d, &a->dir, &a->name) && afsx_dec_fid(d, &a->fid);
}

bool afsx_enc_link_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_link_reply *r = msg;

	return afsx_enc_status(e, &r->status) && afsx_enc_status(e, &r->dir_status) &&
	       afsx_enc_volsync(e, &r->sync);
}

bool afsx_dec_link_reply(struct afsx_dec *d, void *msg)
{
	struct afsx_link_reply *r = msg;

	return afsx_dec_status(d, &r->status) && afsx_dec_status(d, &r->dir_status) &&
	       afsx_dec_volsync(d, &r->sync);
}

bool afsx_enc_set_lock_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_set_lock_args *a = msg;

	return afsx_enc_fid(e, &a->fid) && afsx_enc_u32(e, a->type);
}

bool afsx_dec_set_lock_args(struct afsx_dec *d, void *msg)
{
	struct afsx_set_lock_args *a = msg;

	return afsx_dec_fid(d, &a->fid) && afsx_dec_u32(d, &a->type);
}

bool afsx_enc_sync_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_sync_reply *r = msg;

	return afsx_enc_volsync(e, &r->sync);
}

bool afsx_dec_sync_reply(struct afsx_dec *d, void *msg)
{
	struct afsx_sync_reply *r = msg;

	return afsx_dec_volsync(d, &r->sync);
}

bool afsx_enc_set_volume_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_set_volume_args *a = msg;

	return afsx_enc_u32(e, a->vid) && afsx_enc_u32(e, a->mask) &&
	       afsx_enc_s32(e, a->min_quota) && afsx_enc_s32(e, a->max_quota) &&
	       afsx_enc_str(e, &a->name, AFSX_XDR_NAME_MAX) &&
	       afsx_enc_str(e, &a->offline_msg, AFSX_OPAQUE_MAX) &&
	       afsx_enc_str(e, &a->motd, AFSX_OPAQUE_MAX);
}

bool afsx_dec_set_volume_args(struct afsx_dec *d, void *msg)
{
	struct afsx_set_volume_args *a = msg;

	return afsx_dec_u32(d, &a->vid) && afsx_dec_u32(d, &a->mask) &&
	       afsx_dec_s32(d, &a->min_quota) && afsx_dec_s32(d, &a->max_quota) &&
	       afsx_dec_str(d, &a->name, AFSX_XDR_NAME_MAX) &&
	       afsx_dec_str(d, &a->offline_msg, AFSX_OPAQUE_MAX) &&
	       afsx_dec_str(d, &a->motd, AFSX_OPAQUE_MAX);
}

static bool enc_words(struct afsx_enc *e, u32 nr, const u32 *word)
{
	if (!afsx_enc_count(e, nr, AFSX_FLUSH_MAX))
		return false;
	for (u32 i = 0; i < nr; i++)
		if (!afsx_enc_u32(e, word[i]))
			return false;
	return true;
}

static bool dec_words(struct afsx_dec *d, u32 *nr, u32 *word)
{
	if (!afsx_dec_count(d, nr, AFSX_FLUSH_MAX))
		return false;
	for (u32 i = 0; i < *nr; i++)
		if (!afsx_dec_u32(d, &word[i]))
			return false;
	return true;
}

bool afsx_enc_flush_cps_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_flush_cps_args *a = msg;

	return enc_words(e, a->nr_ids, a->id) && enc_words(e, a->nr_addrs, a->addr) &&
	       afsx_enc_u32(e, a->spare);
}

bool afsx_dec_flush_cps_args(struct afsx_dec *d, void *msg)
{
	struct afsx_flush_cps_args *a = msg;

	return dec_words(d, &a->nr_ids, a->id) && dec_words(d, &a->nr_addrs, a->addr) &&
	       afsx_dec_u32(d, &a->spare);
}

bool afsx_enc_flush_cps_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_flush_cps_reply *r = msg;

	return afsx_enc_u32(e, r->spare[0]) && afsx_enc_u32(e, r->spare[1]);
}

bool afsx_dec_flush_cps_reply(struct afsx_dec *d, void *msg)
{
	struct afsx_flush_cps_reply *r = msg;

	return afsx_dec_u32(d, &r->spare[0]) && afsx_dec_u32(d, &r->spare[1]);
}
