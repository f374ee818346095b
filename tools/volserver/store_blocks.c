// SPDX-License-Identifier: MIT
#include "store_blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "le.h"
#include "store_extent.h"
#include "store_tx.h"

#define WRITE_MAX	32u	/* in one write: more are an extent, which is one row */
#define TX_MAX		4096u	/* in one transaction */
#define SLOTS_MIN	64u

/* ---- what a transaction has ----------------------------------------------------- */

static size_t hash_of(u32 grp, u32 vno, u64 nr)
{
	u64 hash = ((u64)grp << 32 | vno) * 0x9e3779b97f4a7c15u + nr;

	hash *= 0xff51afd7ed558ccdu;
	return (size_t)(hash ^ hash >> 32);
}

static bool is_block(const struct file_block *b, u32 grp, u32 vno, u64 nr)
{
	return b->nr == nr && b->vno == vno && b->grp == grp;
}

static u32 *slot_of(const struct blocks *bs, u32 grp, u32 vno, u64 nr)
{
	size_t at = hash_of(grp, vno, nr);

	for (;; at++) {
		u32 *slot = &bs->slot[at & bs->mask];

		if (!*slot || is_block(&bs->list[*slot - 1], grp, vno, nr))
			return slot;
	}
}

static const struct file_block *find_own(const struct blocks *bs,
					 const struct vnode *vn, u64 nr)
{
	u32 slot = bs->nr ? *slot_of(bs, vn->grp, vn->s.fid.vnode, nr) : 0;

	return slot ? &bs->list[slot - 1] : NULL;
}

/* Twice as many slots as there may be blocks. */
static int grow(struct blocks *bs)
{
	size_t slots = bs->slot ? 2 * (bs->mask + 1) : SLOTS_MIN;
	struct file_block *list = realloc(bs->list, slots / 2 * sizeof(*list));
	u32 *slot = calloc(slots, sizeof(*slot));

	if (list)
		bs->list = list;
	if (!list || !slot) {
		free(slot);
		return -ENOMEM;
	}
	free(bs->slot);
	bs->slot = slot;
	bs->mask = slots - 1;
	bs->size = slots / 2;
	for (u32 i = 0; i < bs->nr; i++)
		*slot_of(bs, list[i].grp, list[i].vno, list[i].nr) = i + 1;
	return 0;
}

static int put(struct blocks *bs, const struct file_block *b)
{
	int ret = bs->nr == bs->size ? grow(bs) : 0;
	u32 *slot;

	if (ret)
		return ret;
	slot = slot_of(bs, b->grp, b->vno, b->nr);
	if (!*slot) {
		bs->nr++;
		*slot = (u32)bs->nr;
	}
	bs->list[*slot - 1] = *b;
	return 0;
}

void blocks_clear(struct blocks *bs)
{
	free(bs->list);
	free(bs->slot);
	*bs = (struct blocks){ .nr = 0 };
}

bool blocks_have_room(const struct store_tx *tx, u32 nr)
{
	return !tx->sql && !tx->restoring && nr <= WRITE_MAX &&
	       tx->blocks.nr + nr <= TX_MAX;
}

/* ---- what there is -------------------------------------------------------------- */

/**
 * struct look - a look at one block of a file after the other
 * @tx: transaction
 * @vn: file
 * @e: the first extent of the database from the block on that was asked for
 * @until: what the database has is known up to this block
 */
struct look {
	struct store_tx *tx;
	const struct vnode *vn;
	struct extent e;
	u64 until;
};

static int look_in_db(struct look *l, u64 nr, struct file_block *b)
{
	const struct extent *e = &l->e;
	int ret;

	if (nr >= l->until) {
		ret = extent_find(l->tx->db, l->vn, nr, DATA_BLOCKS_MAX, &l->e, 1);
		if (ret < 0)
			return ret;
		if (!ret)
			l->e = (struct extent){ .off = DATA_BLOCKS_MAX };
		l->until = e->off + e->nr;
	}
	if (nr < e->off)
		return 0;
	*b = (struct file_block){
		.grp = l->vn->grp,
		.vno = l->vn->s.fid.vnode,
		.nr = nr,
		.birth = e->birth,
		.phys = e->phys + (nr - e->off),
		.sum = le32_get(e->sums + (nr - e->off) * SUM_LEN),
	};
	return 1;
}

