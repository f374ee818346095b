/* SPDX-License-Identifier: MIT */
/*
 * The free map: a bit per block of the device, in memory only, rebuilt from
 * regions and extents when a store is opened.  32 KiB for each GiB.
 *
 * A block that a transaction frees is first retired: it may be used again once
 * the transaction is durable and no reader can still see the extent.
 */
#ifndef AFSX_ALLOC_H
#define AFSX_ALLOC_H

#include <stdbool.h>

#include "defs.h"

struct alloc;

/**
 * struct alloc_run - consecutive blocks
 * @start: first block
 * @nr: how many
 */
struct alloc_run {
	u64 start;
	u32 nr;
};

/** alloc_create() - a map of @blocks free blocks; NULL without memory */
struct alloc *alloc_create(u64 blocks);

/** alloc_extend() - the device has more blocks now, used as yet; 0 or -ENOMEM */
int alloc_extend(struct alloc *a, u64 blocks);

/** alloc_destroy() - @a may be NULL */
void alloc_destroy(struct alloc *a);

/** alloc_claim() - mark blocks used; -EEXIST if one is, -ERANGE if outside */
int alloc_claim(struct alloc *a, const struct alloc_run *run);

/**
 * alloc_take() - find free blocks and mark them used
 * @a: map
 * @want: how many, at most
 * @near: where to begin looking; 0: behind the last allocation
 * @run: what was found; may be shorter than @want
 *
 * Return: 0; -ENOSPC when nothing but the reserve is free.
 */
int alloc_take(struct alloc *a, u32 want, u64 near, struct alloc_run *run);

/**
 * alloc_take_urgent() - as alloc_take(), but out of the reserve, too
 * @a: map
 * @want: how many, at most; the caller frees as many
 * @near: where to begin looking; 0: behind the last allocation
 * @run: what was found; may be shorter than @want
 *
 * Return: 0; -ENOSPC when nothing is free.
 */
int alloc_take_urgent(struct alloc *a, u32 want, u64 near,
		      struct alloc_run *run);

/**
 * alloc_take_reserve() - a long run near the end of the device, which may come
 * out of the reserve
 * @a: map
 * @min: blocks, at least
 * @want: blocks, at most
 * @run: what was found
 */
int alloc_take_reserve(struct alloc *a, u32 min, u32 want,
		       struct alloc_run *run);

/** alloc_set_reserve() - blocks that alloc_take() leaves alone */
void alloc_set_reserve(struct alloc *a, u64 blocks);

/**
 * alloc_widen() - take the free blocks around a run that share a granule with it
 * @a: map
 * @run: used blocks; may begin earlier and end later then
 * @align: blocks of a granule, a power of two
 *
 * Nothing happens at an end where one of those blocks is used, and nothing at all
 * when few blocks are free, for others must not miss them.
 */
void alloc_widen(struct alloc *a, struct alloc_run *run, u32 align);

/** alloc_release() - blocks can be used again at once */
void alloc_release(struct alloc *a, const struct alloc_run *run);

/**
 * alloc_retire() - blocks can be used again later
 * @a: map
 * @run: which
 * @ticket: of the transaction that freed them; never smaller than before
 *
 * Return: 0, or -ENOMEM: they stay used until the store is opened again.
 */
int alloc_retire(struct alloc *a, const struct alloc_run *run, u64 ticket);

/**
 * alloc_reap() - next run retired by a ticket of at most @limit
 * @a: map
 * @limit: ticket
 * @run: what may be used again
 *
 * Return: true with @run filled in; the caller passes it to alloc_release().
 */
bool alloc_reap(struct alloc *a, u64 limit, struct alloc_run *run);

/** alloc_has_retired() - whether some wait for alloc_reap() */
bool alloc_has_retired(struct alloc *a);

/** alloc_blocks() - of the device */
u64 alloc_blocks(struct alloc *a);

/** alloc_free_blocks() - free and retired blocks, without the reserve */
u64 alloc_free_blocks(struct alloc *a);

/** alloc_count_free() - free and retired blocks, with the reserve */
u64 alloc_count_free(struct alloc *a);

/** alloc_is_used() - one block, for the checker */
bool alloc_is_used(struct alloc *a, u64 block);

#endif /* AFSX_ALLOC_H */
