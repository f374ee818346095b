// SPDX-License-Identifier: MIT
/*
 * store-batch: transactions that come while the log is being written end together. The
 * device holds a write up until as many threads as a scenario has are in its batch, so
 * that it is the same one each time; then what each of them was told, what the store
 * shows, and what it shows after a crash is compared with what the scenario says. And
 * the same once more with changes that come while another thread has the store, and are
 * executed by one of theirs.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "die.h"
#include "hang.h"
#include "log.h"
#include "memdev.h"
#include "store_tx.h"
#include "wrap.h"

#define THREADS_MAX	6u
#define QUOTA_KIB	20000u
#define MANY		8000u	/* links that SQLite's cache cannot hold */

enum act {
	NOTHING,
	CREATE,		/* a file of that name */
	FILL,		/* the same, with data */
	REMOVE,		/* and its data */
	UNDONE,		/* create it, write to it, and give up */
	REFUSED,	/* look for the name, and be refused for what is found */
	TOO_BIG,	/* create it, and write more than the quota allows */
	LARGE,		/* create more than SQLite's cache holds, and give up */
	LOST,		/* create it, but SQLite rolls back on an error */
};

/**
 * struct op - one thread of a scenario
 * @act: what it does
 * @name: with what
 * @told: result
 */
struct op {
	enum act act;
	const char *name;
	int told;
};

/**
 * struct scenario - what happens in one batch
 * @what: for messages
 * @op: in this order; each but the first begins when the one before is in the batch
 * @fault: of the log's second write, which is that of the batch
 * @commit_fails: SQLite cannot end it
 * @early: when it is queued the log is told who waits once the one that is LOST has ended
 * @writes: of the log, when not 2
 * @shown: names there are afterwards
 */
struct scenario {
	const char *what;
	struct op op[THREADS_MAX];
	int fault;
	bool commit_fails;
	bool early;
	unsigned int writes;
	const char *shown;
};

static const struct scenario scenarios[] = {
	{
		.what = "changes that do not touch each other",
		.op = { { CREATE, "b", 0 }, { FILL, "c", 0 },
			{ REMOVE, "a", 0 } },
		.shown = "b c first",
	}, {
		.what = "a change of what was just changed",
		.op = { { CREATE, "b", 0 }, { REMOVE, "b", 0 },
			{ CREATE, "b", 0 } },
		.shown = "a b first",
	}, {
		.what = "one in the middle is undone",
		.op = { { CREATE, "b", 0 }, { UNDONE, "c", 0 },
			{ CREATE, "d", 0 } },
		.shown = "a b d first",
	}, {
		.what = "the first is undone",
		.op = { { UNDONE, "b", 0 }, { CREATE, "c", 0 } },
		.shown = "a c first",
	}, {
		.what = "one is refused for what another did",
		.op = { { CREATE, "b", 0 }, { REFUSED, "b", 0 },
			{ CREATE, "c", 0 } },
		.shown = "a b c first",
	}, {
		.what = "one has no room in the quota",
		.op = { { CREATE, "b", 0 }, { TOO_BIG, "c", -EDQUOT },
			{ CREATE, "d", 0 } },
		.shown = "a b d first",
	}, {
		.what = "one is undone that was larger than SQLite's cache",
		.op = { { CREATE, "b", 0 }, { LARGE, "c", 0 },
			{ CREATE, "d", 0 } },
		.shown = "a b d first",
	}, {
		.what = "what SQLite undid is settled before it is waited for",
		.op = { { CREATE, "b", -EBUSY }, { CREATE, "c", -EBUSY },
			{ REFUSED, "b", -EBUSY }, { LOST, "d", 0 } },
		.early = true,
		.writes = 1,
		.shown = "a first",
	}, {
		.what = "the same, and others come behind it",
		.op = { { CREATE, "b", -EBUSY }, { LOST, "c", 0 },
			{ CREATE, "d", 0 } },
		.early = true,
		.shown = "a d first",
	}, {
		.what = "SQLite undoes all for the failure of one",
		.op = { { FILL, "b", -EBUSY }, { REFUSED, "b", -EBUSY },
			{ LOST, "c", 0 }, { CREATE, "d", 0 } },
		.shown = "a d first",
	}, {
		.what = "the device fails",
		.op = { { CREATE, "b", -EIO }, { REMOVE, "a", -EIO },
			{ REFUSED, "b", -EIO } },
		.fault = -EIO,
		.shown = "a first",
	}, {
		.what = "the log cannot take it",
		.op = { { FILL, "b", -ENOSPC }, { REFUSED, "b", -ENOSPC },
			{ REMOVE, "a", -ENOSPC } },
		.commit_fails = true,
		.writes = 1,
		.shown = "a first",
	},
};

