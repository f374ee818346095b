/* SPDX-License-Identifier: MIT */
/* The same work on the volume store, on files, and on a log alone: bench-store. */
#ifndef BENCH_STORE_H
#define BENCH_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "defs.h"

/* Ends the program with a message. */
#define die(...)							\
({									\
	fprintf(stderr, "bench-store: " __VA_ARGS__);			\
	fputc('\n', stderr);						\
	exit(1);							\
})

/**
 * struct target - what the work is done on
 * @name: as on the command line
 * @open: get ready; @where is the second argument of the command line
 * @close: leave everything durable
 * @begin: start a group of changes, in this thread; @alone: of just one
 * @end: make the group durable
 * @mkdir: make directory @dir below the root
 * @create: make the empty file @nr in directory @dir
 * @rename: give file @nr of directory @dir another name
 * @remove: remove file @nr of directory @dir, under its first name
 * @lookup: find the name of file @nr in directory @dir
 * @status: status of file @nr of directory @dir
 * @write: write to file @nr of directory @dir
 * @read: read from it
 *
 * Changes are made between @begin and @end.  An operation that fails ends the
 * program; one that is NULL is in no step the target is for.
 */
struct target {
	const char *name;
	void (*open)(const char *where);
	void (*close)(void);
	void (*begin)(bool alone);
	void (*end)(void);
	void (*mkdir)(unsigned int dir);
	void (*create)(unsigned int dir, unsigned int nr);
	void (*rename)(unsigned int dir, unsigned int nr);
	void (*remove)(unsigned int dir, unsigned int nr);
	void (*lookup)(unsigned int dir, unsigned int nr);
	void (*status)(unsigned int dir, unsigned int nr);
	void (*write)(unsigned int dir, unsigned int nr, u64 off,
		      const void *buf, size_t len);
	void (*read)(unsigned int dir, unsigned int nr, u64 off, void *buf,
		     size_t len);
};

extern const struct target files_target;
extern const struct target log_target;
extern const struct target store_target;

/* Files and directories that bench-store makes; the last is that of big files. */
#define FILES_MAX	100000u
#define DIRS_MAX	24u

#define NAME_SIZE	16

/**
 * name_of() - the name of a file
 * @name: where it goes, NAME_SIZE bytes
 * @nr: number of the file
 * @renamed: its second name
 *
 * Return: its length. Within the time that is measured: printf() takes longer than a look-up.
 */
static inline size_t name_of(char *name, unsigned int nr, bool renamed)
{
	char digits[NAME_SIZE];
	size_t n = 0, len = 0;

	do
		digits[n++] = (char)('0' + nr % 10);
	while (nr /= 10);
	name[len++] = renamed ? 'r' : 'f';
	while (n)
		name[len++] = digits[--n];
	name[len] = 0;
	return len;
}

/** store_clones() - time @count clones of a volume with @vnodes files */
double store_clones(unsigned int vnodes, unsigned int count, u64 *kib);

/** store_fill() - make @vnodes files; what they need in the store, KiB */
u64 store_fill(unsigned int vnodes);

/** now() - seconds, of a clock that only moves forward */
double now(void);

#endif /* BENCH_STORE_H */
