// SPDX-License-Identifier: GPL-2.0
/*
 * The dynamic root: inode numbers, and a directory that tells the same in
 * readdir as in stat, with cells that come late.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/string.h>
#include <net/net_namespace.h>

#include "../cell.h"
#include "../compat.h"
#include "../dynroot.h"
#include "../net.h"
#include "../super.h"

#define MAX_ENTRIES	64

struct entry {
	char name[48];
	u64 ino;
	unsigned int type;
};

/* What readdir told, in calls of @limit entries each. */
struct listing {
	struct dir_context ctx;
	unsigned int limit;
	unsigned int in_call;
	unsigned int nr;
	struct entry entry[MAX_ENTRIES];
};

static const struct {
	u32 cell;
	bool rw;
	u64 ino;
} numbers[] = {
	{ 0, false, 4 }, { 0, true, 5 },
	{ 1, false, 6 }, { 1, true, 7 },
	{ 1000, false, 2004 }, { 1000, true, 2005 },
#if BITS_PER_LONG == 64
	{ U32_MAX, false, 8589934594ull }, { U32_MAX, true, 8589934595ull },
#endif
};

static void numbers_test(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(numbers); i++) {
		bool rw = !numbers[i].rw;

		KUNIT_EXPECT_EQ(test, (u64)afsx_dyn_ino(numbers[i].cell, numbers[i].rw),
				numbers[i].ino);
		KUNIT_EXPECT_EQ(test, afsx_dyn_ino_cell(numbers[i].ino, &rw),
				(u64)numbers[i].cell);
		KUNIT_EXPECT_EQ(test, rw, numbers[i].rw);
	}
}

/* Numbers rise without a gap, so no two entries share one. */
static void no_collision_test(struct kunit *test)
{
	ino_t last = AFSX_DYN_INO_CELL - 1;

	for (u32 cell = 0; cell < 1000; cell++) {
		KUNIT_ASSERT_EQ(test, afsx_dyn_ino(cell, false), last + 1);
		KUNIT_ASSERT_EQ(test, afsx_dyn_ino(cell, true), last + 2);
		last += 2;
	}
}

/* A position far out belongs to no cell, also when cells had wrapped around. */
static void far_position_test(struct kunit *test)
{
	static const u64 positions[] = { 1ull << 34, 1ull << 40, LLONG_MAX };
	bool rw;

	for (int i = 0; i < ARRAY_SIZE(positions); i++)
		KUNIT_EXPECT_GT(test, afsx_dyn_ino_cell(positions[i], &rw), (u64)U32_MAX);
}

static void add_cell(struct kunit *test, const char *name)
{
	static const u32 ip = 0xc0000201;	/* 192.0.2.1, for documentation */
	struct afsx_cell *cell;

	cell = afsx_cell_add(afsx_net(&init_net), name, strlen(name), &ip, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cell);
	afsx_cell_put(cell);
}

static struct vfsmount *mount_dyn(struct kunit *test)
{
	char options[] = "dyn";
	struct vfsmount *mnt;

	mnt = vfs_kern_mount(&afsx_fs_type, SB_KERNMOUNT, "none", options);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	return mnt;
}

static bool note_entry(struct dir_context *ctx, const char *name, int len,
		       loff_t pos, u64 ino, unsigned int type)
{
	struct listing *list = container_of(ctx, struct listing, ctx);
	struct entry *entry = &list->entry[list->nr];

	if (list->in_call == list->limit || list->nr == MAX_ENTRIES)
		return false;
	strscpy(entry->name, name, min_t(size_t, len + 1, sizeof(entry->name)));
	entry->ino = ino;
	entry->type = type;
	list->nr++;
	list->in_call++;
	return true;
}

static struct file *open_root(struct kunit *test, struct vfsmount *mnt)
{
	struct path path = { .mnt = mnt, .dentry = mnt->mnt_root };
	struct file *file = dentry_open(&path, O_RDONLY | O_DIRECTORY, current_cred());

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	return file;
}

static struct listing *new_listing(struct kunit *test, unsigned int limit)
{
	struct listing *list = kunit_kzalloc(test, sizeof(*list), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, list);
	list->limit = limit;
	list->ctx.actor = note_entry;
	return list;
}

/* One call of getdents; false at the end of the directory. */
static bool read_some(struct kunit *test, struct file *file, struct listing *list)
{
	list->in_call = 0;
	list->ctx.pos = file->f_pos;
	KUNIT_ASSERT_EQ(test, iterate_dir(file, &list->ctx), 0);
	file->f_pos = list->ctx.pos;
	return list->in_call > 0;
}

static unsigned int count_name(const struct listing *list, const char *name)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < list->nr; i++)
		count += !strcmp(list->entry[i].name, name);
	return count;
}

/* Every entry is found by its name, as what readdir said it is. */
static void expect_stat(struct kunit *test, struct vfsmount *mnt,
			const struct listing *list)
{
	for (unsigned int i = 0; i < list->nr; i++) {
		const struct entry *entry = &list->entry[i];
		struct path path;
		int ret;

		if (entry->name[0] == '.' && strspn(entry->name, ".") == strlen(entry->name))
			continue;
		ret = vfs_path_lookup(mnt->mnt_root, mnt, entry->name, 0, &path);
		KUNIT_EXPECT_EQ_MSG(test, ret, 0, "%s", entry->name);
		if (ret)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, (u64)d_inode(path.dentry)->i_ino, entry->ino,
				    "%s", entry->name);
		KUNIT_EXPECT_EQ_MSG(test, S_DT(d_inode(path.dentry)->i_mode), entry->type,
				    "%s", entry->name);
		path_put(&path);
	}
}

