// SPDX-License-Identifier: MIT
/*
 * The device becomes larger while the store is open, and busy: threads that fill it,
 * remove, clone, read, check and ask how much is free.  Nothing is written to what was
 * added before both superblocks say that it is there, and nothing beyond; those who had
 * no room go on; and what a crash leaves of growing has all that was durable.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "grow.h"
#include "memdev.h"
#include "sb.h"
#include "sound.h"
#include "wrap.h"

#define WRITERS		2
#define FILES		4000
#define FILE_MAX	900000u

/* ---- what is written where ----------------------------------------------------------- */

static struct {
	atomic_ullong end;	/* bytes that may be written to; 0 for any */
	atomic_ullong grown;	/* the same, once block 0 says so */
	atomic_int fails;	/* which write of a superblock fails, from 1 on */
} watch;

int watch_begin(u64 off, u64 len)
{
	u64 end = atomic_load(&watch.end), grown = atomic_load(&watch.grown);
	bool super = len == BLK_SIZE && (!off || off == grown);

	if (end && off + len > end && !super)
		die("%ju bytes are written at %ju, with the store's end at %ju",
		    (uintmax_t)len, (uintmax_t)off, (uintmax_t)end);
	if (super && grown != end)
		usleep(20000);	/* for others to get ahead */
	if (super && atomic_load(&watch.fails) &&
	    atomic_fetch_sub(&watch.fails, 1) == 1)
		return -EIO;
	return 0;
}

void watch_end(u64 off, u64 len)
{
	if (!off && len == BLK_SIZE && atomic_load(&watch.grown))
		atomic_store(&watch.end, atomic_load(&watch.grown));
}

void __wrap_blkdev_write_async(struct blkdev *dev, struct blkdev_batch *batch,
			       u64 off, const void *buf, size_t len)
{
	watch_begin(off, len);
	__real_blkdev_write_async(dev, batch, off, buf, len);
}

void __wrap_blkdev_write_fua_async(struct blkdev *dev,
				   struct blkdev_batch *batch, u64 off,
				   const void *buf, size_t len)
{
	watch_begin(off, len);
	__real_blkdev_write_fua_async(dev, batch, off, buf, len);
}

int __wrap_blkdev_zero(struct blkdev *dev, u64 off, u64 len)
{
	watch_begin(off, len);
	return __real_blkdev_zero(dev, off, len);
}

static void expect_growth(u64 from, u64 to)
{
	struct errbuf err = { "" };
	u64 before, now;

	if (store_grow(st, &before, &now, &err))
		die("grow to %ju: %s", (uintmax_t)to, err.text);
	if (before != from / 1024 || now != to / 1024)
		die("%ju to %ju KiB, should be %ju to %ju", (uintmax_t)before,
		    (uintmax_t)now, (uintmax_t)from / 1024,
		    (uintmax_t)to / 1024);
}

static void grow_watched(u64 from, u64 to)
{
	atomic_store(&watch.grown, to - BLK_SIZE);
	memdev_resize(to);
	expect_growth(from, to);
	if (atomic_load(&watch.end) != to - BLK_SIZE)
		die("block 0 was not written");
	expect_growth(to, to);
}

/* ---- busy threads -------------------------------------------------------------------- */

static struct {
	atomic_bool done;
	atomic_uint turn;	/* grows with the device */
	atomic_uint full[WRITERS];	/* the turn in which there was no room */
	atomic_ulong looks;
	u32 nr[WRITERS];	/* files made */
	bool removed[WRITERS][FILES];
} busy = { .turn = 1 };

static u32 size_of(u32 n)
{
	return 100000 + n * 7919 % 800000;
}

static u8 byte_of(u32 writer, u32 n)
{
	return (u8)(1 + writer * 101 + n * 13);
}

static size_t name_of(char *name, u32 writer, u32 n)
{
	return (size_t)sprintf(name, "w%u-%u", writer, n);
}

static int end(struct store_tx *tx, int ret)
{
	if (!ret)
		return store_commit(tx);
	store_abort(tx);
	return ret;
}

static int make_file(u32 writer, u32 n)
{
	struct afsx_fid fid;
	struct store_tx *tx;
	char name[32];
	size_t len = name_of(name, writer, n);
	u8 *buf = malloc(FILE_MAX);
	int ret;

	memset(buf, byte_of(writer, n), FILE_MAX);
	must(store_begin(st, &tx), "begin");
	ret = store_create(tx, &root, name, len, AFSX_FTYPE_FILE, NULL, NULL,
			   &fid);
	if (!ret)
		ret = store_write(tx, &fid, 0, buf, size_of(n));
	free(buf);
	return end(tx, ret);
}

