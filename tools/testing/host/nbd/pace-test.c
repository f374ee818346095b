// SPDX-License-Identifier: MIT
/*
 * Which requests are taken for brief or short ones after others have taken as long as here;
 * how many are left to others once a client did not wait for its answer; for how long the
 * next one is looked for after the last was waited for as long as here, and how many are not
 * once the processor was lost.
 */
#include <sched.h>
#include <stdio.h>

#include "pace.h"
#include "proto.h"
#include "spin.h"
#include "turns.h"

#define SECOND	1000000000ULL

static const struct request write = { .type = NBD_CMD_WRITE, .length = 4096 };
static const struct request flush = { .type = NBD_CMD_FLUSH };
static const struct request zeroes = { .type = NBD_CMD_WRITE_ZEROES, .length = 1 << 20 };

enum length {
	LONG,
	SHORT,
	BRIEF,
};

/* What happens on one connection, and what to expect then; averages by hand. */
static const struct step {
	const char		*what;
	const struct request	*done;
	unsigned int		times;
	u64			ns;	/* each time */
	enum length		write;
	enum length		flush;
} steps[] = {
	{ "nothing", NULL, 0, 0, BRIEF, BRIEF },
	{ "a slow write", &write, 1, SECOND, SHORT, BRIEF },	/* 30000 */
	{ "three quick ones", &write, 3, 0, SHORT, BRIEF },	/* 20098 */
	{ "a fourth", &write, 1, 0, BRIEF, BRIEF },		/* 17586 */
	{ "many", &write, 60, 0, BRIEF, BRIEF },		/* 10 */
	{ "a delay of a second", &write, 1, SECOND, BRIEF, BRIEF },	/* 12508 */
	{ "another", &write, 1, SECOND, SHORT, BRIEF },		/* 23444 */
	{ "many of 190 us", &write, 60, 190000, SHORT, BRIEF },	/* 189896 */
	{ "a delay after these", &write, 1, SECOND, LONG, BRIEF },	/* 213633 */
	{ "one more of 190 us", &write, 1, 190000, LONG, BRIEF },	/* 210679 */
	{ "fifteen slow ones", &write, 15, SECOND, LONG, BRIEF },	/* 374451 */
	{ "four quick ones", &write, 4, 0, LONG, BRIEF },	/* 219498 */
	{ "a fifth", &write, 1, 0, SHORT, BRIEF },		/* 192061 */
	{ "a slow flush", &flush, 1, SECOND, SHORT, SHORT },
	{ "slow flushes", &flush, 60, SECOND, SHORT, LONG },
	{ "quick flushes", &flush, 60, 0, SHORT, BRIEF },
	{ "1 MiB of zeroes", &zeroes, 1, SECOND, SHORT, BRIEF },
	{ "as much again", &zeroes, 1, SECOND, SHORT, LONG },
	{ "the flush of it", &flush, 1, 0, SHORT, BRIEF },
};

static const struct wait {
	u64		ns;
	unsigned int	limit;	/* then; by hand */
} waits[] = {
	{ SECOND, 0 },
	{ 120000, 200000 },	/* twice as long would be too long */
	{ SECOND, 100000 },
	{ 80000, 100000 },
	{ SECOND, 50000 },
	{ SECOND, 25000 },
	{ SECOND, 12500 },
	{ SECOND, 0 },		/* half of it is not worth it */
	{ 0, 0 },
	{ 1, 8000 },
	{ 5000, 8000 },
	{ 9000, 18000 },
	{ 200000, 200000 },
	{ 200001, 100000 },
};

/* Nothing comes while so many requests are carried out, and then something does. */
static const struct {
	unsigned int	waited;
	unsigned int	requests;	/* left to others then; by hand */
} habits[] = {
	{ 0, 1 }, { 0, 2 }, { 0, 4 }, { 0, 8 },
	{ 1, 8 },		/* 2 * (8 / 2) */
	{ 2, 4 },
	{ 3, 1 },		/* forgotten */
	{ 5, 1 },
	{ 0, 2 }, { 0, 4 }, { 0, 8 }, { 0, 16 }, { 0, 32 }, { 0, 64 }, { 0, 128 }, { 0, 256 },
	{ 0, 256 },
};

static int habits_differ(void)
{
	struct turns turns = { 0 };
	int wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(habits); i++) {
		unsigned int n;

		for (n = 0; n < habits[i].waited; n++)
			turns_note(&turns, false);
		turns_note(&turns, true);
		for (n = 0; !turns_taken(&turns); n++)
			;
		if (n == habits[i].requests && turns_taken(&turns))
			continue;
		fprintf(stderr, "habit %zu: %u requests, not %u\n", i, n,
			habits[i].requests);
		wrong = 1;
	}
	return wrong;
}

