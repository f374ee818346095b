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
};

#define ROW_HEAD	24u	/* bytes that all of them begin with */

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

/** row_nr() - of a ROW_DIRBLK: which block of the directory */
u32 row_nr(const u8 *row);

/** row_is_valid() - whether there is a row in the @room bytes at @row, and all of it */
bool row_is_valid(const u8 *row, size_t room);

/** row_put_vnode() - -ENOBUFS when there is no room */
int row_put_vnode(struct redo *r, const struct vnode *vn);

/** row_put_gone() - likewise */
int row_put_gone(struct redo *r, const struct vnode *vn);

/** row_put_dirblk() - likewise; @len: without zeros at the end */
int row_put_dirblk(struct redo *r, const struct vnode *dir, u32 nr, s64 birth,
		   const u8 *data, size_t len);

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

/** row_get_dirblk() - of a ROW_DIRBLK: its data; @len: bytes, zeros follow */
const u8 *row_get_dirblk(const u8 *row, size_t *len);

/** row_get_group() - of a ROW_GROUP: counters, usage and time go to @g */
void row_get_group(const u8 *row, struct tx_grp *g);

#endif /* AFSX_STORE_ROW_H */
