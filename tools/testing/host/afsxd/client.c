// SPDX-License-Identifier: MIT
/*
 * afsxd-client SERVER FS-PORT VL-PORT BIND-ADDRESS BIND-PORT PROMISE-TIME UUID
 *
 * A UUID of 0 makes one of the port; with "mute" there is no callback service.
 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "defs.h"

#include <rx/rx_null.h>

#define FS_SERVICE	1
#define VL_SERVICE	52
#define CB_SERVICE	1

/* rxgen_consts.h: RXGEN_OPCODE */
#define NOT_SERVED	(-455)

#define RECONNECT_TRIES	100

/* Seconds a call to the server may take, and be silent for. */
#define CALL_SECONDS	120
#define DEAD_SECONDS	20

struct client client;

static char text[ANSWER_MAX];
static size_t text_len;
static bool failed;

static void add(const char *fmt, va_list args)
{
	int n = vsnprintf(text + text_len, sizeof(text) - text_len, fmt, args);

	if (n > 0 && text_len + n < sizeof(text))
		text_len += n;
}

/** answer() - add to the answer of the command */
void answer(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(fmt, args);
	va_end(args);
}

/** fail() - add to the answer that something is wrong */
void fail(const char *fmt, ...)
{
	va_list args;

	failed = true;
	va_start(args, fmt);
	add(fmt, args);
	va_end(args);
	answer("; ");
}

/** expect() - a number must have a value */
void expect(const char *what, uint64_t got, uint64_t want)
{
	if (got != want)
		fail("%s is %llu, not %llu", what, (unsigned long long)got,
		     (unsigned long long)want);
}

/** expect_text() - a string must have a value */
void expect_text(const char *what, const char *got, const char *want)
{
	if (!got || strcmp(got, want))
		fail("%s is '%s', not '%s'", what, got ? got : "", want);
}

/** expect_uuid() - a UUID must be the other; octets come sign-extended */
void expect_uuid(const char *what, const afsUUID *got, const afsUUID *want)
{
	if (memcmp(got, want, sizeof(*got)))
		fail("%s is another", what);
}

/** number() - a decimal, or after 0x hexadecimal, argument */
uint64_t number(const char *word)
{
	char *end;
	uint64_t n = strtoull(word, &end, 0);

	if (!*word || *end)
		fail("'%s' is not numeric", word);
	return n;
}

/** fid_of() - the FID in three arguments */
AFSFid fid_of(char **words)
{
	return (AFSFid){
		.Volume = number(words[0]),
		.Vnode = number(words[1]),
		.Unique = number(words[2]),
	};
}

static struct rx_connection *connect_to(u_short port, u_short service)
{
	struct rx_connection *conn;

	conn = rx_NewConnection(htonl(client.server), htons(port),
				service, rxnull_NewClientSecurityObject(), 0);
	rx_SetConnDeadTime(conn, DEAD_SECONDS);
	rx_SetConnHardDeadTime(conn, CALL_SECONDS);
	return conn;
}

static void connect_both(void)
{
	client.fs = connect_to(client.fs_port, FS_SERVICE);
	client.vl = connect_to(client.vl_port, VL_SERVICE);
}

/*
 * After a restart of the server: the Rx library goes on to learn for a while
 * that it was away, and calls end for that.  The call made here is one that the
 * server does not know, and answers before it looks who asks.
 */
static void reconnect(char **args, int nr)
{
	AFSOpaque token = { 0, "" };
	int code, tries = 0;

	rx_DestroyConnection(client.fs);
	rx_DestroyConnection(client.vl);
	connect_both();
	do {
		code = RXAFS_CheckToken(client.fs, 0, &token);
	} while (code == RX_CALL_DEAD && ++tries < RECONNECT_TRIES);
	expect("code", code, (afs_int32)NOT_SERVED);
}

static const struct command connection_commands[] = {
	{ "reconnect", 0, reconnect },
	{ 0 }
};

static const struct command *find(const char *name)
{
	static const struct command *const tables[] = {
		vl_commands, fs_commands, change_commands, tree_commands,
		event_commands, raw_commands, connection_commands,
	};
	const struct command *c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		for (c = tables[i]; c->name; c++) {
			if (!strcmp(c->name, name))
				return c;
		}
	}
	return NULL;
}

static void obey(char *line)
{
	char *words[WORDS_MAX + 1], *save = NULL;
	const struct command *c;
	int nr = 0;

	words[nr] = strtok_r(line, "\n ", &save);
	while (words[nr] && nr < WORDS_MAX)
		words[++nr] = strtok_r(NULL, "\n ", &save);
	if (!nr)
		return;
	text_len = 0;
	text[0] = '\0';
	failed = false;
	c = find(words[0]);
	if (c && nr - 1 >= c->args)
		c->run(words + 1, nr - 1);
	else
		fail("no such command: %s", words[0]);
	printf("%s%s%s\n", failed ? "not ok" : "ok", text_len ? " " : "", text);
	fflush(stdout);
}

static bool start(char **argv)
{
	static struct rx_securityClass *security[1];	/* librx keeps it */
	u_short port = number(argv[5]);
	bool mute;

	security[0] = rxnull_NewServerSecurityObject();
	client.address = ntohl(inet_addr(argv[4]));
	client.server = ntohl(inet_addr(argv[1]));
	client.promise = number(argv[6]);
	mute = !strcmp(argv[7], "mute");
	client.uuid.time_low = mute ? 0 : number(argv[7]) ? : port;
	client.uuid.node[0] = -1;
	if (rx_InitHost(inet_addr(argv[4]), htons(port)))
		return false;
	if (!mute &&
	    !rx_NewServiceHost(inet_addr(argv[4]), 0, CB_SERVICE, "callback",
			       security, 1, RXAFSCB_ExecuteRequest))
		return false;
	rx_StartServer(0);
	client.fs_port = number(argv[2]);
	client.vl_port = number(argv[3]);
	connect_both();
	return true;
}

int main(int argc, char **argv)
{
	char line[65536];

	if (argc != 8) {
		fputs("afsxd-client: 7 arguments, see client.c\n", stderr);
		return 2;
	}
	if (!start(argv)) {
		fprintf(stderr, "cannot listen on %s:%s\n", argv[4], argv[5]);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	return 0;
}
