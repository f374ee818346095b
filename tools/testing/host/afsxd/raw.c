// SPDX-License-Identifier: MIT
/* Requests given byte by byte, for what no stub would send. */
#include <arpa/inet.h>
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

const struct command raw_commands[] = {
	{ "raw-fs", 0, raw_fs },
	{ "raw-vl", 0, raw_vl },
	{ "zeros-fs", 2, zeros_fs },
	{ "datagram", 1, datagram },
	{ "noise", 3, noise },
	{ 0 }
};
