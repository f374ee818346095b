// SPDX-License-Identifier: MIT
#include "store_cut.h"

#include <errno.h>

#include "store_data.h"
#include "store_extent.h"
#include "store_tx.h"

#define STEP_DEFAULT	1024u	/* extents */

static u32 step_of(const struct store_tx *tx)
{
	return tx->st->cfg.free_step ? : STEP_DEFAULT;
}

static u64 end_block(u64 size)
{
	return DIV_ROUND_UP(size, BLK_SIZE);
}

/* Where blocks that wait begin: a file without a name loses all. */
static u64 floor_of(const struct vnode *vn)
{
	return vn->s.nlink ? end_block(vn->s.size) : 0;
}

/*
 * Look at the extents from block @floor on, from the last one back: where the one
 * is that has @skip others behind it.  Return: 1, 0 when there is none, an error.
 */
static int extent_from_end(struct store_tx *tx, const struct vnode *vn,
			   u64 floor, u32 skip, u64 *off)
{
	sqlite3_stmt *row = db_bind(tx->db, SQL_EXTENT_FROM_END, "iiiii",
				    (s64)vn->grp, (s64)vn->s.fid.vnode,
				    (s64)floor,
				    vn->tail_end ? (s64)vn->tail_end : S64_MAX,
				    (s64)skip);
	int ret = db_row(row);

	if (ret > 0)
		*off = (u64)db_int(row, 0);
	return db_end(row, ret);
}

/* Whether more extents begin at @floor or behind it than one step frees. */
static int is_long(struct store_tx *tx, const struct vnode *vn, u64 floor)
{
	u32 step = step_of(tx);
	u64 off;

	/* an extent has a block at least */
	if (vn->s.used_kib / BLK_KIB <= step)
		return 0;
	return extent_from_end(tx, vn, floor, step, &off);
}

int cut_is_long(struct store_tx *tx, const struct vnode *vn)
{
	return vn->s.type == AFSX_FTYPE_FILE ? is_long(tx, vn, 0) : 0;
}

/* Nothing is left behind the end of a file that has a name. */
static int forget(struct store_tx *tx, struct vnode *vn)
{
	vn->tail_end = 0;
	vn->tail_known = true;
	return batch_sql(tx) ? : db_run(tx->db, SQL_ORPHAN_DELETE, "ii",
					(s64)vn->grp, (s64)vn->s.fid.vnode);
}

static int punch(struct store_tx *tx, struct vnode *vn, u64 from, u64 to)
{
	struct tx_grp *g;
	int ret = tx_grp(tx, vn->grp, &g);

	return ret ? ret : data_punch(tx, g, vn, from, to);
}

int cut_wait(struct store_tx *tx, struct vnode *vn)
{
	vn->tail_known = false;
	atomic_store(&tx->st->cuts, true);
	return batch_sql(tx) ? : db_run(tx->db, SQL_ORPHAN_INSERT, "ii",
					(s64)vn->grp, (s64)vn->s.fid.vnode);
}

int cut_shrink(struct store_tx *tx, struct vnode *vn, u64 size)
{
	int ret;

	vn->tail_end = 0;
	ret = is_long(tx, vn, end_block(size));
	if (ret)
		return ret < 0 ? ret : cut_wait(tx, vn);
	ret = punch(tx, vn, end_block(size), DATA_BLOCKS_MAX);
	return ret || !atomic_load(&tx->st->cuts) ? ret : forget(tx, vn);
}

/* Whether something may be left behind the end. */
static int has_tail(struct store_tx *tx, const struct vnode *vn)
{
	struct extent e;

	return atomic_load(&tx->st->cuts) ? 1 :
	       extent_find(tx->db, vn, end_block(vn->s.size), DATA_BLOCKS_MAX,
			   &e, 1);
}

int cut_grow(struct store_tx *tx, struct vnode *vn)
{
	int ret = vn->tail_known ? 0 : has_tail(tx, vn);

	vn->tail_known = !ret;
	if (ret <= 0)
		return ret;
	ret = punch(tx, vn, end_block(vn->s.size), DATA_BLOCKS_MAX);
	if (!ret && atomic_load(&tx->st->cuts))
		ret = forget(tx, vn);
	vn->tail_known = !ret;
	return ret;
}

int cut_step(struct store_tx *tx, struct vnode *vn)
{
	u64 floor = floor_of(vn), from = floor, off;
	int ret = extent_from_end(tx, vn, floor, step_of(tx) - 1, &from);

	if (ret >= 0)
		ret = punch(tx, vn, from, vn->tail_end ? : DATA_BLOCKS_MAX);
	/* no callback: what clients are told of the file stays as it is */
	vn->dirty = true;
	vn->touched = true;
	vn->tail_end = from;
	if (!ret && from > floor)
		ret = extent_from_end(tx, vn, floor, 0, &off);
	if (ret)
		return min(ret, 0);
	/* of an extent that begins before the end and goes on behind it */
	ret = punch(tx, vn, floor, max(from, floor + EXTENT_MAX));
	if (!ret && vn->s.nlink)
		ret = forget(tx, vn);
	return ret ? ret : 1;
}

/* One step for a file that shall grow.  Return: as cut_step(). */
static int settle_step(struct store_tx *tx, const struct afsx_fid *fid, u64 size)
{
	struct vnode *vn;
	int ret = tx_vnode(tx, fid, &vn);

	if (ret)
		return ret;
	if (vn->s.type != AFSX_FTYPE_FILE || vn->tail_known ||
	    size <= vn->s.size)
		return 1;
	return cut_step(tx, vn);
}

int store_settle(struct store *st, const struct afsx_fid *fid, u64 size)
{
	struct store_tx *tx;
	int ret, done = 0;

	while (!done && atomic_load(&st->cuts)) {
		ret = store_begin_long(st, &tx);
		if (ret)
			return ret;
		done = settle_step(tx, fid, size);
		if (done < 0) {
			store_abort(tx);
			return done;
		}
		ret = store_commit(tx);
		if (ret)
			return ret;
	}
	return 0;
}
