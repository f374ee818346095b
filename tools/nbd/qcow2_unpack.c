// SPDX-License-Identifier: MIT
/*
 * Compressed clusters: raw deflate, or zstd where the header says so. The last few
 * are kept unpacked, as clients read them in pieces.
 */
#include <zlib.h>
#include <zstd.h>

#include "qcow2_priv.h"

#define SECTOR	512

void qcow2_packed_range(const struct qcow2_header *h, u64 entry, u64 *at, u32 *len)
{
	u32 shift = 62 - (h->cluster_bits - 8);
	u64 sectors = (entry & (QCOW2_COMPRESSED - 1)) >> shift;

	*at = entry & ((1ull << shift) - 1);
	*len = (u32)((sectors + 1) * SECTOR - (*at & (SECTOR - 1)));
}

/* What follows the compressed data up to the end of its sector is of no matter. */
static int inflate_cluster(const u8 *in, u32 in_len, u8 *out, u32 out_len)
{
	z_stream z = {
		.next_in = (u8 *)in, .avail_in = in_len,
		.next_out = out, .avail_out = out_len,
	};
	int ret;

	if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
		return -ENOMEM;
	ret = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if ((ret == Z_STREAM_END || ret == Z_BUF_ERROR || ret == Z_OK) && !z.avail_out)
		return 0;
	return -EIO;
}

static int zstd_cluster(const u8 *in, u32 in_len, u8 *out, u32 out_len)
{
	ZSTD_inBuffer from = { in, in_len, 0 };
	ZSTD_outBuffer to = { out, out_len, 0 };
	ZSTD_DStream *z = ZSTD_createDStream();
	size_t last, ret = 1;

	if (!z)
		return -ENOMEM;
	do {
		last = from.pos + to.pos;
		ret = ZSTD_decompressStream(z, &to, &from);
	} while (!ZSTD_isError(ret) && ret && to.pos < to.size &&
		 from.pos + to.pos > last);
	ZSTD_freeDStream(z);
	return ZSTD_isError(ret) || to.pos < to.size ? -EIO : 0;
}

static int unpack(struct qcow2 *q, u64 entry, u8 *out)
{
	CLEANUP_FREE u8 *in = NULL;
	u64 at;
	u32 len;
	int ret;

	qcow2_packed_range(&q->h, entry, &at, &len);
	in = malloc(len);
	if (!in)
		return -ENOMEM;
	ret = qcow2_pread(&q->file, in, len, at, 0);
	if (ret)
		return ret;
	return q->h.zstd ? zstd_cluster(in, len, out, q->cluster_size) :
			   inflate_cluster(in, len, out, q->cluster_size);
}

static bool copy_unpacked(struct qcow2 *q, u64 entry, void *buf, u32 len, u32 skip)
{
	int i;
	MUTEX_GUARD(&q->unpack);

	for (i = 0; i < QCOW2_UNPACKED; i++) {
		if (q->unpacked[i].entry == entry) {
			memcpy(buf, q->unpacked[i].data + skip, len);
			return true;
		}
	}
	return false;
}

/* Keep @data in place of the oldest. */
static void keep_unpacked(struct qcow2 *q, u64 entry, u8 *data)
{
	struct qcow2_unpacked *u;
	MUTEX_GUARD(&q->unpack);

	u = &q->unpacked[q->unpack_next++ % QCOW2_UNPACKED];
	free(u->data);
	*u = (struct qcow2_unpacked) { entry, data };
}

/* io is held, so that what is kept belongs to the entry until it is forgotten. */
int qcow2_unpack(struct qcow2 *q, u64 entry, void *buf, u32 len, u32 skip)
{
	u8 *data;
	int ret;

	if (copy_unpacked(q, entry, buf, len, skip))
		return 0;
	data = malloc(q->cluster_size);
	if (!data)
		return -ENOMEM;
	ret = unpack(q, entry, data);
	if (ret) {
		free(data);
		return ret;
	}
	memcpy(buf, data + skip, len);
	keep_unpacked(q, entry, data);
	return 0;
}

void qcow2_unpack_forget(struct qcow2 *q)
{
	int i;
	MUTEX_GUARD(&q->unpack);

	for (i = 0; i < QCOW2_UNPACKED; i++) {
		free(q->unpacked[i].data);
		q->unpacked[i] = (struct qcow2_unpacked) { 0 };
	}
}
