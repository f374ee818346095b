// SPDX-License-Identifier: MIT
/* Connections of a device: the first one, and those after one was lost. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "blkdev_priv.h"
#include "cleanup.h"
#include "clock.h"
#include "log.h"

#define CONNECT_DEFAULT	10	/* seconds */
#define RETRY_MS	100
#define POLL_MS		100	/* how soon blkdev_close() is noticed */
#define SETTLE_MS	500	/* for what was sent on a connection given up */

/* When what begins now has taken too long. */
static s64 time_limit(const struct blkdev *dev)
{
	return clock_boot_ms() + (dev->opts.connect_s ? : CONNECT_DEFAULT) * 1000LL;
}

/*
 * Let libnbd work for a moment, and send until @until what it still has.
 * -ETIMEDOUT, -ECANCELED, -EIO.
 */
static int progress(struct blkdev *dev, s64 deadline, s64 until)
{
	int ret;

	if (!(nbd_aio_get_direction(dev->nbd) & LIBNBD_AIO_DIRECTION_WRITE))
		until = BLKDEV_ANY_TIME;
	blkdev_guard(dev, until);
	ret = nbd_poll(dev->nbd, POLL_MS);
	blkdev_unguard(dev, until);
	if (ret < 0)
		return -EIO;
	if (clock_boot_ms() >= deadline)
		return -ETIMEDOUT;
	return blkdev_stopping(dev) ? -ECANCELED : 0;
}

static int shake_hands(struct blkdev *dev, struct errbuf *err)
{
	s64 deadline = time_limit(dev);
	int ret = nbd_aio_connect_uri(dev->nbd, dev->opts.uri);

	while (ret >= 0 && nbd_aio_is_connecting(dev->nbd) > 0)
		ret = progress(dev, deadline, BLKDEV_ANY_TIME);
	if (ret == -ETIMEDOUT)
		return err_set(err, ret, "%s: no NBD handshake within %u seconds",
			       dev->opts.uri,
			       dev->opts.connect_s ? : CONNECT_DEFAULT);
	if (ret < 0 || nbd_aio_is_ready(dev->nbd) <= 0) {
		int code = nbd_get_errno();

		return err_set(err, code > 0 ? -code : -EIO, "cannot connect to NBD URI '%s': %s",
			       dev->opts.uri, nbd_get_error() ? : "the server hung up");
	}
	return 0;
}

static int device_limits(struct blkdev *dev, struct errbuf *err)
{
	s64 size = nbd_get_size(dev->nbd);
	s64 minimum = nbd_get_block_size(dev->nbd, LIBNBD_SIZE_MINIMUM);
	s64 preferred = nbd_get_block_size(dev->nbd, LIBNBD_SIZE_PREFERRED);
	s64 maximum = nbd_get_block_size(dev->nbd, LIBNBD_SIZE_MAXIMUM);

	if (size < 0)
		return err_set(err, -EIO, "%s: the server tells no size",
			       dev->opts.uri);
	if (minimum > (s64)BLK_SIZE)
		return err_set(err, -EINVAL, "%s: blocks of %jd bytes are larger than %u",
			       dev->opts.uri, (intmax_t)minimum, BLK_SIZE);
	size = ROUND_DOWN(size, BLK_SIZE);
	if ((u64)size < dev->size)
		return err_set(err, -EMEDIUMTYPE, "%s: the export has become smaller",
			       dev->opts.uri);
	if (!dev->size)
		dev->size = (u64)size;
	dev->offered = (u64)size;
	dev->preferred = preferred > 0 ? (u64)preferred : 0;
	dev->max_len = BLKDEV_REQUEST_MAX;
	if (maximum >= (s64)BLK_SIZE && maximum < (s64)BLKDEV_REQUEST_MAX)
		dev->max_len = ROUND_DOWN((u64)maximum, BLK_SIZE);
	return 0;
}

int blkdev_connect(struct blkdev *dev, struct errbuf *err)
{
	int ret;

	dev->nbd = nbd_create();
	if (!dev->nbd)
		return err_set(err, -ENOMEM, "%s", nbd_get_error());
	nbd_set_pread_initialize(dev->nbd, false);
	nbd_set_uri_allow_local_file(dev->nbd, true);
	ret = shake_hands(dev, err);
	if (ret)
		return ret;
	if (nbd_is_read_only(dev->nbd) > 0 && !dev->opts.rdonly)
		return err_set(err, -EROFS, "%s: the export is read-only",
			       dev->opts.uri);
	dev->can_flush = nbd_can_flush(dev->nbd) > 0;
	dev->can_fua = nbd_can_fua(dev->nbd) > 0;
	dev->can_trim = nbd_can_trim(dev->nbd) > 0;
	dev->can_zero = nbd_can_zero(dev->nbd) > 0;
	dev->can_share = nbd_can_multi_conn(dev->nbd) > 0;
	return device_limits(dev, err);
}

