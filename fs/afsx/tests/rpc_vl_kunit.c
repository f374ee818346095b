// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Messages of the volume location and callback services: golden words laid out
 * by hand from vldbint.xg and afscbint.xg, and requests as kafs and a file
 * server were seen to send them.
 */
#include "wire_util.h"

#define STR(s)	{ .p = (s), .len = sizeof(s) - 1 }

/* Two UUIDs, the second with octets that a peer sign-extends */
#define UUID1		{ { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } }
#define UUID2		{ { 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, \
			    0x80, 0x7f, 0xff, 0, 1, 2, 3, 4 } }

/* Requests of kafs 6.12.117 */
static const u32 caps_args[] = { 0x00010001 };

static const struct afsx_vl_name_args root_cell = { .name = STR("root.cell") };

static const u32 name_u_args[] = { 0x20f, 9, 0x726f6f74, 0x2e63656c, 0x6c000000 };

static const struct afsx_vl_addrs_args addrs = { .mask = AFSX_VLADDR_UUID, .uuid = UUID2 };

static const u32 addrs_args[] = {
	0x215, 4, 0, 0, 0,
	0xf0f1f2f3, 0xf4f5, 0xf6f7, 0xffffff80, 0x7f, 0xffffffff, 0, 1, 2, 3, 4,
};

/* A file server breaking one promise */
static const struct afsx_cb_callback_args one_fid = { .nr = 1, .fid = { { 0x20000003, 2, 2 } } };

static const u32 callback_args[] = { 0xcc, 1, 0x20000003, 2, 2, 0 };

static const struct afsx_vl_addrs_args addrs_by_ip = {
	.mask = AFSX_VLADDR_IPADDR | AFSX_VLADDR_INDEX, .ip = 0x7f000001, .index = 6,
};

