// SPDX-License-Identifier: GPL-2.0
/*
 * File servers, and address lists of servers of any kind.
 */
#include <linux/jiffies.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <afsx/rpc.h>
#include "call.h"
#include "cell.h"
#include "mmap.h"
#include "net.h"
#include "server.h"
#include "vlclient.h"

/* Seconds until a probe of one address is given up. */
#define AFSX_PROBE_TIMEOUT	5
/* Seconds until the goodbye to a server is given up. */
#define AFSX_GOODBYE_TIMEOUT	2

struct afsx_addrs *afsx_addrs_alloc(const u32 *ip, unsigned int nr, u16 port)
{
	struct afsx_addrs *addrs;
	unsigned int i;

	nr = min(nr, AFSX_SERVER_MAX_ADDRS);
	addrs = kzalloc(struct_size(addrs, addr, nr), GFP_KERNEL);
	if (!addrs)
		return NULL;
	refcount_set(&addrs->ref, 1);
	addrs->nr = nr;
	for (i = 0; i < nr; i++) {
		addrs->addr[i].ip = ip[i];
		addrs->addr[i].port = port;
	}
	return addrs;
}

struct afsx_addrs *afsx_addrs_get(struct afsx_addrs __rcu **slot)
{
	struct afsx_addrs *addrs;

	rcu_read_lock();
	do {
		addrs = rcu_dereference(*slot);
	} while (addrs && !refcount_inc_not_zero(&addrs->ref));
	rcu_read_unlock();
	return addrs;
}

void afsx_addrs_put(struct afsx_addrs *addrs)
{
	unsigned int i;

	if (!addrs || !refcount_dec_and_test(&addrs->ref))
		return;
	for (i = 0; i < addrs->nr; i++)
		afsx_peer_put(addrs->addr[i].peer);
	kfree_rcu(addrs, rcu);
}

struct rxrpc_peer *afsx_addr_peer(struct afsx_net *net, struct afsx_addr *addr)
{
	struct rxrpc_peer *peer = READ_ONCE(addr->peer);
	struct rxrpc_peer *old;

	if (peer)
		return peer;
	peer = afsx_peer_get(net, addr->ip, addr->port);
	if (IS_ERR(peer))
		return peer;
	old = cmpxchg(&addr->peer, NULL, peer);
	if (!old)
		return peer;
	afsx_peer_put(peer);
	return old;
}

void afsx_addrs_note(struct afsx_addrs *addrs, unsigned int index, int error)
{
	struct afsx_addr *addr = &addrs->addr[index];

	WRITE_ONCE(addr->last_error, error);
	if (error)
		return;
	WRITE_ONCE(addr->rtt_us, afsx_peer_rtt(addr->peer));
	WRITE_ONCE(addrs->best, index);
}

/**
 * struct afsx_server_key - by what a server is looked for
 * @cell: its cell; NULL: any
 * @uuid: its identity, or NULL
 * @ip: its address when @uuid is NULL, host order
 */
struct afsx_server_key {
	const struct afsx_cell		*cell;
	const struct afsx_uuid		*uuid;
	u32				ip;
};

static bool afsx_uuid_is(const struct afsx_server *server,
			 const struct afsx_uuid *uuid)
{
	return uuid && server->has_uuid && afsx_uuid_eq(&server->uuid, uuid);
}

static bool afsx_server_is_at(const struct afsx_server *server, const u32 *ip,
			      unsigned int nr)
{
	const struct afsx_addrs *addrs = rcu_dereference(server->addrs);
	unsigned int i, j;

	for (i = 0; i < addrs->nr; i++)
		for (j = 0; j < nr; j++)
			if (addrs->addr[i].ip == ip[j])
				return true;
	return false;
}

/*
 * A host keeps one list of promises for us but may have several records here: in
 * several cells, with an identity or without. Void the promises in each that has
 * its identity or one of its addresses.
 */
