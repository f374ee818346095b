/* SPDX-License-Identifier: MIT */
/* Encryption of connections with GnuTLS: certificates or shared keys. */
#ifndef AFSX_NBD_TLS_H
#define AFSX_NBD_TLS_H

#include <stdbool.h>

#include "channel.h"
#include "err.h"

/**
 * struct tls_config - who is to be believed
 * @directory: of ca-cert.pem, server-cert.pem, server-key.pem and, if there is one,
 *	ca-crl.pem; or NULL
 * @psk_file: lines "user:key in hexadecimal", or NULL; only one of both
 * @verify_peer: clients need a certificate of the same authority
 * @required: no client goes on without TLS
 */
struct tls_config {
	const char	*directory;
	const char	*psk_file;
	bool		verify_peer;
	bool		required;
};

struct tls;

/**
 * tls_open() - load certificates or keys
 * @config: where they are; its strings stay in use
 * @tls: result; NULL when @config names nothing
 * @err: what is wrong with which file
 *
 * Return: 0 or a negative errno.
 */
int tls_open(const struct tls_config *config, struct tls **tls, struct errbuf *err);

/** tls_close() - free it; no session uses it any more. */
void tls_close(struct tls *tls);

/** tls_required() - whether no client goes on without TLS; @tls may be NULL. */
bool tls_required(const struct tls *tls);

/**
 * tls_accept() - let a client begin with TLS; all that follows is encrypted
 * @tls: certificates or keys
 * @ch: channel, whose deadline holds
 *
 * Return: 0; -ETIMEDOUT; -EPROTO when the client is not to be believed, or does not
 * speak TLS 1.2 or 1.3.
 */
int tls_accept(struct tls *tls, struct channel *ch);

/* For channel.c. */

/** tls_pending() - whether bytes were decrypted that nobody has received yet. */
bool tls_pending(void *session);

/** tls_recv() - receive some bytes, 0 at the end; -ECONNRESET when it is no clean one. */
ssize_t tls_recv(void *session, void *buf, size_t len);

/** tls_send() - send some bytes. Return: how many, or a negative errno. */
ssize_t tls_send(void *session, const void *buf, size_t len);

/** tls_end() - say good-bye, without waiting for an answer, and free the session. */
void tls_end(void *session);

#endif /* AFSX_NBD_TLS_H */
