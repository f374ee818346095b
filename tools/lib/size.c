// SPDX-License-Identifier: MIT
#include "size.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int parse_digits(const char *s, const char **end, u64 *n)
{
	char *stop;

	/* strtoull takes signs and leading spaces, which are no numbers here */
	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	*n = strtoull(s, &stop, 10);
	*end = stop;
	return -errno;
}

int size_parse(const char *s, u64 unit, u64 *bytes)
{
	static const char suffixes[] = "KMGT";
	const char *end, *at;
	u64 n;
	int ret;

	ret = parse_digits(s, &end, &n);
	if (ret)
		return ret;
	if (*end) {
		at = strchr(suffixes, toupper((unsigned char)*end));
		if (!at || end[1])
			return -EINVAL;
		unit = UINT64_C(1024) << (10 * (at - suffixes));
	}
	if (__builtin_mul_overflow(n, unit, bytes))
		return -ERANGE;
	return 0;
}

int number_parse(const char *s, u64 min, u64 max, u64 *n)
{
	const char *end;
	int ret;

	ret = parse_digits(s, &end, n);
	if (ret)
		return ret;
	if (*end)
		return -EINVAL;
	return *n < min || *n > max ? -ERANGE : 0;
}