static int look(struct look *l, u64 nr, struct file_block *b)
{
	const struct file_block *own = find_own(&l->tx->blocks, l->vn, nr);
	const u8 *row;

	if (own) {
		*b = *own;
		return 1;
	}
	row = rows_find(l->tx->st->rows, ROW_BLOCK, l->vn->grp,
			l->vn->s.fid.vnode, nr);
	if (!row)
		return look_in_db(l, nr, b);
	row_get_block(row, b);
	return 1;
}

int blocks_find(struct store_tx *tx, const struct vnode *vn, u64 nr,
		struct file_block *b)
{
	struct look l = { .tx = tx, .vn = vn };

	return look(&l, nr, b);
}

/* ---- changing ------------------------------------------------------------------- */

static int free_block(struct run_list *freed, u64 phys)
{
	struct alloc_run one = { .start = phys, .nr = 1 };
	struct alloc_run *last = freed->nr ? &freed->run[freed->nr - 1] : NULL;

	if (!last || last->start + last->nr != phys)
		return run_list_add(freed, &one);
	last->nr++;
	return 0;
}

int blocks_replace(struct store_tx *tx, const struct tx_grp *g,
		   const struct vnode *vn, u64 from, u64 to, u64 *nr)
{
	struct look l = { .tx = tx, .vn = vn };
	struct file_block b;
	int ret = 0;

	for (; ret >= 0 && from < to; from++) {
		ret = look(&l, from, &b);
		if (ret <= 0)
			continue;
		++*nr;
		if (b.birth > g->newest)
			ret = free_block(&tx->freed, b.phys);
	}
	return min(ret, 0);
}

int blocks_put(struct store_tx *tx, const struct tx_grp *g,
	       const struct vnode *vn, const struct extent *e)
{
	int ret = 0;

	for (u32 i = 0; !ret && i < e->nr; i++) {
		struct file_block b = {
			.grp = vn->grp,
			.vno = vn->s.fid.vnode,
			.birth = e->birth,
			.newest = g->newest,
			.nr = e->off + i,
			.phys = e->phys + i,
			.sum = le32_get(e->sums + i * SUM_LEN),
		};

		ret = put(&tx->blocks, &b);
	}
	return ret;
}

int blocks_log(struct store_tx *tx)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < tx->blocks.nr; i++)
		ret = row_put_block(tx->st->redo, &tx->blocks.list[i]);
	return ret;
}

int blocks_flush(struct store_tx *tx)
{
	int ret = blocks_write(tx->db, tx->blocks.list, tx->blocks.nr);

	blocks_clear(&tx->blocks);
	return ret;
}

/* ---- to the database ------------------------------------------------------------ */

static int compare(const void *p, const void *q)
{
	const struct file_block *a = p, *b = q;

	if (a->grp != b->grp)
		return a->grp < b->grp ? -1 : 1;
	if (a->vno != b->vno)
		return a->vno < b->vno ? -1 : 1;
	return a->nr < b->nr ? -1 : a->nr > b->nr;
}

static bool follows(const struct file_block *a, const struct file_block *b)
{
	return a->grp == b->grp && a->vno == b->vno && a->birth == b->birth &&
	       a->newest == b->newest && a->nr + 1 == b->nr &&
	       a->phys + 1 == b->phys;
}

/* As one extent: how many blocks from @b on can be, of @nr. */
static u32 run_of(const struct file_block *b, size_t nr)
{
	u32 n = 1;

	while (n < nr && n < EXTENT_MAX && follows(&b[n - 1], &b[n]))
		n++;
	return n;
}

static int write_run(struct db *db, const struct file_block *b, u32 nr)
{
	struct vnode vn = {
		.grp = b->grp, .s.fid.vnode = b->vno, .snap = SNAP_LIVE,
	};
	struct extent e = {
		.off = b->nr, .birth = b->birth, .nr = nr, .phys = b->phys,
	};
	struct epochs ep = { .now = b->birth, .newest = b->newest };
	u64 replaced = 0;
	int ret;

	for (u32 i = 0; i < nr; i++)
		le32_put(e.sums + i * SUM_LEN, b[i].sum);
	ret = extent_punch(db, &vn, &ep, e.off, e.off + nr, NULL, &replaced);
	return ret ? ret : extent_put(db, &vn, &e);
}

int blocks_write(struct db *db, struct file_block *list, size_t nr)
{
	int ret = 0;
	u32 n;

	if (!nr)
		return 0;
	qsort(list, nr, sizeof(*list), compare);
	for (size_t at = 0; !ret && at < nr; at += n) {
		n = run_of(&list[at], nr - at);
		ret = write_run(db, &list[at], n);
	}
	return ret;
}
