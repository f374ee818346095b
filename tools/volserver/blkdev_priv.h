/* SPDX-License-Identifier: MIT */
/*
 * Shared by blkdev.c (callers' side), blkdev_io.c (what is on its way) and
 * blkdev_conn.c (connections).
 */
#ifndef AFSX_BLKDEV_PRIV_H
#define AFSX_BLKDEV_PRIV_H

#include <libnbd.h>
#include <stdatomic.h>

#include "blkdev.h"
#include "spin.h"

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
 * @first: goes in front of others that wait to be sent
 * @done: the server has answered
 * @err: its answer, positive errno
 * @sent: when, clock_boot_ms()
 * @until: clock_boot_ms() after which it is not sent any more; BLKDEV_ANY_TIME; 0 for
 *	as long as the device may send
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
	bool first;
	bool done;
	int err;
	s64 sent;
	s64 until;
	u64 ack;
	u64 off;
	u64 len;
	void *buf;
	u8 data[];
};

#define BLKDEV_REQUEST_MAX	(1024u * 1024)	/* bytes in one request */
#define BLKDEV_QUEUED_MAX	(8u * 1024 * 1024)	/* bytes waiting to be written */
#define BLKDEV_UNFLUSHED_MAX	(16u * 1024 * 1024)	/* bytes kept to repeat */

TAILQ_HEAD(blkdev_batches, blkdev_batch);

struct blkdev_queue {
	struct blkdev_req *head;
	struct blkdev_req **tail;
};

/**
 * struct blkdev - an open device
 * @opts: as opened; the URI is a copy
 * @size: bytes in use, a multiple of BLK_SIZE
 * @max_len: longest request, bytes
 * @preferred: block size that the server prefers, bytes; 0 for any
 * @can_flush: the server has a volatile cache, and FLUSH
 * @can_fua: FUA
 * @can_trim: TRIM
 * @can_zero: WRITE_ZEROES
 * @can_share: what is durable is so for all connections
 * @beside: it is one of those
 * @lock: protects what follows; what is atomic may be read without it
 * @room: there is room in the queue again
 * @pending: to be sent
 * @queued: bytes to be written in @pending and @inflight
 * @spare: memory of requests to write that is used again
 * @nr_spare: how many
 * @stats: requests answered
 * @failed: 0, or the errno (negative) that made the device fail for good
 * @waiters: batches that are waited for
 * @driving: a thread polls the connection, or makes a new one
 * @wanted: the I/O thread shall drive
 * @stop: it shall end
 * @io: there is something for it to do
 * @again: it has connected again, or never will
 * @wake: eventfd that interrupts the poll of the thread that drives
 * @spin: how soon there is news; of the thread that drives
 * @thread: the I/O thread
 * @nbd: connection, or NULL; as all that follows, it belongs to the I/O thread
 *	while @lost and @driving
 * @lost: the connection is of no use any more
 * @number: of the connection, from 1 on
 * @given_up: why, when it did not end by itself: the server may still be busy with
 *	what was sent on it
 * @trusted: see blkdev_trust()
 * @offered: bytes that its server has, @size or more
 * @renewing: it is given up as soon as all that was sent is answered
 * @inflight: sent, in the order of sending
 * @nr_inflight: their number
 * @inflight_len: bytes that they write
 * @acks: writes acknowledged, of data or zeros
 * @unflushed: those of them that are not known to be durable
 * @unflushed_len: their bytes
 * @flushing: a FLUSH that nobody waits for is under way
 */
struct blkdev {
	struct blkdev_opts opts;
	atomic_ullong size;
	u64 max_len;
	u64 preferred;
	bool can_flush;
	bool can_fua;
	bool can_trim;
	bool can_zero;
	atomic_bool can_share;
	bool beside;

	pthread_mutex_t lock;
	pthread_cond_t room;
	struct blkdev_queue pending;
	u64 queued;
	struct blkdev_queue spare;
	unsigned int nr_spare;
	struct blkdev_stats stats;
	atomic_int failed;
	struct blkdev_batches waiters;
	bool driving;
	bool wanted;
	bool stop;
	pthread_cond_t io;
	pthread_cond_t again;
	int wake;
	struct spin spin;

	pthread_t thread;
	struct nbd_handle *nbd;
	atomic_bool lost;
	atomic_uint number;
	const char *given_up;
	atomic_llong trusted;
	u64 offered;
	atomic_bool renewing;
	struct blkdev_queue inflight;
	unsigned int nr_inflight;
	u64 inflight_len;
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

static inline void blkdev_queue_put_back(struct blkdev_queue *q,
					 struct blkdev_req *req)
{
	req->next = q->head;
	if (!q->head)
		q->tail = &req->next;
	q->head = req;
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

/** blkdev_disconnect() - close the connection, if there is one */
void blkdev_disconnect(struct blkdev *dev);

/** blkdev_is_overdue() - whether identify() has to be asked first */
bool blkdev_is_overdue(const struct blkdev *dev);

/**
 * blkdev_guard() - let libnbd send for a limited time
 * @dev: device
 * @until: clock_boot_ms(), or BLKDEV_ANY_TIME
 *
 * To be called before each call of libnbd's that may send, and undone after it with
 * blkdev_unguard(), by the same thread.
 */
void blkdev_guard(struct blkdev *dev, s64 until);

/** blkdev_unguard() - the end of that; a connection cut off is known to be given up */
void blkdev_unguard(struct blkdev *dev, s64 until);

/** blkdev_limit() - until when @req may be sent, as blkdev_guard() takes it */
s64 blkdev_limit(const struct blkdev *dev, const struct blkdev_req *req);

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

/** blkdev_send() - start a request in time; negative when that is not possible */
s64 blkdev_send(struct blkdev *dev, struct blkdev_req *req);

/** blkdev_free_req() - the end of a request; with the lock held */
void blkdev_free_req(struct blkdev *dev, struct blkdev_req *req);

/** blkdev_stopping() - blkdev_close() was called */
bool blkdev_stopping(struct blkdev *dev);

/**
 * blkdev_lose() - the connection is of no use
 * @dev: device, with the lock held
 * @given_up: NULL when it ended by itself, or why it is given up
 *
 * Whoever drives it leaves it to the I/O thread.
 */
void blkdev_lose(struct blkdev *dev, const char *given_up);

/** blkdev_fail_locked() - blkdev_fail(), with the lock held */
void blkdev_fail_locked(struct blkdev *dev, int err);

/** blkdev_push() - send what is pending, now or soon; with the lock held */
void blkdev_push(struct blkdev *dev);

/** blkdev_drive() - until @batch is done; with the lock held, dropped meanwhile */
void blkdev_drive(struct blkdev *dev, struct blkdev_batch *batch);

/** blkdev_complete() - give a request's result to its batch; with the lock held */
void blkdev_complete(struct blkdev *dev, struct blkdev_req *req, int err);

#endif /* AFSX_BLKDEV_PRIV_H */
