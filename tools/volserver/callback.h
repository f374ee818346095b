/* SPDX-License-Identifier: MIT */
/*
 * Callback promises: which client has been promised to hear of a change of
 * which vnode, until when.
 *
 * A promise with vnode 0 and uniquifier 0 is for a whole volume.
 */
#ifndef AFSXD_CALLBACK_H
#define AFSXD_CALLBACK_H

#include <stddef.h>

#include <afsx/types.h>

struct callbacks;
struct host;

/**
 * struct callbacks_config - limits of the promise table
 * @max: promises kept; beyond that the oldest are broken, of those to the client that
 *	wants another where it has more than a quarter
 * @lifetime: seconds a promise lasts
 */
struct callbacks_config {
	unsigned int max;
	unsigned int lifetime;
};

/* Vnodes that one call can change and tell its caller of. */
#define CALLBACKS_KNOWN_MAX	4

/**
 * struct callbacks_origin - a client that makes a change itself
 * @host: the client
 * @nr: number of @fid
 * @fid: vnodes whose new status it gets with the reply: its promises for them
 *	are not broken
 */
struct callbacks_origin {
	struct host *host;
	unsigned int nr;
	struct afsx_fid fid[CALLBACKS_KNOWN_MAX];
};

/**
 * struct callbacks_stats - the promise table, now and so far
 * @count: promises in force
 * @made: promises made, not renewed
 * @broken: promises broken
 * @given_up: promises that clients gave up or that were forgotten
 * @expired: promises that lasted to their end
 * @sent: CallBack calls to clients
 * @failed: those of them that a client did not answer
 */
struct callbacks_stats {
	u64 count;
	u64 made;
	u64 broken;
	u64 given_up;
	u64 expired;
	u64 sent;
	u64 failed;
};

void callbacks_stats(struct callbacks *cbs, struct callbacks_stats *stats);

struct callbacks *callbacks_new(const struct callbacks_config *config);
void callbacks_free(struct callbacks *cbs);

struct afsx_callback callbacks_grant(struct callbacks *cbs, struct host *host,
				     const struct afsx_fid *fid);
struct afsx_callback callbacks_try_grant(struct callbacks *cbs,
					 struct host *host,
					 const struct afsx_fid *fid);
void callbacks_give_up(struct callbacks *cbs, struct host *host,
		       const struct afsx_fid *fid);
void callbacks_forget(struct callbacks *cbs, struct host *host);
void callbacks_break(struct callbacks *cbs,
		     const struct callbacks_origin *origin,
		     const struct afsx_fid *fids, size_t nr);

#endif /* AFSXD_CALLBACK_H */
