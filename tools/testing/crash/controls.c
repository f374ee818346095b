// SPDX-License-Identifier: MIT
/*
 * crash-ram controls: devices that lie and stores with a mistake.  The judge
 * must notice each of them; a test that would let one pass proves nothing.
 *
 * The mistakes are made here, around functions of the store that the linker
 * was told to --wrap.
 */
#include "controls.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "points.h"

#define SEED		1000u
#define TRIES		2000u	/* failures until a control must be noticed */

enum mistake {
	NO_MISTAKE,
	REUSE_EARLY,	/* blocks are free before the commit is durable */
	REPLY_EARLY,	/* commits do not wait for the device */
	REFUSE_EARLY,	/* refusals do not wait for what they are for */
	NO_DATA_FLUSH,	/* the log is written before the data is durable */
};

static enum mistake mistake;
static u64 reusable;

int __wrap_alloc_take(struct alloc *a, u32 want, u64 near,
		      struct alloc_run *run)
{
	if (mistake == REUSE_EARLY && reusable) {
		near = reusable;
		reusable = 0;
	}
	return __real_alloc_take(a, want, near, run);
}

void __wrap_batch_add(struct store_tx *tx)
{
	for (; mistake == REUSE_EARLY && tx->freed.nr; tx->freed.nr--) {
		const struct alloc_run *run = &tx->freed.run[tx->freed.nr - 1];

		reusable = run->start;
		alloc_release(tx->st->alloc, run);
	}
	__real_batch_add(tx);
}

/* Data of a few blocks go to the device in both ways. */
bool __wrap_rally_is_quick(const struct rally *r)
{
	static atomic_uint asked;

	(void)r;
	return atomic_fetch_add(&asked, 1) % 2;
}

static const struct wal_source *source;
static void *source_ctx;

void __wrap_wal_set_source(struct wal *w, const struct wal_source *s, void *ctx)
{
	source = s;
	source_ctx = ctx;
	__real_wal_set_source(w, s, ctx);
}

/* Until it is in the mirror of the log. */
int __wrap_wal_wait(struct wal *w, u64 ticket)
{
	if (mistake != REPLY_EARLY)
		return __real_wal_wait(w, ticket);
	while (wal_committed(w) < ticket)
		if (source->try_begin(source_ctx))
			source->end(source_ctx);
		else
			sched_yield();
	return 0;
}

int __wrap_store_refuse(struct store_tx *tx)
{
	if (mistake != REFUSE_EARLY)
		return __real_store_refuse(tx);
	store_abort(tx);
	return 0;
}

void __wrap_wal_announce(struct wal *w, bool data)
{
	__real_wal_announce(w, data && mistake != NO_DATA_FLUSH);
}

static const struct {
	const char *what;
	struct lies lies;
	enum mistake mistake;
} controls[] = {
	{ "a device that ignores FUA", { .fua = true }, NO_MISTAKE },
	{ "a device that ignores FLUSH", { .flush = true }, NO_MISTAKE },
	{ "blocks reused before the commit", { .fua = false }, REUSE_EARLY },
	{ "replies before the commit", { .fua = false }, REPLY_EARLY },
	{ "refusals before the commit", { .fua = false }, REFUSE_EARLY },
	{ "a log without FLUSH before it", { .fua = false }, NO_DATA_FLUSH },
};

int controls_command(char **argv)
{
	u32 passed = 0;

	for (u32 i = 0; i < ARRAY_SIZE(controls); i++) {
		bool noticed;

		mistake = controls[i].mistake;
		noticed = points_test(SEED, TRIES, controls[i].lies, 1);
		printf("%s: %s\n", controls[i].what,
		       noticed ? "noticed" : "NOT NOTICED");
		passed += !noticed;
	}
	printf("%zu controls, %u not noticed\n", ARRAY_SIZE(controls), passed);
	return passed ? 1 : 0;
}
