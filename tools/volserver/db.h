/* SPDX-License-Identifier: MIT */
/*
 * The database: connections, prepared statements, and SQLite's results as
 * negative errnos.  Schema: db_sql.c and Documentation/store-format.rst.
 */
#ifndef AFSX_DB_H
#define AFSX_DB_H

#include <sqlite3.h>
#include <stdbool.h>

#include "defs.h"
#include "err.h"

struct rows;

/* Every statement, as named in statements.def. */
#define SQL(name, ...)	SQL_##name,
enum db_sql {
#include "statements.def"
	SQL_NR
};

#undef SQL

/** db_sql_text() - text of a statement */
const char *db_sql_text(enum db_sql nr);

/** db_schema() - statements that make an empty database, ended by NULL */
extern const char *const db_schema[];

/**
 * struct db - one connection; used by one thread at a time
 * @sql: of SQLite
 * @newer: rows that it has to see before those of the database; NULL for readers
 * @stmt: statements, prepared at their first use
 */
struct db {
	sqlite3 *sql;
	const struct rows *newer;
	struct sqlite3_stmt *stmt[SQL_NR];
};

/**
 * db_open() - open the database of a VFS
 * @db: connection to fill in
 * @vfs: name of the VFS
 * @create: make the schema in an empty region
 * @err: says why on failure
 */
int db_open(struct db *db, const char *vfs, bool create, struct errbuf *err);

/** db_close() - the last connection to close also empties the log */
void db_close(struct db *db);

/** db_errno() - negative errno for a result code of SQLite */
int db_errno(int rc);

/**
 * db_bind() - a statement with its parameters
 * @db: connection
 * @nr: which
 * @types: a letter per parameter: i (s64), s (const char *, or NULL), b (const
 *	void *, size_t), n (NULL, without an argument)
 *
 * Bound memory must live until the statement is reset.
 *
 * Return: the statement, or NULL on failure (db_row() then gives the error).
 */
sqlite3_stmt *db_bind(struct db *db, enum db_sql nr, const char *types, ...);

/** db_row() - 1 and the next row, 0 at the end, or a negative errno */
int db_row(sqlite3_stmt *stmt);

/** db_end() - done with a statement; returns @ret */
int db_end(sqlite3_stmt *stmt, int ret);

/** db_run() - db_bind() and carry out a statement that gives no rows */
int db_run(struct db *db, enum db_sql nr, const char *types, ...);

/** db_int() - a number of the present row */
static inline s64 db_int(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_int64(stmt, column);
}

/** db_number() - the one number that a query without parameters gives */
int db_number(struct db *db, enum db_sql nr, s64 *value);

/** db_text() - text of the present row into a buffer of @size, NUL-terminated */
void db_text(sqlite3_stmt *stmt, int column, char *buf, size_t size);

#endif /* AFSX_DB_H */
