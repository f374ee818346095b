// SPDX-License-Identifier: MIT
/*
 * crash-ram sequences LENGTH STRIDE: every sequence of up to LENGTH of the
 * twelve operations, each with the same arguments, so that they meet: what one
 * writes another overwrites, renames or removes.  Of the sequences of the full
 * LENGTH every STRIDEth is taken.
 *
 * The power fails at every request that makes something durable, before and
 * after it has.  What the steps before the last one do was seen in the shorter
 * sequences, so only the last step counts, and, while the sequences are short,
 * closing the store.
 */
#include "sequences.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "image.h"
#include "judge.h"
#include "test.h"

#define SIZE		(16u << 20)
#define LENGTH_MAX	4u
#define CLOSE_UP_TO	2u	/* steps of sequences that are closed */

/* What there is before. */
static const struct step before[] = {
	{ .op = STEP_MKDIR, .a = "d", .mode = 0755 },
	{ .op = STEP_CREATE, .a = "d/f", .mode = 0644 },
	{ .op = STEP_APPEND, .a = "d/f", .len = 20000, .stamp = 1 },
	{ .op = STEP_CLONE, .type = AFSX_VOL_BACKUP },
	{ .op = STEP_CREATE, .a = "f", .mode = 0600 },
	{ .op = STEP_APPEND, .a = "f", .len = 100000, .stamp = 2 },
	{ .op = STEP_CLONE, .type = AFSX_VOL_RO },
};

static const struct step alphabet[STEPS] = {
	{ .op = STEP_CREATE, .a = "d/new", .mode = 0640 },
	{ .op = STEP_MKDIR, .a = "e", .mode = 0711 },
	{ .op = STEP_SYMLINK, .a = "s", .b = "no/where" },
	{ .op = STEP_LINK, .a = "g", .b = "d/f" },
	{ .op = STEP_APPEND, .a = "d/f", .len = 5000, .stamp = 3 },
	{ .op = STEP_OVERWRITE, .a = "f", .off = 3000, .len = 9000, .stamp = 4 },
	{ .op = STEP_TRUNCATE, .a = "f", .len = 4097 },
	{ .op = STEP_RENAME, .a = "d/f", .b = "f" },
	{ .op = STEP_REMOVE, .a = "f" },
	{ .op = STEP_ATTR, .a = "d", .b = "system:anyuser rl", .mode = 0700 },
	{ .op = STEP_CLONE, .type = AFSX_VOL_RO },
	{ .op = STEP_VOLUME },
};

struct total {
	u32 sequences;
	u32 points;
	u32 bad;
	u64 rng;
};

/* A recorded sequence; the failures are between @from and @to. */
struct sequence {
	u32 len;
	u32 op[LENGTH_MAX];
	struct ramdev dev;
	struct image im;
	struct history h;
	u64 from;
	u64 to;
};

static struct image start;

static void make_start(void)
{
	u8 *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct errbuf err = { "" };
	struct ramdev d;
	struct store *st;

	if (mem == MAP_FAILED)
		die("out of memory");
	ramdev_init(&d, mem, SIZE, 1);
	ramdev_serve(&d);
	work_format(RAM_URI);
	st = work_open(RAM_URI, &err);
	for (u32 i = 0; st && i < ARRAY_SIZE(before); i++)
		if (work_commit(st, work_volume(st), &before[i]))
			die("%s failed", step_text(&before[i]));
	if (!st || store_close(st))
		die("no store: %s", err.text);
	image_init(&start, mem, SIZE);
	munmap(mem, SIZE);
}

static void carry_out(struct sequence *s, struct store *st, struct model *m,
		      const struct step *step)
{
	u64 begun = ramdev_now(&s->dev);
	int right = model_step(m, step);
	int ret;

	if (!right)
		history_add(&s->h, m, begun);
	ret = work_commit(st, work_volume(st), step);
	if (!ret != !right)
		die("%s: %s", step_text(step), strerror(-ret));
	if (!ret)
		s->h.acked[s->h.nr - 1] = ramdev_now(&s->dev);
}

