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

/**
 * crc32c_each() - checksums of pieces that follow each other
 * @buf: first byte of the first piece
 * @len: bytes of each
 * @nr: pieces
 * @crcs: room for the checksum of each
 *
 * The instruction has a latency of three cycles, and one can begin in each: so this is
 * up to three times as fast as one piece after the other.
 */
void crc32c_each(const void *buf, size_t len, size_t nr, u32 *crcs);

/** crc32c_table() - crc32c() by table, on any processor. */
u32 crc32c_table(u32 crc, const void *buf, size_t len);

#endif /* AFSX_CRC32C_H */
