// SPDX-License-Identifier: MIT
/*
 * Serving and making Rx calls through librx (the pthread build).
 *
 * Every pair of listening address and service port is one UDP socket and one
 * librx service; librx runs the pool of threads and queues what arrives while
 * all of them are busy.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <afs/param.h>
#include <afs/stds.h>
#include <rx/rx.h>
#include <rx/rx_globals.h>
#include <rx/rx_multi.h>
#include <rx/rx_null.h>

#include "rx_beat.h"
#include "rx_fill.h"
#include "rx_server.h"

/* Bytes librx moves in one read or write: its length arguments are int. */
#define RXS_IO_MAX	(1024 * 1024)

/* Calls to clients handed to librx at once. */
#define RXS_PASS_MAX	1024

static_assert(RXS_LISTEN_MAX == RX_MAX_SERVICES, "librx says how many");

/* The one security class of the service: no authentication (index 0). */
enum { RXS_SECURITY_NULL, RXS_SECURITY_COUNT };

/* One call in progress; lives on the stack of its thread. */
struct rxs_call {
	struct rx_call *rx;
	struct rxs_call *next;
	struct rxs_call **prev;
};

struct rxs_conn {
	struct rx_connection *rx;
	unsigned int running;	/* calls in progress, under server.lock */
};

static struct {
	struct rxs_config config;
	struct rx_securityClass *security[RXS_SECURITY_COUNT];
	pthread_mutex_t lock;
	pthread_cond_t idle;		/* no call is served */
	pthread_cond_t released;	/* a call to a client has ended */
	struct rxs_call *active;
	bool stopping;
} server = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.idle = PTHREAD_COND_INITIALIZER,
	.released = PTHREAD_COND_INITIALIZER,
};

static bool call_enter(struct rxs_call *call)
{
	bool accepted;

	pthread_mutex_lock(&server.lock);
	accepted = !server.stopping;
	if (accepted) {
		call->next = server.active;
		call->prev = &server.active;
		if (call->next)
			call->next->prev = &call->next;
		server.active = call;
	}
	pthread_mutex_unlock(&server.lock);
	return accepted;
}

static void call_leave(struct rxs_call *call)
{
	pthread_mutex_lock(&server.lock);
	*call->prev = call->next;
	if (call->next)
		call->next->prev = call->prev;
	if (!server.active)
		pthread_cond_broadcast(&server.idle);
	pthread_mutex_unlock(&server.lock);
}

static afs_int32 serve(struct rx_call *rx)
{
	struct rxs_call call = { .rx = rx };
	s32 code;

	if (!call_enter(&call))
		return RXS_RESTARTING;
	rx_beat();
	code = server.config.handler(server.config.ctx, &call);
	call_leave(&call);
	return code;
}

static int add_service(u32 addr, const struct rxs_service *row, bool primary)
{
	struct rx_service *service;

	/* librx shares the socket of rx_InitHost() with services on port 0. */
	service = rx_NewServiceHost(htonl(addr), primary ? 0 : htons(row->port),
				    row->id, (char *)row->name, server.security,
				    RXS_SECURITY_COUNT, serve);
	if (!service)
		return -EADDRINUSE;
	rx_SetMinProcs(service, 1);
	rx_SetMaxProcs(service, server.config.threads);
	rx_SetIdleDeadTime(service, server.config.idle_timeout);
	return 0;
}

/*
 * librx sends an abort before it marks the call as over.  A client that is
 * quick to make its next call is then told BUSY, and waits for seconds.  So
 * every abort goes through the mechanism meant for clients with many errors,
 * which sends it a moment later; a connection's errors are sent at once.
 */
static void put_off_aborts(void)
{
	rx_SetCallAbortThreshold(-1);
	rx_SetCallAbortDelay(1);
	rx_SetConnAbortThreshold(0);
}

/**
 * rxs_start() - bind the sockets and start serving
 * @config: copied, except the strings and @config->ctx, which must stay
 *
 * Return: 0, -EADDRINUSE when an address cannot be bound, -ENOMEM.
 */
