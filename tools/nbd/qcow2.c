// SPDX-License-Identifier: MIT
#include "qcow2_priv.h"

#define L2_CACHE	(32u << 20)	/* bytes of tables kept in memory: with */
#define REFS_CACHE	(16u << 20)	/* clusters of 64K they reach 256 GiB */
#define TABLES_MIN	16

static void qcow2_free(struct qcow2 *q)
{
	qcow2_unpack_forget(q);
	qcow2_cache_free(&q->l2);
	qcow2_cache_free(&q->refs);
	free((void *)q->l1);
	free(q->reftable);
	free(q->freed.v);
	qcow2_header_free(&q->h);
	qcow2_file_close(&q->file);
	pthread_mutex_destroy(&q->flushing);
	pthread_mutex_destroy(&q->meta);
	pthread_mutex_destroy(&q->unpack);
	pthread_rwlock_destroy(&q->io);
	pthread_cond_destroy(&q->claim_gone);
	if (q->backing)
		q->backing->ops->close(q->backing);
	free(q);
}

static void qcow2_close(struct blk *blk)
{
	struct qcow2 *q = to_qcow2(blk);

	if (!q->broken)
		qcow2_flush(blk);
	qcow2_free(q);
}

static const struct blk_ops qcow2_ops = {
	.name = "qcow2",
	.read = qcow2_read,
	.write = qcow2_write,
	.zero = qcow2_zero,
	.trim = qcow2_trim,
	.flush = qcow2_flush,
	.extents = qcow2_extents,
	.close = qcow2_close,
};

static const struct blk_ops qcow2_read_ops = {
	.name = "qcow2",
	.read = qcow2_read,
	.flush = qcow2_flush,
	.extents = qcow2_extents,
	.close = qcow2_close,
};

static struct qcow2 *qcow2_new(void)
{
	struct qcow2 *q = calloc(1, sizeof(*q));
	pthread_rwlockattr_t attr;

	if (!q)
		return NULL;
	q->file.fd = -1;
	q->file.direct_fd = -1;
	pthread_mutex_init(&q->flushing, NULL);
	pthread_mutex_init(&q->meta, NULL);
	pthread_mutex_init(&q->unpack, NULL);
	pthread_cond_init(&q->claim_gone, NULL);
	/* else a flush would wait for as long as there are readers */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&q->io, &attr);
	pthread_rwlockattr_destroy(&attr);
	return q;
}

/* Show the disk as it was in a snapshot. */
static int use_snapshot(struct qcow2 *q, const struct blk_options *options,
			struct errbuf *err)
{
	struct qcow2_snapshot s;
	int ret;

	if (!options->snapshot_id && !options->snapshot_name)
		return 0;
	ret = qcow2_snapshot_find(&q->file, &q->h, options, &s, err);
	if (ret)
		return ret;
	q->h.l1_at = s.l1_at;
	q->h.l1_size = s.l1_size;
	q->h.size = s.size;
	q->blk.read_only = true;
	return 0;
}

static u32 cache_limit(const struct qcow2 *q, u32 bytes)
{
	return max(bytes >> q->h.cluster_bits, (u32)TABLES_MIN);
}

/* That the tables of the header are in the file, so that their size is believed. */
static int check_in_file(struct qcow2 *q, struct errbuf *err)
{
	u64 l1 = q->h.l1_at + q->h.l1_size * 8ull;
	u64 refs = q->h.reftable_at + ((u64)q->h.reftable_clusters << q->h.cluster_bits);
	int ret;

	ret = qcow2_file_size(&q->file, &q->file_end);
	if (ret)
		return err_set(err, ret, "%s", strerror(-ret));
	q->file_end = ROUND_UP(q->file_end, (u64)q->cluster_size);
	if (l1 > q->file_end || refs > q->file_end)
		return err_set(err, -EINVAL,
			       "the file ends at byte %llu, before its tables do: it is cut off",
			       q->file_end);
	return 0;
}

static int load_l1(struct qcow2 *q, struct errbuf *err)
{
	int ret;

	q->l1 = calloc(q->h.l1_size + 1, sizeof(*q->l1));
	if (!q->l1 || qcow2_cache_init(&q->l2, q->h.l1_size, cache_limit(q, L2_CACHE)))
		return err_set(err, -ENOMEM, "out of memory");
	ret = qcow2_read_be64s(&q->file, q->l1, q->h.l1_size, q->h.l1_at);
	return ret ? err_set(err, ret, "reading the L1 table: %s", strerror(-ret)) : 0;
}

static int check_place(struct qcow2 *q, const char *what, u64 host, struct errbuf *err)
{
	if (host & (q->cluster_size - 1) || host >= q->file_end)
		return err_set(err, -EINVAL, "%s at byte %llu is not a cluster of the file",
			       what, host);
	return 0;
}

