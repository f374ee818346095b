// SPDX-License-Identifier: MIT
/*
 * The header: 72 bytes in version 2, at least 104 in version 3, then extensions,
 * and the name of the backing file, all in the first cluster.
 */
#include "qcow2_priv.h"

#define EXT_BACKING_FORMAT	0xe2792aca
#define EXT_FEATURE_NAMES	0x6803f857
#define EXT_BITMAPS		0x23852875
#define BACKING_MAX		1023
#define FEATURE_ROW		48
#define SUPPORTED		(QCOW2_INCOMPAT_DIRTY | QCOW2_INCOMPAT_CORRUPT | \
				 QCOW2_INCOMPAT_COMPRESSION)

/* Names for images that do not bring them. */
static const char *const feature_names[] = {
	[2] = "external data file",
	[4] = "extended L2 entries",
};

/* The first cluster of an image while it is being parsed. */
struct first {
	u8 *data;
	u32 len;
	u32 extensions_at;
};

static int parse_fixed(const u8 *p, struct qcow2_header *h, struct errbuf *err)
{
	if (memcmp(p, QCOW2_MAGIC, 4))
		return err_set(err, -EINVAL, "not a qcow2 image");
	h->version = be32_get(p + 4);
	if (h->version != 2 && h->version != 3)
		return err_set(err, -ENOTSUP, "qcow2 version %u is not supported", h->version);
	h->cluster_bits = be32_get(p + 20);
	if (h->cluster_bits < 9 || h->cluster_bits > 21)
		return err_set(err, -EINVAL, "clusters of 2^%u bytes, which is not from 512 to 2M",
			       h->cluster_bits);
	if (be32_get(p + 32))
		return err_set(err, -ENOTSUP, "encryption method %u is not supported",
			       be32_get(p + 32));
	h->size = be64_get(p + 24);
	h->l1_size = be32_get(p + 36);
	h->l1_at = be64_get(p + 40);
	h->reftable_at = be64_get(p + 48);
	h->reftable_clusters = be32_get(p + 56);
	h->nb_snapshots = be32_get(p + 60);
	h->snapshots_at = be64_get(p + 64);
	return 0;
}

static int parse_v3(const struct first *first, struct qcow2_header *h, struct errbuf *err)
{
	const u8 *p = first->data;
	u32 len = be32_get(p + 100);

	h->incompatible = be64_get(p + 72);
	h->autoclear = be64_get(p + 88);
	h->refcount_order = be32_get(p + 96);
	if (len < QCOW2_HEADER_V3 || len > first->len || len % 8)
		return err_set(err, -EINVAL, "the header claims to have %u bytes", len);
	if (h->refcount_order > 6)
		return err_set(err, -EINVAL, "reference counts of 2^%u bits", h->refcount_order);
	h->zstd = len > QCOW2_HEADER_V3 && p[104] == 1;
	if (len > QCOW2_HEADER_V3 && p[104] > 1)
		return err_set(err, -ENOTSUP, "compression type %u is not supported",
			       p[104]);
	if (h->zstd != !!(h->incompatible & QCOW2_INCOMPAT_COMPRESSION))
		return err_set(err, -EINVAL, "compression type %u contradicts the feature bit",
			       h->zstd);
	return 0;
}

/* The data of the first extension of a type, or NULL; its length in *@len. */
static const u8 *find_extension(const struct first *first, u32 type, u32 *len)
{
	u32 at = first->extensions_at, found;

	while (at + 8 <= first->len) {
		found = be32_get(first->data + at);
		*len = be32_get(first->data + at + 4);
		if (!found || *len > first->len - at - 8)
			return NULL;
		if (found == type)
			return first->data + at + 8;
		at += 8 + ROUND_UP(*len, 8u);
	}
	return NULL;
}

/* Refuse a feature by the name that the image, or else this file, has for it. */
static int refuse_feature(const struct first *first, u32 bit, struct errbuf *err)
{
	const char *name = bit < ARRAY_SIZE(feature_names) ? feature_names[bit] : NULL;
	u32 len, i;
	const u8 *rows = find_extension(first, EXT_FEATURE_NAMES, &len);

	for (i = 0; rows && i + FEATURE_ROW <= len; i += FEATURE_ROW)
		if (rows[i] == 0 && rows[i + 1] == bit)
			return err_set(err, -ENOTSUP, "feature '%.46s' is not supported",
				       (const char *)rows + i + 2);
	if (name)
		return err_set(err, -ENOTSUP, "feature '%s' is not supported", name);
	return err_set(err, -ENOTSUP, "incompatible feature %u is not known", bit);
}

static int check_features(const struct first *first, const struct qcow2_header *h,
			  struct errbuf *err)
{
	u64 unknown = h->incompatible & ~SUPPORTED;

	return unknown ? refuse_feature(first, (u32)__builtin_ctzll(unknown), err) : 0;
}

