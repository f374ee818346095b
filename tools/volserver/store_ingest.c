// SPDX-License-Identifier: MIT
/*
 * Data on their way into a file.  Whole blocks go to the device as they come,
 * in runs that end where an extent of the file would; the bytes before the
 * first and behind the last whole block wait in memory, for the blocks they are in
 * may have others.  Behind the end of the file there are none: a last block that is
 * expected to be there goes to the device as well, filled up with zeros.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "store_data.h"
#include "store_tx.h"

#define BUF_SIZE	(EXTENT_MAX * BLK_SIZE)

/**
 * struct piece - blocks on the device
 * @next: piece behind this one
 * @at: what they are
 * @sums: checksum of each block
 */
struct piece {
	struct piece *next;
	struct placed at;
	u8 sums[];
};

/**
 * struct store_ingest - data on their way
 * @st: store
 * @head_off: where the bytes before the first whole block begin
 * @head_len: how many there are
 * @head: these bytes
 * @off: where @buf belongs in the file; a block boundary
 * @fill: bytes in @buf
 * @buf: not yet on the device
 * @writes: under way
 * @near: block behind the last one written
 * @first: pieces in order
 * @last: where the next piece is entered
 * @rest: the block that @buf begins with, if the file ends in it; or NULL
 */
struct store_ingest {
	struct store *st;
	u64 head_off;
	size_t head_len;
	u8 head[BLK_SIZE];
	u64 off;
	size_t fill;
	u8 *buf;
	struct blkdev_batch writes;
	u64 near;
	struct piece *first;
	struct piece **last;
	struct piece *rest;
};

/* Blocks of the free map that no file refers to: @nr more, or fewer. */
static int try_blocks(struct store_ingest *in, u32 nr, struct alloc_run *run)
{
	int ret;

	MUTEX_GUARD(&in->st->ingest_lock);
	ret = alloc_take(in->st->alloc, nr, in->near, run);
	if (!ret)
		in->st->ingesting += run->nr;
	return ret;
}

static int take_blocks(struct store_ingest *in, u32 nr, struct alloc_run *run)
{
	int ret = try_blocks(in, nr, run);

	if (ret == -ENOSPC && !store_recover_blocks(in->st))
		ret = try_blocks(in, nr, run);
	return ret;
}

static void return_blocks(struct store *st, const struct alloc_run *run)
{
	MUTEX_GUARD(&st->ingest_lock);
	alloc_release(st->alloc, run);
	st->ingesting -= run->nr;
}

static void hand_over(struct store *st, u32 nr)
{
	MUTEX_GUARD(&st->ingest_lock);
	st->ingesting -= nr;
}

int store_ingest_begin(struct store *st, u64 off, struct store_ingest **out)
{
	struct store_ingest *in = calloc(1, sizeof(*in));

	if (!in)
		return -ENOMEM;
	in->buf = malloc(BUF_SIZE);
	if (!in->buf) {
		free(in);
		return -ENOMEM;
	}
	in->st = st;
	atomic_fetch_add(&st->changing, 1);
	in->head_off = off;
	in->off = ROUND_UP(off, (u64)BLK_SIZE);
	in->last = &in->first;
	*out = in;
	return 0;
}

/* Write @nr blocks at most. */
static int write_piece(struct store_ingest *in, u64 off, const u8 *data, u32 nr,
		       struct piece **out)
{
	struct alloc_run run;
	struct piece *p;
	int ret = take_blocks(in, nr, &run);

	if (ret)
		return ret;
	p = malloc(sizeof(*p) + (size_t)run.nr * SUM_LEN);
	if (!p) {
		return_blocks(in->st, &run);
		return -ENOMEM;
	}
	data_sum(data, run.nr, p->sums);
	p->next = NULL;
	p->at = (struct placed){
		.off = off,
		.end = (off + run.nr) << BLK_SHIFT,
		.run = run,
		.sums = p->sums,
	};
	/* what is not the first will not be the last either */
	p->at.flush = data_send(in->st, &in->writes, in->first ? 0 : 1, &run,
				data);
	in->near = run.start + run.nr;
	*out = p;
	return 0;
}

