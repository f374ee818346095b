/* SPDX-License-Identifier: MIT */
/*
 * The Rx transport of the daemon.  rx_server.c is the only file that knows
 * librx; everything else sees calls, peers and connections of this header, so
 * that the transport can be exchanged without touching a service.
 *
 * librx keeps its state in globals: there is one server in a process.
 */
#ifndef AFSXD_RX_SERVER_H
#define AFSXD_RX_SERVER_H

#include <stddef.h>

#include <afsx/platform.h>

/* Error codes of the Rx protocol that end a call (negative on the wire). */
#define RXS_CALL_DEAD		(-1)	/* the peer does not answer */
#define RXS_RESTARTING		(-100)	/* the server is going down or up */

/* Pairs of an address and a service that librx has room for. */
#define RXS_LISTEN_MAX		20

struct rxs_call;
struct rxs_conn;

/**
 * struct rxs_peer - where a client listens
 * @addr: IPv4 address, host byte order
 * @port: UDP port, host byte order
 */
struct rxs_peer {
	u32 addr;
	u16 port;
};

/**
 * struct rxs_service - one service offered on every listening address
 * @id: Rx service id
 * @port: UDP port, host byte order
 * @name: name for librx' own statistics
 */
struct rxs_service {
	u16 id;
	u16 port;
	const char *name;
};

/**
 * struct rxs_config - what the server listens on and how it serves
 * @addrs: IPv4 addresses in host byte order; a 0 alone means all of them
 * @nr_addrs: number of @addrs; times @nr_services at most RXS_LISTEN_MAX
 * @services: the services; calls to clients leave from the first one's port
 * @nr_services: number of @services
 * @threads: calls served at the same time, over all services; one more for
 *	each pair of address and service, which is never without a thread
 * @idle_timeout: seconds after which a call whose peer moves no data is ended
 * @udp_buffer: bytes a socket holds that were not yet read, and as many not yet sent;
 *	the kernel may allow less
 * @datagram_packets: the most packets sent in one datagram; 1 never needs fragments of IP
 * @handler: serves one call on a thread of the pool; what it returns ends the
 *	call: 0 for success, anything else is the abort code sent to the peer
 * @ctx: passed to @handler
 */
struct rxs_config {
	const u32 *addrs;
	unsigned int nr_addrs;
	const struct rxs_service *services;
	unsigned int nr_services;
	unsigned int threads;
	unsigned int idle_timeout;
	unsigned int udp_buffer;
	unsigned int datagram_packets;
	s32 (*handler)(void *ctx, struct rxs_call *call);
	void *ctx;
};

/**
 * struct rxs_out - one call to a client, for rxs_call_many()
 * @conn: connection to call on
 * @req: encoded request, opcode included
 * @req_len: bytes in @req
 * @reply: where the reply goes
 * @reply_size: bytes there are at @reply
 * @reply_len: out: bytes of the reply
 * @owner: the caller's own
 * @code: out: 0, an abort code or an Rx error such as RXS_CALL_DEAD
 */
struct rxs_out {
	struct rxs_conn *conn;
	const void *req;
	size_t req_len;
	void *reply;
	size_t reply_size;
	size_t reply_len;
	void *owner;
	s32 code;
};

int rxs_start(const struct rxs_config *config);
void rxs_stop(unsigned int grace);

u16 rxs_call_service(const struct rxs_call *call);
struct rxs_peer rxs_call_peer(const struct rxs_call *call);
void rxs_interrupt(struct rxs_call *call, s32 code);
size_t rxs_read(struct rxs_call *call, void *buf, size_t len);
int rxs_write(struct rxs_call *call, const void *buf, size_t len);

struct rxs_conn *rxs_connect(const struct rxs_peer *peer, u16 service,
			     unsigned int timeout);
void rxs_disconnect(struct rxs_conn *conn);
void rxs_call_many(struct rxs_out *out, unsigned int nr);

#endif /* AFSXD_RX_SERVER_H */
