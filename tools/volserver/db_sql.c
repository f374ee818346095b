// SPDX-License-Identifier: MIT
/* The texts of schema.def and statements.def. */
#include "db.h"

const char *const db_schema[] = {
#include "schema.def"
	NULL,
};

#define SQL(name, ...)							\
	[SQL_##name] = (__VA_ARGS__),
static const char *const texts[] = {
#include "statements.def"
};

static_assert(ARRAY_SIZE(texts) == SQL_NR, "every statement has its text");

const char *db_sql_text(enum db_sql nr)
{
	return texts[nr];
}
