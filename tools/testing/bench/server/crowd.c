// SPDX-License-Identifier: MIT
/*
 * Many clients, one after the other: each has an address of its own in 10.9.0.0/16,
 * makes one FetchStatus call, and answers what the server asks it meanwhile. Then it
 * is silent, and the server goes on to remember it and its promise.
 *
 * librx gives a process one port, so this speaks Rx itself: single packets, as its
 * specification has them (28 bytes of header, big-endian).
 */
#include <arpa/inet.h>
#include <endian.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "defs.h"
#include "rx_packet.h"

#define CLIENT_PORT	7001
#define WAIT_MS		10000

#define ACK_WORDS	5	/* the last begins with the reason */
#define ACK_PING	6
#define ACK_PONG	7

#define FETCH_STATUS	132	/* opcodes */
#define TELL_ME		65538

/* An answer to TellMeAboutYourself: interfaces, UUID, three lists of 32, no words. */
#define IDENTITY_WORDS	(1 + 11 + 3 * 32 + 1)

struct packet {
	struct rx_packet_head h;
	u32 word[352];
};

static int open_client(const struct sockaddr_in *server, unsigned int nr)
{
	struct sockaddr_in self = {
		.sin_family = AF_INET,
		.sin_port = htons(CLIENT_PORT),
		.sin_addr.s_addr = htonl((10u << 24) + (9u << 16) + nr + 1),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self)) ||
	    connect(fd, (const struct sockaddr *)server, sizeof(*server)))
		die("client %u cannot open a port", nr);
	return fd;
}

static void send_packet(int fd, struct packet *p, u8 type, u8 flags,
			size_t words)
{
	static u32 serial;

	p->h.serial = htonl(++serial);
	p->h.type = type;
	p->h.flags = flags;
	if (send(fd, p, sizeof(p->h) + 4 * words, 0) < 0)
		die("cannot send");
}

static void ask(int fd, unsigned int nr)
{
	struct packet p = {
		.h.epoch = htonl(bench.start),
		.h.cid = htonl((nr + 1) * 4),
		.h.call = htonl(1),
		.h.seq = htonl(1),
		.h.service = htons(FS_SERVICE),
		.word = { htonl(FETCH_STATUS), htonl(bench.root.Volume),
			  htonl(bench.root.Vnode), htonl(bench.root.Unique) },
	};

	send_packet(fd, &p, RX_DATA, RX_CLIENT_INITIATED | RX_LAST_PACKET, 4);
}

/* A call of the server: who we are, or yes to everything else. */
static void reply(int fd, struct packet *p, unsigned int nr)
{
	bool identity = p->word[0] == htonl(TELL_ME);

	memset(p->word, 0, sizeof(p->word));
	if (identity) {
		p->word[1] = htonl(nr + 1);
		p->word[2] = htonl(bench.start & 0xffff);
	}
	send_packet(fd, p, RX_DATA, RX_LAST_PACKET,
		    identity ? IDENTITY_WORDS : 0);
}

/* A server may want to know that we are there before it serves us. */
static void pong(int fd, struct packet *p)
{
	if (ntohl(p->word[4]) >> 24 != ACK_PING)
		return;
	memset(p->word, 0, sizeof(p->word));
	p->word[1] = htonl(1);
	p->word[3] = p->h.serial;
	p->word[4] = htonl(ACK_PONG << 24);
	send_packet(fd, p, RX_ACK, RX_CLIENT_INITIATED, ACK_WORDS);
}

/* Whether the packet ends our call. */
static bool take(int fd, struct packet *p, unsigned int nr)
{
	if (p->h.type == RX_ABORT)
		die("client %u: error %d", nr, (int)ntohl(p->word[0]));
	if (p->h.type == RX_ACK && !(p->h.flags & RX_CLIENT_INITIATED))
		pong(fd, p);
	if (p->h.type != RX_DATA)
		return false;
	if (p->h.flags & RX_CLIENT_INITIATED) {
		reply(fd, p, nr);
		return false;
	}
	send_packet(fd, p, RX_ACKALL, RX_CLIENT_INITIATED, 0);
	return true;
}

void crowd(const struct sockaddr_in *server, unsigned int clients)
{
	for (unsigned int nr = 0; nr < clients; nr++) {
		struct pollfd fd = {
			.fd = open_client(server, nr), .events = POLLIN,
		};
		struct packet p;

		ask(fd.fd, nr);
		do {
			if (poll(&fd, 1, WAIT_MS) != 1)
				die("client %u: no answer", nr);
			memset(&p, 0, sizeof(p));
			if (recv(fd.fd, &p, sizeof(p), 0) < 0)
				die("client %u: cannot receive", nr);
		} while (!take(fd.fd, &p, nr));
		close(fd.fd);
	}
}
