// SPDX-License-Identifier: MIT
/*
 * What the server holds: a volume whose root directory has two files, a
 * symbolic link and a mount point.
 */
#include <string.h>
#include <arpa/inet.h>
#include <afsx/dir.h>
#include "liar.h"

#define VOLUME_ID	0x20000000
#define FILE_SIZE	10000
#define LINK_TARGET	"plain"
#define LINK_TARGET_2	"other"
#define MOUNT_TARGET	"#elsewhere."

/* vnodes that are symbolic links to the protocol */
#define LINK_VNODE	6
#define MOUNT_VNODE	8

static const struct afsx_uuid server_uuid = { .b = { 0x11, 0x22, [15] = 0x33 } };

/* The root directory's contents, made at the first use. */
static u8 root_blob[AFSX_DIR_BLOCK_SIZE];

/* The data version of everything but directories. */
static u32 data_version;

static const void *blob_block(void *ctx, u32 nr)
{
	return root_blob;
}

static void *blob_modify(void *ctx, u32 nr)
{
	return nr ? NULL : root_blob;
}

static void make_root(void)
{
	static const struct {
		const char *name;
		u32 vnode;
	} entry[] = {
		{ "plain", 2 },
		{ "other", 4 },
		{ "link", LINK_VNODE },
		{ "point", MOUNT_VNODE },
	};
	struct afsx_fid root = { VOLUME_ID, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	struct afsx_dir_editor ed = {
		.rd.block = blob_block,
		.modify = blob_modify,
	};
	size_t i;

	afsx_dir_init(&ed, &root, &root);
	for (i = 0; i < ARRAY_SIZE(entry); i++) {
		struct afsx_fid fid = { VOLUME_ID, entry[i].vnode, 1 };

		afsx_dir_add(&ed, entry[i].name, strlen(entry[i].name), &fid);
	}
}

/* The contents of a vnode. Return: their length. */
static size_t content_of(u32 vnode, u8 *buf)
{
	if (vnode & 1) {
		memcpy(buf, root_blob, sizeof(root_blob));
		return sizeof(root_blob);
	}
	if (vnode == LINK_VNODE) {
		memcpy(buf, data_version > 1 ? LINK_TARGET_2 : LINK_TARGET,
		       strlen(LINK_TARGET));
		return strlen(LINK_TARGET);
	}
	if (vnode == MOUNT_VNODE) {
		memcpy(buf, MOUNT_TARGET, strlen(MOUNT_TARGET));
		return strlen(MOUNT_TARGET);
	}
	memset(buf, 'a' + vnode + data_version - 1, FILE_SIZE);
	return FILE_SIZE;
}

static struct afsx_status status_of(u32 vnode)
{
	static u8 scratch[FILE_SIZE + sizeof(root_blob)];
	struct afsx_status st = {
		.if_version	= AFSX_STATUS_VERSION,
		.type		= AFSX_FTYPE_FILE,
		.nlink		= 1,
		.size		= content_of(vnode, scratch),
		.data_version	= data_version,
		.caller_access	= AFSX_ACE_READ | AFSX_ACE_LOOKUP,
		.anon_access	= AFSX_ACE_READ | AFSX_ACE_LOOKUP,
		.mode		= 0644,
		.parent_vnode	= AFSX_ROOT_VNODE,
		.parent_unique	= AFSX_ROOT_UNIQUE,
	};

	if (vnode & 1) {
		st.type = AFSX_FTYPE_DIR;
		st.data_version = 1;
		st.mode = 0755;
	} else if (vnode == LINK_VNODE) {
		st.type = AFSX_FTYPE_SYMLINK;
		st.mode = 0777;
	} else if (vnode == MOUNT_VNODE) {
		st.type = AFSX_FTYPE_SYMLINK;
	}
	return st;
}

static struct afsx_callback promise(void)
{
	return (struct afsx_callback){ AFSX_CALLBACK_VERSION, 3600, AFSX_CB_SHARED };
}

/* What replies are decoded from and encoded into; big enough for every RPC. */
union message {
	struct afsx_fetch_data_args fetch_data;
	struct afsx_fetch_status_args fetch_status;
	struct afsx_bulk_status_args bulk_args;
	struct afsx_volume_args volume;
	struct afsx_status_reply status;
	struct afsx_bulk_status_reply bulk;
	struct afsx_volstatus volstatus;
	struct afsx_caps caps;
	struct afsx_vl_name_args vl_name;
	struct afsx_vl_id_args vl_id;
	struct afsx_vl_addrs_args vl_addrs_args;
	struct afsx_vldb vldb;
	struct afsx_vl_addrs_reply addrs;
};

static void answer_entry(struct afsx_vldb *entry)
{
	*entry = (struct afsx_vldb) {
		.name	= "root.cell",
		.vid	= { VOLUME_ID },
		.flags	= AFSX_VLF_RWEXISTS,
		.nr	= 1,
		.server[0] = {
			.uuid		= server_uuid,
			.addr		= INADDR_LOOPBACK,
			.uniquifier	= 1,
			.flags		= AFSX_VLSF_RWVOL | AFSX_VLSF_UUID,
		},
	};
}

static void answer_bulk(const struct afsx_bulk_status_args *args,
			struct afsx_bulk_status_reply *reply)
{
	u32 i;

	*reply = (struct afsx_bulk_status_reply){ .nr = args->nr, .nr_cb = args->nr };
	for (i = 0; i < args->nr; i++) {
		reply->status[i] = status_of(args->fid[i].vnode);
		reply->cb[i] = promise();
	}
}

/* Bulk data, with their length before them. */
static void answer_data(const struct afsx_rpc *rpc,
			const struct afsx_fetch_data_args *args,
			struct liar_reply *reply)
{
	static u8 content[FILE_SIZE + sizeof(root_blob)];
	u64 size = content_of(args->fid.vnode, content);
	u64 pos = min(args->pos, size);
	u64 len = min(args->len, size - pos);
	struct afsx_enc e;

	afsx_enc_init(&e, reply->buf, sizeof(reply->buf));
	if (rpc->flags & AFSX_RPC_LEN64)
		afsx_enc_u64(&e, len);
	else
		afsx_enc_u32(&e, len);
	memcpy(e.p, content + pos, len);
	reply->len = e.p + len - reply->buf;
}

static void answer_status(u32 vnode, struct afsx_status_reply *reply)
{
	*reply = (struct afsx_status_reply) {
		.status	= status_of(vnode),
		.cb	= promise(),
	};
}

void liar_answer(const struct afsx_rpc *rpc, const void *request, size_t len,
		 u32 version, struct liar_reply *reply)
{
	static union message args, answer;
	int ret;

	data_version = version;
	if (!root_blob[0])
		make_root();
	memset(&answer, 0, sizeof(answer));
	if (afsx_rpc_decode_args(rpc, request, len, &args) < 0) {
		reply->abort = AFSX_RXGEN_SS_UNMARSHAL;
		return;
	}

	switch (afsx_rpc_id_of(rpc)) {
	case AFSX_VL_GET_CAPABILITIES:
	case AFSX_FS_GET_CAPABILITIES:
		answer.caps.nr = 1;
		answer.caps.word[0] = AFSX_FS_CAP_64BITFILES;
		break;
	case AFSX_VL_GET_ENTRY_BY_NAME_U:
	case AFSX_VL_GET_ENTRY_BY_NAME_N:
	case AFSX_VL_GET_ENTRY_BY_ID_U:
	case AFSX_VL_GET_ENTRY_BY_ID_N:
		answer_entry(&answer.vldb);
		break;
	case AFSX_VL_GET_ADDRS_U:
		answer.addrs = (struct afsx_vl_addrs_reply) {
			.uuid = server_uuid,
			.uniquifier = 1,
			.nr = 1,
			.addr = { INADDR_LOOPBACK },
		};
		break;
	case AFSX_FS_FETCH_STATUS:
		answer_status(args.fetch_status.fid.vnode, &answer.status);
		break;
	case AFSX_FS_FETCH_DATA:
	case AFSX_FS_FETCH_DATA64:
		answer_data(rpc, &args.fetch_data, reply);
		answer_status(args.fetch_data.fid.vnode, &answer.status);
		break;
	case AFSX_FS_INLINE_BULK_STATUS:
		answer_bulk(&args.bulk_args, &answer.bulk);
		break;
	case AFSX_FS_GET_VOLUME_STATUS:
		answer.volstatus.vid = VOLUME_ID;
		answer.volstatus.part_max = 1000;
		break;
	case AFSX_FS_GIVE_UP_ALL_CALLBACKS:
		break;
	default:
		reply->abort = AFSX_RXGEN_OPCODE;
		return;
	}
	ret = afsx_rpc_encode_reply(rpc, &answer, reply->buf + reply->len,
				    sizeof(reply->buf) - reply->len);
	if (ret < 0)
		reply->abort = AFSX_RXGEN_SS_MARSHAL;
	else
		reply->len += ret;
}
