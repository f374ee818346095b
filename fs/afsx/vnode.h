/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Vnodes: the inodes of a volume, and of the dynamic root.
 *
 * inode.c makes and finds them, validate.c keeps what they say current.
 */
#ifndef AFSX_VNODE_H
#define AFSX_VNODE_H

#include <linux/bitops.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netfs.h>
#include <linux/seqlock.h>
#include <linux/workqueue.h>
#include <afsx/types.h>
#include "callback.h"

struct afsx_caller;
struct afsx_dirblob;
struct afsx_op;
struct afsx_volume;

/**
 * enum afsx_vnode_flag - bits of afsx_vnode.flags
 * @AFSX_V_ZAP: cached contents (file pages, link target) are of an older data
 *	version; drop them before the next use
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
 * @stamp: afsx_vnode.permit_stamp when they were noted; another: out of date
 */
struct afsx_permit {
	s32	key;
	u32	access;
	u32	stamp;
};

/**
 * struct afsx_vnode - an inode of a volume
 * @netfs: the inode; first, as netfs wants it
 * @fid: identity; constant while the inode lives
 * @volume: its volume; the superblock holds the reference. NULL for an inode
 *	of the dynamic root
 * @flags: &enum afsx_vnode_flag
 * @cb_lock: guards @promise, @data_version, @status_time, the permits and the
 *	inode attributes that come from a status. Taken for writing from
 *	process context and from the callback service's work, never from
 *	interrupts. Nests inside nothing of the VFS; i_lock nests inside it
 * @promise: the callback promise
 * @data_version: version of the contents that the attributes describe
 * @status_time: when a status was last applied (ktime_get_boottime)
 * @cb_breaks: promises of this vnode broken by its servers so far; raised before
 *	@promise is dropped
 * @permit: cached rights, most recent first; valid while @promise holds
 * @permit_stamp: raised whenever there was a gap between two promises
 * @rights_gen: afsx_volume.rights_gen that the permits of a file belong to
 * @validate_lock: one FetchStatus at a time; never held while data are read
 * @fetch_lock: one fetch of a directory's contents or a link's target at a
 *	time. Taken outside @validate_lock, never inside
 * @dir: a directory's contents, immutable, RCU; NULL until fetched
 * @scan_hint: position in a directory after the entries that a look-up last
 *	asked the server for; only a hint
 * @link: target of a symbolic link or mount point, RCU; NULL until fetched.
 *	A pseudo directory that automounts has one like "#cell:root.cell." from
 *	the start. Changed with @fetch_lock held
 * @nr_mapped: memory mappings of a file
 * @mapped: in the list of mapped vnodes while there are any, see mmap.c
 * @unmap_work: makes mapped pages fault again after a broken promise
 */
struct afsx_vnode {
	struct netfs_inode	netfs;
	struct afsx_fid		fid;
	struct afsx_volume	*volume;
	unsigned long		flags;
	seqlock_t		cb_lock;
	struct afsx_promise	promise;
	u64			data_version;
	ktime_t			status_time;
	atomic_t		cb_breaks;
	struct afsx_permit	permit[AFSX_NR_PERMITS];
	u32			permit_stamp;
	u32			rights_gen;
	struct mutex		validate_lock;	/* see above */
	struct mutex		fetch_lock;	/* see above */
	struct afsx_dirblob __rcu *dir;
	u32			scan_hint;
	char __rcu		*link;
	unsigned int		nr_mapped;
	struct list_head	mapped;
	struct work_struct	unmap_work;
};

static inline struct afsx_vnode *AFSX_V(const struct inode *inode)
{
	return container_of(inode, struct afsx_vnode, netfs.inode);
}

static inline struct inode *afsx_inode(struct afsx_vnode *vnode)
{
	return &vnode->netfs.inode;
}

/**
 * afsx_fid_ino - inode number of a vnode
 * @vnode: vnode number
 * @unique: uniquifier
 *
 * One to one, so that a vnode slot used again gets another number; the root of
 * every volume is 1. No vnode is number 0: {0, n} is free for pseudo inodes
 * inside a volume.
 */
static inline u64 afsx_fid_ino(u32 vnode, u32 unique)
{
	return (u64)(unique - 1) << 32 | vnode;
}

/* The data version, read in one piece. */
static inline u64 afsx_vnode_version(const struct afsx_vnode *vnode)
{
	unsigned int seq;
	u64 version;

	do {
		seq = read_seqbegin(&vnode->cb_lock);
		version = vnode->data_version;
	} while (read_seqretry(&vnode->cb_lock, seq));
	return version;
}

/* Slab cache and the workqueue that reads run on. */
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
 * An inode that turned into another type is replaced by a new one.
 *
 * Return: a counted inode or ERR_PTR(-ENOMEM, -EIO for a status that cannot
 * be).
 */
struct inode *afsx_iget(struct super_block *sb, const struct afsx_fid *fid,
			const struct afsx_op *op,
			const struct afsx_status *status,
			const struct afsx_callback *cb);

/**
 * afsx_iget_fetch - fetch the status of a FID and find or make its inode
 * @sb: superblock of the volume, with s_fs_info set
 * @fid: identity
 * @by: on whose behalf
 *
 * Return: a counted inode, or an ERR_PTR: as afsx_iget(), or what the call met.
 */
struct inode *afsx_iget_fetch(struct super_block *sb,
			      const struct afsx_fid *fid,
			      const struct afsx_caller *by);

/**
 * afsx_ilookup - the inode of a FID if it is in memory
 * @sb: superblock of the volume
 * @fid: identity
 *
 * Return: a counted inode that is set up completely, or NULL.
 */
struct inode *afsx_ilookup(struct super_block *sb, const struct afsx_fid *fid);

/**
 * afsx_vnode_find_rcu - the vnode of a FID if it is in memory, not counted
 * @sb: superblock of the volume
 * @fid: identity
 *
 * For the callback service and readdir: call it and use the result inside one
 * RCU section. The vnode may be being set up or evicted; its cb_lock and
 * cb_breaks may be used in any case.
 */
struct afsx_vnode *afsx_vnode_find_rcu(struct super_block *sb,
				       const struct afsx_fid *fid);

#endif /* AFSX_VNODE_H */
