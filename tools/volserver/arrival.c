// SPDX-License-Identifier: MIT
/* A thread looks at the requests in progress, and sleeps while there are none. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <afsx/abort.h>

#include "arrival.h"
#include "clock.h"
#include "rx_server.h"

/*
 * Milliseconds after which a request counts as incomplete: the thread of one that
 * is whole may have to wait for a processor.
 */
#define SLOW_MS		200

/* Milliseconds between two looks. */
#define LOOK_MS		100

TAILQ_HEAD(arrival_list, arrival);

struct arrivals {
	struct arrivals_config config;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	struct arrival_list list;
	bool asleep;		/* the thread waits for a first request */
	bool stop;
};

/* Incomplete requests of @addr, or of all clients when it is NULL. */
static unsigned int count_slow(const struct arrivals *as, const u32 *addr,
			       s64 now)
{
	const struct arrival *a;
	unsigned int nr = 0;

	TAILQ_FOREACH(a, &as->list, by_age) {
		if (now - a->since < SLOW_MS)
			break;
		nr += !a->ended && (!addr || a->addr == *addr);
	}
	return nr;
}

static bool shall_end(const struct arrivals *as, const struct arrival *a,
		      s64 now)
{
	return now - a->since >= as->config.timeout * 1000LL ||
	       count_slow(as, NULL, now) > as->config.max ||
	       count_slow(as, &a->addr, now) > as->config.max_client;
}

static void look(struct arrivals *as)
{
	s64 now = clock_mono_ms();
	struct arrival *a;

	TAILQ_FOREACH(a, &as->list, by_age) {
		if (now - a->since < SLOW_MS)
			break;
		if (a->ended || !shall_end(as, a, now))
			continue;
		a->ended = true;
		rxs_interrupt(a->rx, AFSX_VBUSY);
	}
}

static void nap(struct arrivals *as)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&as->wake, &as->lock, &until);
}

static void *watch(void *arg)
{
	struct arrivals *as = arg;

	pthread_mutex_lock(&as->lock);
	while (!as->stop) {
		look(as);
		as->asleep = TAILQ_EMPTY(&as->list);
		if (as->asleep)
			pthread_cond_wait(&as->wake, &as->lock);
		else
			nap(as);
		as->asleep = false;
	}
	pthread_mutex_unlock(&as->lock);
	return NULL;
}

struct arrivals *arrivals_new(const struct arrivals_config *config)
{
	struct arrivals *as = calloc(1, sizeof(*as));
	pthread_condattr_t attr;

	if (!as)
		return NULL;
	as->config = *config;
	TAILQ_INIT(&as->list);
	pthread_mutex_init(&as->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&as->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (!pthread_create(&as->thread, NULL, watch, as))
		return as;
	pthread_cond_destroy(&as->wake);
	pthread_mutex_destroy(&as->lock);
	free(as);
	return NULL;
}

void arrivals_free(struct arrivals *as)
{
	if (!as)
		return;
	pthread_mutex_lock(&as->lock);
	as->stop = true;
	pthread_cond_signal(&as->wake);
	pthread_mutex_unlock(&as->lock);
	pthread_join(as->thread, NULL);
	pthread_cond_destroy(&as->wake);
	pthread_mutex_destroy(&as->lock);
	free(as);
}

s32 arrival_begin(struct arrivals *as, struct rxs_call *rx, struct arrival *a)
{
	s32 code = 0;

	*a = (struct arrival){
		.rx = rx,
		.addr = rxs_call_peer(rx).addr,
		.since = clock_mono_ms(),
	};
	pthread_mutex_lock(&as->lock);
	if (count_slow(as, &a->addr, a->since) >= as->config.max_client)
		code = AFSX_VBUSY;
	else
		TAILQ_INSERT_TAIL(&as->list, a, by_age);
	if (as->asleep)
		pthread_cond_signal(&as->wake);
	pthread_mutex_unlock(&as->lock);
	return code;
}

void arrival_end(struct arrivals *as, struct arrival *a)
{
	pthread_mutex_lock(&as->lock);
	TAILQ_REMOVE(&as->list, a, by_age);
	pthread_mutex_unlock(&as->lock);
}
