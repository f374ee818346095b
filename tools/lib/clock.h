/* SPDX-License-Identifier: MIT */
#ifndef AFSX_CLOCK_H
#define AFSX_CLOCK_H

#include <time.h>

#include "defs.h"

/** clock_boot_ms() - milliseconds since boot, also those that the machine slept */
static inline s64 clock_boot_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

#endif /* AFSX_CLOCK_H */