static const u32 addrs_by_ip_args[] = {
	533, 3, 0x7f000001, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

static const u32 name_n_args[] = { 519, 9, 0x726f6f74, 0x2e63656c, 0x6c000000 };

static const u32 name_args[] = { 504, 9, 0x726f6f74, 0x2e63656c, 0x6c000000 };

static const struct afsx_vl_id_args any_type = { .vid = 0xa0000003, .type = AFSX_VL_TYPE_ANY };

static const u32 id_args[] = { 503, 0xa0000003, 0xffffffff };

static const u32 id_n_args[] = { 518, 0xa0000003, 0xffffffff };

static const u32 id_u_args[] = { 526, 0xa0000003, 0xffffffff };

static const u32 probe_args[] = { 514 };

static const struct afsx_cb_callback_args no_fids;
static const u32 no_fids_args[] = { 204, 0, 0 };

static const struct afsx_cb_callback_args with_cbs = {
	.nr = 1, .fid = { { 1, 0, 0 } }, .nr_cb = 1, .cb = { { 1, 0, AFSX_CB_DROPPED } },
};

static const u32 with_cbs_args[] = { 204, 1, 1, 0, 0, 1, 1, 0, 3 };

static const u32 init_state_args[] = { 205 };

static const u32 cb_probe_args[] = { 206 };

static const struct afsx_cb_uuid_args uuid2 = { .uuid = UUID2 };

static const u32 init_state3_args[] = {
	213, 0xf0f1f2f3, 0xf4f5, 0xf6f7, 0xffffff80, 0x7f, 0xffffffff, 0, 1, 2, 3, 4,
};

static const u32 probe_uuid_args[] = {
	214, 0xf0f1f2f3, 0xf4f5, 0xf6f7, 0xffffff80, 0x7f, 0xffffffff, 0, 1, 2, 3, 4,
};

static const u32 tell_me_args[] = { 65538 };

/* uvldbentry: the name takes words 0..64; 13 sites in arrays of 143, 13, 13, 13 words */
static const struct afsx_vldb vldb_u = {
	.name = "root.cell", .vid = { 0x20000003, 0x20000004, 0x20000005 },
	.clone_id = 0x20000006, .flags = 0x7000, .match_index = 77, .nr = 2,
	.server = {
		{ .uuid = UUID1, .uniquifier = 41, .partition = 0, .flags = 0x14 },
		{ .uuid = UUID2, .uniquifier = 42, .partition = 25, .flags = 0x12 },
	},
};

static const u32 vldb_u_reply[262] = {
	'r', 'o', 'o', 't', '.', 'c', 'e', 'l', 'l',
	[65] = 2,
	[66] = 0x00010203, 0x0405, 0x0607, 8, 9, 10, 11, 12, 13, 14, 15,
	0xf0f1f2f3, 0xf4f5, 0xf6f7, 0xffffff80, 0x7f, 0xffffffff, 0, 1, 2, 3, 4,
	[209] = 41, 42,
	[222] = 0, 25,
	[235] = 0x14, 0x12,
	[248] = 0x20000003, 0x20000004, 0x20000005, 0x20000006, 0x7000, 77,
};

/* nvldbentry: arrays of 13 words */
static const struct afsx_vldb vldb_n = {
	.name = "root.cell", .vid = { 0x20000003, 0x20000004, 0x20000005 },
	.clone_id = 0x20000006, .flags = 0x7000, .match_index = 77, .nr = 2,
	.server = {
		{ .addr = 0x7f000001, .partition = 1, .flags = 4 },
		{ .addr = 0xc0a80a01, .partition = 2, .flags = 2 },
	},
};

static const u32 vldb_n_reply[119] = {
	'r', 'o', 'o', 't', '.', 'c', 'e', 'l', 'l',
	[65] = 2,
	[66] = 0x7f000001, 0xc0a80a01,
	[79] = 1, 2,
	[92] = 4, 2,
	[105] = 0x20000003, 0x20000004, 0x20000005, 0x20000006, 0x7000, 77,
};

/* vldbentry: a spare word after the name, arrays of 8 words, no matchindex */
static const struct afsx_vldb vldb_old = {
	.name = "root.cell", .vid = { 0x20000003, 0x20000004, 0x20000005 },
	.clone_id = 0x20000006, .flags = 0x7000, .nr = 2,
	.server = {
		{ .addr = 0x7f000001, .partition = 1, .flags = 4 },
		{ .addr = 0xc0a80a01, .partition = 2, .flags = 2 },
	},
};

static const u32 vldb_old_reply[96] = {
	'r', 'o', 'o', 't', '.', 'c', 'e', 'l', 'l',
	[66] = 2,
	[67] = 0x7f000001, 0xc0a80a01,
	[75] = 1, 2,
	[83] = 4, 2,
	[91] = 0x20000003, 0x20000004, 0x20000005, 0x20000006, 0x7000,
};

static const struct afsx_vl_addrs_reply two_addrs = {
	.uuid = UUID1, .uniquifier = 9, .nr = 2, .addr = { 0x7f000001, 0xc0a80a01 },
};

static const u32 addrs_reply[] = {
	0x00010203, 0x0405, 0x0607, 8, 9, 10, 11, 12, 13, 14, 15,
	9, 2, 2, 0x7f000001, 0xc0a80a01,
};

static const u32 all_addrs_args[] = { 515, 0, 0 };

static const struct afsx_vl_all_addrs_reply all_addrs = {
	.nr_servers = 1, .nr = 2, .addr = { 0x7f000001, 0xc0a80a01 },
};

static const u32 all_addrs_reply[] = { 0, 0, 0, 0, 1, 2, 0x7f000001, 0xc0a80a01 };

static const struct afsx_vl_list_args list = {
	.mask = AFSX_VLLIST_SERVER | AFSX_VLLIST_FLAG, .server = 0x7f000001, .partition = 2,
	.vid = 0x20000003, .flag = 0x1f0, .name = STR(".*"), .start = 0x20000000,
};

static const u32 list_args[] = {
	534, 0x11, 0x7f000001, 2, 0, 0x20000003, 0x1f0, 2, 0x2e2a0000, 0x20000000,
};

/* Two entries of no volume, 119 words each; the sites of the second are one. */
static const struct afsx_vl_list_reply two_entries = {
	.nr = 2, .next = -1,
	.entry = {
		{ .name = "a", .vid = { 1, 2, 3 }, .clone_id = 4, .flags = 5, .match_index = 6 },
		{ .name = "bc", .nr = 1, .server = { { .addr = 7, .partition = 8, .flags = 9 } } },
	},
};

static const u32 list_reply[2 + 2 * 119 + 1] = {
	2, 2,
	[2] = 'a', [2 + 65 + 40] = 1, 2, 3, 4, 5, 6,
	[121] = 'b', 'c', [121 + 65] = 1, 7, [121 + 66 + 13] = 8, [121 + 66 + 26] = 9,
	[2 + 2 * 119] = 0xffffffff,
};

static const struct afsx_caps vl_caps = { .nr = 1 };

static const u32 vl_caps_reply[] = { 1, 0 };

static const struct afsx_cb_identity identity = {
	.uuid = UUID2, .nr = 2, .addr = { 0x0a000001, 0x0a000002 },
	.mask = { 0xff000000, 0xffff0000 }, .mtu = { 1500, 9000 },
	.caps = { .nr = 1, .word = { AFSX_CB_CAP_ERRORTRANS } },
};

static const u32 identity_reply[110] = {
	2, 0xf0f1f2f3, 0xf4f5, 0xf6f7, 0xffffff80, 0x7f, 0xffffffff, 0, 1, 2, 3, 4,
	[12] = 0x0a000001, 0x0a000002,
	[44] = 0xff000000, 0xffff0000,
	[76] = 1500, 9000,
	[108] = 1, 1,
};

static const u32 nothing[1];

static const struct afsx_golden golden[] = {
	{ AFSX_VL_GET_CAPABILITIES, false, NULL, caps_args, ARRAY_SIZE(caps_args) },
	{ AFSX_VL_GET_ENTRY_BY_NAME_U, false, &root_cell, name_u_args, ARRAY_SIZE(name_u_args) },
	{ AFSX_VL_GET_ENTRY_BY_NAME_N, false, &root_cell, name_n_args, ARRAY_SIZE(name_n_args) },
	{ AFSX_VL_GET_ENTRY_BY_NAME, false, &root_cell, name_args, ARRAY_SIZE(name_args) },
	{ AFSX_VL_GET_ENTRY_BY_ID_U, false, &any_type, id_u_args, ARRAY_SIZE(id_u_args) },
	{ AFSX_VL_GET_ENTRY_BY_ID_N, false, &any_type, id_n_args, ARRAY_SIZE(id_n_args) },
	{ AFSX_VL_GET_ENTRY_BY_ID, false, &any_type, id_args, ARRAY_SIZE(id_args) },
	{ AFSX_VL_GET_ADDRS_U, false, &addrs, addrs_args, ARRAY_SIZE(addrs_args) },
	{ AFSX_VL_GET_ADDRS_U, false, &addrs_by_ip, addrs_by_ip_args,
	  ARRAY_SIZE(addrs_by_ip_args) },
	{ AFSX_VL_PROBE, false, NULL, probe_args, ARRAY_SIZE(probe_args) },
	{ AFSX_VL_GET_ADDRS, false, NULL, all_addrs_args, ARRAY_SIZE(all_addrs_args) },
	{ AFSX_VL_GET_ADDRS, true, &all_addrs, all_addrs_reply, ARRAY_SIZE(all_addrs_reply) },
	{ AFSX_VL_LIST_ATTRIBUTES_N2, false, &list, list_args, ARRAY_SIZE(list_args) },
	{ AFSX_VL_LIST_ATTRIBUTES_N2, true, &two_entries, list_reply, ARRAY_SIZE(list_reply) },
	{ AFSX_CB_CALLBACK, false, &one_fid, callback_args, ARRAY_SIZE(callback_args) },
	{ AFSX_CB_CALLBACK, false, &no_fids, no_fids_args, ARRAY_SIZE(no_fids_args) },
	{ AFSX_CB_CALLBACK, false, &with_cbs, with_cbs_args, ARRAY_SIZE(with_cbs_args) },
	{ AFSX_CB_INIT_STATE, false, NULL, init_state_args, ARRAY_SIZE(init_state_args) },
	{ AFSX_CB_PROBE, false, NULL, cb_probe_args, ARRAY_SIZE(cb_probe_args) },
	{ AFSX_CB_INIT_STATE3, false, &uuid2, init_state3_args, ARRAY_SIZE(init_state3_args) },
	{ AFSX_CB_PROBE_UUID, false, &uuid2, probe_uuid_args, ARRAY_SIZE(probe_uuid_args) },
	{ AFSX_CB_TELL_ME_ABOUT_YOURSELF, false, NULL, tell_me_args, ARRAY_SIZE(tell_me_args) },
	{ AFSX_VL_GET_ENTRY_BY_NAME_U, true, &vldb_u, vldb_u_reply, ARRAY_SIZE(vldb_u_reply) },
	{ AFSX_VL_GET_ENTRY_BY_ID_U, true, &vldb_u, vldb_u_reply, ARRAY_SIZE(vldb_u_reply) },
	{ AFSX_VL_GET_ENTRY_BY_NAME_N, true, &vldb_n, vldb_n_reply, ARRAY_SIZE(vldb_n_reply) },
	{ AFSX_VL_GET_ENTRY_BY_ID_N, true, &vldb_n, vldb_n_reply, ARRAY_SIZE(vldb_n_reply) },
	{ AFSX_VL_GET_ENTRY_BY_NAME, true, &vldb_old, vldb_old_reply, ARRAY_SIZE(vldb_old_reply) },
	{ AFSX_VL_GET_ENTRY_BY_ID, true, &vldb_old, vldb_old_reply, ARRAY_SIZE(vldb_old_reply) },
	{ AFSX_VL_GET_ADDRS_U, true, &two_addrs, addrs_reply, ARRAY_SIZE(addrs_reply) },
	{ AFSX_VL_GET_CAPABILITIES, true, &vl_caps, vl_caps_reply, ARRAY_SIZE(vl_caps_reply) },
	{ AFSX_CB_TELL_ME_ABOUT_YOURSELF, true, &identity, identity_reply,
	  ARRAY_SIZE(identity_reply) },
	{ AFSX_VL_PROBE, true, NULL, nothing, 0 },
	{ AFSX_CB_CALLBACK, true, NULL, nothing, 0 },
	{ AFSX_CB_INIT_STATE, true, NULL, nothing, 0 },
	{ AFSX_CB_PROBE, true, NULL, nothing, 0 },
	{ AFSX_CB_INIT_STATE3, true, NULL, nothing, 0 },
	{ AFSX_CB_PROBE_UUID, true, NULL, nothing, 0 },
};

static const struct afsx_golden_bad bad[] = {
	{ AFSX_VL_GET_ENTRY_BY_NAME_U, false, 1, 66, "volume name too long" },
	{ AFSX_VL_GET_ENTRY_BY_NAME_U, false, 1, 4, "bytes left over" },
	{ AFSX_VL_GET_ENTRY_BY_NAME_U, false, 2, 0x726f0074, "NUL in a name" },
	{ AFSX_CB_CALLBACK, false, 1, 51, "too many FIDs" },
	{ AFSX_CB_CALLBACK, false, 1, 2, "fewer FIDs than it says" },
	{ AFSX_CB_CALLBACK, false, 5, 2, "more promises than FIDs" },
	{ AFSX_VL_GET_ENTRY_BY_NAME_U, true, 65, 14, "too many sites" },
	{ AFSX_VL_GET_ENTRY_BY_NAME_U, true, 65, 0xffffffff, "a negative number of sites" },
	{ AFSX_VL_GET_ENTRY_BY_NAME_N, true, 65, 14, "too many sites" },
	{ AFSX_VL_GET_ENTRY_BY_NAME, true, 66, 9, "too many sites for an old entry" },
	{ AFSX_VL_GET_ADDRS_U, true, 12, 3, "more addresses than there are" },
	{ AFSX_VL_GET_ADDRS_U, true, 13, 501, "more addresses than allowed" },
	{ AFSX_VL_GET_ADDRS_U, true, 13, 1, "fewer addresses in the array than said" },
	{ AFSX_VL_GET_ADDRS, true, 5, 3, "more addresses than there are" },
	{ AFSX_VL_LIST_ATTRIBUTES_N2, false, 7, 66, "pattern too long" },
	{ AFSX_VL_LIST_ATTRIBUTES_N2, true, 0, 1, "a number of entries that is not theirs" },
	{ AFSX_VL_LIST_ATTRIBUTES_N2, true, 1, 33, "more entries than are kept" },
	{ AFSX_VL_LIST_ATTRIBUTES_N2, true, 121 + 65, 14, "too many sites in a list" },
	{ AFSX_CB_TELL_ME_ABOUT_YOURSELF, true, 0, 33, "too many interfaces" },
	{ AFSX_CB_TELL_ME_ABOUT_YOURSELF, true, 108, 197, "too many capabilities" },
};

static void rpc_vl_golden(struct kunit *test)
{
	for (u32 i = 0; i < ARRAY_SIZE(golden); i++)
		afsx_golden_check(test, &golden[i]);
}

static void rpc_vl_bad(struct kunit *test)
{
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		afsx_golden_refuse(test, golden, ARRAY_SIZE(golden), &bad[i]);
}

/* A name that fills its array has no room for the NUL. */
static void rpc_vl_unterminated(struct kunit *test)
{
	const struct afsx_rpc *rpc = afsx_rpc(AFSX_VL_GET_ENTRY_BY_NAME_N);
	struct afsx_vldb *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);
	u8 *buf = afsx_test_bytes(test, vldb_n_reply, ARRAY_SIZE(vldb_n_reply));

	KUNIT_ASSERT_NOT_NULL(test, v);
	for (u32 i = 0; i < 64; i++)
		put_unaligned_be32('v', buf + 4 * i);
	KUNIT_EXPECT_EQ(test, afsx_rpc_decode_reply(rpc, buf, sizeof(vldb_n_reply), v), 0);
	KUNIT_EXPECT_EQ(test, strlen(v->name), 64);
	put_unaligned_be32('v', buf + 4 * 64);
	KUNIT_EXPECT_EQ(test, afsx_rpc_decode_reply(rpc, buf, sizeof(vldb_n_reply), v), -EBADMSG);
	memset(v->name, 'v', sizeof(v->name));
	KUNIT_EXPECT_EQ(test, afsx_rpc_encode_reply(rpc, v, buf, sizeof(vldb_n_reply)), -EINVAL);
}

