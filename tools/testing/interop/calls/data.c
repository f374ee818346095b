// SPDX-License-Identifier: MIT
/*
 * Calls on contents: by name, and by a handle (a number) that stays open.
 *
 * Contents are a pattern: a byte follows from its place in the file and a seed, so
 * what is read is checked against what was to be written, not against what some
 * server gave before. Seed 0 is zeros.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls.h"

#define HANDLES		10
#define CHUNK		1048576
/* Servers forget a lock after five minutes, if a client fails to release it, as kafs may. */
#define SOON_TRIES	1650
#define SOON_PAUSE_US	200000

static int handles[HANDLES] = { [0 ... HANDLES - 1] = -1 };

static int *handle(const struct line *line)
{
	u64 i = line_number(line, 0);

	if (i >= HANDLES)
		bad_script("handles are 0 to %d", HANDLES - 1);
	return &handles[i];
}

static u32 pattern_word(u64 offset, u64 seed)
{
	return seed ? (u32)(offset / 4 + 1) * (u32)(2 * seed + 1) * 2654435761u : 0;
}

static u8 pattern(u64 offset, u64 seed)
{
	return pattern_word(offset, seed) >> (8 * (offset % 4));
}

/* By words where there are whole ones: files have gigabytes, guests are emulated. */
static void fill(u8 *buf, size_t len, u64 offset, u64 seed)
{
	size_t i = 0;
	u32 word;

	for (; i < len && (offset + i) % 4; i++)
		buf[i] = pattern(offset + i, seed);
	for (; len - i >= 4; i += 4) {
		word = htole32(pattern_word(offset + i, seed));
		memcpy(buf + i, &word, 4);
	}
	for (; i < len; i++)
		buf[i] = pattern(offset + i, seed);
}

static int write_pattern(int fd, u64 offset, u64 len, u64 seed)
{
	static u8 buf[CHUNK];

	while (len) {
		size_t part = min_t(u64, len, CHUNK);
		ssize_t n;

		fill(buf, part, offset, seed);
		n = pwrite(fd, buf, part, offset);
		if (n < 0)
			return -1;
		offset += n;
		len -= n;
	}
	return 0;
}

/* Where what is read first differs from the pattern is worth more than that. */
static int compare_part(struct line *line, const u8 *buf, size_t len, u64 offset,
			u64 seed)
{
	static u8 wanted[CHUNK];
	size_t i;

	fill(wanted, len, offset, seed);
	if (!memcmp(buf, wanted, len))
		return 0;
	for (i = 0; buf[i] == wanted[i]; i++)
		;
	answer(line, "differs at %llu", (unsigned long long)(offset + i));
	return 1;
}

static int check_pattern(struct line *line, int fd, u64 offset, u64 len, u64 seed)
{
	static u8 buf[CHUNK];

	while (len) {
		ssize_t n = pread(fd, buf, min_t(u64, len, CHUNK), offset);

		if (n < 0)
			return -1;
		if (!n) {
			answer(line, "ends at %llu", (unsigned long long)offset);
			return 0;
		}
		if (compare_part(line, buf, n, offset, seed))
			return 0;
		offset += n;
		len -= n;
	}
	return 0;
}

/* What fails first counts, and the file is closed in any case. */
static int closed(int fd, int ret)
{
	int error = errno;

	if (close(fd) && !ret)
		return -1;
	errno = error;
	return ret;
}

static int call_write(struct line *line)
{
	int fd = open(line_path(line, 0), O_WRONLY | O_CREAT, 0666);
	int ret;

	if (fd < 0)
		return -1;
	ret = write_pattern(fd, line_number(line, 1), line_number(line, 2),
			    line_number(line, 3));
	if (!ret)
		ret = fsync(fd);
	return closed(fd, ret);
}

static int call_check(struct line *line)
{
	int fd = open(line_path(line, 0), O_RDONLY);

	if (fd < 0)
		return -1;
	return closed(fd, check_pattern(line, fd, line_number(line, 1),
					line_number(line, 2),
					line_number(line, 3)));
}

static int call_put(struct line *line)
{
	int fd = open(line_path(line, 0), O_WRONLY | O_CREAT | O_TRUNC, 0666);
	size_t len = strlen(line->arg[1]);

	if (fd < 0)
		return -1;
	return closed(fd, write(fd, line->arg[1], len) == len ? fsync(fd) : -1);
}

static int get(struct line *line, int fd)
{
	char text[PATH_MAX];
	ssize_t len = pread(fd, text, sizeof(text), 0);

	if (len < 0)
		return -1;
	answer(line, "'");
	answer_text(line, text, len);
	answer(line, "'");
	return 0;
}

static int call_get(struct line *line)
{
	int fd = open(line_path(line, 0), O_RDONLY);

	return fd < 0 ? -1 : closed(fd, get(line, fd));
}

static int call_truncate(struct line *line)
{
	return truncate(line_path(line, 0), line_number(line, 1));
}

/* Through a shared mapping; the file must be long enough. */
static int call_mapput(struct line *line)
{
	int fd = open(line_path(line, 0), O_RDWR);
	size_t len = strlen(line->arg[1]);
	char *map;
	int ret;

	if (fd < 0)
		return -1;
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return closed(fd, -1);
	memcpy(map, line->arg[1], len);
	ret = msync(map, len, MS_SYNC);
	munmap(map, len);
	return closed(fd, ret);
}

static int call_fallocate(struct line *line)
{
	int fd = open(line_path(line, 0), O_WRONLY);

	if (fd < 0)
		return -1;
	return closed(fd, fallocate(fd, 0, line_number(line, 1),
				    line_number(line, 2)));
}

/* ---- handles ------------------------------------------------------------------ */

