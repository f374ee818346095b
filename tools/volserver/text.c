// SPDX-License-Identifier: MIT
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int text_copy(const char *from, size_t len, char **to)
{
	*to = NULL;
	if (!from)
		return 0;
	*to = malloc(len + 1);
	if (!*to)
		return -ENOMEM;
	memcpy(*to, from, len);
	(*to)[len] = '\0';
	return 0;
}
