/* SPDX-License-Identifier: MIT */
/* Images by path: finding out the format, opening, chains of backing files. */
#ifndef AFSX_NBD_IMAGE_H
#define AFSX_NBD_IMAGE_H

#include "blk.h"

/**
 * image_open() - open an image, with its backing files
 * @path: file or block device
 * @options: how; a format of NULL is found out from the first bytes, and a line
 *	of log warns that an image taken for raw could have been made to look like
 *	another by whoever may write to it
 * @blk: the image; end with (*blk)->ops->close(*blk)
 * @err: why it could not be opened
 *
 * Return: 0 or a negative errno; -EINVAL for an unknown format, or for an
 * internal snapshot that the format cannot have.
 */
int image_open(const char *path, const struct blk_options *options,
	       struct blk **blk, struct errbuf *err);

/** image_format_known() - whether -f takes @name. */
bool image_format_known(const char *name);

#endif /* AFSX_NBD_IMAGE_H */
