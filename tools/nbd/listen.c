// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listen.h"
#include "size.h"

#define BACKLOG		1024
#define FIRST_INHERITED	3	/* SD_LISTEN_FDS_START */

static int new_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

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
	int fd = new_socket(ai->ai_family, SOCK_STREAM), ret;

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
	/* the type does not matter: one that listens refuses nobody */
	fd = new_socket(AF_UNIX, SOCK_STREAM);
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
static int set_access(const struct listen_options *o, struct errbuf *err)
{
	struct group *group;

	if (o->group) {
		group = getgrnam(o->group);
		if (!group)
			return err_set(err, -ENOENT,
				       "--socket-group: there is no group '%s'",
				       o->group);
		if (chown(o->path, (uid_t)-1, group->gr_gid))
			return err_set(err, -errno,
				       "%s: cannot give it to group '%s': %s",
				       o->path, o->group, strerror(errno));
	}
	if (o->mode >= 0 && chmod(o->path, (mode_t)o->mode))
		return err_set(err, -errno, "%s: cannot set its mode: %s",
			       o->path, strerror(errno));
	return 0;
}

int listen_address(const char *path, struct sockaddr_un *addr, struct errbuf *err)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(addr->sun_path))
		return err_set(err, -ENAMETOOLONG, "the socket %s is longer than %zu bytes",
			       path, sizeof(addr->sun_path) - 1);
	memcpy(addr->sun_path, path, strlen(path));
	return 0;
}

static int listen_unix(const struct listen_options *o, struct listeners *l,
		       struct errbuf *err)
{
	struct sockaddr_un addr;
	int fd, ret;

	ret = listen_address(o->path, &addr, err);
	if (ret)
		return ret;
	fd = new_socket(AF_UNIX, o->packets ? SOCK_SEQPACKET : SOCK_STREAM);
	if (fd < 0)
		return err_set(err, fd, "no socket: %s", strerror(-fd));
	ret = bind_unix(fd, &addr);
	if (ret) {
		close(fd);
		return err_set(err, ret, "cannot listen on %s: %s", o->path,
			       strerror(-ret));
	}
	l->path = o->path;
	ret = set_access(o, err);
	if (!ret)
		ret = add(l, fd);
	if (ret) {
		close(fd);
		listeners_close(l);
	}
	return ret;
}

/* Whether @fd is a stream socket that listens, made ready for use. */
static bool take_listener(int fd)
{
	int type = 0, listening = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len))
		return false;
	return type == SOCK_STREAM && listening &&
	       !fcntl(fd, F_SETFD, FD_CLOEXEC) &&
	       !fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* Return: how many sockets were passed to this process, 0 also for nonsense. */
static unsigned int passed_to_us(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	u64 whose, nr;

	if (!pid || !fds || number_parse(pid, 1, INT_MAX, &whose) ||
	    number_parse(fds, 1, INT_MAX, &nr) || whose != (u64)getpid())
		return 0;
	return (unsigned int)nr;
}

int listeners_inherit(const struct listen_options *o, struct listeners *l,
		      struct errbuf *err)
{
	unsigned int nr = passed_to_us(), i;

	*l = (struct listeners){ .nr = 0 };
	if (!nr)
		return 0;
	if (o->given)
		return err_set(err, -EINVAL,
			       "--socket, --port and --bind do not go with sockets from a service manager");
	if (nr > LISTENERS_MAX)
		return err_set(err, -E2BIG, "LISTEN_FDS: %u sockets, more than %u",
			       nr, LISTENERS_MAX);
	for (i = 0; i < nr; i++) {
		if (!take_listener(FIRST_INHERITED + (int)i))
			return err_set(err, -ENOTSOCK,
				       "LISTEN_FDS: descriptor %u is not a socket that listens",
				       FIRST_INHERITED + i);
		l->fds[l->nr++] = FIRST_INHERITED + (int)i;
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	return 0;
}

int listeners_open(const struct listen_options *o, struct listeners *l,
		   struct errbuf *err)
{
	int ret;

	if (l->nr)
		return 0;
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
