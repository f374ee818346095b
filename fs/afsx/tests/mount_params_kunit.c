// SPDX-License-Identifier: GPL-2.0
/*
 * Mount options, sources and remounts, through the file system's own
 * fs_context operations. Expected values are those of the user guide.
 */
#include <kunit/test.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../cell.h"
#include "../compat.h"
#include "../mount_params.h"
#include "../super.h"
#include "../vnode.h"
#include "../volume.h"

#define NAME_64	"v123456789v123456789v123456789v123456789v123456789v123456789v123"

static struct fs_context *new_context(struct kunit *test)
{
	struct fs_context *fc = fs_context_for_mount(&afsx_fs_type, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fc);
	fc->log.log = kzalloc(sizeof(*fc->log.log), GFP_KERNEL);
	if (!fc->log.log) {
		put_fs_context(fc);
		KUNIT_FAIL_AND_ABORT(test, "no memory");
	}
	refcount_set(&fc->log.log->usage, 1);
	return fc;
}

/* The newest message of a context, "" when there is none. */
static const char *last_message(const struct fs_context *fc)
{
	const struct fc_log *log = fc->log.log;

	if (log->head == log->tail)
		return "";
	return log->buffer[(u8)(log->head - 1) & (ARRAY_SIZE(log->buffer) - 1)];
}

static void expect_message(struct kunit *test, const struct fs_context *fc,
			   const char *text)
{
	KUNIT_EXPECT_TRUE_MSG(test, strstr(last_message(fc), text),
			      "'%s' does not say '%s'", last_message(fc), text);
}

/* Set "key" or "key=value". */
static int set_option(struct fs_context *fc, const char *option)
{
	char key[16];
	size_t len = strcspn(option, "=");
	const char *value = option[len] ? option + len + 1 : NULL;

	strscpy(key, option, min(len + 1, sizeof(key)));
	return vfs_parse_fs_string(fc, key, value, value ? strlen(value) : 0);
}

struct good_option {
	const char *option;
	struct afsx_mount_params want;
};

static const struct good_option good_options[] = {
	{ "dyn", { .dyn = true, .given = BIT(AFSX_OPT_DYN) } },
	{ "rwpath", { .rwpath = true, .given = BIT(AFSX_OPT_RWPATH) } },
	{ "autocell", { .autocell = true, .given = BIT(AFSX_OPT_AUTOCELL) } },
	{ "noautocell", { .given = BIT(AFSX_OPT_AUTOCELL) } },
	{ "flock=local", { .flock = AFSX_FLOCK_LOCAL, .given = BIT(AFSX_OPT_FLOCK) } },
	{ "flock=openafs", { .flock = AFSX_FLOCK_OPENAFS, .given = BIT(AFSX_OPT_FLOCK) } },
	{ "flock=strict", { .flock = AFSX_FLOCK_STRICT, .given = BIT(AFSX_OPT_FLOCK) } },
	{ "flock=write", { .flock = AFSX_FLOCK_WRITE, .given = BIT(AFSX_OPT_FLOCK) } },
	{ "cell=example.com", { .cell_name = "example.com", .given = BIT(AFSX_OPT_CELL) } },
	{ "cell=EXAMPLE.com", { .cell_name = "EXAMPLE.com", .given = BIT(AFSX_OPT_CELL) } },
	{ "vol=root.cell", { .vol_name = "root.cell", .given = BIT(AFSX_OPT_VOL) } },
	{ "vol=%e.com:v", { .vol_name = "%e.com:v", .given = BIT(AFSX_OPT_VOL) } },
	{ "source=%e.com:v", { .given = BIT(AFSX_OPT_SOURCE) } },
};

