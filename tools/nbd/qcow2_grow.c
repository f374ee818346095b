// SPDX-License-Identifier: MIT
/*
 * A larger table of reference counts. It is put behind all that the old one
 * reaches, where every cluster is free, followed by the blocks that count it.
 */
#include "qcow2_priv.h"

/* Where a new table goes; all in clusters but @entries. */
struct plan {
	u64 first;
	u64 entries;
	u32 table;
	u32 blocks;
};

static int make_plan(const struct qcow2 *q, u64 cluster, struct plan *plan)
{
	u64 old = ((u64)q->h.reftable_clusters << q->h.cluster_bits) / 8;
	u64 want = max(old + old / 2, (cluster >> q->refs_bits) + 1);
	u32 all;

	plan->first = old << q->refs_bits;
	do {
		plan->entries = ROUND_UP(want, (u64)q->cluster_size / 8);
		plan->table = (u32)(plan->entries * 8 >> q->h.cluster_bits);
		plan->blocks = 0;
		do {
			all = plan->table + ++plan->blocks;
		} while (all > (u64)plan->blocks << q->refs_bits);
		want = old + plan->blocks;
	} while (want > plan->entries);
	return plan->entries * 8 > QCOW2_REFTABLE_MAX ? -ENOSPC : 0;
}

/* Make room in memory; tables that are loaded stay where they are. */
static int widen(struct qcow2 *q, const struct plan *plan)
{
	__typeof__(q->refs.tables) tables;
	u64 *reftable;
	u32 i, old = q->refs.size;

	tables = calloc(plan->entries, sizeof(*tables));
	reftable = calloc(plan->entries, sizeof(*reftable));
	if (!tables || !reftable) {
		free(tables);
		free(reftable);
		return -ENOMEM;
	}
	for (i = 0; i < old; i++) {
		tables[i] = q->refs.tables[i];
		reftable[i] = q->reftable[i];
	}
	free(q->refs.tables);
	free(q->reftable);
	q->refs.tables = tables;
	q->refs.size = (u32)plan->entries;
	q->reftable = reftable;
	return 0;
}

static int count_new(struct qcow2 *q, const struct plan *plan)
{
	u64 cluster, host, end = plan->first + plan->table + plan->blocks;
	struct qcow2_table *block;
	u32 i;
	int ret;

	for (i = 0; i < plan->blocks; i++) {
		host = (plan->first + plan->table + i) << q->h.cluster_bits;
		ret = qcow2_refs_add_block(q, plan->first + ((u64)i << q->refs_bits), host);
		if (ret)
			return ret;
	}
	for (cluster = plan->first; cluster < end; cluster++) {
		block = q->refs.tables[cluster >> q->refs_bits];
		qcow2_refs_poke(q, block, cluster, 1);
	}
	return 0;
}

int qcow2_write_fresh(struct qcow2 *q, struct qcow2_cache *cache, bool *any)
{
	struct qcow2_table *t;
	u32 i;
	int ret;

	*any = false;
	for (i = 0; cache->dirty && i < cache->size; i++) {
		t = cache->tables[i];
		if (!t || !t->fresh)
			continue;
		ret = qcow2_pwrite(&q->file, t->data, q->cluster_size, t->host);
		if (ret)
			return ret;
		t->fresh = false;
		qcow2_table_clean(cache, t);
		*any = true;
	}
	return 0;
}

static int write_table(struct qcow2 *q, const struct plan *plan)
{
	CLEANUP_FREE u8 *raw = malloc(plan->entries * 8);
	u64 i;

	if (!raw)
		return -ENOMEM;
	for (i = 0; i < plan->entries; i++)
		be64_put(raw + 8 * i, q->reftable[i]);
	return qcow2_pwrite(&q->file, raw, plan->entries * 8,
			    plan->first << q->h.cluster_bits);
}

/* Blocks and table are durable before the header leads to them. */
static int make_durable(struct qcow2 *q, const struct plan *plan)
{
	u8 where[12];
	bool any;
	int ret;

	ret = qcow2_write_fresh(q, &q->refs, &any) ?: write_table(q, plan) ?:
		qcow2_sync(&q->file);
	if (ret)
		return ret;
	be64_put(where, plan->first << q->h.cluster_bits);
	be32_put(where + 8, plan->table);
	return qcow2_pwrite(&q->file, where, sizeof(where), 48) ?: qcow2_sync(&q->file);
}

int qcow2_grow_reftable(struct qcow2 *q, u64 cluster)
{
	u64 old = q->h.reftable_at >> q->h.cluster_bits;
	u32 nr = q->h.reftable_clusters;
	struct plan plan;
	int ret;

	ret = make_plan(q, cluster, &plan) ?: widen(q, &plan);
	if (ret)
		return ret;
	ret = count_new(q, &plan) ?: make_durable(q, &plan);
	if (ret)
		return qcow2_break(q, ret);
	q->h.reftable_at = plan.first << q->h.cluster_bits;
	q->h.reftable_clusters = plan.table;
	q->reftable_dirty_from = 0;
	q->reftable_dirty_to = 0;
	q->file_end = max(q->file_end,
			  (plan.first + plan.table + plan.blocks) << q->h.cluster_bits);
	for (; nr; nr--)
		qcow2_refs_drop(q, old++);
	return 0;
}
