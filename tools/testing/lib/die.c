// SPDX-License-Identifier: MIT
#include "die.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

void must(int ret, const char *what)
{
	if (ret)
		die("%s: %s", what, strerror(-ret));
}
