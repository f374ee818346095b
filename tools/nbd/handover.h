/* SPDX-License-Identifier: MIT */
/*
 * From an older server to a newer one: the older one gives away the sockets it listens
 * on and ends, the newer one begins when the older has, and no client is refused.
 *
 * They meet on a Unix socket, of packets. The older one sends what it has: the path of
 * the socket clients use (empty for TCP), and descriptors, the first of them the one
 * they met on. If the newer one likes that it answers; the older one ends, which is
 * when the newer one sees the end of their connection.
 */
#ifndef AFSX_NBD_HANDOVER_H
#define AFSX_NBD_HANDOVER_H

#include "listen.h"

/**
 * struct handover - where the next server is waited for
 * @meeting: the socket it comes to; without one when there is none
 * @peer: a newer server that is there, or -1; open until this process ends
 * @path: of the clients' socket, when an older server has named it
 * @given: the sockets are the newer server's
 */
struct handover {
	struct listeners	meeting;
	int			peer;
	char			*path;
	bool			given;
};

/** handover_init() - wait for nobody. */
void handover_init(struct handover *h);

/**
 * handover_begin() - take over from an older server, and wait for a newer one
 * @h: initialised
 * @path: of the socket where they meet; stays in use
 * @o: where this server would listen
 * @l: without sockets; gets those of the older server, if there is one
 * @err: why not
 *
 * Returns when the older server has ended. If there is none, waits for a newer one
 * only.
 *
 * Return: 0; -EPERM when the older one is somebody else's; -EADDRINUSE when it listens
 * on another path than @o says; other negative errnos, all of them without harm to
 * the older server.
 */
int handover_begin(struct handover *h, const char *path,
		   const struct listen_options *o, struct listeners *l,
		   struct errbuf *err);

/**
 * handover_accept() - a newer server has come
 * @h: of handover_begin(); its meeting socket is readable
 * @l: what it is offered
 *
 * One that came before and has not decided is sent away.
 */
void handover_accept(struct handover *h, const struct listeners *l);

/**
 * handover_decide() - a newer server has decided
 * @h: its peer is readable
 * @l: the sockets; closed when they are the newer server's
 *
 * Return: whether it takes over, so that this server has to end.
 */
bool handover_decide(struct handover *h, struct listeners *l);

/** handover_end() - close all; the newer server begins. */
void handover_end(struct handover *h);

#endif /* AFSX_NBD_HANDOVER_H */
