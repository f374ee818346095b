/* SPDX-License-Identifier: MIT */
/*
 * As much of KUnit as our suites use, for userspace: the very same *_kunit.c
 * then also run under the address and undefined-behaviour sanitizers.
 *
 * A failed expectation is printed and counted; a failed assertion also ends
 * its case.  What a case allocates is freed when it ends.
 */
#ifndef KUNIT_SHIM_TEST_H
#define KUNIT_SHIM_TEST_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define GFP_KERNEL 0

struct kunit_alloc;

/**
 * struct kunit - A case being run
 * @name: its name
 * @failures: expectations that failed
 * @abort: where a failed assertion goes
 * @allocs: what to free at the end
 */
struct kunit {
	const char *name;
	unsigned int failures;
	jmp_buf abort;
	struct kunit_alloc *allocs;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	struct kunit_case *test_cases;
};

void *kunit_kzalloc(struct kunit *test, size_t size, int gfp);
void kunit_kfree(struct kunit *test, const void *p);
void kunit_shim_register(const struct kunit_suite *suite);
void kunit_shim_fail(struct kunit *test, bool fatal, const char *where, const char *what,
		     const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void kunit_shim_cmp(struct kunit *test, bool fatal, const char *where, const char *what,
		    const long long *values, const char *fmt,
		    ...) __attribute__((format(printf, 6, 7)));

#define KUNIT_CASE(f)	{ .run_case = (f), .name = #f }
#define KUNIT_CASE_SLOW(f)	KUNIT_CASE(f)

#define kunit_test_suite(suite)						\
	static void __attribute__((constructor)) register_##suite(void)	\
	{								\
		kunit_shim_register(&(suite));				\
	}								\
	struct kunit_suite

#define KUNIT_SHIM_LINE(n)	#n
#define KUNIT_SHIM_STR(n)	KUNIT_SHIM_LINE(n)
#define KUNIT_SHIM_WHERE	__FILE__ ":" KUNIT_SHIM_STR(__LINE__)

#define KUNIT_SHIM_CHECK(test, fatal, ok, what, ...)				\
	do {									\
		if (!(ok))							\
			kunit_shim_fail(test, fatal, KUNIT_SHIM_WHERE, what, __VA_ARGS__); \
	} while (0)

#define KUNIT_SHIM_CMP(test, fatal, l, op, r, ...)				\
	do {									\
		__typeof__(l) l_ = (l);						\
		__typeof__(r) r_ = (r);						\
		const long long values_[] = { (long long)l_, (long long)r_ };	\
										\
		if (!(l_ op r_))						\
			kunit_shim_cmp(test, fatal, KUNIT_SHIM_WHERE, #l " " #op " " #r, \
				       values_, __VA_ARGS__);			\
	} while (0)

#define KUNIT_EXPECT_EQ_MSG(t, l, r, ...)	KUNIT_SHIM_CMP(t, false, l, ==, r, __VA_ARGS__)
#define KUNIT_EXPECT_NE_MSG(t, l, r, ...)	KUNIT_SHIM_CMP(t, false, l, !=, r, __VA_ARGS__)
#define KUNIT_EXPECT_GE_MSG(t, l, r, ...)	KUNIT_SHIM_CMP(t, false, l, >=, r, __VA_ARGS__)
#define KUNIT_EXPECT_LE_MSG(t, l, r, ...)	KUNIT_SHIM_CMP(t, false, l, <=, r, __VA_ARGS__)
#define KUNIT_ASSERT_EQ_MSG(t, l, r, ...)	KUNIT_SHIM_CMP(t, true, l, ==, r, __VA_ARGS__)
#define KUNIT_ASSERT_NE_MSG(t, l, r, ...)	KUNIT_SHIM_CMP(t, true, l, !=, r, __VA_ARGS__)
#define KUNIT_EXPECT_EQ(t, l, r)		KUNIT_EXPECT_EQ_MSG(t, l, r, " ")
#define KUNIT_EXPECT_NE(t, l, r)		KUNIT_EXPECT_NE_MSG(t, l, r, " ")
#define KUNIT_EXPECT_GE(t, l, r)		KUNIT_EXPECT_GE_MSG(t, l, r, " ")
#define KUNIT_EXPECT_LE(t, l, r)		KUNIT_EXPECT_LE_MSG(t, l, r, " ")
#define KUNIT_EXPECT_LT(t, l, r)		KUNIT_SHIM_CMP(t, false, l, <, r, " ")
#define KUNIT_EXPECT_GT(t, l, r)		KUNIT_SHIM_CMP(t, false, l, >, r, " ")
#define KUNIT_ASSERT_EQ(t, l, r)		KUNIT_ASSERT_EQ_MSG(t, l, r, " ")
#define KUNIT_ASSERT_NE(t, l, r)		KUNIT_ASSERT_NE_MSG(t, l, r, " ")
#define KUNIT_ASSERT_LT(t, l, r)		KUNIT_SHIM_CMP(t, true, l, <, r, " ")

#define KUNIT_EXPECT_TRUE_MSG(t, c, ...)	KUNIT_SHIM_CHECK(t, false, c, #c, __VA_ARGS__)
#define KUNIT_EXPECT_FALSE_MSG(t, c, ...) \
	KUNIT_SHIM_CHECK(t, false, !(c), "!" #c, __VA_ARGS__)
#define KUNIT_EXPECT_TRUE(t, c)			KUNIT_EXPECT_TRUE_MSG(t, c, " ")
#define KUNIT_EXPECT_FALSE(t, c)		KUNIT_EXPECT_FALSE_MSG(t, c, " ")
#define KUNIT_ASSERT_TRUE(t, c)			KUNIT_SHIM_CHECK(t, true, c, #c, " ")
#define KUNIT_EXPECT_NULL(t, p)			KUNIT_EXPECT_TRUE(t, !(p))
#define KUNIT_EXPECT_NOT_NULL(t, p)		KUNIT_EXPECT_TRUE(t, (p) != NULL)
#define KUNIT_ASSERT_NOT_NULL(t, p)		KUNIT_ASSERT_TRUE(t, (p) != NULL)
#define KUNIT_EXPECT_PTR_EQ(t, l, r)		KUNIT_EXPECT_TRUE(t, (l) == (r))
#define KUNIT_EXPECT_MEMEQ_MSG(t, l, r, n, ...) \
	KUNIT_SHIM_CHECK(t, false, !memcmp(l, r, n), #l " holds " #r, __VA_ARGS__)
#define KUNIT_EXPECT_MEMEQ(t, l, r, n)		KUNIT_EXPECT_MEMEQ_MSG(t, l, r, n, " ")
#define KUNIT_EXPECT_STREQ_MSG(t, l, r, ...) \
	KUNIT_SHIM_CHECK(t, false, !strcmp(l, r), #l " is " #r, __VA_ARGS__)
#define KUNIT_EXPECT_STREQ(t, l, r)		KUNIT_EXPECT_STREQ_MSG(t, l, r, " ")

#endif /* KUNIT_SHIM_TEST_H */
