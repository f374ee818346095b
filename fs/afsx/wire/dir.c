// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reading directory blobs.
 *
 * Every entry is validated each time it is reached, so neither lookup nor
 * iteration relies on anybody having looked at the blob before.
 */
#include "dir_find.h"

/* Bytes in front of the name, and of a name that the first slot accounts for */
#define ENTRY_NAME	offsetof(struct afsx_dir_slot, name)
#define FIRST_SLOT_NAME	16

#define HASH_FACTOR	173

u32 afsx_dir_hash(const char *name, u32 len)
{
	u32 hash = 0, bucket;

	for (u32 i = 0; i < len; i++)
		hash = hash * HASH_FACTOR + (u8)name[i];
	bucket = hash % AFSX_DIR_BUCKETS;
	/* The reference took the remainder of a signed number. */
	return bucket && hash > S32_MAX ? AFSX_DIR_BUCKETS - bucket : bucket;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dir_hash);

u32 afsx_dir_slots(u32 len)
{
	return 1 + (len + 1 + (AFSX_DIR_SLOT_SIZE - FIRST_SLOT_NAME - 1)) / AFSX_DIR_SLOT_SIZE;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dir_slots);

static bool slots_used(const struct afsx_dir_hdr *hdr, u32 i, u32 nr)
{
	while (nr--)
		if (!afsx_dir_slot_used(hdr, i++))
			return false;
	return true;
}

static u32 first_slot(u32 block_nr)
{
	return block_nr ? AFSX_DIR_RESV : AFSX_DIR_RESV0;
}

bool afsx_dir_header_ok(const struct afsx_dir_hdr *hdr, u32 block_nr)
{
	return get_unaligned_be16(hdr->magic) == AFSX_DIR_MAGIC &&
	       slots_used(hdr, 0, first_slot(block_nr));
}

/* The length of a name; 0 unless it ends within @room bytes and has no '/'. */
static u32 name_len(const char *name, u32 room)
{
	for (u32 len = 0; len < room && name[len] != '/'; len++)
		if (!name[len])
			return len;
	return 0;
}

/*
 * The entry whose first slot is @i, with the length of its name; NULL when
 * there is no sound entry in that place.
 */
static const struct afsx_dir_slot *entry_at(const struct afsx_dir_hdr *hdr, u32 block_nr, u32 i,
					    u32 *len)
{
	const struct afsx_dir_slot *ent = (const struct afsx_dir_slot *)hdr + i;
	u32 room = (AFSX_DIR_SLOTS - i) * AFSX_DIR_SLOT_SIZE - ENTRY_NAME;
	u32 slots;

	if (i < first_slot(block_nr) || ent->flag != 1 || !get_unaligned_be32(ent->vnode))
		return NULL;
	*len = name_len((const char *)ent + ENTRY_NAME, room);
	if (!*len)
		return NULL;
	slots = afsx_dir_slots(*len);
	return i + slots <= AFSX_DIR_SLOTS && slots_used(hdr, i, slots) ? ent : NULL;
}

/* The entry at slot @hit->slot of the directory, with the length of its name. */
static int look_at(const struct afsx_dir_reader *rd, struct afsx_dir_hit *hit, u32 *len)
{
	u32 nr = hit->slot / AFSX_DIR_SLOTS;
	const struct afsx_dir_hdr *hdr;

	if (nr >= rd->nr_blocks)
		return -EIO;
	hdr = rd->block(rd->ctx, nr);
	if (!hdr || !afsx_dir_header_ok(hdr, nr))
		return -EIO;
	hit->ent = entry_at(hdr, nr, hit->slot % AFSX_DIR_SLOTS, len);
	return hit->ent ? 0 : -EIO;
}

/* Where the name can be first: at the head of its chain, or where an index says. */
static int first_candidate(const struct afsx_dir_reader *rd, const char *name, u32 len,
			   struct afsx_dir_hit *hit)
{
	const struct afsx_dir_head *head;

	hit->prev = 0;
	hit->bucket = afsx_dir_hash(name, len);
	if (rd->index) {
		hit->slot = rd->index->candidate(rd->ctx, name, len, 0, &hit->prev);
		return 0;
	}
	head = rd->block(rd->ctx, 0);
	if (!head || !afsx_dir_header_ok(&head->hdr, 0))
		return -EIO;
	hit->slot = get_unaligned_be16(head->bucket[hit->bucket]);
	return 0;
}

