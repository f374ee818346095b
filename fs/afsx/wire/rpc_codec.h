/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The message codecs, by the names the table in rpc.c calls them.
 *
 * Message M has afsx_enc_M(), afsx_dec_M() and AFSX_WORDS_M, the most 32-bit
 * words it takes on the wire.
 */
#ifndef AFSX_RPC_CODEC_H
#define AFSX_RPC_CODEC_H

#include <afsx/rpc.h>

/* Words of the common types, and of strings with their length */
#define WORDS_STR(max)	(1 + ((max) + 3) / 4)
#define WORDS_FID	3
#define WORDS_UUID	11
#define WORDS_STATUS	21
#define WORDS_STORE_STATUS 6
#define WORDS_CALLBACK	3
#define WORDS_VOLSYNC	6
#define WORDS_CAPS	(1 + AFSX_CAPS_MAX)
#define WORDS_CBFIDS	(1 + AFSX_BULK_MAX * WORDS_FID)
#define WORDS_CBS	(1 + AFSX_BULK_MAX * WORDS_CALLBACK)

enum {
	AFSX_WORDS_fid_args		= WORDS_FID,
	AFSX_WORDS_fetch_data_args	= WORDS_FID + 2,
	AFSX_WORDS_fetch_data64_args	= WORDS_FID + 4,
	AFSX_WORDS_status_reply		= WORDS_STATUS + WORDS_CALLBACK + WORDS_VOLSYNC,
	AFSX_WORDS_acl_reply		= WORDS_STR(AFSX_OPAQUE_MAX) + WORDS_STATUS + WORDS_VOLSYNC,
	AFSX_WORDS_bulk_args		= WORDS_CBFIDS,
	AFSX_WORDS_bulk_reply		= 1 + AFSX_BULK_MAX * WORDS_STATUS + WORDS_CBS +
					  WORDS_VOLSYNC,
	AFSX_WORDS_inline_bulk_reply	= AFSX_WORDS_bulk_reply,
	AFSX_WORDS_lookup_args		= WORDS_FID + WORDS_STR(AFSX_XDR_NAME_MAX),
	AFSX_WORDS_lookup_reply		= WORDS_FID + 2 * WORDS_STATUS + WORDS_CALLBACK +
					  WORDS_VOLSYNC,
	AFSX_WORDS_store_data_args	= WORDS_FID + WORDS_STORE_STATUS + 3,
	AFSX_WORDS_store_data64_args	= WORDS_FID + WORDS_STORE_STATUS + 6,
	AFSX_WORDS_store_reply		= WORDS_STATUS + WORDS_VOLSYNC,
	AFSX_WORDS_store_acl_args	= WORDS_FID + WORDS_STR(AFSX_OPAQUE_MAX),
	AFSX_WORDS_store_status_args	= WORDS_FID + WORDS_STORE_STATUS,
	AFSX_WORDS_create_args		= AFSX_WORDS_lookup_args + WORDS_STORE_STATUS,
	AFSX_WORDS_rename_args		= 2 * AFSX_WORDS_lookup_args,
	AFSX_WORDS_rename_reply		= 2 * WORDS_STATUS + WORDS_VOLSYNC,
	AFSX_WORDS_symlink_args		= AFSX_WORDS_create_args + WORDS_STR(AFSX_XDR_PATH_MAX),
	AFSX_WORDS_symlink_reply	= WORDS_FID + 2 * WORDS_STATUS + WORDS_VOLSYNC,
	AFSX_WORDS_link_args		= AFSX_WORDS_lookup_args + WORDS_FID,
	AFSX_WORDS_link_reply		= 2 * WORDS_STATUS + WORDS_VOLSYNC,
	AFSX_WORDS_set_lock_args	= WORDS_FID + 1,
	AFSX_WORDS_sync_reply		= WORDS_VOLSYNC,
	AFSX_WORDS_set_volume_args	= 4 + WORDS_STR(AFSX_XDR_NAME_MAX) +
					  2 * WORDS_STR(AFSX_OPAQUE_MAX),
	AFSX_WORDS_flush_cps_args	= 2 * (1 + AFSX_FLUSH_MAX) + 1,
	AFSX_WORDS_flush_cps_reply	= 2,
	AFSX_WORDS_volume_args		= 1,
	AFSX_WORDS_volstatus		= 12 + WORDS_STR(AFSX_XDR_NAME_MAX) +
					  2 * WORDS_STR(AFSX_OPAQUE_MAX),
	AFSX_WORDS_name_reply		= WORDS_STR(AFSX_XDR_NAME_MAX),
	AFSX_WORDS_time_reply		= 2,
	AFSX_WORDS_caps			= WORDS_CAPS,
	AFSX_WORDS_callbacks		= WORDS_CBFIDS + WORDS_CBS,

