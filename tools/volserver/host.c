// SPDX-License-Identifier: MIT
/*
 * The host table, and what is said to a client at its first contact.
 *
 * One lock guards the table; it is never held across a call to a client.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <afsx/rpc.h>

#include "callback.h"
#include "clock.h"
#include "host.h"
#include "log.h"

/* Chains of the hash; a power of two. */
#define HOST_CHAINS	1024

LIST_HEAD(host_chain, host);
TAILQ_HEAD(host_age, host);
LIST_HEAD(address_chain, address);

/**
 * struct address - the clients at one address: a machine, or many behind a router
 * @by_addr: chain of the table's hash
 * @addr: IPv4 address
 * @count: clients in the table
 * @calls: calls of theirs being served
 * @age: the clients, least recently seen first
 *
 * Goes with the last of them.
 */
struct address {
	LIST_ENTRY(address) by_addr;
	u32 addr;
	unsigned int count;
	unsigned int calls;
	struct host_age age;
};

struct hosts {
	struct hosts_config config;
	struct callbacks *callbacks;
	pthread_mutex_t lock;
	pthread_cond_t settled;
	struct host_chain chains[HOST_CHAINS];
	struct address_chain addresses[HOST_CHAINS];
	struct host_age age;
	unsigned int count;
	pthread_cond_t served;
	unsigned int waiting;	/* calls held up by clients that settle */
	unsigned int queued;	/* calls held up by others of their client */
	u64 refused;
};

/** peer_text() - @peer as "address:port", in @text; returns @text */
const char *peer_text(const struct rxs_peer *peer, char text[PEER_TEXT_MAX])
{
	snprintf(text, PEER_TEXT_MAX, "%u.%u.%u.%u:%u", peer->addr >> 24,
		 peer->addr >> 16 & 0xff, peer->addr >> 8 & 0xff,
		 peer->addr & 0xff, peer->port);
	return text;
}

/**
 * hosts_new() - make an empty host table
 * @config: limits, copied
 * @callbacks: where promises to a host are forgotten
 *
 * Return: the table, or NULL without memory.
 */
struct hosts *hosts_new(const struct hosts_config *config,
			struct callbacks *callbacks)
{
	struct hosts *hosts = calloc(1, sizeof(*hosts));

	if (!hosts)
		return NULL;
	hosts->config = *config;
	hosts->callbacks = callbacks;
	pthread_mutex_init(&hosts->lock, NULL);
	pthread_cond_init(&hosts->settled, NULL);
	pthread_cond_init(&hosts->served, NULL);
	TAILQ_INIT(&hosts->age);
	return hosts;
}

static u32 chain_nr(u32 key)
{
	return key * 2654435761u / (U32_MAX / HOST_CHAINS + 1);
}

/* The record of @addr, made if there is none; NULL without memory. */
static struct address *address_of(struct hosts *hosts, u32 addr)
{
	struct address_chain *chain = &hosts->addresses[chain_nr(addr)];
	struct address *a;

	LIST_FOREACH(a, chain, by_addr) {
		if (a->addr == addr)
			return a;
	}
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->addr = addr;
	TAILQ_INIT(&a->age);
	LIST_INSERT_HEAD(chain, a, by_addr);
	return a;
}

static void drop_address_if_idle(struct address *a)
{
	if (a->count)
		return;
	LIST_REMOVE(a, by_addr);
	free(a);
}

/* Take @host, which has no calls, out of the table; its reference is the caller's now. */
static void detach(struct hosts *hosts, struct host *host)
{
	LIST_REMOVE(host, by_peer);
	TAILQ_REMOVE(&hosts->age, host, by_age);
	TAILQ_REMOVE(&host->address->age, host, by_address);
	hosts->count--;
	host->address->count--;
	drop_address_if_idle(host->address);
	host->address = NULL;
}

/** hosts_free() - free the table; no call may be in progress */
void hosts_free(struct hosts *hosts)
{
	struct host *host;

	if (!hosts)
		return;
	while ((host = TAILQ_FIRST(&hosts->age))) {
		detach(hosts, host);
		callbacks_forget(hosts->callbacks, host);
		host_put(host);
	}
	pthread_cond_destroy(&hosts->settled);
	pthread_cond_destroy(&hosts->served);
	pthread_mutex_destroy(&hosts->lock);
	free(hosts);
}