/* What an entry holds beyond the sites in use is noise. */
static void rpc_vl_unused_sites(struct kunit *test)
{
	const struct afsx_rpc *rpc = afsx_rpc(AFSX_VL_GET_ENTRY_BY_NAME_N);
	static const struct afsx_vldb_server none;
	struct afsx_vldb *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);
	u8 *buf = afsx_test_bytes(test, vldb_n_reply, ARRAY_SIZE(vldb_n_reply));

	KUNIT_ASSERT_NOT_NULL(test, v);
	put_unaligned_be32(0xffffffff, buf + 4 * 68);	/* serverNumber[2] */
	put_unaligned_be32(0xffffffff, buf + 4 * 81);	/* serverPartition[2] */
	KUNIT_EXPECT_EQ(test, afsx_rpc_decode_reply(rpc, buf, sizeof(vldb_n_reply), v), 0);
	KUNIT_EXPECT_EQ(test, v->nr, 2);
	KUNIT_EXPECT_MEMEQ(test, &v->server[2], &none, sizeof(none));
}

/* Old clients get the first eight sites of a longer list; nobody gets fourteen. */
static void rpc_vl_many_sites(struct kunit *test)
{
	struct afsx_vldb *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);
	u8 *buf = kunit_kzalloc(test, sizeof(vldb_u_reply), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, v);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	v->nr = 13;
	for (u32 i = 0; i < 13; i++)
		v->server[i].addr = 100 + i;
	KUNIT_EXPECT_EQ(test, afsx_rpc_encode_reply(afsx_rpc(AFSX_VL_GET_ENTRY_BY_ID), v, buf,
						    sizeof(vldb_old_reply)), 96 * 4);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(buf + 4 * 66), 8);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(buf + 4 * 74), 107);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(buf + 4 * 75), 0);
	KUNIT_EXPECT_EQ(test, afsx_rpc_encode_reply(afsx_rpc(AFSX_VL_GET_ENTRY_BY_ID_U), v, buf,
						    sizeof(vldb_u_reply)), 262 * 4);
	v->nr = 14;
	KUNIT_EXPECT_EQ(test, afsx_rpc_encode_reply(afsx_rpc(AFSX_VL_GET_ENTRY_BY_ID_U), v, buf,
						    sizeof(vldb_u_reply)), -EINVAL);
}

