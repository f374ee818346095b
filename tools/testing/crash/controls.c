// SPDX-License-Identifier: MIT
/*
 * crash-ram controls: devices that lie and stores with a mistake.  The judge
 * must notice each of them; a test that would let one pass proves nothing.
 *
 * The mistakes are made here, around functions of the store that the linker
 * was told to --wrap.
 */
#include "controls.h"

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

int __wrap_alloc_retire(struct alloc *a, const struct alloc_run *run,
			u64 ticket)
{
	if (mistake != REUSE_EARLY)
		return __real_alloc_retire(a, run, ticket);
	reusable = run->start;
	alloc_release(a, run);
	return 0;
}

int __wrap_wal_wait(struct wal *w, u64 ticket)
{
	return mistake == REPLY_EARLY ? 0 : __real_wal_wait(w, ticket);
}

int __wrap_wal_barrier(struct wal *w, unsigned int losses)
{
	return mistake == REFUSE_EARLY ? 0 : __real_wal_barrier(w, losses);
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
