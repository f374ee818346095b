// SPDX-License-Identifier: MIT
/* The I/O thread of a device: sends, receives, reconnects, repeats. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "blkdev_priv.h"
#include "cleanup.h"

#define INFLIGHT_MAX	64u
#define UNFLUSHED_MAX	(64u * 1024 * 1024)	/* bytes kept to repeat */

/* Called by libnbd, in the I/O thread, inside nbd_aio_notify_*(). */
static int on_answer(void *ctx, int *error)
{
	struct blkdev_req *req = ctx;

	req->done = true;
	req->err = *error;
	return 1;
}

s64 blkdev_send(struct blkdev *dev, struct blkdev_req *req)
{
	nbd_completion_callback cb = {
		.callback = on_answer,
		.user_data = req,
	};

	switch (req->op) {
	case BLKDEV_READ:
		return nbd_aio_pread(dev->nbd, req->buf, req->len, req->off,
				     cb, 0);
	case BLKDEV_WRITE:
		return nbd_aio_pwrite(dev->nbd, req->data, req->len, req->off,
				      cb, req->fua ? LIBNBD_CMD_FLAG_FUA : 0);
	case BLKDEV_FLUSH:
		req->ack = dev->acks;
		return nbd_aio_flush(dev->nbd, cb, 0);
	case BLKDEV_TRIM:
		return nbd_aio_trim(dev->nbd, req->len, req->off, cb, 0);
	case BLKDEV_ZERO:
		return nbd_aio_zero(dev->nbd, req->len, req->off, cb, 0);
	}
	return -1;
}

static void send_pending(struct blkdev *dev)
{
	while (dev->nr_inflight < INFLIGHT_MAX && !dev->lost) {
		struct blkdev_req *req;

		pthread_mutex_lock(&dev->lock);
		req = blkdev_queue_take(&dev->pending);
		pthread_mutex_unlock(&dev->lock);
		if (!req)
			return;
		req->done = false;
		blkdev_queue_add(&dev->inflight, req);
		dev->nr_inflight++;
		if (blkdev_send(dev, req) >= 0)
			continue;
		if (nbd_aio_is_ready(dev->nbd) > 0 ||
		    nbd_aio_is_processing(dev->nbd) > 0) {
			/* refused by libnbd itself, as out of bounds */
			req->done = true;
			req->err = nbd_get_errno();
		} else {
			dev->lost = true;
		}
		eventfd_write(dev->wake, 1);
	}
}

/* Bytes that a request to be repeated keeps in memory. */
static u64 memory_of(const struct blkdev_req *req)
{
	return sizeof(*req) + (req->op == BLKDEV_WRITE ? req->len : 0);
}

static void forget_flushed(struct blkdev *dev, u64 limit)
{
	while (dev->unflushed.head && dev->unflushed.head->ack <= limit) {
		struct blkdev_req *req = blkdev_queue_take(&dev->unflushed);

		dev->unflushed_len -= memory_of(req);
		free(req);
	}
}

/* Act on the answer to @req, and give it back or keep it to be repeated. */
static void finish(struct blkdev *dev, struct blkdev_req *req)
{
	int err = -req->err;
	bool keep = false;

	if (req->op == BLKDEV_FLUSH) {
		if (err)
			blkdev_fail(dev, err);
		else
			forget_flushed(dev, req->ack);
		if (!req->batch)
			dev->flushing = false;
	}
	if (req->op == BLKDEV_TRIM)
		err = 0;	/* a hint */
	if ((req->op == BLKDEV_WRITE || req->op == BLKDEV_ZERO) && !err) {
		req->ack = ++dev->acks;
		keep = dev->can_flush && !req->fua;
	}
	blkdev_complete(dev, req, err);
	if (keep) {
		blkdev_queue_add(&dev->unflushed, req);
		dev->unflushed_len += memory_of(req);
	} else {
		free(req);
	}
}

static bool is_disconnect(int err)
{
	return err == ENOTCONN || err == ESHUTDOWN || err == ECONNRESET ||
	       err == EPIPE;
}

static void collect_answers(struct blkdev *dev)
{
	struct blkdev_queue left;
	struct blkdev_req *req;

	if (nbd_aio_is_dead(dev->nbd) > 0 || nbd_aio_is_closed(dev->nbd) > 0)
		dev->lost = true;
	blkdev_queue_init(&left);
	while ((req = blkdev_queue_take(&dev->inflight))) {
		if (req->done && is_disconnect(req->err))
			dev->lost = true;
		if (req->done && !(req->err && dev->lost)) {
			dev->nr_inflight--;
			finish(dev, req);
		} else {
			blkdev_queue_add(&left, req);
		}
	}
	dev->inflight = left;
	if (!left.head)
		dev->inflight.tail = &dev->inflight.head;
}

