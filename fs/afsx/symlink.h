/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Symbolic links, and the targets of AFS mount points, which are stored alike.
 */
#ifndef AFSX_SYMLINK_H
#define AFSX_SYMLINK_H

#include <linux/fs.h>

struct afsx_vnode;
struct key;

/**
 * afsx_link_dup - the target of a symbolic link or mount point, fetched if
 * need be
 * @vnode: the vnode, may be a pseudo inode
 * @key: security
 *
 * Sleeps. Return: a NUL-terminated string to kfree(), or ERR_PTR(-EIO) for a
 * target that is empty or has a NUL inside, -ENAMETOOLONG, -EINTR, -ENOMEM, or
 * what the call met.
 */
char *afsx_link_dup(struct afsx_vnode *vnode, struct key *key);

extern const struct inode_operations afsx_symlink_inode_ops;

#endif /* AFSX_SYMLINK_H */