int rxs_start(const struct rxs_config *config)
{
	unsigned int a, s;
	int ret;

	server.config = *config;
	rx_extraPackets = config->threads * 8;
	rx_SetUdpBufSize((int)config->udp_buffer);
	put_off_aborts();
	rx_fill_init(config->datagram_packets);
	/* the thread that receives a request serves it; another one listens on */
	rx_EnableHotThread();
	if (rx_InitHost(htonl(config->addrs[0]),
			htons(config->services[0].port)))
		return -EADDRINUSE;
	server.security[RXS_SECURITY_NULL] = rxnull_NewServerSecurityObject();
	if (!server.security[RXS_SECURITY_NULL])
		return -ENOMEM;
	for (a = 0; a < config->nr_addrs; a++) {
		for (s = 0; s < config->nr_services; s++) {
			ret = add_service(config->addrs[a],
					  &config->services[s], !a && !s);
			if (ret)
				return ret;
		}
	}
	rx_StartServer(0);
	return 0;
}

/* Wait for the calls in progress until @until; true when none is left. */
static bool wait_idle(const struct timespec *until)
{
	while (server.active) {
		if (pthread_cond_timedwait(&server.idle, &server.lock, until))
			return !server.active;
	}
	return true;
}

/**
 * rxs_interrupt() - end a call that another thread is at
 * @call: the call, whose handler must not return meanwhile
 * @code: the abort code the client is sent
 *
 * Reads and writes of the call end, and fail from now on.
 */
void rxs_interrupt(struct rxs_call *call, s32 code)
{
	rx_InterruptCall(call->rx, code);
}

/**
 * rxs_stop() - refuse new calls and wait for the ones in progress
 * @grace: seconds they may take before they are interrupted
 *
 * When it returns no handler runs any more.
 */
void rxs_stop(unsigned int grace)
{
	struct timespec until;
	struct rxs_call *call;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += grace;
	pthread_mutex_lock(&server.lock);
	server.stopping = true;
	if (!wait_idle(&until)) {
		for (call = server.active; call; call = call->next)
			rxs_interrupt(call, RXS_RESTARTING);
		while (server.active)
			pthread_cond_wait(&server.idle, &server.lock);
	}
	pthread_mutex_unlock(&server.lock);
}

/** rxs_call_service() - Rx service id @call was made on */
u16 rxs_call_service(const struct rxs_call *call)
{
	return rx_ServiceIdOf(rx_ConnectionOf(call->rx));
}

/** rxs_call_peer() - the client that made @call */
struct rxs_peer rxs_call_peer(const struct rxs_call *call)
{
	struct rx_peer *peer = rx_PeerOf(rx_ConnectionOf(call->rx));

	return (struct rxs_peer){
		.addr = ntohl(rx_HostOf(peer)),
		.port = ntohs(rx_PortOf(peer)),
	};
}

/* Move @len bytes piecewise; returns how many were moved. */
static size_t move(struct rx_call *rx, void *buf, size_t len,
		   int (*step)(struct rx_call *rx, char *buf, int len))
{
	size_t done = 0;
	int part, n;

	while (done < len) {
		part = len - done > RXS_IO_MAX ? RXS_IO_MAX : len - done;
		n = step(rx, (char *)buf + done, part);
		if (n > 0)
			done += n;
		if (n != part)
			break;
	}
	return done;
}

/**
 * rxs_read() - read request bytes
 * @call: the call
 * @buf: where they go
 * @len: bytes wanted; waits for all of them
 *
 * Return: bytes read; fewer than @len when the request ended or the peer is
 * gone.
 */
size_t rxs_read(struct rxs_call *call, void *buf, size_t len)
{
	return move(call->rx, buf, len, rx_ReadProc);
}

/**
 * rxs_write() - write reply bytes
 * @call: the call; its request has been read
 * @buf: the bytes
 * @len: how many
 *
 * Return: 0, or -EIO when the peer is gone or gave up the call.
 */
int rxs_write(struct rxs_call *call, const void *buf, size_t len)
{
	struct rxs_peer peer = rxs_call_peer(call);

	rx_fill_note(&peer, len);
	return move(call->rx, (void *)buf, len, rx_WriteProc) == len ? 0 : -EIO;
}