/* Send the whole blocks of the buffer on their way. */
static int drain(struct store_ingest *in)
{
	u32 nr = (u32)(in->fill / BLK_SIZE), done = 0;
	struct piece *p;
	int ret = 0;

	while (done < nr) {
		ret = write_piece(in, (in->off >> BLK_SHIFT) + done,
				  in->buf + (size_t)done * BLK_SIZE, nr - done,
				  &p);
		if (ret)
			break;
		*in->last = p;
		in->last = &p->next;
		done += p->at.run.nr;
	}
	in->off += (u64)done * BLK_SIZE;
	in->fill -= (size_t)done * BLK_SIZE;
	memmove(in->buf, in->buf + (size_t)done * BLK_SIZE, in->fill);
	return ret;
}

/* Bytes the buffer holds before it is drained: up to the end of an extent. */
static size_t room(const struct store_ingest *in)
{
	return BUF_SIZE - in->off % BUF_SIZE;
}

/* Take bytes that belong before the first whole block; how many it took. */
static size_t add_head(struct store_ingest *in, const void *buf, size_t len)
{
	size_t n = min(len, in->off - in->head_off - in->head_len);

	memcpy(in->head + in->head_len, buf, n);
	in->head_len += n;
	return n;
}

int store_ingest_add(struct store_ingest *in, const void *buf, size_t len)
{
	int ret = 0;
	size_t n = 0;

	if (len > S64_MAX - in->off - in->fill)
		return -EFBIG;
	if (!in->first && !in->fill)
		n = add_head(in, buf, len);
	while (!ret && n < len) {
		size_t part = min(len - n, room(in) - in->fill);

		memcpy(in->buf + in->fill, (const u8 *)buf + n, part);
		in->fill += part;
		n += part;
		if (in->fill == room(in))
			ret = drain(in);
	}
	return ret;
}

/* Send the rest of the buffer, too.  Without a block for it, it stays where it is. */
static void send_rest(struct store_ingest *in)
{
	memset(in->buf + in->fill, 0, BLK_SIZE - in->fill);
	if (!write_piece(in, in->off >> BLK_SHIFT, in->buf, 1, &in->rest))
		in->rest->at.end = in->off + in->fill;
}

int store_ingest_end(struct store_ingest *in, bool at_end)
{
	int err, ret = drain(in);

	if (!ret && at_end && in->fill)
		send_rest(in);
	err = blkdev_wait(in->st->dev, &in->writes);
	return ret ? ret : err;
}

/* What is handed to the transaction is given back when that is undone. */
static int place_piece(struct store_tx *tx, struct vnode *vn,
		       struct store_ingest *in, struct piece **link)
{
	struct piece *p = *link;
	int ret;

	if (run_list_add(&tx->taken, &p->at.run))
		return -ENOMEM;
	hand_over(in->st, p->at.run.nr);
	*link = p->next;
	ret = data_place(tx, vn, &p->at);
	free(p);
	return ret;
}

/* The block of the last bytes must be read when the file goes on behind them. */
static int place_rest(struct store_tx *tx, struct vnode *vn,
		      struct store_ingest *in)
{
	if (in->rest && in->rest->at.end >= vn->s.size)
		return place_piece(tx, vn, in, &in->rest);
	return data_write(tx, vn, in->off, in->buf, in->fill);
}

int store_write_ingest(struct store_tx *tx, const struct afsx_fid *fid,
		       struct store_ingest *in)
{
	struct vnode *vn;
	int ret = tx_vnode(tx, fid, &vn);

	if (ret)
		return tx_fail(tx, ret);
	if (vn->s.type != AFSX_FTYPE_FILE)
		return vn->s.type == AFSX_FTYPE_DIR ? -EISDIR : -EINVAL;
	tx->has_ingest = true;
	if (in->head_len)
		ret = data_write(tx, vn, in->head_off, in->head, in->head_len);
	while (!ret && in->first)
		ret = place_piece(tx, vn, in, &in->first);
	if (!ret && in->fill)
		ret = place_rest(tx, vn, in);
	vn->s.mtime_client = tx->now;
	tx_touch(tx, vn, true);
	return tx_fail(tx, ret);
}

static void drop_pieces(struct store *st, struct piece *p)
{
	while (p) {
		struct piece *next = p->next;

		return_blocks(st, &p->at.run);
		free(p);
		p = next;
	}
}

void store_ingest_free(struct store_ingest *in)
{
	if (!in)
		return;
	/* blocks must not be reused while a write to them is under way */
	blkdev_wait(in->st->dev, &in->writes);
	drop_pieces(in->st, in->first);
	drop_pieces(in->st, in->rest);
	atomic_fetch_sub(&in->st->changing, 1);
	free(in->buf);
	free(in);
}
