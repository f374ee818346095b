// SPDX-License-Identifier: MIT
#include "dir_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SLOTS_MAX	(AFSX_DIR_MAX_BLOCKS * AFSX_DIR_SLOTS)

#define NOWHERE		0xffffu		/* no slot */

static_assert(SLOTS_MAX <= NOWHERE, "slots are kept in 16 bits");

/**
 * struct place - what is known of a slot of the directory
 * @tag: hash of the name of the entry that begins there; 0: none does
 * @prev: slot of the entry in front of it in its chain of the directory, or 0
 * @next: slot of the next one with the same head here, or 0
 */
struct place {
	u32 tag;
	u16 prev;
	u16 next;
};

/**
 * struct dir_index - see above
 * @seed: of the hash, so that nobody can choose names that have the same
 * @size: slots there is room for
 * @mask: heads - 1, a power of two
 * @place: one for each slot
 * @head: by tag, first slot of those that have it
 */
struct dir_index {
	u64 seed;
	u32 size;
	u32 mask;
	struct place *place;
	u16 *head;
};

static u32 tag_of(const struct dir_index *x, const char *name, u32 len)
{
	u64 hash = x->seed;

	for (u32 i = 0; i < len; i++) {
		hash = (hash ^ (u8)name[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	return (u32)hash ? : 1;
}

/* ---- memory ----------------------------------------------------------------- */

static void enter(struct dir_index *x, u32 slot)
{
	u16 *head = &x->head[x->place[slot].tag & x->mask];

	x->place[slot].next = *head;
	*head = (u16)slot;
}

/* One head for two to four slots; most names take one. */
static u32 heads_for(u32 slots)
{
	u32 heads = 256;

	while (heads * 4 < slots)
		heads *= 2;
	return heads;
}

/* Room for @slots and some more. */
static int grow(struct dir_index *x, u32 slots)
{
	u32 size = min_t(u32, slots + slots / 4, SLOTS_MAX);
	u32 heads = heads_for(size), old = x->size;
	struct place *place = realloc(x->place, size * sizeof(*place));
	u16 *head = calloc(heads, sizeof(*head));

	if (place)
		x->place = place;
	if (!place || !head) {
		free(head);
		return -ENOMEM;
	}
	memset(place + old, 0, (size - old) * sizeof(*place));
	free(x->head);
	x->head = head;
	x->mask = heads - 1;
	x->size = size;
	for (u32 slot = 0; slot < old; slot++)
		if (place[slot].tag)
			enter(x, slot);
	return 0;
}

void dir_index_free(struct dir_index *x)
{
	if (!x)
		return;
	free(x->place);
	free(x->head);
	free(x);
}

size_t dir_index_bytes(const struct dir_index *x)
{
	return x ? sizeof(*x) + x->size * sizeof(*x->place) +
		   (x->mask + 1) * sizeof(*x->head) : 0;
}

/* ---- building --------------------------------------------------------------- */

/**
 * struct building - an index that is being made
 * @x: index
 * @rd: directory
 * @nr: entries that the chains have not led to
 */
struct building {
	struct dir_index *x;
	const struct afsx_dir_reader *rd;
	u32 nr;
};

static bool note_entry(void *ctx, const char *name, u32 len, u32 vnode,
		       u32 unique, u64 pos)
{
	struct building *b = ctx;

	(void)vnode;
	(void)unique;
	b->x->place[pos].tag = tag_of(b->x, name, len);
	b->nr++;
	return true;
}

/* Name of the entry that begins in a slot, which was seen to be sound; NULL on failure. */
static const struct afsx_dir_slot *entry(const struct building *b, u32 slot,
					 const char **name)
{
	const struct afsx_dir_slot *blk =
		b->rd->block(b->rd->ctx, slot / AFSX_DIR_SLOTS);

	if (!blk)
		return NULL;
	blk += slot % AFSX_DIR_SLOTS;
	*name = (const char *)blk + offsetof(struct afsx_dir_slot, name);
	return blk;
}

/* Whether the index has the name already, or whether that cannot be said. */
static bool is_double(const struct building *b, u32 tag, const char *name)
{
	const struct place *place = b->x->place;
	const char *other;

	for (u32 i = b->x->head[tag & b->x->mask]; i; i = place[i].next)
		if (place[i].tag == tag &&
		    (!entry(b, i, &other) || !strcmp(name, other)))
			return true;
	return false;
}

/* An entry begins in the slot, and no chain has led to it before. */
static bool is_new(const struct building *b, u32 slot)
{
	const struct place *place = b->x->place;

	return slot < b->rd->nr_blocks * AFSX_DIR_SLOTS && place[slot].tag &&
	       place[slot].prev == NOWHERE;
}

static int follow_chain(struct building *b, u32 bucket, u32 slot)
{
	u32 prev = 0;

	while (slot) {
		const struct afsx_dir_slot *ent;
		const char *name;

		ent = is_new(b, slot) ? entry(b, slot, &name) : NULL;
		if (!ent || afsx_dir_hash(name, (u32)strlen(name)) != bucket ||
		    is_double(b, b->x->place[slot].tag, name))
			return -EIO;
		b->x->place[slot].prev = (u16)prev;
		enter(b->x, slot);
		b->nr--;
		prev = slot;
		slot = get_unaligned_be16(ent->next);
	}
	return 0;
}

static int fill(struct building *b)
{
	const struct afsx_dir_head *head = b->rd->block(b->rd->ctx, 0);
	u64 pos = 0;
	int ret;

	if (!head)
		return -EIO;
	ret = afsx_dir_iterate(b->rd, &pos, note_entry, b);
	for (u32 i = 0; i < b->x->size; i++)
		b->x->place[i].prev = NOWHERE;
	for (u32 i = 0; !ret && i < AFSX_DIR_BUCKETS; i++)
		ret = follow_chain(b, i, get_unaligned_be16(head->bucket[i]));
	return ret || b->nr ? -EIO : 0;
}

int dir_index_build(const struct afsx_dir_reader *rd, struct dir_index **out)
{
	struct building b = { .x = calloc(1, sizeof(*b.x)), .rd = rd };
	int ret;

	if (!b.x)
		return -ENOMEM;
	if (rd->nr_blocks > AFSX_DIR_MAX_BLOCKS ||
	    getrandom(&b.x->seed, sizeof(b.x->seed), 0) != sizeof(b.x->seed))
		ret = -EIO;
	else
		ret = grow(b.x, rd->nr_blocks * AFSX_DIR_SLOTS);
	if (!ret)
		ret = fill(&b);
	if (ret)
		dir_index_free(b.x);
	else
		*out = b.x;
	return ret;
}

/* ---- using ------------------------------------------------------------------ */

u32 dir_index_candidate(const struct dir_index *x, const char *name, u32 len,
			u32 after, u32 *prev)
{
	u32 tag = tag_of(x, name, len);
	u32 slot = after ? x->place[after].next : x->head[tag & x->mask];

	while (slot && x->place[slot].tag != tag)
		slot = x->place[slot].next;
	*prev = x->place[slot].prev;
	return slot;
}

int dir_index_add(struct dir_index *x, const char *name, u32 len, u32 slot,
		  u32 next)
{
	int ret = slot < x->size ? 0 : grow(x, slot + 1);

	if (ret)
		return ret;
	x->place[slot].tag = tag_of(x, name, len);
	x->place[slot].prev = 0;
	enter(x, slot);
	if (next)
		x->place[next].prev = (u16)slot;
	return 0;
}

void dir_index_remove(struct dir_index *x, u32 slot, u32 prev, u32 next)
{
	u16 *link = &x->head[x->place[slot].tag & x->mask];

	while (*link != slot)
		link = &x->place[*link].next;
	*link = x->place[slot].next;
	x->place[slot].tag = 0;
	if (next)
		x->place[next].prev = (u16)prev;
}
