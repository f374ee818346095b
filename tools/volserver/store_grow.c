// SPDX-License-Identifier: MIT
/*
 * Growing with the device while the store is open.  What was added becomes free
 * blocks when both superblocks say that it is there, so none of it is in use when a
 * crash leaves the old ones.
 */
#include <errno.h>
#include <string.h>

#include "log.h"
#include "store_priv.h"

#define RESERVE_MIN	(2 * MIB_BLOCKS)
#define RESERVE_MAX	(1024 * MIB_BLOCKS)
#define STEP		0x40000u	/* blocks made free before others have a turn */

void store_set_reserve(struct store *st)
{
	alloc_set_reserve(st->alloc, clamp_u64(st->sb.blocks / 64, RESERVE_MIN,
					       RESERVE_MAX));
}

/*
 * What a crash leaves opens as the store before or the store now, which are the same until
 * the note is durable.  The former second copy must not be taken for the present one.
 */
int store_enlarge(struct store *st, u64 blocks)
{
	static const u8 zeros[BLK_SIZE];
	u64 before = st->sb.blocks;
	int ret = sb_grow(st->dev, &st->sb, blocks);

	if (!ret)
		ret = lease_note(st->lease, blocks);
	/* durable, or a new connection would repeat it over what may be there then */
	return ret ? ret : blkdev_write_fua(st->dev, (before - 1) << BLK_SHIFT,
					    zeros, sizeof(zeros));
}

/* From the former second superblock on, to the present one. */
static void free_blocks(struct store *st, u64 before)
{
	struct alloc_run run = { .start = before - 1 };
	u64 end = st->sb.blocks - 1;

	for (; run.start < end; run.start += run.nr) {
		run.nr = (u32)min(end - run.start, (u64)STEP);
		alloc_release(st->alloc, &run);
	}
}

/* With the writer's lock held. */
static int use_more(struct store *st, struct errbuf *err)
{
	u64 before = st->sb.blocks, now = blkdev_blocks(st->dev);
	int ret;

	if (now <= before)
		return 0;
	ret = alloc_extend(st->alloc, now);
	if (ret)
		return err_set(err, ret, "out of memory for the free map");
	ret = store_enlarge(st, now);
	if (ret) {
		/* which copies the device has is unknown: no more changes */
		blkdev_fail(st->dev, ret);
		return err_set(err, ret, "cannot write the superblocks: %s",
			       strerror(-ret));
	}
	free_blocks(st, before);
	store_set_reserve(st);
	log_info("the store has grown", LOG_U("old_kib", before * BLK_KIB),
		 LOG_U("new_kib", now * BLK_KIB));
	return 0;
}

static int check_writable(struct store *st, struct errbuf *err)
{
	int ret;

	if (!st->lease)
		return err_set(err, -EROFS, "the store was opened for reading only");
	ret = lease_hold(st->lease);
	if (!ret)
		ret = blkdev_failed(st->dev);
	return ret ? err_set(err, -EROFS, "nothing is written any more: %s",
			     strerror(-ret)) : 0;
}

int store_grow(struct store *st, u64 *before, u64 *now, struct errbuf *err)
{
	int ret = check_writable(st, err);

	/* a connection made with that flag has the present size already */
	if (!ret && !(st->cfg.flags & STORE_KEEP_SIZE))
		ret = blkdev_grow(st->dev, err);
	if (ret)
		return ret;
	store_enter(st);
	*before = st->sb.blocks * BLK_KIB;
	ret = use_more(st, err);
	*now = st->sb.blocks * BLK_KIB;
	store_leave(st);
	return ret;
}
