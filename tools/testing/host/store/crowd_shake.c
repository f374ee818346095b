// SPDX-License-Identifier: MIT
/*
 * How threads get into each other's way: at the moments where one has just let another go
 * on, or is about to wait, it gives its turn away or sleeps now and then.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "crowd.h"
#include "wrap.h"

#define SELDOM	256u
#define OFTEN	16u

static atomic_uint write_us;
static atomic_int writes_left;	/* of the log; negative: any number */
static atomic_uint threads;
static __thread unsigned int seed;

static unsigned int draw(void)
{
	if (!seed)
		seed = 1 + 7919 * atomic_fetch_add(&threads, 1);
	return (unsigned int)rand_r(&seed);
}

/* One time of @rare it sleeps, and one of 8 it gives its turn away. */
static void shake(unsigned int rare)
{
	if (!(draw() % rare))
		usleep(draw() % 200);
	else if (!(draw() % 8))
		sched_yield();
}

void device_begin(unsigned int us, unsigned int writes)
{
	atomic_store(&write_us, us);
	atomic_store(&writes_left, writes ? (int)writes : -1);
}

/* Once one has failed, all others do. */
static bool fails(u64 off)
{
	int left = atomic_load(&writes_left);

	if (off < 2 * BLK_SIZE || left < 0)	/* the lease */
		return false;
	if (left)
		atomic_fetch_sub(&writes_left, 1);
	return left <= 1;
}

int __wrap_blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf, size_t len)
{
	unsigned int us = atomic_load(&write_us);

	if (us)
		usleep(us / 2 + draw() % us / 2);
	shake(OFTEN);
	return fails(off) ? -EIO : __real_blkdev_write_fua(dev, off, buf, len);
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
	int ret = __real_pthread_mutex_unlock(lock);

	shake(SELDOM);
	return ret;
}

int __wrap_sem_post(sem_t *sem)
{
	int ret;

	shake(OFTEN);
	ret = __real_sem_post(sem);
	shake(OFTEN);
	return ret;
}

int __wrap_wal_wait(struct wal *w, u64 ticket)
{
	shake(OFTEN);
	return __real_wal_wait(w, ticket);
}

void __wrap_wal_enter(struct wal *w, struct wal_waiter *list)
{
	shake(OFTEN);
	__real_wal_enter(w, list);
	shake(OFTEN);
}
