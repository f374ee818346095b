// SPDX-License-Identifier: MIT
/*
 * What was written is in a sparse file of the size of the image, at its place, and
 * a map in memory says which blocks are there. Parts of the map come into being
 * when something is written in their range.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "overlay.h"

#define BLOCK		4096u
#define BITS_PER_PART	1048576u	/* blocks: 4 GiB */

struct overlay {
	struct blk		blk;
	struct blk		*base;
	int			fd;
	pthread_rwlock_t	lock;	/* exclusive to put blocks into the map */
	u64			**map;
	u64			parts;
};

static struct overlay *to_overlay(struct blk *blk)
{
	return container_of(blk, struct overlay, blk);
}

static bool is_here(const struct overlay *o, u64 block)
{
	const u64 *part = o->map[block / BITS_PER_PART];
	u32 i = block % BITS_PER_PART;

	return part && part[i / 64] >> (i % 64) & 1;
}

static int put_here(struct overlay *o, u64 block)
{
	u64 **part = &o->map[block / BITS_PER_PART];
	u32 i = block % BITS_PER_PART;

	if (!*part)
		*part = calloc(BITS_PER_PART / 64, sizeof(u64));
	if (!*part)
		return -ENOMEM;
	(*part)[i / 64] |= 1ull << (i % 64);
	return 0;
}

/* Bytes from @offset on, at most @len, that are in the same place; which it is. */
static u64 run_length(const struct overlay *o, u64 len, u64 offset, bool *here)
{
	u64 block = offset / BLOCK, end = offset + len;

	*here = is_here(o, block);
	do {
		block++;
	} while (block * BLOCK < end && is_here(o, block) == *here);
	return min(block * BLOCK, end) - offset;
}