/**
 * rxs_connect() - make a connection to a client
 * @peer: the client
 * @service: Rx service id there
 * @timeout: seconds one call may take
 *
 * Sends nothing; connections are unauthenticated.
 * Return: the connection, for rxs_disconnect(), or NULL without memory.
 */
struct rxs_conn *rxs_connect(const struct rxs_peer *peer, u16 service,
			     unsigned int timeout)
{
	struct rxs_conn *conn = malloc(sizeof(*conn));

	if (!conn)
		return NULL;
	conn->running = 0;
	conn->rx = rx_NewConnection(htonl(peer->addr), htons(peer->port),
				    service, rxnull_NewClientSecurityObject(),
				    RXS_SECURITY_NULL);
	if (!conn->rx) {
		free(conn);
		return NULL;
	}
	rx_SetConnDeadTime(conn->rx, timeout);
	rx_SetConnHardDeadTime(conn->rx, timeout);
	return conn;
}

/** rxs_disconnect() - give up @conn, which may be NULL */
void rxs_disconnect(struct rxs_conn *conn)
{
	if (!conn)
		return;
	rx_DestroyConnection(conn->rx);
	free(conn);
}

/*
 * A connection carries RX_MAXCALLS calls; asking librx for one more waits.
 * Waiting while holding calls of other connections could deadlock two callers,
 * so calls are claimed here, all that can run at the time, before librx sees
 * them.  Called with the lock held; puts what it claimed first in @out.
 */
static unsigned int claim(struct rxs_out *out, unsigned int nr)
{
	unsigned int i, claimed = 0;
	struct rxs_out swap;

	for (i = 0; i < nr && claimed < RXS_PASS_MAX; i++) {
		if (out[i].conn->running == RX_MAXCALLS)
			continue;
		out[i].conn->running++;
		swap = out[claimed];
		out[claimed++] = out[i];
		out[i] = swap;
	}
	return claimed;
}

static unsigned int claim_some(struct rxs_out *out, unsigned int nr)
{
	unsigned int claimed;

	pthread_mutex_lock(&server.lock);
	while (!(claimed = claim(out, nr)))
		pthread_cond_wait(&server.released, &server.lock);
	pthread_mutex_unlock(&server.lock);
	return claimed;
}

static void release(struct rxs_out *out, unsigned int nr)
{
	pthread_mutex_lock(&server.lock);
	while (nr--)
		out[nr].conn->running--;
	pthread_cond_broadcast(&server.released);
	pthread_mutex_unlock(&server.lock);
}

static void finish(struct rx_call *rx, struct rxs_out *out)
{
	out->reply_len = move(rx, out->reply, out->reply_size, rx_ReadProc);
	out->code = rx_EndCall(rx, 0);
}

/* Make @nr claimed calls and wait for all of them. */
static void run(struct rxs_out *out, unsigned int nr)
{
	struct rx_connection *conns[RXS_PASS_MAX];
	struct multi_handle *handle;
	unsigned int i;
	int ready;

	for (i = 0; i < nr; i++)
		conns[i] = out[i].conn->rx;
	handle = multi_Init(conns, nr);
	for (i = 0; i < nr; i++) {
		move(handle->calls[i], (void *)out[i].req, out[i].req_len,
		     rx_WriteProc);
		rx_FlushWrite(handle->calls[i]);
	}
	while ((ready = multi_Select(handle)) >= 0) {
		finish(handle->calls[ready], &out[ready]);
		handle->calls[ready] = NULL;
	}
	multi_Finalize(handle);
}

/**
 * rxs_call_many() - make calls to clients, all at the same time
 * @out: the calls; results are left in them, in an order of its own
 * @nr: how many
 *
 * Returns when the last call is answered or has failed: a client that does not
 * answer costs one time-out, however many such clients there are.
 */
void rxs_call_many(struct rxs_out *out, unsigned int nr)
{
	unsigned int claimed;

	while (nr) {
		claimed = claim_some(out, nr);
		run(out, claimed);
		release(out, claimed);
		out += claimed;
		nr -= claimed;
	}
}
