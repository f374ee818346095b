// SPDX-License-Identifier: MIT
/*
 * crash-ram full: a device filled with data, one filled with names, and a
 * volume at its quota.  What does not fit fails as a whole and with the right
 * error; names can still be removed, and then there is room again.
 */
#include "full.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "blkdev.h"
#include "judge.h"
#include "sound.h"
#include "test.h"

#define SIZE		(16u << 20)
#define FILE_LEN	150000u
#define NAMES_TX	200u	/* names in a transaction */
#define QUOTA_KIB	100u

static struct ramdev dev;
static struct store *st;
static u32 vid;

static void begin(void)
{
	u8 *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct errbuf err = { "" };

	if (mem == MAP_FAILED)
		die("out of memory");
	ramdev_init(&dev, mem, SIZE, 1);
	ramdev_serve(&dev);
	work_format(RAM_URI);
	st = work_open(RAM_URI, &err);
	if (!st)
		die("open: %s", err.text);
	vid = work_volume(st);
}

static void end(void)
{
	if (work_collect(st) || check_store(st) || store_close(st))
		die("the store is damaged");
	munmap(dev.mem, SIZE);
}

static void expect(int ret, int right, const char *what)
{
	if (ret != right)
		die("%s: %s, not %s", what, strerror(-ret), strerror(-right));
}

/* ---- data ------------------------------------------------------------------- */

/* What the store shows is what the model has. */
static void look(const struct model *m)
{
	char *right = model_text(m), *text;
	int err;

	text = work_text(st, &err);
	if (!text)
		die("cannot be read: %s", strerror(-err));
	if (strcmp(text, right))
		die("shows:\n%snot:\n%s", text, right);
	free(text);
	free(right);
}

static void do_step(struct model *m, const struct step *s)
{
	expect(work_commit(st, vid, s), 0, step_text(s));
	if (model_step(m, s))
		die("%s: impossible", step_text(s));
}

static u32 fill_with_data(struct model *m)
{
	for (u32 i = 0;; i++) {
		struct step s = { .op = STEP_CREATE, .mode = 0644, .stamp = i };
		int ret;

		snprintf(s.a, sizeof(s.a), "f%u", i);
		do_step(m, &s);
		s.op = STEP_APPEND;
		s.len = FILE_LEN;
		ret = work_commit(st, vid, &s);
		if (ret) {
			expect(ret, -ENOSPC, "the write that does not fit");
			return i;
		}
		model_step(m, &s);
	}
}

/* Not even a block is left for data; file @nr, which is empty, has had the last. */
static void fill_to_the_brim(struct model *m, u32 nr)
{
	struct step s = { .op = STEP_APPEND, .len = BLK_SIZE };
	int ret;

	snprintf(s.a, sizeof(s.a), "f%u", nr);
	while (!(ret = work_commit(st, vid, &s)))
		model_step(m, &s);
	expect(ret, -ENOSPC, "the block that does not fit");
}

/* Whose new last block has to be written again, in part and within a block. */
static void cut_files(struct model *m, u32 files)
{
	static const u32 lengths[] = { FILE_LEN - 1, 2 * BLK_SIZE + 1, 1 };
	struct step s = { .op = STEP_TRUNCATE };

	for (u32 i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (u32 file = 0; file < files; file++) {
			snprintf(s.a, sizeof(s.a), "f%u", file);
			s.len = lengths[i];
			do_step(m, &s);
		}
	}
}

/* Everything but more data. */
static void use_full(struct model *m)
{
	static const struct step steps[] = {
		{ .op = STEP_MKDIR, .a = "d", .mode = 0755 },
		{ .op = STEP_RENAME, .a = "f0", .b = "d/f0" },
		{ .op = STEP_ATTR, .a = "d", .b = "acl", .mode = 0700 },
		{ .op = STEP_LINK, .a = "l", .b = "d/f0" },
		{ .op = STEP_REMOVE, .a = "l" },
		{ .op = STEP_CLONE, .type = AFSX_VOL_RO },
	};

	for (u32 i = 0; i < ARRAY_SIZE(steps); i++)
		do_step(m, &steps[i]);
}

static void full_of_data(void)
{
	struct step s = { .op = STEP_OVERWRITE, .a = "f1", .len = FILE_LEN };
	struct step again = { .op = STEP_APPEND, .a = "f3", .len = 30000 };
	struct step gone = { .op = STEP_REMOVE, .a = "f2" };
	struct model m;
	u32 files;

	begin();
	model_init(&m);
	files = fill_with_data(&m);
	look(&m);
	expect(work_commit(st, vid, &s), -ENOSPC, "overwriting");
	look(&m);
	do_step(&m, &gone);
	do_step(&m, &again);
	use_full(&m);
	look(&m);
	end();
	model_free(&m);
	printf("a device was full with %u files, and usable\n", files);
}