static void afsx_servers_void(struct afsx_net *net, const struct afsx_uuid *uuid,
			      const u32 *ip, unsigned int nr)
{
	struct afsx_server *server;
	bool found = false;

	rcu_read_lock();
	list_for_each_entry_rcu(server, &net->servers, link) {
		if (!afsx_uuid_is(server, uuid) &&
		    !afsx_server_is_at(server, ip, nr))
			continue;
		atomic_inc(&server->cb_epoch);
		found = true;
	}
	rcu_read_unlock();
	/* Which files the host serves is not known from here. */
	if (found)
		afsx_mmap_broken_sb(NULL);
}

static void afsx_server_void_twins(const struct afsx_server *server,
				   const struct afsx_addrs *addrs)
{
	u32 ip[AFSX_SERVER_MAX_ADDRS];
	unsigned int i;

	for (i = 0; i < addrs->nr; i++)
		ip[i] = addrs->addr[i].ip;
	afsx_servers_void(server->net, server->has_uuid ? &server->uuid : NULL,
			  ip, i);
}

/* Say goodbye, so that the server need not keep promises for us. */
static void afsx_server_goodbye(struct afsx_server *server)
{
	struct afsx_addrs *addrs = afsx_addrs_get(&server->addrs);
	struct afsx_exchange x = {
		.rpc		= afsx_rpc(AFSX_FS_GIVE_UP_ALL_CALLBACKS),
		.timeout	= AFSX_GOODBYE_TIMEOUT,
	};

	if (!addrs)
		return;
	x.peer = afsx_addr_peer(server->net, &addrs->addr[addrs->best]);
	if (!IS_ERR(x.peer) && !addrs->addr[addrs->best].last_error)
		afsx_exchange(server->net, &x);
	afsx_exchange_release(&x);
	afsx_server_void_twins(server, addrs);
	afsx_addrs_put(addrs);
}

static void afsx_server_destroy(struct work_struct *work)
{
	struct afsx_server *server = container_of(work, struct afsx_server,
						  destroy_work);
	struct afsx_net *net = server->net;

	if (READ_ONCE(server->owes))
		afsx_server_goodbye(server);

	spin_lock(&net->servers_lock);
	list_del_rcu(&server->link);
	spin_unlock(&net->servers_lock);
	/*
	 * A successor may be waiting for the goodbye to be over. Waking looks
	 * for a waiter without a lock: not before the record is off the list.
	 */
	smp_mb();
	wake_up_var(&net->servers);

	afsx_addrs_put(rcu_dereference_protected(server->addrs, true));
	afsx_cell_put(server->cell);
	mutex_destroy(&server->probe_lock);
	kfree_rcu(server, rcu);
	if (atomic_dec_and_test(&net->nr_servers))
		wake_up_var(&net->nr_servers);
}

static struct afsx_server *afsx_server_alloc(struct afsx_cell *cell)
{
	struct afsx_server *server;

	server = kzalloc(sizeof(*server), GFP_KERNEL);
	if (!server)
		return NULL;
	server->net = cell->net;
	server->cell = afsx_cell_get(cell);
	refcount_set(&server->ref, 1);
	mutex_init(&server->probe_lock);
	INIT_WORK(&server->destroy_work, afsx_server_destroy);
	INIT_LIST_HEAD(&server->link);
	return server;
}

/* Free a record that nobody has seen. */
static void afsx_server_discard(struct afsx_server *server)
{
	afsx_addrs_put(rcu_dereference_protected(server->addrs, true));
	afsx_cell_put(server->cell);
	kfree(server);
}

struct afsx_server *afsx_server_get(struct afsx_server *server)
{
	refcount_inc(&server->ref);
	return server;
}

void afsx_server_put(struct afsx_server *server)
{
	if (refcount_dec_and_test(&server->ref))
		queue_work(afsx_wq, &server->destroy_work);
}

static bool afsx_server_match(const struct afsx_server *server,
			      const struct afsx_server_key *key)
{
	if (key->cell && server->cell != key->cell)
		return false;
	if (key->uuid)
		return afsx_uuid_is(server, key->uuid);
	return !server->has_uuid &&
	       rcu_dereference(server->addrs)->addr[0].ip == key->ip;
}

/*
 * Find a record. @dying is set when there is one that says goodbye just now.
 */
