/* SPDX-License-Identifier: MIT */
/* Shared by the two halves of the checker. */
#ifndef AFSX_STORE_CHECK_H
#define AFSX_STORE_CHECK_H

#include "store_priv.h"

/**
 * struct check - a check under way
 * @st: store; its writer's lock is held
 * @db: connection
 * @flags: STORE_CHECK_*
 * @report: told of problems
 * @ctx: for @report
 * @problems: found so far
 * @blocks: in extents
 */
struct check {
	struct store *st;
	struct db *db;
	unsigned int flags;
	store_report_t report;
	void *ctx;
	unsigned int problems;
	u64 blocks;
};

/** check_problem() - report one */
__printf(2, 3)
void check_problem(struct check *k, const char *fmt, ...);

/** check_volumes() - every volume's vnodes and directories */
int check_volumes(struct check *k);

#endif /* AFSX_STORE_CHECK_H */
