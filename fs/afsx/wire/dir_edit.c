// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Editing directory blobs.
 *
 * Each edit first gets hold of all the blocks it will change and then only
 * stores into them, so it is done completely or not at all.
 */
#include "dir_find.h"

/* Free counts of an empty block, and of one that does not exist yet */
#define FREE_EMPTY	(AFSX_DIR_SLOTS - AFSX_DIR_RESV)
#define FREE_EMPTY0	(AFSX_DIR_SLOTS - AFSX_DIR_RESV0)
#define FREE_ABSENT	AFSX_DIR_SLOTS

static void mark_slots(struct afsx_dir_hdr *hdr, u32 i, u32 nr, bool used)
{
	for (; nr--; i++) {
		if (used)
			hdr->bitmap[i / 8] |= (u8)(1 << i % 8);
		else
			hdr->bitmap[i / 8] &= (u8)~(1 << i % 8);
	}
}

static void format_block(struct afsx_dir_hdr *hdr, u32 reserved)
{
	put_unaligned_be16(AFSX_DIR_MAGIC, hdr->magic);
	hdr->unused = (u8)(AFSX_DIR_SLOTS - reserved);
	mark_slots(hdr, 0, reserved, true);
}

/* The first of @need free slots in a row; AFSX_DIR_SLOTS when there are none. */
static u32 find_run(const struct afsx_dir_hdr *hdr, u32 need)
{
	u32 run = 0;

	for (u32 i = 0; i < AFSX_DIR_SLOTS; i++) {
		run = afsx_dir_slot_used(hdr, i) ? 0 : run + 1;
		if (run == need)
			return i + 1 - need;
	}
	return AFSX_DIR_SLOTS;
}

/* Where an entry will go: a block, which may have to be appended, and a slot */
struct place {
	u32 block;
	u32 slot;
};

/* Look for room in blocks @from..@to - 1; 1 when found. */
static int find_place(const struct afsx_dir_reader *rd, const struct afsx_dir_head *head, u32 from,
		      u32 to, u32 need, struct place *at)
{
	for (u32 b = from; b < to; b++) {
		const struct afsx_dir_hdr *hdr;

		if (b < AFSX_DIR_CTR_BLOCKS && head->free[b] < need)
			continue;
		hdr = rd->block(rd->ctx, b);
		if (!hdr || !afsx_dir_header_ok(hdr, b))
			return -EIO;
		at->block = b;
		at->slot = find_run(hdr, need);
		if (at->slot < AFSX_DIR_SLOTS)
			return 1;
	}
	return 0;
}

/*
 * Choose a place: the first 128 blocks by their free counts, then on from the
 * hint, then a new block; a full directory is searched from end to end.
 */
static int choose_place(struct afsx_dir_editor *ed, const struct afsx_dir_head *head, u32 need,
			struct place *at)
{
	const struct afsx_dir_reader *rd = &ed->rd;
	u32 counted = min_t(u32, rd->nr_blocks, AFSX_DIR_CTR_BLOCKS);
	u32 from = max(ed->hint ?: rd->nr_blocks - 1, counted);
	int ret;

	ret = find_place(rd, head, 0, counted, need, at);
	if (!ret)
		ret = find_place(rd, head, from, rd->nr_blocks, need, at);
	if (!ret && rd->nr_blocks < AFSX_DIR_MAX_BLOCKS) {
		at->block = rd->nr_blocks;
		at->slot = AFSX_DIR_RESV;
		ret = 1;
	}
	if (!ret)
		ret = find_place(rd, head, counted, rd->nr_blocks, need, at);
	if (ret > 0 && at->block >= AFSX_DIR_CTR_BLOCKS)
		ed->hint = at->block;
	return ret ?: -EFBIG;
}

/* Get block @nr for writing, appending it when it is the next one. */
static struct afsx_dir_hdr *open_block(struct afsx_dir_editor *ed, struct afsx_dir_head *head,
				       u32 nr)
{
	struct afsx_dir_hdr *hdr = ed->modify(ed->rd.ctx, nr);

	if (!hdr || nr < ed->rd.nr_blocks)
		return hdr;
	format_block(hdr, AFSX_DIR_RESV);
	if (nr < AFSX_DIR_CTR_BLOCKS)
		head->free[nr] = FREE_EMPTY;
	ed->rd.nr_blocks = nr + 1;
	put_unaligned_be16((u16)ed->rd.nr_blocks, head->hdr.nr_blocks);
	return hdr;
}

static void put_fid(struct afsx_dir_slot *ent, const struct afsx_fid *fid)
{
	put_unaligned_be32(fid->vnode, ent->vnode);
	put_unaligned_be32(fid->unique, ent->unique);
}

/* Returns the slot of the entry that was the first of the chain. */
static u32 insert(struct afsx_dir_head *head, struct afsx_dir_hdr *hdr, const struct place *at,
		  const char *name, u32 len, const struct afsx_fid *fid)
{
	u8 *bucket = head->bucket[afsx_dir_hash(name, len)];
	struct afsx_dir_slot *ent = (struct afsx_dir_slot *)hdr + at->slot;
	char *to = (char *)ent + offsetof(struct afsx_dir_slot, name);
	u32 need = afsx_dir_slots(len);

	memset(ent, 0, need * sizeof(*ent));
	ent->flag = 1;
	memcpy(ent->next, bucket, sizeof(ent->next));
	put_fid(ent, fid);
	memcpy(to, name, len);
	put_unaligned_be16((u16)(at->block * AFSX_DIR_SLOTS + at->slot), bucket);
	mark_slots(hdr, at->slot, need, true);
	if (at->block < AFSX_DIR_CTR_BLOCKS)
		head->free[at->block] -= (u8)need;
	return get_unaligned_be16(ent->next);
}