static struct afsx_server *afsx_server_find(struct afsx_net *net,
					    const struct afsx_server_key *key,
					    bool *dying)
{
	struct afsx_server *server;

	*dying = false;
	rcu_read_lock();
	list_for_each_entry_rcu(server, &net->servers, link) {
		if (!afsx_server_match(server, key))
			continue;
		if (refcount_inc_not_zero(&server->ref)) {
			rcu_read_unlock();
			return server;
		}
		*dying = true;
	}
	rcu_read_unlock();
	return NULL;
}

static bool afsx_server_is_dying(struct afsx_net *net,
				 const struct afsx_server_key *key)
{
	struct afsx_server *server;
	bool dying;

	server = afsx_server_find(net, key, &dying);
	if (server)
		afsx_server_put(server);
	return dying && !server;
}

/*
 * Find a record that may be used. The goodbye of an old record voids every
 * promise the server gave us: never make a new record before it is over.
 */
static struct afsx_server *afsx_server_find_live(struct afsx_net *net,
						 const struct afsx_server_key *key)
{
	struct afsx_server *server;
	bool dying;

	for (;;) {
		server = afsx_server_find(net, key, &dying);
		if (server || !dying)
			return server;
		if (wait_var_event_killable(&net->servers,
					    !afsx_server_is_dying(net, key)))
			return ERR_PTR(-EINTR);
	}
}

/*
 * Publish a new record unless somebody else has been faster, in which case
 * theirs is returned.
 */
static struct afsx_server *afsx_server_insert(struct afsx_server *server,
					      const struct afsx_server_key *key)
{
	struct afsx_net *net = server->net;
	struct afsx_server *other;
	bool dying;

	for (;;) {
		spin_lock(&net->servers_lock);
		other = afsx_server_find(net, key, &dying);
		if (!other && !dying) {
			atomic_inc(&net->nr_servers);
			list_add_rcu(&server->link, &net->servers);
		}
		spin_unlock(&net->servers_lock);
		if (other || !dying)
			break;
		if (wait_var_event_killable(&net->servers,
					    !afsx_server_is_dying(net, key))) {
			other = ERR_PTR(-EINTR);
			break;
		}
	}
	if (!other)
		return server;
	afsx_server_discard(server);
	return other;
}

static void afsx_server_set_addrs(struct afsx_server *server,
				  struct afsx_addrs *addrs, u32 uniquifier)
{
	struct afsx_net *net = server->net;
	struct afsx_addrs *old;

	spin_lock(&net->servers_lock);
	old = rcu_replace_pointer(server->addrs, addrs,
				  lockdep_is_held(&net->servers_lock));
	server->uniquifier = uniquifier;
	WRITE_ONCE(server->probed, false);
	WRITE_ONCE(server->probe_error, 0);
	spin_unlock(&net->servers_lock);
	afsx_addrs_put(old);
}

struct afsx_server *afsx_server_get_by_uuid(struct afsx_cell *cell,
					    const struct afsx_caller *by,
					    const struct afsx_uuid *uuid,
					    u32 uniquifier)
{
	struct afsx_server_key wanted = { .cell = cell, .uuid = uuid };
	struct afsx_vl_addrs_reply reply;
	struct afsx_server *server;
	struct afsx_addrs *addrs;
	int ret;

	server = afsx_server_find_live(cell->net, &wanted);
	if (IS_ERR(server))
		return server;
	if (server && READ_ONCE(server->uniquifier) == uniquifier)
		return server;

	ret = afsx_vl_addrs(cell, by, uuid, &reply);
	if (ret == 0 && reply.nr == 0)
		ret = -EBADMSG;
	if (ret < 0)
		/* Old addresses are better than none. */
		return server ?: ERR_PTR(ret);

	addrs = afsx_addrs_alloc(reply.addr, reply.nr, AFSX_FS_PORT);
	if (!addrs)
		return server ?: ERR_PTR(-ENOMEM);
	if (server) {
		afsx_server_set_addrs(server, addrs, uniquifier);
		return server;
	}

	server = afsx_server_alloc(cell);
	if (!server) {
		afsx_addrs_put(addrs);
		return ERR_PTR(-ENOMEM);
	}
	server->uuid = *uuid;
	server->has_uuid = true;
	server->uniquifier = uniquifier;
	RCU_INIT_POINTER(server->addrs, addrs);
	return afsx_server_insert(server, &wanted);
}