static int remove_file(u32 writer, u32 n)
{
	struct store_tx *tx;
	char name[32];
	size_t len = name_of(name, writer, n);

	must(store_begin(st, &tx), "begin");
	return end(tx, store_unlink(tx, &root, name, len, false, NULL));
}

/* Again and again while the device is full; false: it shall end. */
static bool insist(int (*fn)(u32 writer, u32 n), u32 writer, u32 n)
{
	for (;;) {
		unsigned int turn = atomic_load(&busy.turn);
		int ret = fn(writer, n);

		if (!ret)
			return true;
		if (ret != -ENOSPC)
			die("writer %u, file %u: %s", writer, n, strerror(-ret));
		atomic_store(&busy.full[writer], turn);
		while (turn == atomic_load(&busy.turn) &&
		       !atomic_load(&busy.done))
			usleep(1000);
		if (atomic_load(&busy.done))
			return false;
	}
}

static void *write_files(void *arg)
{
	u32 writer = (u32)(size_t)arg;

	for (u32 n = 0; n < FILES && !atomic_load(&busy.done); n++) {
		if (!insist(make_file, writer, n))
			break;
		busy.nr[writer] = n + 1;
		if (n % 4 != 3)
			continue;
		if (!insist(remove_file, writer, n - 2))
			break;
		busy.removed[writer][n - 2] = true;
	}
	return NULL;
}

static void *clone_volume(void *arg)
{
	while (!atomic_load(&busy.done)) {
		struct store_tx *tx;
		u32 id;
		int ret;

		must(store_begin(st, &tx), "begin");
		ret = store_vol_clone(tx, root.vid, AFSX_VOL_BACKUP, &id);
		if (end(tx, ret) && ret != -ENOSPC)
			must(ret, "clone");
		while (store_collect(st, 100) > 0)
			;
		usleep(5000);
	}
	return NULL;
}

/* Blocks are taken, and written to, without the writer's lock. */
static void *bring_in_vain(void *arg)
{
	static u8 buf[50 * BLK_SIZE];

	while (!atomic_load(&busy.done)) {
		struct store_ingest *in;
		int ret;

		must(store_ingest_begin(st, 0, &in), "begin to bring");
		ret = store_ingest_add(in, buf, sizeof(buf));
		if (!ret)
			ret = store_ingest_end(in, true);
		if (ret && ret != -ENOSPC)
			must(ret, "bring");
		store_ingest_free(in);
		usleep(1000);
	}
	return NULL;
}

static void *look_around(void *arg)
{
	struct store_info info;
	u64 size = 0, total, available;

	while (!atomic_load(&busy.done)) {
		store_space(st, &total, &available);
		must(store_info(st, &info), "info");
		if (available > total || total >= info.device_kib)
			die("%ju KiB free, of %ju, of %ju", (uintmax_t)available,
			    (uintmax_t)total, (uintmax_t)info.device_kib);
		if (info.device_kib < size)
			die("it shrinks");
		size = info.device_kib;
		usleep(2000);
		if (!(atomic_fetch_add(&busy.looks, 1) % 50) && check_store(st))
			die("the check finds problems");
	}
	return NULL;
}

static void expect_file(u32 writer, u32 n)
{
	static u8 got[FILE_MAX + 1];
	struct afsx_fid fid;
	char name[32];
	size_t len = name_of(name, writer, n);
	int ret = store_lookup(st, &root, name, len, &fid);

	if (busy.removed[writer][n]) {
		if (ret != -ENOENT)
			die("%s is still there", name);
		return;
	}
	must(ret, name);
	if (store_read(st, &fid, 0, got, sizeof(got), NULL) != size_of(n) ||
	    got[0] != byte_of(writer, n) ||
	    memcmp(got, got + 1, size_of(n) - 1))
		die("%s: other contents", name);
}

static void expect_files(u64 bytes)
{
	for (u32 w = 0; w < WRITERS; w++)
		for (u32 n = 0; n < busy.nr[w]; n++)
			expect_file(w, n);
	expect_whole("grown", bytes);
}

/* Until the writers have filled all there is. */
static void await_full(void)
{
	u64 total, available;

	for (u32 w = 0; w < WRITERS; w++)
		while (atomic_load(&busy.full[w]) != atomic_load(&busy.turn))
			usleep(1000);
	store_space(st, &total, &available);
	if (available > total / 8)
		die("%ju of %ju KiB are free, and writers have no room",
		    (uintmax_t)available, (uintmax_t)total);
}

