// SPDX-License-Identifier: GPL-2.0
/*
 * Names: looking them up and judging what the dentry cache has.
 *
 * A dentry, negative ones included, holds for one data version of its
 * directory, which is noted in d_fsdata. While the directory has a promise and
 * still has that version, the dentry is good without a look at anything else.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/key.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <afsx/rpc.h>

#include "callback.h"
#include "cell.h"
#include "dir.h"
#include "dynroot.h"
#include "mntpt.h"
#include "op.h"
#include "security.h"
#include "super.h"
#include "validate.h"
#include "vnode.h"
#include "volume.h"

static void *afsx_dentry_stamp(u64 version)
{
	return (void *)(unsigned long)version;
}

static int afsx_dir_find(const struct afsx_vnode *dvnode,
			 const struct afsx_dirblob *blob,
			 const struct qstr *name, struct afsx_fid *fid)
{
	struct afsx_dir_reader reader;

	afsx_dirblob_reader(blob, &reader);
	fid->vid = dvnode->fid.vid;
	return afsx_dir_lookup(&reader, name->name, name->len, fid);
}

/**
 * struct afsx_bulk - the status of several vnodes in one call
 * @sb: superblock
 * @wanted: vnode the look-up is about, always the first asked for
 * @seen: the scan of the directory has passed @wanted
 * @args: arguments of InlineBulkStatus
 * @reply: its reply
 * @inode: those vnodes that are in memory, counted, else NULL
 * @breaks: their cb_breaks before the call
 */
struct afsx_bulk {
	struct super_block		*sb;
	struct afsx_fid			wanted;
	bool				seen;
	struct afsx_bulk_status_args	args;
	struct afsx_bulk_status_reply	reply;
	struct inode			*inode[AFSX_BULK_MAX];
	u32				breaks[AFSX_BULK_MAX];
};

static void afsx_bulk_add(struct afsx_bulk *bulk, const struct afsx_fid *fid,
			  struct inode *inode)
{
	u32 nr = bulk->args.nr++;

	bulk->args.fid[nr] = *fid;
	bulk->inode[nr] = inode;
	if (inode)
		bulk->breaks[nr] = atomic_read(&AFSX_V(inode)->cb_breaks);
}

/* Take the entries after the wanted one of which nothing current is known. */
static bool afsx_bulk_emit(void *ctx, const char *name, u32 len, u32 vnode,
			   u32 unique, u64 pos)
{
	struct afsx_bulk *bulk = ctx;
	const struct afsx_fid fid = { bulk->wanted.vid, vnode, unique };
	struct afsx_vnode *found;

	if (!bulk->seen) {
		bulk->seen = afsx_fid_eq(&fid, &bulk->wanted);
		return true;
	}
	if (bulk->args.nr == AFSX_BULK_MAX)
		return false;
	if (len > AFSX_NAME_MAX)	/* it is not listed either */
		return true;
	rcu_read_lock();
	found = afsx_vnode_find_rcu(bulk->sb, &fid);
	rcu_read_unlock();
	if (!found)
		afsx_bulk_add(bulk, &fid, NULL);
	return true;
}

/*
 * The scan starts where the last one ended, as a program that goes through a
 * directory does; it falls back to the start.
 */
static void afsx_bulk_collect(struct afsx_bulk *bulk, struct afsx_vnode *dvnode,
			      const struct afsx_dirblob *blob)
{
	u64 pos = READ_ONCE(dvnode->scan_hint);
	struct afsx_dir_reader reader;

	afsx_dirblob_reader(blob, &reader);
	if (afsx_dir_iterate(&reader, &pos, afsx_bulk_emit, bulk))
		return;
	if (!bulk->seen) {
		pos = 0;
		if (afsx_dir_iterate(&reader, &pos, afsx_bulk_emit, bulk))
			return;
	}
	WRITE_ONCE(dvnode->scan_hint, pos);
}

/* Make or update the inode of one entry of the reply. */
static struct inode *afsx_bulk_apply(struct afsx_bulk *bulk,
				     const struct afsx_op *op, u32 i)
{
	const struct afsx_status *status = &bulk->reply.status[i];
	const struct afsx_callback *cb = NULL;
	struct inode *inode = bulk->inode[i];
	int ret;

	if (status->abort_code)
		return ERR_PTR(-EREMOTEIO);
	if (bulk->reply.nr_cb == bulk->reply.nr)
		cb = &bulk->reply.cb[i];
	if (!inode)
		return afsx_iget(bulk->sb, &bulk->args.fid[i], op, status, cb);
	ret = afsx_vnode_apply(AFSX_V(inode), op, status, cb, bulk->breaks[i]);
	if (ret == -ESTALE)
		return afsx_iget(bulk->sb, &bulk->args.fid[i], op, status, cb);
	if (ret)
		return ERR_PTR(ret);
	return igrab(inode) ?: ERR_PTR(-ESTALE);
}

