/* SPDX-License-Identifier: MIT */
/* A part of an image as an image of its own. */
#ifndef AFSX_NBD_SLICE_H
#define AFSX_NBD_SLICE_H

#include "blk.h"

/**
 * slice_open() - show a part of an image
 * @below: the image; belongs to the slice when there is one, and is unchanged
 *	otherwise
 * @offset: where the part begins, in bytes
 * @length: its bytes
 * @blk: result
 * @err: what is wrong with the range
 *
 * Return: 0; -ERANGE when the image ends before the part does; -EINVAL when the
 * part does not begin and end with blocks of it; -ENOMEM.
 */
int slice_open(struct blk *below, u64 offset, u64 length, struct blk **blk,
	       struct errbuf *err);

/** slice_open_rest() - show what follows @offset, however much that is later. */
int slice_open_rest(struct blk *below, u64 offset, struct blk **blk,
		    struct errbuf *err);

#endif /* AFSX_NBD_SLICE_H */
