// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Messages of the file server that change something: golden words laid out by
 * hand from afsint.xg and common.xg.
 */
#include "wire_status.h"
#include "wire_util.h"

/* AFSStoreStatus: its mask, ClientModTime, Owner, Group, UnixModeBits, SegSize */
#define IN { \
	.mask = AFSX_SET_MTIME | AFSX_SET_MODE, .mtime = 0xf0000001, .owner = 0x71, \
	.group = 0x72, .mode = 0640, .seg_size = 0x73 }

static const struct afsx_store_data_args store = {
	.fid = ROOT, .in = IN, .pos = 0xffffffff, .len = 0x80000000, .file_len = 7,
};

static const u32 store_args[] = {
	133, 0x20000003, 1, 1, 9, 0xf0000001, 0x71, 0x72, 0640, 0x73, 0xffffffff, 0x80000000, 7,
};

static const struct afsx_store_data_args store64 = {
	.fid = ROOT, .in = IN, .pos = 0xfedcba9876543210ULL, .len = 0x100000000ULL,
	.file_len = U64_MAX,
};

static const u32 store64_args[] = {
	65538, 0x20000003, 1, 1, 9, 0xf0000001, 0x71, 0x72, 0640, 0x73, 0xfedcba98, 0x76543210, 1,
	0, 0xffffffff, 0xffffffff,
};

static const struct afsx_store_acl_args acl = { .fid = ROOT, .acl = STR("0\n0\n\0x") };

static const u32 acl_args[] = { 164, 0x20000003, 1, 1, 6, 0x300a300a, 0x00780000 };
static const u32 old_acl_args[] = { 134, 0x20000003, 1, 1, 6, 0x300a300a, 0x00780000 };

static const struct afsx_store_status_args set_status = { .fid = ROOT, .in = IN };

static const u32 set_status_args[] = {
	135, 0x20000003, 1, 1, 9, 0xf0000001, 0x71, 0x72, 0640, 0x73,
};

static const struct afsx_lookup_args removal = { .dir = ROOT, .name = STR("passwd") };

static const u32 remove_file_args[] = { 136, 0x20000003, 1, 1, 6, 0x70617373, 0x77640000 };
static const u32 remove_dir_args[] = { 142, 0x20000003, 1, 1, 6, 0x70617373, 0x77640000 };

static const struct afsx_create_args create = {
	.dir = ROOT, .name = STR("passwd"), .in = IN,
};

static const u32 create_file_args[] = {
	137, 0x20000003, 1, 1, 6, 0x70617373, 0x77640000, 9, 0xf0000001, 0x71, 0x72, 0640, 0x73,
};

static const u32 make_dir_args[] = {
	141, 0x20000003, 1, 1, 6, 0x70617373, 0x77640000, 9, 0xf0000001, 0x71, 0x72, 0640, 0x73,
};

static const struct afsx_rename_args rename_ = {
	.from_dir = { 1, 2, 3 }, .from = STR("passwd"), .to_dir = { 4, 5, 6 }, .to = STR("abc"),
};

static const u32 rename_args[] = {
	138, 1, 2, 3, 6, 0x70617373, 0x77640000, 4, 5, 6, 3, 0x61626300,
};

static const struct afsx_symlink_args symlink_ = {
	.dir = ROOT, .name = STR("passwd"), .target = STR("../up"), .in = IN,
};

static const u32 symlink_args[] = {
	139, 0x20000003, 1, 1, 6, 0x70617373, 0x77640000, 5, 0x2e2e2f75, 0x70000000, 9, 0xf0000001,
	0x71, 0x72, 0640, 0x73,
};

static const struct afsx_link_args link_ = {
	.dir = ROOT, .name = STR("passwd"), .fid = { 7, 8, 9 },
};

static const u32 link_args[] = { 140, 0x20000003, 1, 1, 6, 0x70617373, 0x77640000, 7, 8, 9 };

static const struct afsx_set_volume_args set_volume = {
	.vid = 0x20000003, .mask = AFSX_SET_MAX_QUOTA, .min_quota = -1, .max_quota = 5000,
	.name = STR("passwd"), .offline_msg = STR("abc"), .motd = STR(""),
};

static const u32 set_volume_args[] = {
	150, 0x20000003, 2, 0xffffffff, 5000, 6, 0x70617373, 0x77640000, 3, 0x61626300, 0,
};

static const struct afsx_set_lock_args set_lock = { .fid = ROOT, .type = AFSX_LOCK_WRITE };

