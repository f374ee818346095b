/* SPDX-License-Identifier: MIT */
/* The life of the server: who may connect, and when it ends. */
#ifndef AFSX_NBD_SERVER_H
#define AFSX_NBD_SERVER_H

#include "handshake.h"
#include "listen.h"

/**
 * struct server_config - what is served to whom
 * @exports: what is offered
 * @limits: what one client may use
 * @tls: for encryption, or NULL
 * @listeners: open; closed when the server ends
 * @shared: clients at a time; others wait until they are accepted
 * @persistent: go on when the last client has left
 * @oldstyle: no negotiation
 * @grace: seconds that requests may take to end when the server is stopped
 */
struct server_config {
	const struct exports	*exports;
	struct limits		limits;
	struct tls		*tls;
	struct listeners	*listeners;
	unsigned int		shared;
	bool			persistent;
	bool			oldstyle;
	unsigned int		grace;
};

/**
 * server_block_signals() - keep the signals that end the server for server_run()
 *
 * Before any thread is started.
 */
void server_block_signals(void);

/**
 * server_run() - serve
 * @cfg: what and whom
 * @err: why it could not go on
 *
 * Ends on SIGTERM, SIGINT and SIGHUP, and unless persistent when a client has left
 * that got as far as the transmission and no other is there. Then the requests that
 * have come are answered, and what was written is made durable.
 *
 * Return: 0; an error when something is not durable or the server could not run.
 */
int server_run(const struct server_config *cfg, struct errbuf *err);

#endif /* AFSX_NBD_SERVER_H */
