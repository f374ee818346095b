// SPDX-License-Identifier: MIT
/*
 * Requests and answers on their way.  A request is sent by the thread that makes it.
 * Of those that wait for answers one drives the connection for all, and hands that
 * over when it has its own: an answer wakes the thread it is for and no other.  The
 * I/O thread drives only while more is to be sent than the socket takes, and connects
 * again.  Everything here is called with the lock held, except where it says not.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "blkdev_priv.h"
#include "cleanup.h"
#include "clock.h"
#include "fence.h"

#define INFLIGHT_MAX	64u
#define INFLIGHT_BYTES	(16u * 1024 * 1024)	/* or a lease would take too long */
#define ANSWER_DEFAULT	60		/* seconds */
#define LOOK_MS		1000		/* how soon it is noticed that none came */
#define QUICK_BYTES	(64u * 1024)	/* whose answer may come before one is asleep */
#define TOO_OLD		"the lease is too old"

/* Called by libnbd, inside nbd_aio_notify_*(). */
static int on_answer(void *ctx, int *error)
{
	struct blkdev_req *req = ctx;

	req->done = true;
	req->err = *error;
	return 1;
}

static s64 give_to_libnbd(struct blkdev *dev, struct blkdev_req *req)
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

s64 blkdev_send(struct blkdev *dev, struct blkdev_req *req)
{
	s64 until = blkdev_limit(dev, req);
	s64 ret;

	blkdev_guard(dev, until);
	ret = give_to_libnbd(dev, req);
	blkdev_unguard(dev, until);
	return ret;
}

/* Bytes that are sent with a request. */
static u64 payload_of(const struct blkdev_req *req)
{
	return req->op == BLKDEV_WRITE ? req->len : 0;
}

/* Bytes that a request to be repeated keeps in memory. */
static u64 memory_of(const struct blkdev_req *req)
{
	return sizeof(*req) + payload_of(req);
}

static void forget_flushed(struct blkdev *dev, u64 limit)
{
	while (dev->unflushed.head && dev->unflushed.head->ack <= limit) {
		struct blkdev_req *req = blkdev_queue_take(&dev->unflushed);

		dev->unflushed_len -= memory_of(req);
		blkdev_free_req(dev, req);
	}
}

/*
 * What is durable is not repeated, so that what is repeated must not undo it: data that
 * nobody wanted in the end were here, and others took their place.  Zeros are flushed
 * before their place is used.
 */
static void write_over_unflushed(struct blkdev *dev, const struct blkdev_req *req)
{
	for (struct blkdev_req *r = dev->unflushed.head; r; r = r->next) {
		u64 from = max(r->off, req->off);
		u64 end = min(r->off + r->len, req->off + req->len);

		if (r->op == BLKDEV_WRITE && from < end)
			memcpy(r->data + (from - r->off),
			       req->data + (from - req->off), end - from);
	}
}

