// SPDX-License-Identifier: MIT
#include "qcow2_priv.h"

/* Bytes of the disk that the image does not have: from below, or zeroes. */
static int read_backing(struct qcow2 *q, void *buf, u64 len, u64 offset, u32 flags)
{
	u64 have = 0;
	int ret = 0;

	if (q->backing && offset < q->backing->size) {
		have = min(len, q->backing->size - offset);
		ret = q->backing->ops->read(q->backing, buf, (u32)have, offset, flags);
	}
	memset((u8 *)buf + have, 0, len - have);
	return ret;
}

static int read_run(struct qcow2 *q, const struct qcow2_run *run, void *buf, u64 offset,
		    u32 flags)
{
	switch (run->kind) {
	case QCOW2_KIND_BACKING:
		return read_backing(q, buf, run->len, offset, flags);
	case QCOW2_KIND_ZERO:
		memset(buf, 0, run->len);
		return 0;
	case QCOW2_KIND_DATA:
		return qcow2_pread(&q->file, buf, run->len, run->host, flags);
	case QCOW2_KIND_COMPRESSED:
		if (flags & BLK_NOWAIT)
			return -EAGAIN;
		return qcow2_unpack(q, run->entry, buf, (u32)run->len,
				    (u32)offset & (q->cluster_size - 1));
	}
	return -EIO;
}

/* Find out how @len bytes are stored and read the first of them. */
static int read_some(struct qcow2 *q, void *buf, u32 len, u64 offset, u32 flags,
		     struct qcow2_run *run)
{
	int ret;

	if (flags & BLK_NOWAIT) {
		if (pthread_rwlock_tryrdlock(&q->io))
			return -EAGAIN;
	} else {
		pthread_rwlock_rdlock(&q->io);
	}
	ret = qcow2_lookup(q, offset, len, run);
	if (!ret)
		ret = read_run(q, run, buf, offset, flags);
	else
		run->len = 0;
	pthread_rwlock_unlock(&q->io);
	return ret;
}

int qcow2_read(struct blk *blk, void *buf, u32 len, u64 offset, u32 flags)
{
	struct qcow2 *q = to_qcow2(blk);
	struct qcow2_run run;
	int ret;

	while (len) {
		ret = read_some(q, buf, len, offset, flags, &run);
		if (ret == -EAGAIN && !(flags & BLK_NOWAIT) && !run.len) {
			ret = qcow2_l2_fetch(q, offset);
			if (ret)
				return ret;
			continue;
		}
		if (ret)
			return ret;
		buf = (u8 *)buf + run.len;
		offset += run.len;
		len -= (u32)run.len;
	}
	return 0;
}

static int find_run(struct qcow2 *q, u64 len, u64 offset, struct qcow2_run *run)
{
	int ret;

	for (;;) {
		pthread_rwlock_rdlock(&q->io);
		ret = qcow2_lookup(q, offset, len, run);
		pthread_rwlock_unlock(&q->io);
		if (ret != -EAGAIN)
			return ret;
		ret = qcow2_l2_fetch(q, offset);
		if (ret)
			return ret;
	}
}

/* What the image does not have is as it is below, or else a hole. */
static int describe_backing(struct qcow2 *q, u64 len, u64 offset, struct blk_extent *extent)
{
	struct blk *below = q->backing;
	int ret;

	*extent = (struct blk_extent) { len, true, true };
	if (!below || offset >= below->size)
		return 0;
	extent->length = min(len, below->size - offset);
	if (!below->ops->extents) {
		extent->zero = false;
		extent->hole = false;
		return 0;
	}
	ret = below->ops->extents(below, extent->length, offset, extent, 1);
	return ret < 0 ? ret : 0;
}

static int describe(struct qcow2 *q, u64 len, u64 offset, struct blk_extent *extent)
{
	struct qcow2_run run;
	int ret;

	ret = find_run(q, len, offset, &run);
	if (ret)
		return ret;
	if (run.kind == QCOW2_KIND_BACKING)
		return describe_backing(q, run.len, offset, extent);
	*extent = (struct blk_extent) {
		.length = run.len,
		.zero = run.kind == QCOW2_KIND_ZERO,
		.hole = run.kind == QCOW2_KIND_ZERO && !run.host,
	};
	return 0;
}

int qcow2_extents(struct blk *blk, u64 len, u64 offset, struct blk_extent *extents,
		  u32 max)
{
	struct qcow2 *q = to_qcow2(blk);
	struct blk_extent e;
	u32 nr = 0;
	int ret;

	while (len) {
		ret = describe(q, len, offset, &e);
		if (ret)
			return ret;
		e.length = min(e.length, len);
		if (!nr || extents[nr - 1].zero != e.zero || extents[nr - 1].hole != e.hole) {
			if (nr == max)
				break;
			extents[nr++] = e;
		} else {
			extents[nr - 1].length += e.length;
		}
		offset += e.length;
		len -= e.length;
	}
	return (int)nr;
}
