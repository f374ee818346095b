// SPDX-License-Identifier: MIT
#include "store_queue.h"

#include <semaphore.h>

#include "cleanup.h"
#include "store_tx.h"

#define ROUND_MAX	64u	/* changes that a thread executes before its own is durable */

enum job_state {
	JOB_QUEUED,
	JOB_CHOSEN,	/* its owner is to take the lock and execute it */
	JOB_ADDED,	/* it is in the batch, and its owner in the log's list */
	JOB_ENDED,	/* there is nothing to wait for */
};

/**
 * struct job - a change that some thread executes
 * @next: in the queue
 * @body: of store_change()
 * @ctx: likewise
 * @tx: its transaction
 * @state: what its owner finds when it is woken
 * @kept: @body wanted it
 * @ret: result, when @state is JOB_ENDED
 * @waiter: its owner
 */
struct job {
	struct job *next;
	bool (*body)(struct store_tx *tx, void *ctx);
	void *ctx;
	struct store_tx *tx;
	enum job_state state;
	bool kept;
	int ret;
	struct wal_waiter waiter;
};

void queue_init(struct queue *q)
{
	pthread_mutex_init(&q->lock, NULL);
	q->first = NULL;
	q->last = &q->first;
	atomic_init(&q->waiting, 0);
}

void queue_destroy(struct queue *q)
{
	pthread_mutex_destroy(&q->lock);
}

static void put(struct store *st, struct job *job)
{
	struct queue *q = &st->queue;

	MUTEX_GUARD(&q->lock);
	*q->last = job;
	q->last = &job->next;
	atomic_fetch_add(&st->batch.queued, 1);
}

static struct job *take(struct queue *q)
{
	struct job *job;

	MUTEX_GUARD(&q->lock);
	job = q->first;
	if (job)
		q->first = job->next;
	if (!q->first)
		q->last = &q->first;
	return job;
}

/* ---- the writer's lock --------------------------------------------------------- */

void store_enter(struct store *st)
{
	atomic_fetch_add(&st->queue.waiting, 1);
	atomic_fetch_add(&st->batch.queued, 1);
	pthread_mutex_lock(&st->writer_lock);
	atomic_fetch_sub(&st->batch.queued, 1);
	atomic_fetch_sub(&st->queue.waiting, 1);
}

/* Who waits for the lock itself gets it, and sees what is in the queue when it unlocks. */
static bool try_enter(struct store *st)
{
	return !atomic_load(&st->queue.waiting) &&
	       !pthread_mutex_trylock(&st->writer_lock);
}

/*
 * Who entered a change while the lock was held did not get it, and relies on being seen
 * here: the queue's lock was taken after the other one was given back.
 */
void store_unlock(struct store *st)
{
	struct job *job;

	pthread_mutex_unlock(&st->writer_lock);
	job = take(&st->queue);
	if (!job)
		return;
	job->state = JOB_CHOSEN;
	sem_post(&job->waiter.woken);
}

void store_leave(struct store *st)
{
	store_unlock(st);
	wal_kick(st->wal);
}

/* ---- changes ------------------------------------------------------------------- */

static bool execute(struct job *job)
{
	struct store_tx *tx = job->tx;
	bool added = false;

	job->ret = tx_start(tx);
	if (!job->ret) {
		job->kept = job->body(tx, job->ctx);
		if (job->kept)
			job->ret = tx_seal(tx);
		added = job->kept ? !job->ret : tx_give_up(tx);
	}
	job->state = added ? JOB_ADDED : JOB_ENDED;
	job->waiter.ticket = tx->ticket;
	return added;
}

/*
 * Execute what is in the queue. Called with the writer's lock held, which is given back.
 * Return: whether @own was among it.
 */
static bool work(struct store *st, const struct job *own)
{
	struct wal_waiter *list = NULL, **end = &list;
	bool found = false;
	struct job *job;

	for (unsigned int i = 0; i < ROUND_MAX && (job = take(&st->queue)); i++) {
		bool added = execute(job);

		atomic_fetch_sub(&st->batch.queued, 1);
		if (job == own) {
			found = true;
		} else if (added) {
			*end = &job->waiter;
			end = &job->waiter.next;
		} else {
			sem_post(&job->waiter.woken);
		}
	}
	if (list)
		wal_enter(st->wal, list);
	batch_leave(st);
	return found;
}

static bool try_work(struct store *st, const struct job *own)
{
	bool found;

	if (!try_enter(st))
		return false;
	found = work(st, own);
	if (!found)
		wal_kick(st->wal);
	return found;
}

/* Until another thread has executed it, or chose its owner to do so. */
static bool sleep_for(struct store *st, struct job *job)
{
	wal_sleep(st->wal, &job->waiter);
	if (job->state != JOB_CHOSEN)
		return true;
	store_enter(st);
	execute(job);
	atomic_fetch_sub(&st->batch.queued, 1);
	work(st, NULL);
	return false;
}

static int finish(struct store *st, struct job *job, bool woken)
{
	int ret = job->ret;

	if (job->state == JOB_ADDED)
		ret = batch_wait(job->tx, woken ? &job->waiter : NULL);
	/* what failed was not waited for, but others of the round may be in the next batch */
	if (!woken && (ret || job->state != JOB_ADDED))
		wal_kick(st->wal);
	return ret || job->state == JOB_ADDED ?
	       ret : wal_barrier(st->wal, job->tx->losses);
}

int store_change(struct store *st, bool (*body)(struct store_tx *tx, void *ctx),
		 void *ctx)
{
	struct job job = { .body = body, .ctx = ctx };
	bool woken = false;
	int ret = tx_new(st, &job.tx);

	if (ret)
		return ret;
	sem_init(&job.waiter.woken, 0, 0);
	put(st, &job);
	if (!try_work(st, &job))
		woken = sleep_for(st, &job);
	ret = finish(st, &job, woken);
	if (!ret && job.kept)
		tx_tell(job.tx);
	sem_destroy(&job.waiter.woken);
	tx_free(job.tx);
	return ret;
}
