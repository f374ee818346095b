// SPDX-License-Identifier: MIT
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "options.h"
#include "partition.h"
#include "proto.h"
#include "size.h"

/* Where the server of a device listens unless it is told otherwise. */
#define DEVICE_SOCKET	"/var/lock/afsx-nbd-%s"

/* Keys of the options without a short form. */
enum {
	OPT_CACHE = 256,
	OPT_AIO,
	OPT_DISCARD,
	OPT_OLDSTYLE,
	OPT_MODE,
	OPT_GROUP,
	OPT_FORK,
	OPT_TLS,
	OPT_TLS_CERTIFICATES,
	OPT_TLS_PSK,
	OPT_TLS_VERIFY_PEER,
	OPT_PID_FILE,
	OPT_NO_LOCK,
	OPT_HAND_OVER,
	OPT_NUMBERS,	/* numbers[key - OPT_NUMBERS], those with a short form too */
};

/* What is remembered while the command line is read. */
struct parsing {
	struct options	*o;
	const char	*cache;	/* how it was given: -n, --cache */
	bool		aio;
	bool		discard;
	bool		tcp;
	bool		tls;	/* --tls was given */
	bool		socket_access;
};

/* The options that are a number, and their limits. */
static const struct number {
	const char	*name;
	char		letter;
	const char	*unit;
	size_t		offset;
	size_t		size;	/* of the member */
	u64		initial;
	u64		lowest;
	u64		highest;
	bool		bytes;	/* takes a suffix */
	int		group;
	const char	*doc;
} numbers[] = {
#define NUMBER(name, letter, unit, member, initial, lowest, highest, bytes, group, doc) \
	{ name, letter, unit, offsetof(struct options, member),			\
	  sizeof(((struct options *)0)->member), initial, lowest, highest,	\
	  bytes, group, doc }
	NUMBER("port", 'p', "PORT", listen.port, 10809, 1, 65535, false, 1,
	       "TCP port to listen on (10809)"),
	NUMBER("shared", 'e', "NUM", shared, 1, 1, 1000000, false, 1,
	       "clients at a time; others wait (1)"),
	NUMBER("offset", 'o', "BYTES", offset, 0, 0, INT64_MAX, true, 2,
	       "leave out the first bytes of the image (0)"),
	NUMBER("partition", 'P', "NUM", partition, 0, 1, PARTITION_MAX, false, 2,
	       "show only partition NUM of the image"),
	NUMBER("handshake-timeout", 0, "SECONDS", limits.handshake_timeout, 10,
	       1, 3600, false, 5, "how long a client may take to negotiate (10)"),
	NUMBER("request-max", 0, "BYTES", limits.request_max, 32 << 20, 64 << 10,
	       64 << 20, true, 5, "data of one request (32M)"),
	NUMBER("threads", 0, "N", limits.threads, 16, 1, 256, false, 5,
	       "requests of one client that wait for the disk at a time (16)"),
	NUMBER("grace", 0, "SECONDS", grace, 5, 0, 3600, false, 5,
	       "how long requests may take to end at shutdown (5)"),
#undef NUMBER
};

