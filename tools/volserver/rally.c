// SPDX-License-Identifier: MIT
#include "rally.h"

#include "clock.h"

#define REST_MAX	64u	/* writes */

/* Who asks first waits from then on. */
static s64 begin(struct rally *r, s64 now)
{
	long long since = 0;

	if (!atomic_compare_exchange_strong(&r->since, &since, now))
		return since;
	atomic_store(&r->latest, now);
	return now;
}

/* Who comes while the log is written is none of those it is written for. */
void rally_come(struct rally *r, bool busy)
{
	s64 now;

	if (busy || atomic_load(&r->missing) <= 0)
		return;
	atomic_fetch_sub(&r->missing, 1);
	now = clock_mono_ns();
	begin(r, now);
	atomic_store(&r->latest, now);
}

unsigned int rally_patience(struct rally *r)
{
	s64 now, end, gap;

	if (atomic_load(&r->missing) <= 0)
		return 0;
	now = clock_mono_ns();
	gap = RALLY_GAP((s64)atomic_load(&r->took));
	end = begin(r, now) + RALLY_GAPS * gap;
	end = min(end, (s64)atomic_load(&r->latest) + gap);
	return end > now ? (unsigned int)(end - now) : 0;
}

/* Some were waited for in vain: each time in a row, twice as many writes wait for nobody. */
static void learn(struct rally *r)
{
	if (r->rest) {
		r->rest--;
	} else if (atomic_load(&r->missing) > 0) {
		r->penalty = (unsigned int)clamp_u64(2 * r->penalty, 1, REST_MAX);
		r->rest = r->penalty;
	} else {
		r->penalty /= 2;
	}
}

void rally_end(struct rally *r, unsigned int nr)
{
	bool wait;

	learn(r);
	wait = !r->rest && nr > 1 && atomic_load(&r->took) >= RALLY_WRITE_MIN;
	atomic_store(&r->missing, wait ? (int)nr : 0);
	atomic_store(&r->since, 0);
}

void rally_over(struct rally *r, s64 took)
{
	s64 before = atomic_load(&r->took);

	if (before)
		took = before + (took - before) / RALLY_SMOOTH;
	atomic_store(&r->took, took);
}

bool rally_is_quick(const struct rally *r)
{
	s64 took = atomic_load(&r->took);

	return took && took < RALLY_QUICK;
}