/** host_get() - take a reference */
void host_get(struct host *host)
{
	atomic_fetch_add(&host->refs, 1);
}

/** host_put() - drop a reference; @host may be NULL */
void host_put(struct host *host)
{
	if (!host || atomic_fetch_sub(&host->refs, 1) != 1)
		return;
	rxs_disconnect(host->conn);
	free(host);
}

/** host_is_up() - whether promises to @host can be kept */
bool host_is_up(struct host *host)
{
	return atomic_load(&host->state) == HOST_UP;
}

static struct host_chain *chain_of(struct hosts *hosts,
				   const struct rxs_peer *peer)
{
	return &hosts->chains[chain_nr(peer->addr ^ (u32)peer->port << 16)];
}

static struct host *find(struct hosts *hosts, const struct rxs_peer *peer)
{
	struct host *host;

	LIST_FOREACH(host, chain_of(hosts, peer), by_peer) {
		if (host->peer.addr == peer->addr &&
		    host->peer.port == peer->port)
			return host;
	}
	return NULL;
}

static struct host *add(struct hosts *hosts, const struct rxs_peer *peer)
{
	struct host *host = calloc(1, sizeof(*host));
	struct address *address;

	if (!host)
		return NULL;
	host->conn = rxs_connect(peer, AFSX_SVC_CB, hosts->config.timeout);
	address = host->conn ? address_of(hosts, peer->addr) : NULL;
	if (!address) {
		rxs_disconnect(host->conn);
		free(host);
		return NULL;
	}
	host->table = hosts;
	host->address = address;
	TAILQ_INIT(&host->promises);
	host->peer = *peer;
	atomic_init(&host->refs, 1);
	atomic_init(&host->state, HOST_NEW);
	LIST_INSERT_HEAD(chain_of(hosts, peer), host, by_peer);
	TAILQ_INSERT_TAIL(&hosts->age, host, by_age);
	TAILQ_INSERT_TAIL(&address->age, host, by_address);
	hosts->count++;
	address->count++;
	return host;
}

static bool is_idle(const struct host *host)
{
	return atomic_load(&host->refs) == 1;
}

/* The one to go that was not seen for longest and is not used by a call, or NULL. */
static struct host *oldest_idle(struct hosts *hosts, const struct host *newest)
{
	const struct address *address = newest->address;
	struct host *host;

	if (address->count > hosts->config.max / 2) {
		TAILQ_FOREACH(host, &address->age, by_address) {
			if (is_idle(host))
				return host;
		}
	}
	TAILQ_FOREACH(host, &hosts->age, by_age) {
		if (is_idle(host))
			break;
	}
	return host;
}

/* Detach the host that is one too many, now that @newest is there, if any. */
static struct host *surplus(struct hosts *hosts, const struct host *newest)
{
	struct host *host;

	if (hosts->count <= hosts->config.max)
		return NULL;
	host = oldest_idle(hosts, newest);
	if (host)
		detach(hosts, host);
	return host;
}

static void note_seen(struct hosts *hosts, struct host *host)
{
	TAILQ_REMOVE(&hosts->age, host, by_age);
	TAILQ_INSERT_TAIL(&hosts->age, host, by_age);
	TAILQ_REMOVE(&host->address->age, host, by_address);
	TAILQ_INSERT_TAIL(&host->address->age, host, by_address);
}

static bool may_enter(const struct hosts *hosts, const struct host *host)
{
	return host->calls < hosts->config.max_calls &&
	       host->address->calls < hosts->config.max_address_calls;
}

/* One call to the callback service of @host, without bulk data. */
static s32 ask(struct host *host, enum afsx_rpc_id id, const void *args,
	       void *reply)
{
	const struct afsx_rpc *rpc = afsx_rpc(id);
	u8 req[1024], rep[2048];
	struct rxs_out out = {
		.conn = host->conn,
		.req = req,
		.reply = rep,
		.reply_size = sizeof(rep),
	};
	int len = afsx_rpc_encode_args(rpc, args, req, sizeof(req));

	if (len < 0)
		return AFSX_RXGEN_CC_MARSHAL;
	out.req_len = len;
	rxs_call_many(&out, 1);
	if (!out.code && afsx_rpc_decode_reply(rpc, rep, out.reply_len, reply))
		return AFSX_RXGEN_CC_UNMARSHAL;
	return out.code;
}

