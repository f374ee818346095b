// SPDX-License-Identifier: MIT
/*
 * crash-ram points SEED COUNT: several threads change a volume; what they send
 * is recorded.  In every second run the device becomes larger meanwhile, and the
 * store grows.  Then, for moments all over the recording, what a device may hold
 * after a loss of power is opened and judged.
 */
#include "points.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "judge.h"
#include "test.h"

#define SIZE		(16u << 20)	/* the smallest: blocks are soon reused */
#define LARGE		(24u << 20)	/* that becomes */
#define THREADS		4u
#define STEPS_BEFORE	40u		/* not recorded */
#define STEPS_RUN	160u
#define POINTS_RUN	250u
#define AGAIN		3u		/* failures while recovering */
#define REFUSALS	4u		/* one of so many operations is refused */
#define FAILURES	4u		/* and of the others, is undone half way */

struct run {
	struct ramdev dev;
	struct image im;
	struct history h;
	struct model m;
	struct store *st;
	u32 vid;
	u64 rng;
	u64 larger;		/* when the device became larger, or RAM_NEVER */
	u64 grown;		/* when the store had grown */
	u32 left;
	u8 *mem;
};

/* ---- the work ----------------------------------------------------------------- */

/* A step of one of the threads, and the state of the model that is durable then. */
struct attempt {
	struct run *r;
	enum { NO_STEP, REFUSED, UNDONE, DONE } what;
	u32 state;
};

/* There is a volume of that name; who is told so relies on all that was before. */
static void be_refused(struct store_tx *tx)
{
	u32 id;

	if (store_vol_create(tx, MODEL_VOLUME, 0, &id) != -EEXIST)
		die("two volumes of the same name");
}

