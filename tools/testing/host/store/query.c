// SPDX-License-Identifier: MIT
#include "die.h"
#include "query.h"
#include "store_priv.h"

s64 query_number(struct store *st, const char *sql)
{
	sqlite3_stmt *stmt;
	s64 n;

	if (sqlite3_prepare_v2(st->writer.sql, sql, -1, &stmt, NULL) ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		die("%s: failed", sql);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}
