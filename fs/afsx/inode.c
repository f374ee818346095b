// SPDX-License-Identifier: GPL-2.0
/*
 * Inodes: allocation, and finding or making the one of a FID.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <afsx/rpc.h>

#include "callback.h"
#include "dir.h"
#include "file.h"
#include "mmap.h"
#include "mntpt.h"
#include "op.h"
#include "super.h"
#include "symlink.h"
#include "validate.h"
#include "vnode.h"
#include "volume.h"

static struct kmem_cache *afsx_inode_cachep;
static atomic_t afsx_nr_inodes;

/* What stays the same from one use of the slab object to the next. */
static void afsx_inode_init_once(void *object)
{
	struct afsx_vnode *vnode = object;

	inode_init_once(&vnode->netfs.inode);
	seqlock_init(&vnode->cb_lock);
	mutex_init(&vnode->validate_lock);
	mutex_init(&vnode->fetch_lock);
}

int afsx_inode_cache_init(void)
{
	int ret = afsx_file_init();

	if (ret)
		return ret;
	afsx_inode_cachep = kmem_cache_create("afsx_inode_cache",
					      sizeof(struct afsx_vnode), 0,
					      SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					      afsx_inode_init_once);
	if (!afsx_inode_cachep) {
		afsx_file_exit();
		return -ENOMEM;
	}
	return 0;
}

/* The caller has waited for RCU callbacks. */
void afsx_inode_cache_exit(void)
{
	int left = atomic_read(&afsx_nr_inodes);

	if (left)
		pr_err("%d inodes still in use at unload\n", left);
	kmem_cache_destroy(afsx_inode_cachep);
	afsx_file_exit();
}

struct inode *afsx_inode_alloc(struct super_block *sb)
{
	struct afsx_vnode *vnode;

	vnode = alloc_inode_sb(sb, afsx_inode_cachep, GFP_KERNEL);
	if (!vnode)
		return NULL;
	atomic_inc(&afsx_nr_inodes);

	memset(&vnode->fid, 0, sizeof(vnode->fid));
	vnode->volume = AFSX_SB(sb)->volume;
	vnode->flags = 0;
	memset(&vnode->promise, 0, sizeof(vnode->promise));
	vnode->data_version = 0;
	vnode->status_time = 0;
	atomic_set(&vnode->cb_breaks, 0);
	memset(vnode->permit, 0, sizeof(vnode->permit));
	/* No permit of a slot that was never filled carries stamp 1. */
	vnode->permit_stamp = 1;
	vnode->rights_gen = 0;
	RCU_INIT_POINTER(vnode->dir, NULL);
	vnode->scan_hint = 0;
	RCU_INIT_POINTER(vnode->link, NULL);
	afsx_mmap_init(vnode);
	return &vnode->netfs.inode;
}

/* After a grace period: nobody walks through the link or judges the promise. */
void afsx_inode_free(struct inode *inode)
{
	struct afsx_vnode *vnode = AFSX_V(inode);

	kfree(rcu_dereference_protected(vnode->link, true));
	kmem_cache_free(afsx_inode_cachep, vnode);
	atomic_dec(&afsx_nr_inodes);
}

void afsx_inode_evict(struct inode *inode)
{
	struct afsx_vnode *vnode = AFSX_V(inode);
	struct afsx_dirblob *blob;

	netfs_wait_for_outstanding_io(inode);
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	afsx_promise_drop(vnode);

	blob = rcu_dereference_protected(vnode->dir, true);
	RCU_INIT_POINTER(vnode->dir, NULL);
	if (blob)
		afsx_dirblob_put(blob);
}

static int afsx_inode_test(struct inode *inode, void *data)
{
	const struct afsx_fid *fid = data;

	return afsx_fid_eq(&AFSX_V(inode)->fid, fid);
}

static int afsx_inode_set(struct inode *inode, void *data)
{
	const struct afsx_fid *fid = data;

	AFSX_V(inode)->fid = *fid;
	inode->i_ino = afsx_fid_ino(fid->vnode, fid->unique);
	return 0;
}

struct inode *afsx_ilookup(struct super_block *sb, const struct afsx_fid *fid)
{
	return ilookup5(sb, afsx_fid_ino(fid->vnode, fid->unique),
			afsx_inode_test, (void *)fid);
}

