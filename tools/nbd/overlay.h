/* SPDX-License-Identifier: MIT */
/* A layer that keeps what is written in a temporary file, for -s. */
#ifndef AFSX_NBD_OVERLAY_H
#define AFSX_NBD_OVERLAY_H

#include "blk.h"

/**
 * overlay_open() - make an image writable without changing it
 * @base: the image; closed with the layer, and stays the caller's on failure
 * @blk: the layer
 * @err: what was wrong
 *
 * What is written goes to an unnamed file in $TMPDIR, or /var/tmp, and is gone
 * when the layer is closed.
 *
 * Return: 0 or a negative errno.
 */
int overlay_open(struct blk *base, struct blk **blk, struct errbuf *err);

#endif /* AFSX_NBD_OVERLAY_H */
