// SPDX-License-Identifier: MIT
/*
 * File data: extents of up to 1 MiB with a checksum per block.  Blocks are
 * never overwritten: a write goes to free blocks, and the extent it replaces is
 * freed, or ended at the present epoch where a clone still sees it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "crc32c.h"
#include "le.h"
#include "store_blocks.h"
#include "store_cut.h"
#include "store_data.h"
#include "store_extent.h"
#include "store_fetch.h"
#include "store_tx.h"

/* ---- freeing -------------------------------------------------------------- */

static int punch(struct store_tx *tx, const struct tx_grp *g,
		 const struct vnode *vn, u64 from, u64 to, u64 *freed)
{
	struct epochs ep = { .now = g->epoch, .newest = g->newest };

	return extent_punch(tx->db, vn, &ep, from, to, &tx->freed, freed);
}

int data_punch(struct store_tx *tx, struct tx_grp *g, struct vnode *vn,
	       u64 from, u64 to)
{
	u64 freed = 0;
	int ret = batch_sql(tx);

	if (!ret)
		ret = punch(tx, g, vn, from, to, &freed);
	return ret ? ret : tx_charge(tx, vn, -(s64)(freed * BLK_KIB));
}

/* ---- writing -------------------------------------------------------------- */

void data_sum(const u8 *data, u32 nr, u8 *sums)
{
	u32 crcs[EXTENT_MAX];

	crc32c_each(data, BLK_SIZE, nr, crcs);
	for (u32 i = 0; i < nr; i++)
		le32_put(sums + i * SUM_LEN, crcs[i]);
}

static int take_blocks(struct store_tx *tx, u32 want, u64 near,
		       struct alloc_run *run)
{
	struct alloc *alloc = tx->st->alloc;
	int ret = alloc_take(alloc, want, near, run);

	if (ret == -ENOSPC && !store_recover_blocks(tx->st))
		ret = alloc_take(alloc, want, near, run);
	if (ret == -ENOSPC && tx->cutting && tx->freed.nr)
		ret = alloc_take_urgent(alloc, want, near, run);
	return ret;
}

#define FUA_BLOCKS	4u	/* in one write */
#define FUA_WRITES	2u	/* in one transaction */

/*
 * A few blocks that nobody else has a use for a FLUSH with are made durable by the
 * write itself: that is one round trip less.  Those of many at once share the FLUSH, unless
 * the device is so quick that the round trip is what counts.
 */
static bool does_without_flush(struct store *st, unsigned int own)
{
	return own && blkdev_has_fua(st->dev) &&
	       (atomic_load(&st->changing) <= own || rally_is_quick(&st->batch.rally));
}

bool data_send(struct store *st, struct blkdev_batch *batch, unsigned int own,
	       const struct alloc_run *run, const u8 *data)
{
	bool fua = run->nr <= FUA_BLOCKS && does_without_flush(st, own);
	u64 at = run->start << BLK_SHIFT;
	size_t len = (size_t)run->nr * BLK_SIZE;

	if (fua)
		blkdev_write_fua_async(st->dev, batch, at, data, len);
	else
		blkdev_write_async(st->dev, batch, at, data, len);
	return !fua;
}

static void send_for(struct store_tx *tx, const struct alloc_run *run,
		     const u8 *data)
{
	unsigned int own = tx->has_ingest ? 2 : 1;

	/* what must wait for a FLUSH anyway needs no FUA */
	if (tx->wrote || tx->fua_writes == FUA_WRITES)
		own = 0;
	tx->fua_writes++;
	tx->wrote |= data_send(tx->st, &tx->writes, own, run, data);
}

/* The file has these blocks now, in place of what replace_blocks() took from it. */
static int keep(struct store_tx *tx, const struct tx_grp *g,
		const struct vnode *vn, const struct extent *e)
{
	return tx->sql ? extent_put(tx->db, vn, e) : blocks_put(tx, g, vn, e);
}

static int write_extent(struct store_tx *tx, const struct tx_grp *g,
			struct vnode *vn, u64 off, u32 want, const u8 *data,
			u32 *done)
{
	struct extent e = { .off = off, .birth = g->epoch };
	struct alloc_run run;
	int ret = take_blocks(tx, want, vn->near, &run);

	if (ret)
		return ret;
	if (run_list_add(&tx->taken, &run)) {
		alloc_release(tx->st->alloc, &run);
		return -ENOMEM;
	}
	e.nr = run.nr;
	e.phys = run.start;
	data_sum(data, e.nr, e.sums);
	send_for(tx, &run, data);
	vn->near = run.start + run.nr;
	*done = run.nr;
	return keep(tx, g, vn, &e);
}

static int take_away(struct store_tx *tx, const struct tx_grp *g,
		     const struct vnode *vn, u64 from, u64 to, u64 *freed)
{
	return tx->sql ? punch(tx, g, vn, from, to, freed) :
			 blocks_replace(tx, g, vn, from, to, freed);
}

/* Make room for the blocks [@from, @from + @nr) and account for them. */
static int replace_blocks(struct store_tx *tx, const struct tx_grp *g,
			  struct vnode *vn, u64 from, u32 nr)
{
	u64 freed = 0;
	int ret = blocks_have_room(tx, nr) ? 0 : batch_sql(tx);

	/* there is nothing to replace behind the end of the file */
	if (!ret && from << BLK_SHIFT < vn->s.size)
		ret = take_away(tx, g, vn, from, from + nr, &freed);
	return ret ? ret : tx_charge(tx, vn, ((s64)nr - (s64)freed) * BLK_KIB);
}

