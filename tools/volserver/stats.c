// SPDX-License-Identifier: MIT
#include <stdatomic.h>
#include <stdlib.h>

#include "afsxd.h"
#include "callback.h"
#include "clock.h"
#include "defs.h"
#include "host.h"
#include "lock.h"
#include "stats.h"

/* Powers of two in microseconds: the last one is a quarter of an hour. */
#define BUCKETS		30

/* What one RPC has taken. */
struct tally {
	atomic_ullong calls;
	atomic_ullong errors;
	atomic_ullong total_us;
	atomic_ullong max_us;
	atomic_ullong bucket[BUCKETS];	/* calls below 2^index microseconds */
};

struct stats {
	u64 started;			/* monotonic microseconds */
	atomic_ullong active;
	atomic_ullong fetched;
	atomic_ullong stored;
	struct tally tally[AFSX_RPC_COUNT];
};

/** stats_new() - start counting; NULL without memory */
struct stats *stats_new(void)
{
	struct stats *stats = calloc(1, sizeof(*stats));

	if (stats)
		stats->started = clock_mono_us();
	return stats;
}

/** stats_free() - @stats may be NULL */
void stats_free(struct stats *stats)
{
	free(stats);
}

/**
 * stats_begin() - a call begins
 * @stats: counters
 *
 * Return: when, for stats_end().
 */
u64 stats_begin(struct stats *stats)
{
	atomic_fetch_add(&stats->active, 1);
	return clock_mono_us();
}

static unsigned int bucket_of(u64 us)
{
	unsigned int n = 0;

	while (us >> n && n < BUCKETS - 1)
		n++;
	return n;
}

static void raise_to(atomic_ullong *max, unsigned long long n)
{
	unsigned long long old = atomic_load(max);

	while (old < n && !atomic_compare_exchange_weak(max, &old, n))
		;
}

/**
 * stats_end() - a call has been served
 * @stats: counters
 * @rpc: its row
 * @begun: what stats_begin() returned
 * @code: how it ended; 0 is well
 */
void stats_end(struct stats *stats, const struct afsx_rpc *rpc, u64 begun,
	       s32 code)
{
	struct tally *t = &stats->tally[afsx_rpc_id_of(rpc)];
	u64 us = clock_mono_us() - begun;

	atomic_fetch_sub(&stats->active, 1);
	atomic_fetch_add(&t->calls, 1);
	if (code)
		atomic_fetch_add(&t->errors, 1);
	atomic_fetch_add(&t->total_us, us);
	atomic_fetch_add(&t->bucket[bucket_of(us)], 1);
	raise_to(&t->max_us, us);
}

/** stats_fetched() - file data were sent to a client */
void stats_fetched(struct stats *stats, u64 bytes)
{
	atomic_fetch_add(&stats->fetched, bytes);
}

/** stats_stored() - file data were taken from a client */
void stats_stored(struct stats *stats, u64 bytes)
{
	atomic_fetch_add(&stats->stored, bytes);
}

static void put(FILE *out, const char *what, u64 n, const char *unit)
{
	fprintf(out, "%-20s %llu%s%s\n", what, n, *unit ? " " : "",
		unit);
}

/* Microseconds that @share percent of the calls stay below. */
static u64 percentile(struct tally *t, u64 calls, unsigned int share)
{
	u64 seen = 0;
	unsigned int n = 0;

	while (n < BUCKETS - 1) {
		seen += atomic_load(&t->bucket[n]);
		if (seen * 100 >= calls * share)
			break;
		n++;
	}
	return min((u64)1 << n, atomic_load(&t->max_us));
}

static void print_tally(struct tally *t, const char *name, FILE *out)
{
	u64 calls = atomic_load(&t->calls);

	if (!calls)
		return;
	fprintf(out, "%-24s %12llu %10llu %10llu %10llu %10llu %10llu\n",
		name, calls, atomic_load(&t->errors),
		atomic_load(&t->total_us) / calls, percentile(t, calls, 50),
		percentile(t, calls, 99), atomic_load(&t->max_us));
}

static void print_calls(struct stats *stats, FILE *out)
{
	enum afsx_rpc_id id;

	fprintf(out, "%-24s %12s %10s %10s %10s %10s %10s\n", "call", "served",
		"errors", "mean us", "50 % us", "99 % us", "most us");
	for (id = 0; id < AFSX_RPC_COUNT; id++)
		print_tally(&stats->tally[id], afsx_rpc(id)->name, out);
}

static void print_clients(const struct afsxd *d, FILE *out)
{
	struct callbacks_stats cbs;
	struct hosts_stats hosts;

	hosts_stats(d->hosts, &hosts);
	put(out, "clients", hosts.count, "");
	put(out, "clients up", hosts.up, "");
	put(out, "calls waiting", hosts.waiting, "");
	put(out, "calls put off", hosts.refused, "");
	callbacks_stats(d->callbacks, &cbs);
	put(out, "promises", cbs.count, "");
	put(out, "promises made", cbs.made, "");
	put(out, "promises broken", cbs.broken, "");
	put(out, "promises given up", cbs.given_up, "");
	put(out, "promises expired", cbs.expired, "");
	put(out, "callbacks sent", cbs.sent, "");
	put(out, "callbacks unheard", cbs.failed, "");
	put(out, "files locked", locks_number(d->locks), "");
}

/**
 * stats_print() - everything, as lines of a name and a value, then a table
 * @ctx: struct afsxd
 * @out: where to
 */
void stats_print(void *ctx, FILE *out)
{
	const struct afsxd *d = ctx;
	struct stats *stats = d->stats;

	put(out, "up for", (clock_mono_us() - stats->started) / 1000000, "s");
	put(out, "calls in progress", atomic_load(&stats->active), "");
	put(out, "data fetched", atomic_load(&stats->fetched), "bytes");
	put(out, "data stored", atomic_load(&stats->stored), "bytes");
	print_clients(d, out);
	print_calls(stats, out);
}
