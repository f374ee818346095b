// SPDX-License-Identifier: MIT
#include "alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define WORD		64u
#define WIDEN_SLACK	16384u	/* free blocks beside the reserve */
#define RUNS_TRIED	64u	/* free runs looked at for a long enough one */

struct retired {
	struct alloc_run run;
	u64 ticket;
};

/**
 * struct alloc - the free map
 * @lock: protects everything
 * @blocks: number of blocks
 * @used: bit per block
 * @full: bit per word of @used: no block of it is free
 * @nr_free: clear bits of @used
 * @nr_retired: blocks in @retired
 * @reserve: blocks kept for metadata
 * @cursor: where the last allocation ended
 * @retired: ring of entries
 * @retired_size: entries it has room for
 * @retired_head: first entry in use
 * @retired_nr: entries in use
 */
struct alloc {
	pthread_mutex_t lock;
	u64 blocks;
	u64 *used;
	u64 *full;
	u64 nr_free;
	u64 nr_retired;
	u64 reserve;
	u64 cursor;
	struct retired *retired;
	size_t retired_size;
	size_t retired_head;
	size_t retired_nr;
};

static bool test_bit(const u64 *map, u64 i)
{
	return map[i / WORD] >> i % WORD & 1;
}

static void set_used(struct alloc *a, u64 block)
{
	u64 w = block / WORD;

	a->used[w] |= UINT64_C(1) << block % WORD;
	if (a->used[w] == U64_MAX)
		a->full[w / WORD] |= UINT64_C(1) << w % WORD;
}

static void set_free(struct alloc *a, u64 block)
{
	u64 w = block / WORD;

	a->used[w] &= ~(UINT64_C(1) << block % WORD);
	a->full[w / WORD] &= ~(UINT64_C(1) << w % WORD);
}

struct alloc *alloc_create(u64 blocks)
{
	struct alloc *a = calloc(1, sizeof(*a));
	u64 words = DIV_ROUND_UP(blocks, WORD);

	if (!a)
		return NULL;
	a->blocks = blocks;
	a->nr_free = blocks;
	a->used = calloc(words, sizeof(u64));
	a->full = calloc(DIV_ROUND_UP(words, WORD), sizeof(u64));
	if (!a->used || !a->full) {
		free(a->used);
		free(a->full);
		free(a);
		return NULL;
	}
	pthread_mutex_init(&a->lock, NULL);
	/* bits beyond the end count as used, and words beyond it as full */
	for (u64 i = blocks; i < words * WORD; i++)
		set_used(a, i);
	for (u64 w = words; w % WORD; w++)
		a->full[w / WORD] |= UINT64_C(1) << w % WORD;
	return a;
}

/* A larger map: of what @old has no bits for, all are set. */
static u64 *larger_map(const u64 *old, u64 words, u64 new_words)
{
	u64 *map = malloc(new_words * sizeof(u64));

	if (!map)
		return NULL;
	memcpy(map, old, words * sizeof(u64));
	memset(map + words, 0xff, (new_words - words) * sizeof(u64));
	return map;
}

int alloc_extend(struct alloc *a, u64 blocks)
{
	u64 words = DIV_ROUND_UP(blocks, WORD), old;
	u64 *used, *full;

	MUTEX_GUARD(&a->lock);
	old = DIV_ROUND_UP(a->blocks, WORD);
	used = larger_map(a->used, old, words);
	full = larger_map(a->full, DIV_ROUND_UP(old, WORD),
			  DIV_ROUND_UP(words, WORD));
	if (!used || !full) {
		free(used);
		free(full);
		return -ENOMEM;
	}
	free(a->used);
	free(a->full);
	a->used = used;
	a->full = full;
	a->blocks = blocks;
	return 0;
}

void alloc_destroy(struct alloc *a)
{
	if (!a)
		return;
	pthread_mutex_destroy(&a->lock);
	free(a->retired);
	free(a->used);
	free(a->full);
	free(a);
}

