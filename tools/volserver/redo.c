// SPDX-License-Identifier: MIT
#include "redo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "crc32c.h"
#include "le.h"

#define LEN_MAX		(8u * 1024 * 1024)
#define SHARE		8u	/* of the log region */

/* Offsets in the header of a record */
enum {
	REDO_MAGIC = 0,
	REDO_SEQ = 8,
	REDO_DURABLE = 16,
	REDO_LEN = 24,
	REDO_CRC = 28,
	REDO_HEADER = 32,
};

static const u8 magic[8] = { 'A', 'F', 'S', 'X', 'R', 'E', 'D', 'O' };

/**
 * struct header - of a record
 * @seq: sequence; those of one salt are consecutive
 * @durable: sequence of the last record that was durable when this one was complete
 * @len: bytes of rows behind the header
 */
struct header {
	u64 seq;
	u64 durable;
	u32 len;
};

u64 redo_len(u64 len)
{
	return ROUND_DOWN(min(len / SHARE, (u64)LEN_MAX), BLK_SIZE);
}

int redo_open(struct blkdev *dev, const struct afsx_uuid *uuid, u64 start,
	      u64 limit, struct redo **out)
{
	struct redo *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->dev = dev;
	r->uuid = *uuid;
	r->start = start;
	r->limit = limit;
	r->pos = REDO_HEADER;
	r->buf = mmap(NULL, limit, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (r->buf == MAP_FAILED) {
		free(r);
		return -ENOMEM;
	}
	*out = r;
	return 0;
}

void redo_close(struct redo *r)
{
	if (!r)
		return;
	munmap(r->buf, r->limit);
	free(r);
}

/* ---- records -------------------------------------------------------------------- */

static u64 size_of(u32 len)
{
	return ROUND_UP((u64)REDO_HEADER + len, BLK_SIZE);
}

/* Of the header but for the checksum itself, and of the rows. */
static u32 sum_of(const struct redo *r, u64 off, u32 len)
{
	const u8 *p = r->buf + off;
	u8 salt[8];
	u32 crc;

	le64_put(salt, r->salt);
	crc = crc32c(0, r->uuid.b, sizeof(r->uuid.b));
	crc = crc32c(crc, salt, sizeof(salt));
	crc = crc32c(crc, p, REDO_CRC);
	return crc32c(crc, p + REDO_HEADER, len);
}

static bool read_header(const struct redo *r, u64 off, struct header *h)
{
	const u8 *p = r->buf + off;

	if (off >= r->limit || memcmp(p, magic, sizeof(magic)))
		return false;
	h->seq = le64_get(p + REDO_SEQ);
	h->durable = le64_get(p + REDO_DURABLE);
	h->len = le32_get(p + REDO_LEN);
	return h->len <= r->limit - off - REDO_HEADER &&
	       sum_of(r, off, h->len) == le32_get(p + REDO_CRC);
}

static void begin(struct redo *r, u64 at)
{
	r->tail = at;
	r->pos = at + REDO_HEADER;
}

u8 *redo_take(struct redo *r, size_t len)
{
	u8 *p = r->buf + r->pos;

	if (r->pos > r->limit || len > r->limit - r->pos)
		return NULL;
	r->pos += len;
	return p;
}

void redo_cut(struct redo *r, u64 pos)
{
	r->pos = pos;
}

bool redo_is_empty(const struct redo *r)
{
	return r->pos == r->tail + REDO_HEADER;
}

void redo_drop(struct redo *r)
{
	r->pos = r->tail + REDO_HEADER;
}

void redo_seal(struct redo *r)
{
	u8 *p = r->buf + r->tail;
	u32 len = (u32)(r->pos - r->tail - REDO_HEADER);
	u64 end = r->tail + size_of(len);

	memcpy(p + REDO_MAGIC, magic, sizeof(magic));
	le64_put(p + REDO_SEQ, ++r->seq);
	le32_put(p + REDO_LEN, len);
	memset(r->buf + r->pos, 0, end - r->pos);
	begin(r, end);
}

void redo_restart(struct redo *r, u64 salt)
{
	r->salt = salt;
	r->written = 0;
	r->durable = r->seq;
	begin(r, 0);
}

void redo_forget_unwritten(struct redo *r)
{
	r->seq = r->durable;
	begin(r, r->written);
}

/* ---- reading -------------------------------------------------------------------- */

/*
 * Records that follow the last of the chain are of the last write, which a crash cut off,
 * or older than the first; those of that write say what had been durable before it. The
 * next record alone in its write cannot be there without its place being known.
 */
static bool lacks_some(const struct redo *r, u64 off)
{
	struct header h;

	for (; off < r->limit; off += BLK_SIZE)
		if (read_header(r, off, &h) &&
		    (h.durable > r->seq ||
		     (h.durable == r->seq && h.seq == r->seq + 1)))
			return true;
	return false;
}

static int follow(struct redo *r, u64 applied)
{
	u64 off = 0, first = 0, last = 0;
	struct header h;

	while (read_header(r, off, &h) && (!off || h.seq == last + 1)) {
		if (!off)
			first = h.seq;
		last = h.seq;
		off += size_of(h.len);
	}
	r->seq = max(last, applied);
	r->durable = r->seq;
	r->written = off;
	begin(r, off);
	return first > applied + 1 || lacks_some(r, off) ? -EUCLEAN : 0;
}

int redo_load(struct redo *r, u64 salt, u64 applied)
{
	int ret = blkdev_read(r->dev, r->start, r->buf, r->limit);

	r->salt = salt;
	return ret ? ret : follow(r, applied);
}

int redo_each(const struct redo *r, u64 after,
	      int (*fn)(void *ctx, const u8 *rows, size_t len), void *ctx)
{
	const u8 *p;
	int ret = 0;

	for (u64 off = 0; !ret && off < r->tail;
	     off += size_of(le32_get(p + REDO_LEN))) {
		p = r->buf + off;
		if (le64_get(p + REDO_SEQ) > after)
			ret = fn(ctx, p + REDO_HEADER, le32_get(p + REDO_LEN));
	}
	return ret;
}

/* ---- writing -------------------------------------------------------------------- */

struct redo_part redo_unwritten(const struct redo *r)
{
	if (!r)
		return (struct redo_part){ .from = 0 };
	return (struct redo_part){
		.from = r->written, .to = r->tail,
		.durable = r->durable, .seq = r->seq,
	};
}

/* Nobody looks at these while they are not written. */
static void finish(struct redo *r, const struct redo_part *part)
{
	for (u64 off = part->from; off < part->to;) {
		u8 *p = r->buf + off;
		u32 len = le32_get(p + REDO_LEN);

		le64_put(p + REDO_DURABLE, part->durable);
		le32_put(p + REDO_CRC, sum_of(r, off, len));
		off += size_of(len);
	}
}

int redo_write(struct redo *r, const struct redo_part *part)
{
	if (part->from == part->to)
		return 0;
	finish(r, part);
	return blkdev_write_fua(r->dev, r->start + part->from,
				r->buf + part->from, part->to - part->from);
}

void redo_written(struct redo *r, const struct redo_part *part)
{
	if (part->from == part->to)
		return;
	r->written = part->to;
	r->durable = part->seq;
}
