// SPDX-License-Identifier: MIT
/*
 * time-io ACTION PATH...: time what a file system does, without starting a
 * program for every step. Prints microseconds per path (statfs: per call).
 *
 *	stat	lstat every path
 *	read	open, read to the end, and close every path
 *	list	read the directory, all its names
 *	statfs	a hundred times on every path
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define STATFS_CALLS 100

static char buffer[128 * 1024];

static void do_stat(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		err(1, "%s", path);
}

static void do_read(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		err(1, "%s", path);
	do {
		got = read(fd, buffer, sizeof(buffer));
	} while (got > 0);
	if (got)
		err(1, "%s", path);
	close(fd);
}

static void do_list(const char *path)
{
	DIR *dir = opendir(path);

	if (!dir)
		err(1, "%s", path);
	while (readdir(dir))
		continue;
	closedir(dir);
}

static void do_statfs(const char *path)
{
	struct statfs st;

	for (int i = 0; i < STATFS_CALLS; i++)
		if (statfs(path, &st))
			err(1, "%s", path);
}

static const struct {
	const char *name;
	void (*run)(const char *path);
	int calls;
} actions[] = {
	{ "stat", do_stat, 1 },
	{ "read", do_read, 1 },
	{ "list", do_list, 1 },
	{ "statfs", do_statfs, STATFS_CALLS },
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
	double start;

	if (argc < 3)
		errx(2, "usage: time-io stat|read|list|statfs PATH...");
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (strcmp(argv[1], actions[i].name))
			continue;
		start = now_us();
		for (int k = 2; k < argc; k++)
			actions[i].run(argv[k]);
		printf("%.1f\n", (now_us() - start) / (argc - 2) / actions[i].calls);
		return 0;
	}
	errx(2, "unknown action '%s'", argv[1]);
}
