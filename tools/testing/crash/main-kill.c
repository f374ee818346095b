// SPDX-License-Identifier: MIT
/*
 * crash-kill: a writer to be killed, and who looks afterwards.  The steps follow
 * from the seed alone, so that both know what there should be.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ramnbd.h"
#include "sound.h"
#include "test.h"
#include "work.h"

#define THREADS		3u

/* What the writer's threads share; protected by the writer's lock of the store. */
struct writer {
	struct store *st;
	u32 vid;
	struct model m;
	u64 rng;
	u64 nr;
};

static void next_step(struct model *m, u64 *rng, struct step *s)
{
	u64 stamp = rng_next(rng);

	model_pick(m, rng, stamp, s);
}

/* One line in one write(2), so that a reader never sees half of it. */
static void say(char what, u64 nr)
{
	char line[32];
	int len = snprintf(line, sizeof(line), "%c %ju\n", what, (uintmax_t)nr);

	if (write(STDOUT_FILENO, line, (size_t)len) != len)
		exit(1);
}

/* A step, and which. */
struct attempt {
	struct writer *w;
	u64 nr;
};

static bool take_step(struct store_tx *tx, void *ctx)
{
	struct attempt *a = ctx;
	struct writer *w = a->w;
	struct step s;
	int ret;

	next_step(&w->m, &w->rng, &s);
	a->nr = ++w->nr;
	ret = work_step(tx, w->vid, &s);
	if (ret)
		die("cannot %s: %s", step_text(&s), strerror(-ret));
	say('b', a->nr);
	return true;
}

static int take_step_here(struct attempt *a)
{
	struct store_tx *tx;
	int ret = store_begin(a->w->st, &tx);

	if (ret)
		return ret;
	take_step(tx, a);
	return store_commit(tx);
}

/* By turns in a transaction of its own, and in whichever thread has the store. */
static void *write_on(void *arg)
{
	struct attempt a = { .w = arg };

	for (unsigned int i = 1;; i++) {
		int ret = i % 4 ? store_change(a.w->st, take_step, &a) :
				  take_step_here(&a);

		if (ret)
			die("cannot commit: %s", strerror(-ret));
		say('a', a.nr);
	}
	return NULL;
}

static struct store *open_or_die(const char *uri)
{
	struct errbuf err = { "" };
	struct store *st = work_open(uri, &err);

	if (!st)
		die("open: %s", err.text);
	return st;
}

/* write URI SEED FROM: go on behind step FROM until killed */
static int write_command(char **argv)
{
	u64 from = strtoull(argv[2], NULL, 10);
	struct writer w = { .rng = strtoull(argv[1], NULL, 10) };
	pthread_t thread[THREADS];
	struct step s;

	model_init(&w.m);
	for (; w.nr < from; w.nr++)
		next_step(&w.m, &w.rng, &s);
	w.st = open_or_die(argv[0]);
	w.vid = work_volume(w.st);
	for (u32 i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, write_on, &w))
			die("no thread");
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

static bool shows(const struct model *m, const char *shown)
{
	char *text = model_text(m);
	bool same = !strcmp(text, shown);

	free(text);
	return same;
}

/* verify URI SEED LOW HIGH: which step the store shows */
static int verify_command(char **argv)
{
	u64 rng = strtoull(argv[1], NULL, 10);
	u64 low = strtoull(argv[2], NULL, 10);
	u64 high = strtoull(argv[3], NULL, 10);
	struct store *st = open_or_die(argv[0]);
	char *shown;
	struct model m;
	struct step s;
	int err;
	u64 nr = 0;

	shown = work_text(st, &err);
	if (!shown)
		die("cannot be read: %s", strerror(-err));
	if (check_store(st) || work_collect(st) || check_store(st))
		die("the store is damaged");
	model_init(&m);
	for (; nr < low; nr++)
		next_step(&m, &rng, &s);
	for (; !shows(&m, shown); nr++) {
		if (nr == high)
			die("shows none of %ju to %ju, but:\n%s",
			    (uintmax_t)low, (uintmax_t)high, shown);
		next_step(&m, &rng, &s);
	}
	free(shown);
	model_free(&m);
	printf("%ju\n", (uintmax_t)nr);
	return store_close(st) ? 1 : 0;
}

/* format URI: begin at step 0 */
static int format_command(char **argv)
{
	work_format(argv[0]);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct command list[] = {
		{ "format", format_command, 1, "URI" },
		{ "write", write_command, 3, "URI SEED FROM" },
		{ "verify", verify_command, 4, "URI SEED LOW HIGH" },
		{ .name = NULL },
	};

	return commands_run(list, argc, argv);
}
