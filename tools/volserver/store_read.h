/* SPDX-License-Identifier: MIT */
/* Reading from a store; included by store.h, which has the conventions. */
#ifndef AFSX_STORE_READ_H
#define AFSX_STORE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <afsx/platform.h>
#include <afsx/types.h>

#define STORE_TARGET_MAX 1023	/* symlink target, without NUL */
#define STORE_ACL_MAX	1024	/* external form of an access list */

struct store;
struct store_tx;

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
 * store_getattr_acl() - status of a vnode, and the access list it is under
 * @st: store
 * @fid: which; a uniquifier of 0 matches any
 * @status: result
 * @acl: list of the directory itself, or of the one that holds a file or symlink;
 *	external (text) form, not NUL-terminated
 * @size: room in @acl, at least STORE_ACL_MAX
 *
 * Return: length of the list; 0 when it is the default.
 */
ssize_t store_getattr_acl(struct store *st, const struct afsx_fid *fid,
			  struct store_status *status, char *acl, size_t size);

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
 * @ctx: as given to store_readdir()
 * @name: not NUL-terminated
 * @len: bytes of @name
 * @fid: what it leads to
 *
 * It may not call the store.
 *
 * Return: true to go on, false to stop.
 */
typedef bool (*store_emit_t)(void *ctx, const char *name, size_t len,
			     const struct afsx_fid *fid);

/** store_readdir() - every entry of a directory, "." and ".." included. */
int store_readdir(struct store *st, const struct afsx_fid *dir,
		  store_emit_t emit, void *ctx);

/**
 * store_vnode_list() - numbers of the vnodes of a volume, with a name or not
 * @st: store
 * @vid: volume
 * @after: number to start behind; 0 to begin
 * @list: where to put them, in order
 * @max: how many, at most
 *
 * Return: how many; 0 at the end; or a negative errno.
 */
int store_vnode_list(struct store *st, u32 vid, u32 after, u32 *list, int max);

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

#endif /* AFSX_STORE_READ_H */
