// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Messages of the file server: golden words laid out by hand from afsint.xg
 * and common.xg, and requests as the kernel's own AFS client was seen to send
 * them.
 */
#include "wire_status.h"
#include "wire_util.h"

/* Requests of kafs 6.12.117 */
static const struct afsx_fetch_status_args root_args = { .fid = ROOT };

static const u32 fetch_status_args[] = { 0x84, 0x20000003, 1, 1 };

static const struct afsx_fetch_data_args kafs_fetch = { .fid = ROOT, .pos = 0, .len = 4096 };

static const u32 kafs_fetch_args[] = { 0x00010001, 0x20000003, 1, 1, 0, 0, 0, 0x1000 };

static const struct afsx_volume_args volume = { .vid = 0x20000003 };

static const u32 volume_args[] = { 0x95, 0x20000003 };

static const u32 give_up_all_args[] = { 0x00010003 };

static const u32 caps_args[] = { 0x00010004 };

static const struct afsx_bulk_status_args bulk = {
	.nr = 3,
	.fid = { { 0x20000003, 2, 3 }, { 0x20000003, 4, 5 }, { 0x20000003, 7, 9 } },
};

static const u32 inline_bulk_args[] = {
	0x00010000, 3, 0x20000003, 2, 3, 0x20000003, 4, 5, 0x20000003, 7, 9,
};

/* The rest follows the interface files. */
static const struct afsx_fetch_data_args big_fetch = {
	.fid = { 7, 8, 9 }, .pos = 0x7123456789abcdefULL, .len = S64_MAX,
};

static const u32 big_fetch_args[] = {
	65537, 7, 8, 9, 0x71234567, 0x89abcdef, 0x7fffffff, 0xffffffff,
};

static const struct afsx_fetch_data_args fetch = {
	.fid = { 7, 8, 9 }, .pos = 0x7fffffff, .len = 0x10000,
};

static const u32 fetch_args[] = { 130, 7, 8, 9, 0x7fffffff, 0x10000 };

static const u32 fetch_acl_args[] = { 131, 0x20000003, 1, 1 };

static const u32 bulk_args[] = { 155, 3, 0x20000003, 2, 3, 0x20000003, 4, 5, 0x20000003, 7, 9 };

static const struct afsx_bulk_status_args no_bulk;
static const u32 no_bulk_args[] = { 65536, 0 };

static const u32 get_root_volume_args[] = { 151 };

static const u32 get_time_args[] = { 153 };

static const struct afsx_lookup_args lookup = { .dir = ROOT, .name = STR("passwd") };

static const u32 lookup_args[] = { 161, 0x20000003, 1, 1, 6, 0x70617373, 0x77640000 };

static const struct afsx_cb_callback_args give_up = {
	.nr = 2, .fid = { { 1, 2, 3 }, { 4, 5, 6 } },
	.nr_cb = 2, .cb = { CALLBACK(100), CALLBACK(200) },
};

static const u32 give_up_args[] = {
	147, 2, 1, 2, 3, 4, 5, 6, 2, 1, 100, 2, 1, 200, 2,
};

static const struct afsx_status_reply status = {
	.status = STATUS_A, .cb = CALLBACK(7200), .sync = VOLSYNC,
};

static const u32 status_reply[] = {
	1, 2, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007, 0x1008, 0751, 0x100a, 0x100b,
	0, 0x100d, 0x100e, 0x100f, 0, 0x1011, 0x1012, 0x1013, 0x1014, 1, 0x1c20, 2,
	0x60000000, 11, 12, 13, 14, 15,
};

static const struct afsx_acl_reply acl = {
	.acl = STR("1\n0\nsystem:anyuser 127\n"), .status = STATUS_A, .sync = VOLSYNC,
};

static const u32 acl_reply[] = {
	0x17, 0x310a300a, 0x73797374, 0x656d3a61, 0x6e797573, 0x65722031, 0x32370a00, 1, 2,
	0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007, 0x1008, 0751, 0x100a, 0x100b, 0,
	0x100d, 0x100e, 0x100f, 0, 0x1011, 0x1012, 0x1013, 0x1014, 0x60000000, 11, 12, 13,
	14, 15,
};

static const struct afsx_bulk_status_reply bulk_answer = {
	.nr = 2, .status = { STATUS_A, STATUS_B },
	.nr_cb = 2, .cb = { CALLBACK(60), CALLBACK(61) },
	.sync = VOLSYNC,
};

