// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include "cached.h"
#include "cleanup.h"
#include "image_lock.h"
#include "raw.h"
#include "ring.h"

#define PAGE_CACHE_BLOCK	4096u
#define RING_COPY_MAX	(32 * 1024)	/* bytes a ring may read from the page cache */

struct raw {
	struct blk	blk;
	int		fd;
	bool		device;
	bool		direct;
	struct cached	cached;
	atomic_int	lost;		/* what a flush failed with */
};

static struct raw *raw_of(struct blk *blk)
{
	return container_of(blk, struct raw, blk);
}

/* Bytes there are now. Return: 0 or a negative errno. */
static int present_size(struct raw *raw, u64 *size)
{
	struct stat st;

	if (raw->device)
		return ioctl(raw->fd, BLKGETSIZE64, size) ? -errno : 0;
	if (fstat(raw->fd, &st))
		return -errno;
	*size = (u64)st.st_size;
	return 0;
}

/*
 * Whether a range can be changed. To write behind the end of a file that was cut would
 * bring back what is before that place, as zeroes.
 */
static int check_end(struct raw *raw, u64 len, u64 offset)
{
	u64 size;
	int ret;

	if (raw->device)	/* it says so itself */
		return 0;
	ret = present_size(raw, &size);
	if (ret)
		return ret;
	return offset > size || len > size - offset ? -ENOSPC : 0;
}

