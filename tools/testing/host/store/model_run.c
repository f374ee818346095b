// SPDX-License-Identifier: MIT
/* The course of a run: random numbers, messages, transactions. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memdev.h"
#include "model.h"

#define BATCH		600	/* operations between comparisons, about */

struct world w;

static u64 state;
static int poison;

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
	w.full += got == -EFBIG;
	return !got;
}

int spoiled(void)
{
	return poison;
}

/* ---- the store ----------------------------------------------------------------- */

void open_store(void)
{
	/* the owner of before is this process, so it looks alive */
	struct store_config cfg = { .uri = "memory", .readers = 2,
		.cache_mib = 16, .flags = STORE_TAKEOVER, .free_step = 3 };
	struct errbuf err = { "" };

	if (store_open(&cfg, &w.st, &err))
		wrong("open: %s", err.text);
}

void close_store(void)
{
	must(store_close(w.st), 0);
}

/* Open it again: after closing, or as if the process had been killed. */
static void reopen(bool killed)
{
	say("open again%s", killed ? " after a kill" : "");
	if (w.verbose)
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
	{ op_lookup, 3 },
	{ op_mistake, 1 },
	{ op_write, 24 },
	{ op_truncate, 9 },
	{ op_setattr, 5 },
	{ op_acl, 3 },
	{ op_vol_create, 1 },
	{ op_vol_clone, 2 },
	{ op_vol_clone_as, 1 },
	{ op_vol_rename, 1 },
	{ op_vol_remove, 1 },
	{ op_vol_set, 1 },
	/* with large directories */
	{ op_fill, 5 },
	{ op_thin, 1 },
};

#define WEIGHTS		100	/* of all operations without those */
#define WEIGHTS_LARGE	106

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

	if (w.verbose)
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
	u32 which = (u32)pick(w.large ? WEIGHTS_LARGE : WEIGHTS), i = 0;

	while (which >= ops[i].weight)
		which -= ops[i++].weight;
	if (!w.tx)
		begin();
	w.text[0] = '\0';
	ops[i].run();
	if (w.verbose)
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
	if (w.pending && !pick(4))
		collect_all();
	if (!pick(BATCH / 2))
		reopen(pick(2));
	if (!pick(BATCH / 4))
		verify_all();
}

static void make_names(void)
{
	for (u32 i = 0; i < w.names; i++) {
		int len = snprintf(w.name[i], sizeof(w.name[i]), "n%u", i);

		/* some long, and one as long as can be; those of large directories mostly */
		if (i < NAMES ? i % 4 == 3 : i % 8)
			memset(w.name[i] + len, 'x', min(i * 10, 255u - (u32)len));
	}
	memset(w.name[0], 'y', AFSX_NAME_MAX);
}

static void start_over(void)
{
	bool verbose = w.verbose, large = w.large;

	for (u32 i = 0; i < VOLUMES_MAX; i++)
		tree_free(&w.vol[i]);
	memset(&w, 0, sizeof(w));
	w.verbose = verbose;
	w.large = large;
	w.names = large ? NAMES_LARGE : NAMES;
}

void model_random(u64 nr)
{
	state = w.seed * 0x9e3779b97f4a7c15u ^ nr << 20;
}

void model_start(u64 seed, u64 device)
{
	struct store_format_opts format = { .uri = "memory" };
	struct errbuf err = { "" };

	start_over();
	w.seed = seed;
	make_names();
	memdev_create(device);
	if (store_format(&format, &err))
		wrong("format: %s", err.text);
	open_store();
	verify_all();
}

void model_operate(u64 nr)
{
	w.op = nr;
	model_random(nr);
	operate();
	between();
}

void model_finish(void)
{
	if (w.tx)
		end(false);
}