	AFSX_WORDS_vl_name_args		= WORDS_STR(AFSX_XDR_VOLNAME_MAX),
	AFSX_WORDS_vl_id_args		= 2,
	AFSX_WORDS_vldb_old		= 65 + 2 + 3 * AFSX_VLSERVERS_OLD_MAX + 5,
	AFSX_WORDS_vldb_n		= 65 + 1 + 3 * AFSX_VLSERVERS_MAX + 5 + 9,
	AFSX_WORDS_vldb_u		= 65 + 1 + (WORDS_UUID + 3) * AFSX_VLSERVERS_MAX + 5 + 9,
	AFSX_WORDS_vl_addrs_args	= 4 + WORDS_UUID,
	AFSX_WORDS_vl_addrs_reply	= WORDS_UUID + 3 + AFSX_VL_ADDRS_MAX,
	AFSX_WORDS_vl_all_addrs_args	= 2,
	AFSX_WORDS_vl_all_addrs_reply	= 4 + 2 + AFSX_VL_ADDRS_MAX,
	AFSX_WORDS_vl_list_args		= 6 + WORDS_STR(AFSX_XDR_VOLNAME_MAX) + 1,
	AFSX_WORDS_vl_list_reply	= 2 + AFSX_VL_LIST_MAX * AFSX_WORDS_vldb_n + 1,

	AFSX_WORDS_uuid_args		= WORDS_UUID,
	AFSX_WORDS_identity		= 1 + WORDS_UUID + 3 * AFSX_IFADDRS_MAX + WORDS_CAPS,

	AFSX_WORDS_none			= 0,
};

#define AFSX_DECLARE_CODEC(m)						\
	bool afsx_enc_##m(struct afsx_enc *e, const void *msg);		\
	bool afsx_dec_##m(struct afsx_dec *d, void *msg)

/* rpc_fs.c */
AFSX_DECLARE_CODEC(fid_args);
AFSX_DECLARE_CODEC(fetch_data_args);
AFSX_DECLARE_CODEC(fetch_data64_args);
AFSX_DECLARE_CODEC(status_reply);
AFSX_DECLARE_CODEC(acl_reply);
AFSX_DECLARE_CODEC(bulk_args);
AFSX_DECLARE_CODEC(bulk_reply);
AFSX_DECLARE_CODEC(inline_bulk_reply);
AFSX_DECLARE_CODEC(lookup_args);
AFSX_DECLARE_CODEC(lookup_reply);
AFSX_DECLARE_CODEC(volume_args);
AFSX_DECLARE_CODEC(volstatus);
AFSX_DECLARE_CODEC(name_reply);
AFSX_DECLARE_CODEC(time_reply);
AFSX_DECLARE_CODEC(caps);
AFSX_DECLARE_CODEC(callbacks);

/* rpc_fs_change.c */
AFSX_DECLARE_CODEC(store_data_args);
AFSX_DECLARE_CODEC(store_data64_args);
AFSX_DECLARE_CODEC(store_reply);
AFSX_DECLARE_CODEC(store_acl_args);
AFSX_DECLARE_CODEC(store_status_args);
AFSX_DECLARE_CODEC(create_args);
AFSX_DECLARE_CODEC(rename_args);
AFSX_DECLARE_CODEC(rename_reply);
AFSX_DECLARE_CODEC(symlink_args);
AFSX_DECLARE_CODEC(symlink_reply);
AFSX_DECLARE_CODEC(link_args);
AFSX_DECLARE_CODEC(link_reply);
AFSX_DECLARE_CODEC(set_lock_args);
AFSX_DECLARE_CODEC(sync_reply);
AFSX_DECLARE_CODEC(set_volume_args);
AFSX_DECLARE_CODEC(flush_cps_args);
AFSX_DECLARE_CODEC(flush_cps_reply);

/* rpc_vl.c */
AFSX_DECLARE_CODEC(vl_name_args);
AFSX_DECLARE_CODEC(vl_id_args);
AFSX_DECLARE_CODEC(vldb_old);
AFSX_DECLARE_CODEC(vldb_n);
AFSX_DECLARE_CODEC(vldb_u);
AFSX_DECLARE_CODEC(vl_addrs_args);
AFSX_DECLARE_CODEC(vl_addrs_reply);
AFSX_DECLARE_CODEC(vl_all_addrs_args);
AFSX_DECLARE_CODEC(vl_all_addrs_reply);
AFSX_DECLARE_CODEC(vl_list_args);
AFSX_DECLARE_CODEC(vl_list_reply);

/* rpc_cb.c */
AFSX_DECLARE_CODEC(uuid_args);
AFSX_DECLARE_CODEC(identity);

#endif /* AFSX_RPC_CODEC_H */
