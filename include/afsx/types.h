/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * AFS-3: numbers of the protocol and its decoded data types.
 *
 * All fields are in host order unless they say otherwise.  The wire layouts
 * are those of OpenAFS's interface files (common.xg, afsint.xg, afscbint.xg,
 * vldbint.xg); the comment of each struct names its source type.
 */
#ifndef AFSX_TYPES_H
#define AFSX_TYPES_H

#include <afsx/platform.h>
#include <afsx/abort.h>

/* UDP ports and Rx service ids */
#define AFSX_FS_PORT		7000	/* file server */
#define AFSX_CB_PORT		7001	/* callback service of a cache manager */
#define AFSX_VL_PORT		7003	/* volume location server */

#define AFSX_SVC_FS		1
#define AFSX_SVC_CB		1	/* as FS: only the port tells them apart */
#define AFSX_SVC_VL		52

/* Limits; string lengths are bytes without a terminating NUL */
#define AFSX_NAME_MAX		255	/* directory entry (AFSNAMEMAX 256 counts the NUL) */
#define AFSX_PATH_MAX		1023	/* symbolic link target (AFSPATHMAX 1024) */
#define AFSX_OPAQUE_MAX		1024	/* AFSOPAQUEMAX: ACL text, volume messages */
#define AFSX_BULK_MAX		50	/* AFSCBMAX: FIDs in one bulk call */
#define AFSX_CAPS_MAX		196	/* AFSCAPABILITIESMAX: words */
#define AFSX_VLSERVERS_MAX	13	/* NMAXNSERVERS: servers of a VLDB entry */
#define AFSX_VLSERVERS_OLD_MAX	8	/* OMAXNSERVERS: servers of an old-style entry */
#define AFSX_VL_ADDRS_MAX	16	/* addresses kept of one server (a VLDB holds 15) */
#define AFSX_VL_LIST_MAX	32	/* entries kept of one list of them */
#define AFSX_IFADDRS_MAX	32	/* AFS_MAX_INTERFACE_ADDR */
#define AFSX_VOLNAME_MAX	64	/* VL_MAXNAMELEN 65 counts the NUL */
#define AFSX_CELLNAME_MAX	253	/* a cell name is a DNS domain name */

/* The root directory of every volume */
#define AFSX_ROOT_VNODE		1
#define AFSX_ROOT_UNIQUE	1

/* afsx_status.caller_access, .anon_access: rights of an ACL (prs_fs.h) */
#define AFSX_ACE_READ		0x01
#define AFSX_ACE_WRITE		0x02
#define AFSX_ACE_INSERT		0x04
#define AFSX_ACE_LOOKUP		0x08
#define AFSX_ACE_DELETE		0x10
#define AFSX_ACE_LOCK		0x20
#define AFSX_ACE_ADMINISTER	0x40
#define AFSX_ACE_USER(n)	(0x01000000u << (n))	/* application rights 0..7 */

/* Capability words */
#define AFSX_FS_CAP_ERRORTRANS	0x1	/* aborts carry unified AFS errors */
#define AFSX_FS_CAP_64BITFILES	0x2
#define AFSX_FS_CAP_WRITELOCKACL 0x4
#define AFSX_FS_CAP_SANEACLS	0x8
#define AFSX_CB_CAP_ERRORTRANS	0x1

/* afsx_callback.version and .type */
#define AFSX_CALLBACK_VERSION	1
#define AFSX_CB_EXCLUSIVE	1
#define AFSX_CB_SHARED		2
#define AFSX_CB_DROPPED		3

/* afsx_status.if_version */
#define AFSX_STATUS_VERSION	1

/* afsx_volstatus.type (afsint.xg: ReadOnly, ReadWrite) */
#define AFSX_VOLSTATUS_READONLY		0
#define AFSX_VOLSTATUS_READWRITE	1

