// SPDX-License-Identifier: MIT
/* The I/O thread of a device: sends, receives, reconnects, repeats. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "blkdev_priv.h"
#include "cleanup.h"
#include "log.h"

#define INFLIGHT_MAX	64u
#define UNFLUSHED_MAX	(64u * 1024 * 1024)	/* bytes kept to repeat */
#define RETRY_MS	100

/* Called by libnbd, in the I/O thread, inside nbd_aio_notify_*(). */
static int on_answer(void *ctx, int *error)
{
	struct blkdev_req *req = ctx;

	req->done = true;
	req->err = *error;
	return 1;
}

static s64 send_one(struct blkdev *dev, struct blkdev_req *req)
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
		if (send_one(dev, req) >= 0)
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

static void forget_flushed(struct blkdev *dev, u64 limit)
{
	while (dev->unflushed.head && dev->unflushed.head->ack <= limit) {
		struct blkdev_req *req = blkdev_queue_take(&dev->unflushed);

		dev->unflushed_len -= req->len;
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
	if (req->op == BLKDEV_WRITE && !err) {
		req->ack = ++dev->acks;
		keep = dev->can_flush && !req->fua;
	}
	blkdev_complete(dev, req, err);
	if (keep) {
		blkdev_queue_add(&dev->unflushed, req);
		dev->unflushed_len += req->len;
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

static int identify(struct blkdev *dev)
{
	u8 block[BLK_SIZE];

	if (!dev->opts.identify)
		return 0;
	if (nbd_pread(dev->nbd, block, sizeof(block), 0, 0) < 0)
		return -EIO;
	return dev->opts.identify(dev->opts.ctx, block);
}

static int repeat_unflushed(struct blkdev *dev)
{
	struct blkdev_req *req;

	for (req = dev->unflushed.head; req; req = req->next)
		if (nbd_pwrite(dev->nbd, req->data, req->len, req->off, 0) < 0)
			return -EIO;
	return 0;
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

static bool stopping(struct blkdev *dev)
{
	MUTEX_GUARD(&dev->lock);

	return dev->stop;
}

static s64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* One attempt.  -EAGAIN: try again later; 0 and other errors are final. */
static int try_reconnect(struct blkdev *dev, struct errbuf *err)
{
	int ret;

	if (dev->nbd)
		nbd_close(dev->nbd);
	dev->nbd = NULL;
	ret = blkdev_connect(dev, err);
	if (ret == -EMEDIUMTYPE || ret == -EROFS)
		return ret;
	if (ret)
		return -EAGAIN;
	ret = identify(dev);
	if (ret == -EIO)
		return -EAGAIN;
	if (ret)
		return err_set(err, ret, "%s: the server came back with other contents",
			       dev->opts.uri);
	return repeat_unflushed(dev) ? -EAGAIN : 0;
}

static void reconnect(struct blkdev *dev)
{
	s64 deadline = now_ms() + dev->opts.reconnect_s * 1000LL;
	struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
	struct errbuf err = { "" };
	int ret;

	log_warn("connection to the NBD server lost",
		 LOG_S("uri", dev->opts.uri));
	for (;;) {
		ret = try_reconnect(dev, &err);
		if (ret != -EAGAIN || now_ms() >= deadline || stopping(dev))
			break;
		nanosleep(&pause, NULL);
	}
	if (!ret) {
		dev->lost = false;
		requeue_inflight(dev);
		log_info("connected to the NBD server again",
			 LOG_S("uri", dev->opts.uri));
		return;
	}
	if (ret == -EAGAIN)
		ret = -EIO;
	log_error("NBD server given up", LOG_S("uri", dev->opts.uri),
		  LOG_S("why", err.text));
	blkdev_fail(dev, ret);
	fail_everything(dev, ret);
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
	if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
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
	if (!stopping(dev) && poll(&fd, 1, -1) > 0)
		eventfd_read(dev->wake, &n);
}

void *blkdev_io_main(void *arg)
{
	struct blkdev *dev = arg;

	while (!stopping(dev)) {
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
