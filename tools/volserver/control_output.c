// SPDX-License-Identifier: MIT
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "control_output.h"

struct control_message {
	STAILQ_ENTRY(control_message) next;
	size_t len;
	char bytes[];
};

void control_output_init(struct control_output *o, int fd)
{
	o->fd = fd;
	o->bytes = 0;
	STAILQ_INIT(&o->kept);
}

static void drop_first(struct control_output *o)
{
	struct control_message *m = STAILQ_FIRST(&o->kept);

	STAILQ_REMOVE_HEAD(&o->kept, next);
	o->bytes -= m->len;
	free(m);
}

void control_output_free(struct control_output *o)
{
	while (!STAILQ_EMPTY(&o->kept))
		drop_first(o);
}

/* Send what the socket takes; 0 also when that is not all. */
static int send_kept(struct control_output *o)
{
	struct control_message *m;

	while ((m = STAILQ_FIRST(&o->kept))) {
		if (send(o->fd, m->bytes, m->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		drop_first(o);
	}
	return 0;
}

int control_output_put(struct control_output *o, char kind, const void *buf,
		       size_t len)
{
	struct control_message *m;

	if (o->bytes + len > CONTROL_KEPT_MAX)
		return -ENOBUFS;
	m = malloc(sizeof(*m) + len + 1);
	if (!m)
		return -ENOMEM;
	m->len = len + 1;
	m->bytes[0] = kind;
	memcpy(m->bytes + 1, buf, len);
	STAILQ_INSERT_TAIL(&o->kept, m, next);
	o->bytes += m->len;
	return send_kept(o);
}

int control_output_drain(struct control_output *o, size_t left,
			 const atomic_bool *stop)
{
	struct pollfd pfd = { .fd = o->fd, .events = POLLOUT };
	int ret = send_kept(o);

	while (!ret && o->bytes > left) {
		if (atomic_load(stop))
			return -ECANCELED;
		poll(&pfd, 1, -1);
		ret = send_kept(o);
	}
	return ret;
}