/* afsx_vldb.flags */
#define AFSX_VLF_RWEXISTS	0x1000
#define AFSX_VLF_ROEXISTS	0x2000
#define AFSX_VLF_BACKEXISTS	0x4000

/* afsx_vldb_server.flags */
#define AFSX_VLSF_NEWREPSITE	0x01	/* replica not yet released to */
#define AFSX_VLSF_ROVOL		0x02
#define AFSX_VLSF_RWVOL		0x04
#define AFSX_VLSF_BACKVOL	0x08
#define AFSX_VLSF_UUID		0x10
#define AFSX_VLSF_DONTUSE	0x20

/* afsx_vl_addrs_args.mask: which of the fields is the key */
#define AFSX_VLADDR_IPADDR	0x1
#define AFSX_VLADDR_INDEX	0x2
#define AFSX_VLADDR_UUID	0x4

/* afsx_vl_id_args.type: any type of volume; otherwise an afsx_voltype */
#define AFSX_VL_TYPE_ANY	(-1)

/**
 * enum afsx_voltype - The three volumes that can share a name
 * @AFSX_VOL_RW: read/write
 * @AFSX_VOL_RO: read-only replica, name suffix ".readonly"
 * @AFSX_VOL_BACKUP: snapshot, name suffix ".backup"
 * @AFSX_VOL_TYPES: how many there are
 */
enum afsx_voltype {
	AFSX_VOL_RW	= 0,
	AFSX_VOL_RO	= 1,
	AFSX_VOL_BACKUP	= 2,
	AFSX_VOL_TYPES,
};

/**
 * enum afsx_ftype - afsx_status.type
 * @AFSX_FTYPE_INVALID: only in an error entry of InlineBulkStatus
 * @AFSX_FTYPE_FILE: regular file
 * @AFSX_FTYPE_DIR: directory (its vnode number is odd)
 * @AFSX_FTYPE_SYMLINK: symbolic link, or mount point when not executable
 */
enum afsx_ftype {
	AFSX_FTYPE_INVALID	= 0,
	AFSX_FTYPE_FILE		= 1,
	AFSX_FTYPE_DIR		= 2,
	AFSX_FTYPE_SYMLINK	= 3,
};

/**
 * struct afsx_str - Bytes inside a buffer that somebody else owns
 * @p: first byte; not NUL-terminated
 * @len: length in bytes
 *
 * A decoded string points into the message it came from and lives as long.
 */
struct afsx_str {
	const char *p;
	u32 len;
};

/**
 * struct afsx_fid - AFSFid: names a vnode within a cell
 * @vid: volume id
 * @vnode: vnode number; odd for a directory; 0 for "the whole volume"
 * @unique: uniquifier of the vnode slot
 */
struct afsx_fid {
	u32 vid;
	u32 vnode;
	u32 unique;
};

/**
 * struct afsx_uuid - afsUUID
 * @b: the 16 octets in network order, as a UUID is printed
 */
struct afsx_uuid {
	u8 b[16];
};

/**
 * struct afsx_status - AFSFetchStatus
 * @size: length in bytes; below 2^63
 * @data_version: counts changes of the contents
 * @if_version: InterfaceVersion, 1; 0 in some error entries of InlineBulkStatus
 * @type: enum afsx_ftype
 * @nlink: link count
 * @author: AFS id of the last writer of data
 * @owner: AFS id of the owner
 * @group: group id
 * @caller_access: AFSX_ACE_* of the caller
 * @anon_access: AFSX_ACE_* of everybody
 * @mode: permission bits, within 07777
 * @parent_vnode: directory the vnode is in
 * @parent_unique: its uniquifier
 * @lock_count: advisory locks: > 0 readers, -1 (as unsigned) a writer
 * @abort_code: of this entry, in InlineBulkStatus; 0 when the entry is good
 * @mtime_client: modification time set by a client, seconds of the epoch
 * @mtime_server: time the server last changed the vnode, seconds of the epoch
 *
 * Times travel as unsigned 32-bit words; the encoder saturates.
 */