static const struct argp_option texts[] = {
	{ NULL, 0, NULL, 0, "Connections:", 1 },
	{ "bind", 'b', "ADDRESS", 0, "address to listen on (0.0.0.0)", 1 },
	{ "socket", 'k', "PATH", 0, "listen on a Unix socket instead of TCP", 1 },
	{ "socket-mode", OPT_MODE, "MODE", 0,
	  "permissions of the socket, octal", 1 },
	{ "socket-group", OPT_GROUP, "GROUP", 0, "group of the socket", 1 },
	{ "persistent", 't', NULL, 0,
	  "go on when the last client has left", 1 },
	{ "oldstyle", OPT_OLDSTYLE, NULL, 0,
	  "no negotiation, for old clients; offers one image", 1 },
	{ "tls-certificates", OPT_TLS_CERTIFICATES, "DIR", 0,
	  "encrypt, with the certificates there", 1 },
	{ "tls-psk", OPT_TLS_PSK, "FILE", 0, "encrypt, with the keys there", 1 },
	{ "tls-verify-peer", OPT_TLS_VERIFY_PEER, NULL, 0,
	  "clients need a certificate too", 1 },
	{ "tls", OPT_TLS, "MODE", 0,
	  "encryption is on for who wants it, or require (require)", 1 },
	{ NULL, 0, NULL, 0, "Exports:", 2 },
	{ "export-name", 'x', "NAME", 0,
	  "name of the export; once for each FILE, in their order", 2 },
	{ "description", 'D', "TEXT", 0, "tell clients this of the exports", 2 },
	{ NULL, 0, NULL, 0, "Images:", 3 },
	{ "format", 'f', "FORMAT", 0, "format of the images: raw, qcow2", 3 },
	{ "read-only", 'r', NULL, 0, "let nothing be changed", 3 },
	{ "snapshot", 's', NULL, 0, "keep changes in a temporary file", 3 },
	{ "load-snapshot", 'l', "SNAPSHOT", 0,
	  "show an internal snapshot, read-only, by ID or name, or by snapshot.id=ID,snapshot.name=NAME",
	  3 },
	{ "no-lock", OPT_NO_LOCK, NULL, 0,
	  "let other programs change the images meanwhile", 3 },
	{ "nocache", 'n', NULL, 0, "the same as --cache=none", 3 },
	{ "cache", OPT_CACHE, "MODE", 0,
	  "none, writeback, writethrough, directsync or unsafe (writeback)", 3 },
	{ "aio", OPT_AIO, "MODE", 0,
	  "how raw images are accessed: threads, io_uring, or native, the same (io_uring)",
	  3 },
	{ "discard", OPT_DISCARD, "MODE", 0,
	  "ignore (off) or unmap (on) what clients trim (ignore)", 3 },
	{ NULL, 0, NULL, 0, "Devices of this machine:", 4 },
	{ "connect", 'c', "DEV", 0,
	  "show the export as the block device DEV, in the background", 4 },
	{ "disconnect", 'd', NULL, 0, "disconnect the device FILE; serve nothing", 4 },
	{ NULL, 0, NULL, 0, "Limits:", 5 },
	{ NULL, 0, NULL, 0, "The process:", 6 },
	{ "fork", OPT_FORK, NULL, 0,
	  "serve in the background; ends when clients can connect", 6 },
	{ "pid-file", OPT_PID_FILE, "PATH", 0,
	  "write the number of the process there", 6 },
	{ "hand-over", OPT_HAND_OVER, "PATH", 0,
	  "take over from the server that waits on this socket, and wait there for the next",
	  6 },
	{ NULL, 0, NULL, 0, "About the program:", -1 },
	{ "verbose", 'v', NULL, 0, "log what clients do", -1 },
	{ NULL, 'h', NULL, OPTION_HIDDEN, NULL, -1 },
};

static const struct cache_mode {
	const char *name;
	bool direct;
	bool write_through;
	bool ignore_flush;
} cache_modes[] = {
	{ "none", true, false, false },
	{ "off", true, false, false },
	{ "writeback", false, false, false },
	{ "writethrough", false, true, false },
	{ "directsync", true, true, false },
	{ "unsafe", false, false, true },
};

static const struct discard_mode {
	const char *name;
	bool discard;
} discard_modes[] = {
	{ "ignore", false },
	{ "off", false },
	{ "unmap", true },
	{ "on", true },
};

const char *argp_program_version = "afsx-nbd 0.1";

static void set_number(struct options *o, const struct number *n, u64 v)
{
	void *p = (char *)o + n->offset;

	switch (n->size) {
	case sizeof(u16):
		*(u16 *)p = (u16)v;
		break;
	case sizeof(u32):
		*(u32 *)p = (u32)v;
		break;
	default:
		*(u64 *)p = v;
	}
}

static void parse_number(struct argp_state *state, const struct number *n,
			 const char *arg)
{
	struct parsing *p = state->input;
	u64 v;
	int ret;

	ret = n->bytes ? size_parse(arg, 1, &v) : number_parse(arg, 0, U64_MAX, &v);
	if (ret || v < n->lowest || v > n->highest)
		argp_error(state, "--%s: '%s' is not a %s from %ju to %ju",
			   n->name, arg, n->bytes ? "size" : "number",
			   (uintmax_t)n->lowest, (uintmax_t)n->highest);
	set_number(p->o, n, v);
	p->tcp |= n->letter == 'p';
}

