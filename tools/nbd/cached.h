/* SPDX-License-Identifier: MIT */
/* What the page cache has of a file, taken without waiting for the disk. */
#ifndef AFSX_NBD_CACHED_H
#define AFSX_NBD_CACHED_H

#include <stdatomic.h>
#include <stdbool.h>

#include "defs.h"

/**
 * struct cached - a file or block device that is accessed through the page cache
 * @fd: descriptor, the caller's
 * @in_memory: the file system is one of memory
 * @read: enum of cached.c, what the file system has been found to be able to do
 * @write: the same
 * @splice: the same
 *
 * Any number of threads may use it.
 */
struct cached {
	int		fd;
	bool		in_memory;
	atomic_int	read;
	atomic_int	write;
	atomic_int	splice;
};

/** cached_init() - begin with @fd; @usable: false when the page cache is bypassed. */
void cached_init(struct cached *c, int fd, bool usable);

/**
 * cached_read() - read what is in memory
 * @c: file
 * @buf: where to
 * @len: bytes
 * @offset: in the file
 *
 * Return: 0 when all were read; -EAGAIN when that would have to wait; -EOPNOTSUPP
 * when only a plain call can tell, which takes little longer; other errors.
 */
int cached_read(struct cached *c, void *buf, size_t len, u64 offset);

/**
 * cached_write() - write what can be written without waiting
 * @c: file
 * @buf: what
 * @len: bytes
 * @offset: in the file
 *
 * Part of them may have been written when that fails. Return: as cached_read().
 */
int cached_write(struct cached *c, const void *buf, size_t len, u64 offset);

/**
 * cached_splice() - put the pages themselves, not a copy of them, into a pipe
 * @c: file
 * @pipe: writing end of an empty pipe
 * @len: bytes
 * @offset: in the file
 *
 * Whoever reads the pipe sees what is written to the pages meanwhile; pages that are
 * cut off from the file stay as they were.
 *
 * Return: 0 when all are there; -EAGAIN when nothing is; another error when it may be a
 * part of them, which the caller has to clear away.
 */
int cached_splice(struct cached *c, int pipe, size_t len, u64 offset);

#endif /* AFSX_NBD_CACHED_H */
