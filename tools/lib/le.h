/* SPDX-License-Identifier: MIT */
/* Little-endian numbers at any address, as on-device formats keep them. */
#ifndef AFSX_LE_H
#define AFSX_LE_H

#include <endian.h>
#include <string.h>

#include "defs.h"

static inline u16 le16_get(const void *p)
{
	u16 v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline u32 le32_get(const void *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline u64 le64_get(const void *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline void le16_put(void *p, u16 v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void le32_put(void *p, u32 v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void le64_put(void *p, u64 v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

#endif /* AFSX_LE_H */