struct afsx_server *afsx_server_get_by_addr(struct afsx_cell *cell, u32 ip)
{
	struct afsx_server_key wanted = { .cell = cell, .ip = ip };
	struct afsx_server *server;
	struct afsx_addrs *addrs;

	server = afsx_server_find_live(cell->net, &wanted);
	if (server)
		return server;

	server = afsx_server_alloc(cell);
	addrs = afsx_addrs_alloc(&ip, 1, AFSX_FS_PORT);
	if (!server || !addrs) {
		afsx_addrs_put(addrs);
		if (server)
			afsx_server_discard(server);
		return ERR_PTR(-ENOMEM);
	}
	RCU_INIT_POINTER(server->addrs, addrs);
	return afsx_server_insert(server, &wanted);
}

/* Ask one address for the server's capabilities. */
static int afsx_server_probe_addr(struct afsx_server *server,
				  const struct afsx_caller *by,
				  struct afsx_addr *addr, struct afsx_caps *caps)
{
	struct afsx_exchange x = {
		.rpc		= afsx_rpc(AFSX_FS_GET_CAPABILITIES),
		.by		= *by,
		.timeout	= AFSX_PROBE_TIMEOUT,
		.killable	= true,
		.reply		= caps,
	};
	int ret;

	x.peer = afsx_addr_peer(server->net, addr);
	if (IS_ERR(x.peer))
		return PTR_ERR(x.peer);
	ret = afsx_exchange(server->net, &x);
	afsx_exchange_release(&x);
	/* A refusal is an answer, too. */
	if (ret == -ECONNABORTED) {
		caps->nr = 0;
		ret = 0;
	}
	return ret;
}

static int afsx_server_probe_addrs(struct afsx_server *server,
				   const struct afsx_caller *by,
				   struct afsx_addrs *addrs)
{
	struct afsx_caps *caps;
	unsigned int i, index;
	int ret = -ENOMEM;

	caps = kmalloc(sizeof(*caps), GFP_NOFS);
	if (!caps)
		return ret;
	for (i = 0; i < addrs->nr; i++) {
		index = (addrs->best + i) % addrs->nr;
		ret = afsx_server_probe_addr(server, by,
					     &addrs->addr[index], caps);
		if (afsx_gave_up(ret))
			break;
		afsx_addrs_note(addrs, index, ret);
		if (ret == 0) {
			server->caps = caps->nr ? caps->word[0] : 0;
			break;
		}
	}
	kfree(caps);
	return ret;
}

int afsx_server_probe(struct afsx_server *server, const struct afsx_caller *by)
{
	struct afsx_addrs *addrs;
	u64 start;
	int ret;

	if (READ_ONCE(server->probed))
		return 0;
	if (mutex_lock_killable(&server->probe_lock))
		return -EINTR;

	ret = 0;
	if (server->probed)
		goto out;
	ret = server->probe_error;
	start = get_jiffies_64();
	if (ret && time_before64(start, server->probe_again))
		goto out;

	addrs = afsx_addrs_get(&server->addrs);
	ret = afsx_server_probe_addrs(server, by, addrs);
	afsx_addrs_put(addrs);
	if (afsx_gave_up(ret))
		goto out;
	server->probe_error = ret;
	/* A failure stands in for further probes as long as it took itself. */
	server->probe_again = get_jiffies_64() + (get_jiffies_64() - start);
	WRITE_ONCE(server->probed, ret == 0);
out:
	mutex_unlock(&server->probe_lock);
	return ret;
}

void afsx_servers_new_epoch(struct afsx_net *net, const struct rxrpc_peer *peer,
			    const struct afsx_uuid *uuid)
{
	u32 ip = afsx_peer_ip(peer);

	/* A stranger has promised nothing: what it says changes nothing. */
	afsx_servers_void(net, uuid, &ip, 1);
}

void afsx_servers_exit_net(struct afsx_net *net)
{
	wait_var_event(&net->nr_servers, !atomic_read(&net->nr_servers));
}
