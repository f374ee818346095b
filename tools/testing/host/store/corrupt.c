// SPDX-License-Identifier: MIT
/*
 * store-corrupt SEED COUNT: damage an image in COUNT ways and read all of it each
 * time. Every answer must be what a model says, or be refused.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "memdev.h"
#include "model.h"
#include "sb.h"

#define DEVICE		(UINT64_C(64) << 20)
#define BLOCKS		(DEVICE >> BLK_SHIFT)
#define OPERATIONS	450	/* to fill it */
#define MORE		40	/* that only the log has */
#define OLD		3	/* earlier states of the image */
#define SECTOR		512u

static u8 *old[OLD];
static u32 used[BLOCKS];	/* blocks that are not zeros, or were not */
static u32 nr_used;
static struct sb sb;
static bool log_in_use;
static struct memdev_counts last;
static char what[256];

/* ---- the image ----------------------------------------------------------------- */

static u8 *image(void)
{
	u8 *copy = malloc(DEVICE);

	if (!copy)
		wrong("out of memory");
	for (u64 i = 0; i < BLOCKS; i++)
		memcpy(copy + (i << BLK_SHIFT), memdev_block(i), BLK_SIZE);
	return copy;
}

static bool in_log(u64 nr)
{
	return nr >= sb.region[0].start &&
	       nr < sb.region[0].start + sb.region[0].nr;
}

static bool is_zero(const u8 *p)
{
	return !p[0] && !memcmp(p, p + 1, BLK_SIZE - 1);
}

static void find_used(void)
{
	nr_used = 0;
	for (u64 i = 0; i < BLOCKS; i++) {
		bool zero = is_zero(memdev_block(i));

		for (u32 k = 0; k < OLD; k++)
			zero = zero && is_zero(old[k] + (i << BLK_SHIFT));
		if (!zero && (log_in_use || !in_log(i)))
			used[nr_used++] = (u32)i;
	}
}

/* A store that was closed, or one that was killed and has its log. */
static void make_image(u64 seed, bool killed)
{
	model_start(seed, DEVICE);
	for (u64 i = 0; i < OPERATIONS; i++) {
		if (i % (OPERATIONS / OLD) == OPERATIONS / OLD / 2) {
			u8 **slot = &old[i / (OPERATIONS / OLD)];

			free(*slot);
			*slot = image();
		}
		model_operate(i);
	}
	model_finish();
	verify_all();	/* with an empty log */
	for (u64 i = 0; killed && i < MORE; i++)
		model_operate(OPERATIONS + i);
	model_finish();
	last = memdev_counts();
	if (killed)
		memdev_save();
	close_store();
	if (killed)
		memdev_restore();
	if (sb_decode(memdev_block(0), &sb))
		wrong("no superblock");
	log_in_use = killed;
	find_used();
}

/* ---- damage -------------------------------------------------------------------- */

/*
 * What nothing can tell from a crash: damage to the last write of the log, which
 * nobody may have been told of ...
 */
static bool is_last_write(u64 nr)
{
	return log_in_use && nr >= last.fua && nr < last.fua + last.nr_fua;
}

static u64 any_block(void)
{
	/* superblocks and lease are few */
	switch (pick(30)) {
	case 0:
		return pick(SB_FIRST_FREE);
	case 1:
		return BLOCKS - 1;
	case 2:
		return pick(BLOCKS);
	default:
		return used[pick(nr_used)];
	}
}

static u64 a_block(void)
{
	u64 nr;

	do {
		nr = any_block();
	} while (is_last_write(nr));
	return nr;
}

static void flip_bits(u64 nr)
{
	u8 *block = memdev_touch(nr);

	for (u64 i = 1 + pick(4); i; i--)
		block[pick(pick(3) ? BLK_SIZE : 128)] ^= (u8)(1 << pick(8));
}

static void swap_blocks(u64 nr)
{
	u8 *a = memdev_touch(nr), *b = memdev_touch(a_block());
	u8 keep[BLK_SIZE];

	memcpy(keep, a, BLK_SIZE);
	memmove(a, b, BLK_SIZE);
	memcpy(b, keep, BLK_SIZE);
}

static void copy_block(u64 nr)
{
	u8 *to = memdev_touch(nr);

	memmove(to, memdev_block(a_block()), BLK_SIZE);
}

