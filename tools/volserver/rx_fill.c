// SPDX-License-Identifier: MIT
#include "rx_fill.h"

#include <arpa/inet.h>
#include <pthread.h>

#include <afs/param.h>
#include <afs/stds.h>
#include <rx/rx.h>
#include <rx/rx_globals.h>

#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "rx_server.h"

/* Acknowledgements in a row, beyond which datagrams hold more. */
#define SOON		1
#define LATE		4	/* as librx has it */

/* Replies of these lengths are watched: of several packets, but few. */
#define PACKET_BYTES	1412u
#define SHORT_BYTES	(8 * PACKET_BYTES)

/* What counts against a client: so much for a lost reply, less 1 for any other. */
#define LOST		8
#define TOO_MUCH	13	/* two of them, with few between */

/* Seconds that librx has its way: twice as many each time it comes soon again. */
#define REST_FIRST	16u
#define REST_MAX	4096u

#define CLIENTS		256u

/* What is known of the client that was last here; its entry is its address's. */
struct client {
	u32 addr;
	s32 repeated;
	unsigned int bad;
};

static struct {
	pthread_mutex_t lock;
	struct client clients[CLIENTS];
	s64 rest_end;
	unsigned int rest;
} fill = { .lock = PTHREAD_MUTEX_INITIALIZER };

void rx_fill_init(unsigned int packets)
{
	rxi_nDgramPackets = (int)packets;
	rx_nDgramThreshold = SOON;
}

static void rest(u32 addr, s64 now)
{
	struct in_addr in = { htonl(addr) };
	char text[INET_ADDRSTRLEN];

	fill.rest = now - fill.rest_end < fill.rest ? min(2 * fill.rest, REST_MAX) : REST_FIRST;
	fill.rest_end = now + fill.rest;
	rx_nDgramThreshold = LATE;
	log_info("datagrams of several packets get lost",
		 LOG_S("client", inet_ntop(AF_INET, &in, text, sizeof(text))),
		 LOG_I("rest", fill.rest));
}

/* Packets are repeated one by one: one alone was lost for another reason. */
static void judge(struct client *c, u32 addr, s32 repeated, s64 now)
{
	s32 more = c->addr == addr ? repeated - c->repeated : 0;

	if (c->addr != addr)
		c->bad = 0;
	c->addr = addr;
	c->repeated = repeated;
	if (more > 1)
		c->bad += LOST;
	else if (c->bad)
		c->bad--;
	if (c->bad < TOO_MUCH)
		return;
	c->bad = 0;
	rest(addr, now);
}

void rx_fill_note(const struct rxs_peer *peer, size_t len)
{
	struct rx_debugPeer known;
	s64 now;

	if (len <= PACKET_BYTES || len > SHORT_BYTES ||
	    rx_GetLocalPeers(htonl(peer->addr), htons(peer->port), &known))
		return;
	now = clock_mono_s();
	MUTEX_GUARD(&fill.lock);
	if (now < fill.rest_end)
		return;
	rx_nDgramThreshold = SOON;
	judge(&fill.clients[peer->addr % CLIENTS], peer->addr, known.reSends, now);
}
