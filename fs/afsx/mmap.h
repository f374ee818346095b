/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory mappings of files.
 */
#ifndef AFSX_MMAP_H
#define AFSX_MMAP_H

#include <linux/fs.h>

struct afsx_vnode;

/* file_operations.mmap of regular files. */
int afsx_mmap(struct file *file, struct vm_area_struct *vma);

/* Set a new vnode's part of the book-keeping up. */
void afsx_mmap_init(struct afsx_vnode *vnode);

/**
 * afsx_mmap_broken - make processes that map a file look again
 * @vnode: vnode whose promise was just broken, or whose data version was just
 *	seen to move; RCU protection is enough
 *
 * Does not sleep. Without it a mapped page would be used for ever, as its
 * readers never come by with a system call.
 */
void afsx_mmap_broken(struct afsx_vnode *vnode);

/**
 * afsx_mmap_settle - no process sees old pages through a mapping any more
 * @vnode: a vnode
 *
 * To be called where a newer data version may have been learnt of, so that nobody
 * who is told of it sees older contents. Sleeps for as long as it takes to unmap.
 */
void afsx_mmap_settle(struct afsx_vnode *vnode);

/**
 * afsx_mmap_broken_sb - the same for every mapped file of a superblock
 * @sb: the superblock, or NULL for all there are. Compared only
 *
 * For breaks of a whole volume and for a server's new epoch. Does not sleep.
 */
void afsx_mmap_broken_sb(const struct super_block *sb);

#endif /* AFSX_MMAP_H */
