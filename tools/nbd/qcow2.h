/* SPDX-License-Identifier: MIT */
/* Images in the format qcow2, versions 2 and 3, for reading and writing. */
#ifndef AFSX_NBD_QCOW2_H
#define AFSX_NBD_QCOW2_H

#include "blk.h"

#define QCOW2_MAGIC	"QFI\xfb"

/**
 * qcow2_open() - open a qcow2 image
 * @path: file or block device
 * @options: how; @options->format is not looked at. With a snapshot the image is
 *	what it was then, and read-only
 * @blk: the image
 * @err: why it could not be opened, naming a feature that is not supported
 *
 * The format is described in docs/interop/qcow2.txt of QEMU. Not supported are
 * encryption, external data files and extended L2 entries.
 *
 * Metadata is written when the image is flushed, in an order in which an
 * interruption leaves clusters that are not used but never one that is used
 * twice. An image that was not closed well by a program with lazy reference
 * counts gets them computed anew, before it is written to.
 *
 * Return: 0 or a negative errno.
 */
int qcow2_open(const char *path, const struct blk_options *options,
	       struct blk **blk, struct errbuf *err);

/**
 * qcow2_backing() - what the image names as its backing file
 * @blk: image
 * @format: name of its format, or NULL where the image does not say
 *
 * Return: the name, as it stands in the image, or NULL without a backing file.
 */
const char *qcow2_backing(const struct blk *blk, const char **format);

/**
 * qcow2_attach() - have what an image lacks read from its backing file
 * @blk: image that was opened and not used yet
 * @below: the backing file, closed with the image
 */
void qcow2_attach(struct blk *blk, struct blk *below);

#endif /* AFSX_NBD_QCOW2_H */
