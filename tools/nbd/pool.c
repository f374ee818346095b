// SPDX-License-Identifier: MIT
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "cleanup.h"
#include "pool.h"

#define JOBS_PER_THREAD	4	/* that may wait for one, or be done by it */
#define IDLE_SECONDS	10
#define STACK_SIZE	(1024 * 1024)	/* GnuTLS needs some */

int pool_thread(void *(*fn)(void *arg), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t thread;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	ret = pthread_create(&thread, &attr, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return -ret;
}

void pool_init(struct pool *pool)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, &attr);
	pthread_cond_init(&pool->rest, NULL);
	pthread_condattr_destroy(&attr);
	pool->head = NULL;
	pool->tail = &pool->head;
	pool->jobs = 0;
	pool->size = 0;
	pool->threads = 0;
	pool->idle = 0;
	pool->stop = false;
}

/* Wait for a job. Return: false when the thread is not needed any more. */
static bool wait_for_job(struct pool *pool)
{
	struct timespec until;
	int ret = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_SECONDS;
	pool->idle++;
	while (!pool->head && !pool->stop && !ret)
		ret = pthread_cond_timedwait(&pool->work, &pool->lock, &until);
	pool->idle--;
	return pool->head;
}

static void *work(void *arg)
{
	struct pool *pool = arg;
	struct pool_job *job;
	u64 size;

	pthread_mutex_lock(&pool->lock);
	while (wait_for_job(pool)) {
		job = pool->head;
		pool->head = job->next;
		if (!pool->head)
			pool->tail = &pool->head;
		size = job->size;
		pthread_mutex_unlock(&pool->lock);
		pool->run(pool->ctx, job);
		pthread_mutex_lock(&pool->lock);
		pool->jobs--;
		pool->size -= size;
		pthread_cond_signal(&pool->rest);
	}
	pool->threads--;
	pthread_cond_signal(&pool->rest);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static bool no_room(const struct pool *pool, u64 size)
{
	return pool->jobs >= pool->max_threads * JOBS_PER_THREAD ||
	       (pool->jobs && pool->size + size > pool->max_size);
}

bool pool_full(struct pool *pool, u64 size)
{
	MUTEX_GUARD(&pool->lock);

	return no_room(pool, size);
}

/* Queue a job. Return: false when no thread could be started for it. */
static bool queue(struct pool *pool, struct pool_job *job)
{
	MUTEX_GUARD(&pool->lock);

	while (no_room(pool, job->size))
		pthread_cond_wait(&pool->rest, &pool->lock);
	/* one thread for each job that nobody does yet, while there may be more */
	if (pool->jobs >= pool->threads && pool->threads < pool->max_threads &&
	    !pool_thread(work, pool))
		pool->threads++;
	if (!pool->threads)
		return false;
	job->next = NULL;
	*pool->tail = job;
	pool->tail = &job->next;
	pool->jobs++;
	pool->size += job->size;
	pthread_cond_signal(&pool->work);
	return true;
}

void pool_submit(struct pool *pool, struct pool_job *job)
{
	if (!queue(pool, job))
		pool->run(pool->ctx, job);
}

void pool_destroy(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	pthread_cond_broadcast(&pool->work);
	while (pool->threads)
		pthread_cond_wait(&pool->rest, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_destroy(&pool->work);
	pthread_cond_destroy(&pool->rest);
	pthread_mutex_destroy(&pool->lock);
}
