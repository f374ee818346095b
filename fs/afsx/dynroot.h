/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The dynamic root: a directory of cells that needs no server.
 */
#ifndef AFSX_DYNROOT_H
#define AFSX_DYNROOT_H

#include <linux/fs.h>
#include <linux/types.h>

struct afsx_cell;
struct afsx_net;

/*
 * Inode numbers: 1 the root, 2 "@cell", 3 ".@cell"; each cell has a pair
 * derived from afsx_cell.ino: cell (R/O path) and .cell (R/W path). They are
 * also the positions of readdir.
 */
#define AFSX_DYN_INO_ROOT	1
#define AFSX_DYN_INO_LINK	2	/* and 3, with a dot */
#define AFSX_DYN_INO_CELL	4	/* the first pair */

/**
 * afsx_dyn_ino - inode number of a cell's entry
 * @cell_ino: afsx_cell.ino
 * @rw: the entry that starts with a dot
 *
 * Pure; readdir and stat both use it. Never below %AFSX_DYN_INO_CELL.
 */
ino_t afsx_dyn_ino(u32 cell_ino, bool rw);

/**
 * afsx_dyn_ino_cell - the cell an inode number or position belongs to
 * @ino: %AFSX_DYN_INO_CELL or above
 * @rw: out: it is the entry that starts with a dot
 *
 * Pure, the inverse of afsx_dyn_ino(). Return: afsx_cell.ino; a number that no
 * cell has when @ino is beyond them all.
 */
u64 afsx_dyn_ino_cell(u64 ino, bool *rw);

/* Make the root directory's inode of a dynamic root superblock. */
struct inode *afsx_dynroot_iget(struct super_block *sb);

/**
 * afsx_autocell_lookup - look a name up as a cell (".name": its R/W path)
 * @dir: directory, for the superblock
 * @name: the name
 * @len: bytes
 *
 * Names without a dot are looked for among the known cells only, others may
 * go to DNS. Return: a pseudo directory inode that automounts
 * "#name:root.cell." (or "%...") ; ERR_PTR(-ENOENT) when it is no cell.
 */
struct inode *afsx_autocell_lookup(struct inode *dir, const char *name,
				   size_t len);

/**
 * afsx_autocell_generation - when was a name found to be no cell?
 * @dir: directory, for the superblock
 *
 * A negative dentry keeps it in d_time, read before the look-up: with another
 * generation the name may be a cell by now. It changes when a cell is added, and
 * every ten seconds, for DNS may have learnt something. Sends nothing, does not
 * sleep; callable in RCU-walk.
 */
unsigned long afsx_autocell_generation(const struct inode *dir);

extern const struct dentry_operations afsx_dynroot_dentry_ops;

#endif /* AFSX_DYNROOT_H */
