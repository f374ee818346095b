// SPDX-License-Identifier: MIT
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

static atomic_bool beating;	/* an event is posted */
static atomic_bool busy;	/* there was a call since the last one */

static void post(void);

static void beat(struct rxevent *event, void *arg, void *arg1, int arg2)
{
	if (atomic_exchange(&busy, false))
		post();
	else
		atomic_store(&beating, false);
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
	if (!atomic_load(&beating) && !atomic_exchange(&beating, true))
		post();
}
