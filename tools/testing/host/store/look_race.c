// SPDX-License-Identifier: MIT
/*
 * Readers beside writers: each of those has a name that moves on with each of its changes,
 * and a file whose time tells how many there were. Who asks finds no less than was told
 * to be done before, and no more than was begun.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "die.h"
#include "hang.h"
#include "look.h"
#include "store_tx.h"

#define WRITERS		2u
#define READERS		2u
#define BAD		(-2)	/* time of what is always given up */

/**
 * struct writer - a thread that changes something
 * @thread: itself
 * @seed: for pick()
 * @dir: its directory
 * @file: in it, with a name that ends with the number of changes
 * @begun: changes
 * @done: changes that are durable
 */
struct writer {
	pthread_t thread;
	unsigned int seed;
	struct afsx_fid dir;
	struct afsx_fid file;
	atomic_llong begun;
	atomic_llong done;
};

static struct writer writers[WRITERS];
static atomic_bool over;
static atomic_ulong answers;

static unsigned int pick(unsigned int *seed, unsigned int n)
{
	return (unsigned int)rand_r(seed) % n;
}

static size_t name_of(char name[32], s64 nr)
{
	return (size_t)snprintf(name, 32, "t%jd", (intmax_t)nr);
}

/* ---- writers -------------------------------------------------------------------- */

static int move_on(struct store_tx *tx, struct writer *w, s64 to)
{
	char from[32], name[32];
	size_t len = name_of(from, atomic_load(&w->done));
	int ret = store_rename(tx, &w->dir, from, len, &w->dir, name, name_of(name, to));

	return ret ? ret : set_mtime(tx, &w->file, to);
}

static void give_up(struct writer *w)
{
	struct store_tx *tx = begin();

	must(move_on(tx, w, BAD), "change");
	switch (pick(&w->seed, 8)) {
	case 0:
		must(batch_sql(tx) ? : db_run(tx->db, SQL_ROLLBACK, ""), "roll back");
		store_abort(tx);
		break;
	case 1:
		store_refuse(tx);
		break;
	default:
		store_abort(tx);
	}
}

static void change(struct writer *w)
{
	s64 to = atomic_load(&w->done) + 1;
	int ret;

	atomic_store(&w->begun, to);
	do {
		struct store_tx *tx = begin();

		if (!pick(&w->seed, 4))
			must(batch_sql(tx), "begin");
		must(move_on(tx, w, to), "change");
		ret = store_commit(tx);
	} while (ret == -EBUSY);
	must(ret, "commit");
	atomic_store(&w->done, to);
}

static void *write_on(void *arg)
{
	struct writer *w = arg;

	while (!atomic_load(&over)) {
		if (pick(&w->seed, 4))
			change(w);
		else
			give_up(w);
		if (!pick(&w->seed, 4))
			usleep(1 + pick(&w->seed, 2000));
	}
	return NULL;
}

/* ---- readers -------------------------------------------------------------------- */

/* Of a change before the last one, or of one that was given up. */
static void ask_gone(struct writer *w, s64 nr)
{
	char name[32];

	name_of(name, nr);
	expect(name, look_up(&w->dir, name), -ENOENT);
}

static void ask_present(struct writer *w, s64 done)
{
	char name[32];
	s64 is;

	name_of(name, done);
	is = look_up(&w->dir, name);
	if (is != w->file.vnode && atomic_load(&w->begun) == done)
		die("%s: %jd", name, (intmax_t)is);
}

static void ask_time(struct writer *w, s64 done, s64 *last)
{
	s64 is = look_at(&w->file);

	if (is < done || is < *last || is > atomic_load(&w->begun))
		die("change %jd of %jd to %jd, after %jd", (intmax_t)is, (intmax_t)done,
		    (intmax_t)atomic_load(&w->begun), (intmax_t)*last);
	*last = is;
}

static void *read_on(void *arg)
{
	unsigned int seed = (unsigned int)(size_t)arg;
	s64 last[WRITERS] = { 0 };

	while (!atomic_load(&over)) {
		unsigned int i = pick(&seed, WRITERS);
		struct writer *w = &writers[i];
		s64 done = atomic_load(&w->done);

		ask_present(w, done);
		ask_gone(w, done - 1);
		ask_gone(w, BAD);
		ask_time(w, done, &last[i]);
		atomic_fetch_add(&answers, 1);
	}
	return NULL;
}

/* ---- all of them ---------------------------------------------------------------- */

static void renew_clone(void)
{
	int ret;

	do {
		struct store_tx *tx = begin();
		u32 id;

		must(store_vol_clone(tx, root.vid, AFSX_VOL_BACKUP, &id), "clone");
		ret = store_commit(tx);
	} while (ret == -EBUSY);
	must(ret, "commit");
	while (store_collect(st, 100) > 0)
		;
}

static void make_writer(struct writer *w, unsigned int nr)
{
	char name[8];

	sprintf(name, "d%u", nr);
	w->seed = nr + 1;
	w->dir = make_dir(NULL, name);
	w->file = make_file(NULL, &w->dir, "t0");
	must(set_mtime(NULL, &w->file, 0), "setattr");
}

void test_race(unsigned int seconds)
{
	s64 end = clock_mono_ns() + seconds * INT64_C(1000000000);
	pthread_t readers[READERS];
	s64 changes = 0;

	fresh_store();
	for (unsigned int i = 0; i < WRITERS; i++)
		make_writer(&writers[i], i);
	for (unsigned int i = 0; i < WRITERS; i++)
		must(-pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), "thread");
	for (size_t i = 0; i < READERS; i++)
		must(-pthread_create(&readers[i], NULL, read_on, (void *)(i + 7)), "thread");
	while (clock_mono_ns() < end) {
		usleep(20000);
		renew_clone();
		hang_over();
	}
	atomic_store(&over, true);
	for (unsigned int i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		changes += atomic_load(&writers[i].done);
	}
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	printf("%jd changes, %lu answers\n", (intmax_t)changes, atomic_load(&answers));
}
