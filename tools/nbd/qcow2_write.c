// SPDX-License-Identifier: MIT
/*
 * Writing. Clusters that belong to nobody else are written in place, side by side
 * with all other requests. Others get a new place: it is claimed, filled with no
 * lock held, and then entered into the L2 table.
 */
#include "qcow2_priv.h"

#define RUN_MAX		(16u << 20)	/* bytes given a new place at a time */
#define FREED_MAX	16384		/* clusters that may wait for a flush */

/* A write to clusters that follow each other and get a new place. */
struct move {
	const u8 *buf;
	u32 len;
	u64 offset;
	struct qcow2_claim claim;
	u64 host;
	bool own;		/* the place is the old one, not written to yet */
	bool hole;		/* it reads as zeroes */
	bool head_zero;		/* what is before and behind the data there */
	bool tail_zero;		/* reads as zeroes, so that nothing need be copied */
};

int qcow2_touch(struct qcow2 *q)
{
	int ret = 0;

	if (q->broken)
		return q->broken;
	if (q->touched)
		return 0;
	MUTEX_GUARD(&q->meta);
	/* bitmaps are not kept: say so before they are wrong */
	if (!q->touched && q->h.autoclear) {
		q->h.autoclear = 0;
		ret = qcow2_header_write_features(&q->file, &q->h);
	}
	q->touched = !ret;
	return ret;
}

int qcow2_settle(struct qcow2 *q, u32 flags)
{
	return flags & BLK_FUA || q->crowded ? qcow2_flush(&q->blk) : 0;
}

static bool is_claimed(const struct qcow2 *q, u64 first, u64 nr)
{
	const struct qcow2_claim *c;

	for (c = q->claims; c; c = c->next)
		if (first < c->first + c->nr && c->first < first + nr)
			return true;
	return false;
}

void qcow2_claims_wait(struct qcow2 *q, u64 first, u64 nr)
{
	while (is_claimed(q, first, nr))
		pthread_cond_wait(&q->claim_gone, &q->meta);
}

static void unclaim(struct qcow2 *q, const struct qcow2_claim *claim)
{
	struct qcow2_claim **c;

	for (c = &q->claims; *c != claim; c = &(*c)->next)
		;
	*c = claim->next;
	pthread_cond_broadcast(&q->claim_gone);
}

void qcow2_note_crowd(struct qcow2 *q)
{
	if (q->l2.dirty > q->l2.limit / 2 || q->refs.dirty > q->refs.limit / 2 ||
	    q->freed.nr > FREED_MAX)
		q->crowded = true;
}

static bool writes_in_place(u64 entry)
{
	return entry & QCOW2_COPIED && !(entry & (QCOW2_COMPRESSED | QCOW2_ZERO));
}

/* The place an entry keeps for a cluster of zeroes, or 0. */
static u64 kept_place(const struct qcow2 *q, u64 entry)
{
	if (entry & QCOW2_COMPRESSED || !(entry & QCOW2_ZERO) || !(entry & QCOW2_COPIED))
		return 0;
	return entry & QCOW2_HOST_MASK;
}

static bool entry_is_zero(const struct qcow2 *q, u64 entry, u64 offset)
{
	if (entry & QCOW2_COMPRESSED)
		return false;
	if (entry & QCOW2_ZERO)
		return true;
	return !(entry & QCOW2_HOST_MASK) && (!q->backing || offset >= q->backing->size);
}

/* How many clusters from @i on need a new place, at most @max. */
static u32 count_moves(const struct qcow2 *q, const struct qcow2_table *t, u32 i, u32 max)
{
	u32 n = 0;

	while (n < max && !writes_in_place(qcow2_entry(t, i + n)) &&
	       !kept_place(q, qcow2_entry(t, i + n)))
		n++;
	return n;
}

/* Choose the place of the first @max clusters from entry @i on. */
static int choose_place(struct qcow2 *q, struct move *m, const struct qcow2_table *t,
			u32 i, u32 max)
{
	u64 end = q->file_end;
	u32 nr = 1;
	int ret = 0;

	m->host = kept_place(q, qcow2_entry(t, i));
	m->own = m->host;
	if (!m->own)
		ret = qcow2_alloc(q, count_moves(q, t, i, max), &m->host, &nr);
	m->hole = !m->own && m->host >= end;
	m->claim.nr = nr;
	return ret;
}

/* Cut the write down to the clusters that were given a place. */
static void fit(const struct qcow2 *q, struct move *m, const struct qcow2_table *t, u32 i)
{
	u64 start = m->claim.first << q->h.cluster_bits;
	u64 end = start + (m->claim.nr << q->h.cluster_bits);
	u32 last = i + (u32)m->claim.nr - 1;

	m->len = (u32)min(m->offset + m->len, end) - (u32)m->offset;
	m->head_zero = entry_is_zero(q, qcow2_entry(t, i), start);
	m->tail_zero = entry_is_zero(q, qcow2_entry(t, last),
				     start + ((u64)(last - i) << q->h.cluster_bits));
}

/* Claim the first clusters of a write. Return: 1; 0 when they need no new place. */
static int claim(struct qcow2 *q, struct move *m)
{
	u32 bits = q->h.cluster_bits, i, max, entries = 1u << q->l2_bits;
	u64 last = (m->offset + min(m->len, RUN_MAX) - 1) >> bits;
	struct qcow2_table *t;
	int ret;

	m->claim.first = m->offset >> bits;
	i = (u32)m->claim.first & (entries - 1);
	max = (u32)min(last - m->claim.first + 1, (u64)entries - i);
	MUTEX_GUARD(&q->meta);
	qcow2_claims_wait(q, m->claim.first, max);
	ret = q->broken ?: qcow2_l2_writable(q, (u32)(m->claim.first >> q->l2_bits), &t);
	if (ret)
		return ret;
	if (writes_in_place(qcow2_entry(t, i)))
		return 0;
	ret = choose_place(q, m, t, i, max);
	qcow2_note_crowd(q);
	if (ret)
		return ret;
	fit(q, m, t, i);
	m->claim.next = q->claims;
	q->claims = &m->claim;
	return 1;
}

