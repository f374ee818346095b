/* SPDX-License-Identifier: MIT */
/*
 * The device under a store: an NBD export, reached through libnbd.
 *
 * Offsets and lengths are bytes and multiples of BLK_SIZE.  Any thread may call
 * these functions at once: all requests are pipelined over one connection, so a FLUSH
 * covers every write acknowledged before it, whether or not the server promises
 * that across connections.  Where it does, others may be opened beside it to read.
 *
 * When the connection breaks a thread connects again and repeats what was not
 * acknowledged, and also the writes acknowledged since the last FLUSH: the
 * new server process may never have stored them.  Callers notice a delay only.
 *
 * A server that fails a FLUSH may have dropped any write since the one before.
 * No later FLUSH can say more about them, so the device fails for good: every
 * further write and flush returns the error, reads go on.
 */
#ifndef AFSX_BLKDEV_H
#define AFSX_BLKDEV_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "defs.h"
#include "err.h"

#define BLK_SHIFT	12
#define BLK_SIZE	4096u
#define BLKDEV_ANY_TIME	S64_MAX

struct blkdev;

/**
 * struct blkdev_opts - how to open a device
 * @uri: NBD URI
 * @rdonly: never write
 * @connect_s: seconds that connecting and the handshake may take; 0 means 10
 * @answer_s: seconds that an answer may take; 0 means 60.  Then the connection is
 *	as good as lost
 * @reconnect_s: seconds to try to connect again before giving up
 * @identify: NULL, or asked on each new connection, before anything is repeated,
 *	whether this is still the same store and may be written to; it asks the
 *	device with blkdev_read_away() and blkdev_write_away().  -EAGAIN has the
 *	device connect again, another errno makes it fail for good
 * @ctx: for @identify
 */
struct blkdev_opts {
	const char *uri;
	bool rdonly;
	unsigned int connect_s;
	unsigned int answer_s;
	unsigned int reconnect_s;
	int (*identify)(void *ctx);
	void *ctx;
};

/**
 * struct blkdev_batch - requests that are waited for together
 * @nr: how many are under way
 * @err: 0, or the first error, negative errno
 * @done: the last of them has ended, or the one who waits shall drive
 * @by_age: while it is waited for
 *
 * Starts as zeros. Owned by one thread.  A batch must be waited for before its memory goes.
 */
struct blkdev_batch {
	unsigned int nr;
	int err;
	pthread_cond_t done;
	TAILQ_ENTRY(blkdev_batch) by_age;
};

/** blkdev_open() - connect; on failure @err says why. */
int blkdev_open(const struct blkdev_opts *o, struct blkdev **dev,
		struct errbuf *err);

/**
 * blkdev_open_beside() - a further connection to the same export
 * @main: device
 * @dev: the connection, as a device of its own, which reads and does nothing else
 * @err: receives a message on failure
 *
 * It takes little time, and fails for good when it ends or no answer comes for a moment:
 * then all its reads return an error.  It does not know whose the store is, nor what
 * @main was told to do: ask blkdev_shared() before each read.
 */
int blkdev_open_beside(struct blkdev *main, struct blkdev **dev,
		       struct errbuf *err);

/**
 * blkdev_shared() - whether other connections may be used for reads beside it
 * @dev: device
 *
 * What is durable here can be read over any connection to a server that promises
 * multi-conn.
 *
 * Return: 0 when they may not: the server does not promise it, the device has failed, is
 * away, or may not send for want of a lease.  Else the number of the connection, by
 * which one made again after a loss, maybe to another server, is told from the first.
 */
unsigned int blkdev_shared(struct blkdev *dev);

/** blkdev_close() - disconnect; all batches must be done. @dev may be NULL. */
void blkdev_close(struct blkdev *dev);

/** blkdev_blocks() - size in whole blocks; changed by blkdev_grow() */
u64 blkdev_blocks(const struct blkdev *dev);

/**
 * blkdev_grow() - use all of an export that has become larger
 * @dev: device
 * @err: says why on failure
 *
 * A connection that was made before the export grew is made again, with all that waits
 * for it, once the server has answered everything on it.  Whether that is of use is seen
 * over another one first.  blkdev_blocks() is the new size then, if there is one.
 *
 * Return: 0; -EMEDIUMTYPE when it is smaller than before, which changes nothing; why the
 * server cannot be asked, or the device is of no use any more.
 */
int blkdev_grow(struct blkdev *dev, struct errbuf *err);

/** blkdev_preferred() - block size that the server prefers, bytes; 0 for any */
u64 blkdev_preferred(const struct blkdev *dev);

/** blkdev_failed() - 0, or the error that made the device fail for good */
int blkdev_failed(struct blkdev *dev);