static const struct {
	char letter;
	int flag;
} open_flags[] = {
	{ 'r', O_RDONLY },
	{ 'w', O_WRONLY },
	{ '+', O_RDWR },
	{ 'c', O_CREAT },
	{ 'x', O_EXCL },
	{ 't', O_TRUNC },
	{ 'a', O_APPEND },
	{ 'd', O_DIRECT },
	{ 'n', O_NOFOLLOW },
};

static int call_open(struct line *line)
{
	int *h = handle(line), flags = 0;
	const char *p;
	size_t i;

	for (p = line->arg[2]; *p; p++) {
		for (i = 0; i < ARRAY_SIZE(open_flags); i++)
			if (open_flags[i].letter == *p)
				break;
		if (i == ARRAY_SIZE(open_flags))
			bad_script("no such flag: %c", *p);
		flags |= open_flags[i].flag;
	}
	if (*h >= 0)
		bad_script("handle %s is open", line->arg[0]);
	*h = open(line_path(line, 1), flags, 0666);
	return *h < 0 ? -1 : 0;
}

static int call_close(struct line *line)
{
	int *h = handle(line), fd = *h;

	*h = -1;
	return close(fd);
}

static int call_hwrite(struct line *line)
{
	return write_pattern(*handle(line), line_number(line, 1),
			     line_number(line, 2), line_number(line, 3));
}

static int call_hcheck(struct line *line)
{
	return check_pattern(line, *handle(line), line_number(line, 1),
			     line_number(line, 2), line_number(line, 3));
}

static int call_append(struct line *line)
{
	size_t len = strlen(line->arg[1]);

	return write(*handle(line), line->arg[1], len) == len ? 0 : -1;
}

static int call_hget(struct line *line)
{
	return get(line, *handle(line));
}

static int call_hsync(struct line *line)
{
	return fsync(*handle(line));
}

static int call_htruncate(struct line *line)
{
	return ftruncate(*handle(line), line_number(line, 1));
}

static int call_hstat(struct line *line)
{
	struct stat st;

	if (fstat(*handle(line), &st))
		return -1;
	answer(line, "links %lu size %lld", (unsigned long)st.st_nlink,
	       (long long)st.st_size);
	return 0;
}

/*
 * The client learns the file's status anew: the mode the file has already is stored,
 * and the answer carries the status of now. kafs refuses a lock that must not wait
 * without asking, by the lock count of the status it has, as long as the promise holds;
 * one that a race left from when the file was locked would refuse it to the end.
 */
static int learn_status(int fd)
{
	struct stat st;

	return fstat(fd, &st) || fchmod(fd, st.st_mode & 07777) ? -1 : 0;
}

/* "soon": another client let it go, but its release may be on the way still. */
static int lock_soon(int fd, int how)
{
	int tries, ret;

	for (tries = 0; tries < SOON_TRIES; tries++) {
		ret = flock(fd, how | LOCK_NB);
		if (!ret || errno != EAGAIN)
			break;
		usleep(SOON_PAUSE_US);
		if (learn_status(fd))
			return -1;
	}
	return ret;
}

static const struct {
	const char *word;
	int how;
	int (*lock)(int fd, int how);
} locks[] = {
	{ "sh",		LOCK_SH | LOCK_NB,	flock },
	{ "ex",		LOCK_EX | LOCK_NB,	flock },
	{ "un",		LOCK_UN,		flock },
	{ "sh-soon",	LOCK_SH,		lock_soon },
	{ "ex-soon",	LOCK_EX,		lock_soon },
};

static int call_flock(struct line *line)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(locks); i++)
		if (!strcmp(locks[i].word, line->arg[1]))
			return locks[i].lock(*handle(line), locks[i].how);
	bad_script("no such lock: %s", line->arg[1]);
}

static const struct {
	char letter;
	short type;
} ranges[] = {
	{ 'r', F_RDLCK },
	{ 'w', F_WRLCK },
	{ 'u', F_UNLCK },
};

static int call_fcntl(struct line *line)
{
	struct flock lock = {
		.l_whence = SEEK_SET,
		.l_start = line_number(line, 2),
		.l_len = line_number(line, 3),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (ranges[i].letter == *line->arg[1]) {
			lock.l_type = ranges[i].type;
			return fcntl(*handle(line), F_SETLK, &lock);
		}
	}
	bad_script("a lock is r, w or u");
}

const struct call data_calls[] = {
	{ "write",	"PATH OFFSET LENGTH SEED",	call_write },
	{ "check",	"PATH OFFSET LENGTH SEED",	call_check },
	{ "put",	"PATH TEXT",			call_put },
	{ "get",	"PATH",				call_get },
	{ "truncate",	"PATH SIZE",			call_truncate },
	{ "mapput",	"PATH TEXT",			call_mapput },
	{ "fallocate",	"PATH OFFSET LENGTH",		call_fallocate },
	{ "open",	"HANDLE PATH FLAGS",		call_open },
	{ "close",	"HANDLE",			call_close },
	{ "hwrite",	"HANDLE OFFSET LENGTH SEED",	call_hwrite },
	{ "hcheck",	"HANDLE OFFSET LENGTH SEED",	call_hcheck },
	{ "append",	"HANDLE TEXT",			call_append },
	{ "hget",	"HANDLE",			call_hget },
	{ "hsync",	"HANDLE",			call_hsync },
	{ "htruncate",	"HANDLE SIZE",			call_htruncate },
	{ "hstat",	"HANDLE",			call_hstat },
	{ "flock",	"HANDLE HOW",			call_flock },
	{ "fcntl",	"HANDLE HOW START LENGTH",	call_fcntl },
	{ }
};
