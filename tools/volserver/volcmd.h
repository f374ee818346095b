/* SPDX-License-Identifier: MIT */
/*
 * The commands of afsx-vol as functions: run by afsx-vol on a store it opened
 * itself, and by afsxd for requests on its control socket.
 */
#ifndef AFSX_VOLCMD_H
#define AFSX_VOLCMD_H

#include <stdatomic.h>
#include <stdio.h>

struct store;

/* Exit statuses of afsx-vol, also what volcmd_run() returns */
enum volcmd_exit {
	VOLCMD_OK = 0,
	VOLCMD_FAILED = 1,	/* the command could not be carried out */
	VOLCMD_USAGE = 2,	/* wrong command, option or argument */
	VOLCMD_SKIPPED = 3,	/* import done, but some files were skipped */
	VOLCMD_PROBLEMS = 4,	/* check found problems */
	VOLCMD_BUSY = 5,	/* the store is in use by another process */
};

/* How the store is to be opened for a command */
enum volcmd_needs {
	VOLCMD_CHANGES,		/* for writing */
	VOLCMD_LOOKS,		/* for reading only, but for writing with --repair */
	VOLCMD_GROWS,		/* for writing, with the size it has */
};

/**
 * struct volcmd_io - where a command talks to
 * @in: what the user types or sends, or NULL when that cannot be read
 * @out: results
 * @err: errors and progress
 * @stop: NULL, or a flag that another thread or a signal sets to have a long
 *	command give up and undo what it did
 * @wait: NULL, or waits for a reader of @out who is behind; called where that
 *	holds up nobody else
 * @client: for @wait
 * @status: NULL, or writes what the server that runs the command is doing
 * @ctx: for @status
 */
struct volcmd_io {
	FILE *in;
	FILE *out;
	FILE *err;
	const atomic_bool *stop;
	void (*wait)(void *client);
	void *client;
	void (*status)(void *ctx, FILE *out);
	void *ctx;
};

/**
 * volcmd_run() - run one command on an open store
 * @st: store
 * @io: streams; the function flushes, but does not close them
 * @argc: number of words
 * @argv: argv[0] is the command ("create", "import", "mkmount", "clone",
 *	"list", "show", "check", ...), then its options and arguments
 *
 * Errors are written to @io->err.  Thread-safe; relative paths are those of
 * the calling process.
 *
 * Return: enum volcmd_exit.
 */
int volcmd_run(struct store *st, const struct volcmd_io *io, int argc,
	       char **argv);

/**
 * volcmd_vet() - whether a command is given as it should be
 * @io: as for volcmd_run(): @io->err to tell what is wrong with it, @io->in and
 *	@io->status as they will be
 * @argc: number of words
 * @argv: words
 *
 * It finds what can be found without a store: commands, options, arguments and values
 * that are wrong.
 *
 * Return: VOLCMD_OK or VOLCMD_USAGE.
 */
int volcmd_vet(const struct volcmd_io *io, int argc, char **argv);

/** volcmd_known() - whether @name is a command of volcmd_run(). */
int volcmd_known(const char *name);

/** volcmd_needs() - how the store is to be opened for a command that volcmd_vet() passed */
enum volcmd_needs volcmd_needs(int argc, char **argv);

/** volcmd_usage() - for --help: how command @name is called, or with NULL each of them. */
void volcmd_usage(FILE *out, const char *name);

#endif /* AFSX_VOLCMD_H */
