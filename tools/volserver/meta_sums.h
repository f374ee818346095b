/* SPDX-License-Identifier: MIT */
/*
 * Sums of metadata pages, kept apart from the pages: a page whose last write was
 * lost has a valid checksum of its own, but not this one.
 *
 * A run of metadata blocks begins and ends with a copy of the sums of its pages.
 * Format: Documentation/store-format.rst.
 */
#ifndef AFSX_META_SUMS_H
#define AFSX_META_SUMS_H

#include <afsx/types.h>

#include "blkdev.h"
#include "sb.h"

#define SUMS_NONE	0u		/* the page was never written */
#define SUMS_UNKNOWN	U32_MAX		/* lost; the page must not be used */

struct sums;

/** sums_blocks() - blocks of one copy in a run of @nr blocks */
u32 sums_blocks(u32 nr);

/** sums_pages() - pages that a run of @nr blocks holds */
u32 sums_pages(u32 nr);

/**
 * sums_load() - the sums of a run
 * @dev: device
 * @uuid: of the store; part of every checksum
 * @run: blocks, sums and pages
 * @s: result
 *
 * Of two valid copies of a sector the one with the larger sequence counts.
 */
int sums_load(struct blkdev *dev, const struct afsx_uuid *uuid,
	      const struct sb_region *run, struct sums **s);

/** sums_free() - @s may be NULL */
void sums_free(struct sums *s);

/** sums_get() - sum of a page of the run, SUMS_NONE or SUMS_UNKNOWN */
u32 sums_get(const struct sums *s, u32 page);

/** sums_set() - a page has been written; sums_write() must follow */
void sums_set(struct sums *s, u32 page, u32 sum);

/** sums_write() - write what changed to both copies; not yet durable */
int sums_write(struct sums *s);

/** sums_damaged() - sectors of which a copy is damaged or old */
u32 sums_damaged(const struct sums *s);

#endif /* AFSX_META_SUMS_H */
