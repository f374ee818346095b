/* SPDX-License-Identifier: MIT */
/*
 * Changes that wait for the writer's lock.
 *
 * Whoever has the lock executes what the others brought while it had it, so that the lock
 * need not be handed from thread to thread, each of which would have to be woken for it. Who
 * brought a change sleeps in the log's list, and is woken when it is durable.
 *
 * A change is in the queue until a thread takes it: one that has the lock, to execute it,
 * or one that gives the lock back, to wake its owner, who then does so. Each owner that sleeps
 * is posted to once.
 */
#ifndef AFSX_STORE_QUEUE_H
#define AFSX_STORE_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>

struct job;
struct store;

/**
 * struct queue - changes that wait
 * @lock: protects @first and @last; the innermost one
 * @first: in the order of their arrival
 * @last: where the next one is entered
 * @waiting: threads that wait for the writer's lock
 */
struct queue {
	pthread_mutex_t lock;
	struct job *first;
	struct job **last;
	atomic_uint waiting;
};

/** queue_init() - an empty queue */
void queue_init(struct queue *q);

/** queue_destroy() - nobody may be in it */
void queue_destroy(struct queue *q);

/** store_enter() - take the writer's lock; counted in @batch.queued meanwhile */
void store_enter(struct store *st);

/** store_unlock() - give the writer's lock back; who waits for the log goes on waiting */
void store_unlock(struct store *st);

/** store_leave() - the same when no batch_wait() follows */
void store_leave(struct store *st);

#endif /* AFSX_STORE_QUEUE_H */