static void expect_distinct(struct kunit *test, const struct listing *list)
{
	for (unsigned int i = 2; i < list->nr; i++)		/* "." and ".." */
		for (unsigned int j = 0; j < i; j++)
			KUNIT_EXPECT_NE_MSG(test, list->entry[i].ino, list->entry[j].ino,
					    "%s and %s", list->entry[i].name,
					    list->entry[j].name);
}

static void readdir_equals_stat_test(struct kunit *test)
{
	static const char * const names[] = {
		".", "..", "kunit-a.example", ".kunit-a.example", "kunit-b", ".kunit-b",
	};
	struct listing *list = new_listing(test, MAX_ENTRIES);
	struct vfsmount *mnt;
	struct file *file;

	add_cell(test, "kunit-b");
	add_cell(test, "kunit-a.example");
	mnt = mount_dyn(test);
	file = open_root(test, mnt);
	while (read_some(test, file, list))
		;
	for (int i = 0; i < ARRAY_SIZE(names); i++)
		KUNIT_EXPECT_EQ_MSG(test, count_name(list, names[i]), 1, "%s", names[i]);
	expect_distinct(test, list);
	expect_stat(test, mnt, list);
	__fput_sync(file);
	kern_unmount(mnt);
}

/* Read in small pieces while cells are added: nothing twice, nothing lost. */
static void readdir_resumes_test(struct kunit *test)
{
	struct listing *whole = new_listing(test, MAX_ENTRIES);
	struct listing *pieces = new_listing(test, 1);
	struct vfsmount *mnt = mount_dyn(test);
	struct file *file = open_root(test, mnt);

	while (read_some(test, file, whole))
		;
	file->f_pos = 0;
	for (int i = 0; i < 5; i++)
		read_some(test, file, pieces);
	add_cell(test, "aaa-kunit-first");
	while (read_some(test, file, pieces))
		;
	KUNIT_EXPECT_EQ(test, pieces->nr, whole->nr + 2);
	for (unsigned int i = 0; i < whole->nr; i++)
		KUNIT_EXPECT_EQ_MSG(test, count_name(pieces, whole->entry[i].name), 1,
				    "%s", whole->entry[i].name);
	expect_distinct(test, pieces);
	expect_stat(test, mnt, pieces);
	__fput_sync(file);
	kern_unmount(mnt);
}

static int lookup_ino(struct vfsmount *mnt, const char *name, u64 *ino)
{
	struct path path;
	int ret = vfs_path_lookup(mnt->mnt_root, mnt, name, 0, &path);

	if (ret)
		return ret;
	*ino = d_inode(path.dentry)->i_ino;
	path_put(&path);
	return 0;
}

/* That a cell is unknown is remembered only until it is added. */
static void late_cell_test(struct kunit *test)
{
	struct vfsmount *mnt = mount_dyn(test);
	u64 ino, again, dotted;

	KUNIT_EXPECT_EQ(test, lookup_ino(mnt, "kunit-late", &ino), -ENOENT);
	KUNIT_EXPECT_EQ(test, lookup_ino(mnt, "kunit-late", &ino), -ENOENT);
	add_cell(test, "kunit-late");
	KUNIT_EXPECT_EQ(test, lookup_ino(mnt, "kunit-late", &ino), 0);
	KUNIT_EXPECT_EQ(test, lookup_ino(mnt, ".kunit-late", &dotted), 0);
	KUNIT_EXPECT_EQ(test, dotted, ino + 1);
	kern_unmount(mnt);

	/* The number belongs to the cell, not to the mount. */
	mnt = mount_dyn(test);
	KUNIT_EXPECT_EQ(test, lookup_ino(mnt, "kunit-late", &again), 0);
	KUNIT_EXPECT_EQ(test, again, ino);
	KUNIT_EXPECT_EQ(test, lookup_ino(mnt, "KUNIT-Late", &again), 0);
	KUNIT_EXPECT_EQ(test, again, ino);
	kern_unmount(mnt);
}

static void bad_names_test(struct kunit *test)
{
	static const char * const names[] = {
		"kunit-none", ".kunit-none", "a..b", "..a", "a b", "@sys", "%c", "#c", "a:b",
	};
	struct vfsmount *mnt = mount_dyn(test);
	u64 ino;

	for (int i = 0; i < ARRAY_SIZE(names); i++)
		KUNIT_EXPECT_EQ_MSG(test, lookup_ino(mnt, names[i], &ino), -ENOENT, "%s",
				    names[i]);
	kern_unmount(mnt);
}

static struct kunit_case afsx_dynroot_cases[] = {
	KUNIT_CASE(numbers_test),
	KUNIT_CASE(no_collision_test),
	KUNIT_CASE(far_position_test),
	KUNIT_CASE(readdir_equals_stat_test),
	KUNIT_CASE(readdir_resumes_test),
	KUNIT_CASE(late_cell_test),
	KUNIT_CASE(bad_names_test),
	{}
};

static struct kunit_suite afsx_dynroot_suite = {
	.name		= "afsx_dynroot",
	.test_cases	= afsx_dynroot_cases,
};

kunit_test_suite(afsx_dynroot_suite);

MODULE_DESCRIPTION("KUnit tests of the dynamic root of afsx");
MODULE_LICENSE("GPL");
AFSX_IMPORT_KUNIT_NS();
