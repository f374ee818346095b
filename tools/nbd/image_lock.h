/* SPDX-License-Identifier: MIT */
/* Locks that keep programs from changing an image under each other. */
#ifndef AFSX_NBD_IMAGE_LOCK_H
#define AFSX_NBD_IMAGE_LOCK_H

#include <stdbool.h>

#include "err.h"

/**
 * image_lock() - say how an image is used, unless somebody is in the way
 * @fd: image, open for reading at least; its locks last until it is closed
 * @path: for messages
 * @write: it will be changed
 * @err: who is in the way
 *
 * The locks are those QEMU and its tools take and look for, so all of these refuse an
 * image that another has open for writing, and to write to one that another reads. Where
 * the file system has no locks there is a warning.
 *
 * Return: 0; -EBUSY; other negative errnos.
 */
int image_lock(int fd, const char *path, bool write, struct errbuf *err);

#endif /* AFSX_NBD_IMAGE_LOCK_H */
