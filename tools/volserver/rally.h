/* SPDX-License-Identifier: MIT */
/*
 * Whether a write of the log should wait for more to be written with it.
 *
 * Those who waited for the last write often come back at once with their next change.
 * If the log were written for the first of them, or for those who came meanwhile, the
 * others would miss it, and 16 threads would share a write by 4 or by 8.  So as many are
 * waited for as the last write was for, as long as one comes soon after the other.  When
 * they do not, it is not tried again for a while.  Who is alone waits for nobody, and a
 * write that is over soon is not worth waiting.
 *
 * The functions are called with one lock held, but for rally_patience(), rally_over() and
 * rally_is_quick(), which any thread may call.
 */
#ifndef AFSX_RALLY_H
#define AFSX_RALLY_H

#include <stdatomic.h>
#include <stdbool.h>

#include "defs.h"

/*
 * Nobody is waited for when a write takes less, in ns. With writes of 0.1 ms four
 * clients made a fifth fewer changes by waiting for each other; with those of 0.4 ms it was
 * all the same.
 */
#define RALLY_WRITE_MIN	500000

/* How many writes the time of one is told from: it varies with the load of the machine. */
#define RALLY_SMOOTH	8

/* A write that takes less, in ns, is quick. */
#define RALLY_QUICK	200000

/* For how long the next one is waited for, in ns; a test has another. */
#ifndef RALLY_GAP
#define RALLY_GAP(took)	min((took) / 2, (s64)1000000)
#endif

/* All of them, so many times as long. */
#define RALLY_GAPS	10

/**
 * struct rally - those who may come
 * @missing: how many of the last write have not come yet
 * @took: how long a write took lately, ns
 * @since: when the first one came, or somebody began to wait, ns; 0 before that
 * @latest: when the last one came, likewise
 * @rest: writes that are not to wait for anybody, because nobody came
 * @penalty: how many these were at last
 *
 * Zeros to begin with.
 */
struct rally {
	atomic_int missing;
	atomic_llong took;
	atomic_llong since;
	atomic_llong latest;
	unsigned int rest;
	unsigned int penalty;
};

/** rally_come() - one more is to be written; @busy: the last write has not ended */
void rally_come(struct rally *r, bool busy);

/** rally_patience() - for how many ns to wait for another one; 0: write now */
unsigned int rally_patience(struct rally *r);

/** rally_end() - so many are written now */
void rally_end(struct rally *r, unsigned int nr);

/** rally_over() - the write has ended; @took: how long it took, ns */
void rally_over(struct rally *r, s64 took);

/** rally_is_quick() - whether writes are, lately */
bool rally_is_quick(const struct rally *r);

#endif /* AFSX_RALLY_H */