static const u32 set_lock_args[] = { 156, 0x20000003, 1, 1, 1 };

static const struct afsx_fetch_status_args fid = { .fid = ROOT };

static const u32 extend_lock_args[] = { 157, 0x20000003, 1, 1 };
static const u32 release_lock_args[] = { 158, 0x20000003, 1, 1 };

static const struct afsx_flush_cps_args flush = {
	.nr_ids = 2, .id = { 5, 6 }, .nr_addrs = 1, .addr = { 0x7f000001 }, .spare = 9,
};

static const u32 flush_args[] = { 162, 2, 5, 6, 1, 0x7f000001, 9 };

static const struct afsx_store_reply stored = { .status = STATUS_A, .sync = VOLSYNC };

static const u32 stored_reply[] = {
	1, 2, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007, 0x1008, 0751, 0x100a, 0x100b, 0,
	0x100d, 0x100e, 0x100f, 0, 0x1011, 0x1012, 0x1013, 0x1014, 0x60000000, 11, 12, 13, 14, 15,
};

static const struct afsx_lookup_reply created = {
	.fid = { 1, 2, 3 }, .status = STATUS_A, .dir_status = STATUS_B, .cb = CALLBACK(60),
	.sync = VOLSYNC,
};

static const u32 created_reply[] = {
	1, 2, 3, 1, 2, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007, 0x1008, 0751, 0x100a,
	0x100b, 0, 0x100d, 0x100e, 0x100f, 0, 0x1011, 0x1012, 0x1013, 0x1014, 1, 1, 0x2002, 0x2003,
	0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0644, 0x200a, 0x200b, 0, 0x200d, 0x200e, 0x200f, 0,
	0x2011, 0x2012, 0x2013, 0x2014, 1, 60, 2, 0x60000000, 11, 12, 13, 14, 15,
};

static const struct afsx_rename_reply renamed = {
	.from_dir = STATUS_A, .to_dir = STATUS_B, .sync = VOLSYNC,
};

static const struct afsx_link_reply linked = {
	.status = STATUS_A, .dir_status = STATUS_B, .sync = VOLSYNC,
};

static const u32 two_reply[] = {
	1, 2, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007, 0x1008, 0751, 0x100a, 0x100b, 0,
	0x100d, 0x100e, 0x100f, 0, 0x1011, 0x1012, 0x1013, 0x1014, 1, 1, 0x2002, 0x2003, 0x2004,
	0x2005, 0x2006, 0x2007, 0x2008, 0644, 0x200a, 0x200b, 0, 0x200d, 0x200e, 0x200f, 0, 0x2011,
	0x2012, 0x2013, 0x2014, 0x60000000, 11, 12, 13, 14, 15,
};

static const struct afsx_symlink_reply symlinked = {
	.fid = { 1, 2, 3 }, .status = STATUS_A, .dir_status = STATUS_B, .sync = VOLSYNC,
};

static const u32 symlinked_reply[] = {
	1, 2, 3, 1, 2, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007, 0x1008, 0751, 0x100a,
	0x100b, 0, 0x100d, 0x100e, 0x100f, 0, 0x1011, 0x1012, 0x1013, 0x1014, 1, 1, 0x2002, 0x2003,
	0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0644, 0x200a, 0x200b, 0, 0x200d, 0x200e, 0x200f, 0,
	0x2011, 0x2012, 0x2013, 0x2014, 0x60000000, 11, 12, 13, 14, 15,
};

static const struct afsx_sync_reply locked = { .sync = VOLSYNC };

static const u32 sync_reply[] = { 0x60000000, 11, 12, 13, 14, 15 };

static const struct afsx_flush_cps_reply flushed = { .spare = { 3, 4 } };

static const u32 flush_reply[] = { 3, 4 };

