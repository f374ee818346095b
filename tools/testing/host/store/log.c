// SPDX-License-Identifier: MIT
/*
 * store-log: the log when a transaction is given up, when it is begun anew, and when
 * it loses transactions, each at the moment where that is hardest.  After a write that
 * fails the log shows what is durable: its size tells which transaction that is.
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
static unsigned int checks;

int __wrap_blkdev_write_fua(struct blkdev *to, u64 off, const void *buf,
			    size_t len)
{
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
	const struct sb_region region = { .start = 16, .nr = 64 };
	const struct blkdev_opts opts = { .uri = "memory" };
	struct errbuf err;

	broken = false;
	memdev_create(1024 * BLK_SIZE);
	if (blkdev_open(&opts, &dev, &err) ||
	    wal_format(dev, region.start << BLK_SHIFT) ||
	    wal_open(dev, &region, &wal))
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

int main(void)
{
	log_setup("store-log", LOG_ERROR);
	given_up();
	begun_anew();
	lost();
	printf("%u results as expected\n", checks);
	return 0;
}
