/* SPDX-License-Identifier: MIT */
/* Opening images by their format. */
#ifndef AFSX_NBD_IMAGE_H
#define AFSX_NBD_IMAGE_H

#include "blk.h"

/** image_format_known() - whether -f takes @name. */
bool image_format_known(const char *name);

/**
 * image_open() - open an image
 * @path: of its file or device
 * @opts: how; without a format it is found out, and a warning logged when nothing
 *	tells that it is raw
 * @blk: result
 * @err: why it cannot be opened
 *
 * Return: 0 or a negative errno.
 */
int image_open(const char *path, const struct blk_options *opts,
	       struct blk **blk, struct errbuf *err);

#endif /* AFSX_NBD_IMAGE_H */