static int check_places(const struct qcow2_header *h, struct errbuf *err)
{
	u64 mask = (1ull << h->cluster_bits) - 1, reach;

	if (h->l1_size > QCOW2_L1_MAX / 8)
		return err_set(err, -EFBIG, "an L1 table of %u entries is too large",
			       h->l1_size);
	if ((h->l1_at | h->reftable_at | h->snapshots_at) & mask)
		return err_set(err, -EINVAL,
			       "a table of the header is not at the start of a cluster");
	if ((h->l1_at | h->reftable_at | h->snapshots_at) >> 56)
		return err_set(err, -EINVAL, "a table of the header is past byte 2^56");
	if (h->reftable_clusters > QCOW2_REFTABLE_MAX >> h->cluster_bits)
		return err_set(err, -EFBIG,
			       "a table of reference counts of %u clusters is too large",
			       h->reftable_clusters);
	if (!h->reftable_clusters || !h->reftable_at)
		return err_set(err, -EINVAL, "no table of reference counts");
	/* an entry of the L1 table stands for 8 times fewer clusters than bytes */
	reach = (u64)h->l1_size << (2 * h->cluster_bits - 3);
	if (h->size > reach || h->size > INT64_MAX)
		return err_set(err, -EINVAL,
			       "the L1 table of %u entries is too small for %llu bytes",
			       h->l1_size, h->size);
	if (h->l1_size && !h->l1_at)
		return err_set(err, -EINVAL, "no L1 table");
	return 0;
}

static int take_string(char **to, const void *from, u32 len)
{
	*to = strndup(from, len);
	return *to ? 0 : -ENOMEM;
}

static int parse_backing(const struct first *first, struct qcow2_header *h,
			 struct errbuf *err)
{
	u64 at = be64_get(first->data + 8);
	u32 len = be32_get(first->data + 16);
	const u8 *format;

	if (!at)
		return 0;
	if (!len || len > BACKING_MAX || at > first->len || len > first->len - at)
		return err_set(err, -EINVAL,
			       "the name of the backing file, %u bytes at %llu, is out of place",
			       len, at);
	if (take_string(&h->backing, first->data + at, len))
		return err_set(err, -ENOMEM, "out of memory");
	format = find_extension(first, EXT_BACKING_FORMAT, &len);
	if (format && take_string(&h->backing_format, format, len))
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

static void parse_bitmaps(const struct first *first, struct qcow2_header *h)
{
	u32 len;
	const u8 *p = find_extension(first, EXT_BITMAPS, &len);

	if (p && len >= 4)
		h->nb_bitmaps = be32_get(p);
}

static int parse(struct first *first, struct qcow2_header *h, struct errbuf *err)
{
	int ret;

	h->refcount_order = 4;
	first->extensions_at = QCOW2_HEADER_V2;
	if (h->version == 3) {
		first->extensions_at = clamp_u64(be32_get(first->data + 100),
						 QCOW2_HEADER_V3, first->len);
		/* features first: one not known may change all that follows */
		h->incompatible = be64_get(first->data + 72);
		ret = check_features(first, h, err) ?: parse_v3(first, h, err);
		if (ret)
			return ret;
	}
	ret = check_places(h, err);
	if (ret)
		return ret;
	parse_bitmaps(first, h);
	return parse_backing(first, h, err);
}

int qcow2_header_read(struct qcow2_file *file, struct qcow2_header *h, struct errbuf *err)
{
	CLEANUP_FREE u8 *data = NULL;
	struct first first;
	u8 start[QCOW2_HEADER_V3];
	u64 size;
	int ret;

	*h = (struct qcow2_header) { 0 };
	ret = qcow2_file_size(file, &size);
	if (!ret && size < QCOW2_HEADER_V2)
		return err_set(err, -EINVAL, "too short for a qcow2 image");
	ret = ret ?: qcow2_pread(file, start, sizeof(start), 0, 0);
	if (ret)
		return err_set(err, ret, "reading the header: %s", strerror(-ret));
	ret = parse_fixed(start, h, err);
	if (ret)
		return ret;
	first.len = 1u << h->cluster_bits;
	data = malloc(first.len);
	first.data = data;
	if (!data)
		return err_set(err, -ENOMEM, "out of memory");
	ret = qcow2_pread(file, data, first.len, 0, 0);
	if (ret)
		return err_set(err, ret, "reading the header: %s", strerror(-ret));
	ret = parse(&first, h, err);
	if (ret)
		qcow2_header_free(h);
	return ret;
}

void qcow2_header_free(struct qcow2_header *h)
{
	free(h->backing);
	free(h->backing_format);
	h->backing = NULL;
	h->backing_format = NULL;
}

int qcow2_header_write_features(struct qcow2_file *file, const struct qcow2_header *h)
{
	u8 bits[8];
	int ret;

	if (h->version < 3)
		return 0;
	be64_put(bits, h->incompatible);
	ret = qcow2_pwrite(file, bits, sizeof(bits), 72);
	if (ret)
		return ret;
	be64_put(bits, h->autoclear);
	return qcow2_pwrite(file, bits, sizeof(bits), 88) ?: qcow2_sync(file);
}
