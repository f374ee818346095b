// SPDX-License-Identifier: GPL-2.0
/*
 * Cell names, "NAME:IP:IP" and the DNS resolver's answers. The binary answers
 * follow include/uapi/linux/dns_resolver.h.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/string.h>
#include "../cell.h"

#define LABEL_63 "a23456789b23456789c23456789d23456789e23456789f23456789g23456789"
#define LABEL_59 "h23456789i23456789j23456789k23456789l23456789m2345678901234"
#define NAME_251 LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_59

static void cell_names(struct kunit *test)
{
	static const struct {
		const char *name;
		int ret;
	} cases[] = {
		{ "a", 0 },
		{ "example.org", 0 },
		{ "Example.ORG", 0 },
		{ "x_1-2.y", 0 },
		{ NAME_251, 0 },
		{ NAME_251 ".x", 0 },
		{ NAME_251 ".xy", -ENAMETOOLONG },
		{ "", -EINVAL },
		{ ".", -EINVAL },
		{ ".a", -EINVAL },
		{ "a.", -EINVAL },
		{ "a..b", -EINVAL },
		{ "a/b", -EINVAL },
		{ "a b", -EINVAL },
		{ "@cell", -EINVAL },
		{ "a\nb", -EINVAL },
		{ "\xc3\xa9.org", -EINVAL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why = NULL;
		int ret = afsx_cell_name_check(cases[i].name,
					       strlen(cases[i].name), &why);

		KUNIT_EXPECT_EQ_MSG(test, ret, cases[i].ret, "%s", cases[i].name);
		KUNIT_EXPECT_EQ_MSG(test, !why, !ret, "%s", cases[i].name);
	}
}

static void cell_name_with_nul(struct kunit *test)
{
	const char *why;

	KUNIT_EXPECT_EQ(test, afsx_cell_name_check("a\0b", 3, &why), -EINVAL);
}

#define IP13 ":1.0.0.1:1.0.0.2:1.0.0.3:1.0.0.4:1.0.0.5:1.0.0.6:1.0.0.7" \
	     ":1.0.0.8:1.0.0.9:1.0.0.10:1.0.0.11:1.0.0.12:1.0.0.13"

static void cell_specs(struct kunit *test)
{
	static const struct {
		const char *text;
		int ret;
		size_t len;
		unsigned int nr;
		u32 last;
	} cases[] = {
		{ "c.org", 0, 5, 0, 0 },
		{ "c.org:127.0.0.1", 0, 5, 1, 0x7f000001 },
		{ "c:10.1.2.3:192.168.255.254", 0, 1, 2, 0xc0a8fffe },
		{ "c" IP13, 0, 1, 13, 0x0100000d },
		{ "c" IP13 ":1.0.0.14", -E2BIG },
		{ "", -EINVAL },
		{ ":1.2.3.4", -EINVAL },
		{ "c:", -EINVAL },
		{ "c:1.2.3.4:", -EINVAL },
		{ "c::1.2.3.4", -EINVAL },
		{ "c:1.2.3", -EINVAL },
		{ "c:1.2.3.256", -EINVAL },
		{ "c:1.2.3.4.5", -EINVAL },
		{ "c:0.0.0.0", -EINVAL },
		{ "c:host.org", -EINVAL },
		{ "c:1.2.3.4 ", -EINVAL },
		{ "c 1.2.3.4", -EINVAL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct afsx_cell_spec spec;
		const char *why = NULL;
		int ret = afsx_cell_spec_parse(cases[i].text, &spec, &why);

		KUNIT_EXPECT_EQ_MSG(test, ret, cases[i].ret, "%s", cases[i].text);
		if (ret < 0 || cases[i].ret < 0) {
			KUNIT_EXPECT_NOT_NULL_MSG(test, why, "%s", cases[i].text);
			continue;
		}
		KUNIT_EXPECT_PTR_EQ(test, spec.name, cases[i].text);
		KUNIT_EXPECT_EQ(test, spec.len, cases[i].len);
		KUNIT_ASSERT_EQ(test, spec.nr, cases[i].nr);
		if (spec.nr)
			KUNIT_EXPECT_EQ(test, spec.ip[spec.nr - 1], cases[i].last);
	}
}

/*
 * A server list of two servers: "fs" with one IPv4 and one IPv6 address, and
 * one whose name could not be resolved.
 */
