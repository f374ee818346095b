/* SPDX-License-Identifier: MIT */
/*
 * How long to look for what has not come before going to sleep.  To be woken takes some
 * 20 us, and more where an idle processor has to be fetched back; a client that sends
 * its next request when it has the answer needs no longer than that.
 */
#ifndef AFSX_NBD_SPIN_H
#define AFSX_NBD_SPIN_H

#include "defs.h"

/* What comes later than this is slept for. In ns. */
#define SPIN_MAX	50000u

/**
 * struct spin - the habits of a client
 * @limit: ns to look for its next request, SPIN_MAX at most
 *
 * Zeros to begin with.
 */
struct spin {
	unsigned int limit;
};

/**
 * spin_note() - learn from how long a request was waited for
 * @spin: habits
 * @ns: time that passed
 *
 * Who lets wait for long is looked for half as long the next time, and soon not at all.
 */
void spin_note(struct spin *spin, u64 ns);

#endif /* AFSX_NBD_SPIN_H */