static int transfer(struct overlay *o, bool write, void *buf, u64 len, u64 offset)
{
	ssize_t n;

	while (len) {
		n = write ? pwrite(o->fd, buf, len, (off_t)offset) :
			    pread(o->fd, buf, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		buf = (u8 *)buf + n;
		len -= (u64)n;
		offset += (u64)n;
	}
	return 0;
}

static int overlay_read(struct blk *blk, void *buf, u32 len, u64 offset, u32 flags)
{
	struct overlay *o = to_overlay(blk);
	int ret = 0;
	bool here;
	u32 n;

	if (flags & BLK_NOWAIT)
		return -EAGAIN;
	pthread_rwlock_rdlock(&o->lock);
	for (; len && !ret; len -= n, offset += n) {
		n = (u32)run_length(o, len, offset, &here);
		ret = here ? transfer(o, false, buf, n, offset) :
			     o->base->ops->read(o->base, buf, n, offset, 0);
		buf = (u8 *)buf + n;
	}
	pthread_rwlock_unlock(&o->lock);
	return ret;
}

/* Have the block with @offset here, with what the image has there. */
static int bring(struct overlay *o, u64 offset)
{
	_Alignas(BLOCK) u8 data[BLOCK];
	u64 start = ROUND_DOWN(offset, (u64)BLOCK), len = min((u64)BLOCK, o->blk.size - start);
	int ret;

	if (is_here(o, offset / BLOCK))
		return 0;
	ret = o->base->ops->read(o->base, data, (u32)len, start, 0) ?:
		transfer(o, true, data, len, start);
	return ret ?: put_here(o, offset / BLOCK);
}

/* Write, or make zeroes where @buf is NULL. */
static int fill(struct overlay *o, const void *buf, u64 len, u64 offset)
{
	if (buf)
		return transfer(o, true, (void *)buf, len, offset);
	if (fallocate(o->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		      (off_t)len))
		return -errno;
	return 0;
}

/* Change a range of which some blocks are not here. */
static int fill_new(struct overlay *o, const void *buf, u64 len, u64 offset)
{
	u64 end = offset + len, block;
	int ret = 0;

	if (offset % BLOCK)
		ret = bring(o, offset);
	if (!ret && end % BLOCK && end < o->blk.size)
		ret = bring(o, end);
	ret = ret ?: fill(o, buf, len, offset);
	for (block = offset / BLOCK; block * BLOCK < end && !ret; block++)
		ret = put_here(o, block);
	return ret;
}

static int change(struct overlay *o, const void *buf, u64 len, u64 offset)
{
	int ret = -EAGAIN;
	bool here;

	if (!len)
		return 0;
	pthread_rwlock_rdlock(&o->lock);
	if (run_length(o, len, offset, &here) == len && here)
		ret = fill(o, buf, len, offset);
	pthread_rwlock_unlock(&o->lock);
	if (ret != -EAGAIN)
		return ret;
	pthread_rwlock_wrlock(&o->lock);
	ret = fill_new(o, buf, len, offset);
	pthread_rwlock_unlock(&o->lock);
	return ret;
}

static int overlay_write(struct blk *blk, const void *buf, u32 len, u64 offset, u32 flags)
{
	return flags & BLK_NOWAIT ? -EAGAIN : change(to_overlay(blk), buf, len, offset);
}

static int overlay_zero(struct blk *blk, u64 len, u64 offset, u32 flags)
{
	return flags & BLK_NOWAIT ? -EAGAIN : change(to_overlay(blk), NULL, len, offset);
}

/* What is below cannot be given back, and what is here is as good as zeroes. */
static int overlay_trim(struct blk *blk, u64 len, u64 offset, u32 flags)
{
	return overlay_zero(blk, len, offset, flags);
}

static int overlay_flush(struct blk *blk)
{
	return 0;	/* none of it outlives the process */
}

static int overlay_extents(struct blk *blk, u64 len, u64 offset,
			   struct blk_extent *extents, u32 max)
{
	struct overlay *o = to_overlay(blk);
	bool here;

	pthread_rwlock_rdlock(&o->lock);
	len = run_length(o, len, offset, &here);
	pthread_rwlock_unlock(&o->lock);
	if (!here && o->base->ops->extents)
		return o->base->ops->extents(o->base, len, offset, extents, max);
	extents[0] = (struct blk_extent) { .length = len };
	return 1;
}

static void overlay_close(struct blk *blk)
{
	struct overlay *o = to_overlay(blk);
	u64 i;

	for (i = 0; i < o->parts; i++)
		free(o->map[i]);
	free(o->map);
	close(o->fd);
	pthread_rwlock_destroy(&o->lock);
	o->base->ops->close(o->base);
	free(o);
}

static const struct blk_ops overlay_ops = {
	.name = "overlay",
	.read = overlay_read,
	.write = overlay_write,
	.zero = overlay_zero,
	.trim = overlay_trim,
	.flush = overlay_flush,
	.extents = overlay_extents,
	.close = overlay_close,
};

static int open_temporary(u64 size, struct errbuf *err)
{
	const char *directory = getenv("TMPDIR") ?: "/var/tmp";
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(err, -errno, "no temporary file in %s: %s", directory,
			       strerror(errno));
	if (!ftruncate(fd, (off_t)size))
		return fd;
	err_set(err, -errno, "a temporary file of %llu bytes in %s: %s", size, directory,
		strerror(errno));
	close(fd);
	return -EFBIG;
}

int overlay_open(struct blk *base, struct blk **blk, struct errbuf *err)
{
	struct overlay *o = calloc(1, sizeof(*o));
	int ret = 0;

	if (o) {
		o->parts = base->size / BLOCK / BITS_PER_PART + 1;
		o->map = calloc(o->parts, sizeof(*o->map));
	}
	if (!o || !o->map)
		ret = err_set(err, -ENOMEM, "out of memory");
	else
		ret = open_temporary(base->size, err);
	if (ret < 0) {
		if (o)
			free(o->map);
		free(o);
		return ret;
	}
	pthread_rwlock_init(&o->lock, NULL);
	o->base = base;
	o->fd = ret;
	o->blk = *base;
	o->blk.async = false;
	o->blk.ops = &overlay_ops;
	o->blk.read_only = false;
	*blk = &o->blk;
	return 0;
}
