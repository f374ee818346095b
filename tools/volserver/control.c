// SPDX-License-Identifier: MIT
/*
 * The server's side of the control socket.
 *
 * One thread accepts commands and watches who hangs up; every command runs on
 * a thread of its own, of which there is a bounded number.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "control_output.h"
#include "defs.h"
#include "log.h"
#include "volcmd.h"

/* Clients waiting to be accepted. */
#define BACKLOG		16

/* Milliseconds a client may take to send its request. */
#define REQUEST_MS	5000

/* Bytes a client may be behind with a command that can wait for it. */
#define BEHIND_MAX	(1024 * 1024)

/* Milliseconds between signals to a command that shall stop. */
#define NUDGE_MS	100

/* Has system calls of a command return EINTR, so that it looks up. */
#define NUDGE_SIGNAL	SIGUSR1

/* One command in progress. */
struct session {
	struct control *control;
	int fd;			/* -1: free */
	struct control_output output;
	pthread_t thread;
	bool gone;		/* the client hung up */
	atomic_bool done;	/* the thread has nothing more to do */
	atomic_bool stop;
};

struct control {
	struct control_config config;
	int listener;
	int wake;		/* eventfd: a session is done, or the end */
	pthread_t thread;
	atomic_bool stopping;
	struct session *sessions;
	struct pollfd *poll;
};

/* One of the two output streams of a command. */
struct stream {
	struct session *session;
	char kind;
};

/* write function of a stream: a client that does not take it stops the command */
static ssize_t stream_write(void *cookie, const char *buf, size_t size)
{
	struct stream *stream = cookie;
	struct session *s = stream->session;
	size_t len, done;

	/* all or nothing: stdio takes less for an error */
	for (done = 0; done < size; done += len) {
		len = min(size - done, (size_t)CONTROL_OUTPUT_MAX);
		if (control_output_put(&s->output, stream->kind, buf + done,
				       len)) {
			atomic_store(&s->stop, true);
			return 0;
		}
	}
	return size;
}

/* Let a client catch up with a command that holds nothing meanwhile. */
static void wait_for_client(void *ctx)
{
	struct session *s = ctx;

	if (control_output_drain(&s->output, BEHIND_MAX, &s->stop))
		atomic_store(&s->stop, true);
}

static FILE *stream_open(struct stream *stream, int buffering)
{
	cookie_io_functions_t io = { .write = stream_write };
	FILE *f = fopencookie(stream, "w", io);

	if (f)
		setvbuf(f, NULL, buffering, CONTROL_OUTPUT_MAX);
	return f;
}

/* Run a command with the client as its terminal; returns the exit status. */
static int run(struct session *s, int argc, char **argv)
{
	struct stream out = { s, CONTROL_OUT }, err = { s, CONTROL_ERR };
	struct volcmd_io io = {
		.out = stream_open(&out, _IOFBF),
		.err = stream_open(&err, _IOLBF),
		.stop = &s->stop,
		.wait = wait_for_client,
		.client = s,
		.status = s->control->config.status,
		.ctx = s->control->config.ctx,
	};
	int status = VOLCMD_FAILED;

	if (io.out && io.err)
		status = volcmd_run(s->control->config.store, &io, argc, argv);
	if (io.out)
		fclose(io.out);
	if (io.err)
		fclose(io.err);
	log_info("control command", LOG_S("command", argv[0]),
		 LOG_I("status", status));
	return status;
}

/* Refuse a request with a sentence. */
static int refuse(struct session *s, const char *why)
{
	log_warn("control request refused", LOG_S("why", why));
	control_output_put(&s->output, CONTROL_ERR, why, strlen(why));
	control_output_put(&s->output, CONTROL_ERR, "\n", 1);
	return VOLCMD_FAILED;
}

static bool may_command(int fd)
{
	socklen_t len = sizeof(struct ucred);
	struct ucred peer;

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	       (!peer.uid || peer.uid == geteuid());
}

