// SPDX-License-Identifier: MIT
#include "store_fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "crc32c.h"
#include "store_extent.h"
#include "store_piece.h"

#define READ_EXTENTS	16u	/* looked up at a time */

static_assert(READ_EXTENTS * (EXTENT_MAX / PIECE_BLOCKS) <= PIECES_MAX,
	      "there is a piece for every part of them");

/**
 * struct fetch - a read of whole blocks
 * @st: store
 * @side: another way to the device, or NULL
 * @ps: those under way
 * @list: extents that they are of
 */
struct fetch {
	struct store *st;
	struct side *side;
	struct pieces ps;
	struct extent list[READ_EXTENTS];
};

/* Where the part of @e within [@from, @to) is: in the extent and in memory. */
struct part {
	u64 skip;
	u32 nr;
	u8 *buf;
};

static struct part part_of(const struct extent *e, u64 from, u64 to, u8 *buf)
{
	u64 first = max(e->off, from), end = min(e->off + e->nr, to);

	return (struct part){
		.skip = first - e->off,
		.nr = (u32)(end - first),
		.buf = buf + (first - from) * BLK_SIZE,
	};
}

static void add_part(struct pieces *ps, const struct extent *e,
		     const struct part *part)
{
	for (u32 at = 0; at < part->nr; at += PIECE_BLOCKS)
		ps->piece[ps->nr++] = (struct piece){
			.at = (e->phys + part->skip + at) << BLK_SHIFT,
			.nr = min(part->nr - at, PIECE_BLOCKS),
			.sums = e->sums + (part->skip + at) * SUM_LEN,
			.buf = part->buf + (size_t)at * BLK_SIZE,
		};
}

/* The parts of [@from, @to) in the first @n of the list, read into @buf and verified. */
static int read_parts(struct fetch *f, int n, u64 from, u64 to, u8 *buf)
{
	u64 covered = 0;

	for (int i = 0; i < n; i++)
		covered += part_of(&f->list[i], from, to, buf).nr;
	if (covered > to - from)
		return -EUCLEAN;	/* some overlap */
	if (covered < to - from)
		memset(buf, 0, (to - from) * BLK_SIZE);
	f->ps.nr = 0;
	for (int i = 0; i < n; i++) {
		struct part p = part_of(&f->list[i], from, to, buf);

		add_part(&f->ps, &f->list[i], &p);
	}
	return pieces_read(&f->ps, f->st->dev, f->side);
}

/* Whole blocks [@from, @to); holes are zeros. */
static int read_blocks(struct store *st, struct side *side, struct db *db,
		       const struct vnode *vn, u64 from, u64 to, u8 *buf)
{
	struct fetch *f CLEANUP_FREE = malloc(sizeof(*f));
	int ret = f ? 0 : -ENOMEM;

	if (f) {
		f->st = st;
		f->side = side;
	}
	while (!ret && from < to) {
		int n = extent_find(db, vn, from, to, f->list, READ_EXTENTS);
		u64 end = to;

		if (n == READ_EXTENTS)
			end = min(to, f->list[n - 1].off + f->list[n - 1].nr);
		ret = n < 0 ? n : read_parts(f, n, from, end, buf);
		buf += (end - from) * BLK_SIZE;
		from = end;
	}
	return ret;
}

int fetch_block(struct store *st, u64 phys, u32 sum, u8 *buf)
{
	int ret = blkdev_read(st->dev, phys << BLK_SHIFT, buf, BLK_SIZE);

	if (!ret && crc32c(0, buf, BLK_SIZE) != sum)
		ret = -EUCLEAN;
	return ret;
}

#define BOUNCE_MAX	(128u * 1024)

/* Any bytes, by way of a buffer for the whole blocks they are in. */
static int read_bytes(struct store *st, struct db *db, const struct vnode *vn,
		      u64 off, void *buf, size_t len)
{
	u64 from = off >> BLK_SHIFT, to = DIV_ROUND_UP(off + len, BLK_SIZE);
	u8 *blocks CLEANUP_FREE = malloc((to - from) * BLK_SIZE);
	int ret;

	if (!blocks)
		return -ENOMEM;
	ret = read_blocks(st, NULL, db, vn, from, to, blocks);
	if (!ret)
		memcpy(buf, blocks + off % BLK_SIZE, len);
	return ret;
}

/*
 * What a reader sees may be on the device without being durable yet: then only the
 * connection that it was written over is sure to show it.
 */
static struct side *side_for(struct store *st)
{
	return wal_is_settled(st->wal) ? st->side : NULL;
}

/* Long reads go where they belong; short ones in one round, whatever their ends. */
int data_read(struct store *st, struct db *db, const struct vnode *vn, u64 off,
	      void *buf, size_t len)
{
	size_t head = -off % BLK_SIZE, body;
	u64 from = DIV_ROUND_UP(off, BLK_SIZE);
	u8 *p = buf;
	int ret = 0;

	if (len <= BOUNCE_MAX && (off % BLK_SIZE || len % BLK_SIZE))
		return read_bytes(st, db, vn, off, buf, len);
	body = ROUND_DOWN(len - head, BLK_SIZE);
	if (head)
		ret = read_bytes(st, db, vn, off, p, head);
	if (!ret)
		ret = read_blocks(st, side_for(st), db, vn, from,
				  from + body / BLK_SIZE, p + head);
	if (!ret && head + body < len)
		ret = read_bytes(st, db, vn, off + head + body, p + head + body,
				 len - head - body);
	return ret;
}
