// SPDX-License-Identifier: MIT
/*
 * Fuzz target: partition tables.
 *
 * Input: number of the partition; a byte: 1 to put right the checksums of the GPT
 * in the second sector, 2 for one with sectors of 4096 bytes, 4 for an image much
 * longer than its bytes; and the start of the image.
 *
 * A partition that is found has bytes, all of them inside of the image.
 */
#include <errno.h>
#include <zlib.h>

#include "fuzz.h"
#include "le.h"
#include "partition.h"

#define IMAGE_MAX	(64 << 10)
#define RIGHT_SUMS	1
#define LARGE_SECTORS	2
#define LONG_IMAGE	4

static u8 image[IMAGE_MAX];

static int give(struct blk *blk, void *buf, u32 len, u64 offset, u32 flags)
{
	u64 have = offset < IMAGE_MAX ? IMAGE_MAX - offset : 0;

	MUST(offset <= blk->size && len <= blk->size - offset);
	have = have < len ? have : len;
	if (have)
		memcpy(buf, image + offset, have);
	memset((u8 *)buf + have, 0, len - have);
	return 0;
}

static void put_sums_right(u32 sector)
{
	u8 *h = image + sector;
	u32 len = le32_get(h + 12), entries = le32_get(h + 80) * le32_get(h + 84);
	u64 at = le64_get(h + 72);

	if (at < IMAGE_MAX / sector && entries <= IMAGE_MAX - at * sector)
		le32_put(h + 88, (u32)crc32(0, image + at * sector, entries));
	le32_put(h + 16, 0);
	if (len <= sector)
		le32_put(h + 16, (u32)crc32(0, h, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct blk_ops ops = { .name = "fuzz", .read = give };
	struct blk blk = { .ops = &ops, .min_block = 1 };
	struct partition part;
	struct errbuf err = { "" };
	int ret;

	if (size < 2 || size - 2 > IMAGE_MAX)
		return -1;
	memset(image, 0, sizeof(image));
	memcpy(image, data + 2, size - 2);
	blk.size = data[1] & LONG_IMAGE ? 1ull << 40 : size - 2;
	if (data[1] & RIGHT_SUMS)
		put_sums_right(data[1] & LARGE_SECTORS ? 4096 : 512);
	ret = partition_find(&blk, data[0], &part, &err);
	MUST(ret == 0 || ret == -ENOENT || ret == -EINVAL);
	MUST(ret ? err.text[0] : part.length && part.offset < blk.size &&
	     part.length <= blk.size - part.offset);
	return 0;
}
