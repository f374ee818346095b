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
 * @tx: transaction in which problems are mended, or NULL
 * @problems: found so far
 * @mended: of them
 * @blocks: in extents
 */
struct check {
	struct store *st;
	struct db *db;
	unsigned int flags;
	store_report_t report;
	void *ctx;
	struct store_tx *tx;
	unsigned int problems;
	unsigned int mended;
	u64 blocks;
};

/** check_problem() - report one */
__printf(2, 3)
void check_problem(struct check *k, const char *fmt, ...);

/* ---- store_mend.c: all return 0 or a negative errno, and tell what they did ---- */

/** mend_links() - link count of the version of a vnode that @snap shows */
int mend_links(struct check *k, u32 grp, u32 vno, s64 snap, u32 nlink);

/** mend_used() - KiB used of the version of a vnode that @snap shows */
int mend_used(struct check *k, u32 grp, u32 vno, s64 snap, u64 kib);

/** mend_usage() - a volume uses that many KiB and vnodes more, or fewer */
int mend_usage(struct check *k, u32 vid, s64 kib, s64 files);

/** mend_entry() - remove a name that leads nowhere */
int mend_entry(struct check *k, u32 vid, u32 vno, const char *name, size_t len);

/** mend_dots() - a directory is in @parent: its ".." and what its row says */
int mend_dots(struct check *k, u32 vid, u32 vno, u32 parent);

/** mend_lost() - give a vnode without a name one in "lost+found" */
int mend_lost(struct check *k, u32 vid, u32 vno, u32 unique);

/** mend_forgotten() - a vnode with no links has to be collected */
int mend_forgotten(struct check *k, u32 grp, u32 vno);

/** mend_named() - a vnode with a name must not be collected */
int mend_named(struct check *k, u32 grp, u32 vno);

/** mend_strays() - free extents and blocks of directories without a vnode */
int mend_strays(struct check *k);

/** mend_unseen() - rows of a group that no volume shows have to be collected */
int mend_unseen(struct check *k, u32 grp);

/** mend_counter() - uniquifiers of a group go on with @unique */
int mend_counter(struct check *k, u32 grp, u32 unique);

/* ---- store_check_tree.c ------------------------------------------------------- */

/** check_volumes() - every volume's vnodes and directories */
int check_volumes(struct check *k);

#endif /* AFSX_STORE_CHECK_H */
