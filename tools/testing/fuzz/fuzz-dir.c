// SPDX-License-Identifier: MIT
/*
 * Fuzz target: directory blobs, reading.
 *
 * Input: whole blocks of 2048 bytes, then a name to look up.
 *
 * Whatever the blob, a lookup or a listing asks for a bounded number of blocks,
 * and names that are listed are fit for a directory. The listing is whole if every
 * block is sound, and only then unless a name is longer than we make them.
 */
#include "blob.h"
#include "fuzz.h"

struct listing {
	u32 entries;
	u32 too_long;
	u64 last;
};

static bool take(void *ctx, const char *name, u32 len, u32 vnode, u32 unique, u64 pos)
{
	struct listing *l = ctx;

	MUST(len >= 1 && len <= AFSX_DIR_NAME_MAX);
	MUST(!memchr(name, '/', len) && !memchr(name, '\0', len));
	MUST(vnode != 0);
	MUST(!l->entries || pos > l->last);
	l->entries++;
	l->too_long += len > AFSX_NAME_MAX;
	l->last = pos;
	return true;
}

static bool take_one(void *ctx, const char *name, u32 len, u32 vnode, u32 unique, u64 pos)
{
	u32 *left = ctx;

	return (*left)-- > 0;
}

/* Listing in steps of one entry comes to the same number. */
static u32 count_in_steps(struct blob *b)
{
	u64 end = (u64)b->ed.rd.nr_blocks * AFSX_DIR_SLOTS, pos = 0, before;
	u32 nr = 0;

	for (;;) {
		u32 left = 1;

		before = pos;
		MUST(afsx_dir_iterate(&b->ed.rd, &pos, take_one, &left) == 0);
		nr += left != 1;
		if (pos >= end)
			return nr;
		MUST(pos > before);
	}
}

static void list(struct blob *b)
{
	struct listing l = {};
	bool sound = true;
	u64 pos = 0;
	int ret;

	for (u32 i = 0; i < b->ed.rd.nr_blocks; i++)
		sound &= !afsx_dir_check_block(b->blk[i], i);
	ret = afsx_dir_iterate(&b->ed.rd, &pos, take, &l);
	MUST(ret == 0 || ret == -EIO);
	MUST(sound == (!ret && !l.too_long));
	if (!ret)
		MUST(count_in_steps(b) == l.entries);
}

static void look_up(struct blob *b, const char *name, size_t len)
{
	struct afsx_fid fid = {};
	int ret;

	b->calls = 0;
	ret = afsx_dir_lookup(&b->ed.rd, name, (u32)len, &fid);
	MUST(ret == 0 || ret == -ENOENT || ret == -EIO || ret == -ENAMETOOLONG);
	MUST(ret || fid.vnode);
	MUST(b->calls <= b->ed.rd.nr_blocks * AFSX_DIR_SLOTS + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blob b;

	blob_init(&b);
	while (size >= AFSX_DIR_BLOCK_SIZE && b.ed.rd.nr_blocks < BLOB_MAX_BLOCKS) {
		blob_append(&b, data, AFSX_DIR_BLOCK_SIZE);
		data += AFSX_DIR_BLOCK_SIZE;
		size -= AFSX_DIR_BLOCK_SIZE;
	}
	list(&b);
	look_up(&b, ".", 1);
	look_up(&b, "..", 2);
	look_up(&b, (const char *)data, size);
	blob_free(&b);
	return 0;
}
