// SPDX-License-Identifier: MIT
#include "spin.h"

#include <sched.h>

#include "clock.h"

#define SPIN_FIRST	8000u	/* ns, of who has been quick once */
#define REST_FIRST	32u	/* requests */
#define REST_MAX	4096u
#define TRY_BELOW	2u	/* times the longest look, most of which may be to be woken */
#define TRY_EVERY	64u	/* messages that were slept for */

static unsigned int longest(const struct spin *spin)
{
	return spin->max ? : SPIN_MAX;
}

unsigned int spin_limit(const struct spin *spin)
{
	return spin->rest ? 0 : spin->limit;
}

static void take_one(atomic_uint *n)
{
	unsigned int old = *n;

	if (old)
		*n = old - 1;
}

/* What is slept for takes longer, just for that: look for it again now and then. */
static void try_again(struct spin *spin, u64 ns)
{
	if (spin->limit || ns > TRY_BELOW * longest(spin))
		spin->slept = 0;
	else if (++spin->slept == TRY_EVERY)
		spin->limit = longest(spin);
}

void spin_note(struct spin *spin, u64 ns)
{
	unsigned int limit = spin->limit;

	if (spin->rest) {
		take_one(&spin->rest);
		return;
	}
	take_one(&spin->penalty);
	take_one(&spin->lost);
	if (ns > longest(spin))
		limit /= 2;
	else if (ns > limit)
		limit = (unsigned int)clamp_u64(2 * ns, SPIN_FIRST, longest(spin));
	spin->limit = limit < SPIN_FIRST ? 0 : limit;
	try_again(spin, ns);
}

void spin_lost(struct spin *spin)
{
	unsigned int penalty;

	if (spin->lost < spin->forgiven) {
		spin->lost += SPIN_LOST;
		return;
	}
	penalty = (unsigned int)clamp_u64(2 * spin->penalty, REST_FIRST, REST_MAX);
	spin->penalty = penalty;
	spin->rest = penalty;
}

static bool look(struct spin *spin, const struct spin_wait *wait, void *ctx,
		 u64 start, unsigned int limit)
{
	u64 last = start, now;
	bool come;

	for (;;) {
		come = wait->look(ctx);
		now = clock_mono_ns();
		if (now - last > SPIN_MAX)
			spin_lost(spin);
		if (come || now - start >= limit)
			return come;
		last = now;
		sched_yield();
	}
}

/*
 * What is waited for cannot happen on the only processor while that is used to look for it.
 * The call fails where there are more of them than a set has room for.
 */
static bool has_others(struct spin *spin)
{
	cpu_set_t set;

	if (!spin->processors)
		spin->processors = sched_getaffinity(0, sizeof(set), &set) ?
			CPU_SETSIZE : (unsigned int)CPU_COUNT(&set);
	return spin->processors != 1;
}

void spin_wait(struct spin *spin, const struct spin_wait *wait, void *ctx)
{
	unsigned int limit = has_others(spin) ? spin_limit(spin) : 0;
	u64 start = clock_mono_ns();

	if (!limit || !look(spin, wait, ctx, start, limit))
		wait->sleep(ctx);
	spin_note(spin, clock_mono_ns() - start);
}
