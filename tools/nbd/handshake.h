/* SPDX-License-Identifier: MIT */
/* The negotiation at the beginning of a connection. */
#ifndef AFSX_NBD_HANDSHAKE_H
#define AFSX_NBD_HANDSHAKE_H

#include "channel.h"
#include "export.h"
#include "tls.h"

/* How replies begin, each style with a longer head than the one before. */
enum reply_style {
	REPLY_SIMPLE,
	REPLY_STRUCTURED,
	REPLY_EXTENDED,	/* requests too */
};

/**
 * struct limits - what one client may use
 * @handshake_timeout: seconds until the transmission has to begin
 * @request_max: bytes of data in one request
 * @threads: requests of a client that wait for the disk at a time
 */
struct limits {
	unsigned int	handshake_timeout;
	u32		request_max;
	unsigned int	threads;
};

/**
 * struct session - what a client and the server have agreed on
 * @exp: export
 * @size: its bytes, for as long as the connection lasts
 * @style: of replies
 * @allocation: the client asked for base:allocation
 */
struct session {
	const struct export	*exp;
	u64			size;
	enum reply_style	style;
	bool			allocation;
};

/* The only metadata context there is. */
#define CONTEXT_ALLOCATION	"base:allocation"
#define CONTEXT_ALLOCATION_ID	1

/**
 * handshake() - negotiate with a new client
 * @ch: channel; its deadline has passed or is off afterwards
 * @exports: what is offered
 * @limits: what one client may use
 * @tls: for encryption, or NULL
 * @s: result
 *
 * Fixed newstyle of doc/proto.md. What is wrong with an option is told the client,
 * who may go on; what leaves no way to go on ends the connection.
 *
 * Return: 1 when the transmission begins; 0 when the client has left; -ETIMEDOUT;
 * -EPROTO when it does not speak the protocol; other errors of the channel.
 */
int handshake(struct channel *ch, const struct exports *exports,
	      const struct limits *limits, struct tls *tls, struct session *s);

/** handshake_oldstyle() - offer the first export the way old clients expect. */
int handshake_oldstyle(struct channel *ch, const struct exports *exports,
		       const struct limits *limits, struct session *s);

#endif /* AFSX_NBD_HANDSHAKE_H */
