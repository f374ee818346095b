/* SPDX-License-Identifier: MIT */
/* Threads of one connection, started when something has to wait for the disk. */
#ifndef AFSX_NBD_POOL_H
#define AFSX_NBD_POOL_H

#include <pthread.h>
#include <stdbool.h>

#include "defs.h"

/**
 * struct pool_job - something to be done; embedded in what it is done to
 * @next: in the queue
 * @size: bytes of memory it holds
 */
struct pool_job {
	struct pool_job	*next;
	u64		size;
};

/**
 * struct pool - threads and what they are to do
 * @run: does a job and frees it; called without @lock
 * @ctx: for @run
 * @max_threads: threads there may be
 * @max_size: bytes that all jobs may hold, if there is more than one
 * @lock: guards all below
 * @work: a job was queued, or @stop set
 * @rest: a job has ended, or a thread
 * @head: first job that nobody does yet
 * @tail: where the next one goes
 * @jobs: queued and running
 * @size: bytes they hold
 * @threads: running
 * @idle: those of them that wait
 * @stop: threads end when the queue is empty
 *
 * Threads that had nothing to do for a while end.
 */
struct pool {
	void		(*run)(void *ctx, struct pool_job *job);
	void		*ctx;
	unsigned int	max_threads;
	u64		max_size;

	pthread_mutex_t	lock;
	pthread_cond_t	work;
	pthread_cond_t	rest;
	struct pool_job	*head;
	struct pool_job	**tail;
	unsigned int	jobs;
	u64		size;
	unsigned int	threads;
	unsigned int	idle;
	bool		stop;
};

/** pool_init() - begin with no thread; the first four members are set. */
void pool_init(struct pool *pool);

/** pool_full() - whether pool_submit() would have to wait for a job of @size bytes. */
bool pool_full(struct pool *pool, u64 size);

/**
 * pool_submit() - have a job done
 * @pool: pool
 * @job: with its size; belongs to the pool from now on
 *
 * Waits for room. Does the job itself when no thread can be started.
 */
void pool_submit(struct pool *pool, struct pool_job *job);

/** pool_destroy() - wait until all is done and every thread has ended. */
void pool_destroy(struct pool *pool);

/**
 * pool_thread() - start a detached thread with a small stack and all signals blocked
 * @fn: its function
 * @arg: argument
 *
 * Return: 0 or a negative errno.
 */
int pool_thread(void *(*fn)(void *arg), void *arg);

#endif /* AFSX_NBD_POOL_H */
