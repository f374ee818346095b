// SPDX-License-Identifier: MIT
#include "blkdev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "blkdev_priv.h"
#include "cleanup.h"
#include "fence.h"
#include "log.h"

/*
 * Bytes in one request for data: several are served at the same time, and arrive while
 * others are.
 */
#define DATA_MAX	((u64)256 * 1024)

#define BESIDE_S	1u	/* that a further connection is waited for */

static void destroy(struct blkdev *dev)
{
	struct blkdev_req *req;

	while ((req = blkdev_queue_take(&dev->spare)))
		free(req);
	if (dev->nbd)
		nbd_close(dev->nbd);
	if (dev->wake >= 0)
		close(dev->wake);
	pthread_mutex_destroy(&dev->lock);
	pthread_cond_destroy(&dev->room);
	pthread_cond_destroy(&dev->io);
	pthread_cond_destroy(&dev->again);
	free((char *)dev->opts.uri);
	free(dev);
}

static int open_one(const struct blkdev_opts *o, bool beside,
		    struct blkdev **out, struct errbuf *err)
{
	struct blkdev *dev = calloc(1, sizeof(*dev));
	int ret;

	if (!dev)
		return err_set(err, -ENOMEM, "out of memory");
	dev->opts = *o;
	dev->opts.uri = strdup(o->uri);
	dev->beside = beside;
	dev->number = 1;
	dev->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&dev->lock, NULL);
	pthread_cond_init(&dev->room, NULL);
	pthread_cond_init(&dev->io, NULL);
	pthread_cond_init(&dev->again, NULL);
	TAILQ_INIT(&dev->waiters);
	blkdev_queue_init(&dev->pending);
	blkdev_queue_init(&dev->inflight);
	blkdev_queue_init(&dev->unflushed);
	blkdev_queue_init(&dev->spare);
	if (!dev->opts.uri || dev->wake < 0) {
		ret = err_set(err, -ENOMEM, "out of memory or descriptors");
		goto fail;
	}
	ret = fence_init();
	if (ret) {
		err_set(err, ret, "cannot handle a signal: %s", strerror(-ret));
		goto fail;
	}
	ret = blkdev_connect(dev, err);
	if (ret)
		goto fail;
	ret = -pthread_create(&dev->thread, NULL, blkdev_io_main, dev);
	if (ret) {
		err_set(err, ret, "cannot start a thread: %s", strerror(-ret));
		goto fail;
	}
	*out = dev;
	return 0;
fail:
	destroy(dev);
	return ret;
}

int blkdev_open(const struct blkdev_opts *o, struct blkdev **dev,
		struct errbuf *err)
{
	return open_one(o, false, dev, err);
}

int blkdev_open_beside(struct blkdev *main, struct blkdev **dev,
		       struct errbuf *err)
{
	const struct blkdev_opts o = {
		.uri = main->opts.uri,
		.rdonly = true,
		.connect_s = BESIDE_S,
		.answer_s = BESIDE_S,
	};

	return open_one(&o, true, dev, err);
}

void blkdev_close(struct blkdev *dev)
{
	if (!dev)
		return;
	pthread_mutex_lock(&dev->lock);
	dev->stop = true;
	pthread_cond_signal(&dev->io);
	pthread_mutex_unlock(&dev->lock);
	eventfd_write(dev->wake, 1);
	pthread_join(dev->thread, NULL);
	destroy(dev);
}

u64 blkdev_blocks(const struct blkdev *dev)
{
	return dev->size >> BLK_SHIFT;
}

/* Look at the export without giving up a connection that is of use. */
static int look_beside(struct blkdev *dev, u64 *size, struct errbuf *err)
{
	const struct blkdev_opts o = {
		.uri = dev->opts.uri,
		.rdonly = true,
		.connect_s = dev->opts.connect_s,
	};
	struct blkdev *other;
	int ret = open_one(&o, true, &other, err);

	if (ret)
		return ret;
	*size = other->size;
	blkdev_close(other);
	return 0;
}

