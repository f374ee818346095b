/* SPDX-License-Identifier: MIT */
/*
 * How long to look for what has not come before going to sleep.  To be woken takes some
 * 20 us, and more where an idle processor has to be fetched back; a client that sends
 * its next request when it has the answer needs no longer than that.  Where others want the
 * processor, looking only uses up what the scheduler grants, and sleeping is better.
 */
#ifndef AFSX_NBD_SPIN_H
#define AFSX_NBD_SPIN_H

#include "defs.h"

/* What comes later than this is slept for. In ns. */
#define SPIN_MAX	50000u

/**
 * struct spin - the habits of a client
 * @limit: ns to look for its next request, SPIN_MAX at most
 * @rest: requests that are not to be looked for, because others want the processor
 * @penalty: how many these were at last, less one for each that came since then
 *
 * Zeros to begin with.
 */
struct spin {
	unsigned int	limit;
	unsigned int	rest;
	unsigned int	penalty;
};

/** spin_limit() - for how many ns to look for the next request. */
unsigned int spin_limit(const struct spin *spin);

/**
 * spin_note() - learn from how long a request was waited for
 * @spin: habits
 * @ns: time that passed
 *
 * Who lets wait for long is looked for half as long the next time, and soon not at all.
 */
void spin_note(struct spin *spin, u64 ns);

/**
 * spin_lost() - the processor was taken away for longer than SPIN_MAX between two looks
 * @spin: habits
 *
 * Call it before spin_note(). Each time that happens soon after the last one, twice as many
 * requests are slept for.
 */
void spin_lost(struct spin *spin);

#endif /* AFSX_NBD_SPIN_H */
