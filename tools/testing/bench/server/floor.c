// SPDX-License-Identifier: MIT
/*
 * bench-floor ADDRESS PORT [poll]
 *
 * What a server that takes no time would reach under the load of bench-server: answers
 * every call at once, on one thread, with a reply of the right length that says
 * nothing. It knows the calls of the group "status" and those that begin it, keeps
 * nothing, and repeats nothing: a packet that gets lost is asked for again by the client.
 * With "poll" it never sleeps.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "defs.h"
#include "rx_packet.h"

#define BATCH		32		/* packets received at a time */
#define PARTS		4		/* the most packets of a reply */
#define PART_BYTES	1412u		/* of a reply in one packet */
#define BUFFER		(4 << 20)	/* of the socket */

/* Words of XDR. */
#define FID		3
#define STATUS		21
#define CALLBACK	3
#define SYNC		6
#define BULK		50		/* entries of a bulk call */

struct packet {
	struct rx_packet_head h;
	u8 data[PART_BYTES];
};

/* A call, and how many words answer it; all are 0 but the counts of entries. */
static const struct answer {
	u32 opcode;
	u32 words;
	u32 counts[2];	/* where they are, words from 1 */
} answers[] = {
	{ 132 /* FetchStatus */, STATUS + CALLBACK + SYNC, { 0 } },
	{ 135 /* StoreStatus */, STATUS + SYNC, { 0 } },
	{ 137 /* CreateFile */, FID + 2 * STATUS + CALLBACK + SYNC, { 0 } },
	{ 141 /* MakeDir */, FID + 2 * STATUS + CALLBACK + SYNC, { 0 } },
	{ 153 /* GetTime */, 2, { 0 } },
	{ 65536 /* InlineBulkStatus */,
	  1 + BULK * STATUS + 1 + BULK * CALLBACK + SYNC,
	  { 1, 1 + BULK * STATUS + 1 } },
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int open_server(const char *address, const char *port)
{
	struct sockaddr_in self = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = inet_addr(address),
		.sin_port = htons((u16)atoi(port)),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self)))
		die("bench-floor: cannot open the port");
	return fd;
}

static const struct answer *answer_of(const struct packet *p, size_t len)
{
	u32 opcode;

	if (len < sizeof(p->h) + sizeof(opcode) || p->h.type != RX_DATA ||
	    !(p->h.flags & RX_CLIENT_INITIATED) || p->h.seq != htonl(1))
		return NULL;
	memcpy(&opcode, p->data, sizeof(opcode));
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		if (answers[i].opcode == ntohl(opcode))
			return &answers[i];
	return NULL;
}

/* The reply in packets; librx wants serial numbers to rise. */
static unsigned int make_reply(struct packet *out, struct iovec *iov,
			       const struct packet *in, const struct answer *a)
{
	static u32 serial;
	u32 body[PARTS * PART_BYTES / 4] = { 0 };
	unsigned int parts = 0, len;

	for (size_t i = 0; i < ARRAY_SIZE(a->counts); i++)
		if (a->counts[i])
			body[a->counts[i] - 1] = htonl(BULK);
	for (unsigned int at = 0; at < a->words * 4; at += len) {
		len = a->words * 4 - at;
		if (len > PART_BYTES)
			len = PART_BYTES;
		out[parts].h = in->h;
		out[parts].h.seq = htonl(parts + 1);
		out[parts].h.serial = htonl(++serial);
		out[parts].h.flags = at + len == a->words * 4 ? RX_LAST_PACKET : 0;
		memcpy(out[parts].data, (u8 *)body + at, len);
		iov[parts] = (struct iovec){ &out[parts], sizeof(out->h) + len };
		parts++;
	}
	return parts;
}

/* Answer what was received, all with one system call. */
static void answer(int fd, struct mmsghdr *in, const struct packet *packets, int nr)
{
	static struct packet replies[BATCH * PARTS];
	struct iovec iov[BATCH * PARTS];
	struct mmsghdr out[BATCH * PARTS] = { 0 };
	unsigned int nr_out = 0;

	for (int i = 0; i < nr; i++) {
		const struct answer *a = answer_of(&packets[i], in[i].msg_len);
		unsigned int end = nr_out;

		if (!a)
			continue;
		end += make_reply(&replies[nr_out], &iov[nr_out], &packets[i], a);
		for (; nr_out < end; nr_out++) {
			out[nr_out].msg_hdr.msg_name = in[i].msg_hdr.msg_name;
			out[nr_out].msg_hdr.msg_namelen = in[i].msg_hdr.msg_namelen;
			out[nr_out].msg_hdr.msg_iov = &iov[nr_out];
			out[nr_out].msg_hdr.msg_iovlen = 1;
		}
	}
	for (unsigned int sent = 0; sent < nr_out;) {
		int n = sendmmsg(fd, out + sent, nr_out - sent, 0);

		if (n < 0)
			die("bench-floor: cannot send");
		sent += n;
	}
}

int main(int argc, char **argv)
{
	static struct packet packets[BATCH];
	struct sockaddr_in peers[BATCH];
	struct iovec iov[BATCH];
	bool poll = argc == 4 && !strcmp(argv[3], "poll");
	int fd;

	if (argc != 3 && !poll) {
		fprintf(stderr, "usage: bench-floor ADDRESS PORT [poll]\n");
		return 2;
	}
	fd = open_server(argv[1], argv[2]);
	for (;;) {
		struct mmsghdr in[BATCH] = { 0 };
		int nr;

		for (int i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ &packets[i], sizeof(packets[i]) };
			in[i].msg_hdr.msg_name = &peers[i];
			in[i].msg_hdr.msg_namelen = sizeof(peers[i]);
			in[i].msg_hdr.msg_iov = &iov[i];
			in[i].msg_hdr.msg_iovlen = 1;
		}
		nr = recvmmsg(fd, in, BATCH, poll ? MSG_DONTWAIT : MSG_WAITFORONE, NULL);
		if (nr > 0)
			answer(fd, in, packets, nr);
	}
}
