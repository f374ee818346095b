/* SPDX-License-Identifier: MIT */
/*
 * How long to look for what has not come before going to sleep.  To be woken takes some
 * 20 us, and several times that where an idle processor has to be fetched back, most of all
 * that of a virtual machine; a client that sends its next request when it has the answer
 * needs no longer, nor does a server with a quick disk.  Where others want the processor,
 * looking only uses up what the scheduler grants, and sleeping is better.
 */
#ifndef AFSX_SPIN_H
#define AFSX_SPIN_H

#include <stdatomic.h>
#include <stdbool.h>

#include "defs.h"

/* What comes later than this is slept for. In ns. */
#define SPIN_MAX	200000u

/* One processor that was lost weighs as much as so many messages that came in time. */
#define SPIN_LOST	16u

/**
 * struct spin - the habits of who is waited for, a client or a server
 * @max: ns to look for its next message at most; 0: SPIN_MAX
 * @forgiven: lost processors that are no reason to rest yet, times SPIN_LOST
 * @limit: ns to look for it now
 * @rest: messages that are not to be looked for, because others want the processor
 * @penalty: how many these were at last, less one for each that came since then
 * @slept: messages in a row that were slept for, though not for long
 * @lost: SPIN_LOST for each lost processor, less one for each message
 * @processors: that the first thread to wait may run on; 0: nobody has waited yet
 *
 * Zeros to begin with, but for @max and @forgiven. Any number of threads may use it: it is
 * an estimate, which an update that gets lost between two of them does no harm.
 */
struct spin {
	unsigned int	max;
	unsigned int	forgiven;
	atomic_uint	limit;
	atomic_uint	rest;
	atomic_uint	penalty;
	atomic_uint	slept;
	atomic_uint	lost;
	atomic_uint	processors;
};

/** spin_limit() - for how many ns to look for the next message. */
unsigned int spin_limit(const struct spin *spin);

/**
 * spin_note() - learn from how long a message was waited for
 * @spin: habits
 * @ns: time that passed
 *
 * Who lets wait for long is looked for half as long the next time, and soon not at all; but
 * now and then again, if it is not for much longer than to be woken may take.
 */
void spin_note(struct spin *spin, u64 ns);

/**
 * spin_lost() - the processor was taken away for longer than SPIN_MAX between two looks
 * @spin: habits
 *
 * Call it before spin_note(). Each time that happens soon after the last one, twice as many
 * messages are slept for. It is forgiven where it happens seldom, once in more than SPIN_LOST
 * messages: among many threads, one that does more than the others keeps them waiting.
 */
void spin_lost(struct spin *spin);

/**
 * struct spin_wait - a way to wait for a message
 * @look: whether it has come, or never will; may not sleep
 * @sleep: until then
 *
 * Each leaves in what it is given what it found.
 */
struct spin_wait {
	bool	(*look)(void *ctx);
	void	(*sleep)(void *ctx);
};

/**
 * spin_wait() - look for a message, then sleep until it comes, and learn from it
 * @spin: habits
 * @wait: how to
 * @ctx: for both functions
 *
 * Between two looks others may run. Who may run on one processor only sleeps at once.
 */
void spin_wait(struct spin *spin, const struct spin_wait *wait, void *ctx);

#endif /* AFSX_SPIN_H */
