/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Directory contents: fetched whole, immutable, searched by hash.
 */
#ifndef AFSX_DIR_H
#define AFSX_DIR_H

#include <linux/fs.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>

struct afsx_fid;
struct afsx_vnode;
struct key;

/**
 * struct afsx_dirblob - one version of a directory's contents
 * @ref: references
 * @rcu: delays the release
 * @data_version: of the directory
 * @size: bytes in @data, a multiple of 2048, at most 1023 blocks
 * @data: the AFS directory blob, every block checked
 */
struct afsx_dirblob {
	refcount_t	ref;
	struct rcu_head	rcu;
	u64		data_version;
	u32		size;
	u8		*data;
};

/**
 * afsx_dir_get - the current contents of a directory, fetched if need be
 * @dvnode: directory
 * @key: security
 *
 * Validates the directory first. Return: a counted blob or ERR_PTR.
 */
struct afsx_dirblob *afsx_dir_get(struct afsx_vnode *dvnode, struct key *key);
void afsx_dirblob_put(struct afsx_dirblob *blob);

int afsx_dirblob_lookup(const struct afsx_dirblob *blob, const char *name,
			size_t len, struct afsx_fid *fid);

extern const struct file_operations afsx_dir_file_ops;
extern const struct inode_operations afsx_dir_inode_ops;	/* namei.c */
extern const struct dentry_operations afsx_dentry_ops;		/* namei.c */

#endif /* AFSX_DIR_H */
