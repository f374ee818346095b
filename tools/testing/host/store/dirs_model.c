// SPDX-License-Identifier: MIT
#include "dirs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <afsx/dir.h>

#include "die.h"
#include "store_restore.h"

static u64 state = 1;

u32 dirs_random(u32 n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (u32)(state >> 33) % n;
}

size_t dirs_name(char *text, u32 i)
{
	size_t len = (size_t)snprintf(text, AFSX_NAME_MAX + 1, "name %u ", i);
	size_t fill = i % 5 ? 0 : i % 11 ? i % 60 : AFSX_NAME_MAX - len;

	memset(text + len, 'n', fill);
	text[len + fill] = '\0';
	return len + fill;
}

static void expect(const char *what, u32 i, int is, int should)
{
	if (is != should)
		die("%s, name %u: %s, not %s", what, i, strerror(-is),
		    strerror(-should));
}

/* ---- making ----------------------------------------------------------------- */

static struct afsx_fid create(struct store_tx *tx, u32 vid, char kind, u32 i,
			      enum afsx_ftype type)
{
	struct afsx_fid root = { vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE }, fid;
	char name[2] = { kind, (char)('0' + i) };

	must(store_create(tx, &root, name, 2, type, NULL, NULL, &fid), "create");
	return fid;
}

static void enter(struct store_tx *tx, struct dirs *m, u32 dir, u32 i)
{
	char name[AFSX_NAME_MAX + 1];
	u32 file = dirs_random(FILES);
	int ret = store_link(tx, &m->dir[dir], name, dirs_name(name, i),
			     &m->file[file]);

	expect("enter", i, ret, m->at[dir][i] ? -EEXIST : 0);
	if (!ret)
		m->at[dir][i] = (u8)(file + 1);
}

void dirs_make(struct store *st, struct dirs *m)
{
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	must(store_vol_create(tx, "dirs", 0, &m->vid), "create volume");
	for (u32 i = 0; i < FILES; i++)
		m->file[i] = create(tx, m->vid, 'f', i, AFSX_FTYPE_FILE);
	for (u32 d = 0; d < DIRS; d++) {
		m->dir[d] = create(tx, m->vid, 'd', d, AFSX_FTYPE_DIR);
		for (u32 i = 0; i < NAMES; i += i < STABLE ? 1 : 2)
			enter(tx, m, d, i);
	}
	must(store_commit(tx), "commit");
}

/* ---- changing --------------------------------------------------------------- */

static u32 some_name(void)
{
	return STABLE + dirs_random(NAMES - STABLE);
}

static void drop(struct store_tx *tx, struct dirs *m, u32 dir, u32 i)
{
	char name[AFSX_NAME_MAX + 1];
	struct afsx_fid fid;
	int ret = store_unlink(tx, &m->dir[dir], name, dirs_name(name, i),
			       false, &fid);

	expect("drop", i, ret, m->at[dir][i] ? 0 : -ENOENT);
	if (!ret && fid.vnode != m->file[m->at[dir][i] - 1].vnode)
		die("removed name %u: it led to %u", i, fid.vnode);
	m->at[dir][i] = 0;
}

static void move(struct store_tx *tx, struct dirs *m, u32 from, u32 i)
{
	char name[AFSX_NAME_MAX + 1], new[AFSX_NAME_MAX + 1];
	u32 to = dirs_random(DIRS), k = some_name();
	u8 *old = &m->at[from][i];
	int ret = store_rename(tx, &m->dir[from], name, dirs_name(name, i),
			       &m->dir[to], new, dirs_name(new, k));

	expect("move", i, ret, *old ? 0 : -ENOENT);
	if (!*old || *old == m->at[to][k])
		return;	/* two names of one file stay */
	m->at[to][k] = *old;
	*old = 0;
}

static void find(struct store_tx *tx, const struct dirs *m, u32 dir, u32 i)
{
	char name[AFSX_NAME_MAX + 1];
	struct afsx_fid fid;
	u32 at = i < NAMES ? m->at[dir][i] : 0;
	int ret = store_tx_lookup(tx, &m->dir[dir], name, dirs_name(name, i), &fid);

	expect("find", i, ret, at ? 0 : -ENOENT);
	if (!ret && fid.vnode != m->file[at - 1].vnode)
		die("name %u: it leads to %u", i, fid.vnode);
}

void dirs_change(struct store_tx *tx, struct dirs *m)
{
	for (u32 n = 1 + dirs_random(12); n; n--) {
		u32 dir = dirs_random(DIRS), i = some_name();

		switch (dirs_random(4)) {
		case 0:
			enter(tx, m, dir, i);
			break;
		case 1:
			drop(tx, m, dir, i);
			break;
		case 2:
			move(tx, m, dir, i);
			break;
		default:
			find(tx, m, dir, i);
			find(tx, m, dir, i + NAMES);
		}
	}
}

/* ---- restoring -------------------------------------------------------------- */

static void put(struct store *st, struct store_restore *r, struct afsx_fid fid,
		struct store_status *s)
{
	must(store_getattr(st, &fid, s), "getattr");
	must(store_restore_put(r, s, NULL, NULL, 0), "put");
}

/* The names of one directory of the root, which are in it already or are entered. */
static void put_root(struct store *st, struct store_restore *r,
		     const struct dirs *m)
{
	struct store_status s;
	char name[2] = "f";

	put(st, r, (struct afsx_fid){ m->vid, AFSX_ROOT_VNODE, 0 }, &s);
	for (u32 i = 0; i < FILES + DIRS; i++) {
		const struct afsx_fid *fid = i < FILES ? &m->file[i] :
							 &m->dir[i - FILES];

		name[0] = i < FILES ? 'f' : 'd';
		name[1] = (char)('0' + (i < FILES ? i : i - FILES));
		put(st, r, *fid, &s);
		must(store_restore_enter(r, AFSX_ROOT_VNODE, name, 2, fid), "enter");
	}
}

