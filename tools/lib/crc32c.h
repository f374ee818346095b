/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli), as in RFC 3720 section 12.1. */
#ifndef AFSX_CRC32C_H
#define AFSX_CRC32C_H

#include <stddef.h>

#include "defs.h"

/**
 * crc32c() - checksum of a buffer
 * @crc: 0 to begin, or the result for the bytes that came before
 * @buf: bytes
 * @len: how many
 *
 * Uses the processor's instruction where there is one.
 *
 * Return: the checksum with the final inversion applied.
 */
u32 crc32c(u32 crc, const void *buf, size_t len);

/** crc32c_table() - the same by table, on any processor. */
u32 crc32c_table(u32 crc, const void *buf, size_t len);

#endif /* AFSX_CRC32C_H */
