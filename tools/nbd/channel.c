// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "channel.h"
#include "cleanup.h"
#include "clock.h"
#include "tls.h"

#define BYE_SECONDS	1	/* for the last message, which nobody may take */

static bool is_local(int fd)
{
	int domain;
	socklen_t len = sizeof(domain);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) && domain == AF_UNIX;
}

void channel_init(struct channel *ch, int fd)
{
	ch->fd = fd;
	ch->deadline = 0;
	ch->local = is_local(fd);
	ch->spin = NULL;
	ch->tls = NULL;
	pthread_mutex_init(&ch->send_lock, NULL);
}

void channel_destroy(struct channel *ch)
{
	if (ch->tls) {
		channel_set_timeout(ch, BYE_SECONDS);
		tls_end(ch->tls);
	}
	pthread_mutex_destroy(&ch->send_lock);
}

void channel_set_timeout(struct channel *ch, unsigned int seconds)
{
	ch->deadline = seconds ? clock_mono_ms() + seconds * 1000ULL : 0;
}

bool channel_pending(const struct channel *ch)
{
	return ch->tls && tls_pending(ch->tls);
}

bool channel_waiting(const struct channel *ch)
{
	u8 byte;

	return channel_pending(ch) ||
	       recv(ch->fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool channel_expired(const struct channel *ch)
{
	return ch->deadline && clock_mono_ms() >= ch->deadline;
}

/*
 * Wait for @events, if there is a deadline; without one the call itself waits. Return:
 * 0, or -1 and errno.
 */
static int await(struct channel *ch, short events)
{
	struct pollfd p = { .fd = ch->fd, .events = events };
	u64 now;
	int n;

	if (!ch->deadline)
		return 0;
	do {
		now = clock_mono_ms();
		if (now >= ch->deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		n = poll(&p, 1, (int)min_u64(ch->deadline - now, INT_MAX));
	} while (n == 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -1 : 0;
}

/* recv() that looks before it sleeps */
struct receiving {
	int	fd;
	void	*buf;
	size_t	len;
	ssize_t	n;	/* as recv() returned */
};

static bool try_recv(void *ctx)
{
	struct receiving *r = ctx;

	r->n = recv(r->fd, r->buf, r->len, MSG_DONTWAIT);
	return r->n >= 0 || errno != EAGAIN;
}

static void sleep_recv(void *ctx)
{
	struct receiving *r = ctx;

	r->n = recv(r->fd, r->buf, r->len, 0);
}

static ssize_t recv_eagerly(struct channel *ch, void *buf, size_t len)
{
	static const struct spin_wait wait = { .look = try_recv, .sleep = sleep_recv };
	struct receiving r = { .fd = ch->fd, .buf = buf, .len = len };

	spin_wait(ch->spin, &wait, &r);
	return r.n;
}

ssize_t channel_raw_recv(struct channel *ch, void *buf, size_t len)
{
	ssize_t n;

	do {
		if (await(ch, POLLIN))
			return -1;
		n = ch->spin && !ch->deadline ? recv_eagerly(ch, buf, len) :
						recv(ch->fd, buf, len, 0);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* @more: MSG_MORE, when something follows at once */
static ssize_t raw_send(struct channel *ch, const void *buf, size_t len, int more)
{
	int flags = MSG_NOSIGNAL | (ch->deadline ? MSG_DONTWAIT : 0) | more;
	ssize_t n;

	do {
		if (await(ch, POLLOUT))
			return -1;
		n = send(ch->fd, buf, len, flags);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	return n;
}

ssize_t channel_raw_send(struct channel *ch, const void *buf, size_t len)
{
	return raw_send(ch, buf, len, 0);
}

static ssize_t recv_some(struct channel *ch, void *buf, size_t len)
{
	ssize_t n;

	if (ch->tls)
		return tls_recv(ch->tls, buf, len);
	n = channel_raw_recv(ch, buf, len);
	return n < 0 ? -errno : n;
}

static ssize_t send_some(struct channel *ch, const void *buf, size_t len, int more)
{
	ssize_t n;

	if (ch->tls)
		return tls_send(ch->tls, buf, len);
	n = raw_send(ch, buf, len, more);
	return n < 0 ? -errno : n;
}

ssize_t channel_recv(struct channel *ch, void *buf, size_t least, size_t most)
{
	size_t have = 0;
	ssize_t n;

	while (have < least) {
		n = recv_some(ch, (u8 *)buf + have, most - have);
		if (n < 0)
			return n;
		if (!n)
			return have ? -ECONNRESET : 0;
		have += n;
	}
	return have;
}

int channel_read(struct channel *ch, void *buf, size_t len)
{
	ssize_t n = len ? channel_recv(ch, buf, len, len) : 1;

	return n < 0 ? n : n ? 0 : -ECONNRESET;
}

static int send_all(struct channel *ch, const u8 *buf, size_t len, int more)
{
	ssize_t n;

	while (len) {
		n = send_some(ch, buf, len, more);
		if (n < 0)
			return (int)n;
		buf += n;
		len -= n;
	}
	return 0;
}

int channel_send(struct channel *ch, const void *buf, size_t len)
{
	MUTEX_GUARD(&ch->send_lock);

	return send_all(ch, buf, len, 0);
}

/* Move bytes from a pipe to the socket. A client that has left raises SIGPIPE. */
static int empty_pipe(struct channel *ch, int pipe, size_t len)
{
	ssize_t n;

	while (len) {
		n = splice(pipe, NULL, ch->fd, NULL, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		len -= (size_t)n;
	}
	return 0;
}

int channel_relay(struct channel *ch, const void *head, size_t head_len, int pipe,
		  size_t len)
{
	MUTEX_GUARD(&ch->send_lock);

	return send_all(ch, head, head_len, MSG_MORE) ?: empty_pipe(ch, pipe, len);
}
