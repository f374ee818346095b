// SPDX-License-Identifier: MIT
#include <string.h>

#include "log.h"
#include "store-test.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} tests[] = {
	{ "unit", test_unit },
	{ "ops", test_ops },
	{ "race", test_race },
	{ "dump", test_dump },
	{ "compare", test_compare },
	{ "volumes", test_volumes },
};

int main(int argc, char **argv)
{
	log_setup("store-test", LOG_WARN);
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(tests); i++)
		if (!strcmp(argv[1], tests[i].name))
			return tests[i].run(argc - 1, argv + 1);
	die("usage: store-test unit|ops|race|dump|compare|volumes ARGUMENT...");
}
