/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The RPC table: one row per remote procedure, with its codecs.
 *
 * To add an RPC: an id here, its structs in rpc_types.h or rpc_change.h unless
 * existing ones fit, a codec pair and a row in the wire/rpc_*.c of its service.
 */
#ifndef AFSX_RPC_H
#define AFSX_RPC_H

#include <afsx/rpc_types.h>
#include <afsx/xdr.h>

enum afsx_rpc_id {
	/* file server, AFSX_FS_PORT */
	AFSX_FS_FETCH_DATA,
	AFSX_FS_FETCH_ACL,
	AFSX_FS_FETCH_STATUS,
	AFSX_FS_STORE_DATA,
	AFSX_FS_OLD_STORE_ACL,
	AFSX_FS_STORE_STATUS,
	AFSX_FS_REMOVE_FILE,
	AFSX_FS_CREATE_FILE,
	AFSX_FS_RENAME,
	AFSX_FS_SYMLINK,
	AFSX_FS_LINK,
	AFSX_FS_MAKE_DIR,
	AFSX_FS_REMOVE_DIR,
	AFSX_FS_GIVE_UP_CALLBACKS,
	AFSX_FS_GET_VOLUME_STATUS,
	AFSX_FS_SET_VOLUME_STATUS,
	AFSX_FS_GET_ROOT_VOLUME,
	AFSX_FS_GET_TIME,
	AFSX_FS_BULK_STATUS,
	AFSX_FS_SET_LOCK,
	AFSX_FS_EXTEND_LOCK,
	AFSX_FS_RELEASE_LOCK,
	AFSX_FS_LOOKUP,
	AFSX_FS_FLUSH_CPS,
	AFSX_FS_STORE_ACL,
	AFSX_FS_INLINE_BULK_STATUS,
	AFSX_FS_FETCH_DATA64,
	AFSX_FS_STORE_DATA64,
	AFSX_FS_GIVE_UP_ALL_CALLBACKS,
	AFSX_FS_GET_CAPABILITIES,
	/* volume location server, AFSX_VL_PORT */
	AFSX_VL_GET_ENTRY_BY_ID,
	AFSX_VL_GET_ENTRY_BY_NAME,
	AFSX_VL_PROBE,
	AFSX_VL_GET_ADDRS,
	AFSX_VL_GET_ENTRY_BY_ID_N,
	AFSX_VL_GET_ENTRY_BY_NAME_N,
	AFSX_VL_GET_ENTRY_BY_ID_U,
	AFSX_VL_GET_ENTRY_BY_NAME_U,
	AFSX_VL_GET_ADDRS_U,
	AFSX_VL_LIST_ATTRIBUTES_N2,
	AFSX_VL_GET_CAPABILITIES,
	/* callback service of a cache manager, AFSX_CB_PORT */
	AFSX_CB_CALLBACK,
	AFSX_CB_INIT_STATE,
	AFSX_CB_PROBE,
	AFSX_CB_INIT_STATE3,
	AFSX_CB_PROBE_UUID,
	AFSX_CB_TELL_ME_ABOUT_YOURSELF,
	AFSX_RPC_COUNT
};

/* afsx_rpc.flags */
#define AFSX_RPC_IDEMPOTENT	0x01	/* doing it twice does no harm */
#define AFSX_RPC_BULK_REPLY	0x02	/* reply: length, that many bytes, then the reply proper */
#define AFSX_RPC_BULK_REQUEST	0x04	/* raw bytes follow the arguments */
#define AFSX_RPC_LEN64		0x08	/* the length before bulk data is a 64-bit integer */

