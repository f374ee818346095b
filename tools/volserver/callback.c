// SPDX-License-Identifier: MIT
/*
 * The promise table.
 *
 * Each promise is on four lists: by (FID, client) to find it again, by FID to
 * break it, by client to forget it or drop its oldest, by age to do that or expire.  All
 * last equally long, so the order of age is the order of expiry.  One lock
 * guards everything; it is never held across a call to a client.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include <afsx/rpc.h>

#include "callback.h"
#include "clock.h"
#include "host.h"
#include "log.h"
#include "rx_server.h"

/* Chains of each hash; a power of two. */
#define CB_CHAINS	65536u

/* Promises dropped together when the table is full. */
#define CB_DROP		32

/* Messages to clients in progress at once, and without memory for that. */
#define CB_MESSAGES	1024
#define CB_MESSAGES_MIN	4

/* Bytes of the longest CallBack request: opcode, FIDs, no callbacks. */
#define CB_REQ_MAX	(4 + 4 + AFSX_BULK_MAX * 12 + 4)

LIST_HEAD(promise_list, promise);

/* A vnode, or a volume, that at least one client is promised to hear of. */
struct watch {
	LIST_ENTRY(watch) by_fid;
	struct afsx_fid fid;
	struct promise_list promises;
};

struct promise {
	LIST_ENTRY(promise) by_key;
	LIST_ENTRY(promise) by_watch;
	TAILQ_ENTRY(promise) by_host;
	TAILQ_ENTRY(promise) by_age;
	struct watch *watch;
	struct host *host;
	time_t expires;		/* monotonic seconds */
	/* while it is being broken */
	struct afsx_fid fid;
	struct promise *next;		/* of the same client */
	struct promise *next_host;	/* first one of the next client */
};

LIST_HEAD(watch_chain, watch);

struct callbacks {
	struct callbacks_config config;
	pthread_mutex_t lock;
	struct watch_chain *watches;
	struct promise_list *keys;
	struct promise_queue age;
	unsigned int count;
	struct callbacks_stats stats;	/* but for its count */
};

/* One CallBack request on its way. */
struct message {
	struct host *host;
	struct afsx_cb_callback_args args;
	u8 req[CB_REQ_MAX];
};

/**
 * callbacks_new() - make an empty promise table
 * @config: limits, copied
 *
 * Return: the table, or NULL without memory.
 */
struct callbacks *callbacks_new(const struct callbacks_config *config)
{
	struct callbacks *cbs = calloc(1, sizeof(*cbs));

	if (!cbs)
		return NULL;
	cbs->config = *config;
	pthread_mutex_init(&cbs->lock, NULL);
	TAILQ_INIT(&cbs->age);
	cbs->watches = calloc(CB_CHAINS, sizeof(*cbs->watches));
	cbs->keys = calloc(CB_CHAINS, sizeof(*cbs->keys));
	if (!cbs->watches || !cbs->keys) {
		callbacks_free(cbs);
		return NULL;
	}
	return cbs;
}

static u32 hash(const struct afsx_fid *fid, const struct host *host)
{
	u64 h = fid->vid;

	h = h * 0x9e3779b97f4a7c15u + fid->vnode;
	h = h * 0x9e3779b97f4a7c15u + fid->unique;
	h = h * 0x9e3779b97f4a7c15u + (uintptr_t)host;
	h *= 0x9e3779b97f4a7c15u;
	return h >> 48 & (CB_CHAINS - 1);
}

static struct watch *find_watch(struct callbacks *cbs,
				const struct afsx_fid *fid)
{
	struct watch *watch;

	LIST_FOREACH(watch, &cbs->watches[hash(fid, NULL)], by_fid) {
		if (afsx_fid_eq(&watch->fid, fid))
			return watch;
	}
	return NULL;
}

static struct watch *add_watch(struct callbacks *cbs,
			       const struct afsx_fid *fid)
{
	struct watch *watch = malloc(sizeof(*watch));

	if (!watch)
		return NULL;
	watch->fid = *fid;
	LIST_INIT(&watch->promises);
	LIST_INSERT_HEAD(&cbs->watches[hash(fid, NULL)], watch, by_fid);
	return watch;
}

static void drop_watch_if_idle(struct watch *watch)
{
	if (!LIST_EMPTY(&watch->promises))
		return;
	LIST_REMOVE(watch, by_fid);
	free(watch);
}

