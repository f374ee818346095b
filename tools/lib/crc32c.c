// SPDX-License-Identifier: MIT
#include "crc32c.h"

#include <pthread.h>
#include <string.h>

#include "le.h"

#define TOGETHER	3u	/* checksums made side by side */
#define POLY	0x82f63b78u	/* 0x1EDC6F41, bits reversed */

static u32 table[8][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_table(void)
{
	for (u32 i = 0; i < 256; i++) {
		u32 c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ POLY : c >> 1;
		table[0][i] = c;
	}
	for (int t = 1; t < 8; t++)
		for (int i = 0; i < 256; i++)
			table[t][i] = table[t - 1][i] >> 8 ^
				      table[0][table[t - 1][i] & 0xff];
}

static u32 eight_bytes(u64 v)
{
	u32 c = 0;

	for (int i = 0; i < 8; i++)
		c ^= table[7 - i][v >> (8 * i) & 0xff];
	return c;
}

u32 crc32c_table(u32 crc, const void *buf, size_t len)
{
	const u8 *p = buf;

	pthread_once(&once, make_table);
	crc = ~crc;
	for (; len >= 8; p += 8, len -= 8)
		crc = eight_bytes(le64_get(p) ^ crc);
	while (len--)
		crc = crc >> 8 ^ table[0][(crc ^ *p++) & 0xff];
	return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2")))
static u32 crc32c_sse42(u32 crc, const void *buf, size_t len)
{
	const u8 *p = buf;
	u64 c = (u32)~crc;

	for (; len >= 8; p += 8, len -= 8)
		c = __builtin_ia32_crc32di(c, le64_get(p));
	while (len--)
		c = __builtin_ia32_crc32qi((u32)c, *p++);
	return ~(u32)c;
}

/* Checksums of TOGETHER pieces, side by side. */
__attribute__((target("sse4.2")))
static void together_sse42(const u8 *p, size_t len, u32 *crcs)
{
	const u8 *q = p + len, *r = q + len;
	u64 a = (u32)~0, b = a, c = a;
	size_t at;

	for (at = 0; at + 8 <= len; at += 8) {
		a = __builtin_ia32_crc32di(a, le64_get(p + at));
		b = __builtin_ia32_crc32di(b, le64_get(q + at));
		c = __builtin_ia32_crc32di(c, le64_get(r + at));
	}
	crcs[0] = crc32c_sse42(~(u32)a, p + at, len - at);
	crcs[1] = crc32c_sse42(~(u32)b, q + at, len - at);
	crcs[2] = crc32c_sse42(~(u32)c, r + at, len - at);
}

u32 crc32c(u32 crc, const void *buf, size_t len)
{
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_sse42(crc, buf, len);
	return crc32c_table(crc, buf, len);
}

/* Those that can be made side by side; how many that are. */
static size_t most(const u8 *p, size_t len, size_t nr, u32 *crcs)
{
	size_t i = 0;

	if (__builtin_cpu_supports("sse4.2"))
		for (; i + TOGETHER <= nr; i += TOGETHER)
			together_sse42(p + i * len, len, crcs + i);
	return i;
}
#else
u32 crc32c(u32 crc, const void *buf, size_t len)
{
	return crc32c_table(crc, buf, len);
}

static size_t most(const u8 *p, size_t len, size_t nr, u32 *crcs)
{
	return 0;
}
#endif

void crc32c_each(const void *buf, size_t len, size_t nr, u32 *crcs)
{
	const u8 *p = buf;

	for (size_t i = most(p, len, nr, crcs); i < nr; i++)
		crcs[i] = crc32c(0, p + i * len, len);
}
