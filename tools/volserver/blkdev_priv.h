/* SPDX-License-Identifier: MIT */
/*
 * Shared by blkdev.c (callers' side), blkdev_io.c (the I/O thread) and
 * blkdev_conn.c (connections).
 */
#ifndef AFSX_BLKDEV_PRIV_H
#define AFSX_BLKDEV_PRIV_H

#include <libnbd.h>

#include "blkdev.h"

enum blkdev_op {
	BLKDEV_READ,
	BLKDEV_WRITE,
	BLKDEV_FLUSH,
	BLKDEV_TRIM,
	BLKDEV_ZERO,
};

/**
 * struct blkdev_req - one NBD request
 * @next: in a struct blkdev_queue
 * @dev: device
 * @batch: who waits, or NULL
 * @op: kind
 * @fua: durable when acknowledged
 * @done: the server has answered
 * @err: its answer, positive errno
 * @ack: of what is written: how many were acknowledged up to it; of a flush:
 *	how many had been when it was sent
 * @off: first byte
 * @len: bytes
 * @buf: destination of a read; the source of a write when @data is not used
 * @data: copy of what is to be written, follows the struct
 */
struct blkdev_req {
	struct blkdev_req *next;
	struct blkdev *dev;
	struct blkdev_batch *batch;
	enum blkdev_op op;
	bool fua;
	bool done;
	int err;
	u64 ack;
	u64 off;
	u64 len;
	void *buf;
	u8 data[];
};

#define BLKDEV_REQUEST_MAX	(1024u * 1024)	/* bytes in one request */

struct blkdev_queue {
	struct blkdev_req *head;
	struct blkdev_req **tail;
};

/**
 * struct blkdev - an open device
 * @opts: as opened; the URI is a copy
 * @size: bytes, a multiple of BLK_SIZE
 * @max_len: longest request, bytes
 * @preferred: block size that the server prefers, bytes; 0 for any
 * @can_flush: the server has a volatile cache, and FLUSH
 * @can_fua: FUA
 * @can_trim: TRIM
 * @can_zero: WRITE_ZEROES
 * @lock: protects what follows
 * @room: there is room in the queue again
 * @pending: to be sent
 * @queued: bytes to be written in @pending and @inflight
 * @stats: requests answered
 * @failed: 0, or the errno (negative) that made the device fail for good
 * @stop: the I/O thread shall end
 * @asleep: it waits for news, and must be woken
 * @wake: eventfd that interrupts the I/O thread's poll
 * @thread: the I/O thread; owns the rest
 * @nbd: connection, or NULL
 * @lost: the connection is of no use any more
 * @inflight: sent, in the order of sending
 * @nr_inflight: their number
 * @acks: writes acknowledged, of data or zeros
 * @unflushed: those of them that are not known to be durable
 * @unflushed_len: their bytes
 * @flushing: a FLUSH that nobody waits for is under way
 */
struct blkdev {
	struct blkdev_opts opts;
	u64 size;
	u64 max_len;
	u64 preferred;
	bool can_flush;
	bool can_fua;
	bool can_trim;
	bool can_zero;

	pthread_mutex_t lock;
	pthread_cond_t room;
	struct blkdev_queue pending;
	u64 queued;
	struct blkdev_stats stats;
	int failed;
	bool stop;
	bool asleep;
	int wake;

	pthread_t thread;
	struct nbd_handle *nbd;
	bool lost;
	struct blkdev_queue inflight;
	unsigned int nr_inflight;
	u64 acks;
	struct blkdev_queue unflushed;
	u64 unflushed_len;
	bool flushing;
};

static inline void blkdev_queue_init(struct blkdev_queue *q)
{
	q->head = NULL;
	q->tail = &q->head;
}

static inline void blkdev_queue_add(struct blkdev_queue *q,
				    struct blkdev_req *req)
{
	req->next = NULL;
	*q->tail = req;
	q->tail = &req->next;
}

static inline struct blkdev_req *blkdev_queue_take(struct blkdev_queue *q)
{
	struct blkdev_req *req = q->head;

	if (req) {
		q->head = req->next;
		if (!q->head)
			q->tail = &q->head;
	}
	return req;
}

/** blkdev_connect() - connect @dev->nbd and learn what the server can do */
int blkdev_connect(struct blkdev *dev, struct errbuf *err);

/**
 * blkdev_reconnect() - get a new connection for one that was lost
 * @dev: device
 *
 * Tries for as long as the options say.  The server must still have the same
 * store; it is given again what it may have lost.
 *
 * Return: 0; or a negative errno that says why the device is of no use now.
 */
int blkdev_reconnect(struct blkdev *dev);

/** blkdev_io_main() - body of the I/O thread */
void *blkdev_io_main(void *dev);

/** blkdev_send() - start a request; negative when that is not possible */
s64 blkdev_send(struct blkdev *dev, struct blkdev_req *req);

/** blkdev_stopping() - blkdev_close() was called */
bool blkdev_stopping(struct blkdev *dev);

/** blkdev_complete() - give a request's result to its batch and free it */
void blkdev_complete(struct blkdev *dev, struct blkdev_req *req, int err);

#endif /* AFSX_BLKDEV_PRIV_H */