void test_busy(void)
{
	static const u64 sizes[] = { 32 * MIB, 40 * MIB, 40 * MIB + BLK_SIZE,
		57 * MIB + 3 * BLK_SIZE, 58 * MIB, 100 * MIB, 160 * MIB };
	void *(*const bodies[])(void *) = { write_files, write_files,
					    clone_volume, bring_in_vain,
					    look_around };
	pthread_t threads[ARRAY_SIZE(bodies)];
	u64 last = sizes[ARRAY_SIZE(sizes) - 1];

	make_store(sizes[0]);
	atomic_store(&watch.end, sizes[0] - BLK_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
		must(-pthread_create(&threads[i], NULL, bodies[i], (void *)i),
		     "thread");
	for (size_t i = 1; i < ARRAY_SIZE(sizes); i++) {
		if (i > 1)	/* the first time while they go on */
			await_full();
		grow_watched(sizes[i - 1], sizes[i]);
		atomic_fetch_add(&busy.turn, 1);
	}
	await_full();
	atomic_store(&busy.done, true);
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
		pthread_join(threads[i], NULL);
	expect_files(last);
	must(store_close(st), "close");
	must(try_open(0), "open");
	expect_files(last);
	must(store_close(st), "close");
	atomic_store(&watch.end, 0);
	atomic_store(&watch.grown, 0);
	printf("%u and %u files while it grew, %lu looks\n", busy.nr[0],
	       busy.nr[1], atomic_load(&busy.looks));
}

/* ---- what cannot be ------------------------------------------------------------------ */

static void expect_refusal(int code, const char *text)
{
	struct errbuf err = { "" };
	u64 before, now;
	int ret = store_grow(st, &before, &now, &err);

	if (ret != code || !strstr(err.text, text))
		die("%d, '%s' instead of %d, '%s'", ret, err.text, code, text);
}

static void test_refusals(void)
{
	u64 size = 32 * MIB;

	make_store(size);
	expect_growth(size, size);
	must(store_close(st), "close");
	memdev_resize(2 * size);
	must(try_open(STORE_RDONLY), "open");
	expect_refusal(-EROFS, "reading only");
	expect_whole("read-only", size);
	must(store_close(st), "close");
	must(try_open(0), "open");
	memdev_resize(2 * size - BLK_SIZE);
	expect_refusal(-EMEDIUMTYPE, "smaller");
	must(make_file(0, 0), "a file");
	expect_file(0, 0);
	must(store_close(st), "close");
}

/* A superblock that cannot be written: no more changes, and all is there. */
static void test_failures(void)
{
	struct store_tx *tx;

	for (int n = 1; n <= 2; n++) {
		make_store(32 * MIB);
		memdev_resize(48 * MIB);
		atomic_store(&watch.grown, 48 * MIB - BLK_SIZE);
		atomic_store(&watch.fails, n);
		expect_refusal(-EIO, "superblocks");
		atomic_store(&watch.grown, 0);
		atomic_store(&watch.end, 0);
		expect_refusal(-EROFS, "any more");
		if (store_begin(st, &tx) != -EROFS)
			die("changes go on after superblock %d failed", n);
		store_close(st);
		must(try_open(0), "open");
		expect_whole("opened after a failure", 48 * MIB);
		must(store_close(st), "close");
	}
}

/* ---- crashes ------------------------------------------------------------------------- */

/* The power fails while the store grows. */
static void lose_power(u64 from, u64 to, u32 sectors, bool way)
{
	u64 size = sectors < 2 * SECTORS ? from : to;	/* block 0 is whole then */

	make_store(from);
	must(make_file(0, 0), "a file");
	memdev_resize(to);
	cut_begin(from, to);
	expect_growth(from, to);
	cut_end();
	memdev_save();
	store_close(st);
	memdev_restore();
	cut_off(sectors, way);
	must(try_open(STORE_KEEP_SIZE), "open after a crash");
	expect_whole("after a crash", size);
	expect_file(0, 0);
	expect_growth(size, to);
	expect_whole("grown after a crash", to);
	must(store_close(st), "close");
}

static void test_crashes(void)
{
	u32 states = 0;

	for (u32 n = 0; n <= CUT_SECTORS; n++) {
		lose_power(32 * MIB, 48 * MIB, n, false);
		lose_power(32 * MIB, 48 * MIB, n, true);
		states += 2;
	}
	printf("%u states after a crash of an open store\n", states);
}

void test_open(void)
{
	test_refusals();
	test_failures();
	test_crashes();
}
