// SPDX-License-Identifier: MIT
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "listen.h"

#define BACKLOG	1024

static int stream_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

/* Listen on a bound socket. */
static int add(struct listeners *l, int fd)
{
	if (listen(fd, BACKLOG))
		return -errno;
	l->fds[l->nr++] = fd;
	return 0;
}

static int listen_on(struct listeners *l, const struct addrinfo *ai)
{
	const int on = 1;
	int fd = stream_socket(ai->ai_family), ret;

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* the addresses of IPv4 have a socket of their own */
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	ret = bind(fd, ai->ai_addr, ai->ai_addrlen) ? -errno : add(l, fd);
	if (ret)
		close(fd);
	return ret;
}

static int listen_tcp(const struct listen_options *o, struct listeners *l,
		      struct errbuf *err)
{
	struct addrinfo hints = {
		.ai_flags = AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *list, *ai;
	char port[8];
	int ret;

	snprintf(port, sizeof(port), "%u", o->port);
	ret = getaddrinfo(o->bind, port, &hints, &list);
	if (ret)
		return err_set(err, -EADDRNOTAVAIL, "--bind: '%s': %s", o->bind,
			       gai_strerror(ret));
	for (ai = list; ai && !ret && l->nr < LISTENERS_MAX; ai = ai->ai_next) {
		ret = listen_on(l, ai);
		/* a name may have addresses of a family this machine does without */
		if (ret == -EAFNOSUPPORT && ai->ai_next)
			ret = 0;
	}
	freeaddrinfo(list);
	if (ret)
		return err_set(err, ret, "cannot listen on %s port %u: %s",
			       o->bind, o->port, strerror(-ret));
	return 0;
}

/* Whether there is a socket that nobody listens on. */
static bool is_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	bool refused;
	int fd;

	if (lstat(addr->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = stream_socket(AF_UNIX);
	if (fd < 0)
		return false;
	refused = connect(fd, (const void *)addr, sizeof(*addr)) &&
		  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int bind_unix(int fd, const struct sockaddr_un *addr)
{
	if (!bind(fd, (const void *)addr, sizeof(*addr)))
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (!is_stale(addr))
		return -EADDRINUSE;
	if (unlink(addr->sun_path) || bind(fd, (const void *)addr, sizeof(*addr)))
		return -errno;
	return 0;
}

/* Who may connect; nobody can before the socket listens. */
static int set_access(const struct listen_options *o)
{
	struct group *group;

	if (o->group) {
		group = getgrnam(o->group);
		if (!group)
			return -ENOENT;
		if (chown(o->path, (uid_t)-1, group->gr_gid))
			return -errno;
	}
	if (o->mode >= 0 && chmod(o->path, (mode_t)o->mode))
		return -errno;
	return 0;
}

static int listen_unix(const struct listen_options *o, struct listeners *l,
		       struct errbuf *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, ret;

	if (strlen(o->path) >= sizeof(addr.sun_path))
		return err_set(err, -ENAMETOOLONG,
			       "--socket: '%s' is longer than %zu bytes", o->path,
			       sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, o->path, strlen(o->path));
	fd = stream_socket(AF_UNIX);
	if (fd < 0)
		return err_set(err, fd, "no socket: %s", strerror(-fd));
	ret = bind_unix(fd, &addr);
	if (ret) {
		close(fd);
		return err_set(err, ret, "cannot listen on %s: %s", o->path,
			       strerror(-ret));
	}
	l->path = o->path;
	ret = set_access(o);
	if (ret)
		err_set(err, ret, "%s: cannot set group '%s' and mode: %s",
			o->path, o->group ?: "", strerror(-ret));
	else
		ret = add(l, fd);
	if (ret) {
		close(fd);
		listeners_close(l);
	}
	return ret;
}

int listeners_open(const struct listen_options *o, struct listeners *l,
		   struct errbuf *err)
{
	int ret;

	*l = (struct listeners){ .nr = 0 };
	ret = o->path ? listen_unix(o, l, err) : listen_tcp(o, l, err);
	if (ret)
		listeners_close(l);
	return ret;
}

void listeners_close(struct listeners *l)
{
	while (l->nr)
		close(l->fds[--l->nr]);
	if (l->path)
		unlink(l->path);
	l->path = NULL;
}