/*
 * What the clusters have before or behind the data, from @offset on, as a piece to
 * be written, unless there is nothing to write.
 */
static int old_part(struct qcow2 *q, const struct move *m, struct iovec *iov, u32 len,
		    u64 offset, bool zero)
{
	u64 have = offset < q->blk.size ? min((u64)len, q->blk.size - offset) : 0;

	*iov = (struct iovec) { 0 };
	if (!len || (zero && m->hole))
		return 0;
	iov->iov_base = calloc(1, len);
	iov->iov_len = len;
	if (!iov->iov_base)
		return -ENOMEM;
	return zero ? 0 : qcow2_read(&q->blk, iov->iov_base, (u32)have, offset, 0);
}

static int fill(struct qcow2 *q, const struct move *m)
{
	u64 start = m->claim.first << q->h.cluster_bits;
	u64 stop = start + (m->claim.nr << q->h.cluster_bits), end = m->offset + m->len;
	struct iovec iov[3] = { { 0 }, { (void *)m->buf, m->len }, { 0 } }, parts[3];
	u32 before = (u32)(m->offset - start);
	int ret;

	ret = old_part(q, m, &iov[0], before, start, m->head_zero) ?:
		old_part(q, m, &iov[2], (u32)(stop - end), end, m->tail_zero);
	memcpy(parts, iov, sizeof(parts));
	if (!ret && iov[0].iov_len)
		ret = qcow2_pwritev(&q->file, parts, iov[2].iov_len ? 3 : 2, m->host);
	else if (!ret)
		ret = qcow2_pwritev(&q->file, parts + 1, iov[2].iov_len ? 2 : 1,
				    m->host + before);
	free(iov[0].iov_base);
	free(iov[2].iov_base);
	return ret;
}

/* Let the L2 table lead to the new place, or give it back when @ret is an error. */
static int finish(struct qcow2 *q, struct move *m, int ret)
{
	u32 i = (u32)m->claim.first & ((1u << q->l2_bits) - 1), n;
	u64 host = m->host;
	struct qcow2_table *t;
	MUTEX_GUARD(&q->meta);

	ret = ret ?: qcow2_l2_load(q, (u32)(m->claim.first >> q->l2_bits), &t);
	unclaim(q, &m->claim);
	if (ret) {
		if (!m->own)
			qcow2_unalloc(q, m->host, (u32)m->claim.nr);
		return ret;
	}
	for (n = 0; n < m->claim.nr; n++, host += q->cluster_size) {
		if (!m->own)
			qcow2_free_later(q, qcow2_entry(t, i + n));
		qcow2_set_entry(t, i + n, host | QCOW2_COPIED);
	}
	qcow2_table_dirty(&q->l2, t, 8 * i, 8 * (i + n));
	qcow2_note_crowd(q);
	return 0;
}

/* Write to the first clusters, which have no place of their own, of a request. */
static int write_new(struct qcow2 *q, const void *buf, u32 len, u64 offset, u32 *done)
{
	struct move m = { .buf = buf, .len = len, .offset = offset };
	int ret = claim(q, &m);

	*done = 0;
	if (ret <= 0)
		return ret;
	ret = finish(q, &m, fill(q, &m));
	*done = m.len;
	return ret;
}

/* Write to clusters in place. *@done is 0 where the first one cannot be. */
static int write_in_place(struct qcow2 *q, const void *buf, u32 len, u64 offset, u32 flags,
			  u32 *done)
{
	struct qcow2_run run;
	int ret;

	*done = 0;
	if (!(flags & BLK_NOWAIT))
		pthread_rwlock_rdlock(&q->io);
	else if (pthread_rwlock_tryrdlock(&q->io))
		return -EAGAIN;
	ret = qcow2_lookup(q, offset, len, &run);
	if (!ret && run.kind == QCOW2_KIND_DATA && run.copied) {
		ret = flags & BLK_NOWAIT ?
			qcow2_pwrite_nowait(&q->file, buf, run.len, run.host) :
			qcow2_pwrite(&q->file, buf, run.len, run.host);
		*done = (u32)run.len;
	} else if (ret == -EAGAIN) {
		ret = 0;	/* claim() brings the table */
	}
	pthread_rwlock_unlock(&q->io);
	return ret;
}

int qcow2_write(struct blk *blk, const void *buf, u32 len, u64 offset, u32 flags)
{
	struct qcow2 *q = to_qcow2(blk);
	u32 done;
	int ret;

	if (flags & BLK_NOWAIT && (flags & BLK_FUA || !q->touched))
		return -EAGAIN;
	ret = qcow2_touch(q);
	while (!ret && len) {
		ret = write_in_place(q, buf, len, offset, flags, &done);
		if (!ret && !done) {
			if (flags & BLK_NOWAIT)
				return -EAGAIN;
			ret = write_new(q, buf, len, offset, &done);
		}
		buf = (const u8 *)buf + done;
		offset += done;
		len -= done;
	}
	return ret ?: flags & BLK_NOWAIT ? 0 : qcow2_settle(q, flags);
}
