/* SPDX-License-Identifier: MIT */
/*
 * The volume store: volumes, vnodes, directories and file data kept on blocks
 * of an NBD export.  On-device format: Documentation/store-format.rst.
 *
 * Conventions, for every function here:
 *  - 0 (or a count) on success, negative errno on failure;
 *  - any thread may call any function, unless it says otherwise;
 *  - a read sees the last committed state, and returns only once that state is
 *    durable, so that nothing a client was told can be lost by a crash;
 *  - changes happen between store_begin() and store_commit(), one writer at a
 *    time; the others queue in store_begin();
 *  - volumes are addressed by id, in fid.vid.  The ids of one volume group are
 *    V (read/write), V + 1 (.readonly) and V + 2 (.backup).
 *
 * Errors with one meaning throughout:
 *  -ENOMEDIUM	no such volume
 *  -ENOENT	no such vnode, or no such name in the directory
 *  -ESTALE	the vnode exists with another uniquifier
 *  -EROFS	the volume is a clone, or the store is read-only or degraded
 *  -EDQUOT	the volume's quota would be exceeded
 *  -ENOSPC	the device is full
 *  -EUCLEAN	a checksum or an invariant of the format does not hold
 *  -EIO	the device failed
 */
#ifndef AFSX_STORE_H
#define AFSX_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <afsx/platform.h>
#include <afsx/types.h>

#include "err.h"

struct store;
struct store_tx;

/* ---- opening ---------------------------------------------------------- */

#define STORE_RDONLY	0x1u	/* never write, not even the owner's lease */
#define STORE_TAKEOVER	0x2u	/* open even if another owner seems alive */

#define STORE_CELL_MAX	256
#define STORE_NAME_MAX	64	/* a volume's name, with suffix, without NUL */
#define STORE_TEXT_MAX	255	/* offline message, message of the day */
#define STORE_TARGET_MAX 1023	/* symlink target, without NUL */
#define STORE_ACL_MAX	1024	/* external form of an access list */

/**
 * struct store_config - how to open a store
 * @uri: NBD URI of the export
 * @flags: STORE_*
 * @readers: threads that can read at once; 0 means 8
 * @cache_mib: memory for metadata pages, MiB; 0 means 64
 * @reconnect_s: seconds to keep trying after the NBD server went away before
 *	the store stops; 0 means 30
 */
struct store_config {
	const char *uri;
	unsigned int flags;
	unsigned int readers;
	unsigned int cache_mib;
	unsigned int reconnect_s;
};

/**
 * struct store_format_opts - how to make a new store
 * @uri: NBD URI of the export
 * @force: overwrite an existing store or other data
 * @wal_mib: size of the log region, MiB; 0 means chosen by the device's size
 */
struct store_format_opts {
	const char *uri;
	bool force;
	unsigned int wal_mib;
};

/**
 * store_format() - write an empty store
 * @o: what and where
 * @err: says why on failure
 *
 * Return: 0; -EEXIST when the device holds something and @o->force is not set;
 * -ENOSPC when it is too small; -EBUSY when a live owner has it.
 */
int store_format(const struct store_format_opts *o, struct errbuf *err);

/**
 * store_open() - open a store, recovering it after a crash
 * @cfg: how
 * @st: the handle, on success
 * @err: says why on failure
 *
 * Return: 0; -EBUSY when another process owns the store; -EMEDIUMTYPE when
 * there is no store on the device; -EUCLEAN when it is damaged.
 */
int store_open(const struct store_config *cfg, struct store **st,
	       struct errbuf *err);

/**
 * store_close() - make everything durable and release the store
 * @st: a handle, or NULL; no other thread may be inside the store
 *
 * Return: 0, or the error that stopped the store earlier.
 */
int store_close(struct store *st);

/**
 * struct store_info - facts about a whole store
 * @uuid: of the store; serves as the server's UUID in the VLDB
 * @device_kib: size of the device, KiB
 * @total_kib: what volumes can use of it, KiB
 * @free_kib: what is left of that, KiB
 * @volumes: number of volumes, clones included
 * @vnodes: number of live vnodes of R/W volumes
 * @meta_kib: size of the metadata region, KiB
 * @wal_kib: size of the log region, KiB
 * @failed: 0, or the negative errno that made the store read-only
 */
struct store_info {
	struct afsx_uuid uuid;
	u64 device_kib;
	u64 total_kib;
	u64 free_kib;
	u64 volumes;
	u64 vnodes;
	u64 meta_kib;
	u64 wal_kib;
	int failed;
};

/** store_info() - fill in @info; counts are read from the store (slow). */
int store_info(struct store *st, struct store_info *info);

