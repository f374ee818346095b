/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the wire code needs from its surroundings, under the kernel's names.
 *
 * The files of fs/afsx/wire build unchanged in the module, in the daemons, in
 * the host tests and in the fuzzers.  In the kernel this header only includes;
 * in userspace it supplies the handful of kernel names those files use.
 */
#ifndef AFSX_PLATFORM_H
#define AFSX_PLATFORM_H

#ifdef __KERNEL__

#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>
#include <kunit/visibility.h>

#else /* !__KERNEL__ */

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#ifndef U32_MAX
#define U32_MAX		UINT32_MAX
#define U64_MAX		UINT64_MAX
#define S32_MAX		INT32_MAX
#define S32_MIN		INT32_MIN
#define S64_MAX		INT64_MAX
#define S64_MIN		INT64_MIN
#endif

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif
#ifndef min
#define min(a, b)	({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define min_t(type, a, b)	min_##type(a, b)
#define max(a, b)	({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ > b_ ? a_ : b_; })
#endif
static inline u32 min_u32(u32 a, u32 b)
{
	return min(a, b);
}

static inline u64 min_u64(u64 a, u64 b)
{
	return min(a, b);
}

/* Exists so that KUnit suites can reach the wire code inside afsx.ko. */
#define EXPORT_SYMBOL_IF_KUNIT(symbol) struct exported_##symbol

static inline u16 get_unaligned_be16(const void *p)
{
	const u8 *b = p;

	return (u16)(b[0] << 8 | b[1]);
}

static inline u32 get_unaligned_be32(const void *p)
{
	return (u32)get_unaligned_be16(p) << 16 | get_unaligned_be16((const u8 *)p + 2);
}

static inline void put_unaligned_be16(u16 v, void *p)
{
	u8 *b = p;

	b[0] = (u8)(v >> 8);
	b[1] = (u8)v;
}

static inline void put_unaligned_be32(u32 v, void *p)
{
	put_unaligned_be16((u16)(v >> 16), p);
	put_unaligned_be16((u16)v, (u8 *)p + 2);
}

#endif /* !__KERNEL__ */

#endif /* AFSX_PLATFORM_H */