static const struct scenario *now;
static struct store *st;
static u32 vid;
static unsigned int writes;	/* of the log since the scenario began */
static bool watching;
static sem_t held;		/* the first write has come */
static sem_t go_on;		/* it may go to the device */
static sem_t joined;		/* a thread is where it waits for the batch */
static sem_t over;		/* the one that is LOST has ended, or who had the store */
static atomic_uint checks;

static void expect(const char *what, s64 is, s64 should)
{
	if (is != should)
		die("%s: %s: %jd, not %jd", now->what, what, (intmax_t)is,
		    (intmax_t)should);
	checks++;
}

int __wrap_blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf,
			    size_t len)
{
	if (off < 2 * BLK_SIZE || !watching)	/* the lease */
		return __real_blkdev_write_fua(dev, off, buf, len);
	if (!writes++) {
		sem_post(&held);
		sem_wait(&go_on);
	} else if (now->fault) {
		return now->fault;
	}
	return __real_blkdev_write_fua(dev, off, buf, len);
}

int __wrap_wal_write(struct wal *w, u64 off, const void *buf, size_t len)
{
	return watching && now->commit_fails && writes ?
	       -ENOSPC : __real_wal_write(w, off, buf, len);
}

int __wrap_wal_wait(struct wal *w, u64 ticket)
{
	if (watching)
		sem_post(&joined);
	return __real_wal_wait(w, ticket);
}

/* Nobody is left to come: who was refused first has made durable what it saw. */
void __wrap_wal_enter(struct wal *w, struct wal_waiter *list)
{
	if (watching && now->early) {
		sem_wait(&over);
		sem_wait(&over);
	}
	__real_wal_enter(w, list);
}

/* ---- what threads do --------------------------------------------------------- */