/** store_space() - total and free KiB only; takes no lock, cheap. */
void store_space(struct store *st, u64 *total_kib, u64 *free_kib);

/* ---- volumes ---------------------------------------------------------- */

/**
 * struct store_vol - one volume (a R/W volume or a clone) at one moment
 * @id: this volume's id
 * @rw_id: id of the group's R/W volume
 * @type: AFSX_VOL_RW, AFSX_VOL_RO or AFSX_VOL_BACKUP
 * @name: with its .readonly or .backup suffix, NUL-terminated
 * @offline_msg: what clients see when it is offline
 * @motd: message of the day
 * @online: false when an administrator took it offline
 * @quota_kib: limit, KiB; 0 means none
 * @used_kib: KiB in use (of a clone: when it was made)
 * @files: vnodes in use (of a clone: when it was made)
 * @created: seconds since 1970; of a clone: when it was last made
 * @updated: seconds since 1970 of the last change of its contents
 */
struct store_vol {
	u32 id;
	u32 rw_id;
	enum afsx_voltype type;
	char name[STORE_NAME_MAX + 1];
	char offline_msg[STORE_TEXT_MAX + 1];
	char motd[STORE_TEXT_MAX + 1];
	bool online;
	u64 quota_kib;
	u64 used_kib;
	u64 files;
	s64 created;
	s64 updated;
};

/** store_vol_get() - volume by id; -ENOMEDIUM. */
int store_vol_get(struct store *st, u32 id, struct store_vol *vol);

/** store_vol_find() - volume by full name (suffix included); -ENOMEDIUM. */
int store_vol_find(struct store *st, const char *name, size_t len,
		   struct store_vol *vol);

/**
 * struct store_group - what a VLDB entry says of a volume group
 * @name: base name, without suffix
 * @id: ids by enum afsx_voltype; reserved even when the volume does not exist
 * @exists: by enum afsx_voltype
 */
struct store_group {
	char name[STORE_NAME_MAX + 1];
	u32 id[3];
	bool exists[3];
};

/** store_group_get() - group that volume id @id belongs to; -ENOMEDIUM. */
int store_group_get(struct store *st, u32 id, struct store_group *g);

/** store_group_find() - group by base name or suffixed name; -ENOMEDIUM. */
int store_group_find(struct store *st, const char *name, size_t len,
		     struct store_group *g);

/**
 * store_vol_next() - iterate over volumes in the order of their ids
 * @st: store
 * @after: id to start behind; 0 to begin
 * @vol: the next volume
 *
 * Return: 1 with @vol filled in, 0 at the end, or a negative errno.
 */
int store_vol_next(struct store *st, u32 after, struct store_vol *vol);

/**
 * store_vol_create() - make an empty R/W volume with a root directory
 * @tx: transaction
 * @name: base name: 1..54 of [A-Za-z0-9._-], not numeric, without suffix
 * @quota_kib: limit, KiB; 0 means none
 * @id: the new volume's id
 *
 * Return: 0; -EEXIST; -EINVAL or -ENAMETOOLONG for a bad name.
 */
int store_vol_create(struct store_tx *tx, const char *name, u64 quota_kib,
		     u32 *id);

/**
 * store_vol_clone() - make or renew a clone, in constant time
 * @tx: transaction
 * @rw_id: the R/W volume
 * @type: AFSX_VOL_RO or AFSX_VOL_BACKUP
 * @id: the clone's id
 */
int store_vol_clone(struct store_tx *tx, u32 rw_id, enum afsx_voltype type,
		    u32 *id);

/**
 * store_vol_remove() - forget a volume; what it occupied is freed by
 * store_collect()
 *
 * Return: 0; -EBUSY for a R/W volume that still has clones.
 */
int store_vol_remove(struct store_tx *tx, u32 id);

/* What store_vol_set() shall change */
#define STORE_VOL_QUOTA		0x1u
#define STORE_VOL_ONLINE	0x2u
#define STORE_VOL_OFFLINE_MSG	0x4u
#define STORE_VOL_MOTD		0x8u

/** store_vol_set() - change the attributes of @vol->id named in @mask. */
int store_vol_set(struct store_tx *tx, const struct store_vol *vol,
		  unsigned int mask);

/**
 * store_collect() - free what no volume refers to any more
 * @st: store
 * @max: rows to handle at most, in one transaction of its own
 *
 * Return: rows freed (0: nothing left), or a negative errno.
 */
int store_collect(struct store *st, unsigned int max);

/* ---- reading ---------------------------------------------------------- */

