// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "relay.h"

/* A pipe has room for so many pages, however little of each is used. */
#define PIPE_SIZE	(2 * RELAY_MAX)

void relay_init(struct relay *relay)
{
	*relay = (struct relay){ .in = -1, .out = -1 };
}

/* Return: whether there is a pipe. */
static bool have_pipe(struct relay *relay)
{
	int ends[2];

	if (relay->in >= 0 || relay->never)
		return !relay->never;
	relay->never = pipe2(ends, O_CLOEXEC);
	if (relay->never)
		return false;
	relay->out = ends[0];
	relay->in = ends[1];
	if (fcntl(relay->in, F_SETPIPE_SZ, PIPE_SIZE) < 0) {
		relay_close(relay);
		relay->never = true;
	}
	return !relay->never;
}

int relay_fill(struct relay *relay, struct blk *blk, u32 len, u64 offset)
{
	int ret;

	if (!blk->ops->splice || !have_pipe(relay))
		return -EAGAIN;
	ret = blk->ops->splice(blk, relay->in, len, offset);
	/* it may hold a part of them */
	if (ret && ret != -EAGAIN)
		relay_close(relay);
	return ret ? -EAGAIN : 0;
}

void relay_close(struct relay *relay)
{
	if (relay->in < 0)
		return;
	close(relay->in);
	close(relay->out);
	relay_init(relay);
}
