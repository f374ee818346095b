// SPDX-License-Identifier: MIT
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "channel.h"
#include "cleanup.h"

static u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void channel_init(struct channel *ch, int fd)
{
	ch->fd = fd;
	ch->deadline = 0;
	pthread_mutex_init(&ch->send_lock, NULL);
}

void channel_destroy(struct channel *ch)
{
	pthread_mutex_destroy(&ch->send_lock);
}

void channel_set_timeout(struct channel *ch, unsigned int seconds)
{
	ch->deadline = seconds ? now_ms() + seconds * 1000ULL : 0;
}

/* Wait for @events, if there is a deadline; without one the call itself waits. */
static int await(struct channel *ch, short events)
{
	struct pollfd p = { .fd = ch->fd, .events = events };
	u64 now;
	int n;

	if (!ch->deadline)
		return 0;
	do {
		now = now_ms();
		if (now >= ch->deadline)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)min_u64(ch->deadline - now, INT_MAX));
	} while (n == 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}

static ssize_t recv_some(struct channel *ch, void *buf, size_t len)
{
	ssize_t n;
	int ret;

	do {
		ret = await(ch, POLLIN);
		if (ret)
			return ret;
		n = recv(ch->fd, buf, len, 0);
	} while (n < 0 && errno == EINTR);
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

static int send_all(struct channel *ch, const u8 *buf, size_t len)
{
	int flags = MSG_NOSIGNAL | (ch->deadline ? MSG_DONTWAIT : 0);
	ssize_t n;
	int ret;

	while (len) {
		ret = await(ch, POLLOUT);
		if (ret)
			return ret;
		n = send(ch->fd, buf, len, flags);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		len -= n;
	}
	return 0;
}

int channel_send(struct channel *ch, const void *buf, size_t len)
{
	MUTEX_GUARD(&ch->send_lock);

	return send_all(ch, buf, len);
}
