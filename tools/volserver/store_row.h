/* SPDX-License-Identifier: MIT */
/*
 * Rows of the database as records of the log have them.
 *
 * Format: Documentation/store-format.rst, "Records".
 */
#ifndef AFSX_STORE_ROW_H
#define AFSX_STORE_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "defs.h"

struct redo;
struct store_status;
struct tx_grp;
struct vnode;

enum row_kind {
	ROW_VNODE = 1,	/* as it is now */
	ROW_GONE = 2,	/* a vnode that was removed; with it its directory */
	ROW_DIRBLK = 3,	/* a block of a directory as it is now */
	ROW_GROUP = 4,	/* counters of a group, and what its R/W volume uses */
	ROW_DIRPART = 5, /* the same as ROW_DIRBLK: another row and what differs from it */
	ROW_BLOCK = 6,	/* where a block of a file is now */
};

#define ROW_HEAD	24u	/* bytes that all of them begin with */

/**
 * struct file_block - where a block of a file is
 * @grp: id of the group, which is that of the R/W volume
 * @vno: number of the file
 * @birth: epoch that it was written in
 * @newest: newest epoch that a clone showed then; 0 for none. Only what was written later
 *	has no other use when it is replaced.
 * @nr: which block of the file
 * @phys: which block of the device
 * @sum: its checksum
 */
struct file_block {
	u32 grp;
	u32 vno;
	s64 birth;
	s64 newest;
	u64 nr;
	u64 phys;
	u32 sum;
};

/** row_len() - bytes of a row */
u32 row_len(const u8 *row);

/** row_kind() - what it is */
enum row_kind row_kind(const u8 *row);

/** row_grp() - whose: id of the group, which is that of the R/W volume */
u32 row_grp(const u8 *row);

/** row_vno() - number of the vnode; of a ROW_GROUP 0 */
u32 row_vno(const u8 *row);

/** row_birth() - epoch of birth; of a ROW_GROUP 0 */
s64 row_birth(const u8 *row);

/** row_nr() - of a ROW_DIRBLK, ROW_DIRPART or ROW_BLOCK: which block; else 0 */
u64 row_nr(const u8 *row);

/** row_is_valid() - whether there is a row in the @room bytes at @row, and all of it */
bool row_is_valid(const u8 *row, size_t room);

/**
 * row_has_base() - whether what a valid row builds on is there
 * @row: any row; only a ROW_DIRPART builds on another one
 * @first: where the first of all rows may be
 */
bool row_has_base(const u8 *row, const u8 *first);

/** row_put_vnode() - -ENOBUFS when there is no room */
int row_put_vnode(struct redo *r, const struct vnode *vn);

/** row_put_gone() - likewise */
int row_put_gone(struct redo *r, const struct vnode *vn);

/**
 * row_put_dirblk() - a block of a directory as it is now
 * @r: records
 * @dir: directory
 * @nr: which of its blocks
 * @birth: of the block
 * @data: the block
 * @last: row of the same block in @r; NULL: the database has the last one
 *
 * Only what differs is put if that is little.
 *
 * Return: 0; -ENOBUFS when there is no room.
 */
int row_put_dirblk(struct redo *r, const struct vnode *dir, u32 nr, s64 birth,
		   const u8 *data, const u8 *last);

/** row_put_block() - likewise */
int row_put_block(struct redo *r, const struct file_block *b);

/** row_put_group() - likewise; as it is after a transaction that ends at @now */
int row_put_group(struct redo *r, const struct tx_grp *g, s64 now);

/**
 * row_get_status() - of a ROW_VNODE
 * @row: row
 * @s: status; its volume is the R/W volume
 * @acl: the access list that it has, in the row, or NULL
 * @acl_len: its bytes
 */
void row_get_status(const u8 *row, struct store_status *s, const char **acl,
		    size_t *acl_len);

/** row_get_vnode() - of a ROW_VNODE, as if loaded for a transaction; -ENOMEM */
int row_get_vnode(const u8 *row, struct vnode *vn);

/** row_get_target() - of a ROW_VNODE: target of a symlink, or NULL; @len: its bytes */
const char *row_get_target(const u8 *row, size_t *len);

/** row_get_dirblk() - of a ROW_DIRBLK or ROW_DIRPART: the whole block goes to @data */
void row_get_dirblk(const u8 *row, u8 *data);

/** dirblk_used() - bytes of a block of a directory without the zeros at its end */
size_t dirblk_used(const u8 *data);

/** row_get_block() - of a ROW_BLOCK */
void row_get_block(const u8 *row, struct file_block *b);

/** row_get_group() - of a ROW_GROUP: counters, usage and time go to @g */
void row_get_group(const u8 *row, struct tx_grp *g);

#endif /* AFSX_STORE_ROW_H */
