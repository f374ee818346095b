// SPDX-License-Identifier: MIT
/*
 * file-storm: many processes change one directory at the same time, through one
 * client or several, and what must come of it is known beforehand.
 *
 *	file-storm race KIND NAMES PROCESSES DIRECTORY...
 *		every process does the same to each of the names; for each name
 *		exactly one must succeed. KIND is one of races[].
 *	file-storm shuffle FILES ROUNDS PROCESSES DIRECTORY...
 *		every process renames files of its own between the directories
 *		d0 to d3 below DIRECTORY, which are there; all must succeed
 *	file-storm shuffled FILES ROUNDS PROCESSES DIRECTORY
 *		look whether each file is where its last rename put it
 *
 * The DIRECTORYs are one directory, as each client has it mounted; the processes
 * take them in turn.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../lib/defs.h"
#include "size.h"

#define EXIT_USAGE	2
#define SUBDIRS		4
#define ERRNOS		256

/* What all processes count in: mapped before they are made. */
struct counts {
	u32 errors[ERRNOS];
	u32 won[];
};

struct job {
	const char *kind;
	u64 names;
	u64 rounds;
	u64 processes;
	char **dirs;
	int nr_dirs;
	struct counts *counts;
	int (*race)(const char *name, u64 process);
};

static int race_create(const char *name, u64 process)
{
	int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0666);

	return fd < 0 ? -1 : close(fd);
}

static int race_mkdir(const char *name, u64 process)
{
	return mkdir(name, 0777);
}

static int race_symlink(const char *name, u64 process)
{
	return symlink("somewhere", name);
}

static int race_link(const char *name, u64 process)
{
	return link("source", name);
}

static int race_unlink(const char *name, u64 process)
{
	return unlink(name);
}

static int race_rmdir(const char *name, u64 process)
{
	return rmdir(name);
}

/* A name of its own for each: onto another name of the same file is no rename. */
static int race_take(const char *name, u64 process)
{
	char mine[NAME_MAX + 1];

	snprintf(mine, sizeof(mine), "%s-by-%llu", name,
		 (unsigned long long)process);
	return rename(name, mine);
}

static const struct {
	const char *kind;
	int (*race)(const char *name, u64 process);
} races[] = {
	{ "create",	race_create },
	{ "mkdir",	race_mkdir },
	{ "symlink",	race_symlink },
	{ "link",	race_link },	/* to the file `source`, which is there */
	{ "unlink",	race_unlink },
	{ "rmdir",	race_rmdir },
	{ "take",	race_take },	/* rename away */
};

static u64 parse_number(const char *text, u64 max)
{
	u64 value;

	if (number_parse(text, 1, max, &value))
		errx(EXIT_USAGE, "not from 1 to %llu: %s",
		     (unsigned long long)max, text);
	return value;
}

static void count(u32 *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void count_error(const struct job *job)
{
	count(&job->counts->errors[errno < ERRNOS ? errno : 0]);
}

/* Each process begins elsewhere, so that they meet at many names. */
static void run_race(const struct job *job, u64 process)
{
	char name[NAME_MAX + 1];
	u64 i;

	for (i = 0; i < job->names; i++) {
		u64 n = (i + process % 2 * job->names / 2) % job->names;

		snprintf(name, sizeof(name), "name-%llu", (unsigned long long)n);
		if (job->race(name, process))
			count_error(job);
		else
			count(&job->counts->won[n]);
	}
}

/* ---- shuffle ------------------------------------------------------------------ */

/* Where file @file of @process is after @round renames; pure arithmetic. */
static void place(char *path, size_t size, u64 process, u64 file, u64 round)
{
	u32 mixed = (u32)(process * 31 + file * 7 + round + 1) * 2654435761u;

	snprintf(path, size, "d%u/file-%llu-%llu%s", (mixed >> 16) % SUBDIRS,
		 (unsigned long long)process, (unsigned long long)file,
		 round % 3 ? "" : ".moved");
}

static int write_name(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0666);
	const char *name = strchr(path, '-');
	ssize_t len = strcspn(name, ".");

	if (fd < 0)
		return -1;
	if (write(fd, name, len) != len) {
		close(fd);
		return -1;
	}
	return close(fd);
}

