// SPDX-License-Identifier: MIT
/*
 * Reference counts of the clusters of the file, 1 to 64 bits wide, in blocks of
 * one cluster that a table points to; and finding free clusters. In memory counts
 * are never lower than what is durable: they are raised before anything leads to a
 * cluster and lowered when that nothing does has been made durable.
 */
#include "qcow2_priv.h"

u64 qcow2_refs_peek(const struct qcow2 *q, const struct qcow2_table *block, u64 cluster)
{
	u32 i = (u32)cluster & ((1u << q->refs_bits) - 1);
	u32 order = q->h.refcount_order, bit = i << order;
	const u8 *p = block->data + bit / 8;

	switch (order) {
	case 3:
		return *p;
	case 4:
		return be16_get(p);
	case 5:
		return be32_get(p);
	case 6:
		return be64_get(p);
	default:
		return *p >> (bit % 8) & ((1u << (1u << order)) - 1);
	}
}

void qcow2_refs_poke(struct qcow2 *q, struct qcow2_table *block, u64 cluster, u64 count)
{
	u32 i = (u32)cluster & ((1u << q->refs_bits) - 1);
	u32 order = q->h.refcount_order, bit = i << order, mask;
	u8 *p = block->data + bit / 8;

	qcow2_table_dirty(&q->refs, block, bit / 8, bit / 8 + max(1u, (1u << order) / 8));
	switch (order) {
	case 3:
		*p = (u8)count;
		break;
	case 4:
		be16_put(p, (u16)count);
		break;
	case 5:
		be32_put(p, (u32)count);
		break;
	case 6:
		be64_put(p, count);
		break;
	default:
		mask = ((1u << (1u << order)) - 1) << (bit % 8);
		*p = (u8)((*p & ~mask) | (count << (bit % 8)));
	}
}

static u64 reftable_size(const struct qcow2 *q)
{
	return ((u64)q->h.reftable_clusters << q->h.cluster_bits) / 8;
}

/* The block that counts @cluster; NULL where there is none yet, and all are 0. */
int qcow2_refs_block(struct qcow2 *q, u64 cluster, struct qcow2_table **block)
{
	u64 i = cluster >> q->refs_bits;

	*block = NULL;
	if (i >= reftable_size(q) || !q->reftable[i])
		return 0;
	return qcow2_table_load(q, &q->refs, (u32)i, q->reftable[i], block);
}

int qcow2_refs_get(struct qcow2 *q, u64 cluster, u64 *count)
{
	struct qcow2_table *block;
	int ret = qcow2_refs_block(q, cluster, &block);

	*count = !ret && block ? qcow2_refs_peek(q, block, cluster) : 0;
	return ret;
}

/* Have the counts from @cluster's block on, all 0, in the cluster at @host. */
int qcow2_refs_add_block(struct qcow2 *q, u64 cluster, u64 host)
{
	u32 i = (u32)(cluster >> q->refs_bits);
	struct qcow2_table *t = qcow2_table_new(q, host);

	if (!t)
		return -ENOMEM;
	t->fresh = true;
	qcow2_table_dirty(&q->refs, t, 0, q->cluster_size);
	q->file_end = max(q->file_end, host + q->cluster_size);
	q->refs.tables[i] = t;
	q->refs.loaded++;
	q->reftable[i] = host;
	qcow2_mark(&q->reftable_dirty_from, &q->reftable_dirty_to, i);
	return 0;
}

static bool overlaps(u64 host, u64 at, u64 len)
{
	return host >= at && host - at < len;
}

/* Whether the cluster at @host is in use for certain, whatever its count says. */
static bool is_fixed(const struct qcow2 *q, u64 host)
{
	return !host || overlaps(host, q->h.l1_at, q->h.l1_size * 8ull) ||
	       overlaps(host, q->h.reftable_at, reftable_size(q) * 8) ||
	       (q->h.nb_snapshots && host == q->h.snapshots_at);
}

