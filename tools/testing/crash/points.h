/* SPDX-License-Identifier: MIT */
/* Random work, and the power failing at random moments of it. */
#ifndef AFSX_POINTS_H
#define AFSX_POINTS_H

#include "image.h"

/**
 * points_test() - so many failures
 * @seed: of the first run; each further run has the next
 * @count: number of failures
 * @lies: of the device
 * @bad: stop at so many that were not survived
 *
 * Return: number of failures that were not survived.
 */
u32 points_test(u64 seed, u32 count, struct lies lies, u32 bad);

/** points_command() - crash-ram points SEED COUNT */
int points_command(char **argv);

#endif /* AFSX_POINTS_H */