static struct afsx_fid root(void)
{
	return (struct afsx_fid){ vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
}

static int create(struct store_tx *tx, const char *name, struct afsx_fid *fid)
{
	struct afsx_fid dir = root();

	return store_create(tx, &dir, name, strlen(name), AFSX_FTYPE_FILE,
			    NULL, NULL, fid);
}

static int write_to(struct store_tx *tx, const struct afsx_fid *fid, u64 bytes)
{
	static const char data[100000] = { 'd' };
	int ret = 0;

	for (u64 off = 0; !ret && off < bytes; off += sizeof(data))
		ret = store_write(tx, fid, off, data,
				  min(bytes - off, sizeof(data)));
	return ret;
}

static int create_many(struct store_tx *tx, const char *name)
{
	struct afsx_fid dir = root(), fid;
	char text[32], target[1000];
	int ret = 0;

	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	for (unsigned int i = 0; !ret && i < MANY; i++) {
		snprintf(text, sizeof(text), "%s%u", name, i);
		ret = store_create(tx, &dir, text, strlen(text),
				   AFSX_FTYPE_SYMLINK, NULL, target, &fid);
	}
	return ret ? ret : tx_flush(tx);
}

/* What an act does in its transaction. */
static int change(struct store_tx *tx, enum act what, const char *name)
{
	struct afsx_fid dir = root(), fid;
	int ret;

	switch (what) {
	case CREATE:
		return create(tx, name, &fid);
	case FILL:
	case UNDONE:
		return create(tx, name, &fid) ? : write_to(tx, &fid, 9000);
	case REMOVE:
		return store_unlink(tx, &dir, name, strlen(name), false, &fid);
	case LOST:
		return create(tx, name, &fid) ? : tx_flush(tx) ? :
		       db_run(tx->db, SQL_ROLLBACK, "");
	case LARGE:
		return create_many(tx, name);
	case TOO_BIG:
		return create(tx, name, &fid) ? : write_to(tx, &fid, QUOTA_KIB * 1024 + 1);
	default:
		ret = store_tx_lookup(tx, &dir, name, strlen(name), &fid);
		expect("refused", ret, 0);
		return ret;
	}
}

static bool is_kept(enum act what)
{
	return what == CREATE || what == FILL || what == REMOVE;
}

static int give_up(struct store_tx *tx, int ret)
{
	store_abort(tx);
	if (watching)
		sem_post(&joined);
	return ret;
}

static int act(enum act what, const char *name)
{
	struct store_tx *tx;
	int ret = store_begin(st, &tx);

	if (ret)
		return ret;
	ret = change(tx, what, name);
	if (what == REFUSED)
		return store_refuse(tx);
	if (is_kept(what) && !ret)
		return store_commit(tx);
	return give_up(tx, ret);
}

static void *first_thread(void *arg)
{
	expect("the one before", act(CREATE, "first"), 0);
	return arg;
}

static void *thread(void *arg)
{
	size_t i = (size_t)arg;

	expect(now->op[i].name, act(now->op[i].act, now->op[i].name),
	       now->op[i].told);
	return NULL;
}

/* ---- the same, executed by one of them -------------------------------------------- */

/* A change, and the threads that brought and executed it. */
struct brought {
	const struct op *op;
	pthread_t owner;
	pthread_t by;
	unsigned int news;
	int ret;
};

static bool execute(struct store_tx *tx, void *ctx)
{
	struct brought *b = ctx;

	b->by = pthread_self();
	store_set_origin(tx, b);
	b->ret = change(tx, b->op->act, b->op->name);
	return is_kept(b->op->act) && !b->ret;
}

/* The one who is told is the one who answers for the change. */
static void on_news(void *ctx, const void *origin, const struct afsx_fid *fids, size_t nr)
{
	const struct brought *b = origin;

	(void)ctx;
	(void)fids;
	if (!b)
		return;
	expect("the owner tells of it", pthread_equal(b->owner, pthread_self()), 1);
	expect("news", nr > 0, 1);
	((struct brought *)b)->news++;
}

static void *bring(void *arg)
{
	struct brought *b = arg;
	int ret;

	b->owner = pthread_self();
	ret = store_change(st, execute, b);
	expect(b->op->name, ret ? ret : b->ret, b->op->told);
	expect("told once, when it is durable", b->news,
	       is_kept(b->op->act) && !b->op->told);
	if (b->op->act == LOST)
		sem_post(&over);
	return NULL;
}

/* ---- what there is ------------------------------------------------------------ */

static void add_name(char *text, const char *name)
{
	strcat(strcat(text, *text ? " " : ""), name);
}

/* The names of the scenarios, in order, as far as they are there. */
static void list_names(char *text)
{
	static const char *const names[] = { "a", "b", "c", "d", "first" };
	struct afsx_fid dir = root(), fid;

	*text = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!store_lookup(st, &dir, names[i], strlen(names[i]), &fid))
			add_name(text, names[i]);
}

static void problem(void *ctx, const char *text)
{
	printf("%s: %s\n", now->what, text);
}

static void expect_names(const char *when)
{
	char text[64];

	list_names(text);
	if (strcmp(text, now->shown))
		die("%s: %s there is '%s', not '%s'", now->what, when, text,
		    now->shown);
	checks++;
}

/* A store that failed gives no blocks away: its map may be what it likes. */
static void expect_sound(const char *when)
{
	struct store_info info;

	if (!store_info(st, &info) && !info.failed)
		expect(when, store_check(st, STORE_CHECK_DATA, problem, NULL),
		       0);
}