/* Make a free cluster, @cluster, hold the counts of those around it, and its own. */
static int add_block_at(struct qcow2 *q, u64 cluster, struct qcow2_table **block)
{
	u64 host = cluster << q->h.cluster_bits;
	int ret;

	if (is_fixed(q, host))
		return qcow2_break(q, -EIO);
	ret = qcow2_refs_add_block(q, cluster, host);
	if (ret)
		return ret;
	*block = q->refs.tables[cluster >> q->refs_bits];
	qcow2_refs_poke(q, *block, cluster, 1);
	return 0;
}

/*
 * Find the first free cluster from the hint on, and its block. Where there is no
 * block, the cluster is made to hold it. Return: 0, errors.
 */
static int find_free(struct qcow2 *q, struct qcow2_table **block)
{
	u64 end, *i = &q->free_hint;
	int ret;

	for (;;) {
		if (*i >> q->refs_bits >= reftable_size(q)) {
			ret = qcow2_grow_reftable(q, *i);
			if (ret)
				return ret;
		}
		ret = qcow2_refs_block(q, *i, block);
		if (!ret && !*block)
			ret = add_block_at(q, *i, block);
		if (ret)
			return ret;
		end = ((*i >> q->refs_bits) + 1) << q->refs_bits;
		for (; *i < end; ++*i)
			if (!qcow2_refs_peek(q, *block, *i))
				return 0;
	}
}

int qcow2_alloc(struct qcow2 *q, u32 max, u64 *host, u32 *nr)
{
	struct qcow2_table *block;
	u64 first, i, end;
	int ret = find_free(q, &block);

	if (ret)
		return ret;
	first = q->free_hint;
	if (first << q->h.cluster_bits >> 56)
		return -ENOSPC;
	end = min(first + max, ((first >> q->refs_bits) + 1) << q->refs_bits);
	for (i = first; i < end && !qcow2_refs_peek(q, block, i); i++) {
		if (is_fixed(q, i << q->h.cluster_bits))
			return qcow2_break(q, -EIO);
		qcow2_refs_poke(q, block, i, 1);
	}
	q->free_hint = i;
	q->file_end = max(q->file_end, i << q->h.cluster_bits);
	*host = first << q->h.cluster_bits;
	*nr = (u32)(i - first);
	return 0;
}

static void lower_hint(struct qcow2 *q, u64 cluster)
{
	q->free_hint = min(q->free_hint, cluster);
}

void qcow2_unalloc(struct qcow2 *q, u64 host, u32 nr)
{
	u64 cluster = host >> q->h.cluster_bits;
	struct qcow2_table *block;

	/* where the block cannot be had, the clusters are lost for now */
	for (; nr; nr--, cluster++) {
		if (qcow2_refs_block(q, cluster, &block) || !block)
			return;
		qcow2_refs_poke(q, block, cluster, 0);
		lower_hint(q, cluster);
	}
}

int qcow2_refs_drop(struct qcow2 *q, u64 cluster)
{
	struct qcow2_table *block;
	u64 count;
	int ret;

	ret = qcow2_refs_block(q, cluster, &block);
	if (ret)
		return ret;
	count = block ? qcow2_refs_peek(q, block, cluster) : 0;
	if (!count)
		return -EIO;
	qcow2_refs_poke(q, block, cluster, count - 1);
	if (count == 1)
		lower_hint(q, cluster);
	return count == 1;
}

void qcow2_list_add(struct qcow2_list *list, u64 v)
{
	size_t room;
	u64 *more;

	if (list->nr == list->room) {
		room = list->room ? 2 * list->room : 64;
		more = realloc(list->v, room * sizeof(*more));
		/* without memory the cluster is never freed: that loses no data */
		if (!more)
			return;
		list->v = more;
		list->room = room;
	}
	list->v[list->nr++] = v;
}

void qcow2_free_later(struct qcow2 *q, u64 entry)
{
	u64 at = entry & QCOW2_HOST_MASK, end;
	u32 len;

	if (!(entry & QCOW2_COMPRESSED)) {
		if (at)
			qcow2_list_add(&q->freed, at >> q->h.cluster_bits);
		return;
	}
	qcow2_packed_range(&q->h, entry, &at, &len);
	end = (at + len - 1) >> q->h.cluster_bits;
	for (at >>= q->h.cluster_bits; at <= end; at++)
		qcow2_list_add(&q->freed, at);
}