static void next_candidate(const struct afsx_dir_reader *rd, const char *name, u32 len,
			   struct afsx_dir_hit *hit)
{
	if (rd->index) {
		hit->slot = rd->index->candidate(rd->ctx, name, len, hit->slot, &hit->prev);
		return;
	}
	hit->prev = hit->slot;
	hit->slot = get_unaligned_be16(hit->ent->next);
}

int afsx_dir_find(const struct afsx_dir_reader *rd, const char *name, u32 len,
		  struct afsx_dir_hit *hit)
{
	u32 left = rd->nr_blocks * AFSX_DIR_SLOTS, ent_len;
	int ret;

	if (len > AFSX_NAME_MAX)
		return -ENAMETOOLONG;
	if (!rd->nr_blocks || rd->nr_blocks > AFSX_DIR_MAX_BLOCKS)
		return -EIO;
	ret = first_candidate(rd, name, len, hit);
	while (!ret && hit->slot) {
		/* More steps than there are slots means a loop. */
		ret = left-- ? look_at(rd, hit, &ent_len) : -EIO;
		if (ret)
			break;
		if (ent_len == len && !memcmp((const char *)hit->ent + ENTRY_NAME, name, len))
			return 0;
		next_candidate(rd, name, len, hit);
	}
	return ret ?: -ENOENT;
}

int afsx_dir_lookup(const struct afsx_dir_reader *rd, const char *name, u32 len,
		    struct afsx_fid *fid)
{
	struct afsx_dir_hit hit;
	int ret = afsx_dir_find(rd, name, len, &hit);

	if (ret)
		return ret;
	fid->vnode = get_unaligned_be32(hit.ent->vnode);
	fid->unique = get_unaligned_be32(hit.ent->unique);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dir_lookup);

/*
 * The next entry of a block from slot *@i on, NULL at the end or, with *@i
 * less than AFSX_DIR_SLOTS, at a bad one.  *@i becomes its first slot.
 */
static const struct afsx_dir_slot *next_entry(const struct afsx_dir_hdr *hdr, u32 block_nr, u32 *i,
					      u32 *len)
{
	while (*i < AFSX_DIR_SLOTS && !afsx_dir_slot_used(hdr, *i))
		++*i;
	return *i < AFSX_DIR_SLOTS ? entry_at(hdr, block_nr, *i, len) : NULL;
}

int afsx_dir_check_block(const void *blk, u32 nr)
{
	u32 i = first_slot(nr), len;

	if (!afsx_dir_header_ok(blk, nr))
		return -EIO;
	while (next_entry(blk, nr, &i, &len) && len <= AFSX_NAME_MAX)
		i += afsx_dir_slots(len);
	return i < AFSX_DIR_SLOTS ? -EIO : 0;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dir_check_block);

/* Emit the entries of one block from *@pos on; 1 when @emit had enough. */
static int iterate_block(const struct afsx_dir_hdr *hdr, u32 nr, u64 *pos, afsx_dir_emit_t emit,
			 void *ctx)
{
	u64 base = (u64)nr * AFSX_DIR_SLOTS;
	const struct afsx_dir_slot *ent;
	u32 i = first_slot(nr), len;

	if (!afsx_dir_header_ok(hdr, nr))
		return -EIO;
	while ((ent = next_entry(hdr, nr, &i, &len))) {
		if (base + i >= *pos) {
			*pos = base + i;
			if (!emit(ctx, (const char *)ent + ENTRY_NAME, len,
				  get_unaligned_be32(ent->vnode),
				  get_unaligned_be32(ent->unique), *pos))
				return 1;
			*pos += afsx_dir_slots(len);
		}
		i += afsx_dir_slots(len);
	}
	if (i < AFSX_DIR_SLOTS)
		return -EIO;
	*pos = base + AFSX_DIR_SLOTS;
	return 0;
}

int afsx_dir_iterate(const struct afsx_dir_reader *rd, u64 *pos, afsx_dir_emit_t emit, void *ctx)
{
	const void *blk;
	int ret;

	if (rd->nr_blocks > AFSX_DIR_MAX_BLOCKS)
		return -EIO;
	while (*pos < (u64)rd->nr_blocks * AFSX_DIR_SLOTS) {
		u32 nr = (u32)*pos / AFSX_DIR_SLOTS;

		blk = rd->block(rd->ctx, nr);
		if (!blk)
			return -EIO;
		ret = iterate_block(blk, nr, pos, emit, ctx);
		if (ret)
			return ret < 0 ? ret : 0;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dir_iterate);