static const u32 bulk_reply[] = {
	2, 1, 2, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007, 0x1008, 0751, 0x100a,
	0x100b, 0, 0x100d, 0x100e, 0x100f, 0, 0x1011, 0x1012, 0x1013, 0x1014, 1, 1, 0x2002,
	0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0644, 0x200a, 0x200b, 0, 0x200d,
	0x200e, 0x200f, 0, 0x2011, 0x2012, 0x2013, 0x2014, 2, 1, 0x3c, 2, 1, 0x3d, 2,
	0x60000000, 11, 12, 13, 14, 15,
};

static const struct afsx_bulk_status_reply inline_answer = {
	.nr = 3,
	.status = {
		STATUS_C,
		{ .if_version = 0, .abort_code = AFSX_VNOVNODE },
		{ .if_version = 1, .abort_code = 13 },
	},
	.nr_cb = 3, .cb = { CALLBACK(60), {}, {} },
	.sync = VOLSYNC,
};

static const u32 inline_reply[] = {
	3, 1, 3, 0x3002, 0x3003, 0x3004, 0x3005, 0x3006, 0x3007, 0x3008, 0777, 0x300a,
	0x300b, 0, 0x300d, 0x300e, 0x300f, 0, 0x3011, 0x3012, 0x3013, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x66, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0xd, 3, 1, 0x3c, 2, 0, 0, 0, 0, 0, 0, 0x60000000, 11, 12,
	13, 14, 15,
};

static const struct afsx_bulk_status_reply no_cbs = {
	.nr = 1, .status = { STATUS_C }, .sync = VOLSYNC,
};

static const u32 no_cbs_reply[] = {
	1, 1, 3, 0x3002, 0x3003, 0x3004, 0x3005, 0x3006, 0x3007, 0x3008, 0777, 0x300a,
	0x300b, 0, 0x300d, 0x300e, 0x300f, 0, 0x3011, 0x3012, 0x3013, 0, 0, 0x60000000, 11,
	12, 13, 14, 15,
};

static const struct afsx_lookup_reply found = {
	.fid = { 1, 2, 3 }, .status = STATUS_A, .dir_status = STATUS_B,
	.cb = CALLBACK(5), .sync = VOLSYNC,
};

static const u32 lookup_reply[] = {
	1, 2, 3, 1, 2, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007, 0x1008, 0751,
	0x100a, 0x100b, 0, 0x100d, 0x100e, 0x100f, 0, 0x1011, 0x1012, 0x1013, 0x1014, 1, 1,
	0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0644, 0x200a, 0x200b, 0,
	0x200d, 0x200e, 0x200f, 0, 0x2011, 0x2012, 0x2013, 0x2014, 1, 5, 2, 0x60000000, 11,
	12, 13, 14, 15,
};

static const struct afsx_volstatus volstatus = {
	.vid = 0x20000004, .parent_id = 0x20000003, .online = 1, .in_service = 2, .blessed = 3,
	.needs_salvage = 0x80, .type = AFSX_VOLSTATUS_READWRITE, .min_quota = -1, .max_quota = 5000,
	.blocks_in_use = 77, .part_avail = 123456, .part_max = 2000000000,
	.name = STR("root.cell.readonly"), .offline_msg = STR(""), .motd = STR("hi\n"),
};

static const u32 volstatus_reply[] = {
	0x20000004, 0x20000003, 1, 2, 3, 0xffffff80, 1, 0xffffffff, 5000, 77, 123456, 2000000000,
	18, 0x726f6f74, 0x2e63656c, 0x6c2e7265, 0x61646f6e, 0x6c790000, 0, 3, 0x68690a00,
};

static const struct afsx_name_reply root_volume = { .name = STR("root.afs") };

static const u32 root_volume_reply[] = { 8, 0x726f6f74, 0x2e616673 };

static const struct afsx_time_reply now = { .sec = 0x65000000, .usec = 999999 };

static const u32 time_reply[] = { 0x65000000, 999999 };

static const struct afsx_caps caps = { .nr = 1, .word = { AFSX_FS_CAP_64BITFILES } };

static const u32 caps_reply[] = { 1, 2 };

static const struct afsx_caps no_caps;
static const u32 no_caps_reply[] = { 0 };

