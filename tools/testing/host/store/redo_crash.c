// SPDX-License-Identifier: MIT
/*
 * What a store shows after a crash, and after its log could not be written: the same as one
 * does in which each change was made by SQL.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "memdev.h"
#include "redo.h"
#include "redo_test.h"
#include "sound.h"
#include "store_apply.h"
#include "store_tx.h"

/* ---- crashes -------------------------------------------------------------------- */

#define CRASHES		24u
#define CHANGES		UINT64_C(5000)	/* of a run */
#define ROWS_MANY	50u	/* of a log of 4 MiB, whose table is larger */

/**
 * struct run - changes, and crashes among them
 * @seed: of both
 * @wal_mib: size of the log
 * @at: number of the change before which it comes
 * @dump: what there was to see there
 */
struct run {
	u64 seed;
	unsigned int wal_mib;
	u64 at[CRASHES];
	char *dump[CRASHES];
};

/* Stretches of light changes, and others between them. */
static bool is_heavy(u64 nr)
{
	return nr % 600 >= 400 && nr % 7 < 5;
}

/* Some soon after another, most of them far away. */
static void place_crashes(struct run *run)
{
	u64 at = 0;

	for (u32 i = 0; i < CRASHES; i++) {
		at += i % 3 == 2 ? (run->seed + i) % 5 :
				   1 + (run->seed * 37 + i * 101) % 500;
		run->at[i] = min(at, CHANGES);
	}
}

static void change_until(u64 *nr, u64 end, bool sql)
{
	for (; *nr < end; ++*nr)
		must(ops_run(*nr, is_heavy(*nr), sql), "change");
}

static void run_by_sql(struct run *run)
{
	u64 nr = 0;

	ops_start(run->seed, run->wal_mib);
	for (u32 i = 0; i < CRASHES; i++) {
		change_until(&nr, run->at[i], true);
		run->dump[i] = dump_store();
	}
	close_store();
}

/* Nothing is written, however often it is opened. */
static void expect_readable(const char *want)
{
	u8 *image = image_take();

	for (int i = 0; i < 2; i++) {
		open_store(STORE_RDONLY);
		expect_dump("for reading only", want);
		expect("changes", ops_run(0, false, false), -EROFS);
		close_store();
		expect("the device is as before", image_is(image), true);
	}
	free(image);
}

/* What the run came by, so that it is known to test something. */
static struct {
	u64 seq;	/* the last one */
	u64 restarts;
	u64 halves;	/* of the region that were passed */
	u64 rows;	/* at once */
} came;

static void note_progress(void)
{
	static u64 tail;
	u64 half = st->redo->limit / 2, rows = atomic_load(&st->rows->nr);

	came.restarts += st->redo->tail < tail;
	came.halves += tail <= half && st->redo->tail > half;
	tail = st->redo->tail;
	came.seq = st->redo->seq;
	came.rows = max(came.rows, rows);
}

static void change_watched(u64 *nr, u64 end)
{
	while (*nr < end) {
		change_until(nr, *nr + 1, false);
		note_progress();
	}
}

static void run_by_records(struct run *run)
{
	u64 nr = 0;

	ops_start(run->seed, run->wal_mib);
	for (u32 i = 0; i < CRASHES; i++) {
		change_watched(&nr, run->at[i]);
		crash();
		if (i % 2)
			expect_readable(run->dump[i]);
		open_store(0);
		if (i % 3)	/* else what it has is seen after another crash */
			expect_dump("after a crash", run->dump[i]);
	}
	close_store();
	open_store(0);
	expect_dump("closed and opened", run->dump[CRASHES - 1]);
	close_store();
}

void test_crash(void)
{
	static const u64 seeds[] = { 1, 2, 3, 4 };

	for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
		struct run run = { .seed = seeds[i] };

		place_crashes(&run);
		run_by_sql(&run);
		run_by_records(&run);
		for (u32 k = 0; k < CRASHES; k++)
			free(run.dump[k]);
	}
	printf("%ju records, %ju times from the beginning, %ju times from the middle, %ju rows\n",
	       (uintmax_t)came.seq, (uintmax_t)came.restarts,
	       (uintmax_t)came.halves, (uintmax_t)came.rows);
	if (came.restarts < 20 || came.halves < 20 || came.rows < ROWS_MANY)
		die("that is not much");
}

/* ---- failures ------------------------------------------------------------------- */

#define FAILED_MAX	40u	/* changes that may have had nothing to write */

