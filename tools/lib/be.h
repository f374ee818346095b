/* SPDX-License-Identifier: MIT */
/* Big-endian numbers at any address, as protocols and disk images keep them. */
#ifndef AFSX_BE_H
#define AFSX_BE_H

#include <endian.h>
#include <string.h>

#include "defs.h"

static inline u16 be16_get(const void *p)
{
	u16 v;

	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}

static inline u32 be32_get(const void *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static inline u64 be64_get(const void *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static inline void be16_put(void *p, u16 v)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void be32_put(void *p, u32 v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void be64_put(void *p, u64 v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
}

#endif /* AFSX_BE_H */