static const struct afsx_golden golden[] = {
	{ AFSX_FS_FETCH_STATUS, false, &root_args, fetch_status_args,
	  ARRAY_SIZE(fetch_status_args) },
	{ AFSX_FS_FETCH_DATA64, false, &kafs_fetch, kafs_fetch_args, ARRAY_SIZE(kafs_fetch_args) },
	{ AFSX_FS_FETCH_DATA64, false, &big_fetch, big_fetch_args, ARRAY_SIZE(big_fetch_args) },
	{ AFSX_FS_FETCH_DATA, false, &fetch, fetch_args, ARRAY_SIZE(fetch_args) },
	{ AFSX_FS_FETCH_ACL, false, &root_args, fetch_acl_args, ARRAY_SIZE(fetch_acl_args) },
	{ AFSX_FS_INLINE_BULK_STATUS, false, &bulk, inline_bulk_args,
	  ARRAY_SIZE(inline_bulk_args) },
	{ AFSX_FS_INLINE_BULK_STATUS, false, &no_bulk, no_bulk_args, ARRAY_SIZE(no_bulk_args) },
	{ AFSX_FS_BULK_STATUS, false, &bulk, bulk_args, ARRAY_SIZE(bulk_args) },
	{ AFSX_FS_LOOKUP, false, &lookup, lookup_args, ARRAY_SIZE(lookup_args) },
	{ AFSX_FS_GIVE_UP_CALLBACKS, false, &give_up, give_up_args, ARRAY_SIZE(give_up_args) },
	{ AFSX_FS_GIVE_UP_ALL_CALLBACKS, false, NULL, give_up_all_args,
	  ARRAY_SIZE(give_up_all_args) },
	{ AFSX_FS_GET_VOLUME_STATUS, false, &volume, volume_args, ARRAY_SIZE(volume_args) },
	{ AFSX_FS_GET_ROOT_VOLUME, false, NULL, get_root_volume_args,
	  ARRAY_SIZE(get_root_volume_args) },
	{ AFSX_FS_GET_TIME, false, NULL, get_time_args, ARRAY_SIZE(get_time_args) },
	{ AFSX_FS_GET_CAPABILITIES, false, NULL, caps_args, ARRAY_SIZE(caps_args) },
	{ AFSX_FS_FETCH_STATUS, true, &status, status_reply, ARRAY_SIZE(status_reply) },
	{ AFSX_FS_FETCH_DATA64, true, &status, status_reply, ARRAY_SIZE(status_reply) },
	{ AFSX_FS_FETCH_DATA, true, &status, status_reply, ARRAY_SIZE(status_reply) },
	{ AFSX_FS_FETCH_ACL, true, &acl, acl_reply, ARRAY_SIZE(acl_reply) },
	{ AFSX_FS_BULK_STATUS, true, &bulk_answer, bulk_reply, ARRAY_SIZE(bulk_reply) },
	{ AFSX_FS_INLINE_BULK_STATUS, true, &inline_answer, inline_reply,
	  ARRAY_SIZE(inline_reply) },
	{ AFSX_FS_INLINE_BULK_STATUS, true, &no_cbs, no_cbs_reply, ARRAY_SIZE(no_cbs_reply) },
	{ AFSX_FS_LOOKUP, true, &found, lookup_reply, ARRAY_SIZE(lookup_reply) },
	{ AFSX_FS_GET_VOLUME_STATUS, true, &volstatus, volstatus_reply,
	  ARRAY_SIZE(volstatus_reply) },
	{ AFSX_FS_GET_ROOT_VOLUME, true, &root_volume, root_volume_reply,
	  ARRAY_SIZE(root_volume_reply) },
	{ AFSX_FS_GET_TIME, true, &now, time_reply, ARRAY_SIZE(time_reply) },
	{ AFSX_FS_GET_CAPABILITIES, true, &caps, caps_reply, ARRAY_SIZE(caps_reply) },
	{ AFSX_FS_GET_CAPABILITIES, true, &no_caps, no_caps_reply, ARRAY_SIZE(no_caps_reply) },
};

