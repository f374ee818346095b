// SPDX-License-Identifier: MIT
/* Requests given byte by byte, for what no stub would send. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

#define RAW_MAX		8192

/* Hexadecimal digits, in as many words as there are, to bytes. */
static size_t parse_hex(char **words, int nr, unsigned char *buf)
{
	size_t len = 0;
	unsigned int byte;
	const char *p;
	int i;

	for (i = 0; i < nr; i++) {
		for (p = words[i]; p[0] && p[1] && len < RAW_MAX; p += 2) {
			if (sscanf(p, "%2x", &byte) == 1)
				buf[len++] = byte;
		}
	}
	return len;
}

static void raw_call(struct rx_connection *conn, char **words, int nr)
{
	unsigned char buf[RAW_MAX];
	size_t len = parse_hex(words, nr, buf);
	struct rx_call *call = rx_NewCall(conn);
	int got, code, i;

	rx_Write(call, (char *)buf, len);
	got = rx_Read(call, (char *)buf, sizeof(buf));
	code = rx_EndCall(call, 0);
	answer("%d ", code);
	for (i = 0; !code && i < got; i++)
		answer("%02x", buf[i]);
}

/* raw-fs HEX...: answers the abort code and the reply */
static void raw_fs(char **words, int nr)
{
	raw_call(client.fs, words, nr);
}

static void raw_vl(char **words, int nr)
{
	raw_call(client.vl, words, nr);
}

/* zeros-fs OPCODE BYTES: a request of an opcode and so many zero bytes */
static void zeros_fs(char **words, int nr)
{
	uint32_t opcode = htonl(number(words[0]));
	uint64_t left = number(words[1]);
	struct rx_call *call = rx_NewCall(client.fs);
	static char zeros[RAW_MAX];
	char reply[4];

	rx_Write(call, (char *)&opcode, sizeof(opcode));
	while (left) {
		int part = left < RAW_MAX ? left : RAW_MAX;

		if (rx_Write(call, zeros, part) != part)
			break;
		left -= part;
	}
	rx_Read(call, reply, sizeof(reply));
	answer("%d", rx_EndCall(call, 0));
}

/* An Rx packet of a client: the header's words, then an opcode. */
enum { RX_WORDS = 8, REASON_AT = 44, REASON_PING = 6 };

static int half_fd = -1;

static void send_half(uint32_t epoch, uint32_t cid)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(client.fs_port),
		.sin_addr.s_addr = htonl(client.server),
	};
	const uint32_t packet[RX_WORDS] = {
		epoch, cid, htonl(1), htonl(1), htonl(1),
		htonl(0x01010000),	/* data, by the client, not the last */
		htonl(1), htonl(132),	/* file service, FetchStatus */
	};

	if (sendto(half_fd, packet, sizeof(packet), 0, (void *)&to, sizeof(to)) < 0)
		fail("not sent");
}

/* Pings are answered, so that the server believes in the client. */
static void *answer_pings(void *arg)
{
	uint32_t packet[512];
	ssize_t n;

	while ((n = recv(half_fd, packet, sizeof(packet), 0)) > 0) {
		if (n > REASON_AT && ((uint8_t *)packet)[REASON_AT] == REASON_PING)
			send_half(packet[0], packet[1]);
	}
	return arg;
}

/* half-fs COUNT: requests of which no more than the opcode is sent */
static void half_fs(char **words, int nr)
{
	static uint32_t cid = 0x10000;
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(client.address),
	};
	unsigned int i, n = number(words[0]);
	pthread_t thread;

	if (half_fd < 0) {
		half_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		expect("bind", bind(half_fd, (void *)&from, sizeof(from)), 0);
		expect("thread", pthread_create(&thread, NULL, answer_pings, NULL), 0);
	}
	for (i = 0; i < n; i++, cid += RX_MAXCALLS)
		send_half(htonl(0x80001234), htonl(cid));
}

/* datagram PORT HEX...: one UDP datagram to the server, from a new socket */
static void datagram(char **words, int nr)
{
	unsigned char buf[RAW_MAX];
	size_t len = parse_hex(words + 1, nr - 1, buf);
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(number(words[0])),
		.sin_addr.s_addr = htonl(client.server),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sendto(fd, buf, len, 0, (void *)&to, sizeof(to)) < 0)
		fail("not sent");
	close(fd);
}

/* noise PORT COUNT SEED: so many datagrams of random bytes */
static void noise(char **words, int nr)
{
	unsigned int seed = number(words[2]), i, n = number(words[1]);
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(number(words[0])),
		.sin_addr.s_addr = htonl(client.server),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned char buf[1500];
	size_t len, k;

	for (i = 0; i < n; i++) {
		len = rand_r(&seed) % sizeof(buf);
		for (k = 0; k < len; k++)
			buf[k] = rand_r(&seed);
		sendto(fd, buf, len, 0, (void *)&to, sizeof(to));
	}
	close(fd);
}

/* datagrams: answers how many with data (type 1) were received, of calls and replies */
static void datagrams(char **words, int nr)
{
	struct rx_statistics *stats = rx_GetStatistics();

	answer("%d", stats->packetsRead[0]);
	rx_FreeStatistics(&stats);
}

const struct command raw_commands[] = {
	{ "raw-fs", 0, raw_fs },
	{ "raw-vl", 0, raw_vl },
	{ "zeros-fs", 2, zeros_fs },
	{ "half-fs", 1, half_fs },
	{ "datagram", 1, datagram },
	{ "datagrams", 0, datagrams },
	{ "noise", 3, noise },
	{ 0 }
};
