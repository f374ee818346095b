// SPDX-License-Identifier: MIT
/*
 * map-lines FILE: map the file once, then print what the mapping's first line is
 * for every line of standard input. Between two lines it makes no system call on
 * the file.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAP_SIZE	4096

static const char *map_file(const char *name)
{
	void *map;
	int fd;

	fd = open(name, O_RDONLY);
	if (fd < 0)
		err(1, "%s", name);
	map = mmap(NULL, MAP_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		err(1, "map %s", name);
	if (close(fd))
		err(1, "close %s", name);
	return map;
}

/* The bytes after the end of the file are zeros. */
static void print_line(const char *map)
{
	size_t i;

	for (i = 0; i < MAP_SIZE && map[i] && map[i] != '\n'; i++)
		putchar(map[i]);
	putchar('\n');
	if (fflush(stdout))
		err(1, "standard output");
}

int main(int argc, char **argv)
{
	const char *map;
	int c;

	if (argc != 2) {
		fprintf(stderr, "usage: map-lines FILE\n");
		return 2;
	}
	map = map_file(argv[1]);
	while ((c = getchar()) != EOF)
		if (c == '\n')
			print_line(map);
	return 0;
}
