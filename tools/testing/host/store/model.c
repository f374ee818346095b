// SPDX-License-Identifier: MIT
/*
 * store-model [--shrink] SEED COUNT: random operations on the store and on a
 * model of it, in memory. After each batch everything is compared.
 *
 * Every operation has random numbers of its own, made of seed and number, so that
 * some can be left out: --shrink looks for a short list of operations that
 * still fails, and prints it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "memdev.h"
#include "model.h"

#define DEVICE		(UINT64_C(1) << 30)
#define BATCH		600	/* operations between comparisons, about */

struct world w;

static u64 state;
static int poison;
static bool *left_out;
static bool verbose;

/* ---- random numbers: splitmix64 ------------------------------------------------ */

static u64 next(void)
{
	u64 z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

u64 pick(u64 n)
{
	return next() % n;
}

/* ---- telling ------------------------------------------------------------------- */

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w.text, sizeof(w.text), fmt, ap);
	va_end(ap);
}

void wrong(const char *fmt, ...)
{
	va_list ap;

	printf("seed %ju, operation %ju (%s): ", (uintmax_t)w.seed,
	       (uintmax_t)w.op, w.text);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	exit(1);
}

void must(int got, int want)
{
	if (got != want)
		wrong("%s, should be: %s", strerror(-got), strerror(-want));
}

bool settle(int got, int want)
{
	must(got, want);
	if (got == -EFBIG || got == -EDQUOT)
		poison = got;
	return !got;
}

int spoiled(void)
{
	return poison;
}

/* ---- the store ----------------------------------------------------------------- */

static void open_store(void)
{
	/* the owner of before is this process, so it looks alive */
	struct store_config cfg = { .uri = "memory", .readers = 2,
		.cache_mib = 16, .flags = STORE_TAKEOVER };
	struct errbuf err = { "" };

	if (store_open(&cfg, &w.st, &err))
		wrong("open: %s", err.text);
}

static void close_store(void)
{
	must(store_close(w.st), 0);
}

/* Open it again: after closing, or as if the process had been killed. */
static void reopen(bool killed)
{
	say("open again%s", killed ? " after a kill" : "");
	if (verbose)
		puts(w.text);
	if (killed)
		memdev_save();
	close_store();
	if (killed)
		memdev_restore();
	open_store();
}

/* ---- operations ---------------------------------------------------------------- */

static const struct {
	void (*run)(void);
	u32 weight;
} ops[] = {
	{ op_create, 18 },
	{ op_link, 6 },
	{ op_unlink, 12 },
	{ op_rename, 12 },
	{ op_lookup, 4 },
	{ op_mistake, 2 },
	{ op_write, 24 },
	{ op_truncate, 9 },
	{ op_setattr, 5 },
	{ op_acl, 3 },
	{ op_vol_create, 1 },
	{ op_vol_clone, 2 },
	{ op_vol_remove, 1 },
	{ op_vol_set, 1 },
};

static void begin(void)
{
	w.tx_nr++;
	poison = 0;
	world_save();
	must(store_begin(w.st, &w.tx), 0);
}

static void end(bool undo)
{
	int ret = poison;

	if (verbose)
		printf("%s\n", undo ? "abort" : "commit");
	if (undo) {
		store_abort(w.tx);
	} else {
		say("commit");
		ret = store_commit(w.tx);
		must(ret, poison);
	}
	w.tx = NULL;
	if (ret || undo)
		world_restore();
	else
		world_forget();
}

static void operate(void)
{
	u32 which = (u32)pick(100), i = 0;

	while (which >= ops[i].weight)
		which -= ops[i++].weight;
	if (!w.tx)
		begin();
	w.text[0] = '\0';
	ops[i].run();
	if (verbose)
		printf("%ju: %s\n", (uintmax_t)w.op, w.text);
	/* what is done to a volume ends a transaction, so that nothing follows */
	if (spoiled() || ops[i].run == op_vol_remove || !pick(4))
		end(!pick(12));
}

static void between(void)
{
	if (w.tx)
		return;
	if (!pick(3))
		verify_some();
	if (!pick(20))
		store_collect(w.st, 50);
	if (!pick(BATCH / 2))
		reopen(pick(2));
	if (!pick(BATCH / 4))
		verify_all();
}

static void run(u64 count)
{
	struct store_format_opts format = { .uri = "memory" };
	struct errbuf err = { "" };

	memdev_create(DEVICE);
	if (store_format(&format, &err))
		wrong("format: %s", err.text);
	open_store();
	verify_all();
	for (w.op = 0; w.op < count; w.op++) {
		state = w.seed * 0x9e3779b97f4a7c15u ^ w.op << 20;
		if (left_out && left_out[w.op])
			continue;
		operate();
		between();
	}
	if (w.tx)
		end(false);
	verify_all();
	reopen(false);
	verify_all();
	close_store();
}

/* ---- shrinking ----------------------------------------------------------------- */

/* Whether it fails with what is left, without a word. */
static bool fails(u64 count)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(0);
		run(count);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && status;
}

static void shrink(u64 count)
{
	left_out = calloc(count, sizeof(*left_out));
	if (!left_out || !fails(count)) {
		puts("it does not fail");
		return;
	}
	for (u64 step = count / 2; step; step /= 2) {
		for (u64 at = 0; at < count; at += step) {
			memset(left_out + at, 1, min(step, count - at));
			if (!fails(count))
				memset(left_out + at, 0, min(step, count - at));
		}
	}
	puts("these operations fail:");
	verbose = true;
	run(count);
}

static void make_names(void)
{
	for (u32 i = 0; i < NAMES; i++) {
		int len = snprintf(w.name[i], sizeof(w.name[i]), "n%u", i);

		/* some long, and one as long as can be */
		if (i % 4 == 3)
			memset(w.name[i] + len, 'x', min(i * 10, 255u - (u32)len));
	}
	memset(w.name[0], 'y', AFSX_NAME_MAX);
}

int main(int argc, char **argv)
{
	bool shrinking = argc == 4 && !strcmp(argv[1], "--shrink");
	u64 count;

	log_setup("store-model", LOG_WARN);
	if (argc != 3 && !shrinking) {
		puts("usage: store-model [--shrink] SEED COUNT");
		return 2;
	}
	w.seed = strtoull(argv[argc - 2], NULL, 0);
	count = strtoull(argv[argc - 1], NULL, 0);
	make_names();
	if (shrinking) {
		shrink(count);
		return 0;
	}
	run(count);
	printf("%ju operations, seed %ju: as the model has it\n",
	       (uintmax_t)count, (uintmax_t)w.seed);
	return 0;
}