/* The inode that is wanted; the others only wait in memory to be used. */
static struct inode *afsx_bulk_take(struct afsx_bulk *bulk,
				    const struct afsx_op *op)
{
	struct inode *wanted, *inode;
	u32 i;

	if (bulk->reply.nr != bulk->args.nr)
		return ERR_PTR(-EBADMSG);
	wanted = afsx_bulk_apply(bulk, op, 0);
	for (i = 1; i < bulk->reply.nr; i++) {
		inode = afsx_bulk_apply(bulk, op, i);
		if (!IS_ERR(inode))
			iput(inode);
	}
	return wanted;
}

static struct inode *afsx_bulk_run(struct afsx_bulk *bulk,
				   struct afsx_vnode *dvnode, struct key *key)
{
	struct inode *inode;
	struct afsx_op op;
	int ret;

	afsx_op_init_vnode(&op, dvnode, key);
	op.rpc_id = AFSX_FS_INLINE_BULK_STATUS;
	op.args = &bulk->args;
	op.reply = &bulk->reply;
	ret = afsx_op_run(&op);
	if (ret == -EOPNOTSUPP)
		WRITE_ONCE(dvnode->volume->no_bulk, true);
	inode = ret ? ERR_PTR(ret) : afsx_bulk_take(bulk, &op);
	afsx_op_release(&op);
	return inode;
}

/* The inode of an entry, from memory or from the server. */
static struct inode *afsx_entry_inode(struct afsx_vnode *dvnode,
				      const struct afsx_dirblob *blob,
				      const struct afsx_fid *fid,
				      struct key *key)
{
	struct super_block *sb = afsx_inode(dvnode)->i_sb;
	struct afsx_caller by = { key, &AFSX_SB(sb)->calls };
	struct inode *inode = afsx_ilookup(sb, fid), *result;
	struct afsx_bulk *bulk;

	if (inode && !test_bit(AFSX_V_DELETED, &AFSX_V(inode)->flags) &&
	    afsx_promise_holds(AFSX_V(inode)))
		return inode;

	bulk = kmalloc(sizeof(*bulk), GFP_KERNEL);
	if (!bulk) {
		iput(inode);
		return ERR_PTR(-ENOMEM);
	}
	bulk->sb = sb;
	bulk->wanted = *fid;
	bulk->seen = false;
	bulk->args.nr = 0;
	afsx_bulk_add(bulk, fid, inode);

	result = ERR_PTR(-EOPNOTSUPP);
	if (!READ_ONCE(dvnode->volume->no_bulk)) {
		afsx_bulk_collect(bulk, dvnode, blob);
		result = afsx_bulk_run(bulk, dvnode, key);
	}
	/* Asked for alone, its errors are judged as those of an operation. */
	if (result == ERR_PTR(-EOPNOTSUPP) || result == ERR_PTR(-EREMOTEIO))
		result = afsx_iget_fetch(sb, fid, &by);
	kfree(bulk);
	iput(inode);
	return result;
}

/* ERR_PTR(-ENOENT): there is no such name, for sure. */
static struct inode *afsx_lookup_inode(struct inode *dir,
				       const struct qstr *name,
				       struct key *key, u64 *version)
{
	struct afsx_vnode *dvnode = AFSX_V(dir);
	struct afsx_dirblob *blob;
	struct inode *inode;
	struct afsx_fid fid;
	int ret;

	blob = afsx_dir_get(dvnode, key);
	/* Said of the directory itself, it says nothing of the name. */
	if (blob == ERR_PTR(-ENOENT))
		return ERR_PTR(-ESTALE);
	if (IS_ERR(blob))
		return ERR_CAST(blob);
	*version = blob->data_version;
	ret = afsx_dir_find(dvnode, blob, name, &fid);
	if (!ret) {
		inode = afsx_entry_inode(dvnode, blob, &fid, key);
		/* An entry of a vnode that is not there: no negative dentry. */
		if (inode == ERR_PTR(-ENOENT))
			inode = ERR_PTR(-ESTALE);
	} else if (ret == -ENOENT &&
		   test_bit(AFSX_V_AUTOCELL, &dvnode->flags)) {
		inode = afsx_autocell_lookup(dir, name->name, name->len);
	} else {
		inode = ERR_PTR(ret);
	}
	afsx_dirblob_put(blob);
	return inode;
}

static struct dentry *afsx_lookup(struct inode *dir, struct dentry *dentry,
				  unsigned int flags)
{
	struct key *key = afsx_key_get(AFSX_V(dir)->volume->cell);
	struct dentry *result;
	struct inode *inode;
	u64 version;

	dentry->d_time = afsx_autocell_generation(dir);
	inode = afsx_lookup_inode(dir, &dentry->d_name, key, &version);
	key_put(key);
	if (inode == ERR_PTR(-ENOENT))
		inode = NULL;
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	dentry->d_fsdata = afsx_dentry_stamp(version);
	result = d_splice_alias(inode, dentry);
	if (!IS_ERR_OR_NULL(result))
		WRITE_ONCE(result->d_fsdata, afsx_dentry_stamp(version));
	return result;
}