static void take_run(struct alloc *a, const struct alloc_run *run)
{
	for (u64 i = 0; i < run->nr; i++)
		set_used(a, run->start + i);
	a->nr_free -= run->nr;
}

int alloc_claim(struct alloc *a, const struct alloc_run *run)
{
	MUTEX_GUARD(&a->lock);

	if (run->start >= a->blocks || run->nr > a->blocks - run->start)
		return -ERANGE;
	for (u64 i = 0; i < run->nr; i++)
		if (test_bit(a->used, run->start + i))
			return -EEXIST;
	take_run(a, run);
	return 0;
}

/* First free block at or behind @from; @a->blocks when there is none. */
static u64 next_free(const struct alloc *a, u64 from)
{
	u64 words = DIV_ROUND_UP(a->blocks, WORD);
	u64 w = from / WORD;
	u64 bits;

	if (from >= a->blocks)
		return a->blocks;
	bits = ~a->used[w] & U64_MAX << from % WORD;
	if (bits)
		return w * WORD + (u64)__builtin_ctzll(bits);
	for (w++; w < words; w = ROUND_DOWN(w, WORD) + WORD) {
		bits = ~a->full[w / WORD] & U64_MAX << w % WORD;
		if (!bits)
			continue;
		w = ROUND_DOWN(w, WORD) + (u64)__builtin_ctzll(bits);
		if (w >= words)
			break;
		return w * WORD + (u64)__builtin_ctzll(~a->used[w]);
	}
	return a->blocks;
}

static u32 run_length(const struct alloc *a, u64 start, u32 limit)
{
	u32 n = 0;

	while (n < limit && start + n < a->blocks &&
	       !test_bit(a->used, start + n))
		n++;
	return n;
}

/* The first run of @want blocks in [from, to), else the longest looked at. */
static void find_run(const struct alloc *a, u64 from, u64 to, u32 want,
		     struct alloc_run *best)
{
	u64 at = from;

	for (unsigned int i = 0; i < RUNS_TRIED && best->nr < want; i++) {
		u32 n;

		at = next_free(a, at);
		if (at >= to)
			return;
		n = run_length(a, at, want);
		if (n > best->nr) {
			best->start = at;
			best->nr = n;
		}
		at += n;
	}
}

/* Called with the lock held; @kept blocks stay free. */
static int take(struct alloc *a, u64 kept, u32 want, u64 near,
		struct alloc_run *run)
{
	if (a->nr_free <= kept)
		return -ENOSPC;
	want = (u32)min((u64)want, a->nr_free - kept);
	run->nr = 0;
	if (near && near < a->blocks && !test_bit(a->used, near)) {
		run->start = near;
		run->nr = run_length(a, near, want);
	}
	if (!run->nr)
		find_run(a, a->cursor, a->blocks, want, run);
	if (run->nr < want && !near)
		find_run(a, 0, a->cursor, want, run);
	if (!run->nr)
		find_run(a, 0, a->blocks, want, run);
	if (!run->nr)
		return -ENOSPC;
	take_run(a, run);
	a->cursor = run->start + run->nr;
	return 0;
}

int alloc_take(struct alloc *a, u32 want, u64 near, struct alloc_run *run)
{
	MUTEX_GUARD(&a->lock);

	return take(a, a->reserve, want, near, run);
}

int alloc_take_urgent(struct alloc *a, u32 want, u64 near,
		      struct alloc_run *run)
{
	MUTEX_GUARD(&a->lock);

	return take(a, 0, want, near, run);
}

int alloc_take_reserve(struct alloc *a, u32 min, u32 want,
		       struct alloc_run *run)
{
	u64 end;
	u32 n;