/**
 * blkdev_fail() - make the device fail for good, as a failed FLUSH does
 * @dev: device
 * @err: why, negative; with -ESTALE, when another process has the store, nothing
 *	that is on its way is sent any more, and reads fail as well
 */
void blkdev_fail(struct blkdev *dev, int err);

/**
 * struct blkdev_stats - requests answered since the device was opened
 * @reads: READ
 * @writes: WRITE
 * @flushes: FLUSH
 * @others: TRIM and WRITE_ZEROES
 * @read_bytes: bytes of @reads
 * @written_bytes: bytes of @writes
 * @errors: requests of any kind that failed
 */
struct blkdev_stats {
	u64 reads;
	u64 writes;
	u64 flushes;
	u64 others;
	u64 read_bytes;
	u64 written_bytes;
	u64 errors;
};

/**
 * blkdev_trust() - until when requests may be sent
 * @dev: device
 * @until: clock_boot_ms(); 0 for ever, as at first
 *
 * What is sent later could arrive when another process has the store.  Only
 * blkdev_read_first() and blkdev_write_first() send something then, until this is
 * called again.  A connection that requests are on, not all of which could be sent
 * yet, is given up; identify() of struct blkdev_opts is to call this on the new one.
 * So is one on which a thread that was stopped just before it sent would be too late.
 */
void blkdev_trust(struct blkdev *dev, s64 until);

/** blkdev_stats() - what the device did so far */
void blkdev_stats(struct blkdev *dev, struct blkdev_stats *stats);

/** blkdev_read() - read and wait */
int blkdev_read(struct blkdev *dev, u64 off, void *buf, size_t len);

/** blkdev_write() - write and wait until acknowledged; not yet durable */
int blkdev_write(struct blkdev *dev, u64 off, const void *buf, size_t len);

/**
 * blkdev_write_fua() - write and wait until durable
 * @dev: device
 * @off: first byte
 * @buf: data
 * @len: bytes
 *
 * Says nothing about other writes.  Where the server has no FUA a FLUSH
 * follows the write, and its failure is final as with blkdev_flush().
 */
int blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf, size_t len);

/** blkdev_read_first() - blkdev_read(), in front of all that waits to be sent */
int blkdev_read_first(struct blkdev *dev, u64 off, void *buf, size_t len);

/**
 * blkdev_write_first() - blkdev_write_fua(), in front of all that waits to be sent
 * @dev: device
 * @off: first byte
 * @buf: data
 * @len: bytes; a block
 * @until: clock_boot_ms() after which it is not sent any more, or BLKDEV_ANY_TIME
 *
 * Return: 0; -ETIME when it could not be sent in time; an I/O error.
 */
int blkdev_write_first(struct blkdev *dev, u64 off, const void *buf, size_t len,
		       s64 until);

/** blkdev_read_away() - read while the device is away, for identify() only */
int blkdev_read_away(struct blkdev *dev, u64 off, void *buf, size_t len);

/** blkdev_write_away() - the same: write, durably; see blkdev_write_first() */
int blkdev_write_away(struct blkdev *dev, u64 off, const void *buf, size_t len,
		      s64 until);

/** blkdev_flush() - make every acknowledged write durable */
int blkdev_flush(struct blkdev *dev);

/** blkdev_zero() - write zeros and wait until acknowledged */
int blkdev_zero(struct blkdev *dev, u64 off, u64 len);

/** blkdev_trim() - contents no longer needed; queued as part of @batch */
void blkdev_trim(struct blkdev *dev, struct blkdev_batch *batch, u64 off,
		 u64 len);

/** blkdev_read_async() - start reading into @buf, as part of @batch */
void blkdev_read_async(struct blkdev *dev, struct blkdev_batch *batch, u64 off,
		       void *buf, size_t len);

/**
 * blkdev_write_async() - start writing a copy of @buf, as part of @batch
 * @dev: device
 * @batch: to wait for
 * @off: first byte
 * @buf: data
 * @len: bytes
 *
 * Blocks while too many bytes are queued.  Requests of one batch may be
 * carried out in any order: wait before touching the same blocks again.
 */
void blkdev_write_async(struct blkdev *dev, struct blkdev_batch *batch, u64 off,
			const void *buf, size_t len);

/** blkdev_has_fua() - whether one write can be made durable without a FLUSH */
bool blkdev_has_fua(const struct blkdev *dev);

/** blkdev_write_fua_async() - blkdev_write_async(), durable once waited for */
void blkdev_write_fua_async(struct blkdev *dev, struct blkdev_batch *batch,
			    u64 off, const void *buf, size_t len);

/** blkdev_wait() - wait for a batch; its first error, and clears it */
int blkdev_wait(struct blkdev *dev, struct blkdev_batch *batch);

#endif /* AFSX_BLKDEV_H */
