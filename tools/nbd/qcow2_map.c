// SPDX-License-Identifier: MIT
/*
 * L1 and L2 tables: where the clusters of the disk are in the file. L2 tables stay
 * in memory, up to a limit; a reader that holds io finds them without a lock.
 */
#include "qcow2_priv.h"

int qcow2_cache_init(struct qcow2_cache *cache, u32 size, u32 limit)
{
	cache->tables = calloc(size ? size : 1, sizeof(*cache->tables));
	cache->size = size;
	cache->limit = limit;
	return cache->tables ? 0 : -ENOMEM;
}

void qcow2_cache_free(struct qcow2_cache *cache)
{
	u32 i;

	for (i = 0; cache->tables && i < cache->size; i++)
		free(cache->tables[i]);
	free(cache->tables);
}

struct qcow2_table *qcow2_table_new(struct qcow2 *q, u64 host)
{
	struct qcow2_table *t = calloc(1, sizeof(*t) + q->cluster_size);

	if (t) {
		t->host = host;
		t->used = true;
	}
	return t;
}

/* Bytes @from to @to of a table were changed. */
void qcow2_table_dirty(struct qcow2_cache *cache, struct qcow2_table *t, u32 from, u32 to)
{
	if (!qcow2_is_dirty(t)) {
		cache->dirty++;
		t->dirty_from = from;
		t->dirty_to = to;
	}
	t->dirty_from = min(t->dirty_from, from);
	t->dirty_to = max(t->dirty_to, to);
}

void qcow2_table_clean(struct qcow2_cache *cache, struct qcow2_table *t)
{
	if (qcow2_is_dirty(t))
		cache->dirty--;
	t->dirty_from = 0;
	t->dirty_to = 0;
}

/* The next table in turn that was not used since the last look, and may go. */
static u32 find_idle(struct qcow2_cache *cache)
{
	struct qcow2_table *t;
	u32 tries;

	for (tries = 0; tries < 2 * cache->size; tries++) {
		cache->hand = (cache->hand + 1) % cache->size;
		t = cache->tables[cache->hand];
		if (!t || t->fresh || qcow2_is_dirty(t))
			continue;
		if (!atomic_exchange(&t->used, false))
			return cache->hand;
	}
	return U32_MAX;
}

/* Drop tables over the limit; with as many dirty ones it is exceeded. */
static void shrink(struct qcow2 *q, struct qcow2_cache *cache)
{
	struct qcow2_table *t;
	u32 i;

	if (cache->loaded < cache->limit)
		return;
	/* half a dozen at a time, as this waits for all requests in progress */
	pthread_rwlock_wrlock(&q->io);
	while (cache->loaded + cache->limit / 8 >= cache->limit) {
		i = find_idle(cache);
		if (i == U32_MAX)
			break;
		t = cache->tables[i];
		cache->tables[i] = NULL;
		cache->loaded--;
		free(t);
	}
	pthread_rwlock_unlock(&q->io);
}

int qcow2_table_load(struct qcow2 *q, struct qcow2_cache *cache, u32 i, u64 host,
		     struct qcow2_table **table)
{
	struct qcow2_table *t = cache->tables[i];
	u64 end;
	int ret;

	*table = t;
	if (t) {
		t->used = true;
		return 0;
	}
	ret = qcow2_file_size(&q->file, &end);
	if (ret)
		return ret;
	if (host & (q->cluster_size - 1) || host >= end)
		return -EIO;
	shrink(q, cache);
	t = qcow2_table_new(q, host);
	if (!t)
		return -ENOMEM;
	ret = qcow2_pread(&q->file, t->data, q->cluster_size, host, 0);
	if (ret) {
		free(t);
		return ret;
	}
	cache->loaded++;
	atomic_store_explicit(&cache->tables[i], t, memory_order_release);
	*table = t;
	return 0;
}

void qcow2_mark(u32 *from, u32 *to, u32 i)
{
	if (*from == *to) {
		*from = i;
		*to = i + 1;
	} else {
		*from = min(*from, i);
		*to = max(*to, i + 1);
	}
}

/* @nr numbers from byte @offset of the file. */
int qcow2_read_be64s(struct qcow2_file *file, _Atomic u64 *to, u32 nr, u64 offset)
{
	int ret = qcow2_pread(file, (void *)to, nr * sizeof(u64), offset, 0);
	u32 i;

	for (i = 0; !ret && i < nr; i++)
		to[i] = be64toh(to[i]);
	return ret;
}

int qcow2_l2_load(struct qcow2 *q, u32 l1_index, struct qcow2_table **table)
{
	u64 host = q->l1[l1_index] & QCOW2_HOST_MASK;

	*table = NULL;
	return host ? qcow2_table_load(q, &q->l2, l1_index, host, table) : 0;
}

