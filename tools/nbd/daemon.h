/* SPDX-License-Identifier: MIT */
/* Going to the background, and the file that says which process that is. */
#ifndef AFSX_NBD_DAEMON_H
#define AFSX_NBD_DAEMON_H

#include <stdbool.h>

#include "err.h"

/**
 * struct daemon - what is left to be done when the server is ready, or has ended
 * @pipe: to the process that waits for that, or -1
 * @pid_path: file to remove, or NULL
 * @keep_log: standard error stays what it was
 * @log: what standard error was, or -1
 */
struct daemon {
	int		pipe;
	const char	*pid_path;
	bool		keep_log;
	int		log;
};

/** daemon_init() - begin in the foreground, without a file. */
void daemon_init(struct daemon *d);

/**
 * daemon_fork() - go on in another process, in the background
 * @d: initialised
 * @keep_log: go on logging on standard error
 * @err: why there is no other process
 *
 * The process that was called waits until the other one is ready, or has ended; prints
 * what it has to say until then; and ends with status 0 or 1. Before any thread is
 * started.
 *
 * Return: 0 in the other process; a negative errno.
 */
int daemon_fork(struct daemon *d, bool keep_log, struct errbuf *err);

/**
 * daemon_ready() - clients can connect
 * @d: daemon
 * @pid_path: file for the number of this process, or NULL
 * @err: why it cannot be written
 *
 * Return: 0 or a negative errno.
 */
int daemon_ready(struct daemon *d, const char *pid_path, struct errbuf *err);

/** daemon_end() - remove the file, if there is one. */
void daemon_end(struct daemon *d);

#endif /* AFSX_NBD_DAEMON_H */