static const struct afsx_golden_bad bad[] = {
	{ AFSX_FS_FETCH_DATA, false, 4, 0x80000000, "negative position" },
	{ AFSX_FS_FETCH_DATA, false, 5, 0xffffffff, "negative length" },
	{ AFSX_FS_FETCH_DATA64, false, 4, 0x80000000, "negative position" },
	{ AFSX_FS_FETCH_DATA64, false, 6, 0xffffffff, "negative length" },
	{ AFSX_FS_INLINE_BULK_STATUS, false, 1, 2, "a FID left over" },
	{ AFSX_FS_INLINE_BULK_STATUS, false, 1, 51, "too many FIDs" },
	{ AFSX_FS_INLINE_BULK_STATUS, false, 1, 0xffffffff, "absurdly many FIDs" },
	{ AFSX_FS_LOOKUP, false, 4, 257, "name too long" },
	{ AFSX_FS_LOOKUP, false, 4, 9, "name longer than the message" },
	{ AFSX_FS_LOOKUP, false, 5, 0x70610073, "NUL in a name" },
	{ AFSX_FS_GIVE_UP_CALLBACKS, false, 8, 1, "fewer promises than FIDs" },
	{ AFSX_FS_GIVE_UP_CALLBACKS, false, 8, 51, "too many promises" },
	{ AFSX_FS_FETCH_STATUS, true, 0, 0, "status version 0" },
	{ AFSX_FS_FETCH_STATUS, true, 0, 2, "status version 2" },
	{ AFSX_FS_FETCH_STATUS, true, 1, 0, "file type 0" },
	{ AFSX_FS_FETCH_STATUS, true, 1, 4, "file type 4" },
	{ AFSX_FS_FETCH_STATUS, true, 19, 0x80000000, "file of 2^63 bytes" },
	{ AFSX_FS_FETCH_ACL, true, 0, 1025, "ACL too long" },
	{ AFSX_FS_BULK_STATUS, true, 0, 51, "too many statuses" },
	{ AFSX_FS_BULK_STATUS, true, 0, 0xffffffff, "absurdly many statuses" },
	{ AFSX_FS_BULK_STATUS, true, 1, 0, "error entry in BulkStatus" },
	{ AFSX_FS_BULK_STATUS, true, 43, 1, "fewer promises than statuses" },
	{ AFSX_FS_BULK_STATUS, true, 43, 51, "too many promises" },
	{ AFSX_FS_INLINE_BULK_STATUS, true, 1, 0, "version 0 without an error" },
	{ AFSX_FS_INLINE_BULK_STATUS, true, 2, 9, "file type 9 without an error" },
	{ AFSX_FS_INLINE_BULK_STATUS, true, 22, 2, "error entry of version 2" },
	{ AFSX_FS_GET_VOLUME_STATUS, true, 12, 257, "volume name too long" },
	{ AFSX_FS_GET_VOLUME_STATUS, true, 18, 1025, "off-line message too long" },
	{ AFSX_FS_GET_VOLUME_STATUS, true, 19, 1025, "message of the day too long" },
	{ AFSX_FS_GET_VOLUME_STATUS, true, 13, 0x72000074, "NUL in a volume name" },
	{ AFSX_FS_GET_ROOT_VOLUME, true, 0, 257, "volume name too long" },
	{ AFSX_FS_GET_CAPABILITIES, true, 0, 197, "too many capabilities" },
	{ AFSX_FS_GET_CAPABILITIES, true, 0, 0x40000000, "a count whose size wraps" },
};

static void rpc_fs_golden(struct kunit *test)
{
	for (u32 i = 0; i < ARRAY_SIZE(golden); i++)
		afsx_golden_check(test, &golden[i]);
}

static void rpc_fs_bad(struct kunit *test)
{
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		afsx_golden_refuse(test, golden, ARRAY_SIZE(golden), &bad[i]);
}

/* Values that have no place in the format, which the encoder must not cut to fit */
static void rpc_fs_cannot_encode(struct kunit *test)
{
	static const struct afsx_fetch_data_args far = { .pos = 0x80000000ULL };
	static const struct afsx_fetch_data_args farther = { .len = 1ULL << 63 };
	static const struct afsx_bulk_status_args many = { .nr = 51 };
	static const struct afsx_caps too_capable = { .nr = 197 };
	static const struct afsx_cb_callback_args uneven = { .nr = 2, .nr_cb = 1 };
	static const struct {
		enum afsx_rpc_id id;
		bool reply;
		const void *msg;
	} rows[] = {
		{ AFSX_FS_FETCH_DATA, false, &far },
		{ AFSX_FS_FETCH_DATA64, false, &farther },
		{ AFSX_FS_INLINE_BULK_STATUS, false, &many },
		{ AFSX_FS_GIVE_UP_CALLBACKS, false, &uneven },
		{ AFSX_FS_GET_CAPABILITIES, true, &too_capable },
	};
	u8 *buf = kunit_kzalloc(test, 4096, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct afsx_rpc *rpc = afsx_rpc(rows[i].id);
		int ret = rows[i].reply ? afsx_rpc_encode_reply(rpc, rows[i].msg, buf, 4096) :
					  afsx_rpc_encode_args(rpc, rows[i].msg, buf, 4096);

		KUNIT_EXPECT_EQ_MSG(test, ret, -EINVAL, "%s", rpc->name);
	}
}

