/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Vnodes: the inodes of a volume, and of the dynamic root.
 */
#ifndef AFSX_VNODE_H
#define AFSX_VNODE_H

#include <linux/bitops.h>
#include <linux/mutex.h>
#include <linux/netfs.h>
#include <linux/seqlock.h>
#include <afsx/types.h>
#include "callback.h"

struct afsx_dirblob;
struct afsx_op;
struct afsx_volume;
struct key;

/**
 * enum afsx_vnode_flag - bits of afsx_vnode.flags
 * @AFSX_V_ZAP: cached file pages are of an older data version; drop them
 *	before the next use
 * @AFSX_V_DELETED: the server says the vnode is gone
 * @AFSX_V_MOUNTPOINT: an AFS mount point, shown as a directory
 * @AFSX_V_AUTOCELL: unknown names in this directory may be cells
 * @AFSX_V_PSEUDO: exists only here (dynamic root, autocell entries)
 */
enum afsx_vnode_flag {
	AFSX_V_ZAP,
	AFSX_V_DELETED,
	AFSX_V_MOUNTPOINT,
	AFSX_V_AUTOCELL,
	AFSX_V_PSEUDO,
};

#define AFSX_NR_PERMITS	4

/**
 * struct afsx_permit - rights of one key's holder on a vnode
 * @key: serial of the key, 0 for none
 * @access: AFS access bits from CallerAccess
 */
struct afsx_permit {
	s32	key;
	u32	access;
};

/**
 * struct afsx_vnode - an inode of a volume
 * @netfs: the inode; first, as netfs wants it
 * @fid: identity; constant while the inode lives
 * @volume: its volume; the superblock holds the reference. NULL for a pseudo
 *	inode
 * @flags: &enum afsx_vnode_flag
 * @cb_lock: guards @promise, @data_version, @permit and the inode attributes
 *	that come from a status. Taken for writing from process context and
 *	from the callback service's work, never from interrupts
 * @promise: the callback promise
 * @data_version: version of the contents that the attributes describe
 * @cb_breaks: promises of this vnode broken by its servers so far
 * @permit: cached rights, most recent first; valid while @promise holds
 * @validate_lock: one FetchStatus at a time; never held while data are read
 * @dir_lock: one fetch of a directory's contents at a time
 * @dir: a directory's contents, immutable, RCU; NULL until fetched
 * @link: target of a symbolic link or mount point, RCU; NULL until fetched
 * @cell_name: pseudo automount directories: target like "#cell:root.cell."
 */
struct afsx_vnode {
	struct netfs_inode	netfs;
	struct afsx_fid		fid;
	struct afsx_volume	*volume;
	unsigned long		flags;
	seqlock_t		cb_lock;
	struct afsx_promise	promise;
	u64			data_version;
	atomic_t		cb_breaks;
	struct afsx_permit	permit[AFSX_NR_PERMITS];
	struct mutex		validate_lock;
	struct mutex		dir_lock;
	struct afsx_dirblob __rcu *dir;
	char __rcu		*link;
};

static inline struct afsx_vnode *AFSX_V(const struct inode *inode)
{
	return container_of(inode, struct afsx_vnode, netfs.inode);
}

int afsx_inode_cache_init(void);
void afsx_inode_cache_exit(void);
struct inode *afsx_inode_alloc(struct super_block *sb);
void afsx_inode_free(struct inode *inode);
void afsx_inode_evict(struct inode *inode);

/**
 * afsx_iget - find or make the inode of a FID from a status just received
 * @sb: superblock of the volume
 * @fid: identity
 * @op: the operation whose reply holds @status, with its snapshots
 * @status: the status
 * @cb: the promise that came with it, or NULL
 *
 * Return: a counted inode or ERR_PTR(-ENOMEM, -EIO for a status that cannot
 * be, -ESTALE when the existing inode is of another type).
 */
struct inode *afsx_iget(struct super_block *sb, const struct afsx_fid *fid,
			const struct afsx_op *op,
			const struct afsx_status *status,
			const struct afsx_callback *cb);

/**
 * afsx_iget_root - fetch the status of a volume's root and make its inode
 */
struct inode *afsx_iget_root(struct super_block *sb, struct key *key);

/*
 * The vnode of a FID if it is in memory, for the callback service. Not counted:
 * valid inside the caller's RCU read section only (find_inode_rcu()), where a
 * dying superblock does no harm.
 */
struct afsx_vnode *afsx_vnode_find_rcu(struct super_block *sb,
				       const struct afsx_fid *fid);

/**
 * afsx_vnode_apply - apply a status and its promise in one critical section
 * @vnode: the vnode
 * @op: operation with the reply's snapshots
 * @status: what the server says
 * @cb: promise or NULL
 * @breaks: @vnode->cb_breaks read before the call was issued
 *
 * Return: 0, -ESTALE (another type than the inode's), -EIO (impossible).
 */
int afsx_vnode_apply(struct afsx_vnode *vnode, const struct afsx_op *op,
		     const struct afsx_status *status,
		     const struct afsx_callback *cb, u32 breaks);

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
 * afsx_validate - make sure the cached status is current, asking if need be
 * @vnode: the vnode
 * @key: security
 *
 * Return: 0, -ESTALE when the vnode is gone, or what the call met.
 */
int afsx_validate(struct afsx_vnode *vnode, struct key *key);

/* Operation boiler plate for a vnode: volume, key, group, killable. */
void afsx_op_init_vnode(struct afsx_op *op, struct afsx_vnode *vnode,
			struct key *key);

#endif /* AFSX_VNODE_H */
