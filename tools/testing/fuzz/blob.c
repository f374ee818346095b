// SPDX-License-Identifier: MIT
/* A directory blob in memory. */
#include "blob.h"
#include "fuzz.h"

static const void *read_block(void *ctx, u32 nr)
{
	struct blob *b = ctx;

	MUST(nr < b->ed.rd.nr_blocks);
	b->calls++;
	return b->blk[nr];
}

static void *modify_block(void *ctx, u32 nr)
{
	struct blob *b = ctx;

	MUST(nr <= b->ed.rd.nr_blocks);
	b->calls++;
	if (nr == BLOB_MAX_BLOCKS)
		return NULL;
	if (nr == b->ed.rd.nr_blocks && !b->blk[nr])
		b->blk[nr] = calloc(1, AFSX_DIR_BLOCK_SIZE);
	return b->blk[nr];
}

void blob_init(struct blob *b)
{
	*b = (struct blob) { .ed = { .rd = { .block = read_block, .ctx = b },
				     .modify = modify_block } };
}

void blob_append(struct blob *b, const u8 *data, size_t len)
{
	u8 *blk = calloc(1, AFSX_DIR_BLOCK_SIZE);

	MUST(blk && len <= AFSX_DIR_BLOCK_SIZE && b->ed.rd.nr_blocks < BLOB_MAX_BLOCKS);
	memcpy(blk, data, len);
	b->blk[b->ed.rd.nr_blocks++] = blk;
}

void blob_free(struct blob *b)
{
	for (u32 i = 0; i < BLOB_MAX_BLOCKS; i++)
		free(b->blk[i]);
}
