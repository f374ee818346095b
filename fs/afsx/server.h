/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File servers: addresses, reachability and the epoch of their promises.
 */
#ifndef AFSX_SERVER_H
#define AFSX_SERVER_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/workqueue.h>
#include <afsx/types.h>

struct afsx_caller;
struct afsx_cell;
struct afsx_net;
struct rxrpc_peer;

#define AFSX_SERVER_MAX_ADDRS	16

/**
 * struct afsx_addr - one address of a server
 * @ip: IPv4 address, host order
 * @port: UDP port, host order
 * @peer: the transport's record, counted; NULL until afsx_addr_peer() is called
 * @last_error: 0 when the last probe or call reached it, else the -errno
 * @rtt_us: smoothed round trip time, 0 when unknown
 */
struct afsx_addr {
	u32			ip;
	u16			port;
	struct rxrpc_peer	*peer;
	int			last_error;
	u32			rtt_us;
};

/**
 * struct afsx_addrs - an immutable list of addresses (their state may change)
 * @ref: references; readers under RCU take one with afsx_addrs_get()
 * @rcu: delays the release
 * @nr: number of addresses, at least 1
 * @best: index to try first
 * @addr: the addresses
 *
 * @best and the state in @addr are hints: plain loads and stores.
 */
struct afsx_addrs {
	refcount_t		ref;
	struct rcu_head		rcu;
	u8			nr;
	u8			best;
	struct afsx_addr	addr[] __counted_by(nr);
};

/**
 * struct afsx_server - a file server
 * @net: namespace
 * @cell: cell it was first met in, counted
 * @uuid: its identity
 * @has_uuid: false for a server known by address alone (N entries)
 * @ref: references
 * @rcu: delays the release, promises are judged under RCU
 * @link: in afsx_net.servers (RCU)
 * @addrs: its addresses, RCU
 * @uniquifier: version of the address list in the VLDB
 * @cb_epoch: changes when the server forgets its promises to us
 *	(InitCallBackState); a promise of another epoch is void
 * @caps: capability word 0
 * @probe_lock: one prober at a time
 * @probed: true once a probe succeeded
 * @probe_again: jiffies64 before which a failed probe is not repeated
 * @probe_error: what the last probe came to
 * @owes: it may hold promises to us: GiveUpAllCallBacks before the end
 * @destroy_work: says goodbye and frees
 */
struct afsx_server {
	struct afsx_net		*net;
	struct afsx_cell	*cell;
	struct afsx_uuid	uuid;
	bool			has_uuid;
	refcount_t		ref;
	struct rcu_head		rcu;
	struct list_head	link;
	struct afsx_addrs __rcu	*addrs;
	u32			uniquifier;
	atomic_t		cb_epoch;
	u32			caps;
	struct mutex		probe_lock;	/* see above */
	bool			probed;
	u64			probe_again;
	int			probe_error;
	bool			owes;
	struct work_struct	destroy_work;
};

/**
 * afsx_addrs_alloc - make an address list
 * @ip: IPv4 addresses, host order
 * @nr: how many, at least 1; those above %AFSX_SERVER_MAX_ADDRS are ignored
 * @port: UDP port of all of them, host order
 *
 * Return: a counted list or NULL (no memory). Opens no socket.
 */
struct afsx_addrs *afsx_addrs_alloc(const u32 *ip, unsigned int nr, u16 port);

/**
 * afsx_addrs_get - take a reference to a list that may be replaced meanwhile
 * @slot: where the list is published; may hold NULL
 *
 * Return: the counted list or NULL. Does not sleep.
 */
struct afsx_addrs *afsx_addrs_get(struct afsx_addrs __rcu **slot);

/* Drops a reference; not from interrupts (the transport's locks). */
void afsx_addrs_put(struct afsx_addrs *addrs);

/**
 * afsx_addr_peer - the transport's record of one address
 * @net: namespace
 * @addr: address in a list the caller holds a reference to
 *
 * Sleeps; opens the namespace's socket when need be. Return: a peer that lives
 * as long as the list, or an ERR_PTR.
 */
struct rxrpc_peer *afsx_addr_peer(struct afsx_net *net, struct afsx_addr *addr);

/* Note the outcome of a call to an address: 0 or a -errno of the transport. */
void afsx_addrs_note(struct afsx_addrs *addrs, unsigned int index, int error);

/**
 * afsx_server_get_by_uuid - find or make the record of a file server
 * @cell: cell whose VLDB names the server
 * @by: on whose behalf VL servers are asked
 * @uuid: the server
 * @uniquifier: version of its address list, from the volume's entry
 *
 * Asks VL.GetAddrsU when the record is new or its version is old. Sleeps.
 * Return: a counted record or an ERR_PTR.
 */
struct afsx_server *afsx_server_get_by_uuid(struct afsx_cell *cell,
					    const struct afsx_caller *by,
					    const struct afsx_uuid *uuid,
					    u32 uniquifier);

/* The same for a server that the VLDB knows by one address (N entries). */
struct afsx_server *afsx_server_get_by_addr(struct afsx_cell *cell, u32 ip);
struct afsx_server *afsx_server_get(struct afsx_server *server);
void afsx_server_put(struct afsx_server *server);

/**
 * afsx_server_probe - make sure the server answers and choose its best address
 * @server: the server
 * @by: on whose behalf
 *
 * FS.GetCapabilities to every address in turn of preference. Sleeps.
 * Return: 0 or the last error met.
 */
int afsx_server_probe(struct afsx_server *server, const struct afsx_caller *by);

/**
 * afsx_servers_new_epoch - a server has forgotten its promises to us
 * @net: namespace
 * @peer: where the news came from
 * @uuid: the server's identity, or NULL
 *
 * Voids the promises of every record of that server, in whatever cell; of all
 * servers when none is known by this identity or address. Does not sleep.
 */
void afsx_servers_new_epoch(struct afsx_net *net, const struct rxrpc_peer *peer,
			    const struct afsx_uuid *uuid);

void afsx_servers_exit_net(struct afsx_net *net);

#endif /* AFSX_SERVER_H */
