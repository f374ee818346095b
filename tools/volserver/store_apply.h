/* SPDX-License-Identifier: MIT */
/*
 * What the records have goes to the database.
 *
 * The functions are called with the writer's lock held, unless they say otherwise.
 */
#ifndef AFSX_STORE_APPLY_H
#define AFSX_STORE_APPLY_H

#include "err.h"
#include "sb.h"

struct afsx_fid;
struct store;

/**
 * apply_start() - read the records when the store is opened, and apply them
 * @st: store, opened but for that
 * @log: region of the log
 * @err: says why on failure
 *
 * A store of an older version becomes one of this if it is opened for writing.
 *
 * Return: 0; 1 when there were records, and the free map, which was that of the database
 * before, has to be built again; an error.
 */
int apply_start(struct store *st, const struct sb_region *log,
		struct errbuf *err);

/** apply_stop() - what is left is applied, as well as can be; @st was opened, or in part */
void apply_stop(struct store *st);

/**
 * apply_rows() - write all rows that are newer, in the transaction of SQLite that is open
 * @st: store
 *
 * Return: 0; an error; then that transaction can only be undone.
 */
int apply_rows(struct store *st);

/** apply_done() - that transaction is committed */
void apply_done(struct store *st);

/** apply_undone() - that transaction, or one of the store's, did not happen */
void apply_undone(struct store *st);

/** apply_all() - write all rows that are newer, in a transaction of their own */
int apply_all(struct store *st);

/** apply_commit() - commit the open transaction of SQLite, which has nothing but such rows */
int apply_commit(struct store *st);

/** apply_room() - see that there is room for records; between transactions */
int apply_room(struct store *st);

/**
 * apply_is_behind() - whether the database lacks what a reader wants to see
 * @st: store
 * @fid: a vnode; NULL for everything
 *
 * Called without the writer's lock.
 */
bool apply_is_behind(struct store *st, const struct afsx_fid *fid);

/**
 * apply_bring_up() - see that it has everything
 * @st: store with a place for records
 *
 * Return: 0; an error when that is not possible.
 */
int apply_bring_up(struct store *st);

/** apply_is_lost() - records were lost, and what is in memory may be of them */
bool apply_is_lost(struct store *st);

#endif /* AFSX_STORE_APPLY_H */
