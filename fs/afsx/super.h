/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Superblocks: one per (network namespace, cell, volume id) and one dynamic
 * root per namespace.
 */
#ifndef AFSX_SUPER_H
#define AFSX_SUPER_H

#include <linux/fs.h>
#include "call.h"
#include "mount_params.h"

struct afsx_cell;
struct afsx_net;
struct afsx_volume;

#define AFSX_FS_MAGIC	0x61667378	/* "afsx" */

/**
 * struct afsx_sb - what a superblock stands for
 * @net_ns: namespace, counted
 * @net: the client's state in it
 * @cell: cell, counted; NULL for the dynamic root
 * @volume: volume, counted; NULL for the dynamic root
 * @dyn: this is the dynamic root
 * @force: the R/O type was asked for by suffix (shown in /proc/mounts)
 * @autocell: names of cells are found in the root directory
 * @flock: file locking mode, parsed and shown
 * @calls: calls in flight, for umount -f
 */
struct afsx_sb {
	struct net		*net_ns;
	struct afsx_net		*net;
	struct afsx_cell	*cell;
	struct afsx_volume	*volume;
	bool			dyn;
	bool			force;
	bool			autocell;
	enum afsx_flock		flock;
	struct afsx_call_group	calls;
};

static inline struct afsx_sb *AFSX_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

extern struct file_system_type afsx_fs_type;

/* fs_context get_tree of both kinds of mount; mount_params.c calls it. */
int afsx_get_tree(struct fs_context *fc);
int afsx_reconfigure(struct fs_context *fc);

#endif /* AFSX_SUPER_H */
