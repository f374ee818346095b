/* SPDX-License-Identifier: MIT */
/* The parts of store-look. */
#ifndef AFSX_STORE_LOOK_H
#define AFSX_STORE_LOOK_H

#include <stdatomic.h>

#include "store_priv.h"

extern struct store *st;
extern struct afsx_fid root;	/* of the volume */
extern atomic_uint asked;	/* times that struct seen and struct places were not enough */

/* Where readers go that memory is not enough for */
struct reader *__real_reader_get_for(struct store *store,
				     const struct afsx_fid *fid, int *err);
struct reader *__wrap_reader_get_for(struct store *store,
				     const struct afsx_fid *fid, int *err);

ssize_t __real_rows_status(struct rows *rows, const struct afsx_fid *fid,
			   struct store_status *s, char *acl);
ssize_t __wrap_rows_status(struct rows *rows, const struct afsx_fid *fid,
			   struct store_status *s, char *acl);

/* Before they do */
ssize_t __real_seen_get(struct seen *c, const struct afsx_fid *fid,
			struct store_status *s, char *acl, u64 *ticket);
ssize_t __wrap_seen_get(struct seen *c, const struct afsx_fid *fid,
			struct store_status *s, char *acl, u64 *ticket);

/** expect() - die() unless they are the same */
void expect(const char *what, s64 is, s64 should);

/** fresh_store() - an empty one with one volume, in place of the one before */
void fresh_store(void);

/** device_hold() - hold the next write of the log; @fault: what comes of it then, or 0 */
void device_hold(int fault);

/** device_await() - somebody is held */
void device_await(void);

/** device_go_on() - let it go on */
void device_go_on(void);

/** look_watch() - have look_await() know of who waits for the log from now on, or not */
void look_watch(bool on);

/** look_await() - one more thread waits for the log, or has called look_told() */
void look_await(void);

/** look_told() - this thread does not wait any more */
void look_told(void);

/** begin() - a transaction */
struct store_tx *begin(void);

/** make_file() - in @dir, in a transaction of its own if @tx is NULL */
struct afsx_fid make_file(struct store_tx *tx, const struct afsx_fid *dir,
			  const char *name);

/** make_dir() - likewise, in the root */
struct afsx_fid make_dir(struct store_tx *tx, const char *name);

/** set_mtime() - in a transaction of its own if @tx is NULL */
int set_mtime(struct store_tx *tx, const struct afsx_fid *fid, s64 mtime);

/** look_up() - store_lookup(); number of the vnode, or a negative errno */
s64 look_up(const struct afsx_fid *dir, const char *name);

/** look_at() - store_getattr(); the mtime of clients, or a negative errno */
s64 look_at(const struct afsx_fid *fid);

/** test_keepers() - struct seen and struct places by themselves */
void test_keepers(void);

/** test_batches() - what a batch makes of a vnode, and what is lost */
void test_batches(void);

/** test_race() - readers beside writers, for @seconds */
void test_race(unsigned int seconds);

#endif /* AFSX_STORE_LOOK_H */