/* Names as long as the interface allows go through, and max_args holds them. */
static void rpc_fs_long_name(struct kunit *test)
{
	const struct afsx_rpc *rpc = afsx_rpc(AFSX_FS_LOOKUP);
	char *name = kunit_kzalloc(test, 257, GFP_KERNEL);
	u8 *buf = kunit_kzalloc(test, rpc->max_args, GFP_KERNEL);
	struct afsx_lookup_args a = { .name = { name, 256 } }, got;

	KUNIT_ASSERT_NOT_NULL(test, name);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	memset(name, 'n', 257);
	KUNIT_EXPECT_EQ(test, afsx_rpc_encode_args(rpc, &a, buf, rpc->max_args), 4 + 12 + 4 + 256);
	KUNIT_EXPECT_EQ(test, rpc->max_args, 4 + 12 + 4 + 256);
	KUNIT_EXPECT_EQ(test, afsx_rpc_decode_args(rpc, buf + 4, 272, &got), 0);
	KUNIT_EXPECT_EQ(test, got.name.len, 256);
	a.name.len = 257;
	KUNIT_EXPECT_EQ(test, afsx_rpc_encode_args(rpc, &a, buf, rpc->max_args), -EINVAL);
}

/* Opcode, port and service of every row, from the interface files. */
static const struct {
	enum afsx_rpc_id id;
	u16 port;
	u16 service;
	u32 opcode;
} opcodes[] = {
	{ AFSX_FS_FETCH_DATA, 7000, 1, 130 },
	{ AFSX_FS_FETCH_ACL, 7000, 1, 131 },
	{ AFSX_FS_FETCH_STATUS, 7000, 1, 132 },
	{ AFSX_FS_STORE_DATA, 7000, 1, 133 },
	{ AFSX_FS_OLD_STORE_ACL, 7000, 1, 134 },
	{ AFSX_FS_STORE_STATUS, 7000, 1, 135 },
	{ AFSX_FS_REMOVE_FILE, 7000, 1, 136 },
	{ AFSX_FS_CREATE_FILE, 7000, 1, 137 },
	{ AFSX_FS_RENAME, 7000, 1, 138 },
	{ AFSX_FS_SYMLINK, 7000, 1, 139 },
	{ AFSX_FS_LINK, 7000, 1, 140 },
	{ AFSX_FS_MAKE_DIR, 7000, 1, 141 },
	{ AFSX_FS_REMOVE_DIR, 7000, 1, 142 },
	{ AFSX_FS_GIVE_UP_CALLBACKS, 7000, 1, 147 },
	{ AFSX_FS_GET_VOLUME_STATUS, 7000, 1, 149 },
	{ AFSX_FS_SET_VOLUME_STATUS, 7000, 1, 150 },
	{ AFSX_FS_GET_ROOT_VOLUME, 7000, 1, 151 },
	{ AFSX_FS_GET_TIME, 7000, 1, 153 },
	{ AFSX_FS_BULK_STATUS, 7000, 1, 155 },
	{ AFSX_FS_SET_LOCK, 7000, 1, 156 },
	{ AFSX_FS_EXTEND_LOCK, 7000, 1, 157 },
	{ AFSX_FS_RELEASE_LOCK, 7000, 1, 158 },
	{ AFSX_FS_LOOKUP, 7000, 1, 161 },
	{ AFSX_FS_FLUSH_CPS, 7000, 1, 162 },
	{ AFSX_FS_STORE_ACL, 7000, 1, 164 },
	{ AFSX_FS_INLINE_BULK_STATUS, 7000, 1, 65536 },
	{ AFSX_FS_FETCH_DATA64, 7000, 1, 65537 },
	{ AFSX_FS_STORE_DATA64, 7000, 1, 65538 },
	{ AFSX_FS_GIVE_UP_ALL_CALLBACKS, 7000, 1, 65539 },
	{ AFSX_FS_GET_CAPABILITIES, 7000, 1, 65540 },
	{ AFSX_VL_GET_ENTRY_BY_ID, 7003, 52, 503 },
	{ AFSX_VL_GET_ENTRY_BY_NAME, 7003, 52, 504 },
	{ AFSX_VL_PROBE, 7003, 52, 514 },
	{ AFSX_VL_GET_ADDRS, 7003, 52, 515 },
	{ AFSX_VL_GET_ENTRY_BY_ID_N, 7003, 52, 518 },
	{ AFSX_VL_GET_ENTRY_BY_NAME_N, 7003, 52, 519 },
	{ AFSX_VL_GET_ENTRY_BY_ID_U, 7003, 52, 526 },
	{ AFSX_VL_GET_ENTRY_BY_NAME_U, 7003, 52, 527 },
	{ AFSX_VL_GET_ADDRS_U, 7003, 52, 533 },
	{ AFSX_VL_LIST_ATTRIBUTES_N2, 7003, 52, 534 },
	{ AFSX_VL_GET_CAPABILITIES, 7003, 52, 65537 },
	{ AFSX_CB_CALLBACK, 7001, 1, 204 },
	{ AFSX_CB_INIT_STATE, 7001, 1, 205 },
	{ AFSX_CB_PROBE, 7001, 1, 206 },
	{ AFSX_CB_INIT_STATE3, 7001, 1, 213 },
	{ AFSX_CB_PROBE_UUID, 7001, 1, 214 },
	{ AFSX_CB_TELL_ME_ABOUT_YOURSELF, 7001, 1, 65538 },
};

