/* SPDX-License-Identifier: MIT */
/* A connection in transmission: what transmit.c, job.c and answer.c share. */
#ifndef AFSX_NBD_CONN_H
#define AFSX_NBD_CONN_H

#include "handshake.h"
#include "pace.h"
#include "pool.h"
#include "relay.h"
#include "ring.h"
#include "turns.h"

/**
 * struct conn - a connection
 * @ch: channel
 * @s: what was agreed on
 * @limits: what the client may use
 * @pool: threads for jobs
 * @jobs: that are not answered yet
 * @pace: which requests are brief, or short
 * @turns: whether the client waits for one answer at a time
 * @ring: for jobs that the image can do in the background, or NULL
 * @no_ring: there cannot be one
 * @ring_size: bytes that the jobs on @ring hold
 * @small: the last request has a small answer
 * @heads: how soon the next request comes
 * @data: how soon the next piece of a request's data comes
 * @in: what was received; [@start, @end) is not yet carried out
 * @start: bytes
 * @end: bytes
 * @out: replies that are not yet sent
 * @out_len: bytes of it
 * @relay: for replies that are not copied
 *
 * One thread receives. It alone uses @turns, @ring, @in, @out and @relay.
 */
struct conn {
	struct channel		*ch;
	const struct session	*s;
	const struct limits	*limits;
	struct pool		pool;
	atomic_uint		jobs;
	struct pace		pace;
	struct turns		turns;
	struct ring		*ring;
	bool			no_ring;
	u64			ring_size;
	bool			small;
	struct spin		heads;
	struct spin		data;
	u8			*in;
	size_t			start;
	size_t			end;
	u8			*out;
	size_t			out_len;
	struct relay		relay;
};

#endif /* AFSX_NBD_CONN_H */
