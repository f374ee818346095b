// SPDX-License-Identifier: MIT
/*
 * store-log: the log when a transaction is given up, when it is begun anew, when it loses
 * transactions, and when many wait for it, each at the moment where that is hardest.  After
 * a write that fails the log shows what is durable: its size tells which transaction that is.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "die.h"
#include "log.h"
#include "memdev.h"
#include "wal.h"
#include "wrap.h"

#define HEADER		32u
#define FRAME		(24u + 4096u)
#define END_OF(frames)	(HEADER + (frames) * FRAME)

static struct blkdev *dev;
static struct wal *wal;
static bool broken;			/* the device writes nothing any more */
static void (*between)(void);		/* once, when a lock was given back */
static void (*while_writing)(void);	/* once, before the device has it */
static unsigned int checks;

int __wrap_blkdev_write_fua(struct blkdev *to, u64 off, const void *buf,
			    size_t len)
{
	void (*fn)(void) = while_writing;

	while_writing = NULL;
	if (fn)
		fn();
	return broken ? -EIO : __real_blkdev_write_fua(to, off, buf, len);
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
	void (*fn)(void) = between;
	int ret = __real_pthread_mutex_unlock(lock);

	between = NULL;
	if (fn)
		fn();
	return ret;
}

static void expect(const char *what, s64 is, s64 should)
{
	if (is != should)
		die("%s: %jd, not %jd", what, (intmax_t)is, (intmax_t)should);
	checks++;
}

/* An empty log on a new device. */
static void begin(void)
{
	const u64 start = 16 * BLK_SIZE;
	const struct blkdev_opts opts = { .uri = "memory" };
	struct errbuf err;

	broken = false;
	memdev_create(1024 * BLK_SIZE);
	if (blkdev_open(&opts, &dev, &err) ||
	    wal_format(dev, start) ||
	    wal_open(dev, start, 64 * BLK_SIZE, &wal))
		die("no log");
}

static void end(void)
{
	wal_close(wal);
	blkdev_close(dev);
}

/* Frames from number @from on; with the header before the first. */
static void put_frames(unsigned int from, unsigned int nr)
{
	static const u8 bytes[FRAME] = { 1 };

	if (!from)
		expect("header", wal_write(wal, 0, bytes, HEADER), 0);
	for (unsigned int i = from; i < from + nr; i++)
		expect("frame", wal_write(wal, END_OF(i), bytes, FRAME), 0);
}

static u64 commit(void)
{
	wal_announce(wal, false);
	return wal_commit(wal);
}

/* A transaction whose write fails: what is left of the log? */
static void break_device(unsigned int frames)
{
	put_frames(frames, 1);
	broken = true;
	expect("wait", wal_wait(wal, commit()), -EIO);
}

/* The frames of a transaction that was given up do not count as another's. */
static void given_up(void)
{
	begin();
	put_frames(0, 1);
	expect("wait", wal_wait(wal, commit()), 0);
	put_frames(1, 5);
	wal_announce(wal, false);
	wal_cancel(wal);
	put_frames(1, 1);
	expect("wait", wal_wait(wal, commit()), 0);
	break_device(2);
	expect("size after one was given up", wal_size(wal), END_OF(2));
	end();
}

static void begin_anew(void)
{
	put_frames(0, 1);
}

/*
 * A write for the first transaction takes the frames of the second with it. So there is
 * nothing to be written when the second is waited for, and the next begins the log anew.
 */
static void begun_anew(void)
{
	u64 first, second;

	begin();
	put_frames(0, 1);
	first = commit();
	put_frames(1, 3);
	expect("wait", wal_wait(wal, first), 0);
	second = commit();
	between = begin_anew;
	expect("wait", wal_wait(wal, second), 0);
	broken = true;
	expect("wait", wal_wait(wal, commit()), -EIO);
	expect("size after a new beginning", wal_size(wal), 0);
	end();
}

static unsigned int seen;

/* While transactions are being forgotten. */
static void on_loss(void *ctx)
{
	expect("who read before", wal_barrier(wal, seen), -EIO);
	expect("who reads now", wal_barrier(wal, wal_losses(wal)), -EIO);
	(*(unsigned int *)ctx)++;
}

