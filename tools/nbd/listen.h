/* SPDX-License-Identifier: MIT */
/* The sockets clients connect to. */
#ifndef AFSX_NBD_LISTEN_H
#define AFSX_NBD_LISTEN_H

#include <stdbool.h>
#include <sys/un.h>

#include "err.h"

#define LISTENERS_MAX	16

/**
 * struct listen_options - where to listen
 * @path: of a Unix socket; NULL for TCP
 * @packets: the Unix socket is one of packets, not of a stream
 * @mode: of the Unix socket, octal permissions; negative to leave it
 * @group: it belongs to, or NULL
 * @bind: address or name of this machine, for TCP
 * @port: TCP port
 * @given: any of these stood on the command line
 */
struct listen_options {
	const char	*path;
	bool		packets;
	int		mode;
	const char	*group;
	const char	*bind;
	u16		port;
	bool		given;
};

/**
 * struct listeners - open sockets
 * @fds: non-blocking
 * @nr: how many
 * @path: of the Unix socket that is removed in the end, or NULL
 */
struct listeners {
	int		fds[LISTENERS_MAX];
	unsigned int	nr;
	const char	*path;
};

/**
 * listeners_inherit() - take the sockets a service manager has passed
 * @o: what the command line says, which must be nothing
 * @l: result; without sockets when none were passed
 * @err: what is wrong with them
 *
 * As sd_listen_fds(3) describes it. Before the process forks.
 *
 * Return: 0 or a negative errno.
 */
int listeners_inherit(const struct listen_options *o, struct listeners *l,
		      struct errbuf *err);

/**
 * listeners_open() - listen, unless sockets were inherited
 * @o: where; its strings stay in use
 * @l: of listeners_inherit()
 * @err: why not
 *
 * A Unix socket that nobody listens on any more is replaced; a file that is none is
 * not touched.
 *
 * Return: 0 or a negative errno.
 */
int listeners_open(const struct listen_options *o, struct listeners *l,
		   struct errbuf *err);

/** listen_address() - the address of a Unix socket; -ENAMETOOLONG. */
int listen_address(const char *path, struct sockaddr_un *addr, struct errbuf *err);

/** listeners_close() - stop listening, remove the Unix socket. */
void listeners_close(struct listeners *l);

#endif /* AFSX_NBD_LISTEN_H */
