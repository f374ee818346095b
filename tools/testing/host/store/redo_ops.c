// SPDX-License-Identifier: MIT
/*
 * Random changes of a store, chosen without asking it: the same ones are made of the same
 * seed, by records or by SQL.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "redo_test.h"
#include "store_tx.h"

#define START_TIME	1000000
#define DEVICE		(64 * MIB)
#define ENTRIES		150u	/* names, at most */
#define VOLUMES		3u
#define WRITE_MAX	20000u
#define MANY		75u	/* more than the table of rows has room for */

/* A name, or a free place for one. */
struct spot {
	struct afsx_fid dir;
	struct afsx_fid fid;
	enum afsx_ftype type;
	char name[24];
	unsigned int inside;	/* names in it */
	struct spot *up;
};

static struct {
	u64 seed;
	u64 state;
	u64 names;
	struct spot root[VOLUMES];
	unsigned int volumes;
	struct spot spot[ENTRIES];
	unsigned int nr;
	struct store_tx *tx;
} ops;

/* splitmix64 */
static u64 pick(u64 n)
{
	u64 z = ops.state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (z ^ z >> 31) % n;
}

/* ---- names ---------------------------------------------------------------------- */

static struct spot *a_root(void)
{
	return &ops.root[pick(ops.volumes)];
}

static bool is_dir(const struct spot *s)
{
	return s->type == AFSX_FTYPE_DIR;
}

/* A directory or something else; NULL when the first that were looked at are not. */
static struct spot *a_spot(bool dir)
{
	for (unsigned int i = 0; ops.nr && i < 10; i++) {
		struct spot *s = &ops.spot[pick(ops.nr)];

		if (is_dir(s) == dir)
			return s;
	}
	return NULL;
}

static struct spot *a_file(void)
{
	struct spot *s = a_spot(false);

	return s && s->type == AFSX_FTYPE_FILE ? s : NULL;
}

static struct spot *a_dir(void)
{
	struct spot *s = pick(3) ? a_spot(true) : NULL;

	return s ? s : a_root();
}

static struct spot *new_spot(struct spot *dir, enum afsx_ftype type)
{
	struct spot *s;

	if (ops.nr == ENTRIES)
		return NULL;
	s = &ops.spot[ops.nr++];
	memset(s, 0, sizeof(*s));
	s->dir = dir->fid;
	s->type = type;
	s->up = dir;
	dir->inside++;
	snprintf(s->name, sizeof(s->name), "name-%ju", (uintmax_t)ops.names++);
	return s;
}

/* The last one takes its place. */
static void drop_spot(struct spot *s)
{
	struct spot *last = &ops.spot[--ops.nr];

	s->up->inside--;
	if (s == last)
		return;
	for (unsigned int i = 0; i < ops.nr; i++)
		if (ops.spot[i].up == last)
			ops.spot[i].up = s;
	*s = *last;
}

/* ---- light changes --------------------------------------------------------------- */

static int create(enum afsx_ftype type)
{
	struct spot *dir = a_dir(), *s = new_spot(dir, type);
	char target[STORE_TARGET_MAX + 1] = "";

	if (!s)
		return 0;
	memset(target, 't', 1 + pick(pick(4) ? 50 : STORE_TARGET_MAX));
	return store_create(ops.tx, &dir->fid, s->name, strlen(s->name), type,
			    NULL, type == AFSX_FTYPE_SYMLINK ? target : NULL,
			    &s->fid);
}

static int op_create(void)
{
	return create(AFSX_FTYPE_FILE);
}

static int op_mkdir(void)
{
	return create(AFSX_FTYPE_DIR);
}

static int op_symlink(void)
{
	return create(AFSX_FTYPE_SYMLINK);
}

static int op_link(void)
{
	struct spot *old = a_spot(false), *dir = a_dir(), *s;

	if (!old || dir->fid.vid != old->fid.vid)
		return 0;
	s = new_spot(dir, old->type);
	if (!s)
		return 0;
	s->fid = old->fid;
	return store_link(ops.tx, &dir->fid, s->name, strlen(s->name), &s->fid);
}

static int rename_to(struct spot *from, struct spot *to)
{
	return store_rename(ops.tx, &from->dir, from->name, strlen(from->name),
			    &to->dir, to->name, strlen(to->name));
}

static int op_rename(void)
{
	struct spot *from = a_spot(false), *dir = a_dir(), *to;
	int ret;

	if (!from || dir->fid.vid != from->fid.vid)
		return 0;
	to = new_spot(dir, from->type);
	if (!to)
		return 0;
	to->fid = from->fid;
	ret = rename_to(from, to);
	drop_spot(from);
	return ret;
}

static int op_rename_over(void)
{
	struct spot *from = a_spot(false), *to = a_spot(false);
	int ret;

	if (!from || !to || from->fid.vid != to->fid.vid ||
	    afsx_fid_eq(&from->fid, &to->fid))
		return 0;
	ret = rename_to(from, to);
	to->fid = from->fid;
	to->type = from->type;
	drop_spot(from);
	return ret;
}

static int remove_spot(struct spot *s)
{
	int ret = store_unlink(ops.tx, &s->dir, s->name, strlen(s->name),
			       is_dir(s), NULL);

	drop_spot(s);
	return ret;
}

static int op_unlink(void)
{
	struct spot *s = a_spot(false);

	return s ? remove_spot(s) : 0;
}