static void parse_cache(struct argp_state *state, const char *how, const char *arg)
{
	struct parsing *p = state->input;
	const struct cache_mode *m;

	if (p->cache)
		argp_error(state, "%s: the cache mode was given by %s already",
			   how, p->cache);
	p->cache = how;
	for (m = cache_modes; m < cache_modes + ARRAY_SIZE(cache_modes); m++) {
		if (strcmp(m->name, arg))
			continue;
		p->o->image.direct = m->direct;
		p->o->write_through = m->write_through;
		p->o->ignore_flush = m->ignore_flush;
		return;
	}
	argp_error(state,
		   "--cache: '%s' is not none, writeback, writethrough, directsync or unsafe",
		   arg);
}

static void parse_discard(struct argp_state *state, const char *arg)
{
	struct parsing *p = state->input;
	const struct discard_mode *m;

	if (p->discard)
		argp_error(state, "--discard: is given twice");
	p->discard = true;
	for (m = discard_modes; m < discard_modes + ARRAY_SIZE(discard_modes); m++) {
		if (strcmp(m->name, arg))
			continue;
		p->o->discard = m->discard;
		return;
	}
	argp_error(state, "--discard: '%s' is not ignore, off, unmap or on", arg);
}

static void parse_tls(struct argp_state *state, const char *arg)
{
	struct parsing *p = state->input;

	if (strcmp(arg, "on") && strcmp(arg, "require"))
		argp_error(state, "--tls: '%s' is not on or require", arg);
	p->o->tls.required = !strcmp(arg, "require");
	p->tls = true;
}

static void parse_aio(struct argp_state *state, const char *arg)
{
	struct parsing *p = state->input;

	if (p->aio)
		argp_error(state, "--aio: is given twice");
	p->aio = true;
	p->o->image.async = strcmp(arg, "threads");
	p->o->async_given = p->o->image.async;
	if (p->o->image.async && strcmp(arg, "io_uring") && strcmp(arg, "native"))
		argp_error(state, "--aio: '%s' is not threads, io_uring or native", arg);
}

static void parse_mode(struct argp_state *state, const char *arg)
{
	struct parsing *p = state->input;
	size_t len = strlen(arg);

	if (!len || len > 4 || strspn(arg, "01234567") != len ||
	    strtol(arg, NULL, 8) > 0777)
		argp_error(state, "--socket-mode: '%s' is not octal permissions, as 660",
			   arg);
	p->o->listen.mode = (int)strtol(arg, NULL, 8);
	p->socket_access = true;
}

static const char *parse_string(struct argp_state *state, const char *option,
				const char *arg)
{
	if (strlen(arg) > NBD_STRING_MAX)
		argp_error(state, "%s: is longer than %u bytes", option,
			   NBD_STRING_MAX);
	return arg;
}

static void add_name(struct argp_state *state, const char *arg)
{
	struct options *o = ((struct parsing *)state->input)->o;
	unsigned int i;

	parse_string(state, "--export-name", arg);
	for (i = 0; i < o->nr_names; i++) {
		if (!strcmp(o->names[i], arg))
			argp_error(state, "--export-name: '%s' is given twice", arg);
	}
	o->names = realloc(o->names, (o->nr_names + 1) * sizeof(*o->names));
	if (!o->names)
		argp_failure(state, EXIT_FAILURE, 0, "out of memory");
	o->names[o->nr_names++] = arg;
}

static const char *parse_path(struct argp_state *state, const char *option,
			      const char *arg)
{
	if (*arg != '/')
		argp_error(state, "%s: '%s' is not an absolute path", option, arg);
	return arg;
}

static void parse_format(struct argp_state *state, const char *arg)
{
	struct parsing *p = state->input;

	if (!image_format_known(arg))
		argp_error(state, "--format: '%s' is not a format", arg);
	p->o->image.format = arg;
}

/* One snapshot.id=ID or snapshot.name=NAME. Return: whether it is one. */
static bool take_snapshot(struct blk_options *image, const char *word)
{
	static const char id[] = "snapshot.id=", name[] = "snapshot.name=";

	if (!strncmp(word, id, strlen(id)) && !image->snapshot_id)
		image->snapshot_id = word + strlen(id);
	else if (!strncmp(word, name, strlen(name)) && !image->snapshot_name)
		image->snapshot_name = word + strlen(name);
	else
		return false;
	return true;
}

