/* SPDX-License-Identifier: MIT */
/*
 * What the server did since it was started, for `afsx-vol status`.  Counting
 * takes no lock.
 */
#ifndef AFSXD_STATS_H
#define AFSXD_STATS_H

#include <stdio.h>

#include <afsx/rpc.h>

struct afsxd;
struct stats;

struct stats *stats_new(void);
void stats_free(struct stats *stats);

u64 stats_begin(struct stats *stats);
void stats_end(struct stats *stats, const struct afsx_rpc *rpc, u64 begun,
	       s32 code);
void stats_fetched(struct stats *stats, u64 bytes);
void stats_stored(struct stats *stats, u64 bytes);

void stats_print(void *ctx, FILE *out);

#endif /* AFSXD_STATS_H */