/* A change that fails when most of it is done leaves nothing, whoever else changes. */
static void be_undone(struct run *r, struct store_tx *tx)
{
	struct afsx_fid root = {
		r->vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	struct store_attr attr = { .mask = STORE_SET_SIZE, .size = 5000 };
	static const char data[9000] = { 'u' };
	struct afsx_fid fid;

	if (store_create(tx, &root, "undone", 6, AFSX_FTYPE_FILE, NULL, NULL,
			 &fid) ||
	    store_write(tx, &fid, 100, data, sizeof(data)) ||
	    store_setattr(tx, &fid, &attr))
		die("cannot change what shall be undone");
}

static void take_step(struct run *r, struct store_tx *tx)
{
	struct step s;
	int ret;

	model_pick(&r->m, &r->rng, rng_next(&r->rng), &s);
	ret = work_step(tx, r->vid, &s);
	if (ret)
		die("%s: %s", step_text(&s), strerror(-ret));
}

/* The model is changed with the writer's lock of the store held. */
static bool attempt(struct store_tx *tx, void *ctx)
{
	struct attempt *a = ctx;
	struct run *r = a->r;

	a->what = NO_STEP;
	if (!r->left)
		return false;
	r->left--;
	a->state = r->h.nr - 1;
	if (!rng_below(&r->rng, REFUSALS)) {
		a->what = REFUSED;
		be_refused(tx);
	} else if (!rng_below(&r->rng, FAILURES)) {
		a->what = UNDONE;
		be_undone(r, tx);
	} else {
		a->what = DONE;
		take_step(r, tx);
		a->state = history_add(&r->h, &r->m, ramdev_now(&r->dev));
	}
	return a->what == DONE;
}

/* In a transaction of this thread. */
static int attempt_here(struct attempt *a)
{
	struct store_tx *tx;
	int ret = store_begin(a->r->st, &tx);

	if (ret)
		return ret;
	if (attempt(tx, a))
		return store_commit(tx);
	if (a->what == REFUSED)
		return store_refuse(tx);
	store_abort(tx);
	return 0;
}

static bool work_once(struct run *r, bool here)
{
	struct attempt a = { .r = r };
	int ret = here ? attempt_here(&a) : store_change(r->st, attempt, &a);

	if (ret)
		die("a step fails: %s", strerror(-ret));
	/* what is undone tells nothing of others, unless it is waited for */
	if (a.what == DONE || a.what == REFUSED || (a.what == UNDONE && !here))
		history_acked(&r->h, a.state, ramdev_now(&r->dev));
	return a.what != NO_STEP;
}

/* By turns in a transaction of its own, and in whichever thread has the store. */
static void *worker(void *arg)
{
	unsigned int i = 0;

	while (work_once(arg, ++i % 4 == 0))
		;
	return NULL;
}

/* While the threads work. */
static void grow(struct run *r)
{
	struct errbuf err = { "" };
	u64 before, now;

	ramdev_resize(&r->dev, LARGE);
	r->larger = ramdev_now(&r->dev);
	if (store_grow(r->st, &before, &now, &err))
		die("growing fails: %s", err.text);
	if (before != SIZE / 1024 || now != LARGE / 1024)
		die("grown from %ju to %ju KiB", (uintmax_t)before, (uintmax_t)now);
	r->grown = ramdev_now(&r->dev);
}

static void work(struct run *r, u32 steps, bool growing)
{
	pthread_t thread[THREADS];

	r->left = steps;
	for (u32 i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, worker, r))
			die("no thread");
	if (growing)
		grow(r);
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

static void open_store(struct run *r)
{
	struct errbuf err = { "" };

	r->st = work_open(RAM_URI, &err);
	if (!r->st)
		die("open: %s", err.text);
	r->vid = work_volume(r->st);
}

static void close_store(struct run *r)
{
	if (work_collect(r->st) || store_close(r->st))
		die("the store cannot be closed");
}

static void begin_run(struct run *r, u64 seed)
{
	r->rng = seed;
	r->larger = RAM_NEVER;
	r->mem = mmap(NULL, LARGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (r->mem == MAP_FAILED)
		die("out of memory");
	ramdev_init(&r->dev, r->mem, SIZE, seed);
	ramdev_serve(&r->dev);
	work_format(RAM_URI);
	model_init(&r->m);
	history_init(&r->h, &r->m);
	open_store(r);
	work(r, STEPS_BEFORE, false);
	close_store(r);
	history_free(&r->h);
	history_init(&r->h, &r->m);
	image_init(&r->im, r->mem, LARGE);
}

static void record_run(struct run *r, u64 seed)
{
	begin_run(r, seed);
	r->dev.record = true;
	r->dev.late = true;
	r->dev.no_fua = seed % 4 == 3;
	open_store(r);
	work(r, STEPS_RUN / 2, false);
	close_store(r);
	open_store(r);
	work(r, STEPS_RUN - STEPS_RUN / 2, seed % 2);
	close_store(r);
}

static void end_run(struct run *r)
{
	ramdev_forget(&r->dev);
	image_free(&r->im);
	history_free(&r->h);
	model_free(&r->m);
	munmap(r->mem, LARGE);
}

/* ---- the failures ----------------------------------------------------------------- */

static int compare_times(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Moments in order; every second one is next to an answer, many are while it grows. */
static void pick_times(struct run *r, u64 *time, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		const struct ram_req *req =
			r->dev.req[rng_below(&r->rng, r->dev.nr)];

		time[i] = rng_below(&r->rng, (u32)r->dev.clock + 1);
		if (i % 2 && req->answered != RAM_NEVER)
			time[i] = req->answered + i / 2 % 2;
		if (i % 5 == 0 && r->larger != RAM_NEVER)
			time[i] = r->larger + rng_below(&r->rng,
							(u32)(r->grown - r->larger) + 8);
	}
	qsort(time, nr, sizeof(*time), compare_times);
}

/* The power fails again while the store recovers, or is closed after that. */
static bool fail_again(struct run *r, struct ramdev *first, const u8 *before,
		       u32 state)
{
	u64 time[AGAIN];
	struct image im;
	bool good = true;

	image_init(&im, before, first->size);
	for (u32 i = 0; i < AGAIN; i++)
		time[i] = rng_below(&r->rng, (u32)first->clock + 1);
	qsort(time, AGAIN, sizeof(*time), compare_times);
	for (u32 i = 0; good && i < AGAIN; i++) {
		enum loss way = rng_below(&r->rng, LOSE_WAYS);
		struct ramdev d;
		u8 *view;

		image_advance(&im, first, time[i]);
		view = image_view(&im);
		image_lose(&im, first, time[i], way, &r->rng, view);
		ramdev_init(&d, view, first->size, 0);
		good = judge(&d, &r->h, state, state, false) >= 0;
		image_unview(&im, view);
	}
	image_free(&im);
	return good;
}

/* The device may also have become larger while nobody had it open. */
static u64 size_at(struct run *r, u64 when)
{
	return when >= r->larger || !rng_below(&r->rng, 4) ? LARGE : SIZE;
}

static bool fail_at(struct run *r, u64 when, u32 nr)
{
	u64 size = size_at(r, when);
	enum loss way = rng_below(&r->rng, LOSE_WAYS);
	bool again = nr % 16 == 5;
	struct ramdev d;
	u32 low, high;
	u8 *view, *copy = NULL;
	int state;

	image_advance(&r->im, &r->dev, when);
	view = image_view(&r->im);
	image_lose(&r->im, &r->dev, when, way, &r->rng, view);
	history_range(&r->h, when, &low, &high);
	ramdev_init(&d, view, size, 0);
	d.record = again;
	if (again) {
		copy = malloc(size);
		if (!copy)
			die("out of memory");
		memcpy(copy, view, size);
	}
	state = judge(&d, &r->h, low, high, nr % 8 == 1);
	if (again && state >= 0 && !fail_again(r, &d, copy, (u32)state))
		state = -1;
	ramdev_forget(&d);
	free(copy);
	image_unview(&r->im, view);
	if (state < 0)
		printf("after a failure at %ju of %ju, way %d\n",
		       (uintmax_t)when, (uintmax_t)r->dev.clock, way);
	return state >= 0;
}

u32 points_test(u64 seed, u32 count, struct lies lies, u32 bad)
{
	u32 done = 0, lost = 0;

	while (done < count && lost < bad) {
		u32 nr = min(count - done, POINTS_RUN);
		u64 time[POINTS_RUN];
		struct run r = { .left = 0 };

		record_run(&r, seed);
		r.im.lies = lies;
		pick_times(&r, time, nr);
		for (u32 i = 0; i < nr && lost < bad; i++, done++) {
			if (fail_at(&r, time[i], done))
				continue;
			lost++;
			printf("not survived: seed %ju\n", (uintmax_t)seed);
		}
		end_run(&r);
		seed++;
	}
	return lost;
}

int points_command(char **argv)
{
	u64 seed = strtoull(argv[0], NULL, 10);
	u32 count = (u32)strtoul(argv[1], NULL, 10);
	u32 lost = points_test(seed, count, (struct lies){ .fua = false }, 1);

	printf("%u power failures, %u not survived\n", count, lost);
	return lost ? 1 : 0;
}
