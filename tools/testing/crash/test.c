// SPDX-License-Identifier: MIT
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

int commands_run(const struct command *list, int argc, char **argv)
{
	log_setup("crash", LOG_INFO);
	for (const struct command *c = list; c->name; c++)
		if (argc == c->args + 2 && !strcmp(argv[1], c->name))
			return c->run(argv + 2);
	for (const struct command *c = list; c->name; c++)
		fprintf(stderr, "%s %s %s\n", argv[0], c->name, c->usage);
	return 2;
}
