// SPDX-License-Identifier: MIT
#include <argp.h>
#include <arpa/inet.h>
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "size.h"

/* Keys of the options that are not a number. */
enum {
	OPT_CELL = 256,
	OPT_STORE,
	OPT_LISTEN,
	OPT_CONTROL,
	OPT_LOG_LEVEL,
	OPT_NUMBERS,	/* numbers[key - OPT_NUMBERS] */
};

/* The options that are a number, and their limits. */
static const struct {
	const char *name;
	const char *unit;
	size_t offset;
	unsigned int initial;
	unsigned int lowest;
	unsigned int highest;
	const char *doc;
} numbers[] = {
#define NUMBER(name, unit, member, initial, lowest, highest, doc) \
	{ name, unit, offsetof(struct options, member), initial, lowest, \
	  highest, doc " (" #initial ")" }
	NUMBER("fs-port", "PORT", fs_port, 7000, 1, 65535,
	       "UDP port of the file service"),
	NUMBER("vl-port", "PORT", vl_port, 7003, 1, 65535,
	       "UDP port of the volume location service"),
	NUMBER("threads", "N", threads, 32, 2, 1024,
	       "calls served at the same time"),
	NUMBER("client-calls", "N", client_calls, 0, 0, 1024,
	       "calls of one client served at the same time; 0 is half of the threads"),
	NUMBER("request-timeout", "SECONDS", request_timeout, 5, 1, 3600,
	       "end a request whose arguments do not come in so long"),
	NUMBER("idle-timeout", "SECONDS", idle_timeout, 60, 1, 3600,
	       "end a call whose client moves no data for so long"),
	NUMBER("udp-buffer", "KIB", udp_buffer_kib, 2048, 64, 65536,
	       "memory of a socket for packets that wait; the kernel has a limit, too"),
	NUMBER("datagram-packets", "N", datagram_packets, 6, 1, 6,
	       "packets sent in one datagram; 1 where fragments of IP get lost"),
	NUMBER("max-clients", "N", max_clients, 10000, 1, 1000000,
	       "clients remembered"),
	NUMBER("max-promises", "N", max_promises, 500000, 64, 100000000,
	       "callback promises kept; beyond that the oldest are broken"),
	NUMBER("max-locks", "N", max_locks, 100000, 1, 100000000,
	       "files locked at the same time"),
	NUMBER("lock-time", "SECONDS", lock_time, 300, 1, 3600,
	       "how long a lock lasts that is not extended"),
	NUMBER("promise-time", "SECONDS", promise_time, 7200, 30, 86400,
	       "how long a callback promise lasts"),
	NUMBER("callback-timeout", "SECONDS", callback_timeout, 10, 6, 300,
	       "how long a client may take to answer a callback"),
	NUMBER("callback-retry", "SECONDS", callback_retry, 30, 1, 3600,
	       "ask a client that does not answer again after so long"),
	NUMBER("max-commands", "N", max_commands, 8, 1, 256,
	       "control commands carried out at the same time"),
	NUMBER("grace", "SECONDS", grace, 5, 0, 300,
	       "how long calls may take to end at shutdown"),
	NUMBER("readers", "N", readers, 8, 1, 256,
	       "threads reading metadata at the same time"),
	NUMBER("cache", "MIB", cache_mib, 64, 1, 65536,
	       "memory for metadata"),
	NUMBER("data-cache", "MIB", data_cache_mib, 64, 1, 65536,
	       "memory for small parts of files that were read lately"),
	NUMBER("connect-timeout", "SECONDS", connect_timeout, 10, 1, 3600,
	       "how long connecting to the NBD server may take"),
	NUMBER("answer-timeout", "SECONDS", answer_timeout, 60, 1, 3600,
	       "how long the NBD server may take to answer a request"),
	NUMBER("reconnect", "SECONDS", reconnect, 30, 1, 3600,
	       "how long to wait for an NBD server that went away"),
#undef NUMBER
};

static const struct argp_option texts[] = {
	{ "cell", OPT_CELL, "NAME", 0, "name of the cell (required)", 0 },
	{ "store", OPT_STORE, "URI", 0,
	  "NBD URI of the volume store, see afsx-vol(8) (required)", 0 },
	{ "listen", OPT_LISTEN, "ADDRESS", 0,
	  "IPv4 address to serve on; may be given several times (all)", 0 },
	{ "control", OPT_CONTROL, "PATH", 0,
	  "Unix socket for administration with afsx-vol --control", 0 },
	{ "log-level", OPT_LOG_LEVEL, "LEVEL", 0,
	  "error, warn, info or debug (info)", 0 },
};

const char *argp_program_version = "afsxd 0.1";

static unsigned int *number_at(struct options *o, size_t i)
{
	return (unsigned int *)((char *)o + numbers[i].offset);
}

static void parse_number(struct argp_state *state, size_t i, const char *arg)
{
	u64 n;

	if (number_parse(arg, numbers[i].lowest, numbers[i].highest, &n))
		argp_error(state, "--%s: '%s' is not a number from %u to %u",
			   numbers[i].name, arg, numbers[i].lowest,
			   numbers[i].highest);
	*number_at(state->input, i) = n;
}

/* A cell has the name of a DNS domain. */
static void parse_cell(struct argp_state *state, struct options *o,
		       const char *arg)
{
	const char *p;

	if (!*arg || strlen(arg) > AFSX_CELLNAME_MAX)
		argp_error(state, "--cell: a name has 1 to %u characters",
			   AFSX_CELLNAME_MAX);
	for (p = arg; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr(".-_", *p))
			argp_error(state, "--cell: '%c' cannot be in a name",
				   *p);
	}
	if (*arg == '.' || strstr(arg, ".."))
		argp_error(state, "--cell: '%s' is not a domain name", arg);
	o->cell = arg;
}

