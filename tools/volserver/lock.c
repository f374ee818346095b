// SPDX-License-Identifier: MIT
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "lock.h"

/* Chains of the hash; a power of two. */
#define LOCK_CHAINS	1024u

/* lock.count of a vnode that is locked for writing */
#define WRITER		U32_MAX

/* A locked vnode. */
struct lock {
	LIST_ENTRY(lock) by_fid;
	TAILQ_ENTRY(lock) by_age;	/* the next to expire first */
	struct afsx_fid fid;
	u32 count;
	time_t expires;			/* monotonic seconds */
};

LIST_HEAD(lock_chain, lock);
TAILQ_HEAD(lock_age, lock);

struct locks {
	pthread_mutex_t mutex;
	unsigned int max;
	unsigned int lifetime;
	unsigned int nr;
	struct lock_age age;
	struct lock_chain chains[LOCK_CHAINS];
};

/**
 * locks_new() - make an empty table
 * @max: vnodes that can be locked at once
 * @lifetime: seconds a lock lasts
 *
 * Return: the table, or NULL without memory.
 */
struct locks *locks_new(unsigned int max, unsigned int lifetime)
{
	struct locks *locks = calloc(1, sizeof(*locks));

	if (!locks)
		return NULL;
	locks->max = max;
	locks->lifetime = lifetime;
	TAILQ_INIT(&locks->age);
	pthread_mutex_init(&locks->mutex, NULL);
	return locks;
}

static void drop(struct locks *locks, struct lock *lock)
{
	LIST_REMOVE(lock, by_fid);
	TAILQ_REMOVE(&locks->age, lock, by_age);
	locks->nr--;
	free(lock);
}

/** locks_free() - free the table and what is in it; may be NULL */
void locks_free(struct locks *locks)
{
	struct lock *lock;

	if (!locks)
		return;
	while ((lock = TAILQ_FIRST(&locks->age)))
		drop(locks, lock);
	pthread_mutex_destroy(&locks->mutex);
	free(locks);
}

static struct lock_chain *chain_of(struct locks *locks,
				   const struct afsx_fid *fid)
{
	u32 hash = (fid->vid * 31 + fid->vnode) * 2654435761u;

	return &locks->chains[hash / (U32_MAX / LOCK_CHAINS + 1)];
}

static void expire(struct locks *locks)
{
	struct lock *lock;
	time_t t = clock_mono_s();

	while ((lock = TAILQ_FIRST(&locks->age)) && lock->expires < t)
		drop(locks, lock);
}

/* The lock on a vnode, if there is one; expired ones are gone. */
static struct lock *find(struct locks *locks, const struct afsx_fid *fid)
{
	struct lock *lock;

	expire(locks);
	LIST_FOREACH(lock, chain_of(locks, fid), by_fid) {
		if (afsx_fid_eq(&lock->fid, fid))
			return lock;
	}
	return NULL;
}

static struct lock *add(struct locks *locks, const struct afsx_fid *fid)
{
	struct lock *lock = calloc(1, sizeof(*lock));

	if (!lock)
		return NULL;
	lock->fid = *fid;
	LIST_INSERT_HEAD(chain_of(locks, fid), lock, by_fid);
	TAILQ_INSERT_TAIL(&locks->age, lock, by_age);
	locks->nr++;
	return lock;
}

static void renew(struct locks *locks, struct lock *lock)
{
	lock->expires = clock_mono_s() + locks->lifetime;
	TAILQ_REMOVE(&locks->age, lock, by_age);
	TAILQ_INSERT_TAIL(&locks->age, lock, by_age);
}

/**
 * locks_set() - lock a vnode
 * @locks: table
 * @fid: vnode
 * @type: AFSX_LOCK_READ or AFSX_LOCK_WRITE
 *
 * Return: 0; -EAGAIN when a lock is in the way; -ENOLCK when the table is full.
 */
int locks_set(struct locks *locks, const struct afsx_fid *fid, u32 type)
{
	struct lock *lock;

	MUTEX_GUARD(&locks->mutex);
	lock = find(locks, fid);
	if (lock && (type == AFSX_LOCK_WRITE || lock->count == WRITER))
		return -EAGAIN;
	if (!lock && locks->nr < locks->max)
		lock = add(locks, fid);
	if (!lock)
		return -ENOLCK;
	if (type == AFSX_LOCK_WRITE)
		lock->count = WRITER;
	else
		lock->count++;
	renew(locks, lock);
	return 0;
}

/**
 * locks_extend() - keep a vnode locked
 * @locks: table
 * @fid: vnode
 *
 * Return: 0; -EINVAL when it is not locked.
 */
int locks_extend(struct locks *locks, const struct afsx_fid *fid)
{
	struct lock *lock;

	MUTEX_GUARD(&locks->mutex);
	lock = find(locks, fid);
	if (!lock)
		return -EINVAL;
	renew(locks, lock);
	return 0;
}

/**
 * locks_release() - give up one lock on a vnode
 * @locks: table
 * @fid: vnode; need not be locked
 *
 * Return: as locks_count(): 0 when others can lock it now.
 */
u32 locks_release(struct locks *locks, const struct afsx_fid *fid)
{
	struct lock *lock;

	MUTEX_GUARD(&locks->mutex);
	lock = find(locks, fid);
	if (!lock)
		return 0;
	if (lock->count == WRITER || lock->count == 1) {
		drop(locks, lock);
		return 0;
	}
	return --lock->count;
}

/** locks_number() - vnodes that are locked */
unsigned int locks_number(struct locks *locks)
{
	MUTEX_GUARD(&locks->mutex);
	expire(locks);
	return locks->nr;
}

/** locks_count() - readers of a vnode; all bits set when it has a writer */
u32 locks_count(struct locks *locks, const struct afsx_fid *fid)
{
	struct lock *lock;

	MUTEX_GUARD(&locks->mutex);
	lock = find(locks, fid);
	return lock ? lock->count : 0;
}
