// SPDX-License-Identifier: MIT
/*
 * afsxd-beat: the timer that lets librx's thread sleep, beside librx's own queue of
 * timers. The thread that starts it is held up inside librx until the timer has
 * expired: librx takes the reference it returns after that, so what it belongs to
 * must not be free by then. A timer freed twice is handed out twice.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <afs/param.h>
#include <afs/stds.h>
#include <rx/rx_clock.h>
#include <rx/rx_event.h>

#include "rx_beat.h"

#define EXPIRED_US	100000
#define HELD_UP_SEC	1

static sem_t raised;
static atomic_bool held_up;

static void *raise_events(void *arg)
{
	struct clock next;

	usleep(EXPIRED_US);
	rxevent_RaiseEvents(&next);
	sem_post(&raised);
	return NULL;
}

/*
 * librx calls this while a timer is posted, in the thread that posts it. Whoever must
 * not be raised before that thread goes on waits for it, so it does go on some time.
 */
static void hold_up(void)
{
	struct timespec until;
	pthread_t thread;

	if (atomic_exchange(&held_up, true))
		return;
	if (pthread_create(&thread, NULL, raise_events, NULL))
		return;
	pthread_detach(thread);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HELD_UP_SEC;
	if (!sem_timedwait(&raised, &until))
		sem_post(&raised);
}

static void never(struct rxevent *event, void *arg, void *arg1, int arg2)
{
}

static struct rxevent *post(int seconds)
{
	struct clock now, when;

	clock_GetTime(&now);
	when = now;
	when.sec += seconds;
	return rxevent_Post(&when, &now, never, NULL, NULL, 0);
}

int main(void)
{
	struct rxevent *one, *two;

	sem_init(&raised, 0, 0);
	rxevent_Init(0, hold_up);
	rx_beat();
	sem_wait(&raised);
	one = post(1000);
	two = post(2000);
	if (one == two) {
		fprintf(stderr, "one timer was handed out twice\n");
		return 1;
	}
	return 0;
}
