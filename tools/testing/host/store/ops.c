// SPDX-License-Identifier: MIT
/*
 * store-test ops URI DIRECTORY SEED COUNT: the same random operations on a volume and
 * on a directory of the local file system, which says what is right: every
 * result, and now and then every name and byte, clones included.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sound.h"
#include "store-test.h"

#define NAMES		8u		/* different names in a directory */
#define WRITE_MAX	(3u * 1024 * 1024)
#define COLLECT_STEP	50

/* A path in both worlds. */
struct spot {
	char path[256];		/* below the volume's root */
	char local[512];
	struct afsx_fid dir;	/* where its last name is */
	char name[8];
	int err;		/* why @dir cannot be reached */
};

static struct store *st;
static struct store_tx *tx;
static const char *uri, *top;
static u32 vid;
static bool cloned[AFSX_VOL_TYPES];
static u8 data[WRITE_MAX];

static u32 pick(u32 n)
{
	return (u32)random() % n;
}

static void walk(struct spot *s, char *parts[], u32 n)
{
	struct afsx_fid dir = { vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	struct store_status status;

	for (u32 i = 0; i + 1 < n && !s->err; i++) {
		s->err = store_tx_lookup(tx, &dir, parts[i], strlen(parts[i]),
					 &dir);
		if (!s->err)
			s->err = store_tx_getattr(tx, &dir, &status);
		/* links lead nowhere */
		if (!s->err && status.type == AFSX_FTYPE_SYMLINK)
			s->err = -ENOENT;
		else if (!s->err && status.type != AFSX_FTYPE_DIR)
			s->err = -ENOTDIR;
	}
	s->dir = dir;
}

static struct spot pick_spot(void)
{
	char names[3][8], *parts[3] = { names[0], names[1], names[2] };
	struct spot s = { .err = 0 };
	u32 n = 1 + pick(3);

	for (u32 i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "n%u", pick(NAMES));
		strcat(s.path, "/");
		strcat(s.path, names[i]);
	}
	snprintf(s.local, sizeof(s.local), "%s/live%s", top, s.path);
	memcpy(s.name, names[n - 1], sizeof(s.name));
	walk(&s, parts, n);
	return s;
}

static int local(int ret)
{
	return ret < 0 ? -errno : 0;
}

static int make(const struct spot *s, enum afsx_ftype type, u32 mode,
		const char *target)
{
	struct store_attr attr = { .mask = STORE_SET_MODE, .mode = mode };
	struct afsx_fid fid;

	return s->err ? s->err : store_create(tx, &s->dir, s->name,
					      strlen(s->name), type, &attr,
					      target, &fid);
}

/* The vnode at a spot, when the local file system has a plain file there. */
static bool plain_file(const struct spot *s, struct afsx_fid *fid)
{
	struct stat l;
	int ret;

	if (lstat(s->local, &l) || !S_ISREG(l.st_mode))
		return false;
	ret = s->err ? s->err : store_tx_lookup(tx, &s->dir, s->name,
						strlen(s->name), fid);
	if (ret)
		die("%s: a file there, but not here: %s", s->path,
		    strerror(-ret));
	return true;
}

/* ---- operations: each gives what the store said and what is right ------------ */

static int op_create(int *right)
{
	struct spot s = pick_spot();
	int fd = open(s.local, O_CREAT | O_EXCL | O_WRONLY, 0640);

	*right = local(fd);
	if (fd >= 0)
		close(fd);
	return make(&s, AFSX_FTYPE_FILE, 0640, NULL);
}

static int op_mkdir(int *right)
{
	struct spot s = pick_spot();

	*right = local(mkdir(s.local, 0751));
	return make(&s, AFSX_FTYPE_DIR, 0751, NULL);
}

static int op_symlink(int *right)
{
	struct spot s = pick_spot();
	char target[64];

	snprintf(target, sizeof(target), "no/such/place/%u", pick(1000));
	*right = local(symlink(target, s.local));
	return make(&s, AFSX_FTYPE_SYMLINK, 0777, target);
}

static int op_unlink(int *right)
{
	struct spot s = pick_spot();

	*right = local(unlink(s.local));
	return s.err ? s.err : store_unlink(tx, &s.dir, s.name, strlen(s.name),
					    false, NULL);
}

static int op_rmdir(int *right)
{
	struct spot s = pick_spot();

	*right = local(rmdir(s.local));
	return s.err ? s.err : store_unlink(tx, &s.dir, s.name, strlen(s.name),
					    true, NULL);
}

static int op_rename(int *right)
{
	struct spot a = pick_spot(), b = pick_spot();

	*right = local(rename(a.local, b.local));
	if (a.err || b.err)
		return a.err ? a.err : b.err;
	return store_rename(tx, &a.dir, a.name, strlen(a.name), &b.dir, b.name,
			    strlen(b.name));
}

static int op_link(int *right)
{
	struct spot a = pick_spot(), b = pick_spot();
	struct afsx_fid fid;

	*right = 0;
	if (!plain_file(&a, &fid))
		return 0;
	*right = local(link(a.local, b.local));
	return b.err ? b.err : store_link(tx, &b.dir, b.name, strlen(b.name),
					  &fid);
}

static int op_write(int *right)
{
	struct spot s = pick_spot();
	u64 off = pick(4) ? pick(20000) : pick(4 * 1024 * 1024);
	size_t len = 1 + (pick(4) ? pick(10000) : pick(WRITE_MAX - 1));
	struct afsx_fid fid;
	int fd;

	*right = 0;
	if (!plain_file(&s, &fid))
		return 0;
	memset(data, 1 + (int)pick(255), len);
	data[len / 2] = (u8)pick(256);
	fd = open(s.local, O_WRONLY);
	*right = pwrite(fd, data, len, (off_t)off) == (ssize_t)len ? 0 : -EIO;
	close(fd);
	return store_write(tx, &fid, off, data, len);
}

