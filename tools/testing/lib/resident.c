// SPDX-License-Identifier: MIT
#include <err.h>
#include <stdio.h>
#include <unistd.h>

#include "resident.h"

u64 resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages;

	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		errx(1, "cannot read /proc/self/statm");
	fclose(f);
	return pages * (u64)sysconf(_SC_PAGESIZE) / 1024;
}