static void parse_listen(struct argp_state *state, struct options *o,
			 const char *arg)
{
	struct in_addr in;
	unsigned int i;

	if (inet_pton(AF_INET, arg, &in) != 1)
		argp_error(state, "--listen: '%s' is not an IPv4 address", arg);
	if (o->nr_listen == ARRAY_SIZE(o->listen))
		argp_error(state, "--listen: more than %zu addresses",
			   ARRAY_SIZE(o->listen));
	for (i = 0; i < o->nr_listen; i++) {
		if (o->listen[i] == ntohl(in.s_addr))
			argp_error(state, "--listen: %s is given twice", arg);
		if (!o->listen[i] || !in.s_addr)
			argp_error(state,
				   "--listen: 0.0.0.0 goes with no other");
	}
	o->listen[o->nr_listen++] = ntohl(in.s_addr);
}

static void parse_log_level(struct argp_state *state, struct options *o,
			    const char *arg)
{
	int level = log_level_parse(arg);

	if (level < 0)
		argp_error(state,
			   "--log-level: '%s' is not error, warn, info or debug",
			   arg);
	o->log_level = level;
}

static void parse_uri(struct argp_state *state, struct options *o,
		      const char *arg)
{
	if (strncmp(arg, "nbd", 3) || !strstr(arg, "://"))
		argp_error(state, "--store: '%s' is not an NBD URI", arg);
	o->store = arg;
}

/* What can only be judged when all options are known. */
static void check(struct argp_state *state, struct options *o)
{
	if (!o->cell)
		argp_error(state, "--cell is missing");
	if (!o->store)
		argp_error(state, "--store is missing");
	if (o->fs_port == o->vl_port)
		argp_error(state, "--fs-port and --vl-port are both %u",
			   o->fs_port);
	if (!o->nr_listen)
		o->listen[o->nr_listen++] = INADDR_ANY;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_CELL:
		parse_cell(state, o, arg);
		break;
	case OPT_STORE:
		parse_uri(state, o, arg);
		break;
	case OPT_LISTEN:
		parse_listen(state, o, arg);
		break;
	case OPT_CONTROL:
		o->control = arg;
		break;
	case OPT_LOG_LEVEL:
		parse_log_level(state, o, arg);
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s': there are options only", arg);
		break;
	case ARGP_KEY_END:
		check(state, o);
		break;
	default:
		if (key < OPT_NUMBERS ||
		    key >= OPT_NUMBERS + (int)ARRAY_SIZE(numbers))
			return ARGP_ERR_UNKNOWN;
		parse_number(state, key - OPT_NUMBERS, arg);
	}
	return 0;
}

/**
 * options_parse() - read the command line
 * @argc: of main()
 * @argv: of main(); strings in @o point into it
 * @o: result
 *
 * Ends the program for --help and --version, and with status AFSXD_USAGE and a
 * sentence on stderr when something is wrong.
 */
void options_parse(int argc, char **argv, struct options *o)
{
	struct argp_option table[ARRAY_SIZE(texts) + ARRAY_SIZE(numbers) + 1];
	struct argp argp = {
		.options = table,
		.parser = parse,
		.doc = "Serve a cell's volumes to AFS clients.",
	};
	size_t i;

	memset(o, 0, sizeof(*o));
	memset(table, 0, sizeof(table));
	o->log_level = LOG_INFO;
	memcpy(table, texts, sizeof(texts));
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		*number_at(o, i) = numbers[i].initial;
		table[ARRAY_SIZE(texts) + i] = (struct argp_option){
			.name = numbers[i].name,
			.key = OPT_NUMBERS + i,
			.arg = numbers[i].unit,
			.doc = numbers[i].doc,
		};
	}
	argp_err_exit_status = AFSXD_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, o);
}