static void good_options_test(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(good_options); i++) {
		const struct good_option *row = &good_options[i];
		struct fs_context *fc = new_context(test);
		const struct afsx_mount_params *have = fc->fs_private;

		KUNIT_EXPECT_EQ_MSG(test, set_option(fc, row->option), 0, "%s",
				    row->option);
		KUNIT_EXPECT_EQ_MSG(test, have->given, row->want.given, "%s", row->option);
		KUNIT_EXPECT_EQ_MSG(test, have->dyn, row->want.dyn, "%s", row->option);
		KUNIT_EXPECT_EQ_MSG(test, have->rwpath, row->want.rwpath, "%s", row->option);
		KUNIT_EXPECT_EQ_MSG(test, have->autocell, row->want.autocell, "%s",
				    row->option);
		KUNIT_EXPECT_EQ_MSG(test, have->flock, row->want.flock, "%s", row->option);
		KUNIT_EXPECT_STREQ(test, have->cell_name ?: "(none)",
				   row->want.cell_name ?: "(none)");
		KUNIT_EXPECT_STREQ(test, have->vol_name ?: "(none)",
				   row->want.vol_name ?: "(none)");
		put_fs_context(fc);
	}
}

struct bad_option {
	const char *first;	/* an option that is good, before the bad one */
	const char *option;
	int error;
	const char *message;
};

static const struct bad_option bad_options[] = {
	{ NULL, "dyn=1", -EINVAL, "'dyn'" },
	{ NULL, "dyn=", -EINVAL, "'dyn'" },
	{ NULL, "rwpath=yes", -EINVAL, "'rwpath'" },
	{ NULL, "autocell=1", -EINVAL, "'autocell'" },
	{ NULL, "nodyn", -EINVAL, "'nodyn'" },
	{ NULL, "norwpath", -EINVAL, "'norwpath'" },
	{ NULL, "flock", -EINVAL, "'flock'" },
	{ NULL, "flock=", -EINVAL, "'flock'" },
	{ NULL, "flock=bad", -EINVAL, "flock=bad: not local, openafs, strict or write" },
	{ NULL, "flock=LOCAL", -EINVAL, "flock=LOCAL" },
	{ NULL, "flock=local ", -EINVAL, "flock=local " },
	{ NULL, "cell", -EINVAL, "'cell'" },
	{ NULL, "cell=", -EINVAL, "'cell'" },
	{ NULL, "cell=.example.com", -EINVAL, "cell=.example.com: " },
	{ NULL, "cell=a..b", -EINVAL, "cell=a..b: " },
	{ NULL, "cell=a/b", -EINVAL, "cell=a/b: " },
	{ NULL, "cell=a b", -EINVAL, "cell=a b: " },
	{ NULL, "cell=" NAME_64 NAME_64 NAME_64 NAME_64, -ENAMETOOLONG, "cell=" },
	{ NULL, "vol", -EINVAL, "'vol'" },
	{ NULL, "vol=", -EINVAL, "'vol'" },
	{ NULL, "source=", -EINVAL, "'source'" },
	{ NULL, "bogus", -EINVAL, "'bogus'" },
	{ NULL, "bogus=1", -EINVAL, "'bogus'" },
	{ "source=%c.d:v", "source=%c.d:w", -EINVAL, "two sources, '%c.d:v' and '%c.d:w'" },
	{ "source=%c.d:v", "source=none", -EINVAL, "two sources" },
};

static void bad_options_test(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(bad_options); i++) {
		const struct bad_option *row = &bad_options[i];
		struct fs_context *fc = new_context(test);

		if (row->first)
			KUNIT_EXPECT_EQ(test, set_option(fc, row->first), 0);
		KUNIT_EXPECT_EQ_MSG(test, set_option(fc, row->option), row->error,
				    "%s", row->option);
		expect_message(test, fc, row->message);
		put_fs_context(fc);
	}
}

/* fsconfig() can hand over more than strings: none of it is wanted. */
static void bad_types_test(struct kunit *test)
{
	static const char * const keys[] = { "cell", "vol", "source", "flock", "dyn" };

	for (int i = 0; i < ARRAY_SIZE(keys); i++) {
		char blob[] = "blob";
		struct fs_parameter param = {
			.key	= keys[i],
			.type	= fs_value_is_blob,
			.blob	= blob,
			.size	= sizeof(blob),
		};
		struct fs_context *fc = new_context(test);

		KUNIT_EXPECT_EQ_MSG(test, vfs_parse_fs_param(fc, &param), -EINVAL,
				    "%s", keys[i]);
		expect_message(test, fc, keys[i]);
		put_fs_context(fc);
	}
}

