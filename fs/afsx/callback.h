/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Callback promises: one per vnode, judged without any counter but its own.
 */
#ifndef AFSX_CALLBACK_H
#define AFSX_CALLBACK_H

#include <linux/ktime.h>
#include <linux/types.h>

struct afsx_callback;
struct afsx_fid;
struct afsx_net;
struct afsx_op;
struct afsx_server;
struct afsx_vnode;

/**
 * struct afsx_promise - a server's word to tell us when a vnode changes
 * @server: who gave it, counted; NULL: there is none
 * @epoch: the server's epoch it was given in
 * @version: the volume's version it was given in
 * @expires: when it ends (ktime_get_boottime)
 *
 * Guarded by afsx_vnode.cb_lock (a seqlock), together with the status that
 * came with it. It holds when all of these are true: there is a server, the
 * server is still in @epoch, the volume still has @version, and it has not
 * expired.
 */
struct afsx_promise {
	struct afsx_server	*server;
	u32			epoch;
	u32			version;
	ktime_t			expires;
};

/**
 * afsx_promise_holds - may the cached status of a vnode be used?
 * @vnode: the vnode
 *
 * Sends nothing and does not sleep; callable in RCU-walk.
 */
bool afsx_promise_holds(const struct afsx_vnode *vnode);

/**
 * afsx_promise_judge - the same for whoever has locked the promise
 * @vnode: a vnode with a volume; its cb_lock is held, or read in a loop under RCU
 */
bool afsx_promise_judge(const struct afsx_vnode *vnode);

/**
 * afsx_promise_set - note the promise that came with a status
 * @vnode: vnode, cb_lock held for writing by the caller, which applies the
 *	status in the same section
 * @op: the operation with its snapshots
 * @cb: promise from the reply, NULL for none
 * @unbroken: no promise of this vnode was broken since the call was issued;
 *	for a vnode that was not in memory then: none of the volume
 *
 * A promise that was broken while the call was under way is not noted: the
 * vnode is left without one.
 */
void afsx_promise_set(struct afsx_vnode *vnode, const struct afsx_op *op,
		      const struct afsx_callback *cb, bool unbroken);

/* Forget the promise (evict, error). Takes cb_lock. */
void afsx_promise_drop(struct afsx_vnode *vnode);

/**
 * afsx_callback_break - act on a CallBack of one FID
 * @net: namespace it came to
 * @fid: the vnode, or vnode 0 for the whole volume
 *
 * Whoever sent it: a server may be known in several cells and call from an
 * address that was never used. A promise too many that is broken costs a call.
 */
void afsx_callback_break(struct afsx_net *net, const struct afsx_fid *fid);

#endif /* AFSX_CALLBACK_H */