struct afsx_status {
	u64 size;
	u64 data_version;
	u32 if_version;
	u32 type;
	u32 nlink;
	u32 author;
	u32 owner;
	u32 group;
	u32 caller_access;
	u32 anon_access;
	u32 mode;
	u32 parent_vnode;
	u32 parent_unique;
	u32 lock_count;
	s32 abort_code;
	s64 mtime_client;
	s64 mtime_server;
};

/**
 * struct afsx_callback - AFSCallBack
 * @version: AFSX_CALLBACK_VERSION
 * @expires_in: seconds after the call was issued; 0 means no promise
 * @type: AFSX_CB_SHARED etc.
 */
struct afsx_callback {
	u32 version;
	u32 expires_in;
	u32 type;
};

/**
 * struct afsx_volsync - AFSVolSync: what changes when a volume is replaced
 * @creation: creation time of the volume, seconds of the epoch
 * @spare: the other five words, which have no agreed meaning
 */
struct afsx_volsync {
	u32 creation;
	u32 spare[5];
};

/**
 * struct afsx_volstatus - AFSFetchVolumeStatus and the three strings after it
 * @vid: volume id
 * @parent_id: id of the read/write volume
 * @online: volume is on line
 * @in_service: volume is in service
 * @blessed: salvager approved
 * @needs_salvage: volume is damaged
 * @type: AFSX_VOLSTATUS_READONLY (also of a backup volume) or _READWRITE
 * @min_quota: KiB guaranteed (unused by servers)
 * @max_quota: quota in KiB; 0 means none
 * @blocks_in_use: KiB the volume uses
 * @part_avail: KiB free on the partition
 * @part_max: KiB the partition has
 * @name: volume name
 * @offline_msg: why the volume is off line
 * @motd: message of the day
 */
struct afsx_volstatus {
	u32 vid;
	u32 parent_id;
	u8 online;
	u8 in_service;
	u8 blessed;
	u8 needs_salvage;
	u32 type;
	s32 min_quota;
	s32 max_quota;
	s32 blocks_in_use;
	s32 part_avail;
	s32 part_max;
	struct afsx_str name;
	struct afsx_str offline_msg;
	struct afsx_str motd;
};

/**
 * struct afsx_vldb_server - One site of a volume
 * @uuid: file server, in U entries
 * @addr: IPv4 address of the file server, host order, in N and old entries
 * @uniquifier: version of the server's address list, in U entries
 * @partition: partition number (0 is /vicepa)
 * @flags: AFSX_VLSF_*
 */
struct afsx_vldb_server {
	struct afsx_uuid uuid;
	u32 addr;
	u32 uniquifier;
	u32 partition;
	u32 flags;
};

/**
 * struct afsx_vldb - uvldbentry, nvldbentry or vldbentry: where a volume is
 * @name: base name, NUL-terminated
 * @vid: ids by enum afsx_voltype; valid where @flags says the volume exists
 * @clone_id: id used while a release is under way
 * @flags: AFSX_VLF_*
 * @match_index: the server matched by a search (U and N forms)
 * @nr: entries of @server in use
 * @server: sites of all three volumes
 */
struct afsx_vldb {
	char name[AFSX_VOLNAME_MAX + 1];
	u32 vid[AFSX_VOL_TYPES];
	u32 clone_id;
	u32 flags;
	u32 match_index;
	u32 nr;
	struct afsx_vldb_server server[AFSX_VLSERVERS_MAX];
};

static inline bool afsx_fid_eq(const struct afsx_fid *a, const struct afsx_fid *b)
{
	return a->vid == b->vid && a->vnode == b->vnode && a->unique == b->unique;
}

static inline bool afsx_uuid_eq(const struct afsx_uuid *a, const struct afsx_uuid *b)
{
	return !memcmp(a->b, b->b, sizeof(a->b));
}

#endif /* AFSX_TYPES_H */