static void full_to_the_brim(void)
{
	struct model m;
	u32 files;

	begin();
	model_init(&m);
	files = fill_with_data(&m);
	fill_to_the_brim(&m, files);
	look(&m);
	cut_files(&m, files);
	look(&m);
	end();
	model_free(&m);
	printf("%u files on a full device could be cut\n", files);
}

/* ---- names ------------------------------------------------------------------ */

static void name_of(u32 nr, char *name, size_t size)
{
	snprintf(name, size, "a name that is long enough to fill pages %08u", nr);
}

/* One transaction of NAMES_TX links, or of their removal. */
static int names(u32 first, bool make)
{
	struct afsx_fid root = { vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	struct afsx_fid fid;
	struct store_tx *tx;
	char name[64];
	int ret = store_begin(st, &tx);

	if (ret)
		return ret;
	for (u32 i = 0; !ret && i < NAMES_TX; i++) {
		name_of(first + i, name, sizeof(name));
		ret = make ? store_create(tx, &root, name, strlen(name),
					  AFSX_FTYPE_SYMLINK, NULL, name,
					  &fid) :
			     store_unlink(tx, &root, name, strlen(name), false,
					  NULL);
	}
	if (!ret)
		return store_commit(tx);
	store_abort(tx);
	return ret;
}

/* Nothing may be left of the transaction that did not fit. */
static void expect_names(u32 nr)
{
	struct afsx_fid root = { vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	struct afsx_fid fid;
	char name[64];

	for (u32 i = 0; i <= nr; i++) {
		name_of(i, name, sizeof(name));
		expect(store_lookup(st, &root, name, strlen(name), &fid),
		       i < nr ? 0 : -ENOENT, name);
	}
}

/* Remove names until there is no room for that; how many are gone. */
static u32 remove_names(u32 nr)
{
	u32 gone = 0;
	int ret = 0;

	while (gone < nr && !(ret = names(gone, false)))
		gone += NAMES_TX;
	if (ret)
		expect(ret, -ENOSPC, "removing names");
	return gone;
}

static u32 fill_with_names(void)
{
	struct model m;
	u32 nr = 0;
	int ret;

	/* what is not kept for metadata goes to data first */
	model_init(&m);
	fill_with_data(&m);
	model_free(&m);
	while (!(ret = names(nr, true)))
		nr += NAMES_TX;
	expect(ret, -ENOSPC, "the names that do not fit");
	expect_names(nr);
	return nr;
}

static void full_of_names(void)
{
	u32 nr, gone;

	begin();
	nr = fill_with_names();
	gone = remove_names(nr);
	if (gone < nr)
		die("only %u of %u names can be removed", gone, nr);
	expect(names(0, true), 0, "names again");
	end();
	printf("a device was full with %u names, and usable\n", nr);
}

static void remove_clone(void)
{
	struct store_tx *tx;

	expect(store_begin(st, &tx), 0, "begin");
	expect(store_vol_remove(tx, vid + AFSX_VOL_BACKUP), 0, "removing");
	expect(store_commit(tx), 0, "commit");
	expect(work_collect(st), 0, "collecting");
}

/* With a clone, to remove a name frees nothing and adds rows. */
static void full_beside_clone(void)
{
	struct step clone = { .op = STEP_CLONE, .type = AFSX_VOL_BACKUP };
	u32 nr, gone;

	begin();
	nr = fill_with_names();
	expect(work_commit(st, vid, &clone), 0, "cloning");
	gone = remove_names(nr);
	remove_clone();
	for (u32 i = gone; i < nr; i += NAMES_TX)
		expect(names(i, false), 0, "removing names");
	end();
	printf("%u of them could be removed beside a clone, then the clone\n",
	       gone);
}

/* ---- quota -------------------------------------------------------------------- */

static void at_quota(void)
{
	struct step make = { .op = STEP_CREATE, .a = "f", .mode = 0644 };
	struct step fits = { .op = STEP_APPEND, .a = "f", .len = 40000 };
	struct step over = { .op = STEP_APPEND, .a = "f", .len = 80000 };
	struct step gone = { .op = STEP_REMOVE, .a = "f" };
	struct store_vol vol = { .quota_kib = QUOTA_KIB };
	struct store_tx *tx;
	struct model m;

	begin();
	model_init(&m);
	vol.id = vid;
	expect(store_begin(st, &tx), 0, "begin");
	expect(store_vol_set(tx, &vol, STORE_VOL_QUOTA), 0, "setting a quota");
	expect(store_commit(tx), 0, "commit");
	do_step(&m, &make);
	do_step(&m, &fits);
	expect(work_commit(st, vid, &over), -EDQUOT, "more than the quota");
	look(&m);
	do_step(&m, &gone);
	do_step(&m, &make);
	do_step(&m, &over);
	look(&m);
	end();
	model_free(&m);
	puts("a volume was at its quota");
}

int full_command(char **argv)
{
	full_of_data();
	full_to_the_brim();
	full_of_names();
	full_beside_clone();
	at_quota();
	return 0;
}
