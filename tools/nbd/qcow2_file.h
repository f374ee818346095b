/* SPDX-License-Identifier: MIT */
/* The file of an image, read and written in pieces of any size. */
#ifndef AFSX_NBD_QCOW2_FILE_H
#define AFSX_NBD_QCOW2_FILE_H

#include <sys/uio.h>

#include "blk.h"
#include "cached.h"

/**
 * struct qcow2_file - an open file or block device
 * @fd: through the page cache
 * @direct_fd: the same past it, or -1
 * @cached: of @fd
 */
struct qcow2_file {
	int		fd;
	int		direct_fd;
	struct cached	cached;
};

/** qcow2_file_open() - open @path; 0, or a negative errno with @err set. */
int qcow2_file_open(struct qcow2_file *file, const char *path,
		    const struct blk_options *options, struct errbuf *err);

/** qcow2_file_close() - close what is open. */
void qcow2_file_close(struct qcow2_file *file);

/** qcow2_file_size() - the bytes of a file or device; 0 or a negative errno. */
int qcow2_file_size(struct qcow2_file *file, u64 *size);

/**
 * qcow2_pread() - read @len bytes
 * @file: the file
 * @buf: where to
 * @len: bytes; what lies past the end of the file is zeroes
 * @offset: in the file
 * @flags: BLK_NOWAIT, -EAGAIN when it has to wait for the disk
 *
 * Return: 0 when all were read, or a negative errno.
 */
int qcow2_pread(struct qcow2_file *file, void *buf, size_t len, u64 offset, u32 flags);

/** qcow2_pwrite() - write @len bytes; 0 when all were, or a negative errno. */
int qcow2_pwrite(struct qcow2_file *file, const void *buf, size_t len, u64 offset);

/** qcow2_pwritev() - write @nr pieces, which are changed on the way. */
int qcow2_pwritev(struct qcow2_file *file, struct iovec *iov, int nr, u64 offset);

/**
 * qcow2_pwrite_nowait() - write without waiting for the disk
 * @file: the file
 * @buf: data
 * @len: bytes
 * @offset: in the file
 *
 * Return: 0, -EAGAIN when it would wait, or another negative errno.
 */
int qcow2_pwrite_nowait(struct qcow2_file *file, const void *buf, size_t len, u64 offset);

/** qcow2_sync() - make durable what was written; 0 or a negative errno. */
int qcow2_sync(struct qcow2_file *file);

/** qcow2_punch() - give the space of a range back, where that is possible. */
void qcow2_punch(struct qcow2_file *file, u64 len, u64 offset);

#endif /* AFSX_NBD_QCOW2_FILE_H */
