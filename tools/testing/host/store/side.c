// SPDX-License-Identifier: MIT
/*
 * store-side: long reads with a second connection to the device, which does what it
 * should, or fails, or lies, or must not be used.  A file reads as it was written, or is
 * refused where it is damaged, whatever comes over the second connection.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "le.h"
#include "log.h"
#include "memdev.h"
#include "store.h"
#include "wrap.h"

#define DEVICE	(UINT64_C(64) << 20)
#define SIZE	(UINT64_C(8) << 20)
#define PIECES	(SIZE / MEMDEV_LONG)

/**
 * struct scenario - two reads of the file, after the store was opened
 * @what: for messages
 * @how: what comes of a second connection
 * @await: the first read goes on when that is tried
 * @opened: how often it is tried
 * @open: how many there are in the end
 * @least: reads over it, at least
 * @most: and at most
 */
struct scenario {
	const char *what;
	enum memdev_beside how;
	bool await;
	u64 opened;
	u64 open;
	u64 least;
	u64 most;
};

static const struct scenario scenarios[] = {
	{ "no promise", MEMDEV_ALONE, false, 0, 0, 0, 0 },
	{ "refused", MEMDEV_REFUSED, true, 1, 0, 0, 0 },
	{ "good", MEMDEV_GOOD, true, 1, 1, 1, 2 * PIECES },
	{ "reads fail", MEMDEV_BROKEN, true, 1, 0, 1, 2 },
	{ "reads lie", MEMDEV_STALE, true, 1, 0, 1, 2 },
	{ "withdrawn", MEMDEV_ONCE, true, 1, 1, 1, 1 },
};

static struct store *st;
static struct afsx_fid file;
static u8 right[SIZE], data[SIZE];

static void open_store(void)
{
	struct store_config cfg = { .uri = "memory", .readers = 2 };
	struct errbuf err = { "" };

	if (store_open(&cfg, &st, &err))
		die("%s", err.text);
}

static void make_file(void)
{
	struct afsx_fid root = { .vnode = AFSX_ROOT_VNODE,
				 .unique = AFSX_ROOT_UNIQUE };
	struct store_tx *tx;

	for (u64 i = 0; i < SIZE / 8; i++)
		le64_put(right + 8 * i, i * 0x9e3779b97f4a7c15u + 1);
	open_store();
	must(store_begin(st, &tx), "begin");
	must(store_vol_create(tx, "v", 0, &root.vid), "volume");
	must(store_create(tx, &root, "f", 1, AFSX_FTYPE_FILE, NULL, NULL, &file),
	     "create");
	must(store_write(tx, &file, 0, right, SIZE), "write");
	must(store_commit(tx), "commit");
	must(store_close(st), "close");
}

static void expect_file(const char *what)
{
	ssize_t n;

	memset(data, 0, sizeof(data));
	n = store_read(st, &file, 0, data, SIZE, NULL);
	if (n != (ssize_t)SIZE)
		die("%s: %zd", what, n);
	if (memcmp(data, right, SIZE))
		die("%s: other bytes", what);
}

static void expect_refused(const char *what)
{
	ssize_t n = store_read(st, &file, 0, data, SIZE, NULL);

	if (n != -EUCLEAN)
		die("%s, with a damaged block: %zd", what, n);
}

static void expect_equal(const char *what, const char *count, u64 is, u64 least,
			 u64 most)
{
	if (is < least || is > most)
		die("%s: %s %ju, not %ju to %ju", what, count, (uintmax_t)is,
		    (uintmax_t)least, (uintmax_t)most);
}

static struct memdev_counts since(const struct memdev_counts *before)
{
	struct memdev_counts now = memdev_counts();

	now.opened -= before->opened;
	now.beside -= before->beside;
	return now;
}

