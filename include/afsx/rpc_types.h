/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Arguments and replies of the RPCs, decoded.
 *
 * A struct used by several RPCs is named after the first; the rows of the
 * table (wire/rpc_*.c) say which RPC uses which.  Strings point into the
 * message they were decoded from.
 */
#ifndef AFSX_RPC_TYPES_H
#define AFSX_RPC_TYPES_H

#include <afsx/rpc_change.h>
#include <afsx/types.h>

/**
 * struct afsx_fetch_data_args - FetchData64, FetchData
 * @fid: file, directory or symbolic link
 * @pos: first byte; at most S32_MAX for FetchData
 * @len: bytes wanted; at most S32_MAX for FetchData
 *
 * Their reply is the bulk data followed by a struct afsx_status_reply.
 */
struct afsx_fetch_data_args {
	struct afsx_fid fid;
	u64 pos;
	u64 len;
};

/**
 * struct afsx_fetch_status_args - FetchStatus, FetchACL, ExtendLock, ReleaseLock
 * @fid: vnode
 */
struct afsx_fetch_status_args {
	struct afsx_fid fid;
};

/**
 * struct afsx_status_reply - FetchStatus; FetchData and FetchData64 after the data
 * @status: of the vnode
 * @cb: promise for it
 * @sync: of its volume
 */
struct afsx_status_reply {
	struct afsx_status status;
	struct afsx_callback cb;
	struct afsx_volsync sync;
};

/**
 * struct afsx_acl_reply - FetchACL
 * @acl: access list as text
 * @status: of the directory
 * @sync: of its volume
 */
struct afsx_acl_reply {
	struct afsx_str acl;
	struct afsx_status status;
	struct afsx_volsync sync;
};

/**
 * struct afsx_bulk_status_args - InlineBulkStatus, BulkStatus
 * @nr: FIDs in use
 * @fid: vnodes
 */
struct afsx_bulk_status_args {
	u32 nr;
	struct afsx_fid fid[AFSX_BULK_MAX];
};

/**
 * struct afsx_bulk_status_reply - InlineBulkStatus, BulkStatus
 * @nr: entries of @status; the caller checks that it got what it asked for
 * @nr_cb: entries of @cb: @nr or 0
 * @status: of each vnode; with InlineBulkStatus, look at abort_code first
 * @cb: promise for each vnode
 * @sync: of the volume of the last vnode
 */
struct afsx_bulk_status_reply {
	u32 nr;
	u32 nr_cb;
	struct afsx_status status[AFSX_BULK_MAX];
	struct afsx_callback cb[AFSX_BULK_MAX];
	struct afsx_volsync sync;
};

/**
 * struct afsx_lookup_args - Lookup, RemoveFile, RemoveDir
 * @dir: directory
 * @name: entry meant; may exceed AFSX_NAME_MAX by one byte
 */
struct afsx_lookup_args {
	struct afsx_fid dir;
	struct afsx_str name;
};

/**
 * struct afsx_lookup_reply - Lookup, CreateFile, MakeDir
 * @fid: what the entry refers to
 * @status: of @fid
 * @dir_status: of the directory
 * @cb: promise for @fid
 * @sync: of the volume
 */
struct afsx_lookup_reply {
	struct afsx_fid fid;
	struct afsx_status status;
	struct afsx_status dir_status;
	struct afsx_callback cb;
	struct afsx_volsync sync;
};

/**
 * struct afsx_volume_args - GetVolumeStatus, whose reply is a struct afsx_volstatus
 * @vid: volume id
 */
struct afsx_volume_args {
	u32 vid;
};

/**
 * struct afsx_name_reply - GetRootVolume
 * @name: volume to mount at the root of the client's tree
 */
struct afsx_name_reply {
	struct afsx_str name;
};

/**
 * struct afsx_time_reply - GetTime
 * @sec: seconds of the epoch
 * @usec: and microseconds
 */
struct afsx_time_reply {
	u32 sec;
	u32 usec;
};

/**
 * struct afsx_caps - GetCapabilities of the FS and VL services
 * @nr: words in use
 * @word: AFSX_FS_CAP_* in the first
 */
struct afsx_caps {
	u32 nr;
	u32 word[AFSX_CAPS_MAX];
};

/**
 * struct afsx_vl_name_args - GetEntryByName, ...ByNameN, ...ByNameU
 * @name: volume name, with or without suffix, or an id in decimal
 *
 * The reply is a struct afsx_vldb.
 */
struct afsx_vl_name_args {
	struct afsx_str name;
};

