// SPDX-License-Identifier: MIT
/*
 * crash-ram faults SEED RUNS: a store is opened, changed and closed again and
 * again, and each time the next one of its requests goes wrong, in each way.
 *
 * A transaction that failed has not happened, unless the store stopped; then
 * it is read-only and shows what was acknowledged.  A lost connection is not
 * noticed at all.  In the end the power fails as well.
 */
#include "faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "image.h"
#include "judge.h"
#include "test.h"

#define SIZE		(16u << 20)
#define STEPS_BEFORE	28u	/* their log is there when the store is opened */
#define STEPS_RUN	14u

/* What all runs of a seed have in common. */
struct plan {
	struct image start;
	struct history h;
	struct step step[STEPS_RUN];
	u64 rng;
};

/* One run; @done steps were acknowledged, and the next may have happened. */
struct trial {
	const struct plan *plan;
	struct ramdev dev;
	struct image im;
	struct store *st;
	u32 vid;
	u32 done;
	bool unsure;
	bool quiet;	/* nothing may fail */
};

static const char *const fault_names[RAM_FAULTS] = {
	[RAM_GOOD] = "none",
	[RAM_EIO] = "EIO",
	[RAM_ENOSPC] = "ENOSPC",
	[RAM_SHORT] = "a part, then EIO",
	[RAM_BROKEN] = "EIO from then on",
	[RAM_DISCONNECT] = "a lost connection",
	[RAM_CRASH] = "a crash of the server",
};

/* ---- the plan ------------------------------------------------------------------- */

static void make_plan(struct plan *p, u64 seed)
{
	u8 *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct errbuf err = { "" };
	struct ramdev d;
	struct model m;
	struct store *st;
	struct step s;

	if (mem == MAP_FAILED)
		die("out of memory");
	p->rng = seed;
	ramdev_init(&d, mem, SIZE, seed);
	ramdev_serve(&d);
	work_format(RAM_URI);
	model_init(&m);
	st = work_open(RAM_URI, &err);
	for (u32 i = 0; st && i < STEPS_BEFORE; i++) {
		model_pick(&m, &p->rng, i, &s);
		if (work_commit(st, work_volume(st), &s))
			die("%s failed", step_text(&s));
	}
	image_init(&p->start, mem, SIZE);
	if (!st || store_close(st))
		die("no store: %s", err.text);
	history_init(&p->h, &m);
	for (u32 i = 0; i < STEPS_RUN; i++) {
		model_pick(&m, &p->rng, STEPS_BEFORE + i, &p->step[i]);
		history_add(&p->h, &m, 0);
	}
	model_free(&m);
	munmap(mem, SIZE);
}

static void free_plan(struct plan *p)
{
	image_free(&p->start);
	history_free(&p->h);
}

/* ---- one run ---------------------------------------------------------------------- */

/* The server dies, and with it what it had not made durable. */
static void lose(struct ramdev *d)
{
	struct trial *t = container_of(d, struct trial, dev);
	u8 *view;

	image_advance(&t->im, d, d->clock);
	view = image_view(&t->im);
	image_lose(&t->im, d, d->clock, LOSE_SOME, &d->rng, view);
	memcpy(d->mem, view, SIZE);
	image_unview(&t->im, view);
	image_reset(&t->im, d->mem);
	ramdev_forget(d);
}

static bool wrong(const struct trial *t, const char *what, int err)
{
	printf("step %u: %s: %s\n", t->done, what, strerror(-err));
	return false;
}

static int stopped(struct store *st)
{
	struct store_info info;

	if (store_info(st, &info) && store_info(st, &info))
		return -EIO;
	return info.failed;
}

/* What the store shows is what was acknowledged.  One read may fail. */
static bool look(struct trial *t)
{
	int err, found;
	char *text = work_text(t->st, &err);

	if (!text && t->quiet)
		return wrong(t, "reading", err);
	if (!text)
		text = work_text(t->st, &err);
	if (!text)
		return wrong(t, "reading again", err);
	found = history_find(&t->plan->h, text, t->done, t->done);
	free(text);
	return found >= 0;
}

/* A step failed: all of it, and the store says whether it goes on. */
static bool look_after_failure(struct trial *t, const struct step *s, int err)
{
	int why = stopped(t->st);

	if (t->quiet)
		return wrong(t, step_text(s), err);
	if (!look(t))
		return false;
	if (!why)
		return true;
	t->unsure = true;
	err = work_commit(t->st, t->vid, s);
	return err == -EROFS ? true : wrong(t, "changing a stopped store", err);
}