/* The processor is lost after so many requests that were looked for. */
static const struct {
	unsigned int	after;
	unsigned int	requests;	/* slept for then; by hand */
} rests[] = {
	{ 0, 32 },
	{ 0, 64 },
	{ 4, 120 },		/* 2 * (64 - 4) */
	{ 1000, 32 },		/* forgotten */
	{ 0, 64 }, { 0, 128 }, { 0, 256 }, { 0, 512 }, { 0, 1024 }, { 0, 2048 },
	{ 0, 4096 },
	{ 0, 4096 },
};

/* Who was slept for so often is looked for again, as it may be the sleep that takes long. */
static const struct {
	u64		ns;
	unsigned int	messages;	/* 0: however many */
} tries[] = {
	{ 200001, 64 },
	{ 400000, 64 },
	{ 400001, 0 },
};

static int tries_differ(void)
{
	int wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		struct spin spin = { 0 };
		unsigned int n;

		for (n = 0; n < 1000 && !spin_limit(&spin); n++)
			spin_note(&spin, tries[i].ns);
		if (spin_limit(&spin) == (tries[i].messages ? SPIN_MAX : 0) &&
		    (n == tries[i].messages || !tries[i].messages))
			continue;
		fprintf(stderr, "try %zu: limit %u after %u\n", i, spin_limit(&spin), n);
		wrong = 1;
	}
	return wrong;
}

static int waits_differ(void)
{
	struct spin spin = { 0 };
	int wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		spin_note(&spin, waits[i].ns);
		if (spin_limit(&spin) == waits[i].limit)
			continue;
		fprintf(stderr, "wait %zu: limit %u, not %u\n", i, spin_limit(&spin),
			waits[i].limit);
		wrong = 1;
	}
	return wrong;
}

/* How many quick requests come until the next one is looked for again. */
static unsigned int rest(struct spin *spin)
{
	unsigned int n;

	for (n = 0; !spin_limit(spin); n++)
		spin_note(spin, 1);
	return n;
}

static int rests_differ(void)
{
	struct spin spin = { 0 };
	int wrong = 0;

	spin_note(&spin, 1);
	for (size_t i = 0; i < ARRAY_SIZE(rests); i++) {
		unsigned int n, is;

		for (n = 0; n < rests[i].after; n++)
			spin_note(&spin, 1);
		spin_lost(&spin);
		is = rest(&spin);
		if (is == rests[i].requests)
			continue;
		fprintf(stderr, "loss %zu: %u requests, not %u\n", i, is,
			rests[i].requests);
		wrong = 1;
	}
	return wrong;
}

/* A message that comes at the @at-th look; 0: while one sleeps. */
struct message {
	unsigned int at;
	unsigned int looks;
	unsigned int sleeps;
};

static bool look(void *ctx)
{
	struct message *m = ctx;

	return ++m->looks == m->at;
}

static void sleep_for(void *ctx)
{
	struct message *m = ctx;

	m->sleeps++;
}

/* Strangers are not looked for; who has been quick is, and slept for if that was in vain. */
static int looks_differ(void)
{
	static const struct spin_wait wait = { .look = look, .sleep = sleep_for };
	struct message stranger = { .at = 1 }, quick = { .at = 2 }, late = { .at = 0 };
	struct spin spin = { 0 };

	spin_wait(&spin, &wait, &stranger);
	do {	/* the processor may be lost between two looks */
		spin = (struct spin){ .limit = SPIN_MAX, .processors = 2 };
		quick = (struct message){ .at = 2 };
		spin_wait(&spin, &wait, &quick);
	} while (quick.sleeps && quick.looks == 1);
	spin = (struct spin){ .limit = 1, .processors = 2 };
	spin_wait(&spin, &wait, &late);
	if (!stranger.looks && stranger.sleeps == 1 && quick.looks == 2 && late.looks &&
	    late.sleeps == 1)
		return 0;
	fprintf(stderr, "looks %u %u %u, sleeps %u %u %u\n", stranger.looks, quick.looks,
		late.looks, stranger.sleeps, quick.sleeps, late.sleeps);
	return 1;
}

