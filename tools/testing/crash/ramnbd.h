/* SPDX-License-Identifier: MIT */
/*
 * An NBD server in memory, in place of libnbd: ramnbd.c has the functions that
 * tools/volserver calls, so the code under test is the one that runs.  Each
 * request is recorded, with the moments it was sent and answered, and can be
 * made to fail.
 *
 * Answers come late, and in any order, as a server may send them.
 */
#ifndef AFSX_RAMNBD_H
#define AFSX_RAMNBD_H

#include <pthread.h>
#include <stdbool.h>

#include "defs.h"

#define RAM_URI		"nbd://memory"
#define RAM_BLOCK	4096u
#define RAM_SECTOR	512u	/* what a device writes as a whole */
#define RAM_NEVER	U64_MAX

enum ram_op {
	RAM_READ,
	RAM_WRITE,
	RAM_ZERO,
	RAM_TRIM,
	RAM_FLUSH,
};

/**
 * struct ram_req - one recorded request that is not a read
 * @op: kind
 * @fua: as sent
 * @off: first byte
 * @len: bytes
 * @sent: moment
 * @answered: moment, or RAM_NEVER
 * @data: of a write
 */
struct ram_req {
	enum ram_op op;
	bool fua;
	u64 off;
	u64 len;
	u64 sent;
	u64 answered;
	u8 data[];
};

/* How one request goes wrong. */
enum ram_fault {
	RAM_GOOD,
	RAM_EIO,	/* an error, and no effect */
	RAM_ENOSPC,	/* the same; reads are answered with EIO */
	RAM_SHORT,	/* a part is done, then EIO */
	RAM_BROKEN,	/* EIO, as for all later writes and flushes */
	RAM_DISCONNECT,	/* the connection ends; the request may have been done */
	RAM_CRASH,	/* the same, and what was not flushed may be lost */
	RAM_FAULTS
};

/**
 * struct ramdev - the device
 * @mem: what it holds
 * @size: bytes
 * @no_fua: the server does not offer FUA
 * @late: answers come late and out of order
 * @record: requests are recorded
 * @fault: what goes wrong
 * @fault_at: with which request, counted from 1
 * @requests: requests answered so far
 * @lock: protects all of this
 * @rng: for what is random
 * @clock: the next moment
 * @req: what was recorded, in the order of sending
 * @nr: number of requests recorded
 * @room: entries in @req
 * @lose: called for RAM_CRASH with the lock held: makes @mem what is left
 */
struct ramdev {
	u8 *mem;
	u64 size;
	bool no_fua;
	bool late;
	bool record;
	enum ram_fault fault;
	u64 fault_at;
	u64 requests;
	pthread_mutex_t lock;
	u64 rng;
	u64 clock;
	struct ram_req **req;
	u32 nr;
	u32 room;
	void (*lose)(struct ramdev *d);
};

/** ramdev_init() - a device on @size bytes of @mem, which stay the caller's */
void ramdev_init(struct ramdev *d, u8 *mem, u64 size, u64 seed);

/** ramdev_serve() - what RAM_URI leads to from now on */
void ramdev_serve(struct ramdev *d);

/** ramdev_resize() - the export has @size bytes, of the memory there is, from now on */
void ramdev_resize(struct ramdev *d, u64 size);

/** ramdev_now() - the present moment; no request has the same */
u64 ramdev_now(struct ramdev *d);

/** ramdev_forget() - free what was recorded */
void ramdev_forget(struct ramdev *d);

/** rng_next() - splitmix64, so that a seed means the same on any machine */
static inline u64 rng_next(u64 *state)
{
	u64 x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/** rng_below() - a number below @n */
static inline u32 rng_below(u64 *state, u32 n)
{
	return (u32)(rng_next(state) % n);
}

#endif /* AFSX_RAMNBD_H */