/* Read or write at @offset, once. Return: bytes, or a negative errno. */
static ssize_t transfer_some(struct raw *raw, bool write, void *buf, size_t len,
			     u64 offset, int flags)
{
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	ssize_t n;

	do {
		n = write ? pwritev2(raw->fd, &iov, 1, (off_t)offset, flags) :
			    preadv2(raw->fd, &iov, 1, (off_t)offset, flags);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int transfer(struct raw *raw, bool write, void *buf, u32 len, u64 offset,
		    int flags)
{
	ssize_t n;

	while (len) {
		n = transfer_some(raw, write, buf, len, offset, flags);
		if (n < 0)
			return (int)n;
		if (!n)	/* the file has become shorter */
			return -EIO;
		buf = (u8 *)buf + n;
		offset += (u64)n;
		len -= (u32)n;
	}
	return 0;
}

/* As transfer(), with memory as direct I/O needs it. */
static int transfer_aligned(struct raw *raw, bool write, void *buf, u32 len,
			    u64 offset, int flags)
{
	CLEANUP_FREE void *aligned = NULL;
	int ret;

	if (!raw->direct || (uintptr_t)buf % BLK_ALIGN == 0)
		return transfer(raw, write, buf, len, offset, flags);
	aligned = aligned_alloc(BLK_ALIGN, ROUND_UP((size_t)len, BLK_ALIGN));
	if (!aligned)
		return -ENOMEM;
	if (write)
		memcpy(aligned, buf, len);
	ret = transfer(raw, write, aligned, len, offset, flags);
	if (!ret && !write)
		memcpy(buf, aligned, len);
	return ret;
}

/*
 * Try without waiting for the disk. What was written of a request that is given up
 * half-way is written again by the second try.
 */
static int transfer_nowait(struct raw *raw, bool write, void *buf, u32 len,
			   u64 offset)
{
	int ret = write ? cached_write(&raw->cached, buf, len, offset) :
			  cached_read(&raw->cached, buf, len, offset);

	return ret == -EOPNOTSUPP ? transfer(raw, write, buf, len, offset, 0) : ret;
}

static int raw_read(struct blk *blk, void *buf, u32 len, u64 offset, u32 flags)
{
	struct raw *raw = raw_of(blk);

	if (flags & BLK_NOWAIT)
		return transfer_nowait(raw, false, buf, len, offset);
	return transfer_aligned(raw, false, buf, len, offset, 0);
}

static int raw_splice(struct blk *blk, int pipe, u32 len, u64 offset)
{
	return cached_splice(&raw_of(blk)->cached, pipe, len, offset);
}

/* Remember that something which was written is lost. */
static int durable_result(struct raw *raw, int ret)
{
	if (ret)
		raw->lost = ret;
	return ret;
}

static int raw_write(struct blk *blk, const void *buf, u32 len, u64 offset,
		     u32 flags)
{
	struct raw *raw = raw_of(blk);
	void *data = (void *)buf;	/* iovecs are not const */
	int ret = check_end(raw, len, offset);

	if (ret)
		return ret;
	if (flags & BLK_NOWAIT)
		return transfer_nowait(raw, true, data, len, offset);
	if (!(flags & BLK_FUA))
		return transfer_aligned(raw, true, data, len, offset, 0);
	if (raw->lost)
		return raw->lost;
	ret = transfer_aligned(raw, true, data, len, offset, RWF_DSYNC);
	return ret == -EIO ? durable_result(raw, ret) : ret;
}

static int raw_flush(struct blk *blk)
{
	struct raw *raw = raw_of(blk);

	if (raw->lost)
		return raw->lost;
	return durable_result(raw, fdatasync(raw->fd) ? -errno : 0);
}

/* A change that was not a write has been made. */
static int finish(struct raw *raw, u32 flags)
{
	return flags & BLK_FUA ? raw_flush(&raw->blk) : 0;
}

static int punch(struct raw *raw, int mode, u64 len, u64 offset)
{
	int ret;

	do {
		ret = fallocate(raw->fd, mode | FALLOC_FL_KEEP_SIZE,
				(off_t)offset, (off_t)len);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

/* Whether that way is not there, and another may be. */
static bool impossible(int ret)
{
	/* devices say EINVAL to what are not whole sectors */
	return ret == -EOPNOTSUPP || ret == -ENODEV || ret == -EINVAL;
}

static int write_zeroes(struct raw *raw, u64 len, u64 offset)
{
	static const u8 zeroes[65536]
		__attribute__((aligned(BLK_ALIGN)));
	int ret = 0;

	while (len && !ret) {
		u32 n = min_u64(len, sizeof(zeroes));

		ret = transfer(raw, true, (void *)zeroes, n, offset, 0);
		offset += n;
		len -= n;
	}
	return ret;
}

static int raw_zero(struct blk *blk, u64 len, u64 offset, u32 flags)
{
	struct raw *raw = raw_of(blk);
	int ret = check_end(raw, len, offset);

	if (ret)
		return ret;
	ret = -EOPNOTSUPP;
	if (flags & BLK_MAY_TRIM)
		ret = punch(raw, FALLOC_FL_PUNCH_HOLE, len, offset);
	if (impossible(ret))
		ret = punch(raw, FALLOC_FL_ZERO_RANGE, len, offset);
	if (impossible(ret)) {
		if (flags & BLK_FAST)
			return -ENOTSUP;
		ret = write_zeroes(raw, len, offset);
	}
	return ret ? ret : finish(raw, flags);
}

/* Discard the whole blocks in a range of a device. */
static int discard(struct raw *raw, u64 len, u64 offset)
{
	u64 start = ROUND_UP(offset, (u64)PAGE_CACHE_BLOCK);
	u64 end = ROUND_DOWN(offset + len, (u64)PAGE_CACHE_BLOCK);
	u64 range[2] = { start, end - start };

	if (start >= end)
		return 0;
	return ioctl(raw->fd, BLKDISCARD, range) ? -errno : 0;
}

static int raw_trim(struct blk *blk, u64 len, u64 offset, u32 flags)
{
	struct raw *raw = raw_of(blk);
	int ret;

	ret = raw->device ? discard(raw, len, offset) :
			    punch(raw, FALLOC_FL_PUNCH_HOLE, len, offset);
	/* trimming is a wish */
	if (ret && !impossible(ret))
		return ret;
	return finish(raw, flags);
}

static int raw_cache(struct blk *blk, u64 len, u64 offset)
{
	struct raw *raw = raw_of(blk);

	if (raw->direct)
		return 0;
	return -posix_fadvise(raw->fd, (off_t)offset, (off_t)len,
			      POSIX_FADV_WILLNEED);
}

/* The run of data or the hole that begins at @at and ends before @end. */
static struct blk_extent extent_at(struct raw *raw, u64 at, u64 end)
{
	off_t data = lseek(raw->fd, (off_t)at, SEEK_DATA), hole;

	if (data < 0 && errno == ENXIO)	/* a hole to the end of the file */
		data = (off_t)end;
	if (data > (off_t)at)
		return (struct blk_extent){ min_u64(data, end) - at, true, true };
	hole = data < 0 ? -1 : lseek(raw->fd, (off_t)at, SEEK_HOLE);
	/* where nobody knows it is data */
	if (hole <= (off_t)at)
		hole = (off_t)end;
	return (struct blk_extent){ min_u64(hole, end) - at, false, false };
}

static int raw_size(struct blk *blk, u64 *size)
{
	int ret = present_size(raw_of(blk), size);

	if (!ret)
		*size -= *size % blk->min_block;
	return ret;
}

/* What the file has lost is no hole. Return: how many runs are left, or an error. */
static int cut_extents(struct blk *blk, u64 at, struct blk_extent *extents, u32 nr)
{
	u64 size;
	int ret = raw_size(blk, &size);
	u32 n;

	if (ret)
		return ret;
	for (n = 0; n < nr && at < size; n++) {
		extents[n].length = min(extents[n].length, size - at);
		at += extents[n].length;
	}
	return n ? (int)n : -EIO;
}

static int raw_extents(struct blk *blk, u64 len, u64 offset,
		       struct blk_extent *extents, u32 max)
{
	u64 at = offset, end = offset + len;
	u32 n;

	for (n = 0; n < max && at < end; n++) {
		extents[n] = extent_at(raw_of(blk), at, end);
		at += extents[n].length;
	}
	return cut_extents(blk, offset, extents, n);
}

/* An operation on a ring has ended. */
static int settle(struct blk_io *io, int ret)
{
	struct raw *raw = io->image;

	if (io->op == BLK_IO_FLUSH)
		return durable_result(raw, ret);
	return ret == -EIO && io->flags & BLK_FUA ? durable_result(raw, ret) : ret;
}

/*
 * Whether a ring does it better than threads. In the page cache it copies the data of
 * all requests in one thread, and the kernel makes writes wait for each other.
 */
static bool suits_ring(const struct raw *raw, const struct blk_io *io)
{
	return raw->direct || (io->op == BLK_IO_READ && io->len <= RING_COPY_MAX);
}

static int raw_submit(struct blk *blk, struct ring *ring, struct blk_io *io)
{
	struct raw *raw = raw_of(blk);
	int ret = 0;

	if (!suits_ring(raw, io))
		return -EOPNOTSUPP;
	if (io->op == BLK_IO_WRITE)
		ret = check_end(raw, io->len, io->offset);
	if (ret)
		return ret;
	if ((io->op == BLK_IO_FLUSH || io->flags & BLK_FUA) && raw->lost)
		return raw->lost;
	io->image = raw;
	io->settle = settle;
	return ring_add(ring, raw->fd, io);
}

static void raw_close(struct blk *blk)
{
	struct raw *raw = raw_of(blk);

	close(raw->fd);
	free(raw);
}

static const struct blk_ops raw_ops = {
	.name = "raw",
	.read = raw_read,
	.splice = raw_splice,
	.write = raw_write,
	.zero = raw_zero,
	.trim = raw_trim,
	.flush = raw_flush,
	.cache = raw_cache,
	.submit = raw_submit,
	.extents = raw_extents,
	.size = raw_size,
	.close = raw_close,
};

static bool is_rotational(dev_t dev)
{
	CLEANUP_FCLOSE FILE *f = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/queue/rotational",
		 major(dev), minor(dev));
	f = fopen(path, "re");
	return f && fgetc(f) == '1';
}

/* Find out about a device. */
static int measure_device(struct raw *raw, const char *path,
			  const struct stat *st, struct errbuf *err)
{
	int sector;

	if (ioctl(raw->fd, BLKGETSIZE64, &raw->blk.size) ||
	    ioctl(raw->fd, BLKSSZGET, &sector))
		return err_set(err, -errno, "%s: its size is not known: %s",
			       path, strerror(errno));
	raw->device = true;
	raw->blk.rotational = is_rotational(st->st_rdev);
	if (raw->direct)
		raw->blk.min_block = (u32)sector;
	return 0;
}

/* Find out about a file. */
static int measure_file(struct raw *raw, const char *path, const struct stat *st,
			struct errbuf *err)
{
	struct statx x;

	raw->blk.size = (u64)st->st_size;
	if (!raw->direct)
		return 0;
	raw->blk.min_block = BLK_ALIGN;
	if (!statx(raw->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &x) &&
	    x.stx_mask & STATX_DIOALIGN && x.stx_dio_offset_align)
		raw->blk.min_block = x.stx_dio_offset_align;
	if (raw->blk.size % raw->blk.min_block)
		return err_set(err, -EINVAL,
			       "%s: its size is not a multiple of %u, as direct I/O needs",
			       path, raw->blk.min_block);
	return 0;
}

static int measure(struct raw *raw, const char *path, struct errbuf *err)
{
	struct stat st;
	int ret;

	if (fstat(raw->fd, &st))
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	raw->blk.min_block = 1;
	if (S_ISBLK(st.st_mode))
		ret = measure_device(raw, path, &st, err);
	else if (S_ISREG(st.st_mode))
		ret = measure_file(raw, path, &st, err);
	else
		ret = err_set(err, -EINVAL, "%s: neither a file nor a block device",
			      path);
	raw->blk.preferred_block = max(raw->blk.min_block, PAGE_CACHE_BLOCK);
	return ret;
}

/* Open the file. Return: 0 or a negative errno. */
static int open_file(struct raw *raw, const char *path, int flags)
{
	/* a FIFO must not hold up who opens it by mistake */
	raw->fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	if (raw->fd < 0)
		return -errno;
	/* a ring takes it for a wish not to wait for the disk */
	return fcntl(raw->fd, F_SETFL, flags) ? -errno : 0;
}

int raw_open(const char *path, const struct blk_options *opts, struct blk **blk,
	     struct errbuf *err)
{
	int flags = opts->read_only ? O_RDONLY : O_RDWR;
	struct raw *raw = calloc(1, sizeof(*raw));
	int ret;

	if (!raw)
		return err_set(err, -ENOMEM, "out of memory");
	raw->blk.ops = &raw_ops;
	raw->blk.read_only = opts->read_only;
	raw->blk.async = opts->async;
	raw->direct = opts->direct;
	if (opts->direct)
		flags |= O_DIRECT;
	ret = open_file(raw, path, flags);
	if (ret)
		err_set(err, ret, "%s: cannot be opened%s%s: %s", path,
			opts->read_only ? "" : " for writing",
			opts->direct ? " for direct I/O" : "", strerror(-ret));
	else
		ret = measure(raw, path, err);
	if (!ret)
		cached_init(&raw->cached, raw->fd, !raw->direct);
	if (!ret && !opts->unlocked)
		ret = image_lock(raw->fd, path, !opts->read_only, err);
	if (ret) {
		if (raw->fd >= 0)
			close(raw->fd);
		free(raw);
		return ret;
	}
	*blk = &raw->blk;
	return 0;
}
