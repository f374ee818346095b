// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>

#include "slice.h"

struct slice {
	struct blk	blk;
	struct blk	*below;
	u64		start;
	bool		rest;	/* ends where the image does */
};

static struct slice *slice_of(struct blk *blk)
{
	return container_of(blk, struct slice, blk);
}

static int slice_read(struct blk *blk, void *buf, u32 len, u64 offset, u32 flags)
{
	struct slice *s = slice_of(blk);

	return s->below->ops->read(s->below, buf, len, s->start + offset, flags);
}

static int slice_splice(struct blk *blk, int pipe, u32 len, u64 offset)
{
	struct slice *s = slice_of(blk);

	if (!s->below->ops->splice)
		return -EAGAIN;
	return s->below->ops->splice(s->below, pipe, len, s->start + offset);
}

static int slice_write(struct blk *blk, const void *buf, u32 len, u64 offset,
		       u32 flags)
{
	struct slice *s = slice_of(blk);

	return s->below->ops->write(s->below, buf, len, s->start + offset, flags);
}

static int slice_zero(struct blk *blk, u64 len, u64 offset, u32 flags)
{
	struct slice *s = slice_of(blk);

	return s->below->ops->zero(s->below, len, s->start + offset, flags);
}

static int slice_trim(struct blk *blk, u64 len, u64 offset, u32 flags)
{
	struct slice *s = slice_of(blk);

	return s->below->ops->trim(s->below, len, s->start + offset, flags);
}

static int slice_flush(struct blk *blk)
{
	struct slice *s = slice_of(blk);

	return s->below->ops->flush(s->below);
}

static int slice_cache(struct blk *blk, u64 len, u64 offset)
{
	struct slice *s = slice_of(blk);

	if (!s->below->ops->cache)
		return 0;
	return s->below->ops->cache(s->below, len, s->start + offset);
}

static int slice_submit(struct blk *blk, struct ring *ring, struct blk_io *io)
{
	struct slice *s = slice_of(blk);

	if (io->op != BLK_IO_FLUSH)
		io->offset += s->start;
	return s->below->ops->submit(s->below, ring, io);
}

static int slice_extents(struct blk *blk, u64 len, u64 offset,
			 struct blk_extent *extents, u32 max)
{
	struct slice *s = slice_of(blk);

	if (s->below->ops->extents)
		return s->below->ops->extents(s->below, len, s->start + offset,
					      extents, max);
	extents[0] = (struct blk_extent){ .length = len };
	return 1;
}

static int slice_size(struct blk *blk, u64 *size)
{
	struct slice *s = slice_of(blk);
	int ret;

	*size = blk->size;
	if (!s->rest)
		return 0;
	ret = blk_size(s->below, size);
	if (ret)
		return ret;
	if (*size < s->start)
		return -ERANGE;
	*size -= s->start;
	return 0;
}

static void slice_close(struct blk *blk)
{
	struct slice *s = slice_of(blk);

	s->below->ops->close(s->below);
	free(s);
}

static const struct blk_ops slice_ops = {
	.name = "slice",
	.read = slice_read,
	.splice = slice_splice,
	.write = slice_write,
	.zero = slice_zero,
	.trim = slice_trim,
	.flush = slice_flush,
	.cache = slice_cache,
	.submit = slice_submit,
	.extents = slice_extents,
	.size = slice_size,
	.close = slice_close,
};

int slice_open(struct blk *below, u64 offset, u64 length, struct blk **blk,
	       struct errbuf *err)
{
	struct slice *s;

	if (offset > below->size || length > below->size - offset)
		return err_set(err, -ERANGE,
			       "bytes %ju to %ju: the image has %ju bytes",
			       (uintmax_t)offset, (uintmax_t)(offset + length),
			       (uintmax_t)below->size);
	if (offset % below->min_block || length % below->min_block)
		return err_set(err, -EINVAL,
			       "bytes %ju to %ju: not whole blocks of %u bytes",
			       (uintmax_t)offset, (uintmax_t)(offset + length),
			       below->min_block);
	s = malloc(sizeof(*s));
	if (!s)
		return err_set(err, -ENOMEM, "out of memory");
	s->blk = *below;
	s->blk.ops = &slice_ops;
	s->blk.size = length;
	s->below = below;
	s->start = offset;
	s->rest = false;
	*blk = &s->blk;
	return 0;
}

int slice_open_rest(struct blk *below, u64 offset, struct blk **blk,
		    struct errbuf *err)
{
	int ret;

	if (offset > below->size)
		return err_set(err, -ERANGE, "the image has %ju bytes",
			       (uintmax_t)below->size);
	ret = slice_open(below, offset, below->size - offset, blk, err);
	if (!ret)
		slice_of(*blk)->rest = true;
	return ret;
}