/* The same client, seen at another address, that knows of every change. */
static bool known_elsewhere(struct host *host)
{
	struct host *other;
	bool known = false;

	pthread_mutex_lock(&host->table->lock);
	TAILQ_FOREACH(other, &host->table->age, by_age) {
		known = other != host && other->identified &&
			host_is_up(other) &&
			afsx_uuid_eq(&other->uuid, &host->uuid);
		if (known)
			break;
	}
	pthread_mutex_unlock(&host->table->lock);
	return known;
}

/*
 * Have a client forget its promises.  One that does not know
 * TellMeAboutYourself answers with an abort code and is of the time before
 * client UUIDs: it gets the older call.
 */
static s32 tell_to_forget(struct host *host)
{
	struct afsx_cb_uuid_args args = { .uuid = host->table->config.uuid };
	struct afsx_cb_identity id;
	s32 code;

	code = ask(host, AFSX_CB_TELL_ME_ABOUT_YOURSELF, NULL, &id);
	if (code == AFSX_RX_CALL_DEAD || code == AFSX_RX_CALL_TIMEOUT)
		return code;
	if (code)
		return ask(host, AFSX_CB_INIT_STATE, NULL, NULL);
	pthread_mutex_lock(&host->table->lock);
	host->uuid = id.uuid;
	host->identified = true;
	pthread_mutex_unlock(&host->table->lock);
	if (known_elsewhere(host))
		return 0;
	return ask(host, AFSX_CB_INIT_STATE3, &args, NULL);
}

/* One CallBack about all it has missed, as far as that is remembered. */
static s32 tell_missed(struct host *host)
{
	struct afsx_cb_callback_args args = { .nr = 0 };
	s32 code;

	pthread_mutex_lock(&host->table->lock);
	args.nr = host->nr_missed;
	memcpy(args.fid, host->missed, args.nr * sizeof(*args.fid));
	host->nr_missed = 0;
	pthread_mutex_unlock(&host->table->lock);
	if (!args.nr)
		return 0;
	code = ask(host, AFSX_CB_CALLBACK, &args, NULL);
	if (code)
		host_missed(host, args.fid, args.nr);
	return code;
}

/* Called with the lock held, which is dropped meanwhile. */
static void settle(struct hosts *hosts, struct host *host)
{
	char text[PEER_TEXT_MAX];
	s32 code;

	atomic_store(&host->state, HOST_SETTLING);
	pthread_mutex_unlock(&hosts->lock);
	callbacks_forget(hosts->callbacks, host);
	code = tell_missed(host);
	if (!code)
		code = tell_to_forget(host);
	if (code)
		log_warn("client does not take callbacks",
			 LOG_S("client", peer_text(&host->peer, text)),
			 LOG_I("code", code));
	else
		log_info("client is up",
			 LOG_S("client", peer_text(&host->peer, text)));
	pthread_mutex_lock(&hosts->lock);
	atomic_store(&host->state, code ? HOST_DOWN : HOST_UP);
	host->retry_at = clock_mono_s() + hosts->config.retry;
	pthread_cond_broadcast(&hosts->settled);
}

/*
 * Wait for a client to be up, or known not to be.  Called with the lock held.
 * Returns VBUSY when too many calls are waiting already.
 */
static s32 wait_settled(struct hosts *hosts, struct host *host)
{
	enum host_state state;

	for (;;) {
		state = atomic_load(&host->state);
		if (state == HOST_UP ||
		    (state == HOST_DOWN && clock_mono_s() < host->retry_at))
			return 0;
		if (hosts->waiting >= hosts->config.max_waiting)
			return AFSX_VBUSY;
		hosts->waiting++;
		if (state == HOST_SETTLING)
			pthread_cond_wait(&hosts->settled, &hosts->lock);
		else
			settle(hosts, host);
		hosts->waiting--;
	}
}

/*
 * Wait until the client and its address may have one more call served.  Called with the
 * lock held.  Returns VBUSY when too many calls are waiting already.
 */
static s32 wait_turn(struct hosts *hosts, struct host *host)
{
	while (!may_enter(hosts, host)) {
		if (hosts->queued >= hosts->config.max_queued)
			return AFSX_VBUSY;
		hosts->queued++;
		pthread_cond_wait(&hosts->served, &hosts->lock);
		hosts->queued--;
	}
	host->calls++;
	host->address->calls++;
	return 0;
}