static int op_rmdir(void)
{
	struct spot *s = a_spot(true);

	return s && !s->inside ? remove_spot(s) : 0;
}

static int op_chmod(void)
{
	struct spot *s = pick(5) ? a_spot(false) : a_dir();
	struct store_attr attr = { .mask = STORE_SET_MODE,
				   .mode = (u32)pick(01000) };

	return s ? store_setattr(ops.tx, &s->fid, &attr) : 0;
}

static int op_setattr(void)
{
	struct spot *s = pick(5) ? a_spot(false) : a_dir();
	struct store_attr attr = {
		.mask = STORE_SET_OWNER | STORE_SET_GROUP | STORE_SET_AUTHOR |
			STORE_SET_MTIME,
		.owner = (u32)pick(U32_MAX),
		.group = (u32)pick(U32_MAX),
		.author = (u32)pick(U32_MAX),
		.mtime = (s64)pick(U32_MAX),
	};

	return s ? store_setattr(ops.tx, &s->fid, &attr) : 0;
}

static int op_acl(void)
{
	struct spot *s = a_dir();
	char acl[64];
	int len = snprintf(acl, sizeof(acl), "1\n0\nuser%ju 127\n",
			   (uintmax_t)pick(1000000));

	return store_acl_set(ops.tx, &s->fid, acl, pick(4) ? (size_t)len : 0);
}

/* In one transaction. */
static int op_many(void)
{
	u64 nr = pick(MANY);
	int ret = 0;

	while (!ret && nr--)
		ret = op_create();
	return ret;
}

static int op_few_left(void)
{
	int ret = 0;

	while (!ret && ops.nr > ENTRIES / 3 && pick(40))
		ret = pick(6) ? op_unlink() : op_rmdir();
	return ret;
}

/* ---- those that take SQL --------------------------------------------------------- */

static int op_write(void)
{
	static u8 data[WRITE_MAX];
	struct spot *s = a_file();
	size_t len = 1 + pick(WRITE_MAX);

	memset(data, (int)pick(256), len);
	return s ? store_write(ops.tx, &s->fid, pick(WRITE_MAX), data, len) : 0;
}

static int op_truncate(void)
{
	struct spot *s = a_file();
	struct store_attr attr = { .mask = STORE_SET_SIZE,
				   .size = pick(WRITE_MAX) };

	return s ? store_setattr(ops.tx, &s->fid, &attr) : 0;
}

static int op_clone(void)
{
	u32 id;

	return store_vol_clone(ops.tx, a_root()->fid.vid,
			       pick(2) ? AFSX_VOL_BACKUP : AFSX_VOL_RO, &id);
}

static int op_vol_create(void)
{
	struct spot *s = &ops.root[ops.volumes];
	char name[16];

	if (ops.volumes == VOLUMES)
		return 0;
	snprintf(name, sizeof(name), "vol%u", ops.volumes++);
	s->fid = (struct afsx_fid){ 0, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	s->type = AFSX_FTYPE_DIR;
	return store_vol_create(ops.tx, name, 100000, &s->fid.vid);
}

/* A file with contents, in one transaction. */
static int op_fill(void)
{
	int ret = op_create();

	return ret ? ret : op_write();
}

/* Clones go, so that changes can be light again. */
static int op_unclone(void)
{
	u32 vid = a_root()->fid.vid;
	int ret = store_vol_remove(ops.tx, vid + 1 + (u32)pick(2));

	return ret == -ENOMEDIUM ? 0 : ret;
}

/* ---- choosing -------------------------------------------------------------------- */

struct op {
	int (*fn)(void);
	u32 weight;
};

static const struct op light[] = {
	{ op_create, 20 }, { op_mkdir, 6 }, { op_symlink, 6 }, { op_link, 6 },
	{ op_rename, 8 }, { op_rename_over, 8 }, { op_unlink, 12 },
	{ op_rmdir, 6 }, { op_chmod, 14 }, { op_setattr, 6 }, { op_acl, 4 },
	{ op_many, 2 }, { op_few_left, 2 },
};

static const struct op heavy_too[] = {
	{ op_write, 10 }, { op_truncate, 3 }, { op_clone, 1 },
	{ op_unclone, 3 }, { op_vol_create, 1 }, { op_fill, 4 },
	{ op_create, 28 }, { op_rename_over, 10 }, { op_unlink, 20 },
	{ op_chmod, 20 },
};

static int choose(const struct op *list)
{
	u32 which = (u32)pick(100);

	while (which >= list->weight)
		which -= list++->weight;
	return list->fn();
}

int ops_run(u64 nr, bool heavy, bool sql)
{
	int ret;

	ops.state = ops.seed * 0x9e3779b97f4a7c15u ^ nr << 20;
	present = START_TIME + (s64)nr;
	ret = store_begin(st, &ops.tx);
	if (ret)
		return ret;
	if (sql)
		must(batch_sql(ops.tx), "begin by SQL");
	ret = choose(heavy ? heavy_too : light);
	if (ret)
		die("change %ju: %s", (uintmax_t)nr, strerror(-ret));
	return store_commit(ops.tx);
}

void ops_start(u64 seed, unsigned int wal_mib)
{
	memset(&ops, 0, sizeof(ops));
	ops.seed = seed;
	present = START_TIME;
	format_store(DEVICE, wal_mib);
	must(store_begin(st, &ops.tx), "begin");
	must(op_vol_create(), "volume");
	must(store_commit(ops.tx), "commit");
}
