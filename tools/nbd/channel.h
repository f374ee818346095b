/* SPDX-License-Identifier: MIT */
/* The byte stream between the server and one client. */
#ifndef AFSX_NBD_CHANNEL_H
#define AFSX_NBD_CHANNEL_H

#include <pthread.h>
#include <stdbool.h>

#include "defs.h"
#include "spin.h"

/**
 * struct channel - a connected socket
 * @fd: stream socket, blocking
 * @deadline: when calls give up, in ms of CLOCK_MONOTONIC; 0 for never
 * @send_lock: held while a message is sent, so that messages of several threads
 *	stay whole
 * @local: a Unix socket
 * @spin: for how long to look for what the client sends before going to sleep; NULL for
 *	not at all. The receiver's
 * @tls: session of tls.c, or NULL
 *
 * One thread receives, any number may send.
 */
struct channel {
	int		fd;
	u64		deadline;
	pthread_mutex_t	send_lock;
	bool		local;
	struct spin	*spin;
	void		*tls;
};

/** channel_init() - begin with @fd, which stays the caller's, and no deadline. */
void channel_init(struct channel *ch, int fd);

/** channel_destroy() - end TLS, and free what channel_init() made. */
void channel_destroy(struct channel *ch);

/** channel_set_timeout() - give up @seconds from now; 0 for never. */
void channel_set_timeout(struct channel *ch, unsigned int seconds);

/**
 * channel_recv() - receive at least @least and at most @most bytes
 * @ch: channel
 * @buf: room for @most bytes
 * @least: bytes to wait for
 * @most: bytes to take if they are there
 *
 * Return: how many there are; 0 when the client has left before the first byte;
 * -ECONNRESET when it left before @least were there; -ETIMEDOUT; other errors of
 * the socket.
 */
ssize_t channel_recv(struct channel *ch, void *buf, size_t least, size_t most);

/** channel_read() - receive exactly @len bytes; 0, or as channel_recv() fails. */
int channel_read(struct channel *ch, void *buf, size_t len);

/** channel_send() - send all of @buf; 0, -ETIMEDOUT, or an error of the socket. */
int channel_send(struct channel *ch, const void *buf, size_t len);

/**
 * channel_relay() - send a head, and behind it what is in a pipe
 * @ch: channel, without TLS
 * @head: bytes
 * @head_len: how many
 * @pipe: reading end
 * @len: bytes in the pipe
 *
 * Return: as channel_send().
 */
int channel_relay(struct channel *ch, const void *head, size_t head_len, int pipe,
		  size_t len);

/** channel_pending() - whether channel_recv() has bytes that the socket does not show. */
bool channel_pending(const struct channel *ch);

/** channel_waiting() - whether the client has sent something; does not wait for it. */
bool channel_waiting(const struct channel *ch);

/** channel_expired() - whether there is a deadline and it has passed. */
bool channel_expired(const struct channel *ch);

/* For tls.c: what goes over the socket itself; they fail with -1 and errno. */

/** channel_raw_recv() - receive some bytes; 0 at the end. */
ssize_t channel_raw_recv(struct channel *ch, void *buf, size_t len);

/** channel_raw_send() - send some bytes. */
ssize_t channel_raw_send(struct channel *ch, const void *buf, size_t len);

#endif /* AFSX_NBD_CHANNEL_H */
