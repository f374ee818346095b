// SPDX-License-Identifier: MIT
/*
 * store-test dump URI DIRECTORY [SEED]: dumps of a volume with that tree that are
 * cut off, damaged, or taken while the volume changes. A restore that fails says
 * where, and leaves the volume as it was; what it accepts is sound.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "dump_acl.h"
#include "store-test.h"
#include "volcmd.h"

#define CUT_STEP	7	/* a prime, so that it falls on every kind of byte */
#define DAMAGED		500
#define PIECE		700	/* bytes of a dump that come at once */
#define WORDS_MAX	8	/* of a command */

/* What a command gave: its output, which may be a dump, and its complaints. */
struct result {
	int status;
	char *out;
	size_t out_len;
	char *err;
	size_t err_len;
};

static struct store *st;

static void forget(struct result *r)
{
	free(r->out);
	free(r->err);
}

static void run(struct result *r, FILE *out, int argc, char **argv)
{
	struct volcmd_io io = { .out = out };

	memset(r, 0, sizeof(*r));
	if (!out)
		io.out = open_memstream(&r->out, &r->out_len);
	io.err = open_memstream(&r->err, &r->err_len);
	r->status = volcmd_run(st, &io, argc, argv);
	fclose(io.out);
	fclose(io.err);
}

#define RUN(r, out, ...)						\
do {									\
	char *words_[WORDS_MAX + 1] = { __VA_ARGS__ };			\
	int nr_ = 0;							\
									\
	while (words_[nr_])						\
		nr_++;							\
	run(r, out, nr_, words_);					\
} while (0)

/* A command that must succeed. */
#define MUST_RUN(...)							\
do {									\
	struct result r_;						\
									\
	RUN(&r_, NULL, __VA_ARGS__);					\
	if (r_.status)							\
		die("line %d: %s", __LINE__, r_.err);			\
	forget(&r_);							\
} while (0)

static void take_dump(struct result *r, char *volume)
{
	RUN(r, NULL, "dump", volume);
	if (r->status)
		die("dump of %s: %s", volume, r->err);
}

static void expect_same(const struct result *a, const struct result *b,
			const char *what, size_t i)
{
	if (a->out_len != b->out_len || memcmp(a->out, b->out, a->out_len))
		die("%s %zu: the volume is another", what, i);
}

static void put_problem(void *ctx, const char *problem)
{
	printf("%s\n", problem);
}

static void expect_sound(const char *what, size_t i)
{
	if (store_check(st, STORE_CHECK_DATA, put_problem, NULL))
		die("%s %zu: the store is not sound", what, i);
}

/* A dump that comes slowly, so that its restore is many transactions. */
struct feed {
	const char *p;
	size_t len;
	int fd;
	atomic_bool done;
};

static void *feed_slowly(void *arg)
{
	static const struct timespec a_while = { .tv_nsec = 100000 };
	struct feed *f = arg;

	while (f->len && !atomic_load(&f->done)) {
		size_t n = f->len < PIECE ? f->len : PIECE;
		int left = 1;

		if (write(f->fd, f->p, n) != (ssize_t)n)
			die("pipe: %s", strerror(errno));
		f->p += n;
		f->len -= n;
		while (left && !atomic_load(&f->done)) {
			nanosleep(&a_while, NULL);
			ioctl(f->fd, FIONREAD, &left);
		}
	}
	close(f->fd);
	return NULL;
}

/* Restore @len bytes as a dump. */
static void restore(struct result *r, const void *dump, size_t len, char *option,
		    char *value)
{
	struct feed f = { .p = dump, .len = len };
	pthread_t thread;
	char path[32];
	int fds[2];

	if (pipe(fds))
		die("pipe: %s", strerror(errno));
	f.fd = fds[1];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	if (pthread_create(&thread, NULL, feed_slowly, &f))
		die("no thread");
	if (value)
		RUN(r, NULL, "restore", option, value, path);
	else
		RUN(r, NULL, "restore", option, path);
	atomic_store(&f.done, true);
	pthread_join(thread, NULL);
	close(fds[0]);
}

/* ---- cut off -------------------------------------------------------------------- */

static void test_cut(const struct result *whole)
{
	struct result before, after, r;
	char where[40];

	RUN(&before, NULL, "list");
	for (size_t cut = 0; cut < whole->out_len; cut += CUT_STEP) {
		bool over = cut / CUT_STEP % 2;

		restore(&r, whole->out, cut, over ? "--overwrite" : "--name",
			over ? NULL : "other");
		snprintf(where, sizeof(where), ": byte %zu: ", cut);
		if (r.status != VOLCMD_FAILED || !strstr(r.err, where))
			die("cut at %zu: status %d: %s", cut, r.status, r.err);
		forget(&r);
		if (cut % 49)	/* odd, so that it is both ways to restore */
			continue;
		take_dump(&after, "small");
		expect_same(whole, &after, "cut at", cut);
		forget(&after);
	}
	RUN(&after, NULL, "list");
	expect_same(&before, &after, "cut", 0);
	forget(&before);
	forget(&after);
	expect_sound("cut", 0);
}

