// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Codecs of the types that many messages share.
 */
#include <afsx/rpc_change.h>
#include <afsx/xdr.h>

/* Words of AFSFetchStatus (afsint.xg) */
enum status_word {
	ST_INTERFACE_VERSION,
	ST_FILE_TYPE,
	ST_LINK_COUNT,
	ST_LENGTH,
	ST_DATA_VERSION,
	ST_AUTHOR,
	ST_OWNER,
	ST_CALLER_ACCESS,
	ST_ANONYMOUS_ACCESS,
	ST_UNIX_MODE_BITS,
	ST_PARENT_VNODE,
	ST_PARENT_UNIQUE,
	ST_RESIDENCY_MASK,
	ST_CLIENT_MOD_TIME,
	ST_SERVER_MOD_TIME,
	ST_GROUP,
	ST_SYNC_COUNTER,
	ST_DATA_VERSION_HIGH,
	ST_LOCK_COUNT,
	ST_LENGTH_HI,
	ST_ERROR_CODE,
	ST_WORDS
};

#define MODE_BITS 07777

static bool dec_words(struct afsx_dec *d, u32 *w, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		if (!afsx_dec_u32(d, &w[i]))
			return false;
	return true;
}

static bool enc_words(struct afsx_enc *e, const u32 *w, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		if (!afsx_enc_u32(e, w[i]))
			return false;
	return true;
}

bool afsx_dec_fid(struct afsx_dec *d, struct afsx_fid *fid)
{
	return afsx_dec_u32(d, &fid->vid) && afsx_dec_u32(d, &fid->vnode) &&
	       afsx_dec_u32(d, &fid->unique);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_fid);

bool afsx_enc_fid(struct afsx_enc *e, const struct afsx_fid *fid)
{
	return afsx_enc_u32(e, fid->vid) && afsx_enc_u32(e, fid->vnode) &&
	       afsx_enc_u32(e, fid->unique);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_enc_fid);

/* A word each: time_low, time_mid, time_hi_and_version, then eight octets. */
bool afsx_dec_uuid(struct afsx_dec *d, struct afsx_uuid *uuid)
{
	u32 w[11];

	if (!dec_words(d, w, ARRAY_SIZE(w)))
		return false;
	put_unaligned_be32(w[0], uuid->b);
	put_unaligned_be16((u16)w[1], uuid->b + 4);
	put_unaligned_be16((u16)w[2], uuid->b + 6);
	for (u32 i = 0; i < 8; i++)
		uuid->b[8 + i] = (u8)w[3 + i];
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_uuid);

bool afsx_enc_uuid(struct afsx_enc *e, const struct afsx_uuid *uuid)
{
	if (!afsx_enc_u32(e, get_unaligned_be32(uuid->b)) ||
	    !afsx_enc_u32(e, get_unaligned_be16(uuid->b + 4)) ||
	    !afsx_enc_u32(e, get_unaligned_be16(uuid->b + 6)))
		return false;
	for (u32 i = 8; i < sizeof(uuid->b); i++)
		if (!afsx_enc_char(e, uuid->b[i]))
			return false;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_enc_uuid);

static void status_from_words(struct afsx_status *st, const u32 *w)
{
	*st = (struct afsx_status) {
		.size		= (u64)w[ST_LENGTH_HI] << 32 | w[ST_LENGTH],
		.data_version	= (u64)w[ST_DATA_VERSION_HIGH] << 32 | w[ST_DATA_VERSION],
		.if_version	= w[ST_INTERFACE_VERSION],
		.type		= w[ST_FILE_TYPE],
		.nlink		= w[ST_LINK_COUNT],
		.author		= w[ST_AUTHOR],
		.owner		= w[ST_OWNER],
		.group		= w[ST_GROUP],
		.caller_access	= w[ST_CALLER_ACCESS],
		.anon_access	= w[ST_ANONYMOUS_ACCESS],
		.mode		= w[ST_UNIX_MODE_BITS] & MODE_BITS,
		.parent_vnode	= w[ST_PARENT_VNODE],
		.parent_unique	= w[ST_PARENT_UNIQUE],
		.lock_count	= w[ST_LOCK_COUNT],
		.abort_code	= (s32)w[ST_ERROR_CODE],
		.mtime_client	= w[ST_CLIENT_MOD_TIME],
		.mtime_server	= w[ST_SERVER_MOD_TIME],
	};
}

static bool status_is_good(const struct afsx_status *st)
{
	return st->if_version == AFSX_STATUS_VERSION && st->type >= AFSX_FTYPE_FILE &&
	       st->type <= AFSX_FTYPE_SYMLINK && st->size <= S64_MAX;
}

