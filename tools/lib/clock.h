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

/** clock_mono_ns() - nanoseconds that the machine was awake; for intervals */
static inline s64 clock_mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/** clock_mono_us() - the same in microseconds */
static inline s64 clock_mono_us(void)
{
	return clock_mono_ns() / 1000;
}

/** clock_mono_ms() - the same in milliseconds */
static inline s64 clock_mono_ms(void)
{
	return clock_mono_ns() / 1000000;
}

/** clock_mono_s() - the same in seconds, of the last tick: a few milliseconds ago */
static inline s64 clock_mono_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec;
}

#endif /* AFSX_CLOCK_H */
