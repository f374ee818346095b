// SPDX-License-Identifier: MIT
/*
 * Runs the KUnit suites linked into this program and reports in TAP.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <kunit/test.h>

#define MAX_SUITES	32
#define MAX_REPORTS	20	/* failures printed of one case */

struct kunit_alloc {
	struct kunit_alloc *next;
	void *p;
};

static const struct kunit_suite *suites[MAX_SUITES];
static unsigned int nr_suites;

void kunit_shim_register(const struct kunit_suite *suite)
{
	if (nr_suites == MAX_SUITES)
		abort();
	suites[nr_suites++] = suite;
}

static void report(struct kunit *test, const char *where, const char *what,
		   const long long *values, const char *fmt, va_list ap)
{
	if (test->failures++ >= MAX_REPORTS)
		return;
	printf("    # %s: %s", where, what);
	if (values)
		printf(" (%lld, %lld)", values[0], values[1]);
	printf(": ");
	vprintf(fmt, ap);
	putchar('\n');
}

void kunit_shim_fail(struct kunit *test, bool fatal, const char *where, const char *what,
		     const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(test, where, what, NULL, fmt, ap);
	va_end(ap);
	if (fatal)
		longjmp(test->abort, 1);
}

void kunit_shim_cmp(struct kunit *test, bool fatal, const char *where, const char *what,
		    const long long *values, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(test, where, what, values, fmt, ap);
	va_end(ap);
	if (fatal)
		longjmp(test->abort, 1);
}

/* Each allocation is one of its own, so that a sanitizer sees its end. */
void *kunit_kzalloc(struct kunit *test, size_t size, int gfp)
{
	struct kunit_alloc *a = malloc(sizeof(*a));
	void *p = calloc(1, size);

	(void)gfp;
	if (!a || !p)
		abort();
	*a = (struct kunit_alloc) { .next = test->allocs, .p = p };
	test->allocs = a;
	return p;
}

void kunit_kfree(struct kunit *test, const void *p)
{
	struct kunit_alloc **link = &test->allocs, *a;

	while ((*link)->p != p)
		link = &(*link)->next;
	a = *link;
	*link = a->next;
	free(a->p);
	free(a);
}

static bool run_case(const struct kunit_case *c)
{
	struct kunit test = { .name = c->name };

	if (!setjmp(test.abort))
		c->run_case(&test);
	while (test.allocs)
		kunit_kfree(&test, test.allocs->p);
	return !test.failures;
}

static bool run_suite(const struct kunit_suite *suite)
{
	unsigned int nr = 0;
	bool ok = true, good;

	printf("    # Subtest: %s\n", suite->name);
	for (const struct kunit_case *c = suite->test_cases; c->run_case; c++) {
		good = run_case(c);
		ok &= good;
		printf("    %s %u %s\n", good ? "ok" : "not ok", ++nr, c->name);
	}
	printf("    1..%u\n", nr);
	return ok;
}

int main(void)
{
	bool ok = true, good;

	printf("TAP version 14\n1..%u\n", nr_suites);
	for (unsigned int i = 0; i < nr_suites; i++) {
		good = run_suite(suites[i]);
		ok &= good;
		printf("%s %u %s\n", good ? "ok" : "not ok", i + 1, suites[i]->name);
	}
	return ok ? 0 : 1;
}
