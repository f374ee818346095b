/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keys and permissions.
 */
#ifndef AFSX_SECURITY_H
#define AFSX_SECURITY_H

#include <linux/fs.h>

struct afsx_cell;
struct afsx_vnode;
struct key;

/**
 * afsx_key_get - the caller's key for a cell
 * @cell: the cell
 *
 * Looks for "afs@CELL" of type rxrpc in the caller's keyrings without an
 * upcall. Return: a counted key, or NULL when the caller has none or it has
 * expired (the call is then made unauthenticated). Never an error.
 */
struct key *afsx_key_get(struct afsx_cell *cell);

/* inode_operations.permission; RCU-walk capable while the promise holds. */
int afsx_permission(struct mnt_idmap *idmap, struct inode *inode, int mask);

/* Note CallerAccess for a key. cb_lock held for writing. */
void afsx_permit_note(struct afsx_vnode *vnode, struct key *key, u32 access);

#endif /* AFSX_SECURITY_H */
