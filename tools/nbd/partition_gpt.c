// SPDX-License-Identifier: MIT
/*
 * GUID partition tables (UEFI specification, chapter 5): a header in the second
 * sector and a copy in the last, each with a checksum of its own and one of the
 * table of entries it points to.
 */
#include <stdlib.h>
#include <zlib.h>

#include "cleanup.h"
#include "le.h"
#include "partition.h"

#define HEADER_MIN	92
#define ENTRY_MIN	128
#define TABLE_MAX	(4 << 20)
#define SECTOR_MAX	4096

/* struct gpt - a header that is in order, and its table */
struct gpt {
	u32 sector;
	u64 first_usable;
	u64 last_usable;
	u64 table_at;		/* sectors */
	u32 entries;
	u32 entry_size;
	u32 table_crc;
	u8 *table;
};

/* @len bytes from @offset, where @offset is a multiple of 512. */
static int read_bytes(struct blk *blk, void *buf, u32 len, u64 offset)
{
	if (offset > blk->size || len > blk->size - offset)
		return -EINVAL;
	return blk->ops->read(blk, buf, len, offset, 0);
}

static int read_header(struct blk *blk, u64 lba, struct gpt *gpt)
{
	_Alignas(SECTOR_MAX) u8 h[SECTOR_MAX];
	u32 size, crc;
	int ret;

	ret = read_bytes(blk, h, gpt->sector, lba * gpt->sector);
	if (ret)
		return ret;
	size = le32_get(h + 12);
	if (memcmp(h, "EFI PART", 8) || size < HEADER_MIN || size > gpt->sector)
		return -EINVAL;
	crc = le32_get(h + 16);
	le32_put(h + 16, 0);
	if (crc32(0, h, size) != crc || le64_get(h + 24) != lba)
		return -EINVAL;
	gpt->first_usable = le64_get(h + 40);
	gpt->last_usable = le64_get(h + 48);
	gpt->table_at = le64_get(h + 72);
	gpt->entries = le32_get(h + 80);
	gpt->entry_size = le32_get(h + 84);
	gpt->table_crc = le32_get(h + 88);
	if (gpt->entry_size < ENTRY_MIN || gpt->entry_size & (gpt->entry_size - 1) ||
	    gpt->entry_size > TABLE_MAX || !gpt->entries ||
	    gpt->entries > TABLE_MAX / gpt->entry_size ||
	    gpt->table_at > U64_MAX / SECTOR_MAX)
		return -EINVAL;
	return 0;
}

static int read_table(struct blk *blk, struct gpt *gpt)
{
	u32 len = gpt->entries * gpt->entry_size;
	u32 rounded = ROUND_UP(len, gpt->sector);
	int ret;

	gpt->table = aligned_alloc(SECTOR_MAX, ROUND_UP(rounded, (u32)SECTOR_MAX));
	if (!gpt->table)
		return -ENOMEM;
	ret = read_bytes(blk, gpt->table, rounded, gpt->table_at * gpt->sector);
	if (!ret && crc32(0, gpt->table, len) != gpt->table_crc)
		ret = -EINVAL;
	if (ret) {
		free(gpt->table);
		gpt->table = NULL;
	}
	return ret;
}

/* Read the header at @lba and its table. Return: 0 with gpt->table set. */
static int read_gpt(struct blk *blk, u64 lba, struct gpt *gpt)
{
	int ret = read_header(blk, lba, gpt);

	return ret ? ret : read_table(blk, gpt);
}

/* The first copy that is in order, trying both sizes of sectors. */
static int find_gpt(struct blk *blk, struct gpt *gpt)
{
	static const u32 sectors[] = { 512, SECTOR_MAX };
	int ret = -EINVAL;
	size_t i;

	for (i = 0; i < 2 * ARRAY_SIZE(sectors); i++) {
		gpt->sector = sectors[i % ARRAY_SIZE(sectors)];
		if (gpt->sector < blk->min_block || blk->size < 3 * gpt->sector)
			continue;
		ret = read_gpt(blk, i < ARRAY_SIZE(sectors) ? 1 : blk->size / gpt->sector - 1,
			       gpt);
		if (ret != -EINVAL)
			return ret;
	}
	return ret;
}

static int take_entry(struct blk *blk, const struct gpt *gpt, unsigned int nr,
		      struct partition *part, struct errbuf *err)
{
	static const u8 unused[16];
	const u8 *e = gpt->table + (size_t)(nr - 1) * gpt->entry_size;
	u64 first, last;

	if (nr > gpt->entries || !memcmp(e, unused, sizeof(unused)))
		return err_set(err, -ENOENT, "partition %u does not exist", nr);
	first = le64_get(e + 32);
	last = le64_get(e + 40);
	if (first > last || first < gpt->first_usable || last > gpt->last_usable ||
	    last >= blk->size / gpt->sector)
		return err_set(err, -EINVAL,
			       "partition %u has sectors %llu to %llu, which are not all usable",
			       nr, first, last);
	*part = (struct partition) {
		.offset = first * gpt->sector,
		.length = (last - first + 1) * gpt->sector,
	};
	return 0;
}

int partition_find_gpt(struct blk *blk, unsigned int nr, struct partition *part,
		       struct errbuf *err)
{
	struct gpt gpt = { .table = NULL };
	int ret;

	ret = find_gpt(blk, &gpt);
	if (ret == -EINVAL)
		return err_set(err, ret, "partition %u: both copies of the GPT are damaged", nr);
	if (ret)
		return err_set(err, ret, "partition %u: reading the GPT: %s", nr,
			       strerror(-ret));
	ret = take_entry(blk, &gpt, nr, part, err);
	free(gpt.table);
	return ret;
}