static void open_store(void)
{
	struct store_config cfg = { .uri = "memory", .flags = STORE_TAKEOVER };
	struct errbuf err = { "" };

	if (store_open(&cfg, &st, &err))
		die("%s: open: %s", now->what, err.text);
}

static void new_store(void)
{
	struct store_format_opts format = { .uri = "memory", .force = true };
	struct errbuf err = { "" };
	struct store_tx *tx;
	struct afsx_fid fid;

	memdev_create(UINT64_C(256) << 20);
	if (store_format(&format, &err))
		die("format: %s", err.text);
	open_store();
	if (store_begin(st, &tx) ||
	    store_vol_create(tx, "batch", QUOTA_KIB, &vid) || create(tx, "a", &fid) ||
	    write_to(tx, &fid, 20000) || store_commit(tx))
		die("cannot begin");
}

static unsigned int nr_ops(void)
{
	unsigned int nr = 0;

	while (nr < THREADS_MAX && now->op[nr].act)
		nr++;
	return nr;
}

static void run_while_writing(void)
{
	pthread_t first, threads[THREADS_MAX];
	unsigned int nr = nr_ops();

	while (!sem_trywait(&joined))
		;	/* of the scenario before */
	watching = true;
	pthread_create(&first, NULL, first_thread, NULL);
	sem_wait(&joined);
	sem_wait(&held);
	for (size_t i = 0; i < nr; i++) {
		pthread_create(&threads[i], NULL, thread, (void *)i);
		sem_wait(&joined);
	}
	sem_post(&go_on);
	pthread_join(first, NULL);
	for (unsigned int i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	watching = false;
	expect("writes of the log", writes, now->writes ? : 2);
}

/* All of them come while this thread has the store; the first one executes them. */
static void run_queued(void)
{
	struct brought b[THREADS_MAX] = { { .news = 0 } };
	pthread_t threads[THREADS_MAX];
	unsigned int nr = nr_ops();
	struct store_tx *tx;

	first_thread(NULL);
	store_set_notify(st, on_news, NULL);
	if (store_begin(st, &tx))
		die("%s: cannot begin", now->what);
	writes = 1;	/* those of the other way have that of "first" */
	watching = true;
	for (unsigned int i = 0; i < nr; i++) {
		b[i].op = &now->op[i];
		pthread_create(&threads[i], NULL, bring, &b[i]);
		while (atomic_load(&st->batch.queued) != i + 1)
			sched_yield();
	}
	store_abort(tx);
	sem_post(&over);
	for (unsigned int i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	watching = false;
	while (!sem_trywait(&over))
		;	/* nobody waited for it */
	expect("writes of the log", writes, now->writes ? : 2);
	for (unsigned int i = 0; i < nr; i++)
		expect("the first one executes all", pthread_equal(b[i].by, b[0].owner), 1);
	expect("nobody waits", atomic_load(&st->batch.queued), 0);
}

static void run(void (*changes)(void))
{
	new_store();
	writes = 0;
	changes();
	expect_names("afterwards");
	expect("the one after", act(CREATE, "later"), now->fault ? -EROFS : 0);
	expect("and its end", act(REMOVE, "later"), now->fault ? -EROFS : 0);
	/* what the device has now is what a crash leaves: not yet checkpointed */
	memdev_save();
	expect_sound("before a crash");
	store_close(st);
	memdev_restore();
	open_store();
	expect_names("after a crash");
	expect_sound("after a crash");
	expect("close", store_close(st), 0);
}

static void say_scenario(void)
{
	printf("%s: ", now->what);
}

int main(void)
{
	log_setup("store-batch", LOG_ERROR);
	hang_watch(say_scenario);
	sem_init(&held, 0, 0);
	sem_init(&go_on, 0, 0);
	sem_init(&joined, 0, 0);
	sem_init(&over, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		now = &scenarios[i];
		hang_over();
		run(run_while_writing);
		run(run_queued);
	}
	printf("%u results as expected\n", checks);
	return 0;
}
