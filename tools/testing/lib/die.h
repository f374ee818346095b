/* SPDX-License-Identifier: MIT */
/* How test programs give up. */
#ifndef AFSX_TESTING_DIE_H
#define AFSX_TESTING_DIE_H

#include "defs.h"

/** die() - end the test with status 1, from any thread, saying what went wrong */
__printf(1, 2)
_Noreturn void die(const char *fmt, ...);

#endif /* AFSX_TESTING_DIE_H */