static const struct afsx_golden golden[] = {
	{ AFSX_FS_STORE_DATA, false, &store, store_args, ARRAY_SIZE(store_args) },
	{ AFSX_FS_OLD_STORE_ACL, false, &acl, old_acl_args, ARRAY_SIZE(old_acl_args) },
	{ AFSX_FS_STORE_STATUS, false, &set_status, set_status_args, ARRAY_SIZE(set_status_args) },
	{ AFSX_FS_REMOVE_FILE, false, &removal, remove_file_args, ARRAY_SIZE(remove_file_args) },
	{ AFSX_FS_CREATE_FILE, false, &create, create_file_args, ARRAY_SIZE(create_file_args) },
	{ AFSX_FS_RENAME, false, &rename_, rename_args, ARRAY_SIZE(rename_args) },
	{ AFSX_FS_SYMLINK, false, &symlink_, symlink_args, ARRAY_SIZE(symlink_args) },
	{ AFSX_FS_LINK, false, &link_, link_args, ARRAY_SIZE(link_args) },
	{ AFSX_FS_MAKE_DIR, false, &create, make_dir_args, ARRAY_SIZE(make_dir_args) },
	{ AFSX_FS_REMOVE_DIR, false, &removal, remove_dir_args, ARRAY_SIZE(remove_dir_args) },
	{ AFSX_FS_SET_VOLUME_STATUS, false, &set_volume, set_volume_args,
	  ARRAY_SIZE(set_volume_args) },
	{ AFSX_FS_SET_LOCK, false, &set_lock, set_lock_args, ARRAY_SIZE(set_lock_args) },
	{ AFSX_FS_EXTEND_LOCK, false, &fid, extend_lock_args, ARRAY_SIZE(extend_lock_args) },
	{ AFSX_FS_RELEASE_LOCK, false, &fid, release_lock_args, ARRAY_SIZE(release_lock_args) },
	{ AFSX_FS_FLUSH_CPS, false, &flush, flush_args, ARRAY_SIZE(flush_args) },
	{ AFSX_FS_STORE_ACL, false, &acl, acl_args, ARRAY_SIZE(acl_args) },
	{ AFSX_FS_STORE_DATA64, false, &store64, store64_args, ARRAY_SIZE(store64_args) },
	{ AFSX_FS_STORE_DATA, true, &stored, stored_reply, ARRAY_SIZE(stored_reply) },
	{ AFSX_FS_OLD_STORE_ACL, true, &stored, stored_reply, ARRAY_SIZE(stored_reply) },
	{ AFSX_FS_STORE_STATUS, true, &stored, stored_reply, ARRAY_SIZE(stored_reply) },
	{ AFSX_FS_REMOVE_FILE, true, &stored, stored_reply, ARRAY_SIZE(stored_reply) },
	{ AFSX_FS_CREATE_FILE, true, &created, created_reply, ARRAY_SIZE(created_reply) },
	{ AFSX_FS_RENAME, true, &renamed, two_reply, ARRAY_SIZE(two_reply) },
	{ AFSX_FS_SYMLINK, true, &symlinked, symlinked_reply, ARRAY_SIZE(symlinked_reply) },
	{ AFSX_FS_LINK, true, &linked, two_reply, ARRAY_SIZE(two_reply) },
	{ AFSX_FS_MAKE_DIR, true, &created, created_reply, ARRAY_SIZE(created_reply) },
	{ AFSX_FS_REMOVE_DIR, true, &stored, stored_reply, ARRAY_SIZE(stored_reply) },
	{ AFSX_FS_SET_LOCK, true, &locked, sync_reply, ARRAY_SIZE(sync_reply) },
	{ AFSX_FS_EXTEND_LOCK, true, &locked, sync_reply, ARRAY_SIZE(sync_reply) },
	{ AFSX_FS_RELEASE_LOCK, true, &locked, sync_reply, ARRAY_SIZE(sync_reply) },
	{ AFSX_FS_FLUSH_CPS, true, &flushed, flush_reply, ARRAY_SIZE(flush_reply) },
	{ AFSX_FS_STORE_ACL, true, &stored, stored_reply, ARRAY_SIZE(stored_reply) },
	{ AFSX_FS_STORE_DATA64, true, &stored, stored_reply, ARRAY_SIZE(stored_reply) },
};

static const struct afsx_golden_bad bad[] = {
	{ AFSX_FS_STORE_ACL, false, 4, 1025, "ACL too long" },
	{ AFSX_FS_CREATE_FILE, false, 4, 257, "name too long" },
	{ AFSX_FS_CREATE_FILE, false, 5, 0x70610073, "NUL in a name" },
	{ AFSX_FS_REMOVE_DIR, false, 4, 0xffffffff, "name as long as a word can say" },
	{ AFSX_FS_RENAME, false, 4, 257, "old name too long" },
	{ AFSX_FS_RENAME, false, 10, 257, "new name too long" },
	{ AFSX_FS_SYMLINK, false, 7, 1025, "target too long" },
	{ AFSX_FS_SYMLINK, false, 8, 0x2e002f75, "NUL in a target" },
	{ AFSX_FS_SET_VOLUME_STATUS, false, 5, 257, "volume name too long" },
	{ AFSX_FS_SET_VOLUME_STATUS, false, 8, 1025, "off-line message too long" },
	{ AFSX_FS_SET_VOLUME_STATUS, false, 10, 1025, "message of the day too long" },
	{ AFSX_FS_FLUSH_CPS, false, 1, 11, "too many ids" },
	{ AFSX_FS_FLUSH_CPS, false, 4, 11, "too many addresses" },
	{ AFSX_FS_STORE_DATA, true, 0, 0, "status version 0" },
	{ AFSX_FS_CREATE_FILE, true, 4, 4, "file type 4" },
	{ AFSX_FS_RENAME, true, 21, 2, "second status of version 2" },
};

