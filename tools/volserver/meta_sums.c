// SPDX-License-Identifier: MIT
#include "meta_sums.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "crc32c.h"
#include "le.h"

#define SECTOR		512u	/* what a device writes as a whole, at least */
#define PER_SECTOR	126u
#define PER_BLOCK	(PER_SECTOR * (BLK_SIZE / SECTOR))

/* Offsets in a sector, behind the sums */
enum {
	SEC_SEQ = PER_SECTOR * 4,
	SEC_CRC = SECTOR - 4,
};

/**
 * struct sums - sums of the pages of one run
 * @dev: device
 * @uuid: of the store
 * @start: first block of each copy
 * @blocks: of one copy
 * @sum: by page
 * @seq: by sector, how often it was written
 * @dirty: by block, it must be written
 * @damaged: copies of sectors that were damaged or old
 */
struct sums {
	struct blkdev *dev;
	struct afsx_uuid uuid;
	u64 start[2];
	u32 blocks;
	u32 *sum;
	u32 *seq;
	bool *dirty;
	u32 damaged;
};

u32 sums_blocks(u32 nr)
{
	/* one block of each copy for every PER_BLOCK pages */
	return DIV_ROUND_UP(nr, PER_BLOCK + 2);
}

u32 sums_pages(u32 nr)
{
	return nr - 2 * sums_blocks(nr);
}

static u32 sector_sum(const struct sums *s, u64 block, u32 sector,
		      const u8 *data)
{
	u8 place[8];
	u32 crc;

	le64_put(place, block * (BLK_SIZE / SECTOR) + sector);
	crc = crc32c(0, s->uuid.b, sizeof(s->uuid.b));
	crc = crc32c(crc, place, sizeof(place));
	return crc32c(crc, data, SEC_CRC);
}

static bool is_zero(const u8 *p)
{
	return !p[0] && !memcmp(p, p + 1, SECTOR - 1);
}

/* Whether a sector is what was once written there, or was never written. */
static bool is_valid(const struct sums *s, u64 block, u32 sector,
		     const u8 *data)
{
	return is_zero(data) ||
	       sector_sum(s, block, sector, data) == le32_get(data + SEC_CRC);
}

/* The better of two copies of a sector, or NULL. */
static const u8 *choose(struct sums *s, u32 block, u32 sector, const u8 *a,
			const u8 *b)
{
	bool good_a = is_valid(s, s->start[0] + block, sector, a);
	bool good_b = is_valid(s, s->start[1] + block, sector, b);
	s32 newer = (s32)(le32_get(b + SEC_SEQ) - le32_get(a + SEC_SEQ));

	if (!good_a || !good_b || newer) {
		s->damaged++;
		s->dirty[block] = true;
	}
	if (good_a && good_b)
		return newer > 0 ? b : a;
	return good_a ? a : good_b ? b : NULL;
}

static void take_sector(struct sums *s, u32 nr, const u8 *data)
{
	u32 *sum = s->sum + nr * PER_SECTOR;

	for (u32 i = 0; i < PER_SECTOR; i++)
		sum[i] = data ? le32_get(data + 4 * i) : SUMS_UNKNOWN;
	if (data)
		s->seq[nr] = le32_get(data + SEC_SEQ);
}

static int load_block(struct sums *s, u32 block)
{
	u8 copy[2][BLK_SIZE];
	int ret = 0;

	for (u32 i = 0; !ret && i < 2; i++)
		ret = blkdev_read(s->dev, (s->start[i] + block) << BLK_SHIFT,
				  copy[i], BLK_SIZE);
	for (u32 i = 0; !ret && i < BLK_SIZE / SECTOR; i++)
		take_sector(s, block * (BLK_SIZE / SECTOR) + i,
			    choose(s, block, i, copy[0] + i * SECTOR,
				   copy[1] + i * SECTOR));
	return ret;
}

int sums_load(struct blkdev *dev, const struct afsx_uuid *uuid,
	      const struct sb_region *run, struct sums **out)
{
	struct sums *s = calloc(1, sizeof(*s));
	int ret = 0;

	if (!s)
		return -ENOMEM;
	s->dev = dev;
	s->uuid = *uuid;
	s->blocks = sums_blocks(run->nr);
	s->start[0] = run->start;
	s->start[1] = run->start + run->nr - s->blocks;
	s->sum = calloc(s->blocks, PER_BLOCK * sizeof(*s->sum));
	s->seq = calloc(s->blocks, BLK_SIZE / SECTOR * sizeof(*s->seq));
	s->dirty = calloc(s->blocks, sizeof(*s->dirty));
	if (!s->sum || !s->seq || !s->dirty)
		ret = -ENOMEM;
	for (u32 i = 0; !ret && i < s->blocks; i++)
		ret = load_block(s, i);
	if (ret)
		sums_free(s);
	else
		*out = s;
	return ret;
}

void sums_free(struct sums *s)
{
	if (!s)
		return;
	free(s->sum);
	free(s->seq);
	free(s->dirty);
	free(s);
}

u32 sums_get(const struct sums *s, u32 page)
{
	return s->sum[page];
}

void sums_set(struct sums *s, u32 page, u32 sum)
{
	s->sum[page] = sum;
	s->dirty[page / PER_BLOCK] = true;
}

static void encode_block(struct sums *s, u32 block, u64 place, u8 *data)
{
	for (u32 i = 0; i < BLK_SIZE / SECTOR; i++) {
		u32 nr = block * (BLK_SIZE / SECTOR) + i;
		u8 *sector = data + i * SECTOR;

		for (u32 k = 0; k < PER_SECTOR; k++)
			le32_put(sector + 4 * k, s->sum[nr * PER_SECTOR + k]);
		le32_put(sector + SEC_SEQ, s->seq[nr]);
		le32_put(sector + SEC_CRC, sector_sum(s, place, i, sector));
	}
}

static void write_block(struct sums *s, u32 block, struct blkdev_batch *batch)
{
	u8 data[BLK_SIZE];

	for (u32 i = 0; i < BLK_SIZE / SECTOR; i++)
		s->seq[block * (BLK_SIZE / SECTOR) + i]++;
	for (u32 i = 0; i < 2; i++) {
		u64 place = s->start[i] + block;

		encode_block(s, block, place, data);
		blkdev_write_async(s->dev, batch, place << BLK_SHIFT, data,
				   BLK_SIZE);
	}
}

int sums_write(struct sums *s)
{
	struct blkdev_batch batch = { 0 };
	int ret;

	for (u32 i = 0; i < s->blocks; i++)
		if (s->dirty[i])
			write_block(s, i, &batch);
	ret = blkdev_wait(s->dev, &batch);
	if (!ret) {
		memset(s->dirty, 0, s->blocks * sizeof(*s->dirty));
		s->damaged = 0;
	}
	return ret;
}

u32 sums_damaged(const struct sums *s)
{
	return s->damaged;
}
