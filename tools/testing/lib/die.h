/* SPDX-License-Identifier: MIT */
/* How test programs give up. */
#ifndef AFSX_TESTING_DIE_H
#define AFSX_TESTING_DIE_H

#include "defs.h"

/** die() - end the test with status 1, from any thread, saying what went wrong */
__printf(1, 2)
_Noreturn void die(const char *fmt, ...);

/**
 * must() - die() unless it went well
 * @ret: 0, or a negative errno
 * @what: what was done
 */
void must(int ret, const char *what);

#endif /* AFSX_TESTING_DIE_H */
