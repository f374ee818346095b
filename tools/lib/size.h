/* SPDX-License-Identifier: MIT */
/* Numbers and sizes in options. */
#ifndef AFSX_SIZE_H
#define AFSX_SIZE_H

#include "defs.h"

/**
 * size_parse() - a size with an optional binary suffix K, M, G or T
 * @s: text; nothing else may stand before or behind
 * @unit: value of a number without suffix, bytes (1, or 1024 for KiB)
 * @bytes: result
 *
 * Return: 0; -EINVAL when it is not a size; -ERANGE when it is too large.
 */
int size_parse(const char *s, u64 unit, u64 *bytes);

/** number_parse() - a decimal number within limits; -EINVAL, -ERANGE. */
int number_parse(const char *s, u64 min, u64 max, u64 *n);

#endif /* AFSX_SIZE_H */
