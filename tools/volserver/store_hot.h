/* SPDX-License-Identifier: MIT */
/*
 * Vnodes that transactions used lately, as they were committed.  There is one
 * writer, so what it loaded stays true until it changes it.
 */
#ifndef AFSX_STORE_HOT_H
#define AFSX_STORE_HOT_H

#include <sys/queue.h>

#include "defs.h"

struct vnode;
TAILQ_HEAD(hot_age, vnode);

#define HOT_BUCKETS	4096u
#define HOT_VNODES	4096u			/* kept at most */
#define HOT_BYTES	(32u * 1024 * 1024)	/* of directories, at most */

/**
 * struct hot - the vnodes
 * @bucket: by group and number
 * @age: the one used last comes last
 * @nr: how many there are
 * @bytes: memory of their directories
 *
 * Protected by the writer's lock.
 */
struct hot {
	struct vnode *bucket[HOT_BUCKETS];
	struct hot_age age;
	unsigned int nr;
	size_t bytes;
};

/** hot_init() - nothing yet */
void hot_init(struct hot *h);

/** hot_take() - take vnode @vno of group @grp out; NULL when it is not there */
struct vnode *hot_take(struct hot *h, u32 grp, u32 vno);

/** hot_put() - keep a vnode that was committed; frees what must give way */
void hot_put(struct hot *h, struct vnode *vn);

/** hot_clear() - forget all: rows were changed in another way, or the end */
void hot_clear(struct hot *h);

#endif /* AFSX_STORE_HOT_H */