static void put_names(struct store_restore *r, struct dirs *m, u32 *links)
{
	char name[AFSX_NAME_MAX + 1];

	for (u32 d = 0; d < DIRS; d++) {
		for (u32 i = 0; i < NAMES; i++) {
			u8 *at = &m->at[d][i];

			if (i >= STABLE)
				*at = (u8)dirs_random(FILES + 1);
			if (!*at)
				continue;
			links[*at - 1]++;
			must(store_restore_enter(r, m->dir[d].vnode, name,
						 dirs_name(name, i),
						 &m->file[*at - 1]), "enter");
		}
	}
}

static void finish(struct store *st, struct store_restore *r,
		   const struct dirs *m, const u32 *links)
{
	struct afsx_fid root = { m->vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	struct store_restored as = { .name = "dirs", .next_unique = 100 };
	struct store_status s;

	for (u32 i = 0; i < FILES; i++)
		must(store_restore_links(r, m->file[i].vnode, links[i] + 1, &root),
		     "links");
	must(store_restore_links(r, AFSX_ROOT_VNODE, 2 + DIRS, &root), "links");
	for (u32 i = 0; i < DIRS; i++) {
		must(store_getattr(st, &m->dir[i], &s), "getattr");
		must(store_restore_status(r, &s), "status");
	}
	must(store_restore_publish(r, &as), "publish");
}

void dirs_restore(struct store *st, struct dirs *m, bool publish)
{
	struct dirs *now = malloc(sizeof(*now));
	struct store_restore *r;
	u32 links[FILES] = { 0 };

	if (!now)
		die("out of memory");
	*now = *m;
	must(store_restore_over(st, m->vid, &r), "restore");
	put_root(st, r, now);
	put_names(r, now, links);
	if (publish) {
		finish(st, r, now, links);
		*m = *now;
	}
	store_restore_end(r);
	free(now);
	while (store_collect(st, 1000) > 0)
		;
}

/* ---- looking ---------------------------------------------------------------- */

u32 dirs_blob(struct store *st, const struct afsx_fid *dir, u8 *blob)
{
	ssize_t len = store_read(st, dir, 0, blob, AFSX_DIR_MAX_BLOCKS *
				 AFSX_DIR_BLOCK_SIZE, NULL);

	if (len <= 0)
		die("cannot read a directory: %zd", len);
	return (u32)len / AFSX_DIR_BLOCK_SIZE;
}

static const void *block_of(void *ctx, u32 nr)
{
	return (u8 *)ctx + nr * AFSX_DIR_BLOCK_SIZE;
}

int dirs_walk(u8 *blob, u32 blocks, const char *name, size_t len,
	      struct afsx_fid *fid)
{
	struct afsx_dir_reader rd = {
		.block = block_of, .ctx = blob, .nr_blocks = blocks,
	};
	int ret = afsx_dir_lookup(&rd, name, (u32)len, fid);

	return ret == -EIO ? -EUCLEAN : ret;
}

static void verify_name(struct store *st, const struct dirs *m, u32 dir, u32 i,
			u8 *blob, u32 blocks)
{
	u32 at = i < NAMES ? m->at[dir][i] : 0;
	char name[AFSX_NAME_MAX + 1];
	size_t len = dirs_name(name, i);
	struct afsx_fid fid;
	int ret;

	ret = blob ? dirs_walk(blob, blocks, name, len, &fid) :
		     store_lookup(st, &m->dir[dir], name, len, &fid);
	expect(blob ? "walk" : "look up", i, ret, at ? 0 : -ENOENT);
	if (!ret && (fid.vnode != m->file[at - 1].vnode ||
		     fid.unique != m->file[at - 1].unique))
		die("volume %u, name %u: it leads to %u", m->vid, i, fid.vnode);
}

static bool count(void *ctx, const char *name, size_t len,
		  const struct afsx_fid *fid)
{
	(void)name;
	(void)len;
	(void)fid;
	++*(u32 *)ctx;
	return true;
}

static void verify_count(struct store *st, const struct dirs *m, u32 dir)
{
	u32 nr = 0, should = 2;	/* "." and ".." */

	for (u32 i = 0; i < NAMES; i++)
		should += !!m->at[dir][i];
	must(store_readdir(st, &m->dir[dir], count, &nr), "readdir");
	if (nr != should)
		die("volume %u: %u names, not %u", m->vid, nr, should);
}

void dirs_verify(struct store *st, const struct dirs *m, u32 share)
{
	static u8 blob[AFSX_DIR_MAX_BLOCKS * AFSX_DIR_BLOCK_SIZE];

	for (u32 d = 0; d < DIRS; d++) {
		u32 blocks = dirs_blob(st, &m->dir[d], blob);

		for (u32 i = 0; i < 2 * NAMES; i++) {
			verify_name(st, m, d, i, blob, blocks);
			if (!dirs_random(share))
				verify_name(st, m, d, i, NULL, 0);
		}
		verify_count(st, m, d);
	}
}

void dirs_see(struct store *st, const struct dirs *m, u32 i)
{
	verify_name(st, m, i % DIRS, i % STABLE, NULL, 0);
	verify_name(st, m, i % DIRS, NAMES + i % NAMES, NULL, 0);
}