/**
 * struct store_status - one vnode at one moment
 * @fid: as asked for, with the uniquifier filled in
 * @type: file, directory or symlink
 * @size: bytes: file data, directory blob, or length of the target
 * @dv: data version
 * @nlink: directory entries that lead here (directories: 2 + subdirectories)
 * @mode: permission bits, 07777
 * @owner: user id
 * @group: group id
 * @author: user id of the last writer
 * @parent_vnode: directory that holds it (the root: itself)
 * @parent_unique: uniquifier of that directory
 * @mtime_client: seconds since 1970 of the last change, as clients set it
 * @mtime_server: seconds since 1970 of the last change, by this server's clock
 * @used_kib: KiB it occupies
 */
struct store_status {
	struct afsx_fid fid;
	enum afsx_ftype type;
	u64 size;
	u64 dv;
	u32 nlink;
	u32 mode;
	u32 owner;
	u32 group;
	u32 author;
	u32 parent_vnode;
	u32 parent_unique;
	s64 mtime_client;
	s64 mtime_server;
	u64 used_kib;
};

/**
 * store_getattr() - status of a vnode
 * @st: store
 * @fid: which; a uniquifier of 0 matches any
 * @status: result
 */
int store_getattr(struct store *st, const struct afsx_fid *fid,
		  struct store_status *status);

/**
 * store_read() - bytes of a file, of a directory's blob or of a link's target
 * @st: store
 * @fid: which
 * @off: first byte
 * @buf: where to put them
 * @len: how many, at most; ask for up to 1 MiB at a time
 * @status: NULL, or the status at the very moment the bytes were read
 *
 * Blocks are verified against their checksums.  Holes read as zeros.
 *
 * Return: bytes read, fewer than @len only at the end of the file.
 */
ssize_t store_read(struct store *st, const struct afsx_fid *fid, u64 off,
		   void *buf, size_t len, struct store_status *status);

/** store_lookup() - a name in a directory; -ENOTDIR, -ENOENT. */
int store_lookup(struct store *st, const struct afsx_fid *dir,
		 const char *name, size_t len, struct afsx_fid *fid);

/**
 * typedef store_emit_t - receives one directory entry
 *
 * Return: true to go on, false to stop.
 */
typedef bool (*store_emit_t)(void *ctx, const char *name, size_t len,
			     const struct afsx_fid *fid);

/** store_readdir() - every entry of a directory, "." and ".." included. */
int store_readdir(struct store *st, const struct afsx_fid *dir,
		  store_emit_t emit, void *ctx);

/**
 * store_acl_get() - access list of a directory
 * @st: store
 * @fid: a directory
 * @buf: external (text) form, not NUL-terminated
 * @size: room in @buf, at least STORE_ACL_MAX
 *
 * Return: length; 0 when the directory has the default list.
 */
ssize_t store_acl_get(struct store *st, const struct afsx_fid *fid, char *buf,
		      size_t size);

/* ---- changing --------------------------------------------------------- */

/**
 * store_begin() - start a transaction
 *
 * Waits until no other thread is changing the store.  The thread that calls
 * store_begin() must end the transaction itself, and not call the reading
 * functions in between: the tx_* variants see its own changes.
 *
 * Return: 0; -EROFS; -EIO when the store has stopped.
 */
int store_begin(struct store *st, struct store_tx **tx);

/**
 * store_commit() - make a transaction durable and visible, and end it
 *
 * Other transactions may start, and share the same device flush, while this
 * one waits for the device.  The notifier runs before it returns.
 *
 * Return: 0; on error nothing of the transaction has happened, unless the
 * store has stopped (-EIO), when only recovery can tell.
 */
int store_commit(struct store_tx *tx);

/** store_abort() - undo a transaction and end it. */
void store_abort(struct store_tx *tx);

/* What store_setattr() shall change, and store_attr carries */
#define STORE_SET_MODE		0x01u
#define STORE_SET_OWNER		0x02u
#define STORE_SET_GROUP		0x04u
#define STORE_SET_MTIME		0x08u
#define STORE_SET_SIZE		0x10u
#define STORE_SET_AUTHOR	0x20u

/**
 * struct store_attr - attributes to give to a vnode
 * @mask: STORE_SET_* of the members that count
 * @mode: permission bits, 07777
 * @owner: user id
 * @group: group id
 * @author: user id of the writer
 * @mtime: seconds since 1970
 * @size: bytes, files only: truncates or extends with a hole
 */
struct store_attr {
	unsigned int mask;
	u32 mode;
	u32 owner;
	u32 group;
	u32 author;
	s64 mtime;
	u64 size;
};

/** store_tx_getattr() - store_getattr() within a transaction. */
int store_tx_getattr(struct store_tx *tx, const struct afsx_fid *fid,
		     struct store_status *status);