/* Bound the memory of what would have to be repeated. */
static void flush_when_due(struct blkdev *dev)
{
	struct blkdev_req *req;

	if (dev->unflushed_len < UNFLUSHED_MAX || dev->flushing)
		return;
	req = calloc(1, sizeof(*req));
	if (!req)
		return;
	req->op = BLKDEV_FLUSH;
	dev->flushing = true;
	pthread_mutex_lock(&dev->lock);
	blkdev_queue_add(&dev->pending, req);
	pthread_mutex_unlock(&dev->lock);
}

/* Put what was sent in vain in front of what has not been sent yet. */
static void requeue_inflight(struct blkdev *dev)
{
	MUTEX_GUARD(&dev->lock);

	if (!dev->inflight.head)
		return;
	*dev->inflight.tail = dev->pending.head;
	if (!dev->pending.head)
		dev->pending.tail = dev->inflight.tail;
	dev->pending.head = dev->inflight.head;
	blkdev_queue_init(&dev->inflight);
	dev->nr_inflight = 0;
}

static void fail_everything(struct blkdev *dev, int err)
{
	struct blkdev_req *req;

	requeue_inflight(dev);
	for (;;) {
		pthread_mutex_lock(&dev->lock);
		req = blkdev_queue_take(&dev->pending);
		pthread_mutex_unlock(&dev->lock);
		if (!req)
			return;
		blkdev_complete(dev, req, err);
		free(req);
	}
}

bool blkdev_stopping(struct blkdev *dev)
{
	MUTEX_GUARD(&dev->lock);

	return dev->stop;
}

static void reconnect(struct blkdev *dev)
{
	int ret = blkdev_reconnect(dev);

	if (ret) {
		blkdev_fail(dev, ret);
		fail_everything(dev, ret);
		return;
	}
	dev->lost = false;
	requeue_inflight(dev);
}

/* Say that the thread must be woken, unless there is work already. */
static bool fall_asleep(struct blkdev *dev)
{
	MUTEX_GUARD(&dev->lock);

	dev->asleep = !dev->stop &&
		      (!dev->pending.head || dev->nr_inflight >= INFLIGHT_MAX);
	return dev->asleep;
}

static void wait_for_news(struct blkdev *dev)
{
	unsigned int dir = nbd_aio_get_direction(dev->nbd);
	struct pollfd fds[] = {
		{ .fd = dev->wake, .events = POLLIN },
		{ .fd = nbd_aio_get_fd(dev->nbd) },
	};
	eventfd_t n;

	if (dir & LIBNBD_AIO_DIRECTION_READ)
		fds[1].events |= POLLIN;
	if (dir & LIBNBD_AIO_DIRECTION_WRITE)
		fds[1].events |= POLLOUT;
	if (poll(fds, ARRAY_SIZE(fds), fall_asleep(dev) ? -1 : 0) < 0)
		return;
	if (fds[0].revents)
		eventfd_read(dev->wake, &n);
	if (fds[1].revents & POLLOUT)
		nbd_aio_notify_write(dev->nbd);
	else if (fds[1].revents)
		nbd_aio_notify_read(dev->nbd);
}

/* On a failed device: answer everything with the error until told to stop. */
static void serve_failed(struct blkdev *dev)
{
	struct pollfd fd = { .fd = dev->wake, .events = POLLIN };
	eventfd_t n;

	fail_everything(dev, blkdev_failed(dev));
	if (fall_asleep(dev) && poll(&fd, 1, -1) > 0)
		eventfd_read(dev->wake, &n);
}

void *blkdev_io_main(void *arg)
{
	struct blkdev *dev = arg;

	while (!blkdev_stopping(dev)) {
		if (dev->lost && blkdev_failed(dev)) {
			serve_failed(dev);
			continue;
		}
		if (dev->lost) {
			reconnect(dev);
			continue;
		}
		flush_when_due(dev);
		send_pending(dev);
		wait_for_news(dev);
		collect_answers(dev);
	}
	forget_flushed(dev, U64_MAX);
	if (dev->nbd && !dev->lost)
		nbd_shutdown(dev->nbd, 0);
	return NULL;
}
