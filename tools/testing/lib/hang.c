// SPDX-License-Identifier: MIT
#include "hang.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "die.h"

static atomic_uint seconds;
static void (*tell_of_it)(void);

static void *watch(void *arg)
{
	while (atomic_fetch_add(&seconds, 1) < HANG_S)
		sleep(1);
	if (tell_of_it)
		tell_of_it();
	die("hangs: nothing came to its end for %u s", HANG_S);
}

void hang_watch(void (*tell)(void))
{
	pthread_t thread;

	tell_of_it = tell;
	must(-pthread_create(&thread, NULL, watch, NULL), "thread");
	pthread_detach(thread);
}

void hang_over(void)
{
	atomic_store(&seconds, 0);
}
