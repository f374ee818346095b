/* SPDX-License-Identifier: MIT */
/*
 * The tree that an import copies.  It may be slow to read, or hang: a file server
 * that is away, a disk that sleeps.  So a thread reads it, and whoever asks for
 * something that does not come at once can put down first what others wait for.
 */
#ifndef AFSX_VOLCMD_SOURCE_H
#define AFSX_VOLCMD_SOURCE_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "defs.h"

#define SOURCE_CHUNK	(1024u * 1024)

struct source;

/**
 * struct source_user - who reads a source
 * @pause: an answer takes long: let others work
 * @resume: it is there: go on, after a pause that was successful
 * @stopped: whether to wait no longer
 * @ctx: for the functions
 *
 * @pause and @resume return 0 or a negative errno, which becomes the result of what
 * was asked for.
 */
struct source_user {
	int (*pause)(void *ctx);
	int (*resume)(void *ctx);
	bool (*stopped)(void *ctx);
	void *ctx;
};

/** source_create() - start the thread; NULL when there is none, or no memory */
struct source *source_create(const struct source_user *user);

/** source_destroy() - end it; one that hangs ends when it can. @s may be NULL */
void source_destroy(struct source *s);

/*
 * What follows does what the system call of the name does, for one thread, and
 * returns a negative errno in place of -1; -ECANCELED when the user was stopped,
 * after which nothing but source_destroy() may be called.
 */

/** source_stat() - fstatat(2), not following a symlink */
int source_stat(struct source *s, int dir, const char *name, struct stat *st);

/** source_open() - openat(2), to read, with close-on-exec, and fstat(2) */
int source_open(struct source *s, int dir, const char *name, int flags,
		struct stat *st);

/** source_fstat() - fstat(2) */
int source_fstat(struct source *s, int fd, struct stat *st);

/** source_seek() - lseek(2) */
off_t source_seek(struct source *s, int fd, off_t off, int whence);

/**
 * source_read() - pread(2)
 * @s: source
 * @fd: file
 * @off: first byte
 * @len: bytes, at most SOURCE_CHUNK
 * @data: set to what was read, which is there until the next call
 */
ssize_t source_read(struct source *s, int fd, off_t off, size_t len,
		    const void **data);

/** source_readlink() - readlinkat(2), likewise */
ssize_t source_readlink(struct source *s, int dir, const char *name, size_t len,
			const char **target);

/** source_list() - scandirat(3): all names but . and .., sorted; to be freed */
int source_list(struct source *s, int dir, struct dirent ***names);

/** source_free_names() - free what source_list() made */
void source_free_names(struct dirent **names, int nr);

#endif /* AFSX_VOLCMD_SOURCE_H */
