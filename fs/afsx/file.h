/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regular files: the data path through netfs.
 */
#ifndef AFSX_FILE_H
#define AFSX_FILE_H

#include <linux/fs.h>
#include <linux/netfs.h>

/*
 * Opening notes the opener's key in file->private_data; all that is later done
 * through the file is done in that name. Directories use the same two.
 */
int afsx_open(struct inode *inode, struct file *file);
int afsx_release(struct inode *inode, struct file *file);

/* What reads ahead; may wait for servers, unlike afsx_wq. */
extern struct workqueue_struct *afsx_io_wq;
int afsx_file_init(void);
void afsx_file_exit(void);

extern const struct file_operations afsx_file_ops;
extern const struct inode_operations afsx_file_inode_ops;
extern const struct address_space_operations afsx_file_aops;
extern const struct netfs_request_ops afsx_netfs_ops;

#endif /* AFSX_FILE_H */
