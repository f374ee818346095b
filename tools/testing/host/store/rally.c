// SPDX-License-Identifier: MIT
/*
 * store-rally: who waited for a write of the log is waited for with the next one. First
 * struct rally by itself, then threads that change a store one time after the other: they
 * come to share each write. The test has gaps that no busy machine fills. Then what else
 * hangs on how long a write takes: whether data share a FLUSH.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "log.h"
#include "memdev.h"
#include "rally.h"
#include "store_tx.h"
#include "wrap.h"

#define THREADS		8u
#define ROUNDS		40u
#define WRITE_US	2000	/* the device takes so long */
#define BLOCK		4096u
#define LONG		(WRITE_US * 1000)

static unsigned int checks;

static void expect(const char *what, bool is, bool wanted)
{
	if (is != wanted)
		die("%s: %s", what, is ? "yes" : "no");
	checks++;
}

static void out_wait(void)
{
	usleep(RALLY_GAP(0) / 1000 * 12 / 10);
}

/* ---- struct rally ------------------------------------------------------------- */

static void alone(void)
{
	struct rally r = { 0 };

	expect("waits before the first write", rally_patience(&r), false);
	rally_end(&r, 1);
	rally_over(&r, LONG);
	rally_end(&r, 1);
	expect("waits for others when there are none", rally_patience(&r), false);
}

static void not_worth_it(void)
{
	struct rally r = { 0 };

	rally_end(&r, 3);
	expect("waits, and does not know for what", rally_patience(&r), false);
	rally_over(&r, RALLY_WRITE_MIN - 1);
	rally_end(&r, 3);
	expect("waits for a short write", rally_patience(&r), false);
	rally_over(&r, RALLY_WRITE_MIN + RALLY_SMOOTH);
	rally_end(&r, 3);
	expect("waits for a long one", rally_patience(&r), true);
}

static void is_quick(void)
{
	struct rally r = { 0 };

	expect("is quick, and nobody knows", rally_is_quick(&r), false);
	rally_over(&r, RALLY_QUICK / 2);
	expect("is quick", rally_is_quick(&r), true);
	rally_over(&r, 2 * RALLY_QUICK);
	expect("is slow once", rally_is_quick(&r), true);
	for (unsigned int i = 0; i < RALLY_SMOOTH; i++)
		rally_over(&r, 2 * RALLY_QUICK);
	expect("is slow for a while", rally_is_quick(&r), false);
}

static void all_come(void)
{
	struct rally r = { .took = LONG };

	rally_end(&r, 3);
	rally_come(&r, true);
	rally_come(&r, true);
	rally_come(&r, true);
	expect("waits when others came meanwhile", rally_patience(&r), true);
	rally_over(&r, LONG);
	rally_come(&r, false);
	rally_come(&r, false);
	expect("waits for the third", rally_patience(&r), true);
	rally_come(&r, false);
	expect("waits for more than there were", rally_patience(&r), false);
	rally_end(&r, 6);
	expect("waits for six", rally_patience(&r), true);
}

/* How many writes wait for nobody, until one waits again. */
static unsigned int rests(struct rally *r)
{
	unsigned int nr = 0;

	for (rally_end(r, 2); !rally_patience(r); rally_end(r, 2))
		nr++;
	return nr;
}

static void nobody_comes(void)
{
	static const unsigned int wanted[] = { 1, 2, 4 };
	struct rally r = { .took = LONG };

	rally_end(&r, 2);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		expect("waits for the other", rally_patience(&r), true);
		out_wait();
		expect("waits in vain", rally_patience(&r), false);
		expect("rests as long as it should", rests(&r) == wanted[i], true);
	}
	rally_come(&r, false);
	rally_come(&r, false);
	rally_end(&r, 2);
	rally_come(&r, false);
	rally_come(&r, false);
	rally_end(&r, 2);
	expect("waits", rally_patience(&r), true);
	out_wait();
	expect("is soon forgiven", rests(&r) == 2, true);
}

/* ---- a store ------------------------------------------------------------------ */

static struct store *st;
static u32 vid;
static atomic_uint begun;	/* changes */
static atomic_uint writes;

int __wrap_blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf, size_t len)
{
	usleep(WRITE_US);
	atomic_fetch_add(&writes, 1);
	return __real_blkdev_write_fua(dev, off, buf, len);
}