/* mount(2) gives the device name first: "none" must not forbid source=. */
static void source_after_none_test(struct kunit *test)
{
	struct fs_context *fc = new_context(test);

	KUNIT_EXPECT_EQ(test, set_option(fc, "source=none"), 0);
	KUNIT_EXPECT_EQ(test, set_option(fc, "source=%c.d:v"), 0);
	KUNIT_EXPECT_EQ(test, set_option(fc, "source=%c.d:v"), 0);
	KUNIT_EXPECT_STREQ(test, fc->source, "%c.d:v");
	put_fs_context(fc);
}

struct get_tree_case {
	const char *options[4];
	int error;
	const char *message;
};

/* Refused before any server or the DNS is asked. */
static const struct get_tree_case get_tree_cases[] = {
	{ { }, -ENOMEDIUM, "no volume" },
	{ { "cell=c.d" }, -ENOMEDIUM, "no volume" },
	{ { "source=none" }, -EINVAL, "source 'none' needs dyn or vol=" },
	{ { "source=none", "cell=c.d" }, -EINVAL, "source 'none'" },
	{ { "source=root.cell" }, -EINVAL, "source 'root.cell': " },
	{ { "source=%" }, -EINVAL, "source '%': " },
	{ { "source=#" }, -EINVAL, "source '#': " },
	{ { "source=%:" }, -EINVAL, "source '%:': " },
	{ { "source=%:x" }, -EINVAL, "source '%:x': " },
	{ { "source=@c:x" }, -EINVAL, "source '@c:x': " },
	{ { "source=c:x" }, -EINVAL, "source 'c:x': " },
	{ { "source=%.c:x" }, -EINVAL, "source '%.c:x': " },
	{ { "source=%a/b:x" }, -EINVAL, "source '%a/b:x': " },
	{ { "source=%c:a/b" }, -EINVAL, "source '%c:a/b': " },
	{ { "source=%c:v:x" }, -EINVAL, "source '%c:v:x': " },
	{ { "source=%c v" }, -EINVAL, "source '%c v': " },
	{ { "source=%c:" }, -ENOMEDIUM, "source '%c:': " },
	{ { "source=%c:v" NAME_64 }, -ENAMETOOLONG, "source '%c:v" },
	{ { "vol=%c:" }, -ENOMEDIUM, "source '%c:': " },
	{ { "vol=a/b" }, -EINVAL, "source '#a/b': " },
	{ { "source=%c:v", "vol=%c:" }, -ENOMEDIUM, "source '%c:': " },
	{ { "dyn", "vol=v" }, -EINVAL, "dyn and vol=v" },
	{ { "cell=c.d", "dyn", "source=none" }, -EINVAL, "dyn and cell=c.d" },
};

static void get_tree_test(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(get_tree_cases); i++) {
		const struct get_tree_case *row = &get_tree_cases[i];
		struct fs_context *fc = new_context(test);

		for (int j = 0; j < ARRAY_SIZE(row->options) && row->options[j]; j++)
			KUNIT_EXPECT_EQ(test, set_option(fc, row->options[j]), 0);
		KUNIT_EXPECT_EQ_MSG(test, vfs_get_tree(fc), row->error, "row %d", i);
		KUNIT_EXPECT_NULL(test, fc->root);
		expect_message(test, fc, row->message);
		put_fs_context(fc);
	}
}

static void dup_test(struct kunit *test)
{
	static const char * const options[] = {
		"source=%c.d:v", "cell=e.f", "vol=w", "flock=write", "rwpath", "autocell",
	};
	struct fs_context *fc = new_context(test), *copy;
	const struct afsx_mount_params *have;

	for (int i = 0; i < ARRAY_SIZE(options); i++)
		KUNIT_EXPECT_EQ(test, set_option(fc, options[i]), 0);
	copy = vfs_dup_fs_context(fc);
	put_fs_context(fc);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, copy);

	have = copy->fs_private;
	KUNIT_EXPECT_STREQ(test, copy->source, "%c.d:v");
	KUNIT_EXPECT_STREQ(test, have->cell_name, "e.f");
	KUNIT_EXPECT_STREQ(test, have->vol_name, "w");
	KUNIT_EXPECT_EQ(test, have->flock, AFSX_FLOCK_WRITE);
	KUNIT_EXPECT_TRUE(test, have->rwpath);
	KUNIT_EXPECT_TRUE(test, have->autocell);
	KUNIT_EXPECT_FALSE(test, have->dyn);
	put_fs_context(copy);
}

