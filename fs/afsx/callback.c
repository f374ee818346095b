// SPDX-License-Identifier: GPL-2.0
/*
 * Callback promises.
 */
#include <linux/rculist.h>
#include <kunit/visibility.h>

#include "callback.h"
#include "mmap.h"
#include "net.h"
#include "op.h"
#include "server.h"
#include "validate.h"
#include "vnode.h"
#include "volume.h"

bool afsx_promise_judge(const struct afsx_vnode *vnode)
{
	const struct afsx_promise *promise = &vnode->promise;
	const struct afsx_server *server = READ_ONCE(promise->server);

	return server &&
	       atomic_read(&server->cb_epoch) == promise->epoch &&
	       atomic_read(&vnode->volume->cb_version) == promise->version &&
	       ktime_before(ktime_get_boottime(), promise->expires);
}

bool afsx_promise_holds(const struct afsx_vnode *vnode)
{
	unsigned int seq;
	bool holds;

	if (!vnode->volume)
		return true;

	/* A server outlives its promises by an RCU grace period. */
	rcu_read_lock();
	do {
		seq = read_seqbegin(&vnode->cb_lock);
		holds = afsx_promise_judge(vnode);
	} while (read_seqretry(&vnode->cb_lock, seq));
	rcu_read_unlock();
	return holds;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_promise_holds);

void afsx_promise_set(struct afsx_vnode *vnode, const struct afsx_op *op,
		      const struct afsx_callback *cb, bool unbroken)
{
	struct afsx_promise *promise = &vnode->promise;
	struct afsx_server *old = promise->server;

	if (!cb || !unbroken || !op->server || !cb->expires_in ||
	    cb->type == AFSX_CB_DROPPED) {
		promise->server = NULL;
	} else {
		promise->epoch = op->cb_epoch;
		promise->version = op->cb_version;
		promise->expires = ktime_add_ms(op->issued,
						(u64)cb->expires_in * MSEC_PER_SEC);
		promise->server = afsx_server_get(op->server);
	}
	if (old)
		afsx_server_put(old);
}

void afsx_promise_drop(struct afsx_vnode *vnode)
{
	struct afsx_server *old;

	write_seqlock(&vnode->cb_lock);
	old = vnode->promise.server;
	vnode->promise.server = NULL;
	write_sequnlock(&vnode->cb_lock);
	if (old)
		afsx_server_put(old);
}

/* Break the promise of one vnode of a volume, if the vnode is in memory. */
static void afsx_callback_break_vnode(struct afsx_volume *volume,
				      const struct afsx_fid *fid)
{
	struct super_block *sb = rcu_dereference(volume->sb);
	struct afsx_vnode *vnode;

	if (!sb)
		return;
	vnode = afsx_vnode_find_rcu(sb, fid);
	if (!vnode)
		return;
	/* Whoever asks a server just now must notice: count before dropping. */
	atomic_inc(&vnode->cb_breaks);
	afsx_promise_drop(vnode);
	afsx_mmap_broken(vnode);
}

static void afsx_callback_break_volume(struct afsx_volume *volume)
{
	const struct super_block *sb = rcu_access_pointer(volume->sb);

	atomic_inc(&volume->cb_version);
	if (sb)
		afsx_mmap_broken_sb(sb);
}

void afsx_callback_break(struct afsx_net *net, const struct afsx_fid *fid)
{
	struct afsx_volume *volume;

	rcu_read_lock();
	list_for_each_entry_rcu(volume, &net->volumes, link) {
		if (volume->vid != fid->vid)
			continue;
		atomic_inc(&volume->cb_breaks);
		/* Pairs with the barrier in afsx_vnode_apply_new(). */
		smp_mb__after_atomic();
		if (fid->vnode == 0)
			afsx_callback_break_volume(volume);
		else
			afsx_callback_break_vnode(volume, fid);
	}
	rcu_read_unlock();
}
