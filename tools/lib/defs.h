/* SPDX-License-Identifier: MIT */
/* Integer types and attributes under the kernel's names, for the tools. */
#ifndef AFSX_DEFS_H
#define AFSX_DEFS_H

#include <stdint.h>
#include <sys/types.h>

#include <afsx/platform.h>

#ifndef __printf
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#endif

#define DIV_ROUND_UP(n, d)						\
({									\
	__typeof__(d) d_ = (d);						\
									\
	((n) + d_ - 1) / d_;						\
})

/* @a: a power of two */
#define ROUND_DOWN(n, a)	((n) & ~((__typeof__(n))(a) - 1))
#define ROUND_UP(n, a)							\
({									\
	__typeof__(n) mask_ = (__typeof__(n))(a) - 1;			\
									\
	((n) + mask_) & ~mask_;						\
})

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

static inline u64 clamp_u64(u64 v, u64 low, u64 high)
{
	return v < low ? low : v > high ? high : v;
}

#endif /* AFSX_DEFS_H */