static void play(const struct scenario *s)
{
	struct memdev_counts c = memdev_counts();

	open_store();
	memdev_share(s->how, s->await);
	expect_file(s->what);
	expect_file(s->what);
	c = since(&c);
	expect_equal(s->what, "opened", c.opened, s->opened, s->opened);
	expect_equal(s->what, "open", c.open, s->open, s->open);
	expect_equal(s->what, "reads", c.beside, s->least, s->most);
	must(store_close(st), "close");
	expect_equal(s->what, "left open", memdev_counts().open, 0, 0);
}

static u64 place_of(u64 block)
{
	for (u64 nr = 1; nr < DEVICE / BLK_SIZE; nr++)
		if (!memcmp(memdev_block(nr), right + block * BLK_SIZE, BLK_SIZE))
			return nr;
	die("a block is not on the device");
}

/* One of the first pieces, which may be read over either, or a later one is damaged. */
static void play_damaged(const struct scenario *s)
{
	for (u64 piece = 0; piece < PIECES; piece += PIECES / 3) {
		u64 block = piece * 64 + piece % 64;

		open_store();
		memdev_share(s->how, s->await);
		memdev_save();
		memdev_touch(place_of(block))[block] ^= 4;
		expect_refused(s->what);
		memdev_restore();
		expect_file(s->what);
		must(store_close(st), "close");
	}
}

/* The device's own connection was lost: the one beside it must not be used any more. */
static void play_another(void)
{
	struct memdev_counts c = memdev_counts();

	open_store();
	for (int i = 0; i < 3; i++) {
		memdev_share(MEMDEV_GOOD, true);
		expect_file("another connection");
	}
	c = since(&c);
	expect_equal("another connection", "opened", c.opened, 3, 3);
	expect_equal("another connection", "open", c.open, 1, 1);
	must(store_close(st), "close");
}

/* ---- what is not durable yet ------------------------------------------------ */

static atomic_bool holding;
static sem_t held, go_on;

int __wrap_blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf,
			    size_t len)
{
	if (atomic_exchange(&holding, false)) {
		sem_post(&held);
		sem_wait(&go_on);
	}
	return __real_blkdev_write_fua(dev, off, buf, len);
}

static void *change(void *arg)
{
	const struct afsx_fid root = { .vid = file.vid, .vnode = AFSX_ROOT_VNODE,
				       .unique = AFSX_ROOT_UNIQUE };
	struct afsx_fid fid;
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	must(store_create(tx, &root, "g", 1, AFSX_FTYPE_FILE, NULL, NULL, &fid),
	     "create");
	must(store_commit(tx), "commit");
	return NULL;
}

static void *look(void *arg)
{
	expect_file("not durable");
	return NULL;
}

static void run(pthread_t *thread, void *(*body)(void *))
{
	if (pthread_create(thread, NULL, body, NULL))
		die("cannot start a thread");
}

/*
 * Something else has changed, and a reader might see it: the file can be read, but not over
 * the second connection, and nobody is told before that is durable.
 */
static void play_unsettled(void)
{
	struct memdev_counts before, c;
	pthread_t writer, reader;

	open_store();
	memdev_share(MEMDEV_GOOD, true);
	expect_file("settled");
	atomic_store(&holding, true);
	run(&writer, change);
	sem_wait(&held);
	before = memdev_counts();
	run(&reader, look);
	do {
		usleep(1000);
		c = since(&before);
	} while (c.reads - before.reads < SIZE / BLK_SIZE && !c.beside);
	sem_post(&go_on);
	pthread_join(writer, NULL);
	pthread_join(reader, NULL);
	expect_equal("not durable", "reads", c.beside, 0, 0);
	must(store_close(st), "close");
}

int main(void)
{
	struct store_format_opts format = { .uri = "memory" };
	struct errbuf err = { "" };

	log_setup("store-side", LOG_ERROR);
	sem_init(&held, 0, 0);
	sem_init(&go_on, 0, 0);
	memdev_create(DEVICE);
	if (store_format(&format, &err))
		die("%s", err.text);
	make_file();
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		play(&scenarios[i]);
		play_damaged(&scenarios[i]);
	}
	play_another();
	play_unsettled();
	puts("whatever the second connection does, the file is as written, or refused");
	return 0;
}