static const u8 dns_list[] = {
	0, 0, 1, 1, 1, 2,			/* server list, version 1, two */
	2, 0, 1, 0, 1, 0, 0x5b, 0x1b, 1, 1, 1, 2, 'f', 's',
	0, 10, 1, 2, 3,
	1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	3, 0, 1, 0, 1, 0, 0x5b, 0x1b, 1, 4, 1, 1, 'b', 'a', 'd',
	0, 10, 1, 2, 4,
};

static void dns_server_list(struct kunit *test)
{
	const char *list = (const char *)dns_list;
	u32 ip[4] = { 0 };

	KUNIT_EXPECT_EQ(test, afsx_cell_dns_parse(list, sizeof(dns_list), ip, 4), 1);
	KUNIT_EXPECT_EQ(test, ip[0], 0x0a010203);
	KUNIT_EXPECT_EQ(test, afsx_cell_dns_parse(list, sizeof(dns_list), ip, 0), 0);
}

static void dns_server_list_cut_off(struct kunit *test)
{
	size_t len;
	u32 ip[4];

	for (len = 1; len < sizeof(dns_list); len++) {
		/* An exact copy, for KASAN to see a byte too many. */
		char *copy = kunit_kmalloc(test, len, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, copy);
		memcpy(copy, dns_list, len);
		KUNIT_EXPECT_EQ_MSG(test, afsx_cell_dns_parse(copy, len, ip, 4),
				    -EBADMSG, "%zu bytes", len);
		kunit_kfree(test, copy);
	}
}

static void dns_odd_answers(struct kunit *test)
{
	static const struct {
		const char *data;
		size_t len;
		int ret;
	} cases[] = {
		{ "", 0, 0 },
		{ "1.2.3.4", 7, 1 },
		{ "1.2.3.4,5.6.7.8", 15, 2 },
		{ "1.2.3.4,5.6.7.8,9.9.9.9", 23, 2 },
		{ "1.2.3.4,", 8, -EBADMSG },
		{ "1.2.3.4,x", 9, -EBADMSG },
		{ "::1", 3, -EAFNOSUPPORT },
		{ "2001:db8::1,2001:db8::2", 23, -EAFNOSUPPORT },
		{ "2001:db8::1,1.2.3.4", 19, 1 },
		{ "1.2.3.4,2001:db8::1", 19, 1 },
		{ "::1,", 4, -EBADMSG },
		{ "::1,x", 5, -EBADMSG },
		{ "2001:db8", 8, -EBADMSG },
		{ "\0\0\1\1\1\0", 6, 0 },
		/* one server without a name, with one IPv6 address, 16 bytes */
		{ "\0\0\1\1\1\1\0\0\1\0\1\0\x5b\x1b\1\1\1\1\1abcdefghijklmnop", 35, -EAFNOSUPPORT },
		{ "\0\1\1\1\1\0", 6, -EBADMSG },
		{ "\0\0\2\1\1\0", 6, -EBADMSG },
	};
	size_t i;
	u32 ip[2];

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    afsx_cell_dns_parse(cases[i].data, cases[i].len,
							ip, ARRAY_SIZE(ip)),
				    cases[i].ret, "case %zu", i);
}

static struct kunit_case cell_cases[] = {
	KUNIT_CASE(cell_names),
	KUNIT_CASE(cell_name_with_nul),
	KUNIT_CASE(cell_specs),
	KUNIT_CASE(dns_server_list),
	KUNIT_CASE(dns_server_list_cut_off),
	KUNIT_CASE(dns_odd_answers),
	{}
};

static struct kunit_suite cell_suite = {
	.name		= "afsx_cell",
	.test_cases	= cell_cases,
};

kunit_test_suite(cell_suite);

MODULE_DESCRIPTION("KUnit tests of the afsx cell names and addresses");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_LICENSE("GPL");
