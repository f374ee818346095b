// SPDX-License-Identifier: MIT
/*
 * What a batch makes of a file, of its name, and of their volume: the device holds a write
 * up until all of them are in the batch, and then the write of the batch until readers
 * have asked. Nobody is told before it is durable; and when it fails, nobody ever.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "die.h"
#include "look.h"
#include "store_tx.h"

#define STEPS_MAX	3u
#define BEFORE		1	/* mtime of the file */

enum act {
	NOTHING,
	TIME,		/* of the file */
	REMOVE,		/* it */
	RENAME,		/* it */
	LIST,		/* of the directory */
	VOLUME,		/* remove it, after a change of the file */
	LOST,		/* SQLite undoes all of the batch */
};

/**
 * struct step - a transaction
 * @act: what it does
 * @value: with what
 * @undone: it is given up
 */
struct step {
	enum act act;
	s64 value;
	bool undone;
};

/**
 * struct scenario - what happens in one batch
 * @what: for messages
 * @step: in this order
 * @lost: steps that are undone with others
 * @mtime: of the file afterwards, or why not
 * @name: what comes of looking for it afterwards
 */
struct scenario {
	const char *what;
	struct step step[STEPS_MAX];
	unsigned int lost;
	s64 mtime;
	int name;
};

static const struct scenario scenarios[] = {
	{ "changed", { { TIME, 5, false } }, 0, 5, 0 },
	{ "changed twice", { { TIME, 5, false }, { TIME, 6, false } }, 0, 6, 0 },
	{ "changed, then not", { { TIME, 5, false }, { TIME, 6, true } }, 0, 5, 0 },
	{ "not changed, then changed", { { TIME, 5, true }, { TIME, 6, false } }, 0, 6, 0 },
	{ "changed, then removed", { { TIME, 5, false }, { REMOVE, 0, false } },
	  0, -ENOENT, -ENOENT },
	{ "not removed", { { TIME, 5, false }, { REMOVE, 0, true } }, 0, 5, 0 },
	{ "renamed", { { RENAME, 0, false }, { TIME, 5, false } }, 0, 5, -ENOENT },
	{ "another list", { { LIST, 0, false }, { RENAME, 0, true } }, 0, BEFORE, 0 },
	{ "changed, and its volume removed", { { TIME, 5, false }, { VOLUME, 0, false } },
	  0, -ENOMEDIUM, -ENOMEDIUM },
	{ "changed, and its volume not removed", { { TIME, 5, false }, { VOLUME, 0, true } },
	  0, 5, 0 },
	{ "undone with another", { { REMOVE, 0, false }, { LOST, 0, true }, { TIME, 5, false } },
	  1, 5, 0 },
	{ "changed, and undone with another",
	  { { TIME, 5, false }, { LOST, 0, true }, { RENAME, 0, false } },
	  1, BEFORE, -ENOENT },
};

static struct afsx_fid dir, file, other;
static bool by_sql;

static int run_step(struct store_tx *tx, const struct step *s)
{
	static const char list[] = "1\n0\nalice 7\n";
	int ret = by_sql ? batch_sql(tx) : 0;

	if (ret)
		return ret;
	switch (s->act) {
	case TIME:
		return set_mtime(tx, &file, s->value);
	case REMOVE:
		return store_unlink(tx, &dir, "a", 1, false, NULL);
	case RENAME:
		return store_rename(tx, &dir, "a", 1, &dir, "b", 1);
	case LIST:
		return store_acl_set(tx, &dir, list, strlen(list));
	case VOLUME:
		return set_mtime(tx, &file, s->value) ? :
		       store_vol_remove(tx, root.vid);
	default:
		return batch_sql(tx) ? : db_run(tx->db, SQL_ROLLBACK, "");
	}
}

/* One thread: a step, and what it was told; or a question, and the answer. */
struct thread {
	pthread_t thread;
	const struct step *step;
	bool name;
	atomic_bool over;
	s64 told;
};

static void *change(void *arg)
{
	struct thread *t = arg;
	struct store_tx *tx = begin();

	must(run_step(tx, t->step), "step");
	if (!t->step->undone) {
		t->told = store_commit(tx);
		return NULL;
	}
	store_abort(tx);
	look_told();
	return NULL;
}

static void *change_other(void *arg)
{
	(void)arg;
	must(set_mtime(NULL, &other, 1), "the first");
	return NULL;
}

static void *ask(void *arg)
{
	struct thread *t = arg;

	t->told = t->name ? look_up(&dir, "a") : look_at(&file);
	atomic_store(&t->over, true);
	look_told();
	return NULL;
}

static void start(struct thread *t, void *(*fn)(void *arg))
{
	must(-pthread_create(&t->thread, NULL, fn, t), "thread");
	look_await();
}

static s64 found(const struct scenario *s)
{
	return s->name ? s->name : (s64)file.vnode;
}

/* As it is from now on, however often it is asked for. */
static void verify(const struct scenario *s)
{
	for (unsigned int i = 0; i < 10; i++) {
		expect(s->what, look_at(&file), s->mtime);
		expect(s->what, look_up(&dir, "a"), found(s));
	}
}

static void make_store(void)
{
	static const struct scenario before = { .what = "before", .mtime = BEFORE };

	fresh_store();
	dir = make_dir(NULL, "d");
	file = make_file(NULL, &dir, "a");
	other = make_file(NULL, &root, "other");
	must(set_mtime(NULL, &file, BEFORE), "setattr");
	verify(&before);
}

/* Whether those who ask for it have to wait for the batch. */
static bool concerns(const struct scenario *s, bool name)
{
	return name ? s->name : s->mtime != BEFORE;
}

static void ask_meanwhile(const struct scenario *s, int fault)
{
	struct thread t[2] = { { .name = false }, { .name = true } };

	for (unsigned int i = 0; i < 2; i++)
		start(&t[i], ask);
	for (unsigned int i = 0; i < 2; i++)
		expect("told of what is not durable",
		       concerns(s, t[i].name) && atomic_load(&t[i].over), false);
	device_go_on();
	for (unsigned int i = 0; i < 2; i++) {
		s64 before = t[i].name ? (s64)file.vnode : BEFORE;

		pthread_join(t[i].thread, NULL);
		if (!fault)
			expect(s->what, t[i].told, t[i].name ? found(s) : s->mtime);
		else if (t[i].told != before)
			expect("told of what is lost", t[i].told, -EIO);
	}
}

static void run(const struct scenario *s, int fault)
{
	struct thread first = { .told = 0 }, t[STEPS_MAX];
	unsigned int nr;

	make_store();
	look_watch(true);
	device_hold(0);
	start(&first, change_other);
	device_await();
	for (nr = 0; nr < STEPS_MAX && s->step[nr].act; nr++) {
		t[nr] = (struct thread){ .step = &s->step[nr] };
		start(&t[nr], change);
	}
	device_hold(fault);
	device_go_on();
	device_await();
	look_watch(false);
	look_watch(true);
	ask_meanwhile(s, fault);
	pthread_join(first.thread, NULL);
	for (unsigned int i = 0; i < nr; i++) {
		pthread_join(t[i].thread, NULL);
		expect("told", t[i].told, i < s->lost ? -EBUSY :
		       s->step[i].undone ? 0 : fault);
	}
	look_watch(false);
}

void test_batches(void)
{
	static const struct scenario lost = { .what = "lost", .mtime = BEFORE };

	for (unsigned int how = 0; how < 4; how++) {
		by_sql = how % 2;
		for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
			run(&scenarios[i], how < 2 ? 0 : -EIO);
			verify(how < 2 ? &scenarios[i] : &lost);
		}
	}
}
