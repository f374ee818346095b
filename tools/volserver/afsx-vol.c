// SPDX-License-Identifier: MIT
/*
 * afsx-vol: make a store and administer its volumes, on the device itself or
 * through the daemon that serves it.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "log.h"
#include "size.h"
#include "store.h"
#include "volcmd.h"

#define COLLECT_STEP	2000	/* rows in one transaction */

/* What the options say. */
struct config {
	const char *uri;
	const char *control;
	bool takeover;
	u64 connect_s;
	int argc;
	char **argv;
};

enum {
	OPT_STORE = 's',
	OPT_CONTROL = 'c',
	OPT_TAKEOVER = 256,
	OPT_CONNECT,
};

static const struct argp_option options[] = {
	{ "store", OPT_STORE, "NBD-URI", 0,
	  "Work on the store there, which no daemon may have open", 0 },
	{ "control", OPT_CONTROL, "SOCKET", 0,
	  "Let the daemon that listens on SOCKET do it", 0 },
	{ "takeover", OPT_TAKEOVER, NULL, 0,
	  "Open the store even if another process seems to have it", 0 },
	{ "connect-timeout", OPT_CONNECT, "SECONDS", 0,
	  "How long connecting to the NBD server may take (10)", 0 },
	{ }
};

/* Whether the usage of the command is asked for, wherever in its words. */
static bool wants_help(const struct config *cfg)
{
	for (int i = 1; i < cfg->argc && strcmp(cfg->argv[i], "--"); i++)
		if (!strcmp(cfg->argv[i], "--help"))
			return true;
	return false;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct config *cfg = state->input;

	switch (key) {
	case OPT_STORE:
		cfg->uri = arg;
		return 0;
	case OPT_CONTROL:
		cfg->control = arg;
		return 0;
	case OPT_TAKEOVER:
		cfg->takeover = true;
		return 0;
	case OPT_CONNECT:
		if (number_parse(arg, 1, 3600, &cfg->connect_s))
			argp_error(state, "--connect-timeout: '%s' is not a number from 1 to 3600",
				   arg);
		return 0;
	case ARGP_KEY_ARG:
		/* the rest belongs to the command, options included */
		cfg->argv = &state->argv[state->next - 1];
		cfg->argc = state->argc - state->next + 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!cfg->argc)
			argp_error(state, "no command given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

#define ARGS_DOC	"COMMAND [ARGUMENT...]"

/* Of one command, or with NULL of each. */
static void print_commands(FILE *out, const char *name)
{
	if (!name || !strcmp(name, "format")) {
		fputs("  format [--force] [--wal SIZE]\n", out);
		fputs("\tmake a store on the device (with --store only)\n", out);
	}
	volcmd_usage(out, name);
}

/* The list of commands comes from their table. */
static char *help_filter(int key, const char *text, void *input)
{
	char *all = NULL;
	size_t len = 0;
	FILE *f;

	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	f = open_memstream(&all, &len);
	if (!f)
		return NULL;
	fputs("Commands:\n", f);
	print_commands(f, NULL);
	fclose(f);
	return all;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = ARGS_DOC,
	.doc = "Make an afsx volume store and administer its volumes.\v ",
	.help_filter = help_filter,
};

static atomic_bool stop;

static void on_signal(int sig)
{
	atomic_store(&stop, true);
}

static int complain(const char *what, const struct errbuf *err, int ret)
{
	fprintf(stderr, "afsx-vol: %s: %s\n", what, err->text);
	return ret == -EBUSY ? VOLCMD_BUSY : VOLCMD_FAILED;
}

static int bad_format_option(const char *arg, const char *why)
{
	fprintf(stderr, "afsx-vol: format: %s '%s'\n", why, arg);
	return VOLCMD_USAGE;
}

static int parse_format(const struct config *cfg, struct store_format_opts *o)
{
	u64 bytes;

	for (int i = 1; i < cfg->argc; i++) {
		const char *arg = cfg->argv[i];

		if (!strcmp(arg, "--force")) {
			o->force = true;
		} else if (!strcmp(arg, "--wal") && i + 1 < cfg->argc) {
			arg = cfg->argv[++i];
			if (size_parse(arg, 1024 * 1024, &bytes) ||
			    bytes >> 20 > 1024 || bytes & 0xfffff)
				return bad_format_option(arg, "not MiB up to 1G: --wal");
			o->wal_mib = (unsigned int)(bytes >> 20);
		} else {
			return bad_format_option(arg, "unexpected");
		}
	}
	return VOLCMD_OK;
}

static int run_format(const struct config *cfg)
{
	struct store_format_opts o = {
		.uri = cfg->uri,
		.connect_s = (unsigned int)cfg->connect_s,
	};
	struct errbuf err = { "" };
	int ret = parse_format(cfg, &o);

	if (ret)
		return ret;
	ret = store_format(&o, &err);
	if (ret)
		return complain("format", &err, ret);
	printf("formatted %s\n", cfg->uri);
	return VOLCMD_OK;
}

/* Commands that only look leave the device as it is. */
static unsigned int store_flags(const struct config *cfg)
{
	unsigned int flags = cfg->takeover ? STORE_TAKEOVER : 0;

	switch (volcmd_needs(cfg->argc, cfg->argv)) {
	case VOLCMD_LOOKS:
		return flags | STORE_RDONLY;
	case VOLCMD_GROWS:
		return flags | STORE_KEEP_SIZE;	/* so that it can tell of it */
	default:
		return flags;
	}
}

/* Undo first what a command that was killed has left. */
static int tidy(struct store *st)
{
	int n;

	do {
		n = store_collect(st, COLLECT_STEP);
	} while (n > 0 && !atomic_load(&stop));
	return min(n, 0);
}

/*
 * The first signal ends a command between two steps, the next one at once, as each does
 * while the store is being opened: the device may be slow, and nothing is lost.
 */
static void ask_before_ending(void)
{
	struct sigaction sa = {
		.sa_handler = on_signal, .sa_flags = SA_RESETHAND,
	};

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

static int run_offline(const struct config *cfg)
{
	struct volcmd_io io = {
		.in = stdin, .out = stdout, .err = stderr, .stop = &stop,
	};
	struct store_config sc = {
		.uri = cfg->uri,
		.flags = store_flags(cfg),
		.readers = 1,
		.connect_s = (unsigned int)cfg->connect_s,
	};
	struct errbuf err = { "" };
	struct store *st;
	int ret, end;

	ret = store_open(&sc, &st, &err);
	if (ret)
		return complain(cfg->argv[0], &err, ret);
	ask_before_ending();
	ret = sc.flags & STORE_RDONLY ? 0 : tidy(st);
	if (ret)
		fprintf(stderr, "afsx-vol: %s: tidying up: %s\n", cfg->argv[0],
			strerror(-ret));
	ret = ret ? VOLCMD_FAILED : volcmd_run(st, &io, cfg->argc, cfg->argv);
	end = store_close(st);
	if (end && ret == VOLCMD_OK) {
		fprintf(stderr, "afsx-vol: %s: the store stopped: %s\n",
			cfg->argv[0], strerror(-end));
		ret = VOLCMD_FAILED;
	}
	return ret;
}

static int run_online(const struct config *cfg)
{
	struct errbuf err = { "" };
	int ret = control_call(cfg->control, cfg->argc, cfg->argv, stdout,
			       stderr, &err);

	return ret < 0 ? complain(cfg->argv[0], &err, ret) : ret;
}

static int show_help(const char *command)
{
	puts("Usage: afsx-vol [OPTION...] " ARGS_DOC);
	print_commands(stdout, command);
	return VOLCMD_OK;
}

/* The command makes a store, which a daemon would have open. */
static bool is_format(const struct config *cfg)
{
	return !strcmp(cfg->argv[0], "format") && !cfg->control;
}

/* Stands for what the daemon does for `status`. */
static void ask_daemon(void *ctx, FILE *out)
{
}

/* What is wrong with the words of the command, wherever it shall be carried out. */
static int vet(const struct config *cfg)
{
	struct volcmd_io io = {
		.in = cfg->control ? NULL : stdin, .out = stdout, .err = stderr,
		.status = cfg->uri ? NULL : ask_daemon,
	};
	struct store_format_opts o = { .uri = NULL };

	return is_format(cfg) ? parse_format(cfg, &o) :
				volcmd_vet(&io, cfg->argc, cfg->argv);
}

int main(int argc, char **argv)
{
	struct config cfg = { .argc = 0 };
	int ret;

	argp_err_exit_status = VOLCMD_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &cfg);
	log_setup("afsx-vol", LOG_WARN);
	if (wants_help(&cfg) &&
	    (is_format(&cfg) || volcmd_known(cfg.argv[0])))
		return show_help(cfg.argv[0]);
	ret = vet(&cfg);
	if (ret)
		return ret;
	if (!cfg.uri == !cfg.control) {
		fputs("afsx-vol: one of --store and --control is needed\n", stderr);
		return VOLCMD_USAGE;
	}
	if (is_format(&cfg))
		return run_format(&cfg);
	if (cfg.control)
		return run_online(&cfg);
	signal(SIGPIPE, SIG_IGN);
	return run_offline(&cfg);
}