/* A superblock of which only remount's part exists. */
struct fake_mount {
	struct super_block	sb;
	struct dentry		root;
	struct afsx_vnode	vnode;
	struct afsx_sb		sbi;
	struct afsx_volume	volume;
};

static struct fake_mount *fake_mount(struct kunit *test, int type)
{
	static const char name[] = "c.d";
	struct fake_mount *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	struct afsx_cell *cell = kunit_kzalloc(test, struct_size(cell, name, sizeof(name)),
					       GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	KUNIT_ASSERT_NOT_NULL(test, cell);
	cell->name_len = sizeof(name);
	memcpy(cell->name, name, sizeof(name));
	fake->volume.type = type;
	fake->volume.vid = 536870915 + type;
	strscpy(fake->volume.name, "v");
	fake->sbi.dyn = type == AFSX_VOL_TYPES;
	fake->sbi.cell = fake->sbi.dyn ? NULL : cell;
	fake->sbi.volume = fake->sbi.dyn ? NULL : &fake->volume;
	fake->sb.s_fs_info = &fake->sbi;
	fake->sb.s_root = &fake->root;
	fake->root.d_sb = &fake->sb;
	fake->root.d_inode = &fake->vnode.netfs.inode;
	return fake;
}

struct remount_case {
	int type;		/* enum afsx_voltype, or DYN */
	bool write;
	const char *options[2];
	int error;
	const char *message;
	enum afsx_flock flock;	/* afterwards */
	bool autocell;		/* afterwards */
};

#define RW	AFSX_VOL_RW
#define RO	AFSX_VOL_RO
#define BK	AFSX_VOL_BACKUP
#define DYN	AFSX_VOL_TYPES

static const struct remount_case remount_cases[] = {
	/* nothing asked */
	{ RW }, { RO }, { BK }, { DYN },
	/* what can change */
	{ RW, .options = { "flock=strict" }, .flock = AFSX_FLOCK_STRICT },
	{ RO, .options = { "flock=write" }, .flock = AFSX_FLOCK_WRITE },
	{ DYN, .options = { "flock=openafs" }, .flock = AFSX_FLOCK_OPENAFS },
	{ RW, .options = { "autocell" }, .autocell = true },
	{ BK, .options = { "autocell" }, .autocell = true },
	{ RW, .options = { "autocell", "noautocell" } },
	/* what /proc/mounts and fstab repeat */
	{ DYN, .options = { "dyn" } },
	{ DYN, .options = { "dyn", "source=none" } },
	{ RW, .options = { "source=%c.d:v" } },
	{ RW, .options = { "source=%C.D:v." } },
	{ RW, .options = { "source=#c.d:v" } },
	{ RO, .options = { "source=#c.d:v.readonly" } },
	{ RO, .options = { "source=%c.d:v.readonly" } },
	{ BK, .options = { "source=#c.d:v.backup" } },
	{ RW, .options = { "source=%c.d:536870915" } },
	{ RW, .options = { "cell=C.d", "vol=v" } },
	{ RW, .options = { "cell=c.d" } },
	{ RW, .options = { "rwpath" } },
	/* writing */
	{ RW, true, { }, -EROFS, "this version reads only" },
	{ DYN, true, { }, -EROFS, "this version reads only" },
	{ RO, true, { }, -EROFS, "read-only volume 'v' of cell 'c.d' can never be written" },
	{ BK, true, { }, -EROFS, "backup volume 'v' of cell 'c.d' can never be written" },
	{ RO, true, { "flock=strict" }, -EROFS, "can never be written" },
	/* another volume */
	{ RW, false, { "source=%c.d:w" }, -EINVAL, "cannot change the volume '%c.d:v'" },
	{ RW, false, { "source=%c.e:v" }, -EINVAL, "cannot change the volume '%c.d:v'" },
	{ RW, false, { "source=%c.d:1" }, -EINVAL, "cannot change the volume '%c.d:v'" },
	{ RW, false, { "source=#c.d:v.readonly" }, -EINVAL, "cannot change the volume" },
	{ RO, false, { "source=%c.d:v" }, -EINVAL, "cannot change the volume '#c.d:v'" },
	{ RO, false, { "source=#c.d:v.backup" }, -EINVAL, "cannot change the volume" },
	{ BK, false, { "source=#c.d:v.readonly" }, -EINVAL, "cannot change the volume" },
	{ RW, false, { "vol=w" }, -EINVAL, "cannot change the volume '%c.d:v'" },
	{ RW, false, { "cell=c.e", "vol=v" }, -EINVAL, "cannot change the volume" },
	{ RW, false, { "cell=c.e" }, -EINVAL, "cannot change the volume '%c.d:v'" },
	{ RW, false, { "source=none" }, -EINVAL, "source 'none'" },
	/* another kind */
	{ RW, false, { "dyn" }, -EINVAL, "cannot make a dynamic root of '%c.d:v'" },
	{ DYN, false, { "vol=v" }, -EINVAL, "cannot make a volume" },
	{ DYN, false, { "cell=c.d" }, -EINVAL, "cannot make a volume" },
	{ RO, false, { "rwpath" }, -EINVAL, "cannot apply rwpath to '#c.d:v'" },
	{ BK, false, { "rwpath" }, -EINVAL, "cannot apply rwpath to '#c.d:v.backup'" },
	/* a refusal changes nothing */
	{ RO, false, { "flock=strict", "rwpath" }, -EINVAL, "rwpath" },
	{ RW, false, { "autocell", "dyn" }, -EINVAL, "dynamic root" },
};

static void remount_test(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(remount_cases); i++) {
		const struct remount_case *row = &remount_cases[i];
		struct fake_mount *fake = fake_mount(test, row->type);
		struct fs_context *fc = new_context(test);

		for (int j = 0; j < ARRAY_SIZE(row->options) && row->options[j]; j++)
			KUNIT_EXPECT_EQ(test, set_option(fc, row->options[j]), 0);
		fc->sb_flags_mask = SB_RDONLY;
		fc->sb_flags = row->write ? 0 : SB_RDONLY;
		fc->root = &fake->root;
		KUNIT_EXPECT_EQ_MSG(test, fc->ops->reconfigure(fc), row->error,
				    "row %d: %s", i, last_message(fc));
		fc->root = NULL;
		if (row->error)
			expect_message(test, fc, row->message);
		KUNIT_EXPECT_EQ_MSG(test, fake->sbi.flock, row->flock, "row %d", i);
		KUNIT_EXPECT_EQ_MSG(test, fake->sbi.autocell, row->autocell, "row %d", i);
		KUNIT_EXPECT_EQ_MSG(test, test_bit(AFSX_V_AUTOCELL, &fake->vnode.flags),
				    row->autocell, "row %d", i);
		put_fs_context(fc);
	}
}

