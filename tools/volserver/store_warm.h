/* SPDX-License-Identifier: MIT */
/*
 * Contents that were read lately, block by block, for reads of a few blocks: those
 * wait for the device longer than for anything else.
 *
 * A data version is that of one contents, as long as volumes are not renewed; the
 * era of struct seen is a part of the key for that reason.  So nothing is ever
 * invalid here, and what a file contained before goes when its place is needed.
 */
#ifndef AFSX_STORE_WARM_H
#define AFSX_STORE_WARM_H

#include "store_read.h"

#define WARM_READ_MAX	(64u * 1024)	/* bytes; longer reads are not for this */

struct warm;

/** warm_create() - for @bytes of contents; NULL without memory */
struct warm *warm_create(u64 bytes);

/** warm_destroy() - @w may be NULL */
void warm_destroy(struct warm *w);

/**
 * warm_get() - bytes of a file
 * @w: where
 * @s: status of the file
 * @era: seen_era() before @s was found; the bytes are right if it is the same after
 * @off: first byte
 * @buf: for them
 * @len: bytes, within the size of the file
 *
 * Return: whether all of them were here.
 */
bool warm_get(struct warm *w, const struct store_status *s, unsigned int era,
	      u64 off, void *buf, size_t len);

/**
 * warm_put() - remember what was read, of blocks that are whole or the file's last
 * @w: where
 * @s: status of the file, read with them
 * @era: seen_era() before that
 * @off: first byte
 * @buf: the bytes
 * @len: how many
 */
void warm_put(struct warm *w, const struct store_status *s, unsigned int era,
	      u64 off, const void *buf, size_t len);

#endif /* AFSX_STORE_WARM_H */
