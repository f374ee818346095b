// SPDX-License-Identifier: MIT
#include "store_side.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "store_piece.h"

#define PAUSE_MS	60000	/* between an error and the next connection */

/**
 * struct side - second way to a device
 * @main: the device
 * @lock: protects what follows
 * @work: the thread has something to do
 * @left: it has ended with @job
 * @thread: takes pieces
 * @running: it was started
 * @stop: it shall end
 * @job: pieces it may help with, or NULL
 * @busy: it does
 * @pause: clock_boot_ms() before which it does not; 0 at first
 * @dev: connection, or NULL; changed by the thread only
 * @number: of @main's connection that it is beside
 * @before: what earlier connections did
 */
struct side {
	struct blkdev *main;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t left;
	pthread_t thread;
	bool running;
	bool stop;
	struct pieces *job;
	bool busy;
	s64 pause;
	struct blkdev *dev;
	unsigned int number;
	struct blkdev_stats before;
};

struct side *side_create(struct blkdev *dev)
{
	struct side *side = calloc(1, sizeof(*side));

	if (!side)
		return NULL;
	side->main = dev;
	pthread_mutex_init(&side->lock, NULL);
	pthread_cond_init(&side->work, NULL);
	pthread_cond_init(&side->left, NULL);
	return side;
}

static void add(struct blkdev_stats *sum, const struct blkdev_stats *s)
{
	sum->reads += s->reads;
	sum->read_bytes += s->read_bytes;
	sum->errors += s->errors;
}

static void add_present(const struct side *side, struct blkdev_stats *sum)
{
	struct blkdev_stats s;

	if (!side->dev)
		return;
	blkdev_stats(side->dev, &s);
	add(sum, &s);
}

/* Called with the lock held, which is dropped meanwhile. */
static void disconnect(struct side *side)
{
	struct blkdev *dev = side->dev;

	add_present(side, &side->before);
	side->dev = NULL;
	pthread_mutex_unlock(&side->lock);
	blkdev_close(dev);
	pthread_mutex_lock(&side->lock);
}

static void give_up(struct side *side, const char *why)
{
	log_warn("no second connection to the NBD server for some time",
		 LOG_S("why", why));
	side->pause = clock_boot_ms() + PAUSE_MS;
	side->job = NULL;
	pthread_cond_broadcast(&side->left);
	disconnect(side);
}

/* Called with the lock held, which is dropped meanwhile. */
static void connect(struct side *side)
{
	struct errbuf err = { "" };
	struct blkdev *dev;
	int ret;

	disconnect(side);
	side->number = blkdev_shared(side->main);
	if (!side->number) {
		side->job = NULL;
		return;
	}
	pthread_mutex_unlock(&side->lock);
	ret = blkdev_open_beside(side->main, &dev, &err);
	pthread_mutex_lock(&side->lock);
	if (ret)
		give_up(side, err.text);
	else
		side->dev = dev;
}

/* Called with the lock held, which is dropped meanwhile. */
static void help(struct side *side)
{
	struct way way = {
		.dev = side->dev,
		.depth = SIDE_DEPTH,
		.main = side->main,
		.number = side->number,
	};
	struct pieces *ps = side->job;
	int ret;

	side->busy = true;
	pthread_mutex_unlock(&side->lock);
	ret = pieces_take(ps, &way);
	pthread_mutex_lock(&side->lock);
	side->busy = false;
	side->job = NULL;
	pthread_cond_broadcast(&side->left);
	if (ret)
		give_up(side, strerror(-ret));
}

static void *side_main(void *arg)
{
	struct side *side = arg;

	pthread_mutex_lock(&side->lock);
	while (!side->stop) {
		if (!side->job)
			pthread_cond_wait(&side->work, &side->lock);
		else if (!side->dev ||
			 side->number != blkdev_shared(side->main))
			connect(side);
		else
			help(side);
	}
	disconnect(side);
	pthread_mutex_unlock(&side->lock);
	return NULL;
}

static bool start(struct side *side)
{
	if (!side->running)
		side->running = !pthread_create(&side->thread, NULL, side_main,
						side);
	return side->running;
}

bool side_help(struct side *side, struct pieces *ps)
{
	MUTEX_GUARD(&side->lock);

	if (side->job || clock_boot_ms() < side->pause ||
	    !blkdev_shared(side->main) || !start(side))
		return false;
	side->job = ps;
	pthread_cond_signal(&side->work);
	return true;
}

void side_leave(struct side *side, struct pieces *ps)
{
	MUTEX_GUARD(&side->lock);

	while (side->job == ps && side->busy)
		pthread_cond_wait(&side->left, &side->lock);
	if (side->job == ps)
		side->job = NULL;	/* it had no time yet */
}

void side_stats(struct side *side, struct blkdev_stats *stats)
{
	MUTEX_GUARD(&side->lock);

	add(stats, &side->before);
	add_present(side, stats);
}

void side_destroy(struct side *side)
{
	if (!side)
		return;
	pthread_mutex_lock(&side->lock);
	side->stop = true;
	pthread_cond_signal(&side->work);
	pthread_mutex_unlock(&side->lock);
	if (side->running)
		pthread_join(side->thread, NULL);
	pthread_mutex_destroy(&side->lock);
	pthread_cond_destroy(&side->work);
	pthread_cond_destroy(&side->left);
	free(side);
}