/* Act on the answer to @req, and give it back or keep it to be repeated. */
static void finish(struct blkdev *dev, struct blkdev_req *req)
{
	int err = -req->err;
	bool keep = false;

	if (req->op == BLKDEV_FLUSH) {
		if (err)
			blkdev_fail_locked(dev, err);
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
	if (req->op == BLKDEV_WRITE && req->fua && !err)
		write_over_unflushed(dev, req);
	blkdev_complete(dev, req, err);
	if (keep) {
		blkdev_queue_add(&dev->unflushed, req);
		dev->unflushed_len += memory_of(req);
	} else {
		blkdev_free_req(dev, req);
	}
}

static bool is_disconnect(int err)
{
	return err == ENOTCONN || err == ESHUTDOWN || err == ECONNRESET ||
	       err == EPIPE;
}

static void wake_driver(struct blkdev *dev)
{
	/* cannot fail: the counter never comes near its limit */
	eventfd_write(dev->wake, 1);
}

void blkdev_lose(struct blkdev *dev, const char *given_up)
{
	if (!dev->lost && given_up)
		dev->given_up = given_up;
	dev->lost = true;
	if (dev->beside && !dev->failed)
		dev->failed = -ENOTCONN;	/* nobody connects it again */
	if (dev->driving)
		wake_driver(dev);
	else
		pthread_cond_signal(&dev->io);
}

/*
 * Sending may find that the connection has ended. It has no descriptor then: whoever
 * drives it must not go and wait for news.
 */
static void notice_end(struct blkdev *dev)
{
	if (nbd_aio_is_dead(dev->nbd) > 0 || nbd_aio_is_closed(dev->nbd) > 0)
		blkdev_lose(dev, NULL);
}

bool blkdev_is_overdue(const struct blkdev *dev)
{
	s64 until = atomic_load(&dev->trusted);

	return until && clock_boot_ms() > until;
}

static bool has_changes_inflight(const struct blkdev *dev)
{
	const struct blkdev_req *req = dev->inflight.head;

	while (req && req->op == BLKDEV_READ)
		req = req->next;
	return req;
}

/*
 * Until when changes may be sent.  A failed device sends none, so its connection is good
 * enough for reads.
 */
static s64 limit_of_changes(const struct blkdev *dev)
{
	if (dev->failed && !has_changes_inflight(dev))
		return BLKDEV_ANY_TIME;
	return atomic_load(&dev->trusted) ? : BLKDEV_ANY_TIME;
}

s64 blkdev_limit(const struct blkdev *dev, const struct blkdev_req *req)
{
	return req->until ? : limit_of_changes(dev);
}

void blkdev_guard(struct blkdev *dev, s64 until)
{
	if (until != BLKDEV_ANY_TIME)
		fence_raise(nbd_aio_get_fd(dev->nbd), until);
}

void blkdev_unguard(struct blkdev *dev, s64 until)
{
	if (until != BLKDEV_ANY_TIME && fence_lower())
		dev->given_up = TOO_OLD;
}

/* Nothing may be sent but what renews the lease. */
static bool is_held(const struct blkdev *dev)
{
	return clock_boot_ms() > limit_of_changes(dev);
}

unsigned int blkdev_shared(struct blkdev *dev)
{
	if (dev->lost || dev->failed || !dev->can_share || blkdev_is_overdue(dev))
		return 0;
	return dev->number;	/* of one that was not lost a moment ago */
}

/*
 * libnbd sends what it still has whenever it is called.  A server that says nothing
 * may be waited for, but what it would be sent now may be too late.
 *
 * Return: until when libnbd may be called.
 */
static s64 notice_delay(struct blkdev *dev)
{
	s64 until;

	if (nbd_aio_is_ready(dev->nbd) > 0)
		return BLKDEV_ANY_TIME;	/* it has nothing to send */
	until = limit_of_changes(dev);
	if (clock_boot_ms() > until)
		blkdev_lose(dev, TOO_OLD);
	return until;
}

static bool may_send(struct blkdev *dev, const struct blkdev_req *req)
{
	if (dev->lost)
		return false;
	return !is_held(dev) || (req->first && nbd_aio_is_ready(dev->nbd) > 0);
}

static void collect_answers(struct blkdev *dev)
{
	struct blkdev_queue left;
	struct blkdev_req *req;

	notice_end(dev);
	blkdev_queue_init(&left);
	while ((req = blkdev_queue_take(&dev->inflight))) {
		if (req->done && is_disconnect(req->err))
			blkdev_lose(dev, NULL);
		if (req->done && !(req->err && dev->lost)) {
			dev->nr_inflight--;
			dev->inflight_len -= payload_of(req);
			finish(dev, req);
		} else {
			blkdev_queue_add(&left, req);
		}
	}
	dev->inflight = left;
	if (!left.head)
		dev->inflight.tail = &dev->inflight.head;
}

/* Nothing is left for the server to do on a connection that is given up then. */
static void renew_when_idle(struct blkdev *dev)
{
	if (dev->renewing && !dev->inflight.head && !dev->lost)
		blkdev_lose(dev, NULL);
}

/* The next request to be sent, if there is one and it may be. */
static struct blkdev_req *next_to_send(struct blkdev *dev)
{
	struct blkdev_req *req;
	int err;

	if (dev->renewing || dev->nr_inflight >= INFLIGHT_MAX ||
	    dev->inflight_len >= INFLIGHT_BYTES)
		return NULL;
	while (dev->pending.head && may_send(dev, dev->pending.head)) {
		req = blkdev_queue_take(&dev->pending);
		err = req->op == BLKDEV_READ ? 0 : dev->failed;
		if (!err && req->until && clock_boot_ms() > req->until)
			err = -ETIME;
		if (!err)
			return req;
		blkdev_complete(dev, req, err);
		blkdev_free_req(dev, req);
	}
	return NULL;
}

static void send_pending(struct blkdev *dev)
{
	struct blkdev_req *req;

	renew_when_idle(dev);
	while ((req = next_to_send(dev))) {
		req->done = false;
		req->sent = clock_boot_ms();
		blkdev_queue_add(&dev->inflight, req);
		dev->nr_inflight++;
		dev->inflight_len += payload_of(req);
		if (blkdev_send(dev, req) >= 0)
			continue;
		if (nbd_aio_is_ready(dev->nbd) > 0 ||
		    nbd_aio_is_processing(dev->nbd) > 0) {
			/* refused by libnbd itself, as out of bounds */
			req->done = true;
			req->err = nbd_get_errno();
			collect_answers(dev);
		} else {
			blkdev_lose(dev, NULL);
		}
	}
	if (!dev->lost)
		notice_end(dev);
}

/* The oldest request comes first. */
static void notice_silence(struct blkdev *dev)
{
	s64 limit = (dev->opts.answer_s ? : ANSWER_DEFAULT) * 1000LL;

	if (!dev->lost && dev->inflight.head &&
	    clock_boot_ms() - dev->inflight.head->sent > limit)
		blkdev_lose(dev, "the server does not answer");
}

/* Bound the memory of what would have to be repeated. */
static void flush_when_due(struct blkdev *dev)
{
	struct blkdev_req *req;

	if (dev->unflushed_len < BLKDEV_UNFLUSHED_MAX || dev->flushing)
		return;
	req = calloc(1, sizeof(*req));
	if (!req)
		return;
	req->op = BLKDEV_FLUSH;
	dev->flushing = true;
	blkdev_queue_add(&dev->pending, req);
}

/* Put what was sent in vain in front of what has not been sent yet. */
static void requeue_inflight(struct blkdev *dev)
{
	if (!dev->inflight.head)
		return;
	*dev->inflight.tail = dev->pending.head;
	if (!dev->pending.head)
		dev->pending.tail = dev->inflight.tail;
	dev->pending.head = dev->inflight.head;
	blkdev_queue_init(&dev->inflight);
	dev->nr_inflight = 0;
	dev->inflight_len = 0;
}

static void fail_everything(struct blkdev *dev)
{
	struct blkdev_req *req;

	blkdev_disconnect(dev);
	requeue_inflight(dev);
	while ((req = blkdev_queue_take(&dev->pending))) {
		blkdev_complete(dev, req, dev->failed);
		blkdev_free_req(dev, req);
	}
}

/* Whether something waits to be sent, or somebody for that, or for all answers. */
static bool is_backed_up(struct blkdev *dev)
{
	return dev->renewing || dev->pending.head ||
	       dev->queued > BLKDEV_QUEUED_MAX ||
	       nbd_aio_get_direction(dev->nbd) & LIBNBD_AIO_DIRECTION_WRITE;
}

/* Somebody else shall drive, if there is a need to. */
static void pass_on(struct blkdev *dev)
{
	struct blkdev_batch *batch;

	dev->driving = false;
	if (dev->lost) {
		pthread_cond_signal(&dev->io);
		return;
	}
	TAILQ_FOREACH(batch, &dev->waiters, by_age) {
		if (batch->nr) {
			pthread_cond_signal(&batch->done);
			return;
		}
	}
	dev->wanted = is_backed_up(dev);
	if (dev->wanted)
		pthread_cond_signal(&dev->io);
}

/* What the thread that drives waits for. */
struct news {
	struct pollfd fds[2];	/* the eventfd, and the connection */
	int ret;		/* as poll() returned */
};

static bool look_for_news(void *ctx)
{
	struct news *news = ctx;

	news->ret = poll(news->fds, ARRAY_SIZE(news->fds), 0);
	return news->ret;
}

static void sleep_for_news(void *ctx)
{
	struct news *news = ctx;

	news->ret = poll(news->fds, ARRAY_SIZE(news->fds), LOOK_MS);
}

/* Large requests keep the processors busy, and the server has more use for them. */
static bool is_quick(const struct blkdev *dev)
{
	const struct blkdev_req *req = dev->inflight.head;

	return dev->inflight_len <= QUICK_BYTES &&
	       (!req || req->op != BLKDEV_READ || req->len <= QUICK_BYTES);
}

/* @revents: of the connection, as poll() has them */
static void move_bytes(struct blkdev *dev, short revents)
{
	s64 until = notice_delay(dev);
	unsigned int dir;

	if (dev->lost)
		return;
	blkdev_guard(dev, until);
	/* others may have sent something meanwhile */
	dir = nbd_aio_get_direction(dev->nbd);
	if (revents & POLLOUT && dir & LIBNBD_AIO_DIRECTION_WRITE)
		nbd_aio_notify_write(dev->nbd);
	else if (revents & ~POLLOUT && dir & LIBNBD_AIO_DIRECTION_READ)
		nbd_aio_notify_read(dev->nbd);
	blkdev_unguard(dev, until);
}

/* Called with the lock held, which is dropped while there is no news. */
static void wait_for_news(struct blkdev *dev)
{
	static const struct spin_wait wait = {
		.look = look_for_news,
		.sleep = sleep_for_news,
	};
	unsigned int dir = nbd_aio_get_direction(dev->nbd);
	struct news news = {
		.fds = { { .fd = dev->wake, .events = POLLIN },
			 { .fd = nbd_aio_get_fd(dev->nbd) } },
	};
	bool quick = is_quick(dev);
	eventfd_t n;

	if (dir & LIBNBD_AIO_DIRECTION_READ)
		news.fds[1].events |= POLLIN;
	if (dir & LIBNBD_AIO_DIRECTION_WRITE)
		news.fds[1].events |= POLLOUT;
	pthread_mutex_unlock(&dev->lock);
	if (quick)
		spin_wait(&dev->spin, &wait, &news);
	else
		sleep_for_news(&news);
	pthread_mutex_lock(&dev->lock);
	if (news.ret < 0)
		return;
	if (news.fds[0].revents)
		eventfd_read(dev->wake, &n);
	if (news.fds[1].revents)
		move_bytes(dev, news.fds[1].revents);
}

static bool is_done(struct blkdev *dev, const struct blkdev_batch *batch)
{
	if (dev->lost)
		return true;
	return batch ? !batch->nr : dev->stop || !is_backed_up(dev);
}

/* Move requests and answers until @batch is done; NULL: until all is sent. */
static void drive(struct blkdev *dev, const struct blkdev_batch *batch)
{
	dev->driving = true;
	while (!is_done(dev, batch)) {
		wait_for_news(dev);
		collect_answers(dev);
		notice_silence(dev);
		flush_when_due(dev);
		send_pending(dev);
	}
	pass_on(dev);
}

void blkdev_push(struct blkdev *dev)
{
	send_pending(dev);
	if (!dev->lost && !is_backed_up(dev))
		return;
	if (dev->driving) {
		wake_driver(dev);
	} else {
		dev->wanted = true;
		pthread_cond_signal(&dev->io);
	}
}

void blkdev_drive(struct blkdev *dev, struct blkdev_batch *batch)
{
	TAILQ_INSERT_TAIL(&dev->waiters, batch, by_age);
	while (batch->nr) {
		if (dev->driving || dev->lost)
			pthread_cond_wait(&batch->done, &dev->lock);
		else
			drive(dev, batch);
	}
	TAILQ_REMOVE(&dev->waiters, batch, by_age);
}

bool blkdev_stopping(struct blkdev *dev)
{
	MUTEX_GUARD(&dev->lock);

	return dev->stop;
}

/* Called with the lock held, which is dropped meanwhile. */
static void reconnect(struct blkdev *dev)
{
	int ret;

	dev->driving = true;
	pthread_mutex_unlock(&dev->lock);
	ret = blkdev_reconnect(dev);
	pthread_mutex_lock(&dev->lock);
	if (ret) {
		blkdev_fail_locked(dev, ret);
		dev->driving = false;
		return;
	}
	dev->number++;
	dev->lost = false;
	dev->renewing = false;
	dev->given_up = NULL;
	pthread_cond_broadcast(&dev->again);
	requeue_inflight(dev);
	send_pending(dev);
	pass_on(dev);
}

/* What nobody who waits can do: one step. */
static void work(struct blkdev *dev)
{
	dev->wanted = false;
	if (dev->lost && dev->failed)
		fail_everything(dev);
	else if (dev->lost)
		reconnect(dev);
	else
		drive(dev, NULL);
}

static bool has_work(const struct blkdev *dev)
{
	if (dev->driving)
		return false;
	if (dev->lost && dev->failed)
		return dev->pending.head || dev->inflight.head;
	return dev->lost || dev->wanted;
}

void *blkdev_io_main(void *arg)
{
	struct blkdev *dev = arg;

	pthread_mutex_lock(&dev->lock);
	while (!dev->stop) {
		if (has_work(dev))
			work(dev);
		else
			pthread_cond_wait(&dev->io, &dev->lock);
	}
	pthread_mutex_unlock(&dev->lock);
	forget_flushed(dev, U64_MAX);
	if (dev->nbd && !dev->lost)
		nbd_shutdown(dev->nbd, 0);
	return NULL;
}
