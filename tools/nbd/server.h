/* SPDX-License-Identifier: MIT */
/* The life of the server: who may connect, and when it ends. */
#ifndef AFSX_NBD_SERVER_H
#define AFSX_NBD_SERVER_H

#include "handover.h"
#include "handshake.h"
#include "listen.h"

struct server;

/**
 * struct server_hooks - what else belongs to a life
 * @ready: clients are served from now on; may attach one. An error ends the server
 * @ending: called in the end, also after an error, when clients are still served
 * @ctx: for both
 */
struct server_hooks {
	int	(*ready)(void *ctx, struct server *server, struct errbuf *err);
	void	(*ending)(void *ctx);
	void	*ctx;
};

/**
 * struct server_config - what is served to whom
 * @exports: what is offered
 * @limits: what one client may use
 * @tls: for encryption, or NULL
 * @listeners: open; closed when the server ends
 * @handover: to a newer server
 * @shared: clients at a time; others wait until they are accepted
 * @persistent: go on when the last client has left
 * @oldstyle: no negotiation
 * @grace: seconds that requests may take to end when the server is stopped
 * @hooks: called in the main thread
 */
struct server_config {
	const struct exports	*exports;
	struct limits		limits;
	struct tls		*tls;
	struct listeners	*listeners;
	struct handover		*handover;
	unsigned int		shared;
	bool			persistent;
	bool			oldstyle;
	unsigned int		grace;
	struct server_hooks	hooks;
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
 * that got as far as the transmission and no other is there; also when one that was
 * attached has left, and when a newer server takes over. Then the requests that have
 * come are answered, and what was written is made durable.
 *
 * Return: 0; an error when something is not durable or the server could not run.
 */
int server_run(const struct server_config *cfg, struct errbuf *err);

/**
 * server_attach() - serve a client that does not negotiate: the kernel
 * @server: as the hook got it
 * @fd: socket, owned by the server if this succeeds
 *
 * It is offered the first export, with simple replies, and sends requests as large as
 * it likes. The server ends when it leaves.
 *
 * Return: 0 or a negative errno.
 */
int server_attach(struct server *server, int fd);

#endif /* AFSX_NBD_SERVER_H */
