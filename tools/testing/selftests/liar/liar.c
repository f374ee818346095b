// SPDX-License-Identifier: MIT
/*
 * liar RULES: serve as VL and file server on 127.0.0.1 and lie as RULES says.
 *
 * As much of Rx as a client on the same machine needs: a request is one packet,
 * a reply is sent in one go, nothing is repeated unless the client repeats its
 * request. The packet format is that of OpenAFS's doc/txt/rx-spec.txt.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include "liar.h"
#include "rx_packet.h"

#define RX_PAYLOAD		1400
#define ENDLESS_BURST		16

/**
 * struct peer - where a packet came from, and what answers to it look like
 * @fd: socket
 * @addr: the client
 * @head: header of the client's packet
 */
struct peer {
	int			fd;
	struct sockaddr_in	addr;
	struct rx_packet_head	head;
};

/* The call that gets data for ever, cid 0 when there is none, and how far it is. */
static u32 endless_cid;
static u32 endless_call;
static u32 endless_seq;

static void send_packet(const struct peer *peer, u8 type, u8 flags, u32 seq,
			const void *data, size_t len)
{
	static u32 serial;
	u8 packet[sizeof(struct rx_packet_head) + RX_PAYLOAD];
	struct rx_packet_head head = peer->head;

	head.type = type;
	head.flags = flags;
	head.seq = htonl(seq);
	head.serial = htonl(++serial);
	head.spare = 0;
	memcpy(packet, &head, sizeof(head));
	memcpy(packet + sizeof(head), data, len);
	if (sendto(peer->fd, packet, sizeof(head) + len, 0,
		   (const struct sockaddr *)&peer->addr, sizeof(peer->addr)) < 0 &&
	    errno != ECONNREFUSED)
		err(1, "sendto");
}

static void send_reply(const struct peer *peer, const struct liar_reply *reply)
{
	size_t pos = 0, len;
	u32 seq = 1;
	bool last;

	do {
		len = min(reply->len - pos, (size_t)RX_PAYLOAD);
		last = pos + len == reply->len;
		send_packet(peer, RX_DATA,
			    last ? RX_LAST_PACKET | RX_REQUEST_ACK : 0,
			    seq++, reply->buf + pos, len);
		pos += len;
	} while (!last);
}

/* The next few packets of a reply that has no end. */
static void send_more(const struct peer *peer)
{
	static const u8 zeros[RX_PAYLOAD];
	int i;

	for (i = 0; i < ENDLESS_BURST; i++)
		send_packet(peer, RX_DATA, i == ENDLESS_BURST - 1 ? RX_REQUEST_ACK : 0,
			    endless_seq++, zeros, sizeof(zeros));
}

static bool is_endless(const struct peer *peer)
{
	return endless_cid && peer->head.cid == endless_cid &&
	       peer->head.call == endless_call;
}

static void handle_request(const struct peer *peer, u16 port, const char *rules,
			   const u8 *data, size_t len)
{
	static struct liar_reply reply;
	const struct afsx_rpc *rpc = NULL;

	reply.len = 0;
	reply.abort = 0;
	reply.silent = false;
	reply.endless = false;
	if (len >= 4)
		rpc = afsx_rpc_find(port, get_unaligned_be32(data));
	if (rpc) {
		liar_answer(rpc, data + 4, len - 4, liar_version(rules),
			    &reply);
		liar_bend(rules, rpc, &reply);
	} else {
		reply.abort = AFSX_RXGEN_OPCODE;
	}

	if (reply.silent) {
		printf("silent %s\n", rpc->name);
		fflush(stdout);
	} else if (reply.abort) {
		u32 code = htonl(reply.abort);

		send_packet(peer, RX_ABORT, 0, 0, &code, sizeof(code));
	} else if (reply.endless) {
		endless_cid = peer->head.cid;
		endless_call = peer->head.call;
		endless_seq = 1;
		send_more(peer);
	} else {
		send_reply(peer, &reply);
	}
}

static void handle_packet(int fd, u16 port, const char *rules)
{
	u8 packet[65536];
	struct peer peer = { .fd = fd };
	socklen_t addr_len = sizeof(peer.addr);
	ssize_t len = recvfrom(fd, packet, sizeof(packet), 0,
			       (struct sockaddr *)&peer.addr, &addr_len);

	if (len < (ssize_t)sizeof(peer.head))
		return;
	memcpy(&peer.head, packet, sizeof(peer.head));
	if (!(peer.head.flags & RX_CLIENT_INITIATED))
		return;
	switch (peer.head.type) {
	case RX_DATA:
		handle_request(&peer, port, rules, packet + sizeof(peer.head),
			       len - sizeof(peer.head));
		break;
	case RX_ACK:
		if (is_endless(&peer))
			send_more(&peer);
		break;
	case RX_ABORT:
		if (is_endless(&peer))
			endless_cid = 0;
		break;
	}
}

static int open_port(struct in_addr ip, u16 port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = ip,
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		err(1, "port %u", port);
	return fd;
}

int main(int argc, char **argv)
{
	static const u16 port[] = { AFSX_VL_PORT, AFSX_FS_PORT };
	struct pollfd fds[ARRAY_SIZE(port)];
	struct in_addr ip;
	size_t i;

	if (argc < 2 || argc > 3 ||
	    !inet_aton(argc == 3 ? argv[2] : "127.0.0.1", &ip)) {
		fprintf(stderr, "usage: liar RULES [ADDRESS]\n");
		return 2;
	}
	for (i = 0; i < ARRAY_SIZE(port); i++)
		fds[i] = (struct pollfd){ .fd = open_port(ip, port[i]), .events = POLLIN };
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			err(1, "poll");
		for (i = 0; i < ARRAY_SIZE(port); i++)
			if (fds[i].revents & POLLIN)
				handle_packet(fds[i].fd, port[i], argv[1]);
	}
}
