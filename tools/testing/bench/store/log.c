// SPDX-License-Identifier: MIT
/*
 * The log of the volume store without the store: a change is a record of RECORD bytes.
 * It is the limit of what a store can do that makes changes durable on such a device,
 * even if finding, changing and logging its metadata took no time.
 */
#include "bench.h"
#include "wal.h"

#define RECORD	256u
#define START	2u	/* blocks, as in a store */
#define BLOCKS	((64u << 20) / BLK_SIZE)

static struct blkdev *dev;
static struct wal *wal;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static u64 end_of_log;
static _Thread_local u64 ticket;

static void check(int ret, const char *what)
{
	if (ret)
		die("%s: %s", what, strerror(-ret));
}

static void log_open(const char *where)
{
	struct blkdev_opts opts = { .uri = where };
	struct errbuf err = { "" };

	if (blkdev_open(&opts, &dev, &err))
		die("%s", err.text);
	check(wal_format(dev, START << BLK_SHIFT), "format");
	check(wal_open(dev, START << BLK_SHIFT, BLOCKS << BLK_SHIFT, &wal),
	      "open");
}

static void log_close(void)
{
	wal_close(wal);
	blkdev_close(dev);
}

static void log_begin(bool alone)
{
	(void)alone;
	ticket = 0;
}

static void log_end(void)
{
	check(wal_wait(wal, ticket), "wait");
}

static void change(void)
{
	static const u8 record[RECORD];

	pthread_mutex_lock(&lock);
	wal_announce(wal, false);
	check(wal_write(wal, end_of_log, record, sizeof(record)), "write");
	end_of_log += sizeof(record);
	ticket = wal_commit(wal);
	pthread_mutex_unlock(&lock);
}

static void log_mkdir(unsigned int dir)
{
	(void)dir;
	change();
}

static void log_change(unsigned int dir, unsigned int nr)
{
	(void)dir;
	(void)nr;
	change();
}

const struct target log_target = {
	.name = "log",
	.open = log_open,
	.close = log_close,
	.begin = log_begin,
	.end = log_end,
	.mkdir = log_mkdir,
	.create = log_change,
	.rename = log_change,
	.remove = log_change,
};