int data_place(struct store_tx *tx, struct vnode *vn, const struct placed *p)
{
	struct extent e = {
		.off = p->off, .nr = p->run.nr, .phys = p->run.start };
	struct tx_grp *g;
	int ret = tx_grp(tx, vn->grp, &g);

	if (!ret && p->end > vn->s.size)
		ret = cut_grow(tx, vn);
	if (!ret)
		ret = replace_blocks(tx, g, vn, p->off, p->run.nr);
	if (ret)
		return ret;
	e.birth = g->epoch;
	memcpy(e.sums, p->sums, e.nr * SUM_LEN);
	tx->wrote |= p->flush;
	vn->s.size = max(vn->s.size, p->end);
	return keep(tx, g, vn, &e);
}

/* Replace the blocks [@from, @from + @nr) by @data; nr <= EXTENT_MAX. */
static int write_blocks(struct store_tx *tx, struct vnode *vn, u64 from, u32 nr,
			const u8 *data)
{
	struct tx_grp *g;
	int ret = tx_grp(tx, vn->grp, &g);

	if (!ret)
		ret = replace_blocks(tx, g, vn, from, nr);
	while (!ret && nr) {
		u32 done;

		ret = write_extent(tx, g, vn, from, nr, data, &done);
		if (ret)
			break;
		from += done;
		nr -= done;
		data += (size_t)done * BLK_SIZE;
	}
	return ret;
}

/* Read block @nr as it is now, with this transaction's own writes. */
static int read_own_block(struct store_tx *tx, const struct vnode *vn, u64 nr,
			  u8 *buf)
{
	struct file_block b;
	int ret = blkdev_wait(tx->st->dev, &tx->writes);

	if (!ret)
		ret = blocks_find(tx, vn, nr, &b);
	if (ret > 0)
		return fetch_block(tx->st, b.phys, b.sum, buf);
	memset(buf, 0, BLK_SIZE);
	return ret;
}

/* Write [@off, @off + @len), which touches at most EXTENT_MAX blocks. */
static int write_chunk(struct store_tx *tx, struct vnode *vn, u64 off,
		       const void *buf, size_t len, u8 *blocks)
{
	u64 from = off >> BLK_SHIFT;
	u64 to = DIV_ROUND_UP(off + len, BLK_SIZE);
	size_t head = off % BLK_SIZE;
	size_t tail = (off + len) % BLK_SIZE;
	u8 *last = blocks + (to - from - 1) * BLK_SIZE;
	int ret = 0;

	if (!head && !tail)
		return write_blocks(tx, vn, from, (u32)(to - from), buf);
	/* blocks covered in part keep the rest of what they have */
	memset(blocks, 0, BLK_SIZE);
	memset(last, 0, BLK_SIZE);
	if (head && off - head < vn->s.size)
		ret = read_own_block(tx, vn, from, blocks);
	if (!ret && tail && !(head && last == blocks) && off + len < vn->s.size)
		ret = read_own_block(tx, vn, to - 1, last);
	if (ret)
		return ret;
	memcpy(blocks + head, buf, len);
	return write_blocks(tx, vn, from, (u32)(to - from), blocks);
}

int data_write(struct store_tx *tx, struct vnode *vn, u64 off, const void *buf,
	       size_t len)
{
	size_t step = EXTENT_MAX * BLK_SIZE;
	u8 *blocks CLEANUP_FREE = malloc(step);
	int ret = blocks ? 0 : -ENOMEM;

	if (!ret && off + len > vn->s.size)
		ret = cut_grow(tx, vn);
	while (!ret && len) {
		size_t n = min(len, step - off % BLK_SIZE);

		ret = write_chunk(tx, vn, off, buf, n, blocks);
		if (ret)
			break;
		buf = (const u8 *)buf + n;
		off += n;
		len -= n;
		vn->s.size = max(vn->s.size, off);
	}
	return ret;
}

/* What lies behind the new end must be zero if the file grows again. */
static int clear_tail(struct store_tx *tx, struct vnode *vn, u64 size)
{
	static const u8 zeros[BLK_SIZE];
	u64 nr = size >> BLK_SHIFT;
	size_t len = min(BLK_SIZE - size % BLK_SIZE, vn->s.size - size);
	struct file_block b;
	int ret = blocks_find(tx, vn, nr, &b);

	if (ret <= 0)
		return ret;	/* a hole stays one */
	tx->cutting = true;
	ret = data_write(tx, vn, size, zeros, len);
	tx->cutting = false;
	return ret;
}

int data_truncate(struct store_tx *tx, struct vnode *vn, u64 size)
{
	int ret = 0;

	if (size < vn->s.size)
		ret = cut_shrink(tx, vn, size);
	else if (size > vn->s.size)
		ret = cut_grow(tx, vn);
	if (!ret && size < vn->s.size && size % BLK_SIZE)
		ret = clear_tail(tx, vn, size);
	vn->s.size = size;
	return ret;
}

int store_write(struct store_tx *tx, const struct afsx_fid *fid, u64 off,
		const void *buf, size_t len)
{
	struct vnode *vn;
	int ret = tx_vnode(tx, fid, &vn);

	if (ret)
		return ret;
	if (vn->s.type != AFSX_FTYPE_FILE)
		return vn->s.type == AFSX_FTYPE_DIR ? -EISDIR : -EINVAL;
	if (off > S64_MAX - len)
		return tx_fail(tx, -EFBIG);
	ret = data_write(tx, vn, off, buf, len);
	vn->s.mtime_client = tx->now;
	tx_touch(tx, vn, true);
	return tx_fail(tx, ret);
}
