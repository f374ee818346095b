// SPDX-License-Identifier: MIT
/*
 * bench-store [-n N] TARGET WHERE STEP...: do the same work on the volume store (TARGET
 * store, WHERE the NBD URI of an empty one) or on files (TARGET files, WHERE an
 * empty directory), and print a line "NAME VALUE" for each figure. What a step
 * needs is made before its time is taken; "sequential" reads a file of a GiB on its
 * standard input. TARGET log, WHERE the NBD URI of an export that is overwritten, makes
 * changes of nothing but a log durable: what the store could do if it took no time.
 * With -n each load has an Nth of its operations, for machines that are slow.
 *
 * The steps are in a table below.
 */
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "resident.h"

#define BLOCK		4096u
#define BIG_STEP	(1024u * 1024)
#define BIG_FILE	(1024u * BIG_STEP)
#define HOT_SIZE	(64u * 1024 * 1024)
#define BIG_DIR		(DIRS_MAX - 1)

/* Directories of THREADS threads, then two that are filled to the brim. */
#define THREADS		16u
#define PART_MAX	100u	/* so that each thread has something to do */
#define FULL_DIR	THREADS
#define FULL_DIRS	2u
#define FULL_NAMES	50000u

#define FULL	0x1u
#define FRESH	0x2u

enum op { CREATE, RENAME, REMOVE, LOOKUP, STATUS, WRITE };

static const struct target *target;
static unsigned int part = 1;	/* the N of -n */
static u8 data[4 * BIG_STEP];

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void report(const char *name, double value)
{
	printf("%s %.6g\n", name, value);
	fflush(stdout);
}

/**
 * struct load - operations that are timed together
 * @name: of the figure, operations per second
 * @op: what is done
 * @threads: each in a directory of its own
 * @count: operations, of all threads
 * @group: how many are made durable together; 0: nothing changes
 * @how: FULL: in the full directories; FRESH: make the files first, outside
 *	the time
 */
struct load {
	const char *name;
	enum op op;
	unsigned int threads;
	unsigned int count;
	unsigned int group;
	unsigned int how;
};

/* One thread of a load. */
struct worker {
	const struct load *load;
	pthread_t thread;
	unsigned int dir;
	unsigned int first;
	unsigned int count;
	unsigned int seed;
};

static unsigned int next_file[DIRS_MAX];

