// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The RPC table and what interprets it.
 */
#include "rpc_codec.h"

/* Messages without contents */
struct afsx_none {};

#define afsx_enc_none NULL
#define afsx_dec_none NULL

#define OPCODE_SIZE 4

/*
 * A row: id, service, name, opcode, flags beyond AFSX_RPC_IDEMPOTENT, then codec and struct of
 * the arguments, codec and struct of the reply.
 */
#define ROW(id_, svc_, name_, opcode_, flags_, acodec_, args_, rcodec_, reply_)	\
	[AFSX_##svc_##_##id_] = {						\
		.name		= #svc_ "." name_,				\
		.port		= AFSX_##svc_##_PORT,				\
		.service	= AFSX_SVC_##svc_,				\
		.opcode		= (opcode_),					\
		.flags		= (flags_),					\
		.max_args	= OPCODE_SIZE + 4 * AFSX_WORDS_##acodec_,	\
		.max_reply	= 4 * AFSX_WORDS_##rcodec_,			\
		.args_size	= sizeof(struct afsx_##args_),			\
		.reply_size	= sizeof(struct afsx_##reply_),			\
		.enc_args	= afsx_enc_##acodec_,				\
		.dec_args	= afsx_dec_##acodec_,				\
		.enc_reply	= afsx_enc_##rcodec_,				\
		.dec_reply	= afsx_dec_##rcodec_,				\
	}

#define IDEM	AFSX_RPC_IDEMPOTENT
#define BULK	(AFSX_RPC_IDEMPOTENT | AFSX_RPC_BULK_REPLY)
#define BULK64	(BULK | AFSX_RPC_LEN64)
#define STORE	(AFSX_RPC_IDEMPOTENT | AFSX_RPC_BULK_REQUEST)
#define ONCE	0

static const struct afsx_rpc rpcs[AFSX_RPC_COUNT] = {
	ROW(FETCH_DATA, FS, "FetchData", 130, BULK,
	    fetch_data_args, fetch_data_args, status_reply, status_reply),
	ROW(FETCH_ACL, FS, "FetchACL", 131, IDEM,
	    fid_args, fetch_status_args, acl_reply, acl_reply),
	ROW(FETCH_STATUS, FS, "FetchStatus", 132, IDEM,
	    fid_args, fetch_status_args, status_reply, status_reply),
	ROW(STORE_DATA, FS, "StoreData", 133, STORE,
	    store_data_args, store_data_args, store_reply, store_reply),
	ROW(OLD_STORE_ACL, FS, "OldStoreACL", 134, IDEM,
	    store_acl_args, store_acl_args, store_reply, store_reply),
	ROW(STORE_STATUS, FS, "StoreStatus", 135, IDEM,
	    store_status_args, store_status_args, store_reply, store_reply),
	ROW(REMOVE_FILE, FS, "RemoveFile", 136, ONCE,
	    lookup_args, lookup_args, store_reply, store_reply),
	ROW(CREATE_FILE, FS, "CreateFile", 137, ONCE,
	    create_args, create_args, lookup_reply, lookup_reply),
	ROW(RENAME, FS, "Rename", 138, ONCE,
	    rename_args, rename_args, rename_reply, rename_reply),
	ROW(SYMLINK, FS, "Symlink", 139, ONCE,
	    symlink_args, symlink_args, symlink_reply, symlink_reply),
	ROW(LINK, FS, "Link", 140, ONCE,
	    link_args, link_args, link_reply, link_reply),
	ROW(MAKE_DIR, FS, "MakeDir", 141, ONCE,
	    create_args, create_args, lookup_reply, lookup_reply),
	ROW(REMOVE_DIR, FS, "RemoveDir", 142, ONCE,
	    lookup_args, lookup_args, store_reply, store_reply),
	ROW(GIVE_UP_CALLBACKS, FS, "GiveUpCallBacks", 147, IDEM,
	    callbacks, cb_callback_args, none, none),
	ROW(GET_VOLUME_STATUS, FS, "GetVolumeStatus", 149, IDEM,
	    volume_args, volume_args, volstatus, volstatus),
	ROW(SET_VOLUME_STATUS, FS, "SetVolumeStatus", 150, IDEM,
	    set_volume_args, set_volume_args, none, none),
	ROW(GET_ROOT_VOLUME, FS, "GetRootVolume", 151, IDEM,
	    none, none, name_reply, name_reply),
	ROW(GET_TIME, FS, "GetTime", 153, IDEM,
	    none, none, time_reply, time_reply),
	ROW(BULK_STATUS, FS, "BulkStatus", 155, IDEM,
	    bulk_args, bulk_status_args, bulk_reply, bulk_status_reply),
	ROW(SET_LOCK, FS, "SetLock", 156, ONCE,
	    set_lock_args, set_lock_args, sync_reply, sync_reply),
	ROW(EXTEND_LOCK, FS, "ExtendLock", 157, IDEM,
	    fid_args, fetch_status_args, sync_reply, sync_reply),
	ROW(RELEASE_LOCK, FS, "ReleaseLock", 158, ONCE,
	    fid_args, fetch_status_args, sync_reply, sync_reply),
	ROW(LOOKUP, FS, "Lookup", 161, IDEM,
	    lookup_args, lookup_args, lookup_reply, lookup_reply),
	ROW(FLUSH_CPS, FS, "FlushCPS", 162, IDEM,
	    flush_cps_args, flush_cps_args, flush_cps_reply, flush_cps_reply),
	ROW(STORE_ACL, FS, "StoreACL", 164, IDEM,
	    store_acl_args, store_acl_args, store_reply, store_reply),
	ROW(INLINE_BULK_STATUS, FS, "InlineBulkStatus", 65536, IDEM,
	    bulk_args, bulk_status_args, inline_bulk_reply, bulk_status_reply),
	ROW(FETCH_DATA64, FS, "FetchData64", 65537, BULK64,
	    fetch_data64_args, fetch_data_args, status_reply, status_reply),
	ROW(STORE_DATA64, FS, "StoreData64", 65538, STORE,
	    store_data64_args, store_data_args, store_reply, store_reply),
	ROW(GIVE_UP_ALL_CALLBACKS, FS, "GiveUpAllCallBacks", 65539, IDEM,
	    none, none, none, none),
	ROW(GET_CAPABILITIES, FS, "GetCapabilities", 65540, IDEM,
	    none, none, caps, caps),

	ROW(GET_ENTRY_BY_ID, VL, "GetEntryByID", 503, IDEM,
	    vl_id_args, vl_id_args, vldb_old, vldb),
	ROW(GET_ENTRY_BY_NAME, VL, "GetEntryByName", 504, IDEM,
	    vl_name_args, vl_name_args, vldb_old, vldb),
	ROW(PROBE, VL, "Probe", 514, IDEM,
	    none, none, none, none),
	ROW(GET_ADDRS, VL, "GetAddrs", 515, IDEM,
	    vl_all_addrs_args, none, vl_all_addrs_reply, vl_all_addrs_reply),
	ROW(GET_ENTRY_BY_ID_N, VL, "GetEntryByIDN", 518, IDEM,
	    vl_id_args, vl_id_args, vldb_n, vldb),
	ROW(GET_ENTRY_BY_NAME_N, VL, "GetEntryByNameN", 519, IDEM,
	    vl_name_args, vl_name_args, vldb_n, vldb),
	ROW(GET_ENTRY_BY_ID_U, VL, "GetEntryByIDU", 526, IDEM,
	    vl_id_args, vl_id_args, vldb_u, vldb),
	ROW(GET_ENTRY_BY_NAME_U, VL, "GetEntryByNameU", 527, IDEM,
	    vl_name_args, vl_name_args, vldb_u, vldb),
	ROW(GET_ADDRS_U, VL, "GetAddrsU", 533, IDEM,
	    vl_addrs_args, vl_addrs_args, vl_addrs_reply, vl_addrs_reply),
	ROW(LIST_ATTRIBUTES_N2, VL, "ListAttributesN2", 534, IDEM,
	    vl_list_args, vl_list_args, vl_list_reply, vl_list_reply),
	ROW(GET_CAPABILITIES, VL, "GetCapabilities", 65537, IDEM,
	    none, none, caps, caps),

	ROW(CALLBACK, CB, "CallBack", 204, IDEM,
	    callbacks, cb_callback_args, none, none),
	ROW(INIT_STATE, CB, "InitCallBackState", 205, IDEM,
	    none, none, none, none),
	ROW(PROBE, CB, "Probe", 206, IDEM,
	    none, none, none, none),
	ROW(INIT_STATE3, CB, "InitCallBackState3", 213, IDEM,
	    uuid_args, cb_uuid_args, none, none),
	ROW(PROBE_UUID, CB, "ProbeUuid", 214, IDEM,
	    uuid_args, cb_uuid_args, none, none),
	ROW(TELL_ME_ABOUT_YOURSELF, CB, "TellMeAboutYourself", 65538, IDEM,
	    none, none, identity, cb_identity),
};

const struct afsx_rpc *afsx_rpc(enum afsx_rpc_id id)
{
	return (unsigned int)id < AFSX_RPC_COUNT ? &rpcs[id] : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_rpc);

const struct afsx_rpc *afsx_rpc_find(u16 port, u32 opcode)
{
	for (u32 i = 0; i < AFSX_RPC_COUNT; i++)
		if (rpcs[i].port == port && rpcs[i].opcode == opcode)
			return &rpcs[i];
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_rpc_find);

enum afsx_rpc_id afsx_rpc_id_of(const struct afsx_rpc *rpc)
{
	return (enum afsx_rpc_id)(rpc - rpcs);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_rpc_id_of);

static int enc_end(const struct afsx_enc *e, const void *buf, bool good)
{
	return good ? (int)(e->p - (const u8 *)buf) : e->err;
}

int afsx_rpc_encode_args(const struct afsx_rpc *rpc, const void *args, void *buf, size_t size)
{
	struct afsx_enc e;

	afsx_enc_init(&e, buf, size);
	return enc_end(&e, buf, afsx_enc_u32(&e, rpc->opcode) &&
				(!rpc->enc_args || rpc->enc_args(&e, args)));
}
EXPORT_SYMBOL_IF_KUNIT(afsx_rpc_encode_args);

int afsx_rpc_encode_reply(const struct afsx_rpc *rpc, const void *reply, void *buf, size_t size)
{
	struct afsx_enc e;

	afsx_enc_init(&e, buf, size);
	return enc_end(&e, buf, !rpc->enc_reply || rpc->enc_reply(&e, reply));
}
EXPORT_SYMBOL_IF_KUNIT(afsx_rpc_encode_reply);

static int dec_all(bool (*dec)(struct afsx_dec *d, void *msg), const void *buf, size_t len,
		   void *msg)
{
	struct afsx_dec d;

	afsx_dec_init(&d, buf, len);
	return (!dec || dec(&d, msg)) && afsx_dec_done(&d) ? 0 : -EBADMSG;
}

int afsx_rpc_decode_args(const struct afsx_rpc *rpc, const void *buf, size_t len, void *args)
{
	return dec_all(rpc->dec_args, buf, len, args);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_rpc_decode_args);

int afsx_rpc_decode_reply(const struct afsx_rpc *rpc, const void *buf, size_t len, void *reply)
{
	return dec_all(rpc->dec_reply, buf, len, reply);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_rpc_decode_reply);
