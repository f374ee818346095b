// SPDX-License-Identifier: MIT
/*
 * store-crowd: many threads at once, each with names of its own, so that it knows what
 * comes of everything it does: some bring changes that others execute, some begin their
 * own, one clones and checks, some read. They go on in bursts, each of which has to come
 * to its end by itself: who is not woken then waits for ever, for nobody comes later.
 * Then the device fails, too, in the middle of it.
 *
 * CROWD_SECONDS=600 is a long run. crowd_act.c has the changes, crowd_shake.c what makes
 * the order of events different each time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "crowd.h"
#include "die.h"
#include "hang.h"
#include "log.h"
#include "memdev.h"
#include "sound.h"
#include "store_priv.h"

#define BURST		4u	/* things that a thread does in one, at most */
#define FAIL_MAX	100u	/* writes of the log before it fails, at most */

/* What the threads are for, in the order of their numbers. */
#define BRINGERS	8u
#define BEGINNERS	2u
#define READERS		2u
#define WRITERS		(BRINGERS + BEGINNERS)
#define THREADS		(WRITERS + READERS + 1)

struct store *st;
struct afsx_fid root = { 0, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
struct afsx_fid full;
struct crowd_counts counts;
unsigned int lost_of_64;

static struct worker workers[THREADS];
static pthread_barrier_t meet;
static s64 deadline;
static bool done;
static unsigned int bursts, failures;
static unsigned int part;	/* how many threads take part in a burst, about */
static unsigned int most;	/* things that each does, at most */
static bool may_fail;

/* ---- bursts ----------------------------------------------------------------------------- */

static void say_where(void)
{
	for (unsigned int i = 0; i < THREADS; i++)
		printf("thread %u %s\n", i, atomic_load(&workers[i].at));
}

/* Everybody has what it waited for. */
static void expect_quiet(void)
{
	if (atomic_load(&st->batch.queued) || atomic_load(&st->queue.waiting))
		die("%u are queued, and %u wait", atomic_load(&st->batch.queued),
		    atomic_load(&st->queue.waiting));
	pthread_mutex_lock(&st->writer_lock);
	if (st->batch.first || st->queue.first)
		die("somebody is left in the batch, or in the queue");
	pthread_mutex_unlock(&st->writer_lock);
}

static unsigned int count_stopped(unsigned int nr)
{
	unsigned int stopped = 0;

	for (unsigned int i = 0; i < nr; i++)
		stopped += workers[i].stopped;
	return stopped;
}

/* A few are more to each other than many, of whom one helps out another. */
static void choose_burst(struct worker *w)
{
	part = 1 + pick(w, THREADS);
	most = pick(w, 2) ? 1 : BURST;
	lost_of_64 = pick(w, 2) ? 1 : 16;
	bursts++;
}

static bool await_others(struct worker *w)
{
	atomic_store(&w->at, "waits for the others");
	if (pthread_barrier_wait(&meet) == PTHREAD_BARRIER_SERIAL_THREAD) {
		expect_quiet();
		hang_over();
		choose_burst(w);
		done = clock_mono_ns() > deadline || count_stopped(WRITERS) == WRITERS;
	}
	pthread_barrier_wait(&meet);
	return !done;
}

/* ---- threads ---------------------------------------------------------------------------- */

static void expect_sound(void)
{
	int ret = check_store(st);

	if (ret)
		die("the check: %d", ret);
}

/* 0; or the store has stopped, which is no wonder when the device fails. */
static int clone_volume(void)
{
	struct store_tx *tx;
	u32 id;
	int ret;

	do {
		ret = store_begin(st, &tx);
		if (ret)
			return ret;
		ret = store_vol_clone(tx, root.vid, AFSX_VOL_BACKUP, &id);
		if (ret)
			store_abort(tx);
		else
			ret = store_commit(tx);
	} while (ret == -EBUSY);
	while (!ret && store_collect(st, 100) > 0)
		;
	return ret;
}

static bool has_failed(void)
{
	struct store_info info;

	must(store_info(st, &info), "info");
	return info.failed;
}

static void keep_house(struct worker *w)
{
	int ret = 0;

	if (!pick(w, 8)) {
		atomic_store(&w->at, "clones");
		ret = clone_volume();
	}
	if (!may_fail && !pick(w, 200)) {
		atomic_store(&w->at, "checks");
		ret = check_store(st);
	}
	if (!ret)
		return;
	w->stopped = true;
	if (!has_failed())
		die("worker %u %s: %d", w->nr, atomic_load(&w->at), ret);
}

static void take_part(struct worker *w)
{
	for (unsigned int n = 1 + pick(w, most); n && !w->stopped; n--) {
		if (w->nr < BRINGERS)
			make_change(w);
		else if (w->nr < WRITERS)
			make_transaction(w);
		else if (w->nr < WRITERS + READERS)
			read_one(w, &workers[pick(w, WRITERS)]);
		else
			keep_house(w);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;

	w->thread = pthread_self();
	while (await_others(w))
		if (pick(w, THREADS) < part)
			take_part(w);
	return NULL;
}

/* ---- rounds ----------------------------------------------------------------------------- */

static void open_store(void)
{
	struct store_config cfg = { .uri = "memory", .flags = STORE_TAKEOVER };
	struct errbuf err = { "" };

	if (store_open(&cfg, &st, &err))
		die("open: %s", err.text);
	store_set_notify(st, on_news, NULL);
}

static void new_store(void)
{
	struct store_format_opts format = { .uri = "memory", .force = true, .wal_mib = 4 };
	struct errbuf err = { "" };
	struct store_tx *tx;

	device_begin(0, 0);
	memdev_create(UINT64_C(256) << 20);
	if (store_format(&format, &err))
		die("format: %s", err.text);
	open_store();
	must(store_begin(st, &tx), "begin");
	must(store_vol_create(tx, "crowd", 0, &root.vid), "volume");
	full = root;
	must(store_vol_create(tx, "full", 8, &full.vid), "volume");
	must(store_create(tx, &full, "f", 1, AFSX_FTYPE_FILE, NULL, NULL, &full),
	     "create");
	must(store_commit(tx), "commit");
}

static void expect_all(const char *when)
{
	for (unsigned int i = 0; i < WRITERS; i++)
		expect_names(&workers[i], when);
}

static void run_threads(s64 ns)
{
	static unsigned int seed;
	pthread_t threads[THREADS];

	deadline = clock_mono_ns() + ns;
	done = false;
	for (unsigned int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){ .nr = i, .seed = ++seed, .at = "begins" };
	for (unsigned int i = 0; i < THREADS; i++)
		must(-pthread_create(&threads[i], NULL, work, &workers[i]), "thread");
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* @us: the device takes for a write; @writes: before it fails, or 0 */
static void run(s64 ns, unsigned int us, unsigned int writes)
{
	int ret;

	new_store();
	device_begin(us, writes);
	may_fail = writes;
	run_threads(ns);
	if (!has_failed()) {
		expect_all("afterwards");
		expect_sound();
		if (count_stopped(THREADS))
			die("something failed, and not for the device");
	}
	ret = store_close(st);
	if (ret && !writes)
		die("close: %d", ret);
	failures += !!ret;
	device_begin(0, 0);
	open_store();
	expect_all("opened again");
	expect_sound();
	must(store_close(st), "close");
}

static void run_failing(s64 ns)
{
	struct worker chance = { .seed = 1 };
	s64 end = clock_mono_ns() + ns, now;

	while ((now = clock_mono_ns()) < end)
		run(end - now, pick(&chance, 2) ? 1000 : 0, 1 + pick(&chance, FAIL_MAX));
}

int main(void)
{
	const char *seconds = getenv("CROWD_SECONDS");
	s64 third = INT64_C(1000000000) * (seconds ? atoi(seconds) : 6) / 3;

	log_setup("store-crowd", LOG_ERROR);
	hang_watch(say_where);
	pthread_barrier_init(&meet, NULL, THREADS);
	run(third, 0, 0);
	run(third, 1000, 0);
	run_failing(third);
	printf("%lu changes, %lu refused; %lu executed by another, %lu undone with others\n",
	       atomic_load(&counts.changes), atomic_load(&counts.refused),
	       atomic_load(&counts.aliens), atomic_load(&counts.undone));
	printf("%lu reads, %u bursts, %u failures\n", atomic_load(&counts.reads), bursts,
	       failures);
	if (!atomic_load(&counts.aliens) || !atomic_load(&counts.undone))
		die("not much of a crowd");
	return 0;
}