/* Nobody takes for durable what is being forgotten. */
static void lost(void)
{
	unsigned int losses = 0;

	begin();
	wal_on_loss(wal, on_loss, &losses);
	put_frames(0, 1);
	expect("wait", wal_wait(wal, commit()), 0);
	seen = wal_losses(wal);
	expect("barrier", wal_barrier(wal, seen), 0);
	break_device(1);
	expect("losses", losses, 1);
	expect("who read before", wal_barrier(wal, seen), -EIO);
	expect("who reads later", wal_barrier(wal, wal_losses(wal)), 0);
	expect("size", wal_size(wal), END_OF(1));
	end();
}

/* ---- who is woken ------------------------------------------------------------ */

static struct {
	bool busy;			/* another adds to the transaction that is open */
	void (*while_gathering)(void);	/* once it has ended */
	unsigned int ended;
} source;

static unsigned int patience(void *ctx)
{
	return 0;
}

static bool try_begin(void *ctx)
{
	return !source.busy;
}

static bool end_transaction(void *ctx)
{
	put_frames(source.ended++, 1);
	commit();
	if (source.while_gathering)
		source.while_gathering();
	return true;
}

static void written(void *ctx, s64 took)
{
}

static const struct wal_source transactions = {
	.patience = patience,
	.try_begin = try_begin,
	.end = end_transaction,
	.written = written,
};

static struct wal_waiter *await(u64 ticket)
{
	static struct wal_waiter all[8];
	static unsigned int nr;
	struct wal_waiter *p = &all[nr++];

	p->ticket = ticket;
	sem_init(&p->woken, 0, 0);
	wal_enter(wal, p);
	wal_kick(wal);
	return p;
}

static void expect_woken(const char *who, struct wal_waiter *p, bool woken)
{
	expect(who, !sem_trywait(&p->woken), woken);
}

static void begin_with_source(void)
{
	begin();
	memset(&source, 0, sizeof(source));
	wal_set_source(wal, &transactions, NULL);
}

static struct wal_waiter *late;

/* SQLite has the log written, for a checkpoint; then somebody waits for the next one. */
static void sync_and_await(void)
{
	source.while_gathering = NULL;
	expect("sync", wal_sync(wal), 0);
	late = await(wal_committed(wal) + 1);
	expect_woken("nobody is needed while another gathers", late, false);
}

/* Who was to write what it had gathered finds it written, and wakes who came meanwhile. */
static void written_by_another(void)
{
	begin_with_source();
	source.while_gathering = sync_and_await;
	expect("wait", wal_wait(wal, 1), 0);
	expect_woken("who came while it gathered", late, true);
	expect("wait", wal_resume(wal, late), 0);
	expect("transactions", wal_durable(wal), 2);
	end();
}

static struct wal_waiter *next, *present;

/*
 * Somebody holds what the next transaction is made with, and waits for the one before, as
 * for room in the log: only then can the next one end.
 */
static void await_both(void)
{
	put_frames(source.ended++, 1);
	expect("ticket", commit(), 2);
	next = await(3);
	present = await(2);
	source.busy = true;
}

static void who_can_write_leads(void)
{
	begin_with_source();
	put_frames(source.ended++, 1);
	while_writing = await_both;
	expect("wait", wal_wait(wal, commit()), 0);
	expect_woken("who has to end a transaction before", next, false);
	expect_woken("who can write at once", present, true);
	expect("wait", wal_resume(wal, present), 0);
	expect_woken("the other, then", next, true);
	source.busy = false;
	expect("wait", wal_resume(wal, next), 0);
	expect("transactions", wal_durable(wal), 3);
	end();
}

/* Those whose ticket is durable already are told so, one by the other. */
static void durable_before(void)
{
	struct wal_waiter few[2] = { { .ticket = 1, .next = &few[1] }, { .ticket = 1 } };

	begin_with_source();
	expect("wait", wal_wait(wal, 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(few); i++)
		sem_init(&few[i].woken, 0, 0);
	wal_enter(wal, few);
	for (size_t i = 0; i < ARRAY_SIZE(few); i++) {
		expect_woken("who came late", &few[i], true);
		expect("has nothing to do", few[i].over, true);
		expect("wait", wal_resume(wal, &few[i]), 0);
	}
	end();
}

int main(void)
{
	log_setup("store-log", LOG_ERROR);
	given_up();
	begun_anew();
	lost();
	durable_before();
	written_by_another();
	who_can_write_leads();
	printf("%u results as expected\n", checks);
	return 0;
}
