/* SPDX-License-Identifier: MIT */
/*
 * What readers found lately: the status of vnodes, the access lists of directories,
 * and volumes, as far as no transaction has changed them since.
 *
 * A reader takes a mark before it looks into the database.  What it found is kept
 * only if nothing was forgotten in that place meanwhile.  The writer forgets what a
 * transaction changes before that can be seen in the database, so nobody finds here
 * what is older than what somebody else was told.
 */
#ifndef AFSX_STORE_SEEN_H
#define AFSX_STORE_SEEN_H

#include "store_read.h"
#include "store_vol.h"

struct seen;

/** seen_create() - empty; NULL without memory */
struct seen *seen_create(void);

/** seen_destroy() - @c may be NULL */
void seen_destroy(struct seen *c);

/** seen_mark() - to be taken before vnode @vno of volume @vid is read */
u64 seen_mark(struct seen *c, u32 vid, u32 vno);

/**
 * seen_put() - keep what was read
 * @c: where
 * @s: status of the vnode
 * @acl: access list of its own, @len bytes, or NULL
 * @len: bytes
 * @mark: taken before
 */
void seen_put(struct seen *c, const struct store_status *s, const char *acl,
	      size_t len, u64 mark);

/**
 * seen_get() - what is known of a vnode
 * @c: where
 * @fid: which; a uniquifier of 0 matches any
 * @s: its status
 * @acl: NULL, or STORE_ACL_MAX bytes for the access list of its own
 *
 * Return: length of the access list; -ENOENT when the database must be asked.
 */
ssize_t seen_get(struct seen *c, const struct afsx_fid *fid,
		 struct store_status *s, char *acl);

/**
 * seen_shut() - a vnode is about to change, or a volume
 * @c: where
 * @vid: volume
 * @vno: vnode, or 0 for what is known of the volume itself
 *
 * Nothing is known of it, and nothing kept, until seen_open().
 */
void seen_shut(struct seen *c, u32 vid, u32 vno);

/** seen_open() - the change is committed, or was not made */
void seen_open(struct seen *c, u32 vid, u32 vno);

/** seen_shut_all() - volumes are about to be made, renewed or removed */
void seen_shut_all(struct seen *c);

/** seen_open_all() - that is committed, or was not done */
void seen_open_all(struct seen *c);

/**
 * seen_era() - what has not changed while no volume was made, renewed or removed
 * @c: where
 *
 * Return: a number; 0, which is none's, while that is being committed.
 */
unsigned int seen_era(struct seen *c);

/** seen_vol_put() - keep a volume; @mark: of its vnode 0 */
void seen_vol_put(struct seen *c, const struct store_vol *vol, u64 mark);

/** seen_vol_get() - whether volume @id is known, and what is known of it */
bool seen_vol_get(struct seen *c, u32 id, struct store_vol *vol);

#endif /* AFSX_STORE_SEEN_H */