struct afsx_vnode *afsx_vnode_find_rcu(struct super_block *sb,
				       const struct afsx_fid *fid)
{
	struct inode *inode;

	inode = find_inode_rcu(sb, afsx_fid_ino(fid->vnode, fid->unique),
			       afsx_inode_test, (void *)fid);
	return inode ? AFSX_V(inode) : NULL;
}

/* Make a new inode the kind of thing its status says it is. */
static void afsx_inode_set_kind(struct inode *inode,
				const struct afsx_status *status)
{
	struct afsx_vnode *vnode = AFSX_V(inode);

	/* Whether its set-id bits count is for afsx_vnode_apply() to say. */
	inode->i_mode = afsx_status_mode(status) & ~(S_ISUID | S_ISGID);
	inode->i_flags |= S_NOATIME;
	netfs_inode_init(&vnode->netfs, &afsx_netfs_ops, false);
	if (afsx_status_is_mntpt(status)) {
		set_bit(AFSX_V_MOUNTPOINT, &vnode->flags);
		inode->i_flags |= S_AUTOMOUNT;
		inode->i_op = &afsx_mntpt_inode_ops;
		inode->i_fop = &afsx_mntpt_file_ops;
	} else if (status->type == AFSX_FTYPE_DIR) {
		inode->i_op = &afsx_dir_inode_ops;
		inode->i_fop = &afsx_dir_file_ops;
	} else if (status->type == AFSX_FTYPE_SYMLINK) {
		inode->i_op = &afsx_symlink_inode_ops;
	} else {
		inode->i_op = &afsx_file_inode_ops;
		inode->i_fop = &afsx_file_ops;
		inode->i_mapping->a_ops = &afsx_file_aops;
		mapping_set_large_folios(inode->i_mapping);
	}
}

/* One attempt; -ESTALE: there was an inode of another type, it is gone now. */
static struct inode *afsx_iget_once(struct super_block *sb,
				    const struct afsx_fid *fid,
				    const struct afsx_op *op,
				    const struct afsx_status *status,
				    const struct afsx_callback *cb)
{
	struct inode *inode;
	bool new;
	int ret;

	inode = iget5_locked(sb, afsx_fid_ino(fid->vnode, fid->unique),
			     afsx_inode_test, afsx_inode_set, (void *)fid);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	new = inode->i_state & I_NEW;
	if (new)
		afsx_inode_set_kind(inode, status);
	ret = afsx_vnode_apply_new(AFSX_V(inode), op, status, cb);
	if (new && ret) {
		iget_failed(inode);
		return ERR_PTR(ret);
	}
	if (new)
		unlock_new_inode(inode);
	if (!ret)
		return inode;
	if (ret == -ESTALE) {
		afsx_vnode_gone(AFSX_V(inode));
		remove_inode_hash(inode);
	}
	iput(inode);
	return ERR_PTR(ret);
}

struct inode *afsx_iget(struct super_block *sb, const struct afsx_fid *fid,
			const struct afsx_op *op,
			const struct afsx_status *status,
			const struct afsx_callback *cb)
{
	struct inode *inode;
	int ret = afsx_vnode_check_status(fid, status);

	if (ret)
		return ERR_PTR(ret);
	inode = afsx_iget_once(sb, fid, op, status, cb);
	if (inode == ERR_PTR(-ESTALE))
		inode = afsx_iget_once(sb, fid, op, status, cb);
	return inode;
}

struct inode *afsx_iget_fetch(struct super_block *sb,
			      const struct afsx_fid *fid,
			      const struct afsx_caller *by)
{
	struct afsx_fetch_status_args args = { .fid = *fid };
	struct afsx_status_reply reply;
	struct afsx_op op = {
		.volume		= AFSX_SB(sb)->volume,
		.by		= *by,
		.rpc_id		= AFSX_FS_FETCH_STATUS,
		.args		= &args,
		.reply		= &reply,
		.killable	= true,
	};
	struct inode *inode;
	int ret;

	ret = afsx_op_run(&op);
	if (ret)
		inode = ERR_PTR(ret);
	else
		inode = afsx_iget(sb, fid, &op, &reply.status, &reply.cb);
	afsx_op_release(&op);
	return inode;
}
