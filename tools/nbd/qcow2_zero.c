// SPDX-License-Identifier: MIT
/*
 * Zeroes and trimming, by whole clusters where that can be said in the L2 table,
 * and by writing zeroes where it cannot.
 */
#include "qcow2_priv.h"

#define ZEROES_MAX	1048576u

/* What is asked of a range of whole clusters. */
enum ask {
	ASK_ZERO,	/* reads as zeroes, and keeps its place */
	ASK_ZERO_TRIM,	/* reads as zeroes */
	ASK_TRIM,	/* may read as anything */
};

static bool reads_below(const struct qcow2 *q, u64 offset)
{
	return q->backing && offset < q->backing->size;
}

/*
 * The entry that answers what is asked, for a guest cluster at @offset with @old.
 * Return: -ENOTSUP when version 2 has no such entry.
 */
static int new_entry(const struct qcow2 *q, enum ask ask, u64 offset, u64 old, u64 *entry)
{
	bool below = reads_below(q, offset), place, v2 = q->h.version < 3;

	*entry = old;
	place = old & QCOW2_COMPRESSED || old & QCOW2_HOST_MASK;
	if (!place && (old & QCOW2_ZERO || !below))
		return 0;
	if (v2 && below)
		return ask == ASK_TRIM ? 0 : -ENOTSUP;
	if (ask == ASK_ZERO && v2)
		return -ENOTSUP;
	if (ask == ASK_ZERO && old & QCOW2_COPIED && !(old & QCOW2_COMPRESSED))
		*entry = old | QCOW2_ZERO;
	else
		*entry = below ? QCOW2_ZERO : 0;
	return 0;
}

static int change_entries(struct qcow2 *q, struct qcow2_table *t, u64 first, u32 nr,
			  enum ask ask)
{
	u32 i = (u32)first & ((1u << q->l2_bits) - 1), end = i + nr;
	u64 offset = first << q->h.cluster_bits, old, entry;
	int ret;

	for (; i < end; i++, offset += q->cluster_size) {
		old = qcow2_entry(t, i);
		ret = new_entry(q, ask, offset, old, &entry);
		if (ret)
			return ret;
		if (entry == old)
			continue;
		if (!(entry & QCOW2_HOST_MASK))
			qcow2_free_later(q, old);
		qcow2_set_entry(t, i, entry);
		qcow2_table_dirty(&q->l2, t, 8 * i, 8 * (i + 1));
	}
	return 0;
}

/* Do it for @nr clusters, which one L2 table describes. */
static int change_in_table(struct qcow2 *q, u64 first, u32 nr, enum ask ask)
{
	u32 l1_index = (u32)(first >> q->l2_bits);
	struct qcow2_table *t;
	int ret;
	MUTEX_GUARD(&q->meta);

	qcow2_claims_wait(q, first, nr);
	if (q->broken)
		return q->broken;
	if (!(q->l1[l1_index] & QCOW2_HOST_MASK)) {
		if (!reads_below(q, first << q->h.cluster_bits))
			return 0;
		if (q->h.version < 3)
			return ask == ASK_TRIM ? 0 : -ENOTSUP;
	}
	ret = qcow2_l2_writable(q, l1_index, &t) ?: change_entries(q, t, first, nr, ask);
	qcow2_note_crowd(q);
	return ret;
}

/* Zeroes as data, for what has no other form. */
static int write_zeroes(struct qcow2 *q, u64 len, u64 offset)
{
	CLEANUP_FREE u8 *zeroes = calloc(1, min(len, ZEROES_MAX));
	u32 n;
	int ret = 0;

	if (!zeroes)
		return -ENOMEM;
	for (; len && !ret; len -= n, offset += n) {
		n = (u32)min(len, ZEROES_MAX);
		ret = qcow2_write(&q->blk, zeroes, n, offset, 0);
	}
	return ret;
}

/* A part of one cluster. */
static int zero_part(struct qcow2 *q, u64 len, u64 offset)
{
	struct blk_extent e;
	int ret;

	if (!len)
		return 0;
	ret = qcow2_extents(&q->blk, len, offset, &e, 1);
	if (ret < 0)
		return ret;
	return e.zero && e.length == len ? 0 : write_zeroes(q, len, offset);
}

static int change_clusters(struct qcow2 *q, u64 first, u64 nr, enum ask ask, bool fast)
{
	u32 bits = q->h.cluster_bits, n, entries = 1u << q->l2_bits;
	u64 offset;
	int ret = 0;

	for (; nr && !ret; nr -= n, first += n) {
		n = (u32)min(nr, (u64)entries - (first & (entries - 1)));
		ret = change_in_table(q, first, n, ask);
		if (!ret)
			ret = qcow2_settle(q, 0);
		if (ret == -ENOTSUP && !fast) {
			offset = first << bits;
			ret = write_zeroes(q, min((u64)n << bits, q->blk.size - offset), offset);
		}
	}
	return ret;
}

/* The whole clusters of a range; the last of the disk need not be. */
static void whole_clusters(const struct qcow2 *q, u64 len, u64 offset, u64 *first, u64 *end)
{
	u32 bits = q->h.cluster_bits;

	*first = ROUND_UP(offset, (u64)q->cluster_size) >> bits;
	*end = (offset + len) >> bits;
	if (offset + len == q->blk.size)
		*end = DIV_ROUND_UP(q->blk.size, (u64)q->cluster_size);
}

int qcow2_zero(struct blk *blk, u64 len, u64 offset, u32 flags)
{
	struct qcow2 *q = to_qcow2(blk);
	bool trim = flags & BLK_MAY_TRIM;
	u64 first, end, start, stop;
	int ret;

	if (flags & BLK_NOWAIT)
		return -EAGAIN;
	ret = qcow2_touch(q);
	if (ret)
		return ret;
	whole_clusters(q, len, offset, &first, &end);
	if (first >= end) {
		ret = zero_part(q, len, offset);
		return ret ?: qcow2_settle(q, flags);
	}
	start = first << q->h.cluster_bits;
	stop = min(end << q->h.cluster_bits, offset + len);
	ret = change_clusters(q, first, end - first, trim ? ASK_ZERO_TRIM : ASK_ZERO,
			      flags & BLK_FAST) ?:
		zero_part(q, start - offset, offset) ?:
		zero_part(q, offset + len - stop, stop);
	return ret ?: qcow2_settle(q, flags);
}

int qcow2_trim(struct blk *blk, u64 len, u64 offset, u32 flags)
{
	struct qcow2 *q = to_qcow2(blk);
	u64 first, end;
	int ret = 0;

	if (flags & BLK_NOWAIT)
		return -EAGAIN;
	whole_clusters(q, len, offset, &first, &end);
	if (first < end) {
		ret = qcow2_touch(q);
		if (!ret)
			ret = change_clusters(q, first, end - first, ASK_TRIM, true);
	}
	return ret ?: qcow2_settle(q, flags);
}