static void flock_name_test(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, afsx_flock_name(AFSX_FLOCK_UNSET));
	KUNIT_EXPECT_STREQ(test, afsx_flock_name(AFSX_FLOCK_LOCAL), "local");
	KUNIT_EXPECT_STREQ(test, afsx_flock_name(AFSX_FLOCK_OPENAFS), "openafs");
	KUNIT_EXPECT_STREQ(test, afsx_flock_name(AFSX_FLOCK_STRICT), "strict");
	KUNIT_EXPECT_STREQ(test, afsx_flock_name(AFSX_FLOCK_WRITE), "write");
}

static struct kunit_case afsx_mount_params_cases[] = {
	KUNIT_CASE(good_options_test),
	KUNIT_CASE(bad_options_test),
	KUNIT_CASE(bad_types_test),
	KUNIT_CASE(source_after_none_test),
	KUNIT_CASE(get_tree_test),
	KUNIT_CASE(dup_test),
	KUNIT_CASE(remount_test),
	KUNIT_CASE(flock_name_test),
	{}
};

static struct kunit_suite afsx_mount_params_suite = {
	.name		= "afsx_mount_params",
	.test_cases	= afsx_mount_params_cases,
};

kunit_test_suite(afsx_mount_params_suite);

MODULE_DESCRIPTION("KUnit tests of the mount parameters of afsx");
MODULE_LICENSE("GPL");
AFSX_IMPORT_KUNIT_NS();