static int op_truncate(int *right)
{
	struct spot s = pick_spot();
	struct store_attr attr = { .mask = STORE_SET_SIZE };
	struct afsx_fid fid;

	*right = 0;
	if (!plain_file(&s, &fid))
		return 0;
	attr.size = pick(3) ? pick(30000) : pick(5 * 1024 * 1024);
	*right = local(truncate(s.local, (off_t)attr.size));
	return store_setattr(tx, &fid, &attr);
}

static int op_chmod(int *right)
{
	struct spot s = pick_spot();
	struct store_attr attr = { .mask = STORE_SET_MODE, .mode = pick(01000) };
	struct afsx_fid fid;

	attr.mode |= 0600;
	*right = 0;
	if (!plain_file(&s, &fid))
		return 0;
	*right = local(chmod(s.local, attr.mode));
	return store_setattr(tx, &fid, &attr);
}

static const struct {
	const char *name;
	int (*run)(int *right);
	u32 weight;
} ops[] = {
	{ "create", op_create, 14 },
	{ "mkdir", op_mkdir, 8 },
	{ "symlink", op_symlink, 4 },
	{ "unlink", op_unlink, 8 },
	{ "rmdir", op_rmdir, 6 },
	{ "rename", op_rename, 14 },
	{ "link", op_link, 8 },
	{ "write", op_write, 24 },
	{ "truncate", op_truncate, 10 },
	{ "chmod", op_chmod, 4 },
};

/* ---- between operations ------------------------------------------------------- */

static void begin_tx(void)
{
	int ret = store_begin(st, &tx);

	if (ret)
		die("cannot begin: %s", strerror(-ret));
}

static void commit_tx(void)
{
	int ret = store_commit(tx);

	tx = NULL;
	if (ret)
		die("cannot commit: %s", strerror(-ret));
}

static void shell(const char *fmt, const char *a, const char *b)
{
	char text[2048];

	snprintf(text, sizeof(text), fmt, a, b, a, b);
	if (system(text))
		die("%s: failed", text);
}

static void clone_volume(enum afsx_voltype type)
{
	const char *name = type == AFSX_VOL_RO ? "readonly" : "backup";
	char to[512], from[512];
	u32 id;
	int ret;

	ret = store_vol_clone(tx, vid, type, &id);
	if (ret || id != vid + type)
		die("clone: %s, id %u", strerror(-ret), id);
	snprintf(to, sizeof(to), "%s/%s", top, name);
	snprintf(from, sizeof(from), "%s/live", top);
	shell("rm -rf '%s' && cp -a '%s' '%s'", to, from);
	cloned[type] = true;
}

/* Changes that never happened. */
static void abort_something(void)
{
	struct afsx_fid root = { vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	struct afsx_fid fid;

	commit_tx();
	begin_tx();
	store_create(tx, &root, "aborted", 7, AFSX_FTYPE_FILE, NULL, NULL,
		     &fid);
	store_write(tx, &fid, 0, data, 1 + pick(100000));
	store_unlink(tx, &root, "n0", 2, false, NULL);
	store_abort(tx);
	begin_tx();
}

static void open_store(void)
{
	struct store_config cfg = { .uri = uri, .readers = 2 };
	struct errbuf err = { "" };

	if (store_open(&cfg, &st, &err))
		die("open: %s", err.text);
}

static void verify(bool reopen)
{
	static const char *const names[] = { "live", "readonly", "backup" };
	char path[512];

	if (reopen) {
		if (store_close(st))
			die("close failed");
		open_store();
	}
	for (u32 i = 0; i < AFSX_VOL_TYPES; i++) {
		if (i != AFSX_VOL_RW && !cloned[i])
			continue;
		snprintf(path, sizeof(path), "%s/%s", top, names[i]);
		compare_volume(st, vid + i, path);
	}
	if (check_store(st))
		die("the check found problems");
}

static void step(u32 i)
{
	u32 which = pick(100), op = 0;
	int right = 0, ret;

	while (which >= ops[op].weight)
		which -= ops[op++].weight;
	ret = ops[op].run(&right);
	if (ret != right)
		die("operation %u, %s: %s, should be: %s", i, ops[op].name,
		    strerror(-ret), strerror(-right));
	if (!pick(60))
		clone_volume(pick(2) ? AFSX_VOL_RO : AFSX_VOL_BACKUP);
	if (!pick(40))
		abort_something();
	if (pick(4))
		return;
	commit_tx();
	if (!pick(10))
		store_collect(st, COLLECT_STEP);
	if (!pick(60))
		verify(!pick(3));
	begin_tx();
}

int test_ops(int argc, char **argv)
{
	struct store_format_opts format = { .force = true };
	struct errbuf err = { "" };
	u32 count;

	if (argc != 5)
		die("usage: store-test ops URI DIRECTORY SEED COUNT");
	uri = argv[1];
	top = argv[2];
	srandom((unsigned int)atoi(argv[3]));
	count = (u32)atoi(argv[4]);
	umask(0);
	format.uri = uri;
	if (store_format(&format, &err))
		die("format: %s", err.text);
	open_store();
	begin_tx();
	if (store_vol_create(tx, "test", 0, &vid))
		die("create failed");
	shell("mkdir '%s%s'", top, "/live");
	for (u32 i = 0; i < count; i++)
		step(i);
	commit_tx();
	verify(false);
	while (store_collect(st, COLLECT_STEP) > 0)
		;
	verify(true);
	printf("%u operations, seed %s: same results, same trees\n", count,
	       argv[3]);
	return store_close(st) ? 1 : 0;
}
