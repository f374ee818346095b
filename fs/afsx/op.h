/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine that runs any file server RPC on a volume: choose a server, send,
 * judge the result by the policy table, wait, fail over or retry.
 */
#ifndef AFSX_OP_H
#define AFSX_OP_H

#include "call.h"

struct afsx_server;
struct afsx_volume;

/**
 * struct afsx_op - a file server operation
 * @volume: volume it concerns (borrowed)
 * @by: on whose behalf
 * @rpc_id: which RPC
 * @args: typed arguments
 * @reply: typed reply
 * @data: destination of bulk data, or NULL; on a retry it is restored to its
 *	state at the start
 * @killable: give up on a fatal signal
 * @no_wait: do not wait for a busy or offline volume (statfs)
 * @data_len: out: bytes of bulk data received
 * @server: out: who replied, counted; released by afsx_op_release()
 * @cb_epoch: out: @server's epoch when the call was issued
 * @cb_version: out: the volume's version then
 * @cb_breaks: out: the volume's count of broken promises then
 * @issued: out: when (ktime_get_boottime)
 * @abort: out: last abort code, 0 if none
 * @x: the exchange, holds the reply's buffer
 *
 * The snapshots are what a promise in the reply must be applied with: see
 * callback.h.
 */
struct afsx_op {
	struct afsx_volume	*volume;
	struct afsx_caller	by;
	enum afsx_rpc_id	rpc_id;
	const void		*args;
	void			*reply;
	struct iov_iter		*data;
	bool			killable;
	bool			no_wait;

	u64			data_len;
	struct afsx_server	*server;
	u32			cb_epoch;
	u32			cb_version;
	u32			cb_breaks;
	ktime_t			issued;
	s32			abort;
	struct afsx_exchange	x;
};

/**
 * afsx_op_run - run an operation to its end
 * @op: the operation; inputs set, the rest zero
 *
 * Sleeps. Return: 0 or a -errno fit for userspace (-ESTALE for a vnode that is
 * gone, -EACCES, -EIO, -EINTR, -EBUSY, -ENETUNREACH, -ETIMEDOUT, -ENOMEDIUM ...).
 * Call afsx_op_release() in any case, after the reply's strings are used.
 */
int afsx_op_run(struct afsx_op *op);
void afsx_op_release(struct afsx_op *op);

#endif /* AFSX_OP_H */
