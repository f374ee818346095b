// SPDX-License-Identifier: MIT
#include "store_piece.h"

#include <errno.h>
#include <string.h>

#include "store_data.h"
#include "store_side.h"

#define SIDE_MIN	4u	/* pieces that are worth help */

/* A piece on its way to memory. */
struct flight {
	struct blkdev_batch batch;
	struct piece *piece;
};

/**
 * struct flights - pieces under way, in order
 * @way: how
 * @ring: the last PIECE_DEPTH of those begun
 * @begun: how many were
 * @ended: how many were waited for
 * @err: 0, or the first error, negative errno
 */
struct flights {
	const struct way *way;
	struct flight ring[PIECE_DEPTH];
	unsigned int begun;
	unsigned int ended;
	int err;
};

static bool is_right(const struct piece *p)
{
	u8 sums[PIECE_BLOCKS * SUM_LEN];

	data_sum(p->buf, p->nr, sums);
	return !memcmp(sums, p->sums, p->nr * SUM_LEN);
}

/* Wait for the oldest and verify it, while the server sends what comes behind it. */
static void end_piece(struct flights *fs)
{
	struct flight *f = &fs->ring[fs->ended++ % PIECE_DEPTH];
	int ret = blkdev_wait(fs->way->dev, &f->batch);

	if (!ret && !is_right(f->piece))
		ret = -EUCLEAN;
	f->piece->err = ret;
	if (!fs->err)
		fs->err = ret;
}

static void begin_piece(struct flights *fs, struct piece *p)
{
	struct flight *f = &fs->ring[fs->begun++ % PIECE_DEPTH];

	*f = (struct flight){ .piece = p };
	blkdev_read_async(fs->way->dev, &f->batch, p->at, p->buf,
			  (size_t)p->nr * BLK_SIZE);
}

static struct piece *take(struct pieces *ps, const struct way *way)
{
	unsigned int i;

	if (way->main && blkdev_shared(way->main) != way->number)
		return NULL;
	i = atomic_fetch_add(&ps->next, 1);
	return i < ps->nr ? &ps->piece[i] : NULL;
}

int pieces_take(struct pieces *ps, const struct way *way)
{
	struct flights fs = { .way = way };
	struct piece *p;

	while (!fs.err && (p = take(ps, way))) {
		begin_piece(&fs, p);
		if (fs.begun - fs.ended == way->depth)
			end_piece(&fs);
	}
	while (fs.ended < fs.begun)
		end_piece(&fs);
	return fs.err;
}

/* Whatever is not there yet. */
static int read_rest(struct pieces *ps, const struct way *way)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < ps->nr; i++)
		if (ps->piece[i].err)
			ps->piece[nr++] = ps->piece[i];
	ps->nr = nr;
	atomic_store(&ps->next, 0);
	return pieces_take(ps, way);
}

int pieces_read(struct pieces *ps, struct blkdev *dev, struct side *side)
{
	struct way way = { .dev = dev, .depth = PIECE_DEPTH };
	bool helped;
	int ret;

	for (unsigned int i = 0; i < ps->nr; i++)
		ps->piece[i].err = -EAGAIN;
	atomic_store(&ps->next, 0);
	helped = side && ps->nr >= SIDE_MIN && side_help(side, ps);
	if (helped)
		way.depth = min(PIECE_DEPTH, ps->nr) / 2;
	ret = pieces_take(ps, &way);
	if (!helped)
		return ret;
	side_leave(side, ps);
	return ret ? ret : read_rest(ps, &way);
}