static void test_more(const struct result *whole)
{
	char *more = malloc(whole->out_len + 1);
	struct result r;

	memcpy(more, whole->out, whole->out_len);
	more[whole->out_len] = 0;
	restore(&r, more, whole->out_len + 1, "--overwrite", NULL);
	if (r.status != VOLCMD_FAILED || !strstr(r.err, "follows the end"))
		die("a byte more: status %d: %s", r.status, r.err);
	forget(&r);
	free(more);
}

/* ---- damaged -------------------------------------------------------------------- */

/* Most bytes are the zeros at the end of directories: leave those alone. */
static void damage(char *dump, size_t len)
{
	for (int i = rand() % 3; i >= 0; i--) {
		size_t at = (size_t)rand() % len;

		while (!dump[at])
			at = (at + 1) % len;
		dump[at] ^= (char)(1 << rand() % 8);
	}
}

static void test_damage(const struct result *whole)
{
	char *dump = malloc(whole->out_len);
	unsigned int accepted = 0;
	struct result r, after;

	for (size_t i = 0; i < DAMAGED; i++) {
		memcpy(dump, whole->out, whole->out_len);
		damage(dump, whole->out_len);
		restore(&r, dump, whole->out_len, "--overwrite", "--name=small");
		if (r.status == VOLCMD_OK) {
			accepted++;
			expect_sound("damage", i);
			forget(&r);
			restore(&r, whole->out, whole->out_len, "--overwrite",
				NULL);
		} else if (r.status != VOLCMD_FAILED ||
			   !strstr(r.err, "byte ")) {
			if (!strstr(r.err, "no volume"))
				die("damage %zu: status %d: %s", i, r.status,
				    r.err);
		}
		forget(&r);
		take_dump(&after, "small");
		expect_same(whole, &after, "damage", i);
		forget(&after);
	}
	free(dump);
	if (!accepted || accepted == DAMAGED)
		die("damage: %u of %u accepted", accepted, DAMAGED);
	printf("damaged %u times, accepted %u\n", DAMAGED, accepted);
}

/* ---- wrong as a whole ---------------------------------------------------------- */

/* The record of the symbolic link: its beginning, and its end behind the target. */
static char *find_link(const struct result *whole, char **end)
{
	static const char target[] = "../file";

	*end = memmem(whole->out, whole->out_len, target, sizeof(target) - 1);
	for (char *p = *end; p && p > whole->out; p--) {
		if (!memcmp(p, "t\3l", 3)) {
			*end += sizeof(target) - 1;
			return p - 9;
		}
	}
	die("the dump has no link");
}

static void expect_refusal(const char *dump, size_t len, const char *why)
{
	struct result r;

	restore(&r, dump, len, "--overwrite", NULL);
	if (r.status != VOLCMD_FAILED || !strstr(r.err, why))
		die("'%s' expected, got status %d: %s", why, r.status, r.err);
	forget(&r);
}

/* The uniquifier of a directory's entry: it comes before the name. */
static char *find_unique(const struct result *whole, char *copy, const char *name,
			 size_t len)
{
	char *at = memmem(whole->out, whole->out_len, name, len);

	if (!at)
		die("the dump has no entry '%s'", name);
	return copy + (at - whole->out) - 4;
}

/* Nothing has the uniquifier 0, though entries come before what they lead to. */
static void test_unique(const struct result *whole)
{
	static const struct {
		const char *name;
		size_t len;
		const char *why;
	} cases[] = {
		{ "second", 7, "'second' leads to 6.0: neither may be 0" },
		{ "empty", 6, "'empty' leads to 2.0: neither may be 0" },
		{ "..", 3, "its '..' leads to vnode 1.0" },
	};
	char *copy = malloc(whole->out_len);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		memcpy(copy, whole->out, whole->out_len);
		memset(find_unique(whole, copy, cases[i].name, cases[i].len), 0,
		       4);
		expect_refusal(copy, whole->out_len, cases[i].why);
	}
	free(copy);
}

static void test_whole(const struct result *whole)
{
	char *copy = malloc(2 * whole->out_len), *end;
	char *link = find_link(whole, &end);
	size_t at = (size_t)(link - whole->out), len = (size_t)(end - link);
	struct result r;

	/* left out, and there twice */
	memcpy(copy, whole->out, at);
	memcpy(copy + at, end, whole->out_len - at - len);
	expect_refusal(copy, whole->out_len - len, "the dump does not have it");
	memcpy(copy, whole->out, at + len);
	memcpy(copy + at + len, link, whole->out_len - at);
	expect_refusal(copy, whole->out_len + len, "it comes twice");
	/* a link count that the names do not bear out is set right */
	memcpy(copy, whole->out, whole->out_len);
	copy[at + 13] = 7;
	restore(&r, copy, whole->out_len, "--overwrite", NULL);
	if (r.status)
		die("a wrong link count: %s", r.err);
	forget(&r);
	take_dump(&r, "small");
	expect_same(whole, &r, "a wrong link count", 0);
	forget(&r);
	free(copy);
}