static void parse_snapshot(struct argp_state *state, const char *arg)
{
	struct options *o = ((struct parsing *)state->input)->o;
	char *rest, *word;

	if (o->snapshot)
		argp_error(state, "--load-snapshot: is given twice");
	rest = strdup(arg);
	if (!rest)
		argp_failure(state, EXIT_FAILURE, 0, "out of memory");
	o->snapshot = rest;
	o->image.read_only = true;
	if (strncmp(arg, "snapshot.", strlen("snapshot."))) {
		o->image.snapshot_id = o->snapshot;
		o->image.snapshot_name = o->snapshot;
		return;
	}
	while ((word = strsep(&rest, ",")))
		if (!take_snapshot(&o->image, word))
			argp_error(state,
				   "--load-snapshot: '%s' in '%s' is not snapshot.id=ID or snapshot.name=NAME",
				   word, arg);
}

static void check_tls(struct argp_state *state)
{
	const struct parsing *p = state->input;
	const struct tls_config *tls = &p->o->tls;

	if (tls->directory && tls->psk_file)
		argp_error(state, "--tls-psk: does not go with --tls-certificates");
	if (p->tls && !tls->directory && !tls->psk_file)
		argp_error(state, "--tls: goes with --tls-certificates or --tls-psk");
	if (tls->verify_peer && !tls->directory)
		argp_error(state, "--tls-verify-peer: goes with --tls-certificates");
	if (p->o->oldstyle && (tls->directory || tls->psk_file))
		argp_error(state, "--oldstyle: does not go with TLS");
}

static void check_device(struct argp_state *state)
{
	struct options *o = ((struct parsing *)state->input)->o;

	if (o->device && o->disconnect)
		argp_error(state, "--disconnect: does not go with --connect");
	if (o->disconnect && o->nr_files > 1)
		argp_error(state, "--disconnect: goes with one FILE only, the device");
	if (o->device && o->nr_files > 1)
		argp_error(state, "--connect: goes with one FILE only");
	if (!o->device)
		return;
	if (o->hand_over)
		argp_error(state, "--hand-over: does not go with --connect");
	/* of who looks at the log nobody expects that the server goes away */
	o->fork |= !o->verbose;
	if (o->listen.given)
		return;
	if (asprintf(&o->device_socket, DEVICE_SOCKET, basename(o->device)) < 0)
		argp_failure(state, EXIT_FAILURE, 0, "out of memory");
	o->listen.path = o->device_socket;
}

/* What can only be judged when all options are known. */
static void check(struct argp_state *state)
{
	const struct parsing *p = state->input;
	struct options *o = p->o;

	o->listen.given = o->listen.path || p->tcp;
	check_device(state);
	check_tls(state);
	if (!o->nr_files)
		argp_error(state, o->disconnect ? "--disconnect: DEVICE is missing" :
						  "FILE is missing");
	for (unsigned int i = 0; i < o->nr_files; i++)
		if (!*o->files[i])
			argp_error(state, "FILE is empty");
	if (o->nr_names && o->nr_names != o->nr_files)
		argp_error(state, "--export-name: %u names for %u files",
			   o->nr_names, o->nr_files);
	if (o->nr_files > 1 && o->offset)
		argp_error(state, "--offset: goes with one FILE only");
	if (o->nr_files > 1 && o->partition)
		argp_error(state, "--partition: goes with one FILE only");
	if (o->offset && o->partition)
		argp_error(state, "--partition: does not go with --offset");
	if (o->nr_files > 1 && o->oldstyle)
		argp_error(state, "--oldstyle: goes with one FILE only");
	if (o->listen.path && p->tcp)
		argp_error(state, "--socket: does not go with --port or --bind");
	if (!o->listen.path && p->socket_access)
		argp_error(state, "--socket-mode and --socket-group go with --socket");
	if (o->listen.path && o->hand_over && !strcmp(o->listen.path, o->hand_over))
		argp_error(state, "--hand-over: does not go with a --socket of the same path");
}