/* Until there is a connection; 0, or why there will be none. */
static int await_connection(struct blkdev *dev)
{
	while ((dev->renewing || dev->lost) && !dev->failed)
		pthread_cond_wait(&dev->again, &dev->lock);
	return dev->failed;
}

/* Use all that the present connection has; 1 when that is more than before. */
static int use_offered(struct blkdev *dev)
{
	MUTEX_GUARD(&dev->lock);
	int ret = await_connection(dev);

	if (!ret && dev->offered > dev->size) {
		dev->size = dev->offered;
		ret = 1;
	}
	return ret;
}

/* A new connection knows how large the export is. */
static int renew(struct blkdev *dev)
{
	MUTEX_GUARD(&dev->lock);
	int ret = await_connection(dev);

	if (ret)
		return ret;
	dev->renewing = true;
	blkdev_push(dev);
	return await_connection(dev);
}

int blkdev_grow(struct blkdev *dev, struct errbuf *err)
{
	int ret = use_offered(dev);
	u64 size = 0;

	if (ret > 0)
		return 0;
	if (!ret) {
		ret = look_beside(dev, &size, err);
		if (ret)
			return err_prefix(err, ret, "no second connection to look at the size");
		if (size < dev->size)
			return err_set(err, -EMEDIUMTYPE, "the export is smaller: %ju KiB, of %ju",
				       (uintmax_t)size / 1024,
				       (uintmax_t)dev->size / 1024);
		if (size == dev->size)
			return 0;
		ret = renew(dev);
	}
	if (!ret)
		ret = use_offered(dev);
	return ret < 0 ? err_set(err, ret, "the device has failed: %s",
				 strerror(-ret)) : 0;
}

u64 blkdev_preferred(const struct blkdev *dev)
{
	return dev->preferred;
}

int blkdev_failed(struct blkdev *dev)
{
	MUTEX_GUARD(&dev->lock);

	return dev->failed;
}

void blkdev_fail_locked(struct blkdev *dev, int err)
{
	if (dev->failed)
		return;
	dev->failed = err;
	dev->renewing = false;
	pthread_cond_broadcast(&dev->again);
	log_error("nothing is written any more until the store is opened again",
		  LOG_S("uri", dev->opts.uri), LOG_S("why", strerror(-err)));
	if (err == -ESTALE)
		blkdev_lose(dev, "another process has the store");
}

void blkdev_fail(struct blkdev *dev, int err)
{
	MUTEX_GUARD(&dev->lock);

	blkdev_fail_locked(dev, err);
}

void blkdev_trust(struct blkdev *dev, s64 until)
{
	MUTEX_GUARD(&dev->lock);

	atomic_store(&dev->trusted, until);
	blkdev_push(dev);	/* what was held back */
}

/* The system would clear its memory each time. */
static struct blkdev_req *new_req(struct blkdev *dev, size_t extra)
{
	if (extra == DATA_MAX) {
		MUTEX_GUARD(&dev->lock);
		if (dev->spare.head) {
			dev->nr_spare--;
			return blkdev_queue_take(&dev->spare);
		}
	}
	return malloc(sizeof(struct blkdev_req) + extra);
}

void blkdev_free_req(struct blkdev *dev, struct blkdev_req *req)
{
	if (req->op != BLKDEV_WRITE || req->len != DATA_MAX ||
	    dev->nr_spare == BLKDEV_UNFLUSHED_MAX / DATA_MAX) {
		free(req);
		return;
	}
	blkdev_queue_put_back(&dev->spare, req);
	dev->nr_spare++;
}

static void count(struct blkdev_stats *stats, const struct blkdev_req *req,
		  int err)
{
	if (err)
		stats->errors++;
	switch (req->op) {
	case BLKDEV_READ:
		stats->reads++;
		stats->read_bytes += req->len;
		break;
	case BLKDEV_WRITE:
		stats->writes++;
		stats->written_bytes += req->len;
		break;
	case BLKDEV_FLUSH:
		stats->flushes++;
		break;
	default:
		stats->others++;
	}
}