/* ---- taken while the volume changes ----------------------------------------------- */

/* A reader of a dump, before whose first bytes the volume changes. */
struct reader {
	char *directory;
	bool changed;
	char *buf;
	size_t len;
};

static ssize_t receive(void *cookie, const char *buf, size_t size)
{
	struct reader *rd = cookie;

	if (!rd->changed) {
		rd->changed = true;
		MUST_RUN("rm", "small", "a/file");
		MUST_RUN("import", "--to", "a", "small", rd->directory);
		MUST_RUN("clone", "small", "backup");
	}
	rd->buf = realloc(rd->buf, rd->len + size);
	memcpy(rd->buf + rd->len, buf, size);
	rd->len += size;
	return (ssize_t)size;
}

static void test_change(const struct result *whole, char *directory)
{
	cookie_io_functions_t io = { .write = receive };
	struct reader rd = { .directory = directory };
	FILE *out = fopencookie(&rd, "w", io);
	static char buffer[256];
	struct result r;

	/* the first bytes go out long before the last are read */
	setvbuf(out, buffer, _IOFBF, sizeof(buffer));
	RUN(&r, out, "dump", "small");
	if (r.status || !rd.changed)
		die("dump of a changing volume: %s", r.err);
	forget(&r);
	r = (struct result){ .out = rd.buf, .out_len = rd.len };
	expect_same(whole, &r, "changing", 0);
	forget(&r);
	expect_sound("changing", 0);
	take_dump(&r, "small");
	if (r.out_len == whole->out_len)
		die("the volume did not change");
	forget(&r);
}

/* ---- access lists ----------------------------------------------------------------- */

/* By hand from acl.h: room for 3, one positive and two negative entries. */
static const u8 raw_acl[DUMP_ACL_SIZE] = {
	0, 0, 0, 44, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2,
	0xff, 0xff, 0xff, 0x9b, 0, 0, 0, 9,		/* -101 */
	0, 0, 0, 77, 0, 0, 0, 127,			/* 77, the second */
	0xff, 0xff, 0xff, 0x34, 0, 0, 0, 64,		/* -204, the first */
};

static void test_acl(void)
{
	static const char text[] =
		"1\n2\nsystem:anyuser\t9\nsystem:administrators\t64\n77\t127\n";
	static const char unsorted[] =
		"1\n2\n-101\t9\n77\t127\nsystem:administrators\t64\n";
	static const char smith[] = "1\n1\n-5\t1\nsmith\t7\n", none[] = "1\n0\n1 2";
	u8 raw[DUMP_ACL_SIZE], bad[DUMP_ACL_SIZE];
	char out[STORE_ACL_MAX];
	struct acl_entry who;
	int len;

	len = dump_acl_text(raw_acl, out);
	if (len != sizeof(text) - 1 || memcmp(out, text, (size_t)len))
		die("access list: %.*s", len, out);
	if (dump_acl_raw(text, sizeof(text), raw, &who) ||
	    memcmp(raw, raw_acl, sizeof(raw)))
		die("access list from text");
	if (dump_acl_raw(unsorted, sizeof(unsorted), raw, &who) ||
	    memcmp(raw, raw_acl, sizeof(raw)))
		die("access list from text that is not sorted");
	if (dump_acl_raw(smith, sizeof(smith), raw, &who) != -ENOENT ||
	    who.len != 5 || memcmp(who.name, "smith", 5))
		die("access list with a name");
	if (dump_acl_raw(none, sizeof(none), raw, &who) != -EINVAL)
		die("bad access list");
	for (int i = 7; i <= 19; i += 4) {
		memcpy(bad, raw_acl, sizeof(bad));
		bad[i] = 21;
		if (dump_acl_text(bad, out) != -EBADMSG)
			die("access list with 21 in byte %d", i);
	}
}

int test_dump(int argc, char **argv)
{
	struct store_config cfg = { .uri = argv[1] };
	struct errbuf err = { "" };
	struct result whole;

	if (argc < 3)
		die("usage: store-test dump URI DIRECTORY [SEED]");
	srand(argc > 3 ? (unsigned int)atoi(argv[3]) : 1);
	if (store_open(&cfg, &st, &err))
		die("%s", err.text);
	test_acl();
	MUST_RUN("create", "small");
	MUST_RUN("import", "small", argv[2]);
	take_dump(&whole, "small");
	test_cut(&whole);
	test_more(&whole);
	test_damage(&whole);
	test_whole(&whole);
	test_unique(&whole);
	test_change(&whole, argv[2]);
	forget(&whole);
	return store_close(st) ? 1 : 0;
}
