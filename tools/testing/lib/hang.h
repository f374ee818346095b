/* SPDX-License-Identifier: MIT */
/* How test programs come to an end when a thread of theirs waits for ever. */
#ifndef AFSX_TESTING_HANG_H
#define AFSX_TESTING_HANG_H

#include "defs.h"

#define HANG_S	60u	/* of its own time: not of that in which it was stopped */

/**
 * hang_watch() - die() when hang_over() is not called for HANG_S seconds
 * @tell: says what the threads wait for, before that; or NULL
 */
void hang_watch(void (*tell)(void));

/** hang_over() - something came to its end */
void hang_over(void);

#endif /* AFSX_TESTING_HANG_H */
