// SPDX-License-Identifier: MIT
#include "wal_load.h"

#include <errno.h>
#include <string.h>

#include "crc32c.h"
#include "le.h"

/* Of SQLite's file format, sections 4.1 to 4.4: big-endian */
#define HEADER_LEN	32u
#define HEADER_SUMMED	24u
#define FRAME_HEADER	24u
#define FRAME_SUMMED	8u	/* of its header, and the page */
#define FRAME_LEN	(FRAME_HEADER + 4096u)
#define SALT_LEN	8u
#define HEADER_SALT	16u	/* offset in the header */
#define FRAME_COMMIT	4u	/* not zero in the last of a transaction */
#define FRAME_SALT	8u	/* offset in a frame's header */
#define FRAME_SUM	16u

#define SECTOR		512u
#define LOAD_STEP	(1024u * 1024)
#define GAP_MAX		16u	/* frames without the log's salt that may be damaged */

/* Offsets in a record */
enum {
	REC_MAGIC = 0,
	REC_SALT = 8,
	REC_DURABLE = 16,
	REC_FRAMES = 24,
	REC_CRC = 28,
};

static const u8 header_magic[3] = { 0x37, 0x7f, 0x06 };	/* then 0x82 or 0x83 */
static const u8 record_magic[8] = { 'A', 'F', 'S', 'X', 'T', 'A', 'I', 'L' };
static const u8 empty_magic[8] = { 'A', 'F', 'S', 'X', 'E', 'M', 'P', 'T' };

/* SQLite's checksum: two sums over words of 32 bits. */
struct chain {
	bool big;
	u32 s0;
	u32 s1;
};

/**
 * struct loading - a log being read
 * @dev: device
 * @start: offset of the region
 * @limit: its size
 * @mirror: where to
 * @have: bytes of @mirror read so far
 */
struct loading {
	struct blkdev *dev;
	u64 start;
	u64 limit;
	u8 *mirror;
	u64 have;
};

u64 wal_frame_end(u64 off)
{
	if (off <= HEADER_LEN)
		return HEADER_LEN;
	return HEADER_LEN + DIV_ROUND_UP(off - HEADER_LEN, FRAME_LEN) * FRAME_LEN;
}

static u32 be32_get(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static void chain_add(struct chain *c, const u8 *p, u32 len)
{
	for (u32 i = 0; i < len; i += 8) {
		c->s0 += (c->big ? be32_get(p + i) : le32_get(p + i)) + c->s1;
		c->s1 += (c->big ? be32_get(p + i + 4) : le32_get(p + i + 4)) +
			 c->s0;
	}
}

static bool chain_is(const struct chain *c, const u8 *sum)
{
	return c->s0 == be32_get(sum) && c->s1 == be32_get(sum + 4);
}

/* ---- records ------------------------------------------------------------------ */

static void seal(u8 *record)
{
	le32_put(record + REC_CRC, crc32c(0, record, REC_CRC));
}

static bool is_sealed(const u8 *record, const u8 *magic)
{
	return !memcmp(record, magic, sizeof(record_magic)) &&
	       crc32c(0, record, REC_CRC) == le32_get(record + REC_CRC);
}

void wal_put_record(const u8 *mirror, u64 durable, u64 at, u8 *record)
{
	memcpy(record + REC_MAGIC, record_magic, sizeof(record_magic));
	memcpy(record + REC_SALT, mirror + HEADER_SALT, SALT_LEN);
	le64_put(record + REC_DURABLE, durable);
	le32_put(record + REC_FRAMES, (u32)(at / FRAME_LEN));
	seal(record);
}

void wal_put_empty(u8 *block)
{
	memset(block, 0, BLK_SIZE);
	for (u32 i = 0; i < BLK_SIZE; i += SECTOR) {
		memcpy(block + i, empty_magic, sizeof(empty_magic));
		seal(block + i);
	}
}

/* The first write of a log replaces all of the block; one sector is enough. */
static bool is_empty(const u8 *block)
{
	for (u32 i = 0; i < BLK_SIZE; i += SECTOR)
		if (is_sealed(block + i, empty_magic))
			return true;
	return false;
}

static bool is_record(const u8 *mirror, u64 at)
{
	const u8 *record = mirror + at;

	return is_sealed(record, record_magic) &&
	       !memcmp(record + REC_SALT, mirror + HEADER_SALT, SALT_LEN) &&
	       le32_get(record + REC_FRAMES) == at / FRAME_LEN;
}

/* ---- loading ------------------------------------------------------------------ */

/* Have the first @want bytes in memory, as far as the region goes. */
static int need(struct loading *l, u64 want)
{
	while (l->have < min(want, l->limit)) {
		u64 step = min(l->limit - l->have, (u64)LOAD_STEP);
		int ret = blkdev_read(l->dev, l->start + l->have,
				      l->mirror + l->have, step);

		if (ret)
			return ret;
		l->have += step;
	}
	return 0;
}

static int read_header(const u8 *mirror, struct chain *c)
{
	if (memcmp(mirror, header_magic, sizeof(header_magic)))
		return -EUCLEAN;
	c->big = mirror[3] & 1;
	chain_add(c, mirror, HEADER_SUMMED);
	return chain_is(c, mirror + HEADER_SUMMED) ? 0 : -EUCLEAN;
}

/* Whether a frame is the next of an unbroken chain. */
static bool continues(struct chain *c, const u8 *frame)
{
	chain_add(c, frame, FRAME_SUMMED);
	chain_add(c, frame + FRAME_HEADER, FRAME_LEN - FRAME_HEADER);
	return chain_is(c, frame + FRAME_SUM);
}

/*
 * Follow the frames to the record of the last write, or to where there are no more;
 * *@end: of the last transaction without damage, and before it.
 */
static int follow(struct loading *l, struct chain *c, u64 *end, u64 *durable)
{
	u64 at = HEADER_LEN;
	bool intact = true;
	u32 gap = 0;

	*end = HEADER_LEN;
	for (; at + FRAME_LEN <= l->limit && gap < GAP_MAX; at += FRAME_LEN) {
		const u8 *frame = l->mirror + at;
		int ret = need(l, at + FRAME_LEN);

		if (ret)
			return ret;
		if (is_record(l->mirror, at)) {
			*durable = le64_get(frame + REC_DURABLE);
			break;
		}
		if (memcmp(frame + FRAME_SALT, l->mirror + HEADER_SALT,
			   SALT_LEN))
			gap++;
		else
			gap = 0;
		intact = intact && !gap && continues(c, frame);
		if (intact && be32_get(frame + FRAME_COMMIT))
			*end = at + FRAME_LEN;
	}
	return 0;
}

int wal_load(struct blkdev *dev, u64 start, u64 limit, u8 *mirror, u64 *size)
{
	struct loading l = { dev, start, limit, mirror, 0 };
	struct chain c = { .big = false };
	u64 durable = 0;
	int ret = need(&l, BLK_SIZE);

	*size = 0;
	if (ret || is_empty(mirror))
		return ret;
	ret = read_header(mirror, &c);
	if (!ret)
		ret = follow(&l, &c, size, &durable);
	return ret ? ret : durable > *size ? -EUCLEAN : 0;
}