/* Is the directory still as it was when the dentry was made? */
static bool afsx_dentry_fresh(struct afsx_vnode *dvnode,
			      const struct dentry *dentry)
{
	return afsx_promise_holds(dvnode) &&
	       READ_ONCE(dentry->d_fsdata) ==
			afsx_dentry_stamp(afsx_vnode_version(dvnode));
}

/* Must it be looked up again, whatever the directory says? */
static bool afsx_dentry_void(const struct afsx_vnode *dvnode,
			     const struct dentry *dentry)
{
	const struct inode *inode = d_inode_rcu(dentry);

	if (inode && test_bit(AFSX_V_PSEUDO, &AFSX_V(inode)->flags))
		return !test_bit(AFSX_V_AUTOCELL, &dvnode->flags);
	if (inode)
		return test_bit(AFSX_V_DELETED, &AFSX_V(inode)->flags);
	/* A name that was no cell may have become one. */
	return test_bit(AFSX_V_AUTOCELL, &dvnode->flags) &&
	       dentry->d_time != afsx_autocell_generation(&dvnode->netfs.inode);
}

static int afsx_d_revalidate_rcu(const struct dentry *dentry)
{
	struct inode *dir = d_inode_rcu(READ_ONCE(dentry->d_parent));

	if (!dir || afsx_dentry_void(AFSX_V(dir), dentry))
		return -ECHILD;
	return afsx_dentry_fresh(AFSX_V(dir), dentry) ? 1 : -ECHILD;
}

/* Does a directory that has changed have the same under this name? */
static bool afsx_dentry_same(struct afsx_vnode *dvnode,
			     const struct afsx_dirblob *blob,
			     const struct qstr *name,
			     const struct inode *inode)
{
	struct afsx_fid fid;
	int ret = afsx_dir_find(dvnode, blob, name, &fid);

	if (ret == -ENOENT)
		return !inode || test_bit(AFSX_V_PSEUDO, &AFSX_V(inode)->flags);
	return !ret && inode && afsx_fid_eq(&fid, &AFSX_V(inode)->fid);
}

static int afsx_dentry_check(struct afsx_vnode *dvnode, struct dentry *dentry,
			     struct key *key)
{
	struct inode *inode = d_inode(dentry);
	struct name_snapshot name;
	struct afsx_dirblob *blob;
	bool same;

	if (afsx_dentry_void(dvnode, dentry))
		return 0;
	blob = afsx_dir_get(dvnode, key);
	if (IS_ERR(blob))
		return PTR_ERR(blob);
	take_dentry_name_snapshot(&name, dentry);
	same = afsx_dentry_same(dvnode, blob, &name.name, inode);
	release_dentry_name_snapshot(&name);
	if (same)
		WRITE_ONCE(dentry->d_fsdata,
			   afsx_dentry_stamp(blob->data_version));
	afsx_dirblob_put(blob);
	return same;
}

/* Ask: the directory has changed, or nobody promised that it has not. */
static int afsx_dentry_ask(struct afsx_vnode *dvnode, struct dentry *dentry,
			   unsigned int flags)
{
	struct key *key = afsx_key_get(dvnode->volume->cell);
	int ret = 0;

	if (flags & LOOKUP_REVAL)
		ret = afsx_revalidate(dvnode, key, NULL);
	if (!ret)
		ret = afsx_dentry_check(dvnode, dentry, key);
	key_put(key);
	return ret;
}

static int afsx_d_revalidate(struct dentry *dentry, unsigned int flags)
{
	struct afsx_vnode *dvnode;
	struct dentry *parent;
	int ret = 1;

	if (flags & LOOKUP_RCU)
		return afsx_d_revalidate_rcu(dentry);

	parent = dget_parent(dentry);
	dvnode = AFSX_V(d_inode(parent));
	if (flags & LOOKUP_REVAL ||
	    afsx_dentry_void(dvnode, dentry) ||
	    !afsx_dentry_fresh(dvnode, dentry))
		ret = afsx_dentry_ask(dvnode, dentry, flags);
	dput(parent);
	return ret;
}

/* Nothing is gained by keeping the dentry of what is gone. */
static int afsx_d_delete(const struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);

	return inode && test_bit(AFSX_V_DELETED, &AFSX_V(inode)->flags);
}

const struct dentry_operations afsx_dentry_ops = {
	.d_revalidate	= afsx_d_revalidate,
	.d_delete	= afsx_d_delete,
	.d_automount	= afsx_d_automount,
};

const struct inode_operations afsx_dir_inode_ops = {
	.lookup		= afsx_lookup,
	.getattr	= afsx_getattr,
	.permission	= afsx_permission,
};