/* Options with a word. Return: whether it was one of them. */
static bool parse_word(struct argp_state *state, int key, const char *arg)
{
	struct parsing *p = state->input;

	switch (key) {
	case 'b':
		p->o->listen.bind = arg;
		p->tcp = true;
		return true;
	case 'k':
		p->o->listen.path = parse_path(state, "--socket", arg);
		return true;
	case OPT_TLS:
		parse_tls(state, arg);
		return true;
	case OPT_TLS_CERTIFICATES:
		p->o->tls.directory = arg;
		return true;
	case OPT_TLS_PSK:
		p->o->tls.psk_file = arg;
		return true;
	case OPT_PID_FILE:
		p->o->pid_file = parse_path(state, "--pid-file", arg);
		return true;
	case OPT_HAND_OVER:
		p->o->hand_over = parse_path(state, "--hand-over", arg);
		return true;
	case OPT_MODE:
		parse_mode(state, arg);
		return true;
	case OPT_GROUP:
		p->o->listen.group = arg;
		p->socket_access = true;
		return true;
	case 'c':
		p->o->device = parse_path(state, "--connect", arg);
		return true;
	case 'x':
		add_name(state, arg);
		return true;
	case 'D':
		p->o->description = parse_string(state, "--description", arg);
		return true;
	case 'f':
		parse_format(state, arg);
		return true;
	case 'l':
		parse_snapshot(state, arg);
		return true;
	case OPT_CACHE:
		parse_cache(state, "--cache", arg);
		return true;
	case OPT_AIO:
		parse_aio(state, arg);
		return true;
	case OPT_DISCARD:
		parse_discard(state, arg);
		return true;
	}
	return false;
}

/* Options that stand alone. Return: whether it was one of them. */
static bool parse_switch(struct argp_state *state, int key)
{
	struct parsing *p = state->input;

	switch (key) {
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return true;
	case 'n':
		parse_cache(state, "--nocache", "none");
		return true;
	case 'r':
		p->o->image.read_only = true;
		return true;
	case 's':
		p->o->overlay = true;
		return true;
	case 't':
		p->o->persistent = true;
		return true;
	case 'v':
		p->o->verbose = true;
		return true;
	case OPT_NO_LOCK:
		p->o->image.unlocked = true;
		return true;
	case OPT_OLDSTYLE:
		p->o->oldstyle = true;
		return true;
	case OPT_TLS_VERIFY_PEER:
		p->o->tls.verify_peer = true;
		return true;
	case 'd':
		p->o->disconnect = true;
		return true;
	case OPT_FORK:
		p->o->fork = true;
		return true;
	}
	return false;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct parsing *p = state->input;
	int i = key - OPT_NUMBERS;

	switch (key) {
	case ARGP_KEY_ARGS:
		p->o->files = state->argv + state->next;
		p->o->nr_files = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		check(state);
		return 0;
	}
	for (size_t n = 0; n < ARRAY_SIZE(numbers); n++) {
		if (numbers[n].letter ? key == numbers[n].letter : i == (int)n) {
			parse_number(state, &numbers[n], arg);
			return 0;
		}
	}
	return parse_switch(state, key) || parse_word(state, key, arg) ?
	       0 : ARGP_ERR_UNKNOWN;
}

void options_parse(int argc, char **argv, struct options *o)
{
	struct argp_option table[ARRAY_SIZE(texts) + ARRAY_SIZE(numbers) + 1];
	struct parsing p = { .o = o };
	struct argp argp = {
		.options = table,
		.parser = parse,
		.args_doc = "FILE...",
		.doc = "Serve images by the NBD protocol.",
	};
	size_t i;

	memset(o, 0, sizeof(*o));
	memset(table, 0, sizeof(table));
	o->listen.bind = "0.0.0.0";
	o->listen.mode = -1;
	o->tls.required = true;
	o->image.async = true;
	memcpy(table, texts, sizeof(texts));
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		const struct number *n = &numbers[i];

		set_number(o, n, n->initial);
		table[ARRAY_SIZE(texts) + i] = (struct argp_option){
			.name = n->name,
			.key = n->letter ?: OPT_NUMBERS + (int)i,
			.arg = n->unit,
			.doc = n->doc,
			.group = n->group,
		};
	}
	argp_err_exit_status = EXIT_FAILURE;
	argp_parse(&argp, argc, argv, 0, NULL, &p);
}

void options_free(struct options *o)
{
	free(o->names);
	free(o->device_socket);
	free(o->snapshot);
}
