// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cached.h"

#ifndef SYS_cachestat
#define SYS_cachestat	451	/* the same for every processor but alpha */
#endif

/* File systems that cannot do something say so at the first try. */
enum {
	CACHED_TRY,
	CACHED_PLAIN,	/* not known there, but a plain call takes little longer */
	CACHED_NEVER,
};

/* Arguments of cachestat(2), which the C library need not know yet. */
struct cache_range {
	u64	offset;
	u64	length;
};

struct cache_pages {
	u64	cached;
	u64	dirty;
	u64	writeback;
	u64	evicted;
	u64	recently_evicted;
};

void cached_init(struct cached *c, int fd, bool usable)
{
	int first = usable ? CACHED_TRY : CACHED_NEVER;
	struct statfs fs;

	c->fd = fd;
	c->in_memory = !fstatfs(fd, &fs) &&
		       (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
	c->read = first;
	c->write = first;
	c->splice = first;
}

/* Return: as cached_read(), for a call of @len bytes that returned @n. */
static int result(atomic_int *can, bool plain, ssize_t n, size_t len)
{
	if (n >= 0)
		return (size_t)n == len ? 0 : -EAGAIN;
	if (errno == EINTR)
		return -EAGAIN;
	if (errno != EOPNOTSUPP)
		return -errno;
	*can = plain ? CACHED_PLAIN : CACHED_NEVER;
	return plain ? -EOPNOTSUPP : -EAGAIN;
}

int cached_read(struct cached *c, void *buf, size_t len, u64 offset)
{
	struct iovec iov = { buf, len };

	if (c->read != CACHED_TRY)
		return c->read == CACHED_PLAIN ? -EOPNOTSUPP : -EAGAIN;
	return result(&c->read, c->in_memory,
		      preadv2(c->fd, &iov, 1, (off_t)offset, RWF_NOWAIT), len);
}

int cached_write(struct cached *c, const void *buf, size_t len, u64 offset)
{
	struct iovec iov = { (void *)buf, len };	/* iovecs are not const */

	if (c->write != CACHED_TRY)
		return c->write == CACHED_PLAIN ? -EOPNOTSUPP : -EAGAIN;
	/* plain writes to the page cache wait for the disk only under pressure */
	return result(&c->write, true,
		      pwritev2(c->fd, &iov, 1, (off_t)offset, RWF_NOWAIT), len);
}

/* Whether all pages of a range are there, or soon will be. */
static bool is_cached(struct cached *c, size_t len, u64 offset)
{
	u64 page = (u64)sysconf(_SC_PAGESIZE);
	struct cache_range range = { offset, len };
	struct cache_pages pages;

	if (c->in_memory)
		return true;
	if (syscall(SYS_cachestat, c->fd, &range, &pages, 0)) {
		/* an older kernel, or a file that is not ours */
		c->splice = CACHED_NEVER;
		return false;
	}
	return pages.cached == (offset + len - 1) / page - offset / page + 1;
}

int cached_splice(struct cached *c, int pipe, size_t len, u64 offset)
{
	loff_t at = (loff_t)offset, end = at + (loff_t)len;
	ssize_t n = 1;

	if (c->splice != CACHED_TRY || !is_cached(c, len, offset))
		return -EAGAIN;
	while (at < end && n > 0)
		n = splice(c->fd, &at, pipe, NULL, (size_t)(end - at), SPLICE_F_NONBLOCK);
	if (n < 0 && errno == EINVAL)	/* the file system cannot do it */
		c->splice = CACHED_NEVER;
	if (at == (loff_t)offset)
		return -EAGAIN;
	return at < end ? -EIO : 0;
}