bool afsx_dec_status(struct afsx_dec *d, struct afsx_status *st)
{
	u32 w[ST_WORDS];

	if (!dec_words(d, w, ST_WORDS))
		return false;
	status_from_words(st, w);
	return status_is_good(st);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_status);

bool afsx_dec_status_entry(struct afsx_dec *d, struct afsx_status *st)
{
	u32 w[ST_WORDS];

	if (!dec_words(d, w, ST_WORDS))
		return false;
	if (w[ST_ERROR_CODE] && w[ST_INTERFACE_VERSION] <= AFSX_STATUS_VERSION) {
		*st = (struct afsx_status) {
			.if_version = w[ST_INTERFACE_VERSION],
			.abort_code = (s32)w[ST_ERROR_CODE],
		};
		return true;
	}
	status_from_words(st, w);
	return status_is_good(st);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_status_entry);

static u32 time_word(s64 t)
{
	return t < 0 ? 0 : t > U32_MAX ? U32_MAX : (u32)t;
}

bool afsx_enc_status(struct afsx_enc *e, const struct afsx_status *st)
{
	const u32 w[ST_WORDS] = {
		[ST_INTERFACE_VERSION]	= st->if_version,
		[ST_FILE_TYPE]		= st->type,
		[ST_LINK_COUNT]		= st->nlink,
		[ST_LENGTH]		= (u32)st->size,
		[ST_DATA_VERSION]	= (u32)st->data_version,
		[ST_AUTHOR]		= st->author,
		[ST_OWNER]		= st->owner,
		[ST_CALLER_ACCESS]	= st->caller_access,
		[ST_ANONYMOUS_ACCESS]	= st->anon_access,
		[ST_UNIX_MODE_BITS]	= st->mode & MODE_BITS,
		[ST_PARENT_VNODE]	= st->parent_vnode,
		[ST_PARENT_UNIQUE]	= st->parent_unique,
		[ST_CLIENT_MOD_TIME]	= time_word(st->mtime_client),
		[ST_SERVER_MOD_TIME]	= time_word(st->mtime_server),
		[ST_GROUP]		= st->group,
		[ST_DATA_VERSION_HIGH]	= (u32)(st->data_version >> 32),
		[ST_LOCK_COUNT]		= st->lock_count,
		[ST_LENGTH_HI]		= (u32)(st->size >> 32),
		[ST_ERROR_CODE]		= (u32)st->abort_code,
	};

	return enc_words(e, w, ST_WORDS);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_enc_status);

bool afsx_dec_store_status(struct afsx_dec *d, struct afsx_store_status *st)
{
	return afsx_dec_u32(d, &st->mask) && afsx_dec_u32(d, &st->mtime) &&
	       afsx_dec_u32(d, &st->owner) && afsx_dec_u32(d, &st->group) &&
	       afsx_dec_u32(d, &st->mode) && afsx_dec_u32(d, &st->seg_size);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_store_status);

bool afsx_enc_store_status(struct afsx_enc *e, const struct afsx_store_status *st)
{
	return afsx_enc_u32(e, st->mask) && afsx_enc_u32(e, st->mtime) &&
	       afsx_enc_u32(e, st->owner) && afsx_enc_u32(e, st->group) &&
	       afsx_enc_u32(e, st->mode) && afsx_enc_u32(e, st->seg_size);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_enc_store_status);

bool afsx_dec_callback(struct afsx_dec *d, struct afsx_callback *cb)
{
	return afsx_dec_u32(d, &cb->version) && afsx_dec_u32(d, &cb->expires_in) &&
	       afsx_dec_u32(d, &cb->type);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_callback);

bool afsx_enc_callback(struct afsx_enc *e, const struct afsx_callback *cb)
{
	return afsx_enc_u32(e, cb->version) && afsx_enc_u32(e, cb->expires_in) &&
	       afsx_enc_u32(e, cb->type);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_enc_callback);

bool afsx_dec_volsync(struct afsx_dec *d, struct afsx_volsync *sync)
{
	return afsx_dec_u32(d, &sync->creation) &&
	       dec_words(d, sync->spare, ARRAY_SIZE(sync->spare));
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_volsync);

bool afsx_enc_volsync(struct afsx_enc *e, const struct afsx_volsync *sync)
{
	return afsx_enc_u32(e, sync->creation) &&
	       enc_words(e, sync->spare, ARRAY_SIZE(sync->spare));
}
EXPORT_SYMBOL_IF_KUNIT(afsx_enc_volsync);
