/* SPDX-License-Identifier: GPL-2.0 */
/*
 * AFS mount points: automounts that expire.
 */
#ifndef AFSX_MNTPT_H
#define AFSX_MNTPT_H

#include <linux/path.h>

/* d_automount of every afsx dentry whose inode is a mount point. */
struct vfsmount *afsx_d_automount(struct path *path);

extern const struct inode_operations afsx_mntpt_inode_ops;
extern const struct file_operations afsx_mntpt_file_ops;

void afsx_mntpt_exit(void);

#endif /* AFSX_MNTPT_H */
