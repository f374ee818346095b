/* SPDX-License-Identifier: MIT */
/* Reading of file data from the device. */
#ifndef AFSX_STORE_FETCH_H
#define AFSX_STORE_FETCH_H

#include "store_priv.h"

/** data_read() - bytes of a file, already clipped to its size, for a reader */
int data_read(struct store *st, struct db *db, const struct vnode *vn, u64 off,
	      void *buf, size_t len);

/** fetch_own() - a block of a file, for the writer, after its writes have been waited for */
int fetch_own(struct store *st, struct db *db, const struct vnode *vn, u64 nr,
	      u8 *buf);

#endif /* AFSX_STORE_FETCH_H */