enum failure {
	OF_RECORD,
	OF_FRAMES,
	OF_SYNC,	/* for a checkpoint: nobody waits for it */
};

/**
 * struct failing - a failed write of the log
 * @failure: for what it was
 * @changes: before it
 * @read: of them, the number after which all is read; 0: none
 * @sectors: that came to the device all the same
 */
struct failing {
	enum failure failure;
	u64 changes;
	u64 read;
	u32 sectors;
};

static const struct failing failing[] = {
	{ OF_RECORD, 1, 0, 0 }, { OF_RECORD, 30, 0, 0 },
	{ OF_RECORD, 30, 30, 0 }, { OF_RECORD, 40, 20, 0 },
	{ OF_RECORD, 60, 55, 1 }, { OF_RECORD, 245, 0, 7 },
	{ OF_RECORD, 245, 240, 0 }, { OF_RECORD, 520, 0, 0 },
	{ OF_RECORD, 730, 725, 3 },
	{ OF_FRAMES, 1, 0, 0 }, { OF_FRAMES, 30, 0, 0 },
	{ OF_FRAMES, 40, 20, 1 }, { OF_FRAMES, 245, 240, 0 },
	{ OF_FRAMES, 520, 515, 9 }, { OF_FRAMES, 730, 0, 0 },
	{ OF_SYNC, 40, 40, 0 }, { OF_SYNC, 40, 20, 0 },
	{ OF_SYNC, 245, 230, 3 }, { OF_SYNC, 520, 510, 0 },
};

static unsigned int syncs;	/* that failed */

static char *dump_by_sql(u64 seed, u64 changes)
{
	char *text;
	u64 nr = 0;

	ops_start(seed, 0);
	change_until(&nr, changes, true);
	text = dump_store();
	close_store();
	return text;
}

static void expect_failure(const struct failing *f, u64 *nr)
{
	int ret = 0;

	fault_of_log(0, f->sectors);
	if (f->failure == OF_SYNC && wal_sync(st->wal)) {
		syncs++;
		return;
	}
	for (u32 i = 0; !ret && i < FAILED_MAX; i++)
		ret = ops_run((*nr)++, false, f->failure == OF_FRAMES);
	if (!ret)
		die("nothing was written");
	expect("a change", ret, -EIO);
}

/* It may be that the device has what it said that it could not write. */
static void expect_either(const char *want, const char *perhaps)
{
	char *text = dump_store();

	if (!strcmp(text, perhaps))
		expect("the check", check_store(st), 0);
	else
		expect_dump("opened after a failure", want);
	free(text);
}

static void test_failing(const struct failing *f, u64 seed)
{
	char *want = dump_by_sql(seed, f->changes), *perhaps;
	u8 *image;
	u64 nr = 0;

	ops_start(seed, 0);
	change_until(&nr, f->read, false);
	if (f->read)
		free(dump_store());
	change_until(&nr, f->changes, false);
	expect_failure(f, &nr);
	expect_shown("the log cannot be written", want);
	expect("another change", !ops_run(nr, false, false), false);
	expect("and by SQL", !ops_run(nr, true, false), false);
	expect_shown("nor later", want);
	fault_clear();
	crash();
	image = image_take();
	perhaps = dump_by_sql(seed, nr);
	image_put(image);
	open_store(0);
	expect_either(want, f->sectors ? perhaps : want);
	close_store();
	free(image);
	free(perhaps);
	free(want);
}

/* ---- a log that is full --------------------------------------------------------- */

#define LINKS		4545u
#define LINKS_OLD	600u	/* of them, that are changed then */
#define TARGET		700u	/* so that a page has few of them */
#define STEP		20u	/* one of so many: not enough to be applied */

static struct afsx_fid links[LINKS];

static void make_links(const struct afsx_fid *root, u32 from, u32 to)
{
	char name[16], target[TARGET + 1];
	struct store_tx *tx;

	memset(target, 't', TARGET);
	target[TARGET] = '\0';
	must(store_begin(st, &tx), "begin");
	for (u32 i = from; i < to; i++) {
		snprintf(name, sizeof(name), "link-%u", i);
		must(store_create(tx, root, name, strlen(name),
				  AFSX_FTYPE_SYMLINK, NULL, target, &links[i]),
		     name);
	}
	must(store_commit(tx), "links");
}

static int change_links(u32 mode)
{
	struct store_attr attr = { .mask = STORE_SET_MODE, .mode = mode };
	struct store_tx *tx;
	int ret = store_begin(st, &tx);

	for (u32 i = 0; !ret && i < LINKS_OLD; i += STEP)
		must(store_setattr(tx, &links[i], &attr), "change a link");
	return ret ? ret : store_commit(tx);
}

