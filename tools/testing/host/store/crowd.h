/* SPDX-License-Identifier: MIT */
/* The parts of store-crowd. */
#ifndef AFSX_STORE_CROWD_H
#define AFSX_STORE_CROWD_H

#include <pthread.h>
#include <stdatomic.h>

#include "store.h"

#define NAMES		12u	/* of each worker */

/**
 * struct name - what a name of a worker leads to
 * @there: it is there
 * @unsure: the device failed while it changed: nobody knows
 * @byte: all there is in the file, never 0
 * @size: of the file
 */
struct name {
	bool there;
	bool unsure;
	u8 byte;
	u32 size;
};

/**
 * struct worker - a thread, and what it knows
 * @thread: itself
 * @seed: for pick()
 * @nr: of the thread, in front of its names
 * @at: what it does at present
 * @names: as they must be
 * @act: the change it makes: an enum act
 * @a: name that it changes
 * @b: another
 * @value: what the file has then
 * @ret: what the store said to that
 * @alien: it was executed by another thread
 * @news: how many times the notifier was called for it
 * @stopped: the device has failed
 */
struct worker {
	pthread_t thread;
	unsigned int seed;
	unsigned int nr;
	const char *_Atomic at;
	struct name names[NAMES];
	int act;
	unsigned int a;
	unsigned int b;
	struct name value;
	int ret;
	bool alien;
	unsigned int news;
	bool stopped;
};

/**
 * struct crowd_counts - what has happened
 * @changes: that were kept
 * @aliens: changes executed by another thread than the one that brought them
 * @refused: changes that were not
 * @undone: with those of another thread, and tried again
 * @reads: files read
 */
struct crowd_counts {
	atomic_ulong changes;
	atomic_ulong aliens;
	atomic_ulong refused;
	atomic_ulong undone;
	atomic_ulong reads;
};

extern struct store *st;
extern struct afsx_fid root;	/* of the volume */
extern struct afsx_fid full;	/* a file of a volume that has no room */
extern struct crowd_counts counts;
extern unsigned int lost_of_64;	/* of so many changes SQLite undoes the whole batch */

/** pick() - a number below @n */
unsigned int pick(struct worker *w, unsigned int n);

/** make_change() - one, by store_change(), and see that it is as it should be */
void make_change(struct worker *w);

/** make_transaction() - the same, from store_begin() on */
void make_transaction(struct worker *w);

/** expect_names() - the store has what the worker knows */
void expect_names(struct worker *w, const char *when);

/** read_one() - any file of @owner: it is all of one kind */
void read_one(struct worker *w, struct worker *owner);

/** on_news() - for store_set_notify() */
void on_news(void *ctx, const void *origin, const struct afsx_fid *fids, size_t nr);

/**
 * device_begin() - how the device is from now on
 * @us: how long a durable write takes at most
 * @writes: how many of the log succeed; 0 for all
 */
void device_begin(unsigned int us, unsigned int writes);

#endif /* AFSX_STORE_CROWD_H */
