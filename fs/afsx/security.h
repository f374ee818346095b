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

/**
 * afsx_access_allows - do AFS rights and mode bits allow an access?
 * @mode: type and permissions; of these only the owner's count, for everybody
 * @access: AFSX_ACE_* of the caller
 * @mask: MAY_READ, MAY_WRITE, MAY_EXEC
 *
 * Pure.
 */
bool afsx_access_allows(umode_t mode, u32 access, int mask);

/* Note CallerAccess for a key. cb_lock held for writing. */
void afsx_permit_note(struct afsx_vnode *vnode, struct key *key, u32 access);

#endif /* AFSX_SECURITY_H */