static void rpc_fs_change_golden(struct kunit *test)
{
	for (u32 i = 0; i < ARRAY_SIZE(golden); i++)
		afsx_golden_check(test, &golden[i]);
}

static void rpc_fs_change_bad(struct kunit *test)
{
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		afsx_golden_refuse(test, golden, ARRAY_SIZE(golden), &bad[i]);
}

/* Values that have no place in the format, which the encoder must not cut to fit */
static void rpc_fs_change_cannot_encode(struct kunit *test)
{
	static const struct afsx_store_data_args far = { .pos = 1ULL << 32 };
	static const struct afsx_store_data_args much = { .len = 1ULL << 32 };
	static const struct afsx_store_data_args longer = { .file_len = 1ULL << 32 };
	static const struct afsx_flush_cps_args ids = { .nr_ids = 11 };
	static const struct afsx_flush_cps_args addrs = { .nr_addrs = 11 };
	static const struct {
		enum afsx_rpc_id id;
		const void *msg;
	} rows[] = {
		{ AFSX_FS_STORE_DATA, &far },
		{ AFSX_FS_STORE_DATA, &much },
		{ AFSX_FS_STORE_DATA, &longer },
		{ AFSX_FS_FLUSH_CPS, &ids },
		{ AFSX_FS_FLUSH_CPS, &addrs },
	};
	u8 *buf = kunit_kzalloc(test, 4096, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_EQ_MSG(test, afsx_rpc_encode_args(afsx_rpc(rows[i].id), rows[i].msg,
							       buf, 4096),
				    -EINVAL, "%u: %s", i, afsx_rpc(rows[i].id)->name);
}

/* What is sent again when no reply came, and what is followed by bulk data */
static void rpc_fs_change_flags(struct kunit *test)
{
	static const struct {
		enum afsx_rpc_id id;
		u32 flags;
	} rows[] = {
		{ AFSX_FS_STORE_DATA, AFSX_RPC_IDEMPOTENT | AFSX_RPC_BULK_REQUEST },
		{ AFSX_FS_STORE_DATA64, AFSX_RPC_IDEMPOTENT | AFSX_RPC_BULK_REQUEST },
		{ AFSX_FS_STORE_STATUS, AFSX_RPC_IDEMPOTENT },
		{ AFSX_FS_STORE_ACL, AFSX_RPC_IDEMPOTENT },
		{ AFSX_FS_EXTEND_LOCK, AFSX_RPC_IDEMPOTENT },
		{ AFSX_FS_CREATE_FILE, 0 },
		{ AFSX_FS_MAKE_DIR, 0 },
		{ AFSX_FS_SYMLINK, 0 },
		{ AFSX_FS_LINK, 0 },
		{ AFSX_FS_RENAME, 0 },
		{ AFSX_FS_REMOVE_FILE, 0 },
		{ AFSX_FS_REMOVE_DIR, 0 },
		{ AFSX_FS_SET_LOCK, 0 },
		{ AFSX_FS_RELEASE_LOCK, 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_EQ_MSG(test, afsx_rpc(rows[i].id)->flags, rows[i].flags, "%s",
				    afsx_rpc(rows[i].id)->name);
}

static struct kunit_case rpc_fs_change_cases[] = {
	KUNIT_CASE(rpc_fs_change_golden),
	KUNIT_CASE(rpc_fs_change_bad),
	KUNIT_CASE(rpc_fs_change_cannot_encode),
	KUNIT_CASE(rpc_fs_change_flags),
	{}
};

static struct kunit_suite rpc_fs_change_suite = {
	.name = "afsx-rpc-fs-change",
	.test_cases = rpc_fs_change_cases,
};

kunit_test_suite(rpc_fs_change_suite);