/* Split a request at its NULs; returns the number of words, 0 when malformed */
static int split(char *request, size_t len, char **words)
{
	char *p = request, *end = request + len;
	int nr = 0;

	if (!len || end[-1])
		return 0;
	while (p < end) {
		if (nr == CONTROL_WORDS_MAX)
			return 0;
		words[nr++] = p;
		p += strlen(p) + 1;
	}
	return nr;
}

/* Read and carry out one request; returns the exit status. */
static int converse(struct session *s)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
	char request[CONTROL_REQUEST_MAX];
	char *words[CONTROL_WORDS_MAX + 1];
	ssize_t len;
	int nr;

	if (poll(&pfd, 1, REQUEST_MS) != 1)
		return refuse(s, "no request came");
	len = recv(s->fd, request, sizeof(request), MSG_TRUNC);
	if (len < 0 || (size_t)len > sizeof(request))
		return refuse(s, "request is too long");
	/* Not earlier: an answer does not pass a request that is not read. */
	if (!may_command(s->fd))
		return refuse(s, "only the daemon's user may give commands");
	nr = split(request, len, words);
	if (nr < 2)
		return refuse(s, "request is malformed");
	words[nr] = NULL;
	/* Relative paths are the client's; the directory is this thread's. */
	if (unshare(CLONE_FS) || chdir(words[0]))
		return refuse(s, "cannot enter the client's working directory");
	return run(s, nr - 1, words + 1);
}

