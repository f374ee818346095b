/* SPDX-License-Identifier: MIT */
/* Requests that are carried out while the connection goes on receiving. */
#ifndef AFSX_NBD_JOB_H
#define AFSX_NBD_JOB_H

#include "conn.h"

/**
 * struct job - a request, carried out by a thread of the pool or on the ring
 * @pool: of the pool
 * @io: of the ring
 * @c: connection
 * @r: request
 * @begun: ns, when it was given to the ring
 * @room: memory of the data and of the head of the reply, or NULL
 * @data: where the data of a read or write are in it
 */
struct job {
	struct pool_job	pool;
	struct blk_io	io;
	struct conn	*c;
	struct request	r;
	u64		begun;
	u8		*room;
	u8		*data;
};

/** jobs_init() - begin without any; @c is set up but for what is of jobs. */
void jobs_init(struct conn *c);

/** job_new() - a job for @r, with room for its data; NULL when there is no memory. */
struct job *job_new(struct conn *c, const struct request *r);

/** job_free() - give up a job that was not submitted. */
void job_free(struct job *job);

/**
 * job_submit() - have a job done and answered
 * @job: with its data; not the caller's from now on
 *
 * Waits for room.
 *
 * Return: 0, or an error of the channel.
 */
int job_submit(struct job *job);

/**
 * job_run() - carry out a request other than NBD_CMD_BLOCK_STATUS, and note the time
 * @c: connection
 * @r: request
 * @data: as request_run() takes it
 * @flags: BLK_NOWAIT or 0
 *
 * Return: as request_run().
 */
int job_run(struct conn *c, const struct request *r, u8 *data, u32 flags);

/**
 * jobs_wait() - let jobs on the ring go on until there is something to receive
 * @c: connection
 *
 * To be called before the thread waits for the client. Sends all replies there are.
 *
 * Return: 0, or an error of the channel.
 */
int jobs_wait(struct conn *c);

/** jobs_busy() - whether there are jobs that nobody has begun to answer. */
bool jobs_busy(struct conn *c);

/** jobs_end() - wait until all are answered; nothing can be submitted any more. */
void jobs_end(struct conn *c);

#endif /* AFSX_NBD_JOB_H */