/* Its last transaction has left little room, and records follow. */
static void fill_log(void)
{
	struct afsx_fid root = { 0, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	struct store_tx *tx;

	format_store(64 * MIB, 0);
	must(store_begin(st, &tx), "begin");
	must(store_vol_create(tx, "v", 0, &root.vid), "volume");
	must(store_commit(tx), "commit");
	make_links(&root, 0, LINKS_OLD);
	close_store();
	open_store(0);
	make_links(&root, LINKS_OLD, LINKS);
	if (wal_size(st->wal) < wal_limit(st->wal) / 100 * 97)
		die("the log has %ju of %ju bytes", (uintmax_t)wal_size(st->wal),
		    (uintmax_t)wal_limit(st->wal));
	must(change_links(0600), "a light change");
}

/* All that is read of them. */
static void expect_links(const char *when)
{
	struct store_status s;
	char target[TARGET];

	for (u32 i = 0; i < LINKS; i++) {
		must(store_getattr(st, &links[i], &s), when);
		expect(when, s.mode, i < LINKS_OLD && i % STEP == 0 ? 0600 :
								 0777);
		expect(when, store_read(st, &links[i], 0, target,
					sizeof(target), NULL), TARGET);
	}
}

static void test_full_log(void)
{
	fill_log();
	crash();
	open_store(STORE_RDONLY);
	expect_links("after a crash, for reading only");
	close_store();
	open_store(0);
	expect_links("after a crash");
	expect("after a crash", check_store(st), 0);
	close_store();
}

static void test_full_log_fails(void)
{
	fill_log();
	fault_of_log(0, 0);
	expect("a change", change_links(0111), -EIO);
	expect_links("after a failure");
	fault_clear();
	crash();
	open_store(0);
	expect_links("opened after a failure");
	close_store();
}

void test_failure(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(failing); i++)
		for (u64 seed = 1; seed <= 3; seed++)
			test_failing(&failing[i], seed);
	if (syncs < ARRAY_SIZE(failing) / 4)
		die("only %u checkpoints failed", syncs);
	test_full_log();
	test_full_log_fails();
}

/* ---- what is not durable -------------------------------------------------------------- */

/* What a reader finds while a change is not durable. */
static struct {
	struct afsx_fid root;
	struct afsx_fid fid;
	sem_t held;
	sem_t go_on;
	unsigned int writes;
	int first;
	int second;
	struct store_status status;
	struct store_vol vol;
	int read;
	int read_vol;
	atomic_bool over;
} shown;

/* The first write is held up, and no other succeeds. */
static void hold(u64 off)
{
	if (shown.writes++)
		return;
	sem_post(&shown.held);
	sem_wait(&shown.go_on);
	fault_of_log(1, 0);
}

static void *change_first(void *arg)
{
	struct store_attr attr = { .mask = STORE_SET_MODE, .mode = 0711 };
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	must(store_setattr(tx, &shown.root, &attr), "the first change");
	shown.first = store_commit(tx);
	return arg;
}

static void *change_second(void *arg)
{
	struct store_attr attr = { .mask = STORE_SET_MODE, .mode = 0123 };
	struct afsx_fid fid;
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	must(store_setattr(tx, &shown.fid, &attr), "the second change");
	must(store_create(tx, &shown.root, "g", 1, AFSX_FTYPE_FILE, NULL, NULL,
			  &fid), "create");
	if (arg)
		must(batch_sql(tx), "begin by SQL");
	shown.second = store_commit(tx);
	return arg;
}

static void *read_second(void *arg)
{
	shown.read = store_getattr(st, &shown.fid, &shown.status);
	shown.read_vol = store_vol_get(st, shown.root.vid, &shown.vol);
	atomic_store(&shown.over, true);
	return arg;
}