void blkdev_disconnect(struct blkdev *dev)
{
	if (dev->nbd)
		nbd_close(dev->nbd);
	dev->nbd = NULL;
}

/*
 * One request and its answer, on a new connection.  Without an answer the
 * connection is closed, so that @req and its memory are free again.
 */
static int exchange(struct blkdev *dev, struct blkdev_req *req)
{
	s64 deadline = time_limit(dev);
	int ret = 0;

	req->done = false;
	if (blkdev_send(dev, req) < 0)
		ret = -EIO;
	while (!ret && !req->done)
		ret = progress(dev, deadline, blkdev_limit(dev, req));
	if (!ret && req->err)
		ret = -EIO;
	if (ret)
		blkdev_disconnect(dev);
	return ret;
}

int blkdev_read_away(struct blkdev *dev, u64 off, void *buf, size_t len)
{
	struct blkdev_req req = {
		.op = BLKDEV_READ,
		.until = BLKDEV_ANY_TIME,
		.off = off,
		.len = len,
		.buf = buf,
	};

	return exchange(dev, &req) ? -EAGAIN : 0;
}

int blkdev_write_away(struct blkdev *dev, u64 off, const void *buf, size_t len,
		      s64 until)
{
	struct blkdev_req *req CLEANUP_FREE = malloc(sizeof(*req) + len);
	struct blkdev_req flush = { .op = BLKDEV_FLUSH, .until = BLKDEV_ANY_TIME };

	if (!req)
		return -EAGAIN;
	*req = (struct blkdev_req){
		.op = BLKDEV_WRITE,
		.fua = dev->can_fua,
		.until = until,
		.off = off,
		.len = len,
	};
	memcpy(req->data, buf, len);
	if (exchange(dev, req))
		return -EAGAIN;
	if (dev->can_fua || !dev->can_flush)
		return 0;
	return exchange(dev, &flush) ? -EAGAIN : 0;
}

static int ask_identity(struct blkdev *dev)
{
	return dev->opts.identify ? dev->opts.identify(dev->opts.ctx) : 0;
}

static int repeat_unflushed(struct blkdev *dev)
{
	struct blkdev_req *req;
	int ret = 0;

	for (req = dev->unflushed.head; !ret && req; req = req->next) {
		if (blkdev_is_overdue(dev))
			ret = ask_identity(dev);
		if (!ret && exchange(dev, req))
			ret = -EAGAIN;
	}
	return ret;
}

static void pause_ms(unsigned int ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000L };

	nanosleep(&ts, NULL);
}

/* One attempt.  -EAGAIN: try again later; 0 and other errors are final. */
static int try_again(struct blkdev *dev, struct errbuf *err)
{
	int ret;

	blkdev_disconnect(dev);
	ret = blkdev_connect(dev, err);
	if (ret == -EMEDIUMTYPE || ret == -EROFS)
		return ret;
	if (ret)
		return -EAGAIN;
	if (dev->given_up)
		pause_ms(SETTLE_MS);
	ret = ask_identity(dev);
	if (!ret)
		ret = repeat_unflushed(dev);
	if (!ret && blkdev_is_overdue(dev))
		ret = -EAGAIN;
	if (ret == -ESTALE)
		return err_set(err, ret, "%s: another process took the store over",
			       dev->opts.uri);
	if (ret && ret != -EAGAIN)
		return err_set(err, ret, "%s: the server came back with other contents",
			       dev->opts.uri);
	return ret;
}

/* What the store was not told of may come and go. */
static void tell_of_growth(const struct blkdev *dev)
{
	if (dev->offered > dev->size && !dev->renewing)
		log_warn("the export is larger than before; 'afsx-vol grow' has all of it used",
			 LOG_S("uri", dev->opts.uri),
			 LOG_U("old_kib", dev->size / 1024),
			 LOG_U("new_kib", dev->offered / 1024));
}

int blkdev_reconnect(struct blkdev *dev)
{
	s64 deadline = clock_boot_ms() + dev->opts.reconnect_s * 1000LL;
	struct errbuf err = { "" };
	int ret;

	if (dev->renewing)
		log_info("connecting to the NBD server anew for the size of its export",
			 LOG_S("uri", dev->opts.uri));
	else
		log_warn("connection to the NBD server lost",
			 LOG_S("uri", dev->opts.uri),
			 LOG_S("why", dev->given_up ? : "it ended"));
	for (;;) {
		ret = try_again(dev, &err);
		if (ret != -EAGAIN || clock_boot_ms() >= deadline ||
		    blkdev_stopping(dev))
			break;
		pause_ms(RETRY_MS);
	}
	if (!ret) {
		log_info("connected to the NBD server again",
			 LOG_S("uri", dev->opts.uri));
		tell_of_growth(dev);
		return 0;
	}
	log_error("NBD server given up", LOG_S("uri", dev->opts.uri),
		  LOG_S("why", err.text));
	return ret == -EAGAIN ? -EIO : ret;
}