/**
 * struct afsx_rpc - One remote procedure
 * @name: as the interface file calls it, for messages and traces
 * @port: where its service listens (AFSX_*_PORT)
 * @service: Rx service id (AFSX_SVC_*)
 * @opcode: first word of the request
 * @flags: AFSX_RPC_*
 * @max_args: most bytes encoded arguments take, with the opcode, without bulk data
 * @max_reply: most bytes an encoded reply takes, without bulk data and its length
 * @args_size: sizeof the decoded arguments, 0 for none
 * @reply_size: sizeof the decoded reply, 0 for none
 * @enc_args: NULL when there are no arguments, like the other three
 * @dec_args: leaves trailing bytes to the caller
 * @enc_reply: of the reply proper, when there is bulk data
 * @dec_reply: leaves trailing bytes to the caller
 */
struct afsx_rpc {
	const char *name;
	u16 port;
	u16 service;
	u32 opcode;
	u32 flags;
	u32 max_args;
	u32 max_reply;
	u32 args_size;
	u32 reply_size;
	bool (*enc_args)(struct afsx_enc *e, const void *args);
	bool (*dec_args)(struct afsx_dec *d, void *args);
	bool (*enc_reply)(struct afsx_enc *e, const void *reply);
	bool (*dec_reply)(struct afsx_dec *d, void *reply);
};

/**
 * afsx_rpc - The row of an RPC
 * @id: which
 *
 * Return: the row; NULL when @id is out of range.
 */
const struct afsx_rpc *afsx_rpc(enum afsx_rpc_id id);

/**
 * afsx_rpc_find - The row for a request that came in
 * @port: port the request was sent to, AFSX_*_PORT in host order (not the Rx
 *	  service id, which file server and callback service share)
 * @opcode: first word of the request
 *
 * Return: the row; NULL when the table has none (abort with AFSX_RXGEN_OPCODE).
 */
const struct afsx_rpc *afsx_rpc_find(u16 port, u32 opcode);

/**
 * afsx_rpc_id_of - The id of a row
 * @rpc: a row returned by afsx_rpc() or afsx_rpc_find()
 *
 * Return: its id.
 */
enum afsx_rpc_id afsx_rpc_id_of(const struct afsx_rpc *rpc);

/**
 * afsx_rpc_encode_args - Write a request, opcode first
 * @rpc: row
 * @args: the row's decoded arguments (@args_size bytes), NULL if it has none
 * @buf: where to
 * @size: bytes there; @max_args is always enough
 *
 * Return: bytes written; -EMSGSIZE when @buf is too small; -EINVAL when a value
 * does not fit its field on the wire (too many FIDs, a name too long).
 */
int afsx_rpc_encode_args(const struct afsx_rpc *rpc, const void *args, void *buf, size_t size);

/**
 * afsx_rpc_decode_args - Read a request
 * @rpc: row, found by the opcode
 * @buf: the bytes after the opcode (and before bulk data)
 * @len: how many
 * @args: filled in; its strings point into @buf
 *
 * Return: 0; -EBADMSG when the bytes are not exactly one set of arguments.
 */
int afsx_rpc_decode_args(const struct afsx_rpc *rpc, const void *buf, size_t len, void *args);

/**
 * afsx_rpc_encode_reply - Write a reply
 * @rpc: row
 * @reply: the row's decoded reply (@reply_size bytes), NULL if it has none
 * @buf: where to
 * @size: bytes there; @max_reply is always enough
 *
 * Bulk data and its length, which come first, are the caller's.
 *
 * Return: bytes written; -EMSGSIZE or -EINVAL as afsx_rpc_encode_args().
 */
int afsx_rpc_encode_reply(const struct afsx_rpc *rpc, const void *reply, void *buf, size_t size);

/**
 * afsx_rpc_decode_reply - Read a reply
 * @rpc: row
 * @buf: the bytes of the reply (after bulk data)
 * @len: how many
 * @reply: filled in; its strings point into @buf
 *
 * Return: 0; -EBADMSG when the bytes are not exactly one reply.
 */
int afsx_rpc_decode_reply(const struct afsx_rpc *rpc, const void *buf, size_t len, void *reply);

#endif /* AFSX_RPC_H */