static void rpc_table(struct kunit *test)
{
	const struct afsx_rpc *rpc;

	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(opcodes), AFSX_RPC_COUNT);
	for (u32 i = 0; i < ARRAY_SIZE(opcodes); i++) {
		rpc = afsx_rpc(opcodes[i].id);
		KUNIT_ASSERT_NOT_NULL(test, rpc);
		KUNIT_EXPECT_EQ_MSG(test, rpc->opcode, opcodes[i].opcode, "%s", rpc->name);
		KUNIT_EXPECT_EQ_MSG(test, rpc->port, opcodes[i].port, "%s", rpc->name);
		KUNIT_EXPECT_EQ_MSG(test, rpc->service, opcodes[i].service, "%s", rpc->name);
		KUNIT_EXPECT_PTR_EQ(test, afsx_rpc_find(opcodes[i].port, opcodes[i].opcode), rpc);
		KUNIT_EXPECT_EQ(test, afsx_rpc_id_of(rpc), opcodes[i].id);
	}
	KUNIT_EXPECT_NULL(test, afsx_rpc(AFSX_RPC_COUNT));
	KUNIT_EXPECT_NULL(test, afsx_rpc(-1));
	KUNIT_EXPECT_NULL(test, afsx_rpc_find(7000, 204));
	KUNIT_EXPECT_NULL(test, afsx_rpc_find(7001, 130));
	KUNIT_EXPECT_NULL(test, afsx_rpc_find(7003, 0));
	KUNIT_EXPECT_EQ(test, afsx_rpc(AFSX_FS_FETCH_DATA64)->flags,
			AFSX_RPC_IDEMPOTENT | AFSX_RPC_BULK_REPLY | AFSX_RPC_LEN64);
	KUNIT_EXPECT_EQ(test, afsx_rpc(AFSX_FS_FETCH_DATA)->flags,
			AFSX_RPC_IDEMPOTENT | AFSX_RPC_BULK_REPLY);
}

static struct kunit_case rpc_fs_cases[] = {
	KUNIT_CASE(rpc_table),
	KUNIT_CASE(rpc_fs_golden),
	KUNIT_CASE(rpc_fs_bad),
	KUNIT_CASE(rpc_fs_cannot_encode),
	KUNIT_CASE(rpc_fs_long_name),
	{}
};

static struct kunit_suite rpc_fs_suite = {
	.name = "afsx-rpc-fs",
	.test_cases = rpc_fs_cases,
};

kunit_test_suite(rpc_fs_suite);
