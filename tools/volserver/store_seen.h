/* SPDX-License-Identifier: MIT */
/*
 * What is known of vnodes and volumes: the status of vnodes and the access lists of
 * directories, as readers found them or transactions made them, and volumes, as far as
 * no transaction has changed them since.
 *
 * A reader takes a mark before it looks into the database.  What it found is kept
 * only if nothing was forgotten in that place meanwhile.  The writer forgets what a
 * transaction changes before that can be seen in the database, so nobody finds here
 * what is older than what somebody else was told.
 *
 * When its batch is committed, and the database, or the rows, show it, the writer puts
 * here what became of the vnode, for one transaction after the other: who finds what the
 * first made of it, before the second follows, came before the end of both.  Nothing is
 * put for transactions that were undone, for vnodes that readers would not see like that,
 * and while a transaction of the batch that changed volumes is still to come: there may be
 * no such vnode any more.
 *
 * With it is the ticket of the batch, and nobody may be told before that is durable.
 * After a failure of the log no ticket becomes durable any more, though one may be given
 * again; and a batch that did not happen as a whole puts nothing.  So what was lost is
 * never shown.
 *
 * Readers have no lock and write nothing, except for access lists: what they copied is
 * right if the place has not changed meanwhile.  Who changes it has its lock.
 */
#ifndef AFSX_STORE_SEEN_H
#define AFSX_STORE_SEEN_H

#include "store_read.h"
#include "store_vol.h"

#define SEEN_VNODES	131072u			/* 128 bytes each, once it was used */
#define SEEN_ACL_BYTES	(16u * 1024 * 1024)	/* of access lists, at most */

struct seen;

/**
 * struct seen_change - what a transaction makes of a vnode
 * @s: its status; @s.fid says which one, and a vnode of 0 is the volume
 * @acl: access list of its own, from malloc(), or NULL
 * @acl_len: bytes of @acl
 * @shown: readers will see all of that; else only @s.fid is filled in
 */
struct seen_change {
	struct store_status s;
	char *acl;
	size_t acl_len;
	bool shown;
};

/** seen_create() - empty; NULL without memory */
struct seen *seen_create(void);

/** seen_destroy() - @c may be NULL */
void seen_destroy(struct seen *c);

/** seen_mark() - to be taken before vnode @vno of volume @vid is read */
u64 seen_mark(struct seen *c, u32 vid, u32 vno);

/**
 * seen_put() - keep what was read, and is durable
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
 * @ticket: nobody may be told before this one is durable
 *
 * Return: length of the access list; -ENOENT when the database must be asked.
 */
ssize_t seen_get(struct seen *c, const struct afsx_fid *fid,
		 struct store_status *s, char *acl, u64 *ticket);

/**
 * seen_shut() - a vnode is about to change, or a volume
 * @c: where
 * @fid: vnode, or the volume if its number is 0; whatever the uniquifier
 *
 * Nothing is known of it, and nothing kept, until seen_open().
 */
void seen_shut(struct seen *c, const struct afsx_fid *fid);

/**
 * seen_open() - the change is committed, or was not made
 * @c: where
 * @change: what became of it; the access list may be taken out
 * @ticket: of the batch; 0: forget it, for it was not made, or is not what readers see
 */
void seen_open(struct seen *c, struct seen_change *change, u64 ticket);

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
