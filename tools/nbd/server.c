// SPDX-License-Identifier: MIT
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>

#include "cleanup.h"
#include "log.h"
#include "pool.h"
#include "server.h"
#include "transmit.h"

#define ACCEPT_PAUSE_MS	1000	/* when there are no descriptors or memory left */
#define ATTACHED_REQUEST_MAX	(64u << 20)	/* twice the kernel's largest */

struct client;

struct server {
	const struct server_config	*cfg;
	int				signals;
	int				wake;	/* eventfd: a client has left */
	bool				stop;	/* atomic */
	pthread_mutex_t			lock;
	pthread_cond_t			gone;
	struct client			*clients;
	unsigned int			nr;
	bool				finished;	/* the last one has left */
	bool				detached;	/* an attached one has left */
};

struct client {
	struct server	*server;
	struct client	*next;
	int		fd;
	bool		attached;
};

static void ending_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

void server_block_signals(void)
{
	sigset_t set;

	ending_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void remove_client(struct client *cl, bool served)
{
	struct server *server = cl->server;
	const u64 one = 1;
	struct client **p;

	MUTEX_GUARD(&server->lock);

	for (p = &server->clients; *p != cl; p = &(*p)->next)
		;
	*p = cl->next;
	close(cl->fd);
	server->nr--;
	if (served && !server->nr)
		server->finished = true;
	if (cl->attached)
		server->detached = true;
	pthread_cond_signal(&server->gone);
	if (write(server->wake, &one, sizeof(one)) < 0)
		log_error("main thread not woken", LOG_I("error", -errno));
}

/* Return: as handshake() and transmit(). @served: the transmission has begun. */
static int serve(struct client *cl, bool *served)
{
	const struct server_config *cfg = cl->server->cfg;
	struct session s = {
		.exp = cfg->exports->list,
		.size = cfg->exports->list->blk->size,
		.style = REPLY_SIMPLE,
	};
	struct limits limits = cfg->limits;
	struct channel ch;
	int ret = 1;

	channel_init(&ch, cl->fd);
	if (cl->attached)
		limits.request_max = ATTACHED_REQUEST_MAX;
	else if (cfg->oldstyle)
		ret = handshake_oldstyle(&ch, cfg->exports, &limits, &s);
	else
		ret = handshake(&ch, cfg->exports, &limits, cfg->tls, &s);
	*served = ret > 0;
	if (ret > 0) {
		log_debug("transmission", LOG_I("client", cl->fd),
			  LOG_S("export", s.exp->name), LOG_U("style", s.style));
		ret = transmit(&ch, &s, &limits, &cl->server->stop);
	}
	channel_destroy(&ch);
	return ret;
}

static void *client_thread(void *arg)
{
	struct client *cl = arg;
	bool served;
	int ret = serve(cl, &served);

	if (ret < 0)
		log_debug("client dropped", LOG_I("client", cl->fd),
			  LOG_S("why", strerror(-ret)));
	else
		log_debug("client left", LOG_I("client", cl->fd));
	remove_client(cl, served);
	free(cl);
	return NULL;
}

static void set_up_socket(int fd)
{
	const int on = 1;

	/* these fail on a Unix socket, which needs neither */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static int add_client(struct server *server, int fd, bool attached)
{
	struct client *cl = malloc(sizeof(*cl));
	int ret;

	if (!cl)
		return -ENOMEM;
	MUTEX_GUARD(&server->lock);

	cl->server = server;
	cl->fd = fd;
	cl->attached = attached;
	ret = pool_thread(client_thread, cl);
	if (ret) {
		free(cl);
		return ret;
	}
	/* the thread cannot leave before this */
	cl->next = server->clients;
	server->clients = cl;
	server->nr++;
	return 0;
}

/* Return: 0, also when there was no client; an error when there is no room for one. */
static int accept_client(struct server *server, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int ret;

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		       errno == ENOBUFS ? -errno : 0;
	set_up_socket(fd);
	log_debug("client", LOG_I("client", fd));
	ret = add_client(server, fd, false);
	if (ret)
		close(fd);
	return ret;
}

int server_attach(struct server *server, int fd)
{
	return add_client(server, fd, true);
}

static unsigned int nr_clients(struct server *server)
{
	MUTEX_GUARD(&server->lock);

	return server->nr;
}

/* Whether the client has left that the server lives for. */
static bool all_done(struct server *server)
{
	MUTEX_GUARD(&server->lock);

	return server->detached ||
	       (server->finished && !server->nr && !server->cfg->persistent);
}

/* Accept whoever waits, as far as that is allowed. Return: an error to wait for. */
static int accept_clients(struct server *server, const struct pollfd *polls,
			  unsigned int nr)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		if (polls[i].revents &&
		    nr_clients(server) < server->cfg->shared)
			ret = accept_client(server, polls[i].fd);
	}
	if (ret)
		log_warn("client not accepted", LOG_S("why", strerror(-ret)));
	return ret;
}