/** store_tx_lookup() - store_lookup() within a transaction. */
int store_tx_lookup(struct store_tx *tx, const struct afsx_fid *dir,
		    const char *name, size_t len, struct afsx_fid *fid);

/**
 * store_create() - make a file, directory or symlink and enter its name
 * @tx: transaction
 * @dir: directory, of a R/W volume
 * @name: 1..255 bytes without '/' or NUL, not "." or ".."
 * @len: of @name
 * @type: AFSX_FTYPE_FILE, _DIR or _SYMLINK
 * @attr: what to start with; defaults are mode 0644 (0755, 0777), ids 0, now
 * @target: of a symlink, 1..1023 bytes, NUL-terminated; else NULL
 * @fid: the new vnode
 *
 * Return: 0; -EEXIST; -ENOTDIR; -EINVAL or -ENAMETOOLONG for @name or @target;
 * -EFBIG when the directory is full.
 */
int store_create(struct store_tx *tx, const struct afsx_fid *dir,
		 const char *name, size_t len, enum afsx_ftype type,
		 const struct store_attr *attr, const char *target,
		 struct afsx_fid *fid);

/**
 * store_write() - write to a file, extending it when needed
 * @tx: transaction
 * @fid: a file
 * @off: first byte
 * @buf: data, copied before the function returns
 * @len: bytes; best in multiples of 1 MiB at multiples of 4 KiB
 *
 * The data version grows by one per transaction, not per call.
 *
 * Return: 0; -EDQUOT; -ENOSPC; -EFBIG; -EISDIR or -EINVAL when not a file.
 */
int store_write(struct store_tx *tx, const struct afsx_fid *fid, u64 off,
		const void *buf, size_t len);

/** store_setattr() - change attributes of a vnode. */
int store_setattr(struct store_tx *tx, const struct afsx_fid *fid,
		  const struct store_attr *attr);

/** store_acl_set() - access list of a directory; length 0: the default. */
int store_acl_set(struct store_tx *tx, const struct afsx_fid *fid,
		  const char *acl, size_t len);

/** store_link() - another name for a file or symlink; -EISDIR, -EEXIST. */
int store_link(struct store_tx *tx, const struct afsx_fid *dir,
	       const char *name, size_t len, const struct afsx_fid *fid);

/**
 * store_unlink() - remove a name, and the vnode with its last name
 * @tx: transaction
 * @dir: directory
 * @name: entry
 * @len: of @name
 * @want_dir: true to remove an empty directory, false anything else
 * @fid: NULL, or what the name led to
 *
 * Return: 0; -ENOENT; -ENOTEMPTY; -ENOTDIR or -EISDIR against @want_dir.
 */
int store_unlink(struct store_tx *tx, const struct afsx_fid *dir,
		 const char *name, size_t len, bool want_dir,
		 struct afsx_fid *fid);

/**
 * store_rename() - move an entry, replacing the target as rename(2) does
 *
 * Return: 0; -ENOENT; -EXDEV between volumes; -EINVAL into its own
 * subdirectory; -ENOTEMPTY; -ENOTDIR; -EISDIR.
 */
int store_rename(struct store_tx *tx, const struct afsx_fid *from_dir,
		 const char *from, size_t from_len,
		 const struct afsx_fid *to_dir, const char *to, size_t to_len);

/* ---- news ------------------------------------------------------------- */

/**
 * typedef store_notify_t - told what a transaction changed, once it is durable
 * @ctx: as registered
 * @fids: vnodes whose status or data changed or that are gone; an entry with
 *	vnode 0 and unique 0 means the whole volume (renewed or removed clone)
 * @nr: number of entries, at least 1
 *
 * Runs in the thread that commits, before store_commit() returns, with no lock
 * of the store held: it may call the reading functions.  Breaking callbacks
 * here makes the writer wait for it, as AFS wants.
 */
typedef void (*store_notify_t)(void *ctx, const struct afsx_fid *fids,
			       size_t nr);

/** store_set_notify() - register the one receiver; before threads start. */
void store_set_notify(struct store *st, store_notify_t fn, void *ctx);

/* ---- checking --------------------------------------------------------- */

#define STORE_CHECK_DATA	0x1u	/* read and verify file data as well */

/** typedef store_report_t - receives one problem, one line, per call */
typedef void (*store_report_t)(void *ctx, const char *problem);

/**
 * store_check() - verify every invariant of the format
 * @st: store; writers are held up while it runs
 * @flags: STORE_CHECK_*
 * @report: told of every problem
 * @ctx: for @report
 *
 * Return: number of problems found, or a negative errno when the check itself
 * could not go on.
 */
int store_check(struct store *st, unsigned int flags, store_report_t report,
		void *ctx);

#endif /* AFSX_STORE_H */