static void begin_unsettled(void)
{
	struct store_tx *tx;

	format_store(64 * MIB, 0);
	memset(&shown, 0, sizeof(shown));
	sem_init(&shown.held, 0, 0);
	sem_init(&shown.go_on, 0, 0);
	shown.root = (struct afsx_fid){ 0, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	must(store_begin(st, &tx), "begin");
	must(store_vol_create(tx, "v", 0, &shown.root.vid), "volume");
	must(store_create(tx, &shown.root, "f", 1, AFSX_FTYPE_FILE, NULL, NULL,
			  &shown.fid), "create");
	must(store_commit(tx), "commit");
}

/* A second change waits for the write of the first one, and then fails. */
static void test_shown(bool sql)
{
	pthread_t first, second, reader;

	begin_unsettled();
	on_write = hold;
	pthread_create(&first, NULL, change_first, NULL);
	sem_wait(&shown.held);
	pthread_create(&second, NULL, change_second, sql ? &shown : NULL);
	while (!__atomic_load_n(&st->batch.nr, __ATOMIC_SEQ_CST))
		usleep(1000);
	pthread_create(&reader, NULL, read_second, NULL);
	for (int i = 0; i < 100 && !atomic_load(&shown.over); i++)
		usleep(1000);
	sem_post(&shown.go_on);
	pthread_join(first, NULL);
	pthread_join(second, NULL);
	pthread_join(reader, NULL);
	on_write = NULL;
	expect("the first change", shown.first, 0);
	expect("the second change", shown.second, -EIO);
	if (!shown.read)
		expect("mode while it was not durable", shown.status.mode, 0644);
	if (!shown.read_vol)
		expect("files while it was not durable", (s64)shown.vol.files, 2);
	must(store_getattr(st, &shown.fid, &shown.status), "status");
	expect("mode afterwards", shown.status.mode, 0644);
	must(store_vol_get(st, shown.root.vid, &shown.vol), "volume");
	expect("files afterwards", (s64)shown.vol.files, 2);
	fault_clear();
	store_close(st);
}

/* ---- batches ------------------------------------------------------------------------- */

/* A change of a mode, in a thread of its own. */
struct job {
	const struct afsx_fid *fid;
	u32 mode;
	bool sql;
	pthread_t thread;
};

static void hold_first(u64 off)
{
	if (shown.writes++)
		return;
	sem_post(&shown.held);
	sem_wait(&shown.go_on);
}

static void *do_job(void *arg)
{
	const struct job *job = arg;
	struct store_attr attr = { .mask = STORE_SET_MODE, .mode = job->mode };
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	if (job->sql)
		must(batch_sql(tx), "begin by SQL");
	must(store_setattr(tx, job->fid, &attr), "change");
	must(store_commit(tx), "commit");
	return NULL;
}

static void await_batch(unsigned int nr)
{
	while (__atomic_load_n(&st->batch.nr, __ATOMIC_SEQ_CST) < nr)
		usleep(1000);
}

static void settle(void)
{
	store_enter(st);
	batch_settle(st);
	store_leave(st);
}

static u32 mode_of(const struct afsx_fid *fid)
{
	struct store_status s;

	must(store_getattr(st, fid, &s), "status");
	return s.mode;
}

/* The first one alone, and the others, while it is written, in one batch or one each. */
static void run_jobs(struct job *jobs, size_t nr, bool together)
{
	for (size_t i = 0; i < nr; i++) {
		pthread_create(&jobs[i].thread, NULL, do_job, &jobs[i]);
		if (!i) {
			sem_wait(&shown.held);
			continue;
		}
		await_batch(together ? (unsigned int)i : 1);
		if (!together)
			settle();
	}
	sem_post(&shown.go_on);
	for (size_t i = 0; i < nr; i++)
		pthread_join(jobs[i].thread, NULL);
	on_write = NULL;
}

/* What a transaction of SQLite has written changes again, in the same batch or not. */
static void test_mixed(bool together)
{
	struct job jobs[] = {
		{ .fid = &shown.root, .mode = 0701 },
		{ .fid = &shown.fid, .mode = 0602 },
		{ .fid = &shown.root, .mode = 0703, .sql = true },
		{ .fid = &shown.fid, .mode = 0604 },
		{ .fid = &shown.root, .mode = 0705 },
	};

	begin_unsettled();
	on_write = hold_first;
	run_jobs(jobs, ARRAY_SIZE(jobs), together);
	expect("mode of the directory", mode_of(&shown.root), 0705);
	expect("mode of the file", mode_of(&shown.fid), 0604);
	crash();
	open_store(0);
	expect("mode of the directory", mode_of(&shown.root), 0705);
	expect("mode of the file", mode_of(&shown.fid), 0604);
	expect("the check", check_store(st), 0);
	close_store();
}

static u8 *images[8];	/* of the device before each write after the first */
static unsigned int nr_images;

static void hold_and_keep(u64 off)
{
	hold_first(off);
	if (shown.writes > 1 && nr_images < ARRAY_SIZE(images))
		images[nr_images++] = image_take();
}

/* What is there is what was there after one of the changes. */
static void expect_prefix(const struct job *jobs, size_t nr)
{
	u32 root = mode_of(&shown.root), file = mode_of(&shown.fid);
	u32 modes[] = { 0755, 0644 };

	for (size_t i = 0; i < nr; i++) {
		if (modes[0] == root && modes[1] == file)
			return;
		modes[jobs[i].fid == &shown.fid] = jobs[i].mode;
	}
	if (modes[0] != root || modes[1] != file)
		die("a crash leaves %o and %o", root, file);
}

/* Frames and records are written in turn. */
static void test_between_writes(void)
{
	struct job jobs[] = {
		{ .fid = &shown.root, .mode = 0701 },
		{ .fid = &shown.fid, .mode = 0602 },
		{ .fid = &shown.root, .mode = 0703, .sql = true },
		{ .fid = &shown.fid, .mode = 0604 },
	};

	begin_unsettled();
	on_write = hold_and_keep;
	run_jobs(jobs, ARRAY_SIZE(jobs), false);
	store_close(st);
	expect("frames and records are written", nr_images >= 2, true);
	for (unsigned int i = 0; i < nr_images; i++) {
		image_put(images[i]);
		free(images[i]);
		open_store(0);
		expect_prefix(jobs, ARRAY_SIZE(jobs));
		expect("the check", check_store(st), 0);
		close_store();
	}
}

/* ---- a torn write behind frames ------------------------------------------------------ */

static u8 second[BLK_SIZE];	/* block of the second record before it was written */

static void hold_and_look(u64 off)
{
	hold_first(off);
	if (off == st->redo->start + BLK_SIZE)
		memcpy(second, memdev_block(off / BLK_SIZE), BLK_SIZE);
}

/*
 * While the first record is written, a second one is complete, then a transaction of SQLite
 * with which the database has it, and a third one. A crash tears the write of both records:
 * those frames are durable before.
 */
static void test_torn_behind_frames(void)
{
	struct job jobs[] = {
		{ .fid = &shown.root, .mode = 0701 },
		{ .fid = &shown.fid, .mode = 0602 },
		{ .fid = &shown.root, .mode = 0703, .sql = true },
		{ .fid = &shown.fid, .mode = 0604 },
	};
	u64 at;

	begin_unsettled();
	on_write = hold_and_look;
	run_jobs(jobs, ARRAY_SIZE(jobs), false);
	expect("records", (s64)st->redo->tail, 3 * BLK_SIZE);
	at = st->redo->start / BLK_SIZE + 1;
	crash();
	memcpy(memdev_touch(at), second, BLK_SIZE);
	open_store(0);
	expect("mode of the directory", mode_of(&shown.root), 0703);
	expect("mode of the file", mode_of(&shown.fid), 0602);
	expect("the check", check_store(st), 0);
	close_store();
}

static int chmod_file(void)
{
	struct store_attr attr = { .mask = STORE_SET_MODE, .mode = 0600 };
	struct store_tx *tx;
	int ret;

	must(store_begin(st, &tx), "begin");
	ret = store_setattr(tx, &shown.fid, &attr);
	if (!ret)
		return store_commit(tx);
	store_abort(tx);
	return ret;
}

static void remove_file(void)
{
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	must(store_unlink(tx, &shown.root, "f", 1, false, NULL), "unlink");
	must(store_commit(tx), "commit");
}

/* What only records have. */
static void test_newer(void)
{
	struct afsx_fid any, other;

	begin_unsettled();
	any = shown.fid;
	any.unique = 0;
	other = shown.fid;
	other.unique++;
	must(chmod_file(), "change");
	expect("any", store_getattr(st, &any, &shown.status), 0);
	expect("its uniquifier", shown.status.fid.unique, shown.fid.unique);
	expect("its mode", shown.status.mode, 0600);
	expect("another", store_getattr(st, &other, &shown.status), -ESTALE);
	remove_file();
	expect("removed", store_getattr(st, &shown.fid, &shown.status), -ENOENT);
	expect("and any", store_getattr(st, &any, &shown.status), -ENOENT);
	expect("to change it", chmod_file(), -ENOENT);
	expect("the rows are still there", atomic_load(&st->rows->nr) > 0, true);
	close_store();
}

void test_unsettled(void)
{
	test_shown(true);
	test_shown(false);
	test_mixed(true);
	test_mixed(false);
	test_between_writes();
	test_torn_behind_frames();
	test_newer();
}
