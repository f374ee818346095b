/* SPDX-License-Identifier: MIT */
/*
 * Sending that ends in time.  Between a look at the clock and the system call that sends
 * a thread may be stopped for as long as somebody likes.  So the kernel is asked before:
 * a timer signals this very thread, and a signal is handled before the thread goes on
 * with anything else, also when it was stopped meanwhile.  The handler shuts the socket
 * down, and what the thread was about to send goes nowhere.
 */
#ifndef AFSX_FENCE_H
#define AFSX_FENCE_H

#include <stdbool.h>

#include "defs.h"

#define FENCE_SIGNAL_NR	2	/* SIGRTMIN plus this */

/**
 * fence_init() - have the signal handled
 *
 * May be called again.  Return: 0; a negative errno.
 */
int fence_init(void);

/**
 * fence_raise() - from now on nothing is sent after a moment
 * @fd: socket, which is shut down then
 * @until: the moment, clock_boot_ms()
 *
 * Holds for the calling thread, until it calls fence_lower().  Without memory or
 * timers for it a warning says so, once, and nothing is held back.
 */
void fence_raise(int fd, s64 until);

/** fence_lower() - whether the socket was shut down */
bool fence_lower(void);

#endif /* AFSX_FENCE_H */
