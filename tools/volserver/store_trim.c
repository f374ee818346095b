// SPDX-License-Identifier: MIT
/*
 * Trimming: blocks that nobody can see any more go back to the device in ranges as
 * large as can be.  A range begins and ends on the granule that the export prefers;
 * free blocks beside it are taken along, so that a granule whose blocks are freed
 * one by one is trimmed with the last of them.
 */
#include <stdlib.h>

#include "store_tx.h"

#define GRANULE_MIN	16u	/* blocks: less is not worth a request */
#define GRANULE_MAX	1024u
#define RUN_MAX		0x40000u	/* blocks: lengths of NBD have 32 bits */

static int compare_runs(const void *a, const void *b)
{
	const struct alloc_run *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Join runs that follow each other; they are sorted. */
static void merge_runs(struct run_list *l)
{
	size_t n = 0;

	for (size_t i = 1; i < l->nr; i++) {
		struct alloc_run *last = &l->run[n];

		if (last->start + last->nr == l->run[i].start &&
		    last->nr + l->run[i].nr <= RUN_MAX)
			last->nr += l->run[i].nr;
		else
			l->run[++n] = l->run[i];
	}
	if (l->nr)
		l->nr = n + 1;
}

/* Blocks of a granule, a power of two. */
static u32 granule(struct store *st)
{
	u64 want = blkdev_preferred(st->dev) >> BLK_SHIFT;
	u32 n = GRANULE_MIN;

	while (n < want && n < GRANULE_MAX)
		n *= 2;
	return n;
}

void store_release(struct store *st, struct run_list *runs)
{
	struct blkdev_batch batch = { 0 };
	u32 align = granule(st);

	qsort(runs->run, runs->nr, sizeof(*runs->run), compare_runs);
	merge_runs(runs);
	for (size_t i = 0; i < runs->nr; i++) {
		struct alloc_run *run = &runs->run[i];
		u64 from, to;

		alloc_widen(st->alloc, run, align);
		from = ROUND_UP(run->start, (u64)align);
		to = ROUND_DOWN(run->start + run->nr, (u64)align);
		if (from < to)
			blkdev_trim(st->dev, &batch, from << BLK_SHIFT,
				    (to - from) << BLK_SHIFT);
	}
	/* a block in use again must not be hit by a late trim */
	blkdev_wait(st->dev, &batch);
	for (size_t i = 0; i < runs->nr; i++)
		alloc_release(st->alloc, &runs->run[i]);
}
