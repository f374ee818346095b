// SPDX-License-Identifier: MIT
/*
 * Fuzz target: the NBD server's negotiation and transmission, over a socket.
 *
 * Input: a byte of enum wishes, and what the client sends before it leaves.
 *
 * Nothing but ranges within the export reaches the image, nothing at all is changed in
 * one that is read-only, and the server ends when the client has.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "handshake.h"
#include "transmit.h"

#define SIZE	65536

/* How the image and the connection are. */
enum wishes {
	WISH_READ_ONLY	= 1 << 0,
	WISH_WAITING	= 1 << 1,	/* nothing can be done without waiting */
	WISH_SECTORS	= 1 << 2,	/* whole sectors only */
	WISH_FAILING	= 1 << 3,	/* every fourth operation does */
	WISH_OLDSTYLE	= 1 << 4,
	WISH_STYLE	= 3 << 5,	/* 1 + a style: no negotiation */
	WISH_PAGES	= 1 << 7,	/* large reads without a copy, up to all of it */
};

static u8 image[SIZE];
static unsigned int wishes;
static atomic_uint operations;

/* Judge an operation. Return: what it answers. */
static int begin(struct blk *blk, u64 len, u64 offset, u32 flags)
{
	MUST(len && offset <= SIZE && len <= SIZE - offset);
	MUST(len % blk->min_block == 0 && offset % blk->min_block == 0);
	if (flags & BLK_NOWAIT && wishes & WISH_WAITING)
		return -EAGAIN;
	return wishes & WISH_FAILING && operations++ % 4 == 3 ? -EIO : 0;
}

static int change(struct blk *blk, u64 len, u64 offset, u32 flags)
{
	MUST(!blk->read_only);
	return begin(blk, len, offset, flags);
}

static int image_read(struct blk *blk, void *buf, u32 len, u64 offset, u32 flags)
{
	int ret = begin(blk, len, offset, flags);

	if (!ret)
		memcpy(buf, image + offset, len);
	return ret;
}

/* A disk that fails leaves some of it in the pipe. */
static int image_splice(struct blk *blk, int pipe, u32 len, u64 offset)
{
	int ret = begin(blk, len, offset, 0);

	if (!(wishes & WISH_PAGES))
		return -EAGAIN;
	if (ret)
		len /= 2;
	MUST(write(pipe, image + offset, len) == (ssize_t)len);
	return ret;
}

/* What is written is only looked at: the threads of a client may write at once. */
static int image_write(struct blk *blk, const void *buf, u32 len, u64 offset, u32 flags)
{
	const u8 *p = buf;
	unsigned int sum = 0;
	u32 i;

	for (i = 0; i < len; i++)
		sum += p[i];
	operations += sum & 1;
	return change(blk, len, offset, flags);
}

static int image_zero(struct blk *blk, u64 len, u64 offset, u32 flags)
{
	return change(blk, len, offset, flags & ~(u32)BLK_NOWAIT);
}

static int image_trim(struct blk *blk, u64 len, u64 offset, u32 flags)
{
	MUST(!(flags & ~(u32)BLK_FUA));
	return change(blk, len, offset, flags);
}

static int image_flush(struct blk *blk)
{
	MUST(!blk->read_only);
	return 0;
}

static int image_cache(struct blk *blk, u64 len, u64 offset)
{
	return begin(blk, len, offset, 0);
}

/* Runs of growing lengths, kinds in turn. */
static int image_extents(struct blk *blk, u64 len, u64 offset,
			 struct blk_extent *extents, u32 max)
{
	int ret = begin(blk, len, offset, 0);
	u64 run = 512;
	u32 n;

	if (ret)
		return ret;
	for (n = 0; n < max && len; n++, run *= 2) {
		u64 length = len < run ? len : run;

		extents[n] = (struct blk_extent){ length, n & 1, n & 2 };
		len -= length;
	}
	return (int)n;
}

static const struct blk_ops image_ops = {
	.name = "fuzz",
	.read = image_read,
	.splice = image_splice,
	.write = image_write,
	.zero = image_zero,
	.trim = image_trim,
	.flush = image_flush,
	.cache = image_cache,
	.extents = image_extents,
};

/* The client that says what the input says. */
struct peer {
	int fd;
	const u8 *data;
	size_t len;
};

static void *say(void *arg)
{
	struct peer *peer = arg;
	size_t left = peer->len;
	ssize_t n = 1;

	while (left && n > 0) {
		n = send(peer->fd, peer->data + peer->len - left, left, MSG_NOSIGNAL);
		left -= n > 0 ? (size_t)n : 0;
	}
	shutdown(peer->fd, SHUT_WR);
	return NULL;
}

static void *listen_to(void *arg)
{
	struct peer *peer = arg;
	u8 buf[16384];

	while (recv(peer->fd, buf, sizeof(buf), 0) > 0)
		;
	return NULL;
}

static void serve(int fd, const struct exports *exports)
{
	const struct limits limits = { 5, wishes & WISH_PAGES ? SIZE : SIZE / 2, 3 };
	unsigned int style = (wishes & WISH_STYLE) >> 5;
	static const bool never;
	struct session s = {
		.exp = &exports->list[0],
		.size = exports->list[0].blk->size,
		.style = style - 1,
		.allocation = style > 1,
	};
	struct channel ch;
	int ret = 1;

	channel_init(&ch, fd);
	if (wishes & WISH_OLDSTYLE)
		ret = handshake_oldstyle(&ch, exports, &limits, &s);
	else if (!style)
		ret = handshake(&ch, exports, &limits, NULL, &s);
	MUST(ret != -ETIMEDOUT);
	if (ret > 0) {
		MUST(!ch.deadline);
		ret = transmit(&ch, &s, &limits, &never);
		MUST(ret <= 0 && ret != -ETIMEDOUT && ret != -ENOMEM);
	}
	channel_destroy(&ch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blk blk = {
		.ops = &image_ops,
		.size = SIZE,
		.min_block = 1,
		.preferred_block = 4096,
	};
	struct export list[] = {
		{ .name = "one", .blk = &blk, .discard = true, .description = "an image" },
		{ .name = "two", .blk = &blk, .write_through = true },
	};
	const struct exports exports = { list, 2, false };
	pthread_t talker, listener;
	struct peer peer;
	int fds[2];

	if (!size)
		return -1;
	wishes = data[0];
	blk.read_only = wishes & WISH_READ_ONLY;
	if (wishes & WISH_SECTORS)
		blk.min_block = 512;
	/* as in the server; splice() cannot be told MSG_NOSIGNAL */
	signal(SIGPIPE, SIG_IGN);
	MUST(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	peer = (struct peer){ fds[1], data + 1, size - 1 };
	MUST(!pthread_create(&talker, NULL, say, &peer));
	MUST(!pthread_create(&listener, NULL, listen_to, &peer));
	serve(fds[0], &exports);
	/* the client may still want to say something to nobody */
	shutdown(fds[0], SHUT_RDWR);
	close(fds[0]);
	pthread_join(talker, NULL);
	pthread_join(listener, NULL);
	close(fds[1]);
	return 0;
}
