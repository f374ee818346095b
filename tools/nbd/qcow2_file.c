// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "image_lock.h"
#include "qcow2_priv.h"

#define DIRECT_ALIGN	4096	/* what direct I/O is happy with everywhere */

int qcow2_file_open(struct qcow2_file *file, const char *path,
		    const struct blk_options *options, struct errbuf *err)
{
	int flags = (options->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK;
	int ret = 0;

	file->direct_fd = -1;
	file->fd = open(path, flags);
	if (file->fd < 0)
		return err_set(err, -errno, "%s: cannot be opened%s: %s", path,
			       options->read_only ? "" : " for writing", strerror(errno));
	if (!options->unlocked)
		ret = image_lock(file->fd, path, !options->read_only, err);
	cached_init(&file->cached, file->fd, !options->direct);
	if (ret || !options->direct)
		return ret;
	file->direct_fd = open(path, flags | O_DIRECT);
	if (file->direct_fd < 0)
		return err_set(err, -errno, "%s: the cache of the host cannot be bypassed: %s",
			       path, strerror(errno));
	return 0;
}

void qcow2_file_close(struct qcow2_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->direct_fd >= 0)
		close(file->direct_fd);
}

int qcow2_file_size(struct qcow2_file *file, u64 *size)
{
	struct stat st;

	if (fstat(file->fd, &st))
		return -errno;
	*size = (u64)st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(file->fd, BLKGETSIZE64, size))
		return -errno;
	return 0;
}

/*
 * Data clusters go past the page cache if that is wanted and their place is
 * aligned; tables and odd pieces through it. Linux keeps the two coherent.
 */
static int descriptor_for(const struct qcow2_file *file, const void *buf, size_t len,
			  u64 offset)
{
	if (file->direct_fd < 0 || ((uintptr_t)buf | len | offset) & (DIRECT_ALIGN - 1))
		return file->fd;
	return file->direct_fd;
}

int qcow2_pread(struct qcow2_file *file, void *buf, size_t len, u64 offset, u32 flags)
{
	ssize_t n;
	int ret;

	if (flags & BLK_NOWAIT) {
		ret = cached_read(&file->cached, buf, len, offset);
		if (ret != -EOPNOTSUPP)
			return ret;
	}
	while (len) {
		n = pread(descriptor_for(file, buf, len, offset), buf, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n) {
			memset(buf, 0, len);
			return 0;
		}
		buf = (u8 *)buf + n;
		len -= (size_t)n;
		offset += (u64)n;
	}
	return 0;
}

int qcow2_pwrite(struct qcow2_file *file, const void *buf, size_t len, u64 offset)
{
	struct iovec iov = { (void *)buf, len };

	return qcow2_pwritev(file, &iov, 1, offset);
}

int qcow2_pwritev(struct qcow2_file *file, struct iovec *iov, int nr, u64 offset)
{
	ssize_t n;
	int fd;

	while (nr) {
		fd = nr > 1 ? file->fd :
			descriptor_for(file, iov->iov_base, iov->iov_len, offset);
		n = pwritev(fd, iov, nr, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		offset += (u64)n;
		for (; nr && (size_t)n >= iov->iov_len; iov++, nr--)
			n -= (ssize_t)iov->iov_len;
		if (nr) {
			iov->iov_base = (u8 *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

int qcow2_pwrite_nowait(struct qcow2_file *file, const void *buf, size_t len, u64 offset)
{
	int ret = cached_write(&file->cached, buf, len, offset);

	return ret == -EOPNOTSUPP ? qcow2_pwrite(file, buf, len, offset) : ret;
}

int qcow2_sync(struct qcow2_file *file)
{
	return fdatasync(file->fd) ? -errno : 0;
}

/* Free space of the host; where that cannot be done, it stays. */
void qcow2_punch(struct qcow2_file *file, u64 len, u64 offset)
{
	(void)!fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 (off_t)offset, (off_t)len);
}
