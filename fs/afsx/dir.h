/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Directory contents: fetched whole, immutable, searched by hash.
 */
#ifndef AFSX_DIRBLOB_H
#define AFSX_DIRBLOB_H

#include <linux/fs.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <afsx/dir.h>

struct afsx_vnode;
struct key;

/**
 * struct afsx_dirblob - one version of a directory's contents
 * @ref: references
 * @rcu: delays the release
 * @data_version: of the directory
 * @size: bytes in @data, a multiple of 2048, at most 1023 blocks
 * @data: the AFS directory blob, the header of every block checked
 */
struct afsx_dirblob {
	refcount_t	ref;
	struct rcu_head	rcu;
	u64		data_version;
	u32		size;
	u8		data[] __counted_by(size);
};

/**
 * afsx_dir_get - the current contents of a directory, fetched if need be
 * @dvnode: directory
 * @key: security
 *
 * Validates the directory first. Return: a counted blob, or ERR_PTR(-EIO) for
 * contents that are no directory, -EBUSY for one that never keeps still,
 * -ENOMEM, -EINTR, or what the calls met.
 */
struct afsx_dirblob *afsx_dir_get(struct afsx_vnode *dvnode, struct key *key);
void afsx_dirblob_put(struct afsx_dirblob *blob);

/**
 * afsx_dirblob_reader - look at a blob through the codec's directory functions
 * @blob: the blob; the reader borrows it
 * @rd: out: the reader
 */
void afsx_dirblob_reader(const struct afsx_dirblob *blob,
			 struct afsx_dir_reader *rd);

extern const struct file_operations afsx_dir_file_ops;
extern const struct inode_operations afsx_dir_inode_ops;	/* namei.c */
extern const struct dentry_operations afsx_dentry_ops;		/* namei.c */

#endif /* AFSX_DIRBLOB_H */