int afsx_dir_add(struct afsx_dir_editor *ed, const char *name, u32 len,
		 const struct afsx_fid *fid)
{
	struct afsx_dir_head *head;
	struct afsx_dir_hdr *hdr;
	struct afsx_dir_hit hit;
	struct place at;
	u32 next;
	int ret;

	if (!len || memchr(name, '/', len) || memchr(name, '\0', len) || !fid->vnode)
		return -EINVAL;
	ret = afsx_dir_find(&ed->rd, name, len, &hit);
	if (ret != -ENOENT)
		return ret ?: -EEXIST;
	head = ed->modify(ed->rd.ctx, 0);
	if (!head)
		return -EIO;
	ret = choose_place(ed, head, afsx_dir_slots(len), &at);
	if (ret < 0)
		return ret;
	hdr = open_block(ed, head, at.block);
	if (!hdr)
		return -EIO;
	next = insert(head, hdr, &at, name, len, fid);
	if (ed->rd.index)
		ed->rd.index->added(ed->rd.ctx, name, len, at.block * AFSX_DIR_SLOTS + at.slot,
				    next);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dir_add);

/* Where the number of the entry's slot is stored, writable; NULL when it is not there. */
static u8 *link_to(struct afsx_dir_editor *ed, struct afsx_dir_head *head,
		   const struct afsx_dir_hit *hit)
{
	u32 nr = hit->prev / AFSX_DIR_SLOTS;
	struct afsx_dir_slot *blk;
	u8 *link = NULL;

	if (!hit->prev) {
		link = head->bucket[hit->bucket];
	} else if (nr < ed->rd.nr_blocks) {
		blk = ed->modify(ed->rd.ctx, nr);
		link = blk ? blk[hit->prev % AFSX_DIR_SLOTS].next : NULL;
	}
	return link && get_unaligned_be16(link) == hit->slot ? link : NULL;
}

int afsx_dir_remove(struct afsx_dir_editor *ed, const char *name, u32 len, struct afsx_fid *fid)
{
	u32 need = afsx_dir_slots(len), nr;
	struct afsx_dir_head *head;
	struct afsx_dir_hdr *hdr;
	struct afsx_dir_slot *ent;
	struct afsx_dir_hit hit;
	u8 *link;
	int ret;

	ret = afsx_dir_find(&ed->rd, name, len, &hit);
	if (ret)
		return ret;
	nr = hit.slot / AFSX_DIR_SLOTS;
	head = ed->modify(ed->rd.ctx, 0);
	hdr = ed->modify(ed->rd.ctx, nr);
	link = head ? link_to(ed, head, &hit) : NULL;
	if (!hdr || !link)
		return -EIO;

	ent = (struct afsx_dir_slot *)hdr + hit.slot % AFSX_DIR_SLOTS;
	fid->vnode = get_unaligned_be32(ent->vnode);
	fid->unique = get_unaligned_be32(ent->unique);
	memcpy(link, ent->next, sizeof(ent->next));
	memset(ent, 0, need * sizeof(*ent));
	mark_slots(hdr, hit.slot % AFSX_DIR_SLOTS, need, false);
	if (nr < AFSX_DIR_CTR_BLOCKS)
		head->free[nr] += (u8)need;
	else if (!ed->hint || nr < ed->hint)
		ed->hint = nr;
	if (ed->rd.index)
		ed->rd.index->removed(ed->rd.ctx, hit.slot, hit.prev, get_unaligned_be16(link));
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dir_remove);

int afsx_dir_replace(struct afsx_dir_editor *ed, const char *name, u32 len,
		     const struct afsx_fid *fid)
{
	struct afsx_dir_hit hit;
	struct afsx_dir_slot *blk;
	int ret;

	ret = afsx_dir_find(&ed->rd, name, len, &hit);
	if (ret)
		return ret;
	blk = ed->modify(ed->rd.ctx, hit.slot / AFSX_DIR_SLOTS);
	if (!blk)
		return -EIO;
	put_fid(&blk[hit.slot % AFSX_DIR_SLOTS], fid);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dir_replace);

int afsx_dir_init(struct afsx_dir_editor *ed, const struct afsx_fid *self,
		  const struct afsx_fid *parent)
{
	struct afsx_dir_head *head;
	int ret;

	if (ed->rd.nr_blocks)
		return -EINVAL;
	head = ed->modify(ed->rd.ctx, 0);
	if (!head)
		return -EIO;
	format_block(&head->hdr, AFSX_DIR_RESV0);
	memset(head->free, FREE_ABSENT, sizeof(head->free));
	head->free[0] = FREE_EMPTY0;
	put_unaligned_be16(1, head->hdr.nr_blocks);
	ed->rd.nr_blocks = 1;
	ed->hint = 0;
	ret = afsx_dir_add(ed, ".", 1, self);
	return ret ?: afsx_dir_add(ed, "..", 2, parent);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dir_init);
