// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <afs/param.h>
#include <afs/stds.h>
#include <rx/rx_clock.h>
#include <rx/rx_event.h>

#include "rx_beat.h"

/* Less than the shortest time librx waits for what mostly comes: an answer, 100 ms. */
#define BEAT_MS		50

/*
 * Held while an event is posted, and by the event: rxevent_Post() takes the reference
 * it returns when the event may have expired already. An event that was over by then
 * would be freed, and freed again.
 */
static pthread_mutex_t posting = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool beating;	/* an event is posted; changes under the mutex */
static atomic_bool busy;	/* there was a call since the last one */

static void post(void);

static void beat(struct rxevent *event, void *arg, void *arg1, int arg2)
{
	pthread_mutex_lock(&posting);
	if (atomic_exchange(&busy, false))
		post();
	else
		atomic_store(&beating, false);
	pthread_mutex_unlock(&posting);
}

static void post(void)
{
	struct rxevent *event;
	struct clock now, when;

	clock_GetTime(&now);
	when = now;
	clock_Addmsec(&when, BEAT_MS);
	event = rxevent_Post(&when, &now, beat, NULL, NULL, 0);
	rxevent_Put(&event);
}

void rx_beat(void)
{
	atomic_store(&busy, true);
	if (atomic_load(&beating))
		return;
	pthread_mutex_lock(&posting);
	if (!atomic_exchange(&beating, true))
		post();
	pthread_mutex_unlock(&posting);
}
