// SPDX-License-Identifier: MIT
/*
 * store-test volumes URI: what transactions remember of a volume is what the
 * transactions before made of it, whichever way: by using space, by failing, by
 * setting its limits, by cloning.  Sizes and counts are by arithmetic: 4 KiB a block,
 * 2 KiB for the root directory.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sound.h"
#include "store-test.h"

#define BLOCK		4096u
#define BLOCK_KIB	4u
#define ROOT_KIB	2u
#define VOLUMES		40u	/* more than are remembered */

static struct store *st;
static u8 data[BLOCK];

/* A volume with a root and one file. */
struct subject {
	u32 id;
	struct afsx_fid file;
	u64 blocks;
};

static struct store_tx *begin(void)
{
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	return tx;
}

static struct store_vol seen_by_readers(const struct subject *s)
{
	struct store_vol vol;

	must(store_vol_get(st, s->id, &vol), "get volume");
	return vol;
}

/* @tx: NULL, or in which its volume is seen as well */
static void expect(const struct subject *s, struct store_tx *tx, const char *when)
{
	struct store_vol vol = seen_by_readers(s), own;

	if (vol.files != 2 || vol.used_kib != ROOT_KIB + s->blocks * BLOCK_KIB)
		die("%s: volume %u has %ju files and %ju KiB, not 2 and %ju", when, s->id,
		    (uintmax_t)vol.files, (uintmax_t)vol.used_kib,
		    (uintmax_t)(ROOT_KIB + s->blocks * BLOCK_KIB));
	if (!tx)
		return;
	must(store_tx_vol_get(tx, s->id, &own), "get volume in a transaction");
	if (memcmp(&own, &vol, sizeof(vol)))
		die("%s: transactions see volume %u as it is not", when, s->id);
}

static struct subject make(const char *name)
{
	struct store_tx *tx = begin();
	struct subject s = { .blocks = 0 };
	struct afsx_fid root;

	must(store_vol_create(tx, name, 0, &s.id), "create volume");
	root = (struct afsx_fid){ s.id, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	must(store_create(tx, &root, "f", 1, AFSX_FTYPE_FILE, NULL, NULL, &s.file),
	     "create");
	must(store_commit(tx), "commit");
	expect(&s, NULL, "made");
	return s;
}

/* Write block @nr in a transaction of its own, which must end with @want. */
static void put(struct subject *s, u64 nr, int want, const char *when)
{
	struct store_tx *tx = begin();
	int ret;

	expect(s, tx, when);
	ret = store_write(tx, &s->file, nr * BLOCK, data, sizeof(data));
	if (ret != want)
		die("%s: a write ends with %d, not %d", when, ret, want);
	if (ret) {
		store_abort(tx);
	} else {
		must(store_commit(tx), "commit");
		s->blocks = nr < s->blocks ? s->blocks : nr + 1;
	}
	expect(s, NULL, when);
}

static void set(struct store_tx *tx, const struct subject *s, struct store_vol vol,
		unsigned int mask)
{
	vol.id = s->id;
	must(store_vol_set(tx, &vol, mask), "set");
}

static void limits(struct subject *s)
{
	struct store_vol full = { .quota_kib = ROOT_KIB + BLOCK_KIB };
	struct store_vol away = { .online = false, .offline_msg = "away" };
	struct store_tx *tx;

	put(s, 0, 0, "no quota");
	tx = begin();
	set(tx, s, full, STORE_VOL_QUOTA);
	must(store_commit(tx), "commit");
	put(s, 1, -EDQUOT, "a quota that is used up");
	put(s, 0, 0, "what takes no more");
	tx = begin();
	set(tx, s, (struct store_vol){ .quota_kib = 0 }, STORE_VOL_QUOTA);
	/* in the same transaction */
	must(store_write(tx, &s->file, BLOCK, data, sizeof(data)), "write");
	must(store_commit(tx), "commit");
	s->blocks++;
	put(s, 2, 0, "no quota any more");
	tx = begin();
	set(tx, s, away, STORE_VOL_ONLINE | STORE_VOL_OFFLINE_MSG);
	must(store_commit(tx), "commit");
	tx = begin();
	expect(s, tx, "offline");
	store_abort(tx);
	if (seen_by_readers(s).online)
		die("a volume that was taken offline is online");
}

/* The time of the last change goes on, also when nothing else of the volume changes. */
static void times(struct subject *s)
{
	s64 first;

	put(s, 0, 0, "first change");
	first = seen_by_readers(s).updated;
	while (time(NULL) <= first)
		usleep(10000);
	put(s, 0, 0, "second change");
	if (seen_by_readers(s).updated <= first)
		die("a change leaves no time");
}

/* What only a clone sees is not freed with it there, and is without it. */
static void clones(struct subject *s)
{
	struct store_tx *tx = begin();
	u32 id;

	must(store_vol_clone(tx, s->id, AFSX_VOL_BACKUP, &id), "clone");
	must(store_commit(tx), "commit");
	put(s, 0, 0, "beside a clone");
	tx = begin();
	must(store_vol_remove(tx, id), "remove");
	must(store_commit(tx), "commit");
	while (store_collect(st, 1000) > 0)
		;
	put(s, 0, 0, "after a clone");
	if (check_store(st))
		die("the check found problems");
}

/* In turns, so that each is forgotten before it is used again. */
static void in_turns(void)
{
	static struct subject s[VOLUMES];
	char name[16];

	for (unsigned int i = 0; i < VOLUMES; i++) {
		snprintf(name, sizeof(name), "many%u", i);
		s[i] = make(name);
	}
	for (unsigned int nr = 0; nr < 3; nr++)
		for (unsigned int i = 0; i < VOLUMES; i++)
			put(&s[i], nr, 0, "many volumes");
}

int test_volumes(int argc, char **argv)
{
	struct store_config cfg = { .uri = argv[1], .readers = 2 };
	struct store_format_opts format = { .uri = argv[1], .force = true };
	struct errbuf err = { "" };
	struct subject s;

	if (argc != 2)
		die("usage: store-test volumes URI");
	if (store_format(&format, &err) || store_open(&cfg, &st, &err))
		die("%s", err.text);
	s = make("one");
	limits(&s);
	times(&s);
	clones(&s);
	in_turns();
	if (check_store(st))
		die("the check found problems");
	puts("volumes are what transactions make of them");
	return store_close(st) ? 1 : 0;
}