/* Five hundred addresses are legal; sixteen are kept. */
static void rpc_vl_many_addrs(struct kunit *test)
{
	const struct afsx_rpc *rpc = afsx_rpc(AFSX_VL_GET_ADDRS_U);
	struct afsx_vl_addrs_reply *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	u32 *words = kunit_kzalloc(test, 514 * 4, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, r);
	KUNIT_ASSERT_NOT_NULL(test, words);
	words[12] = 500;
	words[13] = 500;
	for (u32 i = 0; i < 500; i++)
		words[14 + i] = 1000 + i;
	KUNIT_EXPECT_EQ(test, afsx_rpc_decode_reply(rpc, afsx_test_bytes(test, words, 514), 514 * 4,
						    r), 0);
	KUNIT_EXPECT_EQ(test, r->nr, 16);
	KUNIT_EXPECT_EQ(test, r->addr[15], 1015);
}

static struct kunit_case rpc_vl_cases[] = {
	KUNIT_CASE(rpc_vl_golden),
	KUNIT_CASE(rpc_vl_bad),
	KUNIT_CASE(rpc_vl_unterminated),
	KUNIT_CASE(rpc_vl_unused_sites),
	KUNIT_CASE(rpc_vl_many_sites),
	KUNIT_CASE(rpc_vl_many_addrs),
	{}
};

static struct kunit_suite rpc_vl_suite = {
	.name = "afsx-rpc-vl",
	.test_cases = rpc_vl_cases,
};

kunit_test_suite(rpc_vl_suite);