static struct afsx_fid create(unsigned int nr)
{
	struct afsx_fid dir = { vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE }, fid;
	struct store_tx *tx;
	char name[16];
	int len = snprintf(name, sizeof(name), "%u", nr);

	must(store_begin(st, &tx), "begin");
	must(store_create(tx, &dir, name, (size_t)len, AFSX_FTYPE_FILE, NULL, NULL, &fid),
	     "create");
	must(store_commit(tx), "commit");
	return fid;
}

/* A thread that makes so many changes, or as many as are left. */
static void *change(void *arg)
{
	size_t most = (size_t)arg;
	unsigned int nr;

	while (most-- && (nr = atomic_fetch_add(&begun, 1)) < THREADS * ROUNDS)
		create(nr);
	return NULL;
}

static void open_store(void)
{
	struct store_format_opts format = { .uri = "memory", .force = true };
	struct store_config cfg = { .uri = "memory", .flags = STORE_TAKEOVER };
	struct errbuf err = { "" };
	struct store_tx *tx;

	memdev_create(UINT64_C(64) << 20);
	if (store_format(&format, &err) || store_open(&cfg, &st, &err))
		die("%s", err.text);
	must(store_begin(st, &tx), "begin");
	must(store_vol_create(tx, "rally", 0, &vid), "volume");
	must(store_commit(tx), "commit");
}

/*
 * Each thread has its turn in every write but the first, or the first two; @leaves: one of
 * them ends soon, and is waited for in vain.
 */
static void together(bool leaves)
{
	pthread_t threads[THREADS];

	open_store();
	atomic_store(&begun, 0);
	atomic_store(&writes, 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, change,
			       (void *)(size_t)(leaves && !i ? ROUNDS / 4 : THREADS * ROUNDS));
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	if (atomic_load(&writes) > ROUNDS * 3 / 2)
		die("%u threads made %u changes with %u writes", THREADS, THREADS * ROUNDS,
		    atomic_load(&writes));
	checks++;
	must(store_close(st), "close");
}

static bool want_nothing(struct store_tx *tx, void *ctx)
{
	return false;
}

/* A change that is refused is none to be waited for others with. */
static void refused(void)
{
	open_store();
	atomic_store(&st->batch.rally.took, LONG);
	atomic_store(&st->batch.rally.missing, 2);
	must(store_change(st, want_nothing, NULL), "refused");
	expect("waits for others since then", atomic_load(&st->batch.rally.since), false);
	create(0);
	expect("waits since it was changed", atomic_load(&st->batch.rally.latest), true);
	must(store_close(st), "close");
}

/* ---- data ----------------------------------------------------------------------- */

/* One block of a file, while others change something, too. */
static void bring_block(const struct afsx_fid *fid)
{
	static const u8 block[BLOCK] = { 1 };
	struct store_ingest *other, *in;
	struct store_tx *tx;

	must(store_ingest_begin(st, 0, &other), "begin to bring");
	must(store_ingest_begin(st, 0, &in), "begin to bring");
	must(store_ingest_add(in, block, sizeof(block)), "bring");
	must(store_ingest_end(in, true), "end");
	must(store_begin(st, &tx), "begin");
	must(store_write_ingest(tx, fid, in), "write");
	must(store_commit(tx), "commit");
	store_ingest_free(in);
	store_ingest_free(other);
}

/* @took: the last write of the log; @wanted: whether data of one of several need a FLUSH */
static void flushes(s64 took, bool wanted)
{
	struct afsx_fid fid;
	u64 before;

	open_store();
	fid = create(0);
	atomic_store(&st->batch.rally.took, took);
	before = memdev_counts().flushes;
	bring_block(&fid);
	expect("has its data flushed", memdev_counts().flushes > before, wanted);
	must(store_close(st), "close");
}

int main(void)
{
	log_setup("store-rally", LOG_ERROR);
	alone();
	not_worth_it();
	is_quick();
	all_come();
	nobody_comes();
	together(false);
	together(true);
	refused();
	flushes(RALLY_QUICK - 1, false);
	flushes(RALLY_QUICK, true);
	printf("%u results as expected\n", checks);
	return 0;
}
