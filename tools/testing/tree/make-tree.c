// SPDX-License-Identifier: MIT
/*
 * make-tree: make a directory tree that has in it what file systems get wrong.
 *
 * The same seed makes the same tree: names, contents, modes, times to the
 * second. What AFS cannot hold is left out: devices, times before 1970 or with
 * nanoseconds, files their owner may not read, link targets above 1023 bytes.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <afsx/platform.h>

#define NAME_LEN_MAX	255
#define LINK_LEN_MAX	1023
#define MANY_FILES	10000
#define DEPTH		100
#define BIG_SIZE	((70ULL << 20) + 12345)
#define BIG_STEP	(3ULL << 20)
#define FIRST_MTIME	1000000000
#define MTIME_RANGE	500000000

static u64 seed = 1;

/* splitmix64: one step, and the output for the new state. */
static u64 next_random(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Where a name's pseudo-random sequence begins: no other name changes it. */
static u64 state_for(const char *name)
{
	u64 state = seed;

	for (; *name; name++)
		state = state * 1099511628211 + (unsigned char)*name;
	return state;
}

static time_t mtime_for(const char *name)
{
	u64 state = state_for(name) ^ 0x6d74696d65;

	return FIRST_MTIME + next_random(&state) % MTIME_RANGE;
}

static void set_mtime(int fd, time_t mtime)
{
	struct timespec times[2] = { { .tv_sec = mtime }, { .tv_sec = mtime } };

	if (futimens(fd, times) < 0)
		err(1, "mtime %lld", (long long)mtime);
}

static int create(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		err(1, "%s", name);
	return fd;
}

static void finish(int fd, const char *name, mode_t mode, time_t mtime)
{
	if (fchmod(fd, mode) < 0)
		err(1, "mode of %s", name);
	set_mtime(fd, mtime);
	if (close(fd) < 0)
		err(1, "%s", name);
}

static void write_at(int fd, const void *bytes, size_t len, off_t pos)
{
	if (pwrite(fd, bytes, len, pos) != (ssize_t)len)
		err(1, "write");
}

/* Fill with the name's pseudo-random bytes. */
static void write_content(int fd, const char *name, u64 size)
{
	u64 words[512], state = state_for(name), pos, i;

	for (pos = 0; pos < size; pos += sizeof(words)) {
		for (i = 0; i < ARRAY_SIZE(words); i++)
			words[i] = next_random(&state);
		write_at(fd, words, size - pos < sizeof(words) ? size - pos :
			 sizeof(words), pos);
	}
}

static void put_file(int dir, const char *name, u64 size)
{
	int fd = create(dir, name);

	write_content(fd, name, size);
	finish(fd, name, 0644, mtime_for(name));
}

static int enter(int dir, const char *name)
{
	int fd;

	if (mkdirat(dir, name, 0755) < 0)
		err(1, "%s", name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", name);
	return fd;
}

/* Only when nothing is put into a directory any more does its time stay. */
static void leave(int dir, const char *name)
{
	finish(dir, name, 0755, mtime_for(name));
}

/* More entries than any one block, hash chain or cookie scheme expects. */
static void fill_many(int dir)
{
	char name[32];
	int i;

	for (i = 0; i < MANY_FILES; i++) {
		snprintf(name, sizeof(name), "entry-%05d", i);
		put_file(dir, name, i % 4 ? 0 : i % 97);
	}
}

static void fill_deep_from(int dir, int depth)
{
	char name[32];
	int sub;

	put_file(dir, "file", depth);
	if (depth == DEPTH)
		return;
	snprintf(name, sizeof(name), "directory-at-depth-%03d", depth + 1);
	sub = enter(dir, name);
	fill_deep_from(sub, depth + 1);
	leave(sub, name);
}

static void fill_deep(int dir)
{
	fill_deep_from(dir, 0);
}

/*
 * A name of every length there is: in an AFS directory a name of 15 bytes takes
 * one slot of 32 bytes, one of 16 takes two, and so on up to 255.
 */
static void fill_lengths(int dir)
{
	char name[NAME_LEN_MAX + 1];
	int len, i;

	for (len = 1; len <= NAME_LEN_MAX; len++) {
		for (i = 0; i < len; i++)
			name[i] = 'a' + (len + i) % 26;
		name[len] = '\0';
		put_file(dir, name, len);
	}
}

static void fill_names(int dir)
{
	static const char *const names[] = {
		" ", "with space", "-dash", "...", "..dots", ".hidden", "back\\slash",
		"quote'\"", "*?[]{}$`!&|;<>", "new\nline", "tab\tbed", "\x7f\x01",
		"%root.cell", "#data.backup.", "a:b", "~", "CASE", "case",
		"na\xc3\xafve", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
		"\xf0\x9f\x90\xa7", "e\xcc\x81 decomposed", "\xc3\xa9 composed",
		"not utf-8 \xff\xfe",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		put_file(dir, names[i], i);
}

static void put_link(int dir, const char *name, const char *target)
{
	struct timespec times[2] = {
		{ .tv_sec = mtime_for(name) }, { .tv_sec = mtime_for(name) },
	};

	if (symlinkat(target, dir, name) < 0 ||
	    utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		err(1, "%s", name);
}

/* Some targets look like mount points: only the mode of a link makes it one. */
static void fill_links(int dir)
{
	static const char *const links[][2] = {
		{ "relative", "target" },
		{ "up", "../names/case" },
		{ "directory", "../deep" },
		{ "absolute", "/etc/hostname" },
		{ "dangling", "no/such/file" },
		{ "itself", "itself" },
		{ "chain", "relative" },
		{ "one", "x" },
		{ "utf-8", "\xc3\xa4\xc3\xb6\xc3\xbc" },
		{ "space", "a b\tc" },
		{ "like-a-mount-point", "#root.cell." },
		{ "like-a-rw-mount-point", "%openafs.example:root.cell." },
	};
	char target[LINK_LEN_MAX + 1], name[32];
	size_t i, len;

	put_file(dir, "target", 1000);
	for (i = 0; i < ARRAY_SIZE(links); i++)
		put_link(dir, links[i][0], links[i][1]);
	for (len = 59; len <= LINK_LEN_MAX; len += len < 64 ? 1 : 137) {
		memset(target, 'l', len);
		target[len] = '\0';
		snprintf(name, sizeof(name), "length-%zu", len);
		put_link(dir, name, target);
	}
	memset(target, 'L', LINK_LEN_MAX);
	target[LINK_LEN_MAX] = '\0';
	put_link(dir, "longest", target);
}

/*
 * Mostly a hole: a line that tells its own offset at every step, and a last
 * byte that is not zero.
 */
static void put_big(int dir, const char *name, u64 size)
{
	int fd = create(dir, name);
	char line[64];
	u64 pos;

	for (pos = 0; pos + sizeof(line) < size; pos += BIG_STEP)
		write_at(fd, line, snprintf(line, sizeof(line),
					    "this is offset %llu\n",
					    pos), pos);
	write_at(fd, "e", 1, size - 1);
	finish(fd, name, 0644, mtime_for(name));
}

static void fill_big(int dir)
{
	put_big(dir, "big", BIG_SIZE);
	put_big(dir, "small", BIG_STEP + 1);
}

/* Sizes around the edges of pages, of AFS blocks, of what one read fetches. */
static void fill_sizes(int dir)
{
	static const u64 edges[] = {
		1024, 2048, 4096, 8192, 65536, 131072, 262144, 1048576,
	};
	char name[32];
	size_t i;
	int d;

	put_file(dir, "0", 0);
	put_file(dir, "1", 1);
	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		for (d = -1; d <= 1; d++) {
			snprintf(name, sizeof(name), "%llu",
				 edges[i] + d);
			put_file(dir, name, edges[i] + d);
		}
	}
}

static void fill_modes(int dir)
{
	static const mode_t modes[] = {
		0400, 0404, 0440, 0444, 0500, 0555, 0600, 0604, 0622, 0640, 0644,
		0700, 0711, 0744, 0755, 0777, 01644, 01777, 02644, 02755, 04644,
		04755, 06755, 07777,
	};
	char name[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		snprintf(name, sizeof(name), "file-%04o", modes[i]);
		finish(create(dir, name), name, modes[i], mtime_for(name));
		snprintf(name, sizeof(name), "directory-%04o", modes[i]);
		finish(enter(dir, name), name, modes[i], mtime_for(name));
	}
}

static void fill_times(int dir)
{
	static const time_t times[] = {
		0, 1, 59, 86399, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001,
		0xfffffffe, 0xffffffff,
	};
	char name[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(times); i++) {
		snprintf(name, sizeof(name), "file-%lld", (long long)times[i]);
		finish(create(dir, name), name, 0644, times[i]);
		snprintf(name, sizeof(name), "directory-%lld", (long long)times[i]);
		finish(enter(dir, name), name, 0755, times[i]);
	}
}

static void fill_empty(int dir)
{
	(void)dir;
}

static const struct {
	const char *name;
	void (*fill)(int dir);
} sections[] = {
	{ "big",	fill_big },
	{ "deep",	fill_deep },
	{ "empty",	fill_empty },
	{ "lengths",	fill_lengths },
	{ "links",	fill_links },
	{ "many",	fill_many },
	{ "modes",	fill_modes },
	{ "names",	fill_names },
	{ "sizes",	fill_sizes },
	{ "times",	fill_times },
};

static noreturn void bad_usage(void)
{
	size_t i;

	fprintf(stderr, "usage: make-tree [--seed NUMBER] DIRECTORY [SECTION...]\n"
			"DIRECTORY must not exist. Without sections, all:\n");
	for (i = 0; i < ARRAY_SIZE(sections); i++)
		fprintf(stderr, " %s", sections[i].name);
	fputc('\n', stderr);
	exit(2);
}

static u64 parse_seed(const char *text)
{
	char *end;
	u64 value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end)
		errx(2, "not a seed: %s", text);
	return value;
}

static void make_section(int top, size_t i)
{
	int dir = enter(top, sections[i].name);

	sections[i].fill(dir);
	leave(dir, sections[i].name);
}

static size_t find_section(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sections); i++)
		if (!strcmp(sections[i].name, name))
			return i;
	bad_usage();
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ }
	};
	int option, top, arg;
	size_t i;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 's')
			bad_usage();
		seed = parse_seed(optarg);
	}
	if (optind == argc)
		bad_usage();
	for (arg = optind + 1; arg < argc; arg++)
		find_section(argv[arg]);
	umask(0);
	top = enter(AT_FDCWD, argv[optind]);
	for (arg = optind + 1; arg < argc; arg++)
		make_section(top, find_section(argv[arg]));
	if (optind + 1 == argc)
		for (i = 0; i < ARRAY_SIZE(sections); i++)
			make_section(top, i);
	leave(top, "top");
	return 0;
}