	MUTEX_GUARD(&a->lock);
	end = a->blocks;
	while (end) {
		while (end && test_bit(a->used, end - 1))
			end--;
		for (n = 0; n < want && n < end; n++)
			if (test_bit(a->used, end - 1 - n))
				break;
		if (n >= min) {
			run->start = end - n;
			run->nr = n;
			take_run(a, run);
			return 0;
		}
		end -= n;
	}
	return -ENOSPC;
}

void alloc_set_reserve(struct alloc *a, u64 blocks)
{
	MUTEX_GUARD(&a->lock);

	a->reserve = blocks;
}

static bool all_free(const struct alloc *a, u64 from, u64 to)
{
	return to <= a->blocks && run_length(a, from, (u32)(to - from)) == to - from;
}

void alloc_widen(struct alloc *a, struct alloc_run *run, u32 align)
{
	u64 end = run->start + run->nr;
	struct alloc_run before = { .start = ROUND_DOWN(run->start, (u64)align) };
	struct alloc_run behind = { .start = end };

	MUTEX_GUARD(&a->lock);
	if (a->nr_free < a->reserve + WIDEN_SLACK)
		return;
	if (all_free(a, before.start, run->start))
		before.nr = (u32)(run->start - before.start);
	if (all_free(a, end, ROUND_UP(end, (u64)align)))
		behind.nr = (u32)(ROUND_UP(end, (u64)align) - end);
	take_run(a, &before);
	take_run(a, &behind);
	run->start -= before.nr;
	run->nr += before.nr + behind.nr;
}

void alloc_release(struct alloc *a, const struct alloc_run *run)
{
	MUTEX_GUARD(&a->lock);

	for (u64 i = 0; i < run->nr; i++)
		set_free(a, run->start + i);
	a->nr_free += run->nr;
}

static int grow_ring(struct alloc *a)
{
	size_t size = a->retired_size ? 2 * a->retired_size : 256;
	struct retired *ring = malloc(size * sizeof(*ring));

	if (!ring)
		return -ENOMEM;
	for (size_t i = 0; i < a->retired_nr; i++)
		ring[i] = a->retired[(a->retired_head + i) % a->retired_size];
	free(a->retired);
	a->retired = ring;
	a->retired_size = size;
	a->retired_head = 0;
	return 0;
}

int alloc_retire(struct alloc *a, const struct alloc_run *run, u64 ticket)
{
	MUTEX_GUARD(&a->lock);

	if (a->retired_nr == a->retired_size && grow_ring(a))
		return -ENOMEM;
	a->retired[(a->retired_head + a->retired_nr++) % a->retired_size] =
		(struct retired){ .run = *run, .ticket = ticket };
	a->nr_retired += run->nr;
	return 0;
}

bool alloc_reap(struct alloc *a, u64 limit, struct alloc_run *run)
{
	struct retired *r;

	MUTEX_GUARD(&a->lock);
	if (!a->retired_nr)
		return false;
	r = &a->retired[a->retired_head];
	if (r->ticket > limit)
		return false;
	*run = r->run;
	a->nr_retired -= run->nr;
	a->retired_head = (a->retired_head + 1) % a->retired_size;
	a->retired_nr--;
	return true;
}

bool alloc_has_retired(struct alloc *a)
{
	MUTEX_GUARD(&a->lock);

	return a->retired_nr;
}

u64 alloc_blocks(struct alloc *a)
{
	MUTEX_GUARD(&a->lock);

	return a->blocks;
}

u64 alloc_free_blocks(struct alloc *a)
{
	MUTEX_GUARD(&a->lock);

	return a->nr_free + a->nr_retired > a->reserve ?
	       a->nr_free + a->nr_retired - a->reserve : 0;
}

u64 alloc_count_free(struct alloc *a)
{
	MUTEX_GUARD(&a->lock);

	return a->nr_free + a->nr_retired;
}

bool alloc_is_used(struct alloc *a, u64 block)
{
	MUTEX_GUARD(&a->lock);

	return block < a->blocks && test_bit(a->used, block);
}