void blkdev_stats(struct blkdev *dev, struct blkdev_stats *stats)
{
	MUTEX_GUARD(&dev->lock);

	*stats = dev->stats;
}

void blkdev_complete(struct blkdev *dev, struct blkdev_req *req, int err)
{
	count(&dev->stats, req, err);
	if (req->op == BLKDEV_WRITE) {
		if (dev->queued > BLKDEV_QUEUED_MAX)
			pthread_cond_broadcast(&dev->room);
		dev->queued -= req->len;
	}
	if (req->batch) {
		if (err && !req->batch->err)
			req->batch->err = err;
		if (!--req->batch->nr)
			pthread_cond_signal(&req->batch->done);
	}
}

/* Send @req, or fail it at once on a failed device. */
static void submit(struct blkdev *dev, struct blkdev_batch *batch,
		   struct blkdev_req *req)
{
	int failed = 0;

	req->dev = dev;
	req->batch = batch;
	pthread_mutex_lock(&dev->lock);
	while (req->op == BLKDEV_WRITE && !req->first &&
	       dev->queued > BLKDEV_QUEUED_MAX)
		pthread_cond_wait(&dev->room, &dev->lock);
	if (req->op != BLKDEV_READ)
		failed = dev->failed;
	if (failed) {
		if (!batch->err)
			batch->err = failed;
	} else {
		batch->nr++;
		if (req->op == BLKDEV_WRITE)
			dev->queued += req->len;
		if (req->first)
			blkdev_queue_put_back(&dev->pending, req);
		else
			blkdev_queue_add(&dev->pending, req);
		blkdev_push(dev);
	}
	pthread_mutex_unlock(&dev->lock);
	if (failed)
		free(req);
}

static void start(struct blkdev *dev, struct blkdev_batch *batch,
		  const struct blkdev_req *model, const void *data)
{
	size_t extra = data ? model->len : 0;
	struct blkdev_req *req = new_req(dev, extra);

	if (!req) {
		MUTEX_GUARD(&dev->lock);
		batch->err = -ENOMEM;
		return;
	}
	*req = *model;
	if (data)
		memcpy(req->data, data, extra);
	submit(dev, batch, req);
}

void blkdev_read_async(struct blkdev *dev, struct blkdev_batch *batch, u64 off,
		       void *buf, size_t len)
{
	size_t step = min(dev->max_len, DATA_MAX);

	for (size_t at = 0; at < len; at += step)
		start(dev, batch, &(struct blkdev_req){
			.op = BLKDEV_READ,
			.off = off + at,
			.len = min(len - at, step),
			.buf = (u8 *)buf + at,
		}, NULL);
}

static void write_pieces(struct blkdev *dev, struct blkdev_batch *batch,
			 u64 off, const void *buf, size_t len, bool fua)
{
	size_t step = fua ? dev->max_len : min(dev->max_len, DATA_MAX);

	for (size_t at = 0; at < len; at += step)
		start(dev, batch, &(struct blkdev_req){
			.op = BLKDEV_WRITE,
			.fua = fua,
			.off = off + at,
			.len = min(len - at, step),
		}, (const u8 *)buf + at);
}

void blkdev_write_async(struct blkdev *dev, struct blkdev_batch *batch, u64 off,
			const void *buf, size_t len)
{
	write_pieces(dev, batch, off, buf, len, false);
}

bool blkdev_has_fua(const struct blkdev *dev)
{
	return dev->can_fua;
}

void blkdev_write_fua_async(struct blkdev *dev, struct blkdev_batch *batch,
			    u64 off, const void *buf, size_t len)
{
	write_pieces(dev, batch, off, buf, len, true);
}

