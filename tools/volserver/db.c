// SPDX-License-Identifier: MIT
#include "db.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "meta.h"
#include "vfs.h"

#define BUSY_MS		10000	/* a checkpoint waits for readers */

int db_errno(int rc)
{
	if (rc == SQLITE_IOERR_DATA)
		return -EUCLEAN;
	if (rc == SQLITE_IOERR_NOMEM)
		return -ENOMEM;
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EAGAIN;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT:		/* what is there was looked at before */
		return -EUCLEAN;
	default:
		return -EIO;
	}
}

static int exec(struct db *db, const char *text, struct errbuf *err)
{
	int rc = sqlite3_exec(db->sql, text, NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		return 0;
	rc = sqlite3_extended_errcode(db->sql);
	return err_set(err, db_errno(rc), "metadata: %s",
		       sqlite3_errmsg(db->sql));
}

static int run_list(struct db *db, const char *const *list, struct errbuf *err)
{
	int ret = 0;

	for (; !ret && *list; list++)
		ret = exec(db, *list, err);
	return ret;
}

/* These must come before anything reads the file. */
static const char *const pragmas[] = {
	"PRAGMA page_size=4096",
	"PRAGMA locking_mode=NORMAL",
	"PRAGMA temp_store=MEMORY",
	"PRAGMA secure_delete=OFF",
	"PRAGMA cache_size=-4096",
	/*
	 * Pages of a savepoint that is undone must not be in the log: SQLite 3.40 goes
	 * on with a wrong checksum behind them, and recovery loses what follows.
	 */
	"PRAGMA cache_spill=OFF",
	"PRAGMA wal_autocheckpoint=0",
	/* commits reach the device through wal_wait(), not through xSync */
	"PRAGMA synchronous=NORMAL",
	NULL,
};

static const char *const wal_mode[] = {
	"PRAGMA journal_mode=MEMORY",
	"PRAGMA journal_mode=WAL",
	NULL,
};

int db_open(struct db *db, const char *vfs, bool create, struct errbuf *err)
{
	int reserved = META_RESERVED;
	int ret;

	memset(db, 0, sizeof(*db));
	ret = sqlite3_open_v2(VFS_FILE, &db->sql, SQLITE_OPEN_READWRITE |
			      SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, vfs);
	if (ret != SQLITE_OK)
		return err_set(err, db_errno(ret), "metadata: %s",
			       sqlite3_errstr(ret));
	sqlite3_extended_result_codes(db->sql, 1);
	sqlite3_busy_timeout(db->sql, BUSY_MS);
	if (create)
		sqlite3_file_control(db->sql, "main",
				     SQLITE_FCNTL_RESERVE_BYTES, &reserved);
	ret = run_list(db, pragmas, err);
	if (!ret && create)
		ret = run_list(db, wal_mode, err);
	if (!ret && create)
		ret = run_list(db, db_schema, err);
	if (!ret)
		ret = exec(db, "SELECT count(*) FROM sqlite_schema", err);
	return ret;
}

void db_close(struct db *db)
{
	for (int i = 0; i < SQL_NR; i++)
		sqlite3_finalize(db->stmt[i]);
	sqlite3_close(db->sql);
	memset(db, 0, sizeof(*db));
}

static int prepare(struct db *db, enum db_sql nr)
{
	if (db->stmt[nr])
		return SQLITE_OK;
	return sqlite3_prepare_v3(db->sql, db_sql_text(nr), -1,
				  SQLITE_PREPARE_PERSISTENT, &db->stmt[nr],
				  NULL);
}

static int bind_blob(sqlite3_stmt *stmt, int i, const void *blob, size_t size)
{
	return sqlite3_bind_blob64(stmt, i, blob, size, SQLITE_STATIC);
}

/* A change outside of a transaction would not be part of anything that can be undone. */
static bool is_astray(const struct db *db, enum db_sql nr)
{
	return nr != SQL_BEGIN_WRITE && sqlite3_get_autocommit(db->sql) &&
	       !sqlite3_stmt_readonly(db->stmt[nr]);
}

static sqlite3_stmt *vbind(struct db *db, enum db_sql nr, const char *types,
			   va_list ap)
{
	sqlite3_stmt *stmt;
	const void *blob;
	int rc = prepare(db, nr);

	if (rc == SQLITE_OK && is_astray(db, nr))
		rc = SQLITE_MISUSE;
	stmt = db->stmt[nr];
	for (int i = 1; rc == SQLITE_OK && *types; i++) {
		switch (*types++) {
		case 'i':
			rc = sqlite3_bind_int64(stmt, i, va_arg(ap, s64));
			break;
		case 's':
			rc = sqlite3_bind_text(stmt, i, va_arg(ap, const char *),
					       -1, SQLITE_STATIC);
			break;
		case 'b':
			blob = va_arg(ap, const void *);
			rc = bind_blob(stmt, i, blob, va_arg(ap, size_t));
			break;
		default:
			rc = sqlite3_bind_null(stmt, i);
		}
	}
	return rc == SQLITE_OK ? stmt : NULL;
}

sqlite3_stmt *db_bind(struct db *db, enum db_sql nr, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list ap;

	va_start(ap, types);
	stmt = vbind(db, nr, types, ap);
	va_end(ap);
	return stmt;
}

int db_row(sqlite3_stmt *stmt)
{
	int rc = stmt ? sqlite3_step(stmt) : SQLITE_NOMEM;

	if (rc == SQLITE_ROW)
		return 1;
	return db_errno(rc);
}

int db_end(sqlite3_stmt *stmt, int ret)
{
	if (stmt)
		sqlite3_reset(stmt);
	return ret;
}

int db_run(struct db *db, enum db_sql nr, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list ap;
	int ret;

	va_start(ap, types);
	stmt = vbind(db, nr, types, ap);
	va_end(ap);
	ret = db_row(stmt);
	return db_end(stmt, min(ret, 0));
}

int db_number(struct db *db, enum db_sql nr, s64 *value)
{
	sqlite3_stmt *stmt = db_bind(db, nr, "");
	int ret = db_row(stmt);

	if (ret > 0)
		*value = db_int(stmt, 0);
	return db_end(stmt, ret > 0 ? 0 : ret ? ret : -EUCLEAN);
}

void db_text(sqlite3_stmt *stmt, int column, char *buf, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	snprintf(buf, size, "%s", text ? text : "");
}
