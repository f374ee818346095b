// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handover.h"
#include "log.h"

#define MAGIC		"afsx-nbd 1"
#define TAKE		'T'
#define FDS_MAX		(1 + LISTENERS_MAX)
#define PATIENCE_S	10	/* for a packet that is there unless something is wrong */

/* What the older server sends, with its descriptors. */
struct offer {
	char magic[sizeof(MAGIC)];
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

union fds_message {
	struct cmsghdr	head;
	u8		room[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

void handover_init(struct handover *h)
{
	*h = (struct handover){ .peer = -1 };
}

static int send_offer(int fd, const struct listeners *meeting,
		      const struct listeners *l)
{
	union fds_message fds = { .room = { 0 } };
	size_t size = (1 + l->nr) * sizeof(int);
	struct offer offer = { .magic = MAGIC };
	struct iovec iov = { &offer, sizeof(offer) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &fds,
		.msg_controllen = CMSG_SPACE(size),
	};
	int *first = (int *)CMSG_DATA(&fds.head);

	if (l->path)
		memcpy(offer.path, l->path, strlen(l->path));	/* it is being listened on */
	fds.head.cmsg_level = SOL_SOCKET;
	fds.head.cmsg_type = SCM_RIGHTS;
	fds.head.cmsg_len = CMSG_LEN(size);
	memcpy(first, meeting->fds, sizeof(int));
	memcpy(first + 1, l->fds, l->nr * sizeof(int));
	return sendmsg(fd, &msg, 0) < 0 ? -errno : 0;
}

static void close_all(const int *fds, size_t nr)
{
	while (nr)
		close(fds[--nr]);
}

/* Return: how many descriptors have come, or a negative errno. */
static int receive_offer(int fd, struct offer *offer, int *fds)
{
	union fds_message control;
	struct iovec iov = { offer, sizeof(*offer) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *head;
	ssize_t n;
	size_t nr;

	/* with a timeout whatever stops the process interrupts it, without any handler */
	do {
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	head = CMSG_FIRSTHDR(&msg);
	if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	nr = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(head), nr * sizeof(int));
	if (n == sizeof(*offer) && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
	    !memcmp(offer->magic, MAGIC, sizeof(MAGIC)) &&
	    !offer->path[sizeof(offer->path) - 1] && nr >= 2)
		return (int)nr;
	close_all(fds, nr);
	return -EPROTO;
}

/* Whether the process at the other end may do what this one may. */
static bool is_ours(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	       (peer.uid == geteuid() || !peer.uid);
}

/* Return: a connection to the older server; -ENOENT when there is none. */
static int find_older(const struct sockaddr_un *addr)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), ret = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const void *)addr, sizeof(*addr)))
		ret = errno == ECONNREFUSED ? -ENOENT : -errno;
	else if (!is_ours(fd))
		ret = -EPERM;
	else if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		ret = -errno;
	if (ret)
		close(fd);
	return ret ?: fd;
}

/* Tell the older server to end, and wait until it has. */
static int end_older(struct handover *h, int fd, const struct offer *offer,
		     struct errbuf *err)
{
	const struct timeval forever = { .tv_sec = 0 };
	const char take = TAKE;
	char end;

	if (offer->path[0]) {
		h->path = strdup(offer->path);
		if (!h->path)
			return err_set(err, -ENOMEM, "out of memory");
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever)) ||
	    send(fd, &take, 1, MSG_NOSIGNAL) < 0)
		return err_set(err, -errno, "--hand-over: the older server has gone: %s",
			       strerror(errno));
	while (recv(fd, &end, 1, 0) < 0)
		if (errno != EINTR)	/* also a way to end */
			break;
	return 0;
}

/* Keep the descriptors the older server has sent. */
static void keep(struct handover *h, const char *path, const int *fds, size_t nr,
		 struct listeners *l)
{
	l->path = h->path;
	for (l->nr = 0; l->nr < nr - 1; l->nr++)
		l->fds[l->nr] = fds[1 + l->nr];
	h->meeting = (struct listeners){ .fds = { fds[0] }, .nr = 1, .path = path };
	log_info("taken over", LOG_S("from", path));
}

static int take_over(struct handover *h, int fd, const char *path,
		     const struct listen_options *o, struct listeners *l,
		     struct errbuf *err)
{
	struct offer offer;
	int fds[FDS_MAX];
	int nr, ret;

	nr = receive_offer(fd, &offer, fds);
	if (nr < 0)
		return err_set(err, nr, "--hand-over: %s: the older server offers nothing: %s",
			       path, strerror(-nr));
	if (strcmp(o->path ?: "", offer.path))
		ret = err_set(err, -EADDRINUSE, "--hand-over: %s: the older server listens on %s",
			      path, offer.path[0] ? offer.path : "TCP");
	else
		ret = end_older(h, fd, &offer, err);
	if (ret)
		close_all(fds, (size_t)nr);
	else
		keep(h, path, fds, (size_t)nr, l);
	return ret;
}

int handover_begin(struct handover *h, const char *path,
		   const struct listen_options *o, struct listeners *l,
		   struct errbuf *err)
{
	const struct listen_options meeting = {
		.path = path,
		.mode = 0600,
		.packets = true,
	};
	struct sockaddr_un addr;
	int fd, ret;

	ret = listen_address(path, &addr, err);
	if (ret)
		return ret;
	fd = find_older(&addr);
	if (fd == -ENOENT)
		return listeners_open(&meeting, &h->meeting, err);
	if (fd < 0)
		return err_set(err, fd, "--hand-over: %s: %s", path, strerror(-fd));
	ret = take_over(h, fd, path, o, l, err);
	close(fd);
	return ret;
}

void handover_accept(struct handover *h, const struct listeners *l)
{
	int fd = accept4(h->meeting.fds[0], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int ret;

	if (fd < 0)
		return;
	ret = is_ours(fd) ? send_offer(fd, &h->meeting, l) : -EPERM;
	if (ret) {
		log_warn("newer server sent away", LOG_S("why", strerror(-ret)));
		close(fd);
		return;
	}
	if (h->peer >= 0)
		close(h->peer);
	h->peer = fd;
}

bool handover_decide(struct handover *h, struct listeners *l)
{
	char answer = '\0';

	if (recv(h->peer, &answer, 1, 0) == 1 && answer == TAKE) {
		log_info("a newer server takes over");
		h->given = true;
		/* they stay where they are, for the newer one */
		l->path = NULL;
		h->meeting.path = NULL;
		listeners_close(l);
	} else {
		close(h->peer);
		h->peer = -1;
	}
	return h->given;
}

void handover_end(struct handover *h)
{
	listeners_close(&h->meeting);
	if (h->peer >= 0)
		close(h->peer);
	h->peer = -1;
	free(h->path);
	h->path = NULL;
}