int blkdev_wait(struct blkdev *dev, struct blkdev_batch *batch)
{
	int err;

	pthread_mutex_lock(&dev->lock);
	if (batch->nr)
		blkdev_drive(dev, batch);
	err = batch->err;
	batch->err = 0;
	pthread_mutex_unlock(&dev->lock);
	return err;
}

int blkdev_read(struct blkdev *dev, u64 off, void *buf, size_t len)
{
	struct blkdev_batch batch = { 0 };

	blkdev_read_async(dev, &batch, off, buf, len);
	return blkdev_wait(dev, &batch);
}

int blkdev_read_first(struct blkdev *dev, u64 off, void *buf, size_t len)
{
	struct blkdev_batch batch = { 0 };

	start(dev, &batch, &(struct blkdev_req){
		.op = BLKDEV_READ,
		.first = true,
		.until = BLKDEV_ANY_TIME,
		.off = off,
		.len = len,
		.buf = buf,
	}, NULL);
	return blkdev_wait(dev, &batch);
}

int blkdev_write(struct blkdev *dev, u64 off, const void *buf, size_t len)
{
	struct blkdev_batch batch = { 0 };

	write_pieces(dev, &batch, off, buf, len, false);
	return blkdev_wait(dev, &batch);
}

/* Wait for what was to be durable. */
static int wait_durable(struct blkdev *dev, struct blkdev_batch *batch)
{
	int ret = blkdev_wait(dev, batch);

	if (!ret && !dev->can_fua)
		ret = blkdev_flush(dev);
	return ret;
}

int blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf, size_t len)
{
	struct blkdev_batch batch = { 0 };

	write_pieces(dev, &batch, off, buf, len, dev->can_fua);
	return wait_durable(dev, &batch);
}

int blkdev_write_first(struct blkdev *dev, u64 off, const void *buf, size_t len,
		       s64 until)
{
	struct blkdev_batch batch = { 0 };

	start(dev, &batch, &(struct blkdev_req){
		.op = BLKDEV_WRITE,
		.fua = dev->can_fua,
		.first = true,
		.until = until,
		.off = off,
		.len = len,
	}, buf);
	return wait_durable(dev, &batch);
}

int blkdev_flush(struct blkdev *dev)
{
	struct blkdev_batch batch = { 0 };

	if (!dev->can_flush)
		return blkdev_failed(dev);
	start(dev, &batch, &(struct blkdev_req){ .op = BLKDEV_FLUSH }, NULL);
	return blkdev_wait(dev, &batch);
}

void blkdev_trim(struct blkdev *dev, struct blkdev_batch *batch, u64 off,
		 u64 len)
{
	if (dev->can_trim)
		start(dev, batch, &(struct blkdev_req){
			.op = BLKDEV_TRIM,
			.off = off,
			.len = len,
		}, NULL);
}

static int write_zeros(struct blkdev *dev, u64 off, u64 len)
{
	void *zeros CLEANUP_FREE = calloc(1, BLKDEV_REQUEST_MAX);
	struct blkdev_batch batch = { 0 };

	if (!zeros)
		return -ENOMEM;
	for (u64 at = 0; at < len; at += BLKDEV_REQUEST_MAX)
		write_pieces(dev, &batch, off + at, zeros,
			     min(len - at, (u64)BLKDEV_REQUEST_MAX), false);
	return blkdev_wait(dev, &batch);
}

int blkdev_zero(struct blkdev *dev, u64 off, u64 len)
{
	struct blkdev_batch batch = { 0 };
	const u64 step = 1024 * BLKDEV_REQUEST_MAX;	/* the length field has 32 bits */

	if (!dev->can_zero)
		return write_zeros(dev, off, len);
	for (u64 at = 0; at < len; at += step)
		start(dev, &batch, &(struct blkdev_req){
			.op = BLKDEV_ZERO,
			.off = off + at,
			.len = min(len - at, step),
		}, NULL);
	return blkdev_wait(dev, &batch);
}
