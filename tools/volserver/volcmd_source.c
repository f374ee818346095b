// SPDX-License-Identifier: MIT
#include "volcmd_source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"

#define PATIENCE_MS	20	/* longer than a disk takes */
#define LOOK_MS		200	/* how soon a stop is noticed */

enum source_op {
	SRC_STAT,
	SRC_OPEN,
	SRC_FSTAT,
	SRC_SEEK,
	SRC_READ,
	SRC_READLINK,
	SRC_LIST,
};

/**
 * struct source - a thread, and what it is asked for
 * @user: who asks
 * @thread: the thread
 * @lock: protects @asked, @left and, while nothing is asked, the rest
 * @news: @asked or @left changed
 * @asked: there is something to do
 * @left: there will be nothing more; the thread frees all if it hangs now
 * @op: what to do
 * @fd: file, or directory of @name
 * @arg: flags to open with, or from where to seek
 * @off: where in the file, bytes
 * @len: bytes
 * @name: name in the directory
 * @result: of the call, or a negative errno
 * @stat: what it found
 * @names: likewise
 * @buf: likewise
 */
struct source {
	struct source_user user;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t news;
	bool asked;
	bool left;
	enum source_op op;
	int fd;
	int arg;
	off_t off;
	size_t len;
	char name[NAME_MAX + 1];
	s64 result;
	struct stat stat;
	struct dirent **names;
	u8 buf[SOURCE_CHUNK];
};

/* ---- the thread --------------------------------------------------------------- */

static int not_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
}

static s64 open_it(struct source *s)
{
	int fd = openat(s->fd, s->name, s->arg | O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, &s->stat)) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

/*
 * Each is one system call on a descriptor of the user's, who may close it after
 * having left: a second one could meet another file.
 */
static s64 carry_out(struct source *s)
{
	switch (s->op) {
	case SRC_STAT:
		return fstatat(s->fd, s->name, &s->stat, AT_SYMLINK_NOFOLLOW);
	case SRC_OPEN:
		return open_it(s);
	case SRC_FSTAT:
		return fstat(s->fd, &s->stat);
	case SRC_SEEK:
		return lseek(s->fd, s->off, s->arg);
	case SRC_READ:
		return pread(s->fd, s->buf, s->len, s->off);
	case SRC_READLINK:
		return readlinkat(s->fd, s->name, (char *)s->buf, s->len);
	case SRC_LIST:
		return scandirat(s->fd, ".", &s->names, not_dots, alphasort);
	}
	errno = EINVAL;
	return -1;
}

static void source_free(struct source *s)
{
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->news);
	free(s);
}

/* Nobody wants the answer. */
static void discard(struct source *s)
{
	if (s->op == SRC_OPEN && s->result >= 0)
		close((int)s->result);
	if (s->op == SRC_LIST && s->result >= 0)
		source_free_names(s->names, (int)s->result);
}

static void *source_main(void *arg)
{
	struct source *s = arg;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		s64 result;

		while (!s->asked && !s->left)
			pthread_cond_wait(&s->news, &s->lock);
		if (!s->asked)
			break;
		pthread_mutex_unlock(&s->lock);
		result = carry_out(s);
		if (result < 0)
			result = -errno;
		pthread_mutex_lock(&s->lock);
		s->result = result;
		s->asked = false;
		if (s->left) {
			pthread_mutex_unlock(&s->lock);
			discard(s);
			source_free(s);
			return NULL;
		}
		pthread_cond_signal(&s->news);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- the user ------------------------------------------------------------------- */

struct source *source_create(const struct source_user *user)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->user = *user;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->news, NULL);
	if (pthread_create(&s->thread, NULL, source_main, s)) {
		source_free(s);
		return NULL;
	}
	return s;
}

void source_destroy(struct source *s)
{
	bool hangs;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	hangs = s->asked;
	if (hangs)
		pthread_detach(s->thread);
	s->left = true;
	pthread_cond_signal(&s->news);
	pthread_mutex_unlock(&s->lock);
	if (hangs)
		return;
	pthread_join(s->thread, NULL);
	source_free(s);
}

/* Wait for the answer for a while; whether it is there. */
static bool wait_ms(struct source *s, unsigned int ms)
{
	struct timespec until;
	int ret = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	MUTEX_GUARD(&s->lock);
	while (s->asked && !ret)
		ret = pthread_cond_clockwait(&s->news, &s->lock,
					     CLOCK_MONOTONIC, &until);
	return !s->asked;
}

/* Have the thread do what was filled in.  The result of the call, or of the user's. */
static s64 ask(struct source *s, enum source_op op, int fd, const char *name)
{
	size_t len = strlen(name);
	int ret;

	if (len >= sizeof(s->name))
		return -ENAMETOOLONG;
	memcpy(s->name, name, len + 1);
	s->op = op;
	s->fd = fd;
	pthread_mutex_lock(&s->lock);
	s->asked = true;
	pthread_cond_signal(&s->news);
	pthread_mutex_unlock(&s->lock);
	if (wait_ms(s, PATIENCE_MS))
		return s->result;
	ret = s->user.pause(s->user.ctx);
	if (ret)
		return ret;
	while (!wait_ms(s, LOOK_MS))
		if (s->user.stopped(s->user.ctx))
			return -ECANCELED;
	ret = s->user.resume(s->user.ctx);
	if (!ret)
		return s->result;
	discard(s);
	return ret;
}

int source_stat(struct source *s, int dir, const char *name, struct stat *st)
{
	int ret = (int)ask(s, SRC_STAT, dir, name);

	if (!ret)
		*st = s->stat;
	return ret;
}

int source_open(struct source *s, int dir, const char *name, int flags,
		struct stat *st)
{
	int fd;

	s->arg = flags;
	fd = (int)ask(s, SRC_OPEN, dir, name);
	if (fd >= 0)
		*st = s->stat;
	return fd;
}

int source_fstat(struct source *s, int fd, struct stat *st)
{
	int ret = (int)ask(s, SRC_FSTAT, fd, "");

	if (!ret)
		*st = s->stat;
	return ret;
}

off_t source_seek(struct source *s, int fd, off_t off, int whence)
{
	s->off = off;
	s->arg = whence;
	return (off_t)ask(s, SRC_SEEK, fd, "");
}

ssize_t source_read(struct source *s, int fd, off_t off, size_t len,
		    const void **data)
{
	s->off = off;
	s->len = len;
	*data = s->buf;
	return (ssize_t)ask(s, SRC_READ, fd, "");
}

ssize_t source_readlink(struct source *s, int dir, const char *name, size_t len,
			const char **target)
{
	s->len = len;
	*target = (const char *)s->buf;
	return (ssize_t)ask(s, SRC_READLINK, dir, name);
}

int source_list(struct source *s, int dir, struct dirent ***names)
{
	int nr = (int)ask(s, SRC_LIST, dir, "");

	*names = s->names;
	return nr;
}

void source_free_names(struct dirent **names, int nr)
{
	for (int i = 0; i < nr; i++)
		free(names[i]);
	free(names);
}