static void run_op(struct worker *w, unsigned int i)
{
	unsigned int nr = w->first + i;
	unsigned int any = (unsigned int)rand_r(&w->seed);

	switch (w->load->op) {
	case CREATE:
		target->create(w->dir, nr);
		break;
	case RENAME:
		target->rename(w->dir, nr);
		break;
	case REMOVE:
		target->remove(w->dir, nr);
		break;
	case LOOKUP:
		target->lookup(w->dir, any % next_file[w->dir]);
		break;
	case STATUS:
		target->status(w->dir, any % next_file[w->dir]);
		break;
	case WRITE:
		target->write(BIG_DIR, w->dir % THREADS,
			      any % (HOT_SIZE / THREADS / BLOCK) * (u64)BLOCK,
			      data, BLOCK);
		break;
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned int group = w->load->group;

	for (unsigned int i = 0; i < w->count; i++) {
		if (group && !(i % group))
			target->begin(group == 1);
		run_op(w, i);
		if (group && (i % group == group - 1 || i == w->count - 1))
			target->end();
	}
	return NULL;
}

static void make_files(unsigned int dir, unsigned int count)
{
	target->begin(false);
	for (unsigned int i = 0; i < count; i++)
		target->create(dir, next_file[dir]++);
	target->end();
}

static void prepare(const struct load *l, struct worker *w, unsigned int i)
{
	w->load = l;
	w->dir = l->how & FULL ? FULL_DIR + i % FULL_DIRS : i;
	w->count = l->count / l->threads;
	w->seed = i + 1;
	w->first = next_file[w->dir];
	if (l->how & FRESH)
		make_files(w->dir, w->count);
	else if (l->op == CREATE)
		next_file[w->dir] += w->count;
}

static void run_load(const struct load *l)
{
	struct worker workers[THREADS];
	double start;

	for (unsigned int i = 0; i < l->threads; i++)
		prepare(l, &workers[i], i);
	start = now();
	for (unsigned int i = 0; i < l->threads; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			die("cannot start a thread");
	for (unsigned int i = 0; i < l->threads; i++)
		pthread_join(workers[i].thread, NULL);
	report(l->name, l->count / (now() - start));
}

static void run_loads(const struct load *l, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct load load = l[i];

		load.count /= part;
		run_load(&load);
	}
}

/* ---- steps ---------------------------------------------------------------- */

/* The cheapest comes first, so that memory is no longer new when time counts most. */
static void names(void)
{
	static const struct load loads[] = {
		{ "create, 1000 a sync", CREATE, 1, 20000, 1000, 0 },
		{ "create", CREATE, 1, 2000, 1, 0 },
		{ "create, 16 at once", CREATE, 16, 8000, 1, 0 },
		{ "rename", RENAME, 1, 2000, 1, FRESH },
		{ "rename, 16 at once", RENAME, 16, 8000, 1, FRESH },
		{ "remove", REMOVE, 1, 2000, 1, FRESH },
		{ "remove, 16 at once", REMOVE, 16, 8000, 1, FRESH },
	};

	for (unsigned int i = 0; i < THREADS; i++) {
		target->begin(false);
		target->mkdir(i);
		target->end();
	}
	run_loads(loads, ARRAY_SIZE(loads));
}

/* @next: NULL, or gets the next BIG_STEP bytes of @data */
static void write_through(unsigned int nr, u64 size, u64 group,
			  void (*next)(void))
{
	for (u64 off = 0; off < size; off += BIG_STEP) {
		if (!(off % group))
			target->begin(false);
		if (next)
			next();
		target->write(BIG_DIR, nr, off, data, BIG_STEP);
		if (!((off + BIG_STEP) % group))
			target->end();
	}
}

static void make_big_dir(void)
{
	if (next_file[BIG_DIR])
		return;
	target->begin(false);
	target->mkdir(BIG_DIR);
	target->end();
	make_files(BIG_DIR, THREADS + 2);
}

static void small_writes(void)
{
	static const struct load loads[] = {
		{ "write 4 KiB", WRITE, 1, 2000, 1, 0 },
		{ "write 4 KiB, 16 at once", WRITE, 16, 8000, 1, 0 },
		{ "write 4 KiB, 1000 a sync", WRITE, 1, 20000, 1000, 0 },
	};

	make_big_dir();
	for (unsigned int i = 0; i < THREADS; i++)
		write_through(i, HOT_SIZE / THREADS, HOT_SIZE / THREADS, NULL);
	run_loads(loads, ARRAY_SIZE(loads));
}

static void next_input(void)
{
	size_t len = 0;

	while (len < BIG_STEP) {
		ssize_t n = read(STDIN_FILENO, data + len, BIG_STEP - len);

		if (n <= 0)
			die("the input is too short");
		len += (size_t)n;
	}
}

/* As nbdcopy, from a file to nowhere. MB a second, as it and disks count them. */
static void copy_in(const char *name, unsigned int nr, u64 group)
{
	double start = now();

	if (lseek(STDIN_FILENO, 0, SEEK_SET))
		die("the input is no file");
	write_through(nr, BIG_FILE, group, next_input);
	report(name, BIG_FILE / 1e6 / (now() - start));
}

static void big_file(void)
{
	double start;

	make_big_dir();
	copy_in("sequential write", THREADS, BIG_FILE);
	start = now();
	for (u64 off = 0; off < BIG_FILE; off += sizeof(data))
		target->read(BIG_DIR, THREADS, off, data, sizeof(data));
	report("sequential read", BIG_FILE / 1e6 / (now() - start));
	copy_in("sequential write, 16 MiB a sync", THREADS + 1, 16 * BIG_STEP);
}

static void full_directory(void)
{
	/* so many are asked for that the first ones, before all is in memory, count little */
	static const struct load loads[] = {
		{ "full directory: fill", CREATE, 2, FULL_DIRS * FULL_NAMES,
		  1000, FULL },
		{ "full directory: insert", CREATE, 2, 2000, 1, FULL },
		{ "full directory: look up", LOOKUP, 2, 2000000, 0, FULL },
		{ "full directory: status", STATUS, 2, 2000000, 0, FULL },
		{ "full directory: delete", REMOVE, 2, 2000, 1, FULL | FRESH },
	};

	for (unsigned int i = 0; i < FULL_DIRS; i++) {
		target->begin(false);
		target->mkdir(FULL_DIR + i);
		target->end();
	}
	run_loads(loads, ARRAY_SIZE(loads));
}

static void clone_times(void)
{
	const unsigned int count = 200;
	double small, large;
	u64 kib;

	small = store_clones(100, count, &kib);
	large = store_clones(100000, count, &kib);
	report("clone of 100 vnodes, us", small / count * 1e6);
	report("clone of 100000 vnodes, us", large / count * 1e6);
	report("space of 200 clones, KiB", kib);
}

static void million(void)
{
	u64 kib = resident_kib();

	report("device for 1000000 vnodes, KiB", store_fill(1000000));
	report("memory for 1000000 vnodes, KiB", resident_kib() - kib);
	report("memory in all, KiB", resident_kib());
}

static const struct {
	const char *name;
	void (*run)(void);
	const struct target *targets[3];
} steps[] = {
	{ "names", names, { &store_target, &files_target, &log_target } },
	{ "small-writes", small_writes, { &store_target, &files_target } },
	{ "sequential", big_file, { &store_target, &files_target } },
	{ "full-directory", full_directory, { &store_target, &files_target } },
	{ "clones", clone_times, { &store_target } },
	{ "million", million, { &store_target } },
};

static bool is_for(const struct target *const *targets, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (targets[i] == target)
			return true;
	return false;
}

static void run_step(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (strcmp(steps[i].name, name))
			continue;
		if (!is_for(steps[i].targets, ARRAY_SIZE(steps[i].targets)))
			die("'%s' is not for the target %s", name, target->name);
		steps[i].run();
		return;
	}
	die("there is no step '%s'", name);
}

static void wrong_usage(void)
{
	die("usage: bench-store [-n N] store|files|log WHERE STEP...");
}

static void read_options(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "+n:")) != -1) {
		part = opt == 'n' ? (unsigned int)atoi(optarg) : 0;
		if (part < 1 || part > PART_MAX)
			wrong_usage();
	}
	if (argc - optind < 3)
		wrong_usage();
}

int main(int argc, char **argv)
{
	static const struct target *const targets[] = {
		&store_target, &files_target, &log_target,
	};

	read_options(argc, argv);
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (!strcmp(targets[i]->name, argv[optind]))
			target = targets[i];
	if (!target)
		die("there is no target '%s'", argv[optind]);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (u8)random();
	target->open(argv[optind + 1]);
	for (int i = optind + 2; i < argc; i++)
		run_step(argv[i]);
	target->close();
	return 0;
}
