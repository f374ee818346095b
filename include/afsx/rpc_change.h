/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Arguments and replies, decoded, of the RPCs that change something on a file
 * server, and the numbers in them.  rpc_types.h has the conventions, and the
 * messages that these RPCs share with others.
 */
#ifndef AFSX_RPC_CHANGE_H
#define AFSX_RPC_CHANGE_H

#include <afsx/types.h>

/* afsx_store_status.mask: which members count (afsint.xg: AFS_SET*) */
#define AFSX_SET_MTIME		0x001
#define AFSX_SET_OWNER		0x002
#define AFSX_SET_GROUP		0x004
#define AFSX_SET_MODE		0x008
#define AFSX_SET_SEGSIZE	0x010
#define AFSX_FSYNC		0x400	/* StoreData: answer when it is on disk */

/* FLUSHMAX: ids or addresses in one FlushCPS */
#define AFSX_FLUSH_MAX		10

/* afsx_set_volume_args.mask (afsint.xg: AFS_SET*QUOTA) */
#define AFSX_SET_MIN_QUOTA	0x1
#define AFSX_SET_MAX_QUOTA	0x2

/* afsx_set_lock_args.type (afsint.xg) */
#define AFSX_LOCK_READ		0
#define AFSX_LOCK_WRITE		1

/* The AFS id of callers without a token (ptserver: ANONYMOUSID) */
#define AFSX_ANONYMOUS_ID	32766

/**
 * struct afsx_store_status - AFSStoreStatus
 * @mask: AFSX_SET_* for the members that count, and AFSX_FSYNC
 * @mtime: modification time, seconds of the epoch
 * @owner: AFS id of the owner
 * @group: group id
 * @mode: permission bits
 * @seg_size: segment size, which nobody uses
 */
struct afsx_store_status {
	u32 mask;
	u32 mtime;
	u32 owner;
	u32 group;
	u32 mode;
	u32 seg_size;
};

/**
 * struct afsx_store_data_args - StoreData64, StoreData
 * @fid: file
 * @in: status to set as well
 * @pos: first byte; at most U32_MAX for StoreData, as are the other two
 * @len: bytes of data that follow the arguments
 * @file_len: length of the file, which is cut to it before the data are written
 */
struct afsx_store_data_args {
	struct afsx_fid fid;
	struct afsx_store_status in;
	u64 pos;
	u64 len;
	u64 file_len;
};

/**
 * struct afsx_store_reply - StoreData64, StoreData, StoreStatus, StoreACL,
 * RemoveFile, RemoveDir
 * @status: of the vnode that was changed; of the directory when a name was removed
 * @sync: of its volume
 */
struct afsx_store_reply {
	struct afsx_status status;
	struct afsx_volsync sync;
};

/**
 * struct afsx_store_acl_args - StoreACL, OldStoreACL
 * @fid: directory
 * @acl: access list as text
 */
struct afsx_store_acl_args {
	struct afsx_fid fid;
	struct afsx_str acl;
};

/**
 * struct afsx_store_status_args - StoreStatus
 * @fid: vnode
 * @in: what to set
 */
struct afsx_store_status_args {
	struct afsx_fid fid;
	struct afsx_store_status in;
};

/**
 * struct afsx_create_args - CreateFile, MakeDir, whose reply is a struct
 * afsx_lookup_reply
 * @dir: directory
 * @name: of the new entry
 * @in: status to start with
 */
struct afsx_create_args {
	struct afsx_fid dir;
	struct afsx_str name;
	struct afsx_store_status in;
};

/**
 * struct afsx_rename_args - Rename
 * @from_dir: directory the entry is in
 * @from: its name
 * @to_dir: directory it shall be in
 * @to: its name there
 */
struct afsx_rename_args {
	struct afsx_fid from_dir;
	struct afsx_str from;
	struct afsx_fid to_dir;
	struct afsx_str to;
};

/**
 * struct afsx_rename_reply - Rename
 * @from_dir: status of the directory the entry was in
 * @to_dir: of the directory it is in
 * @sync: of the volume
 */
struct afsx_rename_reply {
	struct afsx_status from_dir;
	struct afsx_status to_dir;
	struct afsx_volsync sync;
};

/**
 * struct afsx_symlink_args - Symlink
 * @dir: directory
 * @name: of the new entry
 * @target: what the link says; may exceed AFSX_PATH_MAX by one byte
 * @in: status to start with; without execute bits it is a mount point
 */
struct afsx_symlink_args {
	struct afsx_fid dir;
	struct afsx_str name;
	struct afsx_str target;
	struct afsx_store_status in;
};

/**
 * struct afsx_symlink_reply - Symlink
 * @fid: the link
 * @status: of the link
 * @dir_status: of the directory
 * @sync: of the volume
 */
struct afsx_symlink_reply {
	struct afsx_fid fid;
	struct afsx_status status;
	struct afsx_status dir_status;
	struct afsx_volsync sync;
};

/**
 * struct afsx_link_args - Link
 * @dir: directory
 * @name: of the new entry
 * @fid: the file that gets another name
 */
struct afsx_link_args {
	struct afsx_fid dir;
	struct afsx_str name;
	struct afsx_fid fid;
};

/**
 * struct afsx_link_reply - Link
 * @status: of the file
 * @dir_status: of the directory
 * @sync: of the volume
 */
struct afsx_link_reply {
	struct afsx_status status;
	struct afsx_status dir_status;
	struct afsx_volsync sync;
};

/**
 * struct afsx_set_lock_args - SetLock
 * @fid: vnode
 * @type: AFSX_LOCK_READ or AFSX_LOCK_WRITE
 */
struct afsx_set_lock_args {
	struct afsx_fid fid;
	u32 type;
};

/**
 * struct afsx_sync_reply - SetLock, ExtendLock, ReleaseLock
 * @sync: of the volume
 */
struct afsx_sync_reply {
	struct afsx_volsync sync;
};

/**
 * struct afsx_set_volume_args - SetVolumeStatus
 * @vid: volume id
 * @mask: AFSX_SET_MIN_QUOTA, AFSX_SET_MAX_QUOTA
 * @min_quota: KiB guaranteed
 * @max_quota: quota in KiB; 0 means none
 * @name: new name of the volume; like the other two, empty to leave it alone
 * @offline_msg: why the volume is off line
 * @motd: message of the day
 */
struct afsx_set_volume_args {
	u32 vid;
	u32 mask;
	s32 min_quota;
	s32 max_quota;
	struct afsx_str name;
	struct afsx_str offline_msg;
	struct afsx_str motd;
};

/**
 * struct afsx_flush_cps_args - FlushCPS
 * @nr_ids: entries of @id
 * @id: AFS ids whose memberships to ask for anew
 * @nr_addrs: entries of @addr
 * @addr: hosts likewise, IPv4 addresses as the client had them
 * @spare: without meaning
 */
struct afsx_flush_cps_args {
	u32 nr_ids;
	u32 id[AFSX_FLUSH_MAX];
	u32 nr_addrs;
	u32 addr[AFSX_FLUSH_MAX];
	u32 spare;
};

/**
 * struct afsx_flush_cps_reply - FlushCPS
 * @spare: without meaning
 */
struct afsx_flush_cps_reply {
	u32 spare[2];
};

#endif /* AFSX_RPC_CHANGE_H */