/* Who has one processor sleeps at once, however quick the other is; who has more looks. */
static int lonely_differs(void)
{
	static const struct spin_wait wait = { .look = look, .sleep = sleep_for };
	struct spin lonely = { .limit = SPIN_MAX }, social = { .limit = SPIN_MAX };
	struct message first = { .at = 2 }, second = { .at = 2 };
	unsigned int cpu = 0;
	cpu_set_t all, one;
	bool more;

	if (sched_getaffinity(0, sizeof(all), &all))
		return 1;
	more = CPU_COUNT(&all) > 1;
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return 1;
	spin_wait(&lonely, &wait, &first);
	if (sched_setaffinity(0, sizeof(all), &all))
		return 1;
	spin_wait(&social, &wait, &second);
	if (!first.looks && first.sleeps == 1 && !!second.looks == more)
		return 0;
	fprintf(stderr, "on one of %d processors %u looks, %u sleeps; on all %u looks\n",
		CPU_COUNT(&all), first.looks, first.sleeps, second.looks);
	return 1;
}

static int differs(const char *when, const char *of, const struct pace *pace,
		   const struct request *r, enum length should)
{
	static const char *const names[] = { "long", "short", "brief" };
	enum length is = pace_brief(pace, r) ? BRIEF : pace_short(pace, r) ? SHORT : LONG;

	if (is == should)
		return 0;
	fprintf(stderr, "after %s, a %s is taken for %s\n", when, of, names[is]);
	return 1;
}

/* Processors lost in a row, after so many messages that came in time: three are forgiven. */
static const struct {
	unsigned int	messages;
	unsigned int	losses;
	unsigned int	requests;	/* slept for then; by hand */
} pardons[] = {
	{ 0, 3, 0 },
	{ 0, 1, 32 },
	{ 15, 1, 0 },		/* 48 - 15 + 16 */
	{ 0, 1, 34 },		/* 2 * (32 - 15) */
	{ 64, 3, 0 },
	{ 32, 2, 0 },		/* 16 + 32 */
	{ 0, 1, 32 },		/* the former ones are forgotten */
};

static int pardons_differ(void)
{
	struct spin spin = { .forgiven = 3 * SPIN_LOST };
	int wrong = 0;

	spin_note(&spin, 1);
	for (size_t i = 0; i < ARRAY_SIZE(pardons); i++) {
		unsigned int n, is;

		for (n = 0; n < pardons[i].messages; n++)
			spin_note(&spin, 1);
		for (n = 0; n < pardons[i].losses; n++)
			spin_lost(&spin);
		is = rest(&spin);
		if (is == pardons[i].requests)
			continue;
		fprintf(stderr, "pardon %zu: %u requests, not %u\n", i, is,
			pardons[i].requests);
		wrong = 1;
	}
	return wrong;
}

/* What may be looked for longer, or not so long. */
static const struct {
	unsigned int	max;
	u64		ns;
	unsigned int	limit;	/* then; by hand */
} longer[] = {
	{ 500000, 120000, 240000 },
	{ 500000, 300000, 500000 },
	{ 500000, 500000, 500000 },
	{ 500000, 500001, 0 },
	{ 100000, 60000, 100000 },
	{ 100000, 100001, 0 },
};

static int longer_differ(void)
{
	int wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(longer); i++) {
		struct spin spin = { .max = longer[i].max };

		spin_note(&spin, longer[i].ns);
		if (spin_limit(&spin) == longer[i].limit)
			continue;
		fprintf(stderr, "longer %zu: limit %u, not %u\n", i, spin_limit(&spin),
			longer[i].limit);
		wrong = 1;
	}
	return wrong;
}

int main(void)
{
	static const u16 never[] = { NBD_CMD_READ, NBD_CMD_TRIM, NBD_CMD_CACHE,
				     NBD_CMD_WRITE_ZEROES, NBD_CMD_BLOCK_STATUS };
	struct pace pace;
	int wrong = 0;

	pace_init(&pace);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		const struct step *s = &steps[i];

		for (unsigned int n = 0; n < s->times; n++)
			pace_note(&pace, s->done, s->ns);
		wrong |= differs(s->what, "write", &pace, &write, s->write);
		wrong |= differs(s->what, "flush", &pace, &flush, s->flush);
	}
	for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
		const struct request r = { .type = never[i], .length = 1 };

		wrong |= differs("all that", "command of another kind", &pace, &r, LONG);
	}
	wrong |= habits_differ();
	wrong |= waits_differ();
	wrong |= tries_differ();
	wrong |= rests_differ();
	wrong |= pardons_differ();
	wrong |= longer_differ();
	wrong |= looks_differ();
	wrong |= lonely_differs();
	return wrong;
}
