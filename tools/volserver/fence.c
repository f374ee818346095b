// SPDX-License-Identifier: MIT
#include "fence.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* not in every <signal.h> yet */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/**
 * struct fence - a thread's own
 * @timer: signals it
 * @fd: socket while the fence is raised, or -1
 * @fallen: the signal came in time
 */
struct fence {
	timer_t timer;
	volatile sig_atomic_t fd;
	volatile sig_atomic_t fallen;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int init_error;

static int signal_nr(void)
{
	return SIGRTMIN + FENCE_SIGNAL_NR;
}

/* In the thread that raised the fence. */
static void fall(int sig, siginfo_t *info, void *ctx)
{
	struct fence *f = info->si_value.sival_ptr;
	int saved = errno;

	if (info->si_code == SI_TIMER && f->fd >= 0) {
		shutdown(f->fd, SHUT_RDWR);
		f->fallen = 1;
	}
	errno = saved;
}

static void fence_free(void *arg)
{
	struct fence *f = arg;

	timer_delete(f->timer);
	free(f);
}

static void init_once(void)
{
	struct sigaction sa = {
		.sa_sigaction = fall,
		.sa_flags = SA_SIGINFO | SA_RESTART,
	};

	init_error = -pthread_key_create(&key, fence_free);
	if (!init_error && sigaction(signal_nr(), &sa, NULL))
		init_error = -errno;
}

int fence_init(void)
{
	pthread_once(&once, init_once);
	return init_error;
}

/* The thread may have been started with all signals blocked. */
static void unblock(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal_nr());
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static struct fence *fence_new(void)
{
	struct fence *f = calloc(1, sizeof(*f));
	struct sigevent ev = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = signal_nr(),
		.sigev_value.sival_ptr = f,
	};

	if (!f)
		return NULL;
	f->fd = -1;
	ev.sigev_notify_thread_id = gettid();
	if (timer_create(CLOCK_BOOTTIME, &ev, &f->timer)) {
		free(f);
		return NULL;
	}
	if (pthread_setspecific(key, f)) {
		fence_free(f);
		return NULL;
	}
	unblock();
	return f;
}

static void warn_once(void)
{
	static atomic_flag warned = ATOMIC_FLAG_INIT;

	if (!atomic_flag_test_and_set(&warned))
		log_warn("no timer for a thread that writes: after a long stop it may send one request that is too late",
			 LOG_S("why", strerror(errno)));
}

static void set_timer(struct fence *f, s64 at)
{
	struct itimerspec when = {
		.it_value = { at / 1000, at % 1000 * 1000000 },
	};

	timer_settime(f->timer, TIMER_ABSTIME, &when, NULL);
}

void fence_raise(int fd, s64 until)
{
	struct fence *f = pthread_getspecific(key) ? : fence_new();

	if (!f) {
		warn_once();
		return;
	}
	f->fallen = 0;
	f->fd = fd;
	set_timer(f, until);
}

bool fence_lower(void)
{
	struct fence *f = pthread_getspecific(key);

	if (!f)
		return false;
	set_timer(f, 0);
	f->fd = -1;
	return f->fallen;
}
