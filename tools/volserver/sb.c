// SPDX-License-Identifier: MIT
#include "sb.h"

#include <errno.h>
#include <string.h>

#include "crc32c.h"
#include "le.h"

/* Offsets in the block */
enum {
	SB_MAGIC = 0,
	SB_VERS = 8,
	SB_NR = 12,
	SB_UUID = 16,
	SB_SEQ = 32,
	SB_BLOCKS = 40,
	SB_CREATED = 48,
	SB_REGION = 64,		/* entries of 16 bytes: start, blocks, type */
	SB_CRC = BLK_SIZE - 4,
};

static const u8 magic[8] = { 'A', 'F', 'S', 'X', 'S', 'T', 'O', 'R' };

static_assert(SB_REGION + SB_REGIONS_MAX * 16 <= SB_CRC, "regions fit");

int sb_decode(const void *block, struct sb *sb)
{
	const u8 *b = block;

	memset(sb, 0, sizeof(*sb));
	if (memcmp(b + SB_MAGIC, magic, sizeof(magic)))
		return -EMEDIUMTYPE;
	memcpy(sb->uuid.b, b + SB_UUID, sizeof(sb->uuid.b));
	sb->blocks = le64_get(b + SB_BLOCKS);
	if (crc32c(0, b, SB_CRC) != le32_get(b + SB_CRC))
		return -EUCLEAN;
	sb->version = le32_get(b + SB_VERS);
	if (sb->version < SB_VERSION_BARE || sb->version > SB_VERSION)
		return -EPROTONOSUPPORT;
	sb->seq = le64_get(b + SB_SEQ);
	sb->created = (s64)le64_get(b + SB_CREATED);
	sb->nr = le32_get(b + SB_NR);
	if (sb->nr > SB_REGIONS_MAX)
		return -EUCLEAN;
	for (u32 i = 0; i < sb->nr; i++) {
		const u8 *r = b + SB_REGION + 16 * i;

		sb->region[i].start = le64_get(r);
		sb->region[i].nr = le32_get(r + 8);
		sb->region[i].type = le32_get(r + 12);
	}
	return 0;
}

void sb_encode(const struct sb *sb, void *block)
{
	u8 *b = block;

	memset(b, 0, BLK_SIZE);
	memcpy(b + SB_MAGIC, magic, sizeof(magic));
	le32_put(b + SB_VERS, sb->version);
	le32_put(b + SB_NR, sb->nr);
	memcpy(b + SB_UUID, sb->uuid.b, sizeof(sb->uuid.b));
	le64_put(b + SB_SEQ, sb->seq);
	le64_put(b + SB_BLOCKS, sb->blocks);
	le64_put(b + SB_CREATED, (u64)sb->created);
	for (u32 i = 0; i < sb->nr; i++) {
		u8 *r = b + SB_REGION + 16 * i;

		le64_put(r, sb->region[i].start);
		le32_put(r + 8, sb->region[i].nr);
		le32_put(r + 12, sb->region[i].type);
	}
	le32_put(b + SB_CRC, crc32c(0, b, SB_CRC));
}

static bool overlaps(const struct sb_region *a, const struct sb_region *b)
{
	return a->start < b->start + b->nr && b->start < a->start + a->nr;
}

int sb_check_layout(const struct sb *sb, struct errbuf *err)
{
	unsigned int logs = 0, metas = 0;

	for (u32 i = 0; i < sb->nr; i++) {
		const struct sb_region *r = &sb->region[i];

		if (r->type != SB_REGION_WAL && r->type != SB_REGION_META)
			return err_set(err, -EUCLEAN, "region %u is of type %u",
				       i, r->type);
		logs += r->type == SB_REGION_WAL;
		metas += r->type == SB_REGION_META;
		if (!r->nr || r->start < SB_FIRST_FREE ||
		    r->start >= sb->blocks - 1 ||
		    r->nr > sb->blocks - 1 - r->start)
			return err_set(err, -EUCLEAN, "region %u is off the device",
				       i);
		for (u32 j = 0; j < i; j++)
			if (overlaps(r, &sb->region[j]))
				return err_set(err, -EUCLEAN, "regions %u and %u overlap",
					       j, i);
	}
	if (logs != 1 || !metas)
		return err_set(err, -EUCLEAN, "%u logs, %u metadata regions",
			       logs, metas);
	return 0;
}

/* The next version of both copies, the one in block @first durable at first. */
static int write_copies(struct blkdev *dev, struct sb *sb, u64 first, u64 second)
{
	u8 buf[BLK_SIZE];
	int ret;

	sb->seq++;
	sb_encode(sb, buf);
	ret = blkdev_write_fua(dev, first << BLK_SHIFT, buf, sizeof(buf));
	if (ret)
		return ret;
	return blkdev_write_fua(dev, second << BLK_SHIFT, buf, sizeof(buf));
}

int sb_write(struct blkdev *dev, struct sb *sb)
{
	return write_copies(dev, sb, 0, sb->blocks - 1);
}

int sb_grow(struct blkdev *dev, struct sb *sb, u64 blocks)
{
	sb->blocks = blocks;
	return write_copies(dev, sb, sb->blocks - 1, 0);
}
