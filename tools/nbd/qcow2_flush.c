// SPDX-License-Identifier: MIT
/*
 * Making durable what was changed, in an order that a crash may interrupt:
 *  1. new blocks of reference counts, then the table's entries for them;
 *  2. raised reference counts and new L2 tables, to which nothing leads yet;
 *     together with the data in its clusters, these are made durable;
 *  3. entries of L2 tables and of the L1 table, made durable;
 *  4. lowered reference counts: only now may the clusters be used again.
 * Between the steps requests go on; what they change is left for the next flush.
 */
#include "qcow2_priv.h"

/* Bytes of the file that are written in step 3. */
struct piece {
	u64 offset;
	u32 len;
	u8 *data;
};

struct batch {
	struct piece *pieces;
	u32 nr;
	struct qcow2_list freed;
};

static void free_batch(struct batch *b)
{
	u32 i;

	for (i = 0; i < b->nr; i++)
		free(b->pieces[i].data);
	free(b->pieces);
	free(b->freed.v);
}

/* Entries [@from, @to) of a table of numbers, as they stand in the file. */
static int write_reftable(struct qcow2 *q)
{
	u32 from = q->reftable_dirty_from, nr = q->reftable_dirty_to - from, i;
	CLEANUP_FREE u8 *raw = NULL;
	int ret;

	if (!nr)
		return 0;
	raw = malloc(8 * nr);
	if (!raw)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		be64_put(raw + 8 * i, q->reftable[from + i]);
	ret = qcow2_pwrite(&q->file, raw, 8 * nr, q->h.reftable_at + 8ull * from);
	if (!ret)
		q->reftable_dirty_to = q->reftable_dirty_from;
	return ret;
}

static int write_refs(struct qcow2 *q)
{
	struct qcow2_table *t;
	u32 i;
	int ret;

	for (i = 0; q->refs.dirty && i < q->refs.size; i++) {
		t = q->refs.tables[i];
		if (!t || !qcow2_is_dirty(t) || t->fresh)
			continue;
		ret = qcow2_pwrite(&q->file, t->data + t->dirty_from,
				   t->dirty_to - t->dirty_from, t->host + t->dirty_from);
		if (ret)
			return ret;
		qcow2_table_clean(&q->refs, t);
	}
	return 0;
}

/* Steps 1 and 2, with meta held; may be repeated when it failed. */
static int write_raised(struct qcow2 *q)
{
	bool any;
	int ret;

	ret = qcow2_write_fresh(q, &q->refs, &any);
	if (!ret && any)
		ret = qcow2_sync(&q->file);
	return ret ?: write_reftable(q) ?: write_refs(q) ?:
		qcow2_write_fresh(q, &q->l2, &any);
}

static int add_piece(struct batch *b, u64 offset, const void *data, u32 len)
{
	u8 *copy = malloc(len);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, len);
	b->pieces[b->nr++] = (struct piece) { offset, len, copy };
	return 0;
}

static int add_l1(struct qcow2 *q, struct batch *b)
{
	u32 from = q->l1_dirty_from, nr = q->l1_dirty_to - from, i;
	struct piece *p = &b->pieces[b->nr];

	if (!nr)
		return 0;
	*p = (struct piece) { q->h.l1_at + 8ull * from, 8 * nr, malloc(8 * nr) };
	if (!p->data)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		be64_put(p->data + 8 * i, q->l1[from + i]);
	b->nr++;
	return 0;
}

static int add_l2(struct qcow2 *q, struct batch *b)
{
	struct qcow2_table *t;
	u32 i, left = q->l2.dirty;
	int ret;

	for (i = 0; left && i < q->l2.size; i++) {
		t = q->l2.tables[i];
		if (!t || !qcow2_is_dirty(t))
			continue;
		ret = add_piece(b, t->host + t->dirty_from, t->data + t->dirty_from,
				t->dirty_to - t->dirty_from);
		if (ret)
			return ret;
		left--;
	}
	return 0;
}

/* With meta held, take what steps 3 and 4 are about. */
static int take_batch(struct qcow2 *q, struct batch *b)
{
	u32 i;
	int ret;

	b->pieces = calloc(q->l2.dirty + 1, sizeof(*b->pieces));
	if (!b->pieces)
		return -ENOMEM;
	ret = add_l2(q, b) ?: add_l1(q, b);
	if (ret)
		return ret;
	for (i = 0; q->l2.dirty && i < q->l2.size; i++)
		if (q->l2.tables[i])
			qcow2_table_clean(&q->l2, q->l2.tables[i]);
	q->l1_dirty_to = q->l1_dirty_from;
	b->freed = q->freed;
	q->freed = (struct qcow2_list) { 0 };
	q->crowded = false;
	return 0;
}

static int begin(struct qcow2 *q, struct batch *b)
{
	MUTEX_GUARD(&q->meta);

	return q->broken ?: write_raised(q) ?: take_batch(q, b);
}

/* Steps 2 and 3. What was taken cannot be put back, so a failure is for good. */
static int make_durable(struct qcow2 *q, const struct batch *b)
{
	int ret = qcow2_sync(&q->file);
	u32 i;

	for (i = 0; !ret && i < b->nr; i++)
		ret = qcow2_pwrite(&q->file, b->pieces[i].data, b->pieces[i].len,
				   b->pieces[i].offset);
	if (!ret && b->nr)
		ret = qcow2_sync(&q->file);
	return ret ? qcow2_break(q, ret) : 0;
}

/*
 * Clusters lose a reference each, and the file the space of those that were the
 * last one's. Return: 0, or the last error.
 */
static int drop_all(struct qcow2 *q, const struct qcow2_list *freed)
{
	u64 first = 0, nr = 0, size = q->cluster_size;
	int one, ret = 0;
	size_t i;

	for (i = 0; i < freed->nr; i++) {
		one = qcow2_refs_drop(q, freed->v[i]);
		if (one < 0)
			ret = one;
		if (one <= 0)
			continue;
		if (nr && freed->v[i] != first + nr) {
			qcow2_punch(&q->file, nr * size, first * size);
			nr = 0;
		}
		if (!nr++)
			first = freed->v[i];
	}
	if (nr)
		qcow2_punch(&q->file, nr * size, first * size);
	return ret;
}

/* Step 4. What is not lowered here stays in use by nobody, and loses no data. */
static int lower(struct qcow2 *q, const struct batch *b)
{
	int ret;

	if (!b->freed.nr)
		return 0;
	/* wait for requests that may have found the clusters before */
	pthread_rwlock_wrlock(&q->io);
	qcow2_unpack_forget(q);
	pthread_rwlock_unlock(&q->io);
	MUTEX_GUARD(&q->meta);
	ret = drop_all(q, &b->freed);
	return write_refs(q) ?: ret;
}

static int flush_once(struct qcow2 *q)
{
	struct batch b = { 0 };
	int ret;

	ret = begin(q, &b) ?: make_durable(q, &b) ?: lower(q, &b);
	free_batch(&b);
	return ret;
}

int qcow2_flush(struct blk *blk)
{
	struct qcow2 *q = to_qcow2(blk);
	u64 seen = q->flushes;

	if (blk->read_only)
		return 0;
	MUTEX_GUARD(&q->flushing);

	/* one that began since then, and has ended, did what this one would */
	if (q->flushes == seen) {
		q->flushes++;
		q->flush_result = flush_once(q);
	}
	return q->flush_result;
}