static void drain(int fd)
{
	u64 n;

	if (read(fd, &n, sizeof(n)) < 0)
		return;
}

/* What the main thread waits for. */
enum {
	POLL_SIGNALS,
	POLL_WAKE,
	POLL_MEETING,
	POLL_PEER,
	POLL_LISTENERS,
};

/* Serve until it is time to end. */
static int accept_all(struct server *server)
{
	struct listeners *l = server->cfg->listeners;
	struct handover *h = server->cfg->handover;
	struct pollfd polls[POLL_LISTENERS + LISTENERS_MAX] = {
		[POLL_SIGNALS] = { .fd = server->signals, .events = POLLIN },
		[POLL_WAKE] = { .fd = server->wake, .events = POLLIN },
		[POLL_MEETING] = { .fd = h->meeting.nr ? h->meeting.fds[0] : -1,
				   .events = POLLIN },
	};
	int no_room = 0;
	unsigned int i;

	for (i = 0; i < l->nr; i++)
		polls[POLL_LISTENERS + i] = (struct pollfd){ .fd = l->fds[i],
							     .events = POLLIN };
	while (!all_done(server)) {
		bool accepting = !no_room &&
				 nr_clients(server) < server->cfg->shared;

		polls[POLL_PEER] = (struct pollfd){ .fd = h->peer, .events = POLLIN };
		if (poll(polls, POLL_LISTENERS + (accepting ? l->nr : 0),
			 no_room ? ACCEPT_PAUSE_MS : -1) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (polls[POLL_SIGNALS].revents)
			break;
		if (polls[POLL_PEER].revents && handover_decide(h, l))
			break;
		if (polls[POLL_MEETING].revents)
			handover_accept(h, l);
		if (polls[POLL_WAKE].revents)
			drain(server->wake);
		no_room = accepting ?
			  accept_clients(server, polls + POLL_LISTENERS, l->nr) : 0;
	}
	return 0;
}

static void shut_down_clients(struct server *server, int how)
{
	struct client *cl;

	for (cl = server->clients; cl; cl = cl->next)
		shutdown(cl->fd, how);
}

/* Let all clients finish what they have begun; then end them. */
static void end_clients(struct server *server)
{
	struct timespec until;
	int ret = 0;

	MUTEX_GUARD(&server->lock);

	__atomic_store_n(&server->stop, true, __ATOMIC_RELAXED);
	shut_down_clients(server, SHUT_RD);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += server->cfg->grace;
	while (server->nr && !ret)
		ret = pthread_cond_timedwait(&server->gone, &server->lock, &until);
	shut_down_clients(server, SHUT_RDWR);
	while (server->nr)
		pthread_cond_wait(&server->gone, &server->lock);
}

static int serve_all(struct server *server, struct errbuf *err)
{
	const struct server_hooks *hooks = &server->cfg->hooks;
	int ret;

	ret = hooks->ready(hooks->ctx, server, err);
	if (!ret) {
		ret = accept_all(server);
		if (ret)
			err_set(err, ret, "cannot wait for clients: %s", strerror(-ret));
	}
	hooks->ending(hooks->ctx);
	return ret;
}

int server_run(const struct server_config *cfg, struct errbuf *err)
{
	struct server server = {
		.cfg = cfg,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.gone = PTHREAD_COND_INITIALIZER,
	};
	int ret, flushed;
	sigset_t set;

	ending_signals(&set);
	server.signals = signalfd(-1, &set, SFD_CLOEXEC);
	server.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server.signals < 0 || server.wake < 0)
		ret = err_set(err, -errno, "cannot wait for signals: %s", strerror(errno));
	else
		ret = serve_all(&server, err);
	listeners_close(cfg->listeners);
	end_clients(&server);
	flushed = exports_flush(cfg->exports, err);
	if (server.signals >= 0)
		close(server.signals);
	if (server.wake >= 0)
		close(server.wake);
	return ret ? ret : flushed;
}