static void record_sequence(struct sequence *s, u8 *mem)
{
	struct errbuf err = { "" };
	struct store *st;
	struct model m;

	model_init(&m);
	for (u32 i = 0; i < ARRAY_SIZE(before); i++)
		model_step(&m, &before[i]);
	history_init(&s->h, &m);
	ramdev_init(&s->dev, mem, SIZE, s->len);
	ramdev_serve(&s->dev);
	s->dev.record = true;
	st = work_open(RAM_URI, &err);
	if (!st)
		die("open: %s", err.text);
	for (u32 i = 0; i < s->len; i++) {
		s->from = ramdev_now(&s->dev);
		carry_out(s, st, &m, &alphabet[s->op[i]]);
	}
	s->to = ramdev_now(&s->dev);
	if (store_close(st))
		die("the store cannot be closed");
	if (s->len <= CLOSE_UP_TO)
		s->to = ramdev_now(&s->dev);
	model_free(&m);
}

static void fail_at(struct sequence *s, u64 when, enum loss way,
		    struct total *t)
{
	struct ramdev d;
	u32 low, high;
	u8 *view;

	image_advance(&s->im, &s->dev, when);
	view = image_view(&s->im);
	image_lose(&s->im, &s->dev, when, way, &t->rng, view);
	ramdev_init(&d, view, SIZE, 0);
	history_range(&s->h, when, &low, &high);
	t->points++;
	if (judge(&d, &s->h, low, high, false) < 0) {
		t->bad++;
		for (u32 i = 0; i < s->len; i++)
			printf("%s; ", step_text(&alphabet[s->op[i]]));
		printf("failure at %ju of %ju to %ju, way %d\n",
		       (uintmax_t)when, (uintmax_t)s->from, (uintmax_t)s->to,
		       way);
	}
	image_unview(&s->im, view);
}

static void run_sequence(struct sequence *s, struct total *t)
{
	u8 *mem = image_view(&start);

	t->sequences++;
	record_sequence(s, mem);
	image_init(&s->im, start.mem, SIZE);
	for (u32 i = 0; i < s->dev.nr; i++) {
		const struct ram_req *r = s->dev.req[i];

		if ((!r->fua && r->op != RAM_FLUSH) || r->sent < s->from ||
		    r->answered >= s->to)
			continue;
		fail_at(s, r->answered, LOSE_ALL, t);
		fail_at(s, r->answered, LOSE_TORN, t);
		fail_at(s, r->answered + 1, LOSE_SOME, t);
	}
	image_free(&s->im);
	ramdev_forget(&s->dev);
	history_free(&s->h);
	image_unview(&start, mem);
}

/* All sequences of @len, counted in base twelve. */
static void run_length(u32 len, u32 stride, struct total *t)
{
	u32 nr = 1;

	for (u32 i = 0; i < len; i++)
		nr *= STEPS;
	for (u32 n = 0; n < nr; n += stride) {
		struct sequence s = { .len = len };
		u32 rest = n;

		for (u32 i = 0; i < len; i++) {
			s.op[i] = rest % STEPS;
			rest /= STEPS;
		}
		run_sequence(&s, t);
	}
}

int sequences_command(char **argv)
{
	u32 length = (u32)strtoul(argv[0], NULL, 10);
	u32 stride = (u32)strtoul(argv[1], NULL, 10);
	struct total t = { .rng = 1 };

	if (!length || length > LENGTH_MAX || !stride)
		die("sequences have 1 to %u steps", LENGTH_MAX);
	make_start();
	for (u32 len = 1; len <= length; len++)
		run_length(len, len < length ? 1 : stride, &t);
	image_free(&start);
	printf("%u sequences, %u power failures, %u not survived\n",
	       t.sequences, t.points, t.bad);
	return t.bad ? 1 : 0;
}
