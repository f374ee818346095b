/* SPDX-License-Identifier: MIT */
/*
 * The end of a file: blocks that are freed in many transactions.
 *
 * A file that is cut has its new size at once.  When more extents lie behind that
 * than one transaction shall free, they stay, unseen because they are behind the
 * end, and the vnode is entered in the table of those that wait to be collected.
 * Before the file grows again what is left of them must go.
 */
#ifndef AFSX_STORE_CUT_H
#define AFSX_STORE_CUT_H

#include "store_priv.h"

/** cut_is_long() - whether a file has more extents than shall be freed at once */
int cut_is_long(struct store_tx *tx, const struct vnode *vn);

/** cut_wait() - a file, or what lies behind its end, waits to be collected */
int cut_wait(struct store_tx *tx, struct vnode *vn);

/** cut_shrink() - free what lies behind the first @size bytes, or have it wait */
int cut_shrink(struct store_tx *tx, struct vnode *vn, u64 size);

/** cut_grow() - before the size grows: free what still lies behind it */
int cut_grow(struct store_tx *tx, struct vnode *vn);

/**
 * cut_step() - free a part of what waits
 * @tx: transaction
 * @vn: file; all of it goes when no name leads to it
 *
 * Return: 1 when nothing is left, 0 when another step is needed, or an error.
 */
int cut_step(struct store_tx *tx, struct vnode *vn);

#endif /* AFSX_STORE_CUT_H */
