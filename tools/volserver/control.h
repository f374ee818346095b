/* SPDX-License-Identifier: MIT */
/*
 * The control socket: administrator's commands carried out inside the daemon,
 * so that clients hear of what they change.
 *
 * A Unix socket of type SOCK_SEQPACKET.  The client sends one message: its
 * working directory and the words of the command (see volcmd_run()), each
 * ended by a NUL.  The server answers with messages whose first byte says what
 * follows: CONTROL_OUT and CONTROL_ERR output, CONTROL_EXIT the exit status in
 * one byte, which ends the exchange.  A client that hangs up stops its command.
 */
#ifndef AFSXD_CONTROL_H
#define AFSXD_CONTROL_H

#include <stdio.h>

#include "err.h"

struct control;
struct store;

#define CONTROL_OUT	'o'
#define CONTROL_ERR	'e'
#define CONTROL_EXIT	'x'

/* Bytes and words of a request, working directory included. */
#define CONTROL_REQUEST_MAX	65536
#define CONTROL_WORDS_MAX	1024

/* Bytes of output in one message. */
#define CONTROL_OUTPUT_MAX	16384

/**
 * struct control_config - the server's side
 * @path: path of the socket; an abandoned one is replaced
 * @store: what commands work on
 * @status: writes what the daemon is doing, for the command of that name
 * @ctx: for @status
 * @max_commands: commands carried out at the same time; further ones wait
 */
struct control_config {
	const char *path;
	struct store *store;
	void (*status)(void *ctx, FILE *out);
	void *ctx;
	unsigned int max_commands;
};

/**
 * control_start() - listen on the socket, in a thread of its own
 * @config: how; the path must stay
 * @control: the handle, on success
 * @err: says why on failure
 *
 * Only the daemon's own user and root may give commands.
 *
 * Return: 0; -EADDRINUSE when another process serves the path; -ENAMETOOLONG.
 */
int control_start(const struct control_config *config,
		  struct control **control, struct errbuf *err);

/** control_stop() - stop commands and end; @control may be NULL */
void control_stop(struct control *control);

/**
 * control_call() - the client's side: have a daemon carry out a command
 * @path: path of its socket
 * @argc: number of words
 * @argv: the command, as for volcmd_run()
 * @out: where its results go
 * @errors: where its errors and progress go
 * @err: says why on failure
 *
 * Return: the command's exit status, or a negative errno when it could not be
 * handed over or the daemon went away.
 */
int control_call(const char *path, int argc, char **argv, FILE *out,
		 FILE *errors, struct errbuf *err);

#endif /* AFSXD_CONTROL_H */