static struct promise *find_promise(struct callbacks *cbs, struct host *host,
				    const struct afsx_fid *fid)
{
	struct promise *p;

	LIST_FOREACH(p, &cbs->keys[hash(fid, host)], by_key) {
		if (p->host == host && afsx_fid_eq(&p->watch->fid, fid))
			return p;
	}
	return NULL;
}

static struct promise *add_promise(struct callbacks *cbs, struct host *host,
				   const struct afsx_fid *fid)
{
	struct promise *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->host = host;
	p->watch = find_watch(cbs, fid);
	if (!p->watch)
		p->watch = add_watch(cbs, fid);
	if (!p->watch) {
		free(p);
		return NULL;
	}
	LIST_INSERT_HEAD(&cbs->keys[hash(fid, host)], p, by_key);
	LIST_INSERT_HEAD(&p->watch->promises, p, by_watch);
	TAILQ_INSERT_TAIL(&host->promises, p, by_host);
	TAILQ_INSERT_TAIL(&cbs->age, p, by_age);
	host->nr_promises++;
	cbs->count++;
	cbs->stats.made++;
	return p;
}

/* Take a promise off all lists. */
static void unlink_promise(struct callbacks *cbs, struct promise *p)
{
	p->fid = p->watch->fid;
	LIST_REMOVE(p, by_key);
	LIST_REMOVE(p, by_watch);
	TAILQ_REMOVE(&p->host->promises, p, by_host);
	TAILQ_REMOVE(&cbs->age, p, by_age);
	p->host->nr_promises--;
	cbs->count--;
	drop_watch_if_idle(p->watch);
}

static void expire(struct callbacks *cbs)
{
	time_t t = clock_mono_s();
	struct promise *p;

	while ((p = TAILQ_FIRST(&cbs->age)) && p->expires < t) {
		unlink_promise(cbs, p);
		cbs->stats.expired++;
		free(p);
	}
}

/*
 * Move a promise from the table to a list of those to be broken, which is
 * grouped by client.  The first of a client holds a reference to it.
 */
static void collect(struct callbacks *cbs, struct promise *p,
		    struct promise **broken)
{
	struct host *host = p->host;

	unlink_promise(cbs, p);
	cbs->stats.broken++;
	if (host->broken) {
		p->next = host->broken->next;
		host->broken->next = p;
		return;
	}
	host_get(host);
	host->broken = p;
	p->next = NULL;
	p->next_host = *broken;
	*broken = p;
}

/* The list is complete: later collections start lists of their own. */
static void seal(struct promise *broken)
{
	for (; broken; broken = broken->next_host)
		broken->host->broken = NULL;
}

/* Who has more than its share of a full table makes room itself. */
static void make_room(struct callbacks *cbs, struct host *host,
		      struct promise **broken)
{
	bool greedy = host->nr_promises > cbs->config.max / 4;
	struct promise_queue *queue = greedy ? &host->promises : &cbs->age;
	struct promise *p;
	unsigned int i;

	for (i = 0; i < CB_DROP && (p = TAILQ_FIRST(queue)); i++)
		collect(cbs, p, broken);
	seal(*broken);
}

/* The client that knows of a change of @fid without being told, or NULL. */
static const struct host *knower(const struct callbacks_origin *origin,
				 const struct afsx_fid *fid)
{
	unsigned int i;

	for (i = 0; origin && i < origin->nr; i++) {
		if (afsx_fid_eq(&origin->fid[i], fid))
			return origin->host;
	}
	return NULL;
}

static void collect_fid(struct callbacks *cbs, const struct afsx_fid *fid,
			const struct host *except, struct promise **broken)
{
	struct watch *watch = find_watch(cbs, fid);
	struct promise *p, *next;

	if (!watch)
		return;
	for (p = LIST_FIRST(&watch->promises); p; p = next) {
		next = LIST_NEXT(p, by_watch);
		if (p->host != except)
			collect(cbs, p, broken);
	}
}

static void collect_volume(struct callbacks *cbs, u32 vid,
			   struct promise **broken)
{
	struct promise *p, *next;

	for (p = TAILQ_FIRST(&cbs->age); p; p = next) {
		next = TAILQ_NEXT(p, by_age);
		if (p->watch->fid.vid == vid)
			collect(cbs, p, broken);
	}
}

