// SPDX-License-Identifier: MIT
#include <string.h>

#include "proto.h"
#include "reply.h"

static u8 *put_simple(u8 *p, const struct request *r, u32 error)
{
	p = put32(p, NBD_MAGIC_SIMPLE_REPLY);
	p = put32(p, error);
	return put64(p, r->cookie);
}

/* The head of the only chunk of a reply; @len bytes follow. */
static u8 *put_chunk(u8 *p, enum reply_style style, const struct request *r,
		     u16 type, u64 len)
{
	bool extended = style == REPLY_EXTENDED;

	p = put32(p, extended ? NBD_MAGIC_EXTENDED_REPLY :
				NBD_MAGIC_STRUCTURED_REPLY);
	p = put16(p, NBD_REPLY_FLAG_DONE);
	p = put16(p, type);
	p = put64(p, r->cookie);
	if (!extended)
		return put32(p, (u32)len);
	p = put64(p, r->offset);
	return put64(p, len);
}

size_t reply_data_head(enum reply_style style)
{
	static const size_t sizes[] = {
		[REPLY_SIMPLE] = NBD_SIMPLE_REPLY_SIZE,
		[REPLY_STRUCTURED] = NBD_STRUCTURED_REPLY_SIZE + sizeof(u64),
		[REPLY_EXTENDED] = NBD_EXTENDED_REPLY_SIZE + sizeof(u64),
	};

	return sizes[style];
}

u8 *reply_put_done(u8 *p, enum reply_style style, const struct request *r)
{
	if (style == REPLY_EXTENDED)
		return put_chunk(p, style, r, NBD_REPLY_TYPE_NONE, 0);
	return put_simple(p, r, NBD_SUCCESS);
}

u8 *reply_put_data(u8 *p, enum reply_style style, const struct request *r)
{
	if (style == REPLY_SIMPLE) {
		p = put_simple(p, r, NBD_SUCCESS);
	} else {
		p = put_chunk(p, style, r, NBD_REPLY_TYPE_OFFSET_DATA,
			      sizeof(u64) + r->length);
		p = put64(p, r->offset);
	}
	return p + r->length;
}

u8 *reply_put_error(u8 *p, enum reply_style style, const struct request *r,
		    u32 error, const char *why)
{
	size_t len = strnlen(why, REPLY_TEXT_MAX);

	if (style == REPLY_SIMPLE)
		return put_simple(p, r, error);
	p = put_chunk(p, style, r, NBD_REPLY_TYPE_ERROR, 6 + len);
	p = put32(p, error);
	p = put16(p, (u16)len);
	memcpy(p, why, len);
	return p + len;
}

static u32 state_of(const struct blk_extent *e)
{
	return (e->hole ? NBD_STATE_HOLE : 0) | (e->zero ? NBD_STATE_ZERO : 0);
}

/* Write one descriptor for the runs from @i that are alike. Return: their end. */
static unsigned int put_extent(u8 **p, bool extended,
			       const struct blk_extent *extents,
			       unsigned int i, unsigned int nr)
{
	u32 state = state_of(&extents[i]);
	u64 length = 0;

	for (; i < nr && state_of(&extents[i]) == state; i++)
		length += extents[i].length;
	if (extended)
		*p = put64(put64(*p, length), state);
	else
		*p = put32(put32(*p, (u32)length), state);
	return i;
}

u8 *reply_put_extents(u8 *p, enum reply_style style, const struct request *r,
		      const struct blk_extent *extents, unsigned int nr)
{
	bool extended = style == REPLY_EXTENDED;
	u16 type = extended ? NBD_REPLY_TYPE_BLOCK_STATUS_EXT :
			      NBD_REPLY_TYPE_BLOCK_STATUS;
	size_t head = extended ? 8 : 4, size = extended ? 16 : 8;
	u8 *body = put_chunk(p, style, r, type, 0);
	u8 *end = body + head;
	unsigned int i = 0;

	while (i < nr)
		i = put_extent(&end, extended, extents, i, nr);
	put_chunk(p, style, r, type, (u64)(end - body));
	put32(body, CONTEXT_ALLOCATION_ID);
	if (extended)
		put32(body + 4, (u32)((size_t)(end - body - head) / size));
	return end;
}