static void wake(struct control *control)
{
	uint64_t one = 1;

	while (write(control->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void *session_main(void *arg)
{
	struct session *s = arg;
	char status = (char)converse(s);

	if (!control_output_put(&s->output, CONTROL_EXIT, &status, 1))
		control_output_drain(&s->output, 0, &s->stop);
	control_output_free(&s->output);
	atomic_store(&s->done, true);
	wake(s->control);
	return NULL;
}

static struct session *free_session(struct control *control)
{
	unsigned int i;

	for (i = 0; i < control->config.max_commands; i++) {
		if (control->sessions[i].fd < 0)
			return &control->sessions[i];
	}
	return NULL;
}

static void accept_one(struct control *control)
{
	int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);
	struct session *s = free_session(control);

	if (fd < 0)
		return;
	*s = (struct session){ .control = control, .fd = fd };
	control_output_init(&s->output, fd);
	if (!pthread_create(&s->thread, NULL, session_main, s))
		return;
	refuse(s, "no thread for the command");
	control_output_free(&s->output);
	close(fd);
	s->fd = -1;
}

/*
 * Release sessions that are done, remind those of it that shall stop.
 *
 * Return: how many are not done; @pause: how long they may go unreminded, ms.
 */
static unsigned int reap(struct control *control, int *pause)
{
	unsigned int i, busy = 0;

	*pause = -1;

	for (i = 0; i < control->config.max_commands; i++) {
		struct session *s = &control->sessions[i];

		if (s->fd < 0)
			continue;
		if (atomic_load(&s->done)) {
			pthread_join(s->thread, NULL);
			close(s->fd);
			s->fd = -1;
			continue;
		}
		if (atomic_load(&control->stopping))
			atomic_store(&s->stop, true);
		busy++;
		if (!atomic_load(&s->stop))
			continue;
		/* again and again: it may be just about to wait */
		pthread_kill(s->thread, NUDGE_SIGNAL);
		*pause = NUDGE_MS;
	}
	return busy;
}

/*
 * Fill the poll set: sessions by index, then the listener, then the wake-up.
 * While as many commands run as may, further ones wait to be accepted.
 */
static unsigned int watch(struct control *control)
{
	unsigned int i, max = control->config.max_commands;
	bool full = atomic_load(&control->stopping) || !free_session(control);

	for (i = 0; i < max; i++) {
		struct session *s = &control->sessions[i];

		/* Hanging up is all that is of interest, and just once. */
		control->poll[i] = (struct pollfd){
			.fd = s->gone ? -1 : s->fd,
		};
	}
	control->poll[i++] = (struct pollfd){
		.fd = full ? -1 : control->listener, .events = POLLIN,
	};
	control->poll[i++] = (struct pollfd){
		.fd = control->wake, .events = POLLIN,
	};
	return i;
}

static void *control_main(void *arg)
{
	struct control *control = arg;
	unsigned int i, max = control->config.max_commands;
	uint64_t count;
	int pause;

	while (reap(control, &pause) || !atomic_load(&control->stopping)) {
		if (poll(control->poll, watch(control), pause) < 0)
			continue;
		for (i = 0; i < max; i++) {
			if (control->poll[i].revents & (POLLHUP | POLLERR)) {
				control->sessions[i].gone = true;
				atomic_store(&control->sessions[i].stop, true);
			}
		}
		if (control->poll[max].revents)
			accept_one(control);
		if (control->poll[max + 1].revents &&
		    read(control->wake, &count, sizeof(count)) < 0)
			log_error("control wake-up failed",
				  LOG_I("error", -errno));
	}
	return NULL;
}

/* Whether a path is that of a socket nobody listens on any more. */
static bool abandoned(const struct sockaddr_un *addr)
{
	struct stat st;
	bool refused;
	int fd;

	if (lstat(addr->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	refused = connect(fd, (const void *)addr, sizeof(*addr)) &&
		  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int listen_on(int fd, const char *path, struct errbuf *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(err, -ENAMETOOLONG, "%s: path is too long", path);
	memcpy(addr.sun_path, path, strlen(path));
	if (abandoned(&addr))
		unlink(path);
	/* Before bind(), so that there is no moment when others may connect. */
	ret = fchmod(fd, 0600) || bind(fd, (void *)&addr, sizeof(addr)) ||
	      listen(fd, BACKLOG);
	if (ret)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

static void control_free(struct control *control)
{
	if (control->listener >= 0)
		close(control->listener);
	if (control->wake >= 0)
		close(control->wake);
	free(control->sessions);
	free(control->poll);
	free(control);
}

static struct control *control_alloc(const struct control_config *config)
{
	unsigned int i, max = config->max_commands;
	struct control *control = calloc(1, sizeof(*control));

	if (!control)
		return NULL;
	control->config = *config;
	control->wake = eventfd(0, EFD_CLOEXEC);
	control->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	control->sessions = calloc(max, sizeof(*control->sessions));
	control->poll = calloc(max + 2, sizeof(*control->poll));
	if (control->wake < 0 || control->listener < 0 || !control->sessions ||
	    !control->poll) {
		control_free(control);
		return NULL;
	}
	for (i = 0; i < max; i++)
		control->sessions[i].fd = -1;
	return control;
}

static void take_nudge(int sig)
{
	(void)sig;
}

int control_start(const struct control_config *config,
		  struct control **control, struct errbuf *err)
{
	const struct sigaction nudge = { .sa_handler = take_nudge };
	struct control *c = control_alloc(config);
	int ret;

	if (!c)
		return err_set(err, -ENOMEM, "control socket: out of memory");
	sigaction(NUDGE_SIGNAL, &nudge, NULL);
	ret = listen_on(c->listener, config->path, err);
	if (!ret) {
		ret = -pthread_create(&c->thread, NULL, control_main, c);
		if (ret) {
			err_set(err, ret, "control thread: %s", strerror(-ret));
			unlink(config->path);
		}
	}
	if (ret) {
		control_free(c);
		return ret;
	}
	*control = c;
	return 0;
}

void control_stop(struct control *control)
{
	if (!control)
		return;
	atomic_store(&control->stopping, true);
	wake(control);
	pthread_join(control->thread, NULL);
	unlink(control->config.path);
	control_free(control);
}