/* Let go of a host the table has no room for. */
static void dismiss(struct hosts *hosts, struct host *host)
{
	struct afsx_cb_uuid_args args = { .uuid = hosts->config.uuid };

	callbacks_forget(hosts->callbacks, host);
	if (host_is_up(host))
		ask(host, AFSX_CB_INIT_STATE3, &args, NULL);
	host_put(host);
}

/**
 * hosts_enter() - note that a client calls, and see that it is settled
 * @hosts: table
 * @peer: the client
 * @out: the client, for hosts_leave(), on success
 *
 * Takes as long as the client needs to answer when it is new.  A client that
 * cannot be reached is served all the same, but gets no promises.
 *
 * Return: 0 or an abort code.
 */
s32 hosts_enter(struct hosts *hosts, const struct rxs_peer *peer,
		struct host **out)
{
	struct host *host, *victim;
	s32 code;

	pthread_mutex_lock(&hosts->lock);
	host = find(hosts, peer);
	if (!host)
		host = add(hosts, peer);
	if (!host) {
		pthread_mutex_unlock(&hosts->lock);
		return afsx_errno_to_abort(-ENOMEM);
	}
	host_get(host);
	note_seen(hosts, host);
	victim = surplus(hosts, host);
	code = wait_settled(hosts, host);
	if (!code)
		code = wait_turn(hosts, host);
	if (code)
		hosts->refused++;
	pthread_mutex_unlock(&hosts->lock);
	if (victim)
		dismiss(hosts, victim);
	if (code)
		host_put(host);
	else
		*out = host;
	return code;
}

/** hosts_leave() - a call that hosts_enter() let in is over; may be NULL */
void hosts_leave(struct host *host)
{
	if (!host)
		return;
	pthread_mutex_lock(&host->table->lock);
	host->calls--;
	host->address->calls--;
	if (host->table->queued)
		pthread_cond_broadcast(&host->table->served);
	pthread_mutex_unlock(&host->table->lock);
	host_put(host);
}

/** hosts_stats() - what the table holds and did */
void hosts_stats(struct hosts *hosts, struct hosts_stats *stats)
{
	struct host *host;

	pthread_mutex_lock(&hosts->lock);
	*stats = (struct hosts_stats){
		.count = hosts->count,
		.waiting = hosts->waiting + hosts->queued,
		.refused = hosts->refused,
	};
	TAILQ_FOREACH(host, &hosts->age, by_age)
		stats->up += host_is_up(host);
	pthread_mutex_unlock(&hosts->lock);
}

static bool has_missed(const struct host *host, const struct afsx_fid *fid)
{
	unsigned int i;

	for (i = 0; i < host->nr_missed; i++) {
		if (afsx_fid_eq(&host->missed[i], fid))
			return true;
	}
	return false;
}

/**
 * host_missed() - remember what a client that is down could not be told of
 * @host: the client
 * @fid: vnodes that changed
 * @nr: entries of @fid
 */
void host_missed(struct host *host, const struct afsx_fid *fid, unsigned int nr)
{
	struct hosts *hosts = host->table;
	unsigned int i;

	pthread_mutex_lock(&hosts->lock);
	for (i = 0; i < nr && host->nr_missed < HOST_MISSED_MAX; i++) {
		if (!has_missed(host, &fid[i]))
			host->missed[host->nr_missed++] = fid[i];
	}
	pthread_mutex_unlock(&hosts->lock);
}

/**
 * host_unreachable() - note that a client could not be told of a change
 * @host: the client; it will have to settle before it is answered again, and
 *	so will the same client at other addresses
 */
void host_unreachable(struct host *host)
{
	struct hosts *hosts = host->table;
	char text[PEER_TEXT_MAX];
	struct host *other;

	pthread_mutex_lock(&hosts->lock);
	TAILQ_FOREACH(other, &hosts->age, by_age) {
		if (other != host &&
		    !(host->identified && other->identified &&
		      afsx_uuid_eq(&host->uuid, &other->uuid)))
			continue;
		if (atomic_load(&other->state) == HOST_UP)
			atomic_store(&other->state,
				     other == host ? HOST_DOWN : HOST_NEW);
		other->retry_at = 0;
	}
	pthread_mutex_unlock(&hosts->lock);
	log_warn("client is down",
		 LOG_S("client", peer_text(&host->peer, text)));
}
