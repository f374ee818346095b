// SPDX-License-Identifier: MIT
/* Commands that verify: check, scrub. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "size.h"
#include "volcmd_priv.h"

#define STEP_KIB	4096u	/* read by scrub between two looks at the clock */

static void put_problem(void *ctx, const char *problem)
{
	fprintf(ctx, "%s\n", problem);
}

static int judge(const struct volcmd *c, u64 problems)
{
	if (problems) {
		fprintf(c->io->out, "problems found: %ju\n",
			(uintmax_t)problems);
		return VOLCMD_PROBLEMS;
	}
	fprintf(c->io->out, "no problems found\n");
	return VOLCMD_OK;
}

/* Mend, and free what that made superfluous. */
static int repair(const struct volcmd *c, unsigned int flags)
{
	int ret = store_check(c->st, flags | STORE_CHECK_REPAIR, put_problem,
			      c->io->out);

	if (ret <= 0)
		return ret;
	fprintf(c->io->out, "checking again\n");
	return volcmd_collect(c);
}

int volcmd_check(struct volcmd *c)
{
	unsigned int flags = volcmd_option(c, "data") ? STORE_CHECK_DATA : 0;
	int ret = 0;

	if (volcmd_option(c, "repair"))
		ret = repair(c, flags);
	if (!ret)
		ret = store_check(c->st, flags, put_problem, c->io->out);
	if (ret < 0)
		return volcmd_fail(c, ret, "the check cannot go on");
	return judge(c, (u64)ret);
}

/* ---- scrub ------------------------------------------------------------------- */

/* Wait until reading @kib since @start is not too fast for @rate KiB a second. */
static void hold_back(u64 kib, u64 rate, s64 start)
{
	s64 early = start + (s64)(kib * 1000 / rate) - clock_mono_ms();
	struct timespec pause;

	if (early <= 0)
		return;
	pause = (struct timespec){ early / 1000, early % 1000 * 1000000 };
	nanosleep(&pause, NULL);
}

static int read_all(const struct volcmd *c, struct store_scrub *s, u64 rate)
{
	u64 step = rate && rate < STEP_KIB ? rate : STEP_KIB;
	s64 start = clock_mono_ms(), told = start;
	int ret;

	while ((ret = store_scrub(c->st, s, step, put_problem, c->io->out)) > 0) {
		if (volcmd_stopped(c))
			return -ECANCELED;
		if (clock_mono_ms() - told >= 1000) {
			told = clock_mono_ms();
			fprintf(c->io->err, "scrub: %ju MiB read, %ju%%\n",
				(uintmax_t)s->kib >> 10,
				(uintmax_t)(s->after * 100 / s->last));
		}
		if (rate)
			hold_back(s->kib, rate, start);
	}
	return ret;
}

static int parse_rate(const struct volcmd *c, u64 *bytes)
{
	const char *rate = volcmd_option(c, "rate");

	*bytes = 0;
	if (rate && (size_parse(rate, 1024, bytes) || *bytes < 1024))
		return volcmd_misuse(c, "--rate '%s' is not a size from 1K (a second)",
				     rate);
	return VOLCMD_OK;
}

int volcmd_vet_scrub(const struct volcmd *c)
{
	u64 bytes;

	return parse_rate(c, &bytes);
}

int volcmd_scrub(struct volcmd *c)
{
	struct store_scrub s = { .after = 0 };
	u64 bytes;
	int ret;

	if (parse_rate(c, &bytes))
		return VOLCMD_USAGE;
	ret = read_all(c, &s, bytes / 1024);
	if (ret)
		return volcmd_fail(c, ret, "after %ju MiB",
				   (uintmax_t)s.kib >> 10);
	fprintf(c->io->out, "%ju KiB read\n", (uintmax_t)s.kib);
	return judge(c, s.problems);
}
