/* SPDX-License-Identifier: MIT */
/* Reading of file data from the device. */
#ifndef AFSX_STORE_FETCH_H
#define AFSX_STORE_FETCH_H

#include "store_priv.h"

/** data_read() - bytes of a file, already clipped to its size, for a reader */
int data_read(struct store *st, struct db *db, const struct vnode *vn, u64 off,
	      void *buf, size_t len);

/**
 * fetch_block() - one block of a file, for the writer
 * @st: store
 * @phys: where it is; a write to it has been waited for
 * @sum: its checksum
 * @buf: BLK_SIZE bytes
 *
 * Return: 0; -EUCLEAN when the checksum does not match; an I/O error.
 */
int fetch_block(struct store *st, u64 phys, u32 sum, u8 *buf);

#endif /* AFSX_STORE_FETCH_H */
