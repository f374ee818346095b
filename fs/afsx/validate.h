/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keeping vnodes current: what servers send is applied, what is out of date is asked
 * for again.
 */
#ifndef AFSX_VALIDATE_H
#define AFSX_VALIDATE_H

#include <linux/fs.h>
#include <afsx/types.h>

struct afsx_op;
struct afsx_vnode;
struct iov_iter;
struct key;

/**
 * afsx_vnode_check_status - could an honest server have sent this?
 * @fid: whose status
 * @status: the status
 *
 * Pure. Return: 0 or -EIO.
 */
int afsx_vnode_check_status(const struct afsx_fid *fid,
			    const struct afsx_status *status);

/**
 * afsx_status_is_mntpt - is this the status of an AFS mount point?
 * @status: the status
 *
 * Mount points are symbolic links that nobody may execute. Pure.
 */
bool afsx_status_is_mntpt(const struct afsx_status *status);

/**
 * afsx_status_mode - the inode's type and permissions
 * @status: a status that passed afsx_vnode_check_status()
 *
 * Pure.
 */
umode_t afsx_status_mode(const struct afsx_status *status);

/**
 * afsx_vnode_apply - apply a status and its promise in one critical section
 * @vnode: the vnode
 * @op: operation with the reply's snapshots
 * @status: what the server says
 * @cb: promise or NULL
 * @breaks: @vnode->cb_breaks read before the call was issued
 *
 * A reply that was overtaken changes nothing: by one with a newer data version, or
 * by one with a promise that still holds, unless it brings an unbroken one, too.
 *
 * Return: 0, -ESTALE (another type than the inode's), -EIO (impossible).
 */
int afsx_vnode_apply(struct afsx_vnode *vnode, const struct afsx_op *op,
		     const struct afsx_status *status,
		     const struct afsx_callback *cb, u32 breaks);

/**
 * afsx_vnode_apply_new - the same for a vnode that may be new in memory
 * @vnode: the vnode, in the inode hash already
 * @op: operation with the reply's snapshots
 * @status: what the server says
 * @cb: promise or NULL
 *
 * The promise counts only if none in the whole volume was broken since the
 * call was issued.
 */
int afsx_vnode_apply_new(struct afsx_vnode *vnode, const struct afsx_op *op,
			 const struct afsx_status *status,
			 const struct afsx_callback *cb);

/* The set-id bits of a file count no more; AFSX_SB()->suid is false already. */
void afsx_vnode_drop_setid(struct afsx_vnode *vnode);

/* The server says that the vnode is gone: every later use gives -ESTALE. */
void afsx_vnode_gone(struct afsx_vnode *vnode);

/**
 * afsx_validate - make sure the cached status is current, asking if need be
 * @vnode: the vnode
 * @key: security
 *
 * Return: 0, -ESTALE when the vnode is gone, or what the call met.
 */
int afsx_validate(struct afsx_vnode *vnode, struct key *key);

/**
 * afsx_vnode_fetch - fetch contents, and apply the status that comes with them
 * @vnode: a file, directory or link
 * @key: security
 * @pos: first byte
 * @len: how many bytes to ask for; @data has room for them
 * @data: where they go; advanced by what came
 * @status: out: the status that belongs to the contents, on success
 *
 * Return: bytes received; -ESTALE when the vnode is gone, or what the call met.
 */
ssize_t afsx_vnode_fetch(struct afsx_vnode *vnode, struct key *key, u64 pos,
			 size_t len, struct iov_iter *data,
			 struct afsx_status *status);

/**
 * afsx_revalidate - ask the server whatever was promised
 * @vnode: the vnode, not a pseudo inode
 * @key: security
 * @access: out, unless NULL: AFSX_ACE_* of the key's holder
 *
 * Return: as afsx_validate().
 */
int afsx_revalidate(struct afsx_vnode *vnode, struct key *key, u32 *access);

/**
 * afsx_vnode_zap - drop cached file pages of an older data version
 * @vnode: a regular file
 *
 * Waits for reads under way. Return: 0; -EBUSY when a page could not be dropped;
 * -EINTR for a fatal signal.
 */
int afsx_vnode_zap(struct afsx_vnode *vnode);

/**
 * afsx_pages_wait - wait until pages of a file are not locked
 * @mapping: the file's
 * @shown: only those that have been read: they are never locked for long
 *
 * One after the other; one that was unlocked may be locked again. Return: 0 or
 * -EINTR for a fatal signal.
 */
int afsx_pages_wait(struct address_space *mapping, bool shown);

/**
 * afsx_vnode_zapped - cached contents of older data versions are gone
 * @vnode: the vnode
 * @version: its data version before they were dropped or replaced
 *
 * Takes cb_lock. Clears %AFSX_V_ZAP unless the data version has moved since.
 */
void afsx_vnode_zapped(struct afsx_vnode *vnode, u64 version);

/* Operation boiler plate for a vnode: volume, key, group, killable. */
void afsx_op_init_vnode(struct afsx_op *op, struct afsx_vnode *vnode,
			struct key *key);

/* inode_operations.getattr of every inode that is a vnode. */
int afsx_getattr(struct mnt_idmap *idmap, const struct path *path,
		 struct kstat *stat, u32 request_mask,
		 unsigned int query_flags);

#endif /* AFSX_VALIDATE_H */