/* Encode up to AFSX_BULK_MAX promises of one client, and free them. */
static void fill(struct promise **broken, struct message *msg,
		 struct rxs_out *out)
{
	struct afsx_cb_callback_args *args = &msg->args;
	struct promise *p = *broken, *after = p->next_host;
	struct host *host = p->host;

	*args = (struct afsx_cb_callback_args){ .nr = 0 };
	for (; p && args->nr < AFSX_BULK_MAX; *broken = p) {
		args->fid[args->nr++] = p->fid;
		p = p->next;
		free(*broken);
	}
	if (p) {
		p->next_host = after;
		host_get(host);
	} else {
		*broken = after;
	}
	msg->host = host;
	*out = (struct rxs_out){
		.conn = host->conn,
		.req = msg->req,
		.req_len = afsx_rpc_encode_args(afsx_rpc(AFSX_CB_CALLBACK),
						args, msg->req, CB_REQ_MAX),
		.owner = host,
	};
}

static void not_told(struct message *msg)
{
	host_missed(msg->host, msg->args.fid, msg->args.nr);
}

/* Send messages for the promises at the head of @broken; at most @max. */
static void send_some(struct callbacks *cbs, struct promise **broken,
		      struct message *msg, struct rxs_out *out,
		      unsigned int max)
{
	unsigned int nr = 0, failed = 0, i;

	while (*broken && nr < max) {
		fill(broken, &msg[nr], &out[nr]);
		/* One that is down hears of it when it comes back. */
		if (host_is_up(msg[nr].host)) {
			nr++;
			continue;
		}
		not_told(&msg[nr]);
		host_put(msg[nr].host);
	}
	rxs_call_many(out, nr);
	for (i = 0; i < nr; i++) {
		if (out[i].code) {
			not_told(&msg[i]);
			host_unreachable(out[i].owner);
			failed++;
		}
		host_put(out[i].owner);
	}
	pthread_mutex_lock(&cbs->lock);
	cbs->stats.sent += nr;
	cbs->stats.failed += failed;
	pthread_mutex_unlock(&cbs->lock);
}

/*
 * Tell the clients.  Memory only decides how many hear of it at once: a
 * promise is kept even if there is none.
 */
static void tell(struct callbacks *cbs, struct promise *broken)
{
	struct message few_msg[CB_MESSAGES_MIN], *msg;
	struct rxs_out few_out[CB_MESSAGES_MIN], *out;
	struct promise *p;
	unsigned int nr = 0;

	for (p = broken; p && nr < CB_MESSAGES; p = p->next_host)
		nr++;
	msg = calloc(nr, sizeof(*msg));
	out = calloc(nr, sizeof(*out));
	while (broken) {
		if (msg && out)
			send_some(cbs, &broken, msg, out, nr);
		else
			send_some(cbs, &broken, few_msg, few_out,
				  CB_MESSAGES_MIN);
	}
	free(msg);
	free(out);
}

static struct afsx_callback answer_of(const struct callbacks *cbs,
				      const struct promise *p)
{
	if (!p)
		return (struct afsx_callback){
			.version = AFSX_CALLBACK_VERSION,
			.type = AFSX_CB_DROPPED,
		};
	return (struct afsx_callback){
		.version = AFSX_CALLBACK_VERSION,
		.expires_in = cbs->config.lifetime,
		.type = AFSX_CB_SHARED,
	};
}

/* Make @p the youngest. */
static void renew(struct callbacks *cbs, struct promise *p)
{
	TAILQ_REMOVE(&cbs->age, p, by_age);
	TAILQ_INSERT_TAIL(&cbs->age, p, by_age);
	TAILQ_REMOVE(&p->host->promises, p, by_host);
	TAILQ_INSERT_TAIL(&p->host->promises, p, by_host);
}

/*
 * Make a promise, or renew it.  A full table drops its oldest, which are to be
 * told of that; without @broken nothing is dropped, and no promise made.
 */
static struct promise *grant(struct callbacks *cbs, struct host *host,
			     const struct afsx_fid *fid,
			     struct promise **broken)
{
	struct promise *p;

	expire(cbs);
	p = find_promise(cbs, host, fid);
	if (p) {
		renew(cbs, p);
	} else if (cbs->count < cbs->config.max || broken) {
		if (cbs->count >= cbs->config.max)
			make_room(cbs, host, broken);
		p = add_promise(cbs, host, fid);
	}
	if (p)
		p->expires = clock_mono_s() + cbs->config.lifetime;
	return p;
}

