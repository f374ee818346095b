// SPDX-License-Identifier: MIT
#include "spin.h"

#include <sched.h>

#include "clock.h"

#define SPIN_FIRST	8000u	/* ns, of who has been quick once */
#define REST_FIRST	32u	/* requests */
#define REST_MAX	4096u
#define TRY_BELOW	(2 * SPIN_MAX)	/* ns, most of which may be to be woken */
#define TRY_EVERY	64u	/* messages that were slept for */

unsigned int spin_limit(const struct spin *spin)
{
	return spin->rest ? 0 : spin->limit;
}

/* What is slept for takes longer, just for that: look for it again now and then. */
static void try_again(struct spin *spin, u64 ns)
{
	if (spin->limit || ns > TRY_BELOW)
		spin->slept = 0;
	else if (++spin->slept == TRY_EVERY)
		spin->limit = SPIN_MAX;
}

void spin_note(struct spin *spin, u64 ns)
{
	if (spin->rest) {
		spin->rest--;
		return;
	}
	if (spin->penalty)
		spin->penalty--;
	if (ns > SPIN_MAX)
		spin->limit /= 2;
	else if (ns > spin->limit)
		spin->limit = (unsigned int)clamp_u64(2 * ns, SPIN_FIRST, SPIN_MAX);
	if (spin->limit < SPIN_FIRST)
		spin->limit = 0;
	try_again(spin, ns);
}

void spin_lost(struct spin *spin)
{
	spin->penalty = (unsigned int)clamp_u64(2 * spin->penalty, REST_FIRST, REST_MAX);
	spin->rest = spin->penalty;
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

void spin_wait(struct spin *spin, const struct spin_wait *wait, void *ctx)
{
	unsigned int limit = spin_limit(spin);
	u64 start = clock_mono_ns();

	if (!limit || !look(spin, wait, ctx, start, limit))
		wait->sleep(ctx);
	spin_note(spin, clock_mono_ns() - start);
}
