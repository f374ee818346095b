// SPDX-License-Identifier: MIT
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "ring.h"

/**
 * struct ring - a ring of the kernel's
 * @uring: of liburing
 * @depth: operations there may be
 * @nr: operations there are
 * @added: those of them that the kernel has not seen yet
 * @tail: where the next one goes
 * @nr_added: how many these are
 * @failed: the kernel took no more; @uring is closed
 */
struct ring {
	struct io_uring	uring;
	unsigned int	depth;
	unsigned int	nr;
	struct blk_io	*added;
	struct blk_io	**tail;
	unsigned int	nr_added;
	bool		failed;
};

int ring_probe(void)
{
	struct io_uring uring;
	int ret = io_uring_queue_init(1, &uring, 0);

	if (!ret)
		io_uring_queue_exit(&uring);
	return ret;
}

int ring_open(struct ring **ring, unsigned int depth)
{
	struct ring *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return -ENOMEM;
	r->depth = depth;
	r->tail = &r->added;
	ret = io_uring_queue_init(depth, &r->uring, 0);
	if (ret) {
		free(r);
		return ret;
	}
	*ring = r;
	return 0;
}

bool ring_busy(const struct ring *ring)
{
	return ring->nr;
}

bool ring_full(const struct ring *ring)
{
	return ring->nr >= ring->depth;
}

/* Queue what is left of an operation. There is room for as many as @depth. */
static void prepare(struct ring *ring, struct blk_io *io)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
	u8 *buf = (u8 *)io->buf + io->moved;
	u32 len = io->len - io->moved;
	u64 offset = io->offset + io->moved;

	switch (io->op) {
	case BLK_IO_READ:
		io_uring_prep_read(sqe, io->fd, buf, len, offset);
		break;
	case BLK_IO_WRITE:
		io_uring_prep_write(sqe, io->fd, buf, len, offset);
		sqe->rw_flags = io->flags & BLK_FUA ? RWF_DSYNC : 0;
		break;
	case BLK_IO_FLUSH:
		io_uring_prep_fsync(sqe, io->fd, IORING_FSYNC_DATASYNC);
		break;
	}
	io_uring_sqe_set_data(sqe, io);
	io->next = NULL;
	*ring->tail = io;
	ring->tail = &io->next;
	ring->nr_added++;
}

int ring_add(struct ring *ring, int fd, struct blk_io *io)
{
	if (ring->failed)
		return -EOPNOTSUPP;
	io->fd = fd;
	io->moved = 0;
	ring->nr++;
	prepare(ring, io);
	return 0;
}

static void end(struct ring *ring, struct blk_io *io, int ret)
{
	ring->nr--;
	if (io->settle && ret != -EOPNOTSUPP)
		ret = io->settle(io, ret);
	io->done(io, ret);
}

static struct blk_io *take_added(struct ring *ring)
{
	struct blk_io *io = ring->added;

	ring->added = io->next;
	if (!ring->added)
		ring->tail = &ring->added;
	ring->nr_added--;
	return io;
}

/* An operation, or a part of it, has ended with @ret. */
static void ended(struct ring *ring, struct blk_io *io, int ret)
{
	if (ret > 0)
		io->moved += (u32)ret;
	if (ret == -EINTR || (ret > 0 && io->moved < io->len))
		prepare(ring, io);
	else if (ret < 0)
		end(ring, io, ret);
	else
		/* nothing more comes when the file has become shorter */
		end(ring, io, io->moved < io->len ? -EIO : 0);
}

/* Return: whether any had ended. */
static bool reap(struct ring *ring)
{
	struct io_uring_cqe *cqe;
	bool any = false;

	while (!io_uring_peek_cqe(&ring->uring, &cqe)) {
		struct blk_io *io = io_uring_cqe_get_data(cqe);
		int ret = cqe->res;

		io_uring_cqe_seen(&ring->uring, cqe);
		ended(ring, io, ret);
		any = true;
	}
	return any;
}

/* The kernel takes nothing, and has nothing any more: what it has not seen has failed. */
static void fail(struct ring *ring)
{
	ring->failed = true;
	io_uring_queue_exit(&ring->uring);
	while (ring->nr_added)
		end(ring, take_added(ring), -EOPNOTSUPP);
}

void ring_push(struct ring *ring)
{
	int n;

	if (!ring->nr_added)
		return;
	do {
		n = io_uring_submit(&ring->uring);
	} while (n == -EINTR);
	for (; n > 0 && ring->nr_added; n--)
		take_added(ring);
	/* while the kernel has others there will be another try */
	if (ring->nr_added && ring->nr_added == ring->nr)
		fail(ring);
}

bool ring_wait(struct ring *ring, int fd)
{
	struct pollfd polls[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = ring->uring.ring_fd, .events = POLLIN },
	};

	ring_push(ring);
	if (!ring->nr || reap(ring))
		return false;
	if (poll(polls, ARRAY_SIZE(polls), -1) < 0)
		return false;
	reap(ring);
	return polls[0].revents;
}

void ring_close(struct ring *ring)
{
	while (ring->nr)
		ring_wait(ring, -1);
	if (!ring->failed)
		io_uring_queue_exit(&ring->uring);
	free(ring);
}
