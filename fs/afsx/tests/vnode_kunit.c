// SPDX-License-Identifier: GPL-2.0
/*
 * What a status may say, and what is made of it: kind, mode, inode number,
 * permission.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/string.h>

#include "../compat.h"
#include "../security.h"
#include "../validate.h"
#include "../vnode.h"

#define FILE_VNODE	2
#define DIR_VNODE	3

static const struct {
	const char *what;
	u32 vnode;
	u32 if_version;
	u32 type;
	u64 size;
	int error;
} statuses[] = {
	{ "file", FILE_VNODE, 1, AFSX_FTYPE_FILE, 0, 0 },
	{ "directory", DIR_VNODE, 1, AFSX_FTYPE_DIR, 2048, 0 },
	{ "link", FILE_VNODE, 1, AFSX_FTYPE_SYMLINK, 5, 0 },
	{ "root", 1, 1, AFSX_FTYPE_DIR, 2048, 0 },
	{ "largest file", FILE_VNODE, 1, AFSX_FTYPE_FILE, S64_MAX, 0 },
	{ "too large", FILE_VNODE, 1, AFSX_FTYPE_FILE, 1ULL << 63, -EIO },
	{ "error entry", FILE_VNODE, 0, AFSX_FTYPE_FILE, 0, -EIO },
	{ "newer format", FILE_VNODE, 2, AFSX_FTYPE_FILE, 0, -EIO },
	{ "no type", FILE_VNODE, 1, AFSX_FTYPE_INVALID, 0, -EIO },
	{ "unknown type", FILE_VNODE, 1, 4, 0, -EIO },
	{ "negative type", FILE_VNODE, 1, U32_MAX, 0, -EIO },
	{ "file with an odd vnode", DIR_VNODE, 1, AFSX_FTYPE_FILE, 0, -EIO },
	{ "link with an odd vnode", DIR_VNODE, 1, AFSX_FTYPE_SYMLINK, 1, -EIO },
	{ "directory with an even vnode", FILE_VNODE, 1, AFSX_FTYPE_DIR, 2048,
	  -EIO },
	{ "vnode 0", 0, 1, AFSX_FTYPE_FILE, 0, -EIO },
};

static void check_status_test(struct kunit *test)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		const struct afsx_fid fid = { 536870912, statuses[i].vnode, 1 };
		const struct afsx_status status = {
			.if_version = statuses[i].if_version,
			.type = statuses[i].type,
			.size = statuses[i].size,
			.nlink = 1,
		};

		KUNIT_EXPECT_EQ_MSG(test, afsx_vnode_check_status(&fid, &status),
				    statuses[i].error, "%s", statuses[i].what);
	}
}

static const struct {
	u32 type;
	u32 mode;
	bool mntpt;
	umode_t expect;
} modes[] = {
	{ AFSX_FTYPE_FILE, 0644, false, S_IFREG | 0644 },
	{ AFSX_FTYPE_FILE, 04755, false, S_IFREG | 04755 },
	{ AFSX_FTYPE_FILE, 0, false, S_IFREG },
	{ AFSX_FTYPE_FILE, 0107777, false, S_IFREG | 07777 },
	{ AFSX_FTYPE_DIR, 01777, false, S_IFDIR | 01777 },
	{ AFSX_FTYPE_DIR, 0644, false, S_IFDIR | 0644 },
	{ AFSX_FTYPE_SYMLINK, 0755, false, S_IFLNK | 0777 },
	{ AFSX_FTYPE_SYMLINK, 0001, false, S_IFLNK | 0777 },
	{ AFSX_FTYPE_SYMLINK, 0644, true, S_IFDIR | 0555 },
	{ AFSX_FTYPE_SYMLINK, 0, true, S_IFDIR | 0555 },
};

static void mode_test(struct kunit *test)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		const struct afsx_status status = {
			.type = modes[i].type,
			.mode = modes[i].mode,
		};

		KUNIT_EXPECT_EQ(test, afsx_status_is_mntpt(&status),
				modes[i].mntpt);
		KUNIT_EXPECT_EQ(test, afsx_status_mode(&status),
				modes[i].expect);
	}
}

static const struct {
	u32 vnode;
	u32 unique;
	u64 ino;
} numbers[] = {
	{ 1, 1, 1 },
	{ 2, 1, 2 },
	{ 1, 2, 0x100000001 },
	{ U32_MAX, U32_MAX, 0xfffffffeffffffff },
	{ 2, 0, 0xffffffff00000002 },
};

static void number_test(struct kunit *test)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		KUNIT_EXPECT_EQ(test, afsx_fid_ino(numbers[i].vnode,
						   numbers[i].unique),
				numbers[i].ino);
}

#define RL	(AFSX_ACE_READ | AFSX_ACE_LOOKUP)
#define RLW	(RL | AFSX_ACE_WRITE)

static const struct {
	umode_t mode;
	u32 access;
	int mask;
	bool allowed;
} accesses[] = {
	/* A directory: its mode says nothing. */
	{ S_IFDIR, AFSX_ACE_LOOKUP, MAY_EXEC, true },
	{ S_IFDIR, AFSX_ACE_LOOKUP, MAY_READ, true },
	{ S_IFDIR | 0777, AFSX_ACE_READ, MAY_READ, false },
	{ S_IFDIR | 0777, 0, MAY_EXEC, false },
	{ S_IFDIR | 0777, RL, MAY_WRITE, false },
	{ S_IFDIR, AFSX_ACE_LOOKUP | AFSX_ACE_INSERT, MAY_WRITE | MAY_EXEC,
	  true },
	{ S_IFDIR, AFSX_ACE_DELETE, MAY_WRITE, true },
	{ S_IFDIR, AFSX_ACE_DELETE, MAY_WRITE | MAY_EXEC, false },
	/* A file: both the ACL and the owner's bits. */
	{ S_IFREG | 0400, RL, MAY_READ, true },
	{ S_IFREG | 0044, RL, MAY_READ, false },
	{ S_IFREG | 0777, AFSX_ACE_LOOKUP, MAY_READ, false },
	{ S_IFREG | 0777, AFSX_ACE_READ, MAY_READ, false },
	{ S_IFREG | 0200, RLW, MAY_WRITE, true },
	{ S_IFREG | 0400, RLW, MAY_WRITE, false },
	{ S_IFREG | 0600, RL, MAY_READ | MAY_WRITE, false },
	{ S_IFREG | 0600, RLW, MAY_READ | MAY_WRITE, true },
	{ S_IFREG | 0100, RL, MAY_EXEC, true },
	{ S_IFREG | 0011, RL, MAY_EXEC, false },
	{ S_IFREG | 0777, AFSX_ACE_LOOKUP, MAY_EXEC, false },
};

static void access_test(struct kunit *test)
{
	for (size_t i = 0; i < ARRAY_SIZE(accesses); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    afsx_access_allows(accesses[i].mode,
						       accesses[i].access,
						       accesses[i].mask),
				    accesses[i].allowed, "row %zu", i);
}

static struct kunit_case vnode_cases[] = {
	KUNIT_CASE(check_status_test),
	KUNIT_CASE(mode_test),
	KUNIT_CASE(number_test),
	KUNIT_CASE(access_test),
	{}
};

static struct kunit_suite vnode_suite = {
	.name = "afsx_vnode",
	.test_cases = vnode_cases,
};

kunit_test_suite(vnode_suite);

MODULE_DESCRIPTION("KUnit tests of the afsx vnodes");
MODULE_LICENSE("GPL");
AFSX_IMPORT_KUNIT_NS();
