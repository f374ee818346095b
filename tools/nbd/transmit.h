/* SPDX-License-Identifier: MIT */
/* The part of a connection after the negotiation: requests and replies. */
#ifndef AFSX_NBD_TRANSMIT_H
#define AFSX_NBD_TRANSMIT_H

#include "handshake.h"

/**
 * transmit() - serve a client until it leaves
 * @ch: channel
 * @s: what was agreed on
 * @limits: what the client may use
 * @stop: becomes true, before the socket is shut down for reading, when the
 *	server is to end
 *
 * Requests that need not wait, or will be brief, are carried out at once, as many as
 * one recv() has brought, and their replies sent together; so are short ones of a client
 * that waits for nothing else. The others go to threads of the connection and are
 * answered when they are done, in any order.
 *
 * Return: 0 when the client has left, or the server ends; -EPROTO when it sent
 * something else than requests; -ENOMEM; errors of the channel.
 */
int transmit(struct channel *ch, const struct session *s,
	     const struct limits *limits, const bool *stop);

#endif /* AFSX_NBD_TRANSMIT_H */
