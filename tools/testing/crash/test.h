/* SPDX-License-Identifier: MIT */
/* The crash tests: programs crash-ram and crash-kill. */
#ifndef AFSX_CRASH_TEST_H
#define AFSX_CRASH_TEST_H

#include "defs.h"
#include "die.h"

/**
 * struct command - what a program can do
 * @name: first argument
 * @run: with the arguments behind it; an exit status
 * @args: number of arguments
 * @usage: what they are
 */
struct command {
	const char *name;
	int (*run)(char **argv);
	int args;
	const char *usage;
};

/** commands_run() - what main() does: the one that argv names */
int commands_run(const struct command *list, int argc, char **argv);

#endif /* AFSX_CRASH_TEST_H */