int qcow2_l2_fetch(struct qcow2 *q, u64 offset)
{
	struct qcow2_table *t;
	MUTEX_GUARD(&q->meta);

	return qcow2_l2_load(q, (u32)(offset >> (q->h.cluster_bits + q->l2_bits)), &t);
}

/* A new L2 table in place of one that is missing or belongs to a snapshot too. */
static int replace_l2(struct qcow2 *q, u32 l1_index, struct qcow2_table *old)
{
	struct qcow2_table *t;
	u64 host;
	u32 nr;
	int ret;

	ret = qcow2_alloc(q, 1, &host, &nr);
	if (ret)
		return ret;
	t = qcow2_table_new(q, host);
	if (!t) {
		qcow2_unalloc(q, host, 1);
		return -ENOMEM;
	}
	if (old)
		memcpy(t->data, old->data, q->cluster_size);
	t->fresh = true;
	qcow2_table_dirty(&q->l2, t, 0, q->cluster_size);
	pthread_rwlock_wrlock(&q->io);
	atomic_store_explicit(&q->l2.tables[l1_index], t, memory_order_release);
	pthread_rwlock_unlock(&q->io);
	/* now no reader looks at the old one any more */
	if (old) {
		qcow2_table_clean(&q->l2, old);
		qcow2_free_later(q, old->host);
		free(old);
	} else {
		q->l2.loaded++;
	}
	q->l1[l1_index] = host | QCOW2_COPIED;
	qcow2_mark(&q->l1_dirty_from, &q->l1_dirty_to, l1_index);
	return 0;
}

int qcow2_l2_writable(struct qcow2 *q, u32 l1_index, struct qcow2_table **table)
{
	int ret = qcow2_l2_load(q, l1_index, table);

	if (ret || (*table && q->l1[l1_index] & QCOW2_COPIED))
		return ret;
	if (!*table)
		shrink(q, &q->l2);
	ret = replace_l2(q, l1_index, *table);
	*table = q->l2.tables[l1_index];
	return ret;
}

static int classify(const struct qcow2 *q, u64 entry, struct qcow2_run *run)
{
	run->entry = entry;
	run->host = 0;
	run->copied = false;
	if (entry & QCOW2_COMPRESSED) {
		run->kind = QCOW2_KIND_COMPRESSED;
		return 0;
	}
	run->host = entry & QCOW2_HOST_MASK;
	if (run->host & (q->cluster_size - 1) || (entry & QCOW2_ZERO && q->h.version < 3) ||
	    (!run->host && entry & QCOW2_COPIED))
		return -EIO;
	run->copied = entry & QCOW2_COPIED;
	if (entry & QCOW2_ZERO)
		run->kind = QCOW2_KIND_ZERO;
	else
		run->kind = run->host ? QCOW2_KIND_DATA : QCOW2_KIND_BACKING;
	return 0;
}

/* Whether the cluster with @entry goes on where @run ends. */
static bool continues(const struct qcow2 *q, const struct qcow2_run *run, u64 host,
		      u64 entry)
{
	struct qcow2_run next;

	if (run->kind == QCOW2_KIND_COMPRESSED || classify(q, entry, &next))
		return false;
	return next.kind == run->kind && next.copied == run->copied &&
		(run->host ? next.host == host : !next.host);
}

static int lookup_in_table(const struct qcow2 *q, const struct qcow2_table *t, u32 i,
			   u64 skip, u64 len, struct qcow2_run *run)
{
	int ret = classify(q, qcow2_entry(t, i), run);
	u64 have = q->cluster_size - skip, host = run->host;

	if (ret)
		return ret;
	while (have < len && ++i < 1u << q->l2_bits) {
		host += q->cluster_size;
		if (!continues(q, run, host, qcow2_entry(t, i)))
			break;
		have += q->cluster_size;
	}
	if (run->host)
		run->host += skip;
	run->len = min(have, len);
	return 0;
}

int qcow2_lookup(struct qcow2 *q, u64 offset, u64 len, struct qcow2_run *run)
{
	u32 l1_index = (u32)(offset >> (q->h.cluster_bits + q->l2_bits));
	u32 i = (u32)(offset >> q->h.cluster_bits) & ((1u << q->l2_bits) - 1);
	u64 reach = (u64)q->cluster_size << q->l2_bits;
	struct qcow2_table *t;

	t = atomic_load_explicit(&q->l2.tables[l1_index], memory_order_acquire);
	if (t) {
		if (!atomic_load_explicit(&t->used, memory_order_relaxed))
			t->used = true;
		return lookup_in_table(q, t, i, offset & (q->cluster_size - 1), len, run);
	}
	if (q->l1[l1_index] & QCOW2_HOST_MASK)
		return -EAGAIN;
	*run = (struct qcow2_run) { .len = min(len, reach - (offset & (reach - 1))) };
	return 0;
}