/**
 * callbacks_grant() - promise a client to tell it of a change
 * @cbs: table
 * @host: the client
 * @fid: vnode, or a volume when vnode and uniquifier are 0
 *
 * Grant before reading what the promise is about: a change that comes between
 * breaks it, and the client discards what it read.
 *
 * Return: what to tell the client; no promise (expiry 0) if it does not take
 * callbacks or there is no memory.
 */
struct afsx_callback callbacks_grant(struct callbacks *cbs, struct host *host,
				     const struct afsx_fid *fid)
{
	struct promise *broken = NULL;
	struct afsx_callback answer;

	if (!host_is_up(host))
		return answer_of(cbs, NULL);
	pthread_mutex_lock(&cbs->lock);
	answer = answer_of(cbs, grant(cbs, host, fid, &broken));
	pthread_mutex_unlock(&cbs->lock);
	if (broken)
		tell(cbs, broken);
	return answer;
}

/**
 * callbacks_try_grant() - the same, without a call to any client
 * @cbs: table
 * @host: the client
 * @fid: vnode
 *
 * Return: no promise when the table is full.
 */
struct afsx_callback callbacks_try_grant(struct callbacks *cbs,
					 struct host *host,
					 const struct afsx_fid *fid)
{
	struct afsx_callback answer;

	if (!host_is_up(host))
		return answer_of(cbs, NULL);
	pthread_mutex_lock(&cbs->lock);
	answer = answer_of(cbs, grant(cbs, host, fid, NULL));
	pthread_mutex_unlock(&cbs->lock);
	return answer;
}

/**
 * callbacks_give_up() - a client no longer wants to hear of a vnode
 * @cbs: table
 * @host: the client
 * @fid: vnode, or a volume when vnode and uniquifier are 0
 */
void callbacks_give_up(struct callbacks *cbs, struct host *host,
		       const struct afsx_fid *fid)
{
	struct promise *p;

	pthread_mutex_lock(&cbs->lock);
	p = find_promise(cbs, host, fid);
	if (p) {
		unlink_promise(cbs, p);
		cbs->stats.given_up++;
	}
	pthread_mutex_unlock(&cbs->lock);
	free(p);
}

/**
 * callbacks_forget() - drop all promises to a client without telling it
 * @cbs: table
 * @host: the client
 */
void callbacks_forget(struct callbacks *cbs, struct host *host)
{
	struct promise *p;

	pthread_mutex_lock(&cbs->lock);
	while ((p = TAILQ_FIRST(&host->promises))) {
		unlink_promise(cbs, p);
		cbs->stats.given_up++;
		free(p);
	}
	pthread_mutex_unlock(&cbs->lock);
}

/**
 * callbacks_break() - tell every client that was promised to hear of a change
 * @cbs: table
 * @origin: the client that made the change, or NULL
 * @fids: vnodes that changed; one with vnode 0 and uniquifier 0 is a volume,
 *	with everything in it
 * @nr: number of @fids
 *
 * Returns when each client has answered, or has failed to and is marked down.
 */
void callbacks_break(struct callbacks *cbs,
		     const struct callbacks_origin *origin,
		     const struct afsx_fid *fids, size_t nr)
{
	struct promise *broken = NULL;
	size_t i;

	pthread_mutex_lock(&cbs->lock);
	expire(cbs);
	for (i = 0; i < nr; i++) {
		if (fids[i].vnode)
			collect_fid(cbs, &fids[i], knower(origin, &fids[i]),
				    &broken);
		else
			collect_volume(cbs, fids[i].vid, &broken);
	}
	seal(broken);
	pthread_mutex_unlock(&cbs->lock);
	if (broken)
		tell(cbs, broken);
}

/** callbacks_stats() - what the table holds and did */
void callbacks_stats(struct callbacks *cbs, struct callbacks_stats *stats)
{
	pthread_mutex_lock(&cbs->lock);
	*stats = cbs->stats;
	stats->count = cbs->count;
	pthread_mutex_unlock(&cbs->lock);
}

/** callbacks_free() - free a table that holds no promises; may be NULL */
void callbacks_free(struct callbacks *cbs)
{
	if (!cbs)
		return;
	free(cbs->watches);
	free(cbs->keys);
	pthread_mutex_destroy(&cbs->lock);
	free(cbs);
}
