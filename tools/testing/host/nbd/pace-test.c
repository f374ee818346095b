// SPDX-License-Identifier: MIT
/*
 * Which requests are taken for brief ones after others have taken as long as here; for how
 * long the next one is looked for after the last was waited for as long as here, and how
 * many are not once the processor was lost.
 */
#include <stdio.h>

#include "pace.h"
#include "proto.h"
#include "spin.h"

#define SECOND	1000000000ULL

static const struct request write = { .type = NBD_CMD_WRITE, .length = 4096 };
static const struct request flush = { .type = NBD_CMD_FLUSH };
static const struct request zeroes = { .type = NBD_CMD_WRITE_ZEROES, .length = 1 << 20 };

/* What happens on one connection, and what is brief then; averages by hand. */
static const struct step {
	const char		*what;
	const struct request	*done;
	unsigned int		times;
	u64			ns;	/* each time */
	bool			write_is_brief;
	bool			flush_is_brief;
} steps[] = {
	{ "nothing", NULL, 0, 0, true, true },
	{ "a slow write", &write, 1, SECOND, false, true },	/* 30000 */
	{ "three quick ones", &write, 3, 0, false, true },	/* 20098 */
	{ "a fourth", &write, 1, 0, true, true },		/* 17586 */
	{ "many", &write, 60, 0, true, true },			/* 10 */
	{ "a delay of a second", &write, 1, SECOND, true, true },	/* 12508 */
	{ "another", &write, 1, SECOND, false, true },		/* 23444 */
	{ "a slow flush", &flush, 1, SECOND, false, false },
	{ "quick flushes", &flush, 60, 0, false, true },
	{ "1 MiB of zeroes", &zeroes, 1, SECOND, false, true },
	{ "as much again", &zeroes, 1, SECOND, false, false },
	{ "the flush of it", &flush, 1, 0, false, true },
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
		spin = (struct spin){ .limit = SPIN_MAX };
		quick = (struct message){ .at = 2 };
		spin_wait(&spin, &wait, &quick);
	} while (quick.sleeps && quick.looks == 1);
	spin = (struct spin){ .limit = 1 };
	spin_wait(&spin, &wait, &late);
	if (!stranger.looks && stranger.sleeps == 1 && quick.looks == 2 && late.looks &&
	    late.sleeps == 1)
		return 0;
	fprintf(stderr, "looks %u %u %u, sleeps %u %u %u\n", stranger.looks, quick.looks,
		late.looks, stranger.sleeps, quick.sleeps, late.sleeps);
	return 1;
}

static int differs(const char *when, const char *of, bool is, bool should)
{
	if (is == should)
		return 0;
	fprintf(stderr, "after %s, a %s is %staken for brief\n", when, of,
		is ? "" : "not ");
	return 1;
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
		wrong |= differs(s->what, "write", pace_brief(&pace, &write),
				 s->write_is_brief);
		wrong |= differs(s->what, "flush", pace_brief(&pace, &flush),
				 s->flush_is_brief);
	}
	for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
		const struct request r = { .type = never[i], .length = 1 };

		wrong |= differs("all that", "command of another kind",
				 pace_brief(&pace, &r), false);
	}
	wrong |= waits_differ();
	wrong |= tries_differ();
	wrong |= rests_differ();
	wrong |= looks_differ();
	return wrong;
}
