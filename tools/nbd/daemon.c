// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "log.h"

#define READY	'\0'	/* is in no message */

void daemon_init(struct daemon *d)
{
	*d = (struct daemon){ .pipe = -1, .log = -1 };
}

/* Print what the server says. Return: whether it got ready before it was silent. */
static bool relay(int fd)
{
	char buf[512];
	ssize_t n;

	for (;;) {
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		if (buf[n - 1] == READY) {
			fwrite(buf, 1, (size_t)n - 1, stderr);
			return true;
		}
		fwrite(buf, 1, (size_t)n, stderr);
	}
}

int daemon_fork(struct daemon *d, bool keep_log, struct errbuf *err)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return err_set(err, -errno, "--fork: no pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return err_set(err, -errno, "--fork: %s", strerror(errno));
	}
	if (pid) {
		close(fds[1]);
		exit(relay(fds[0]) ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	close(fds[0]);
	setsid();
	d->pipe = fds[1];
	d->keep_log = keep_log;
	d->log = dup(STDERR_FILENO);
	dup2(d->pipe, STDERR_FILENO);
	return 0;
}

static int write_pid(struct daemon *d, const char *path, struct errbuf *err)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return err_set(err, -errno, "--pid-file: %s: %s", path,
			       strerror(errno));
	d->pid_path = path;
	fprintf(f, "%d\n", (int)getpid());
	if (fclose(f))
		return err_set(err, -errno, "--pid-file: %s: %s", path,
			       strerror(errno));
	return 0;
}

/* Let go of the terminal, and of who waits. */
static void detach(struct daemon *d)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const char ready = READY;

	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
	}
	dup2(d->keep_log && d->log >= 0 ? d->log : null, STDERR_FILENO);
	if (write(d->pipe, &ready, 1) < 0)
		log_warn("who started the server has not waited");
	close(d->pipe);
	close(d->log);
	close(null);
	d->pipe = -1;
	d->log = -1;
}

int daemon_ready(struct daemon *d, const char *pid_path, struct errbuf *err)
{
	int ret = pid_path ? write_pid(d, pid_path, err) : 0;

	if (!ret && d->pipe >= 0)
		detach(d);
	return ret;
}

void daemon_end(struct daemon *d)
{
	if (d->pid_path)
		unlink(d->pid_path);
	d->pid_path = NULL;
}