static void run_shuffle(const struct job *job, u64 process)
{
	char old[NAME_MAX + 1], new[NAME_MAX + 1];
	u64 i, round;

	for (i = 0; i < job->names; i++) {
		place(old, sizeof(old), process, i, 0);
		if (write_name(old))
			count_error(job);
	}
	for (round = 1; round <= job->rounds; round++) {
		for (i = 0; i < job->names; i++) {
			place(old, sizeof(old), process, i, round - 1);
			place(new, sizeof(new), process, i, round);
			if (rename(old, new))
				count_error(job);
		}
	}
}

static int check_place(const struct job *job, u64 process, u64 file)
{
	char path[NAME_MAX + 1], text[NAME_MAX + 1] = "";
	const char *name;
	int fd;

	place(path, sizeof(path), process, file, job->rounds);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return -1;
	close(fd);
	name = strchr(path, '-');
	if (strlen(text) == strcspn(name, ".") &&
	    !strncmp(text, name, strlen(text)))
		return 0;
	printf("shuffled: %s has '%s'\n", path, text);
	errno = EILSEQ;
	return -1;
}

static void check_shuffled(const struct job *job)
{
	u64 process, i;

	for (process = 0; process < job->processes; process++)
		for (i = 0; i < job->names; i++)
			if (check_place(job, process, i))
				count_error(job);
}

/* ---- all of them ---------------------------------------------------------------- */

static void start(const struct job *job, u64 process,
		  void (*run)(const struct job *job, u64 process))
{
	const char *dir = job->dirs[process % job->nr_dirs];
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return;
	if (chdir(dir))
		err(1, "%s", dir);
	run(job, process);
	exit(0);
}

static void run_all(const struct job *job,
		    void (*run)(const struct job *job, u64 process))
{
	int status, failed = 0;
	u64 process;

	for (process = 0; process < job->processes; process++)
		start(job, process, run);
	while (wait(&status) > 0)
		failed |= status;
	if (failed)
		errx(1, "a process failed");
}

static void print_errors(const struct job *job)
{
	bool any = false;
	int i;

	for (i = 0; i < ERRNOS; i++) {
		if (!job->counts->errors[i])
			continue;
		printf(" %s", strerrorname_np(i) ?: "others");
		any = true;
	}
	puts(any ? "" : " none");
}

static void report_race(const struct job *job)
{
	u64 n, once = 0, several = 0;

	for (n = 0; n < job->names; n++) {
		once += job->counts->won[n] == 1;
		several += job->counts->won[n] > 1;
	}
	printf("race %s: %llu names, %llu won once, %llu more often; errors:",
	       job->kind, (unsigned long long)job->names,
	       (unsigned long long)once, (unsigned long long)several);
	print_errors(job);
}

static void find_race(struct job *job)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(races); i++)
		if (!strcmp(races[i].kind, job->kind))
			job->race = races[i].race;
	if (!job->race)
		errx(EXIT_USAGE, "no such race: %s", job->kind);
}

static void make_counts(struct job *job)
{
	size_t size = sizeof(*job->counts) + job->names * sizeof(u32);

	job->counts = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job->counts == MAP_FAILED)
		err(1, "mmap");
}

static void shuffle(struct job *job, bool only_look)
{
	make_counts(job);
	if (only_look && chdir(job->dirs[0]))
		err(1, "%s", job->dirs[0]);
	if (only_look)
		check_shuffled(job);
	else
		run_all(job, run_shuffle);
	printf("%s: %llu files, %llu rounds; errors:",
	       only_look ? "shuffled" : "shuffle",
	       (unsigned long long)(job->names * job->processes),
	       (unsigned long long)job->rounds);
	print_errors(job);
}

int main(int argc, char **argv)
{
	struct job job = {};

	if (argc < 6) {
		fprintf(stderr,
			"usage: file-storm race KIND NAMES PROCESSES DIRECTORY...\n"
			"       file-storm shuffle FILES ROUNDS PROCESSES DIRECTORY...\n"
			"       file-storm shuffled FILES ROUNDS PROCESSES DIRECTORY\n");
		return EXIT_USAGE;
	}
	job.processes = parse_number(argv[4], 64);
	job.dirs = argv + 5;
	job.nr_dirs = argc - 5;
	if (!strcmp(argv[1], "race")) {
		job.kind = argv[2];
		job.names = parse_number(argv[3], 1000000);
		find_race(&job);
		make_counts(&job);
		run_all(&job, run_race);
		report_race(&job);
	} else {
		job.names = parse_number(argv[2], 1000000);
		job.rounds = parse_number(argv[3], 1000000);
		shuffle(&job, !strcmp(argv[1], "shuffled"));
	}
	return 0;
}
