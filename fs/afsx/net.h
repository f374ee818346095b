/* SPDX-License-Identifier: GPL-2.0 */
/*
 * State of the AFS client in one network namespace.
 */
#ifndef AFSX_NET_H
#define AFSX_NET_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <afsx/rpc.h>

struct afsx_cell;
struct afsx_in_call;
struct net;
struct proc_dir_entry;
struct socket;

/**
 * struct afsx_net - the client's state in one network namespace
 * @net: the namespace this belongs to (not counted: this is its pernet data)
 * @uuid: identity that file servers know this client by
 * @live: false once the namespace is being torn down
 * @socket_lock: serialises opening of @socket
 * @socket: rxrpc socket for calls and the callback service, opened at the
 *	first use; NULL before
 * @nr_calls: outgoing and incoming calls that hold resources; teardown waits
 *	for zero
 * @charge_work: keeps rxrpc supplied with preallocated incoming calls
 * @spare_in_call: a call that @charge_work could not place yet
 * @in_calls_lock: guards @in_calls
 * @in_calls: incoming calls being served
 * @cells_lock: guards @cells, @root_cell and @cells_seq
 * @cells: every known cell, sorted by name; the list holds a reference
 * @root_cell: the workstation's own cell, or NULL
 * @cells_seq: changes whenever a cell is added (dynamic root's data version)
 * @servers_lock: guards @servers; nests inside everything else
 * @servers: every file server record, RCU list
 * @nr_servers: server records not yet destroyed; teardown waits for zero
 * @volumes_lock: guards @volumes; taken from the callback service
 * @volumes: every volume record of every cell, by volume id, RCU list
 * @rpc_sent: calls sent, by RPC
 * @rpc_failed: calls that ended in an error or abort, by RPC
 * @cb_received: callback service calls received, by RPC
 * @bytes_fetched: file data received
 * @proc: directory /proc/net/afsx of this namespace
 */
struct afsx_net {
	struct net		*net;
	struct afsx_uuid	uuid;
	bool			live;

	struct mutex		socket_lock;	/* opening of @socket */
	struct socket		*socket;
	atomic_t		nr_calls;
	struct work_struct	charge_work;
	struct afsx_in_call	*spare_in_call;
	spinlock_t		in_calls_lock;	/* @in_calls */
	struct list_head	in_calls;

	struct rw_semaphore	cells_lock;
	struct list_head	cells;
	struct afsx_cell	*root_cell;
	u64			cells_seq;

	spinlock_t		servers_lock;	/* @servers */
	struct list_head	servers;
	atomic_t		nr_servers;

	spinlock_t		volumes_lock;	/* @volumes */
	struct list_head	volumes;

	atomic_long_t		rpc_sent[AFSX_RPC_COUNT];
	atomic_long_t		rpc_failed[AFSX_RPC_COUNT];
	atomic_long_t		cb_received[AFSX_RPC_COUNT];
	atomic64_t		bytes_fetched;

	struct proc_dir_entry	*proc;
};

extern struct workqueue_struct *afsx_wq;

/**
 * afsx_net - find the client's state in a network namespace
 * @net: the namespace
 */
struct afsx_net *afsx_net(const struct net *net);

#endif /* AFSX_NET_H */
