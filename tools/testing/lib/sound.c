// SPDX-License-Identifier: MIT
#include "sound.h"

#include <stdio.h>

static void problem(void *ctx, const char *text)
{
	puts(text);
}

int check_store(struct store *st)
{
	return store_check(st, STORE_CHECK_DATA, problem, NULL);
}
