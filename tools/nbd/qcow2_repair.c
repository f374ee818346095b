// SPDX-License-Identifier: MIT
/*
 * Reference counts computed anew from all that uses clusters, for an image whose
 * header says that they may be stale. The header says so until they are durable.
 */
#include "qcow2_priv.h"

/* Uses of each cluster of the file. */
struct census {
	struct qcow2 *q;
	u64 clusters;
	u32 *uses;
	u8 *l2;			/* room for one table */
	bool check;		/* second pass: look at the flags of sole use */
};

static int count(struct census *c, u64 at, u64 len)
{
	u64 i = at >> c->q->h.cluster_bits, end;

	if (!len || c->check)
		return 0;
	end = (at + len - 1) >> c->q->h.cluster_bits;
	if (at + len < at || end >= c->clusters)
		return -EINVAL;
	for (; i <= end; i++)
		c->uses[i]++;
	return 0;
}

/* A cluster that @entry calls used once must not be used twice. */
static int check_flag(const struct census *c, u64 entry)
{
	u64 i = (entry & QCOW2_HOST_MASK) >> c->q->h.cluster_bits;

	if (!c->check || !(entry & QCOW2_COPIED) || entry & QCOW2_COMPRESSED)
		return 0;
	return c->uses[i] == 1 ? 0 : -EINVAL;
}

static int count_entry(struct census *c, u64 entry)
{
	u64 at = entry & QCOW2_HOST_MASK;
	u32 len;

	if (entry & QCOW2_COMPRESSED) {
		qcow2_packed_range(&c->q->h, entry, &at, &len);
		return count(c, at, len);
	}
	if (!at)
		return 0;
	if (at & (c->q->cluster_size - 1))
		return -EINVAL;
	return count(c, at, c->q->cluster_size) ?: check_flag(c, entry);
}

static int count_l2(struct census *c, u64 entry)
{
	u32 i, size = c->q->cluster_size;
	u64 at = entry & QCOW2_HOST_MASK;
	int ret;

	if (!at)
		return 0;
	if (at & (size - 1))
		return -EINVAL;
	ret = count(c, at, size) ?: check_flag(c, entry) ?:
		qcow2_pread(&c->q->file, c->l2, size, at, 0);
	for (i = 0; i < size && !ret; i += 8)
		ret = count_entry(c, be64_get(c->l2 + i));
	return ret;
}

static int count_l1(struct census *c, u64 l1_at, u32 l1_size)
{
	CLEANUP_FREE u8 *l1 = malloc(8ull * l1_size + 1);
	int ret;
	u32 i;

	if (!l1)
		return -ENOMEM;
	ret = count(c, l1_at, 8ull * l1_size) ?:
		qcow2_pread(&c->q->file, l1, 8ull * l1_size, l1_at, 0);
	for (i = 0; i < l1_size && !ret; i++)
		ret = count_l2(c, be64_get(l1 + 8 * i));
	return ret;
}

static int count_snapshot(void *ctx, const struct qcow2_snapshot *s, const char *id,
			  const char *name)
{
	return count_l1(ctx, s->l1_at, s->l1_size);
}

static int count_refs(struct census *c)
{
	const struct qcow2_header *h = &c->q->h;
	u32 i;
	int ret;

	ret = count(c, h->reftable_at, (u64)h->reftable_clusters << h->cluster_bits);
	for (i = 0; i < c->q->refs.size && !ret; i++)
		if (c->q->reftable[i])
			ret = count(c, c->q->reftable[i], c->q->cluster_size);
	return ret;
}

static int count_all(struct census *c)
{
	const struct qcow2_header *h = &c->q->h;
	u64 end;
	int ret;

	ret = count(c, 0, c->q->cluster_size) ?: count_l1(c, h->l1_at, h->l1_size) ?:
		qcow2_snapshots_walk(&c->q->file, h, count_snapshot, c, &end) ?:
		count(c, h->snapshots_at, end - h->snapshots_at) ?: count_refs(c);
	if (ret)
		return ret;
	c->check = true;
	return count_l1(c, h->l1_at, h->l1_size);
}

/* Set the count of cluster @i; a block that is missing is put behind all others. */
static int correct(struct census *c, u64 i)
{
	struct qcow2 *q = c->q;
	struct qcow2_table *block;
	u64 max = q->h.refcount_order == 6 ? U64_MAX : (1ull << (1u << q->h.refcount_order)) - 1;
	int ret;

	if (c->uses[i] > max)
		return -EINVAL;
	ret = qcow2_refs_block(q, i, &block);
	if (ret)
		return ret;
	if (!block) {
		if (!c->uses[i])
			return 0;
		/* the array has one spare element for each block there can be */
		ret = qcow2_refs_add_block(q, i, c->clusters << q->h.cluster_bits);
		if (ret)
			return ret;
		c->uses[c->clusters++] = 1;
		block = q->refs.tables[i >> q->refs_bits];
	}
	if (qcow2_refs_peek(q, block, i) != c->uses[i])
		qcow2_refs_poke(q, block, i, c->uses[i]);
	return 0;
}

static int correct_all(struct census *c)
{
	u64 i;
	int ret = 0;

	for (i = 0; i < c->clusters && !ret; i++) {
		if (i >> c->q->refs_bits >= c->q->refs.size)
			return c->uses[i] ? -EFBIG : 0;
		ret = correct(c, i);
	}
	return ret;
}

int qcow2_repair(struct qcow2 *q, struct errbuf *err)
{
	struct census c = { .q = q, .clusters = q->file_end >> q->h.cluster_bits };
	int ret = -ENOTSUP;

	c.uses = calloc(c.clusters + q->refs.size + 1, sizeof(*c.uses));
	c.l2 = malloc(q->cluster_size);
	if (!c.uses || !c.l2)
		ret = -ENOMEM;
	else if (!q->h.nb_bitmaps)
		ret = count_all(&c) ?: correct_all(&c) ?: qcow2_flush(&q->blk);
	free(c.uses);
	free(c.l2);
	if (!ret) {
		q->h.incompatible &= ~QCOW2_INCOMPAT_DIRTY;
		ret = qcow2_header_write_features(&q->file, &q->h);
	}
	if (ret)
		return err_set(err, ret,
			       "not closed well, and beyond repair here (%s): try qemu-img check -r",
			       strerror(-ret));
	return 0;
}
