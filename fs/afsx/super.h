/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Superblocks: one per (network namespace, cell, volume id) and one dynamic
 * root per namespace.
 */
#ifndef AFSX_SUPER_H
#define AFSX_SUPER_H

#include <linux/fs.h>
#include <linux/rcupdate.h>
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
 * @rwpath: '#' in mount points inside means the R/W volume
 * @suid: the set-user-id and set-group-id bits of its files count; becomes false
 *	when an automount of a stranger's cell comes to share a superblock
 * @autocell: names of cells are found in the root directory
 * @flock: file locking mode, parsed and shown
 * @calls: calls in flight, for umount -f
 * @rcu: delays the release: path walks under RCU look at this
 */
struct afsx_sb {
	struct net		*net_ns;
	struct afsx_net		*net;
	struct afsx_cell	*cell;
	struct afsx_volume	*volume;
	bool			dyn;
	bool			force;
	bool			rwpath;
	bool			suid;
	bool			autocell;
	enum afsx_flock		flock;
	struct afsx_call_group	calls;
	struct rcu_head		rcu;
};

static inline struct afsx_sb *AFSX_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

extern struct file_system_type afsx_fs_type;

/**
 * afsx_get_tree - fs_context_operations.get_tree of both kinds of mount
 * @fc: context
 *
 * Every superblock of this version is read-only. Return: 0; what
 * afsx_params_resolve() returns; -EBUSY when the superblock exists already and
 * an option asks it to be different; what reading the root directory met.
 */
int afsx_get_tree(struct fs_context *fc);

/**
 * afsx_reconfigure - fs_context_operations.reconfigure: mount -o remount
 * @fc: context
 *
 * Return: 0, or what afsx_remount_check() says.
 */
int afsx_reconfigure(struct fs_context *fc);

/**
 * afsx_remount_check - may a superblock be changed like this?
 * @fc: context, for the log and the options, its source parsed if there is one
 * @sbi: the superblock's
 *
 * flock= and autocell can change, all else may only be repeated. Return: 0;
 * -EROFS when it asks to write; -EINVAL when it asks for another source.
 */
int afsx_remount_check(struct fs_context *fc, const struct afsx_sb *sbi);

/* Release a superblock's data, also one that no superblock took; NULL is fine. */
void afsx_sb_free(struct afsx_sb *sbi);

#endif /* AFSX_SUPER_H */
