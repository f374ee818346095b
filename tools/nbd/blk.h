/* SPDX-License-Identifier: MIT */
/* What an export reads and writes: images of any format, behind one table. */
#ifndef AFSX_NBD_BLK_H
#define AFSX_NBD_BLK_H

#include <stdbool.h>

#include "defs.h"
#include "err.h"

struct blk;
struct ring;

enum blk_flags {
	/* The call must not sleep for the disk: -EAGAIN when it would have to. */
	BLK_NOWAIT	= 1 << 0,
	/* What is written is durable when the call returns. */
	BLK_FUA		= 1 << 1,
	/* zero(): the range may become a hole. */
	BLK_MAY_TRIM	= 1 << 2,
	/* zero(): -ENOTSUP unless it is faster than writing zeroes. */
	BLK_FAST	= 1 << 3,
};

/**
 * struct blk_extent - how a run of bytes is stored
 * @length: bytes, from where the run before it ended
 * @zero: reads as zeroes
 * @hole: no space is allocated for it
 */
struct blk_extent {
	u64	length;
	bool	zero;
	bool	hole;
};

/* What can be carried out in the background. */
enum blk_io_op {
	BLK_IO_READ,
	BLK_IO_WRITE,
	BLK_IO_FLUSH,
};

/**
 * struct blk_io - an operation in the background
 * @op: which; the next four are arguments as struct blk_ops takes them
 * @flags: FUA
 * @len: bytes; 0 for a flush
 * @offset: bytes; 0 for a flush
 * @buf: aligned to BLK_ALIGN if the image's @min_block is not 1
 * @done: called by the thread of the ring with what the operation itself would return;
 *	-EOPNOTSUPP: it did not take place
 * @image: for the image
 * @settle: what the image has to do before @done when the operation took place, or
 *	NULL; it returns what @done is told
 * @fd: for ring.c, and all that follow
 * @moved: bytes that have been read or written
 * @next: in its queue
 */
struct blk_io {
	enum blk_io_op	op;
	u32		flags;
	u32		len;
	u64		offset;
	void		*buf;
	void		(*done)(struct blk_io *io, int ret);
	void		*image;
	int		(*settle)(struct blk_io *io, int ret);
	int		fd;
	u32		moved;
	struct blk_io	*next;
};

#define BLK_ALIGN	4096	/* of memory for direct I/O; enough for every device */

/**
 * struct blk_ops - a format, or a layer over another struct blk
 * @name: as -f takes it
 * @read: @len bytes from @offset into @buf, all or an error
 * @splice: put the pages of a range into the empty pipe @pipe; returns as
 *	cached_splice(), and @read can do it instead. What is written to the range, but
 *	nothing else, may show in the pipe afterwards. NULL where that cannot be promised
 * @write: @len bytes of @buf to @offset; flags: NOWAIT, FUA
 * @zero: make a range read as zeroes; flags: FUA, MAY_TRIM, FAST
 * @trim: give a range back; what it reads as then is not specified; flags: FUA
 * @flush: make everything durable whose write had returned before the call
 * @cache: bring a range into memory; NULL where that means nothing
 * @submit: begin an operation on a ring, whose thread this is; an error has begun
 *	nothing, and -EOPNOTSUPP leaves it to the functions above. NULL unless @async of
 *	some image can be set
 * @extents: describe at most @max runs from @offset within @len bytes; returns
 *	their number, at least 1. NULL: everything is data
 * @size: tell the bytes there are at present, a multiple of @min_block; NULL where they
 *	stay as many as they were
 * @close: flush nothing, free all
 *
 * All of them may be called by any number of threads at a time and return 0 or a
 * negative errno. Ranges lie within a size that the image has had, checked by the caller,
 * and are multiples of @min_block. What is not there any more cannot be read (-EIO), nor
 * written or made zeroes (-ENOSPC). One that cannot obey BLK_NOWAIT answers -EAGAIN at
 * once. The NULLs of a read-only image are never called: write, zero, trim.
 */
struct blk_ops {
	const char *name;
	int (*read)(struct blk *blk, void *buf, u32 len, u64 offset, u32 flags);
	int (*splice)(struct blk *blk, int pipe, u32 len, u64 offset);
	int (*write)(struct blk *blk, const void *buf, u32 len, u64 offset, u32 flags);
	int (*zero)(struct blk *blk, u64 len, u64 offset, u32 flags);
	int (*trim)(struct blk *blk, u64 len, u64 offset, u32 flags);
	int (*flush)(struct blk *blk);
	int (*cache)(struct blk *blk, u64 len, u64 offset);
	int (*submit)(struct blk *blk, struct ring *ring, struct blk_io *io);
	int (*extents)(struct blk *blk, u64 len, u64 offset,
		       struct blk_extent *extents, u32 max);
	int (*size)(struct blk *blk, u64 *size);
	void (*close)(struct blk *blk);
};

/**
 * struct blk - an open image; formats embed it in their own
 * @ops: format
 * @size: bytes when it was opened
 * @min_block: requests are multiples of it: 1, or the sector of direct I/O
 * @preferred_block: best granularity, a power of two
 * @read_only: nothing may be changed
 * @rotational: seeks cost time
 * @async: operations can be submitted to a ring
 */
struct blk {
	const struct blk_ops	*ops;
	u64			size;
	u32			min_block;
	u32			preferred_block;
	bool			read_only;
	bool			rotational;
	bool			async;
};

/** blk_size() - as @size of struct blk_ops, for every image. */
static inline int blk_size(struct blk *blk, u64 *size)
{
	*size = blk->size;
	return blk->ops->size ? blk->ops->size(blk, size) : 0;
}

/**
 * struct blk_options - how images are opened, from the command line
 * @format: name of a format, NULL to find out (with a warning when it is raw)
 * @read_only: open nothing for writing
 * @direct: --cache=none or directsync: bypass the page cache
 * @async: operations in the background, where the format can (io_uring)
 * @unlocked: other programs may change the image
 * @snapshot_id: internal snapshot to show, or NULL
 * @snapshot_name: the same by name; an unqualified -l tries the id, then the name
 *
 * What --cache and --discard say of FUA, flush and trim is no matter of formats:
 * struct export knows it.
 */
struct blk_options {
	const char	*format;
	bool		read_only;
	bool		direct;
	bool		async;
	bool		unlocked;
	const char	*snapshot_id;
	const char	*snapshot_name;
};

#endif /* AFSX_NBD_BLK_H */