/**
 * struct afsx_vl_id_args - GetEntryByID, ...ByIDN, ...ByIDU
 * @vid: volume id
 * @type: enum afsx_voltype or AFSX_VL_TYPE_ANY
 *
 * The reply is a struct afsx_vldb.
 */
struct afsx_vl_id_args {
	u32 vid;
	s32 type;
};

/**
 * struct afsx_vl_addrs_args - GetAddrsU
 * @mask: AFSX_VLADDR_*: the field that selects the file server
 * @ip: one of its addresses, IPv4 in host order
 * @index: its place in the VLDB
 * @uuid: its identity
 */
struct afsx_vl_addrs_args {
	u32 mask;
	u32 ip;
	u32 index;
	struct afsx_uuid uuid;
};

/**
 * struct afsx_vl_addrs_reply - GetAddrsU
 * @uuid: the server found
 * @uniquifier: version of its address list
 * @nr: addresses kept in @addr
 * @addr: IPv4 addresses in host order
 *
 * The protocol lets a server send 500 addresses; those after the first
 * AFSX_VL_ADDRS_MAX are dropped.
 */
struct afsx_vl_addrs_reply {
	struct afsx_uuid uuid;
	u32 uniquifier;
	u32 nr;
	u32 addr[AFSX_VL_ADDRS_MAX];
};

/**
 * struct afsx_vl_all_addrs_reply - GetAddrs
 * @nr_servers: file servers there are
 * @nr: addresses kept in @addr
 * @addr: IPv4 addresses in host order, of all of them; see above
 *
 * The arguments are two words that mean nothing.
 */
struct afsx_vl_all_addrs_reply {
	u32 nr_servers;
	u32 nr;
	u32 addr[AFSX_VL_ADDRS_MAX];
};

/* afsx_vl_list_args.mask: which of the fields an entry must match */
#define AFSX_VLLIST_SERVER	0x01
#define AFSX_VLLIST_PARTITION	0x02
#define AFSX_VLLIST_VOLUMEID	0x08
#define AFSX_VLLIST_FLAG	0x10

/**
 * struct afsx_vl_list_args - ListAttributesN2
 * @mask: AFSX_VLLIST_*: the fields that count
 * @server: IPv4 address of a site's file server, host order
 * @partition: partition number of a site
 * @vid: id of a volume of the group; then nothing else counts
 * @flag: bits of the entry's flags
 * @name: regular expression, or empty
 * @start: 0, or @next of the reply before
 */
struct afsx_vl_list_args {
	u32 mask;
	u32 server;
	u32 partition;
	u32 vid;
	u32 flag;
	struct afsx_str name;
	s32 start;
};

/**
 * struct afsx_vl_list_reply - ListAttributesN2
 * @nr: entries of @entry in use
 * @next: where the list goes on; -1 at its end
 * @entry: entries, in N form
 *
 * The protocol sets no limit; a reply with more entries is refused.
 */
struct afsx_vl_list_reply {
	u32 nr;
	s32 next;
	struct afsx_vldb entry[AFSX_VL_LIST_MAX];
};

/**
 * struct afsx_cb_callback_args - CallBack; GiveUpCallBacks of the FS service
 * @nr: entries of @fid
 * @fid: vnodes; vnode 0 stands for the whole volume
 * @nr_cb: entries of @cb: @nr or 0
 * @cb: the promises themselves; send none, kafs refuses a call with entries
 */
struct afsx_cb_callback_args {
	u32 nr;
	struct afsx_fid fid[AFSX_BULK_MAX];
	u32 nr_cb;
	struct afsx_callback cb[AFSX_BULK_MAX];
};

/**
 * struct afsx_cb_uuid_args - InitCallBackState3, ProbeUuid
 * @uuid: of the file server; of the client that should answer
 */
struct afsx_cb_uuid_args {
	struct afsx_uuid uuid;
};

/**
 * struct afsx_cb_identity - TellMeAboutYourself: interfaceAddr and Capabilities
 * @uuid: of the cache manager
 * @nr: interfaces in use
 * @addr: IPv4 addresses, host order
 * @mask: their net masks, host order
 * @mtu: their MTU in bytes
 * @caps: AFSX_CB_CAP_* in the first word
 */
struct afsx_cb_identity {
	struct afsx_uuid uuid;
	u32 nr;
	u32 addr[AFSX_IFADDRS_MAX];
	u32 mask[AFSX_IFADDRS_MAX];
	u32 mtu[AFSX_IFADDRS_MAX];
	struct afsx_caps caps;
};

#endif /* AFSX_RPC_TYPES_H */
