/* SPDX-License-Identifier: MIT */
/* The format without a format: the bytes of a file or a block device. */
#ifndef AFSX_NBD_RAW_H
#define AFSX_NBD_RAW_H

#include "blk.h"

/**
 * raw_open() - open a file or a block device as it is
 * @path: its path
 * @opts: how; the format does not matter here
 * @blk: result
 * @err: why it cannot be opened
 *
 * Once something could not be made durable, that is what every later flush says:
 * the kernel tells it only once, to whoever asks first.
 *
 * Return: 0 or a negative errno.
 */
int raw_open(const char *path, const struct blk_options *opts, struct blk **blk,
	     struct errbuf *err);

#endif /* AFSX_NBD_RAW_H */