/* Carry out the steps; false when something is wrong. */
static bool run_steps(struct trial *t)
{
	u32 failures = 0;

	while (t->done < STEPS_RUN && failures < 3) {
		const struct step *s = &t->plan->step[t->done];
		int ret = work_commit(t->st, t->vid, s);

		if (!ret) {
			t->done++;
			continue;
		}
		failures++;
		if (!look_after_failure(t, s, ret))
			return false;
		if (t->unsure)
			return true;
	}
	if (failures == 3 && t->dev.fault != RAM_BROKEN)
		return wrong(t, "too many failures", -EIO);
	return look(t);
}

static bool run_store(struct trial *t)
{
	struct errbuf err = { "" };
	bool good;
	int ret;

	t->st = work_open(RAM_URI, &err);
	if (!t->st) {
		if (!t->quiet && *err.text)
			return true;
		printf("does not open: %s\n", err.text);
		return false;
	}
	t->vid = work_volume(t->st);
	if (!t->vid)
		t->vid = work_volume(t->st);
	good = run_steps(t);
	ret = t->unsure ? 0 : work_collect(t->st);
	if (good && t->quiet && ret)
		good = wrong(t, "collecting", ret);
	ret = store_close(t->st);
	if (good && t->quiet && ret)
		good = wrong(t, "closing", ret);
	return good;
}

/* Without the fault, after a loss of power on top of it. */
static bool look_later(struct trial *t, u64 *rng)
{
	enum loss way = rng_below(rng, LOSE_WAYS);
	u64 now = ramdev_now(&t->dev);
	struct ramdev d;
	u8 *view;
	bool good;

	image_advance(&t->im, &t->dev, now);
	view = image_view(&t->im);
	image_lose(&t->im, &t->dev, now, way, rng, view);
	ramdev_init(&d, view, SIZE, 0);
	good = judge(&d, &t->plan->h, t->done, t->done + t->unsure, true) >= 0;
	image_unview(&t->im, view);
	return good;
}

/* Return: requests sent, or 0 when something was wrong. */
static u64 run_trial(struct plan *p, enum ram_fault fault, u64 at)
{
	u8 *mem = image_view(&p->start);
	struct trial t = { .plan = p };
	bool good;

	ramdev_init(&t.dev, mem, SIZE, at);
	t.dev.record = true;
	t.dev.fault = fault;
	t.dev.fault_at = at;
	t.dev.lose = lose;
	t.quiet = fault == RAM_GOOD || fault >= RAM_DISCONNECT;
	ramdev_serve(&t.dev);
	image_init(&t.im, mem, SIZE);
	good = run_store(&t) && look_later(&t, &p->rng);
	if (!good)
		printf("with request %ju of %ju: %s\n", (uintmax_t)at,
		       (uintmax_t)t.dev.requests, fault_names[fault]);
	ramdev_forget(&t.dev);
	image_free(&t.im);
	image_unview(&p->start, mem);
	return good ? t.dev.requests : 0;
}

static u32 run_faults(struct plan *p, enum ram_fault fault, u32 *bad)
{
	u64 requests = 1;
	u32 n;

	/* a failure may make the rest shorter: go on until it never comes */
	for (n = 1; n <= requests; n++) {
		u64 seen = run_trial(p, fault, n);

		if (!seen) {
			++*bad;
			seen = requests;
		}
		requests = max(requests, seen);
	}
	return n - 1;
}

int faults_command(char **argv)
{
	u64 seed = strtoull(argv[0], NULL, 10);
	u32 runs = (u32)strtoul(argv[1], NULL, 10);
	u32 trials = 0, bad = 0;

	for (u32 i = 0; i < runs; i++) {
		struct plan p;

		make_plan(&p, seed + i);
		if (!run_trial(&p, RAM_GOOD, 0))
			die("it does not even work without a fault");
		for (enum ram_fault f = RAM_GOOD + 1; f < RAM_FAULTS; f++)
			trials += run_faults(&p, f, &bad);
		free_plan(&p);
	}
	printf("%u faults, %u with a wrong outcome\n", trials, bad);
	return bad ? 1 : 0;
}
