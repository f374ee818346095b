/* SPDX-License-Identifier: MIT */
/*
 * Whether a write of the log should wait for more to be written with it.
 *
 * Those who waited for the last write often come back at once with their next change.
 * If the log were written for the first of them, or for those who came meanwhile, the
 * others would miss it, and 16 threads would share a write by 4 or by 8.  So as many are
 * waited for as the last write was for, as long as one comes soon after the other.  When
 * they do not, it is not tried again for a while.  Who is alone waits for nobody.
 *
 * The functions are called with one lock held, but for rally_patience() and rally_over(),
 * which any thread may call.
 */
#ifndef AFSX_RALLY_H
#define AFSX_RALLY_H

#include <stdatomic.h>
#include <stdbool.h>

#include "defs.h"

/*
 * The next one is waited for half as long as the last write took, within these. In ns.
 * A test has others.
 */
#ifndef RALLY_GAP_MIN
#define RALLY_GAP_MIN	100000
#define RALLY_GAP_MAX	1000000
#endif

/* All of them, so many times as long. */
#define RALLY_GAPS	10

/**
 * struct rally - those who may come
 * @missing: how many of the last write have not come yet
 * @start: when that began, ns
 * @gap: for how long the next one is waited for, ns
 * @since: when the first one came, or somebody began to wait, ns; 0 before that
 * @latest: when the last one came, likewise
 * @rest: writes that are not to wait for anybody, because nobody came
 * @penalty: how many these were at last
 *
 * Zeros to begin with.
 */
struct rally {
	atomic_int missing;
	atomic_llong start;
	atomic_llong gap;
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

/** rally_over() - one of them knows that the write has ended */
void rally_over(struct rally *r);

#endif /* AFSX_RALLY_H */