static void clear_block(u64 nr)
{
	memset(memdev_touch(nr), 0, BLK_SIZE);
}

static void stale_block(u64 nr)
{
	memcpy(memdev_touch(nr), old[pick(OLD)] + (nr << BLK_SHIFT), BLK_SIZE);
}

/* Some sectors of another block, or of an earlier state of this one. */
static void tear_block(u64 nr)
{
	const u8 *from = pick(2) ? memdev_block(a_block()) :
				   old[pick(OLD)] + (nr << BLK_SHIFT);
	u64 mask = pick(255) + 1;
	u8 *to = memdev_touch(nr);

	for (u32 i = 0; i < BLK_SIZE / SECTOR; i++)
		if (mask >> i & 1)
			memmove(to + i * SECTOR, from + i * SECTOR, SECTOR);
}

/* ... and an earlier beginning of the log. */
static bool is_old_log(void (*run)(u64 nr), u64 nr)
{
	return nr == sb.region[0].start &&
	       (run == stale_block || run == tear_block);
}

static const struct {
	const char *name;
	void (*run)(u64 nr);
} damages[] = {
	{ "flip", flip_bits },
	{ "swap", swap_blocks },
	{ "copy", copy_block },
	{ "clear", clear_block },
	{ "stale", stale_block },
	{ "tear", tear_block },
};

static void damage(void)
{
	size_t len = 0;

	what[0] = '\0';
	for (u64 i = pick(3) ? 1 : 1 + pick(4); i; i--) {
		u64 which = pick(ARRAY_SIZE(damages)), nr = a_block();

		if (is_old_log(damages[which].run, nr))
			continue;
		len += (size_t)snprintf(what + len, sizeof(what) - len,
					" %s %ju", damages[which].name,
					(uintmax_t)nr);
		damages[which].run(nr);
	}
}

/* ---- what the store makes of it -------------------------------------------------- */

static u64 refused_to_open, problems;

static void count_problem(void *ctx, const char *text)
{
	++*(u64 *)ctx;
}

/* It may fail, but only with an error. */
static void change_something(void)
{
	struct volume *v = a_volume(true);
	struct afsx_fid dir, fid;
	struct store_tx *tx;

	if (!v || store_begin(w.st, &tx))
		return;
	dir = fid_of(v, v->node[0]);
	if (!store_create(tx, &dir, "new", 3, AFSX_FTYPE_FILE, NULL, NULL, &fid))
		store_write(tx, &fid, 0, what, sizeof(what));
	store_commit(tx);
	for (int i = 0; i < 9 && store_collect(w.st, 50) > 0; i++)
		;
}

static void try_image(u64 nr)
{
	bool rdonly = pick(2);
	struct store_config cfg = { .uri = "memory", .readers = 1,
		.cache_mib = 16,
		.flags = STORE_TAKEOVER | (rdonly ? STORE_RDONLY : 0) };
	struct errbuf err = { "" };

	w.op = nr;
	memdev_save();
	damage();
	say("image %ju:%s", (uintmax_t)nr, what);
	if (store_open(&cfg, &w.st, &err)) {
		refused_to_open++;
	} else {
		u64 found = 0;

		verify_volumes();
		if (!pick(4))
			store_check(w.st, STORE_CHECK_DATA, count_problem,
				    &found);
		problems += !!found;
		if (!rdonly)
			change_something();
		store_close(w.st);
	}
	memdev_restore();
}

int main(int argc, char **argv)
{
	u64 seed, count;

	if (argc != 3) {
		puts("usage: store-corrupt SEED COUNT");
		return 2;
	}
	log_setup("store-corrupt", LOG_ERROR);
	seed = strtoull(argv[1], NULL, 0);
	count = strtoull(argv[2], NULL, 0);
	for (u64 i = 0; i < 2; i++) {
		make_image(seed + i, i);
		w.damaged = true;
		for (u64 nr = 0; nr < count / 2; nr++) {
			model_random(nr);
			try_image(nr);
		}
	}
	printf("%ju damaged images, seed %ju: %ju not opened, %ju answers refused, none wrong\n",
	       (uintmax_t)count, (uintmax_t)seed, (uintmax_t)refused_to_open,
	       (uintmax_t)w.refused);
	printf("the check, asked for every fourth, found problems in %ju\n",
	       (uintmax_t)problems);
	return 0;
}