static int load_reftable(struct qcow2 *q, struct errbuf *err)
{
	u32 i, nr = (q->h.reftable_clusters << q->h.cluster_bits) / 8;
	int ret;

	q->reftable = calloc(nr, sizeof(*q->reftable));
	if (!q->reftable || qcow2_cache_init(&q->refs, nr, cache_limit(q, REFS_CACHE)))
		return err_set(err, -ENOMEM, "out of memory");
	ret = qcow2_pread(&q->file, q->reftable, nr * 8, q->h.reftable_at, 0);
	if (ret)
		return err_set(err, ret, "reading the table of reference counts: %s",
			       strerror(-ret));
	for (i = 0; i < nr && !ret; i++) {
		q->reftable[i] = be64_get(q->reftable + i);
		ret = check_place(q, "a block of reference counts", q->reftable[i], err);
	}
	return ret;
}

static int check_counted(struct qcow2 *q, const char *what, u64 host, struct errbuf *err)
{
	u64 count;
	int ret = check_place(q, what, host, err);

	if (ret)
		return ret;
	ret = qcow2_refs_get(q, host >> q->h.cluster_bits, &count);
	if (ret)
		return err_set(err, ret, "reading reference counts: %s", strerror(-ret));
	if (!count)
		return err_set(err, -EINVAL, "%s at byte %llu is in use but not counted as such",
			       what, host);
	return 0;
}

/*
 * Tables with a reference count of 0 would be taken for free space and overwritten:
 * such an image is for reading only, until qemu-img repaired it.
 */
static int check_tables(struct qcow2 *q, struct errbuf *err)
{
	u32 i, nr = (q->h.reftable_clusters << q->h.cluster_bits) / 8;
	int ret;

	ret = check_counted(q, "the header", 0, err) ?:
		check_counted(q, "the table of reference counts", q->h.reftable_at, err);
	if (!ret && q->h.l1_size)
		ret = check_counted(q, "the L1 table", q->h.l1_at, err);
	for (i = 0; i < nr && !ret; i++)
		if (q->reftable[i])
			ret = check_counted(q, "a block of reference counts", q->reftable[i], err);
	for (i = 0; i < q->h.l1_size && !ret; i++)
		if (q->l1[i] & QCOW2_HOST_MASK)
			ret = check_counted(q, "an L2 table", q->l1[i] & QCOW2_HOST_MASK, err);
	return ret;
}

static int open_for_writing(struct qcow2 *q, struct errbuf *err)
{
	int ret;

	if (q->h.incompatible & QCOW2_INCOMPAT_CORRUPT)
		return err_set(err, -EINVAL,
			       "the image is marked as corrupt: read-only, or after qemu-img check -r");
	ret = load_reftable(q, err);
	if (!ret && q->h.incompatible & QCOW2_INCOMPAT_DIRTY)
		ret = qcow2_repair(q, err);
	return ret ?: check_tables(q, err);
}

static int qcow2_setup(struct qcow2 *q, const char *path, const struct blk_options *options,
		       struct errbuf *err)
{
	int ret;

	ret = qcow2_file_open(&q->file, path, options, err);
	if (ret)
		return ret;
	ret = qcow2_header_read(&q->file, &q->h, err);
	if (ret)
		return err_prefix(err, ret, "%s", path);
	q->cluster_size = 1u << q->h.cluster_bits;
	q->l2_bits = q->h.cluster_bits - 3;
	q->refs_bits = q->h.cluster_bits + 3 - q->h.refcount_order;
	q->blk.read_only = options->read_only;
	ret = use_snapshot(q, options, err) ?: check_in_file(q, err) ?: load_l1(q, err);
	if (!ret && !q->blk.read_only)
		ret = open_for_writing(q, err);
	return ret ? err_prefix(err, ret, "%s", path) : 0;
}

int qcow2_open(const char *path, const struct blk_options *options,
	       struct blk **blk, struct errbuf *err)
{
	struct qcow2 *q = qcow2_new();
	int ret;

	if (!q)
		return err_set(err, -ENOMEM, "out of memory");
	ret = qcow2_setup(q, path, options, err);
	if (ret) {
		qcow2_free(q);
		return ret;
	}
	q->blk.ops = q->blk.read_only ? &qcow2_read_ops : &qcow2_ops;
	q->blk.size = q->h.size;
	q->blk.min_block = 1;
	q->blk.preferred_block = q->cluster_size;
	*blk = &q->blk;
	return 0;
}

const char *qcow2_backing(const struct blk *blk, const char **format)
{
	const struct qcow2 *q = container_of(blk, const struct qcow2, blk);

	*format = q->h.backing_format;
	return q->h.backing;
}

void qcow2_attach(struct blk *blk, struct blk *below)
{
	struct qcow2 *q = to_qcow2(blk);

	q->backing = below;
	blk->min_block = max(blk->min_block, below->min_block);
}
