// SPDX-License-Identifier: MIT
/* Schema and statements.  Documentation/store-format.rst explains the columns. */
#include "db.h"

const char *const db_schema[] = {
	"BEGIN",
	"CREATE TABLE config(key TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID",
	"CREATE TABLE grp(id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL,"
	" next_file INTEGER NOT NULL, next_dir INTEGER NOT NULL,"
	" next_unique INTEGER NOT NULL)",
	"CREATE TABLE vol(id INTEGER PRIMARY KEY, grp INTEGER NOT NULL,"
	" type INTEGER NOT NULL, name TEXT NOT NULL UNIQUE, snap INTEGER NOT NULL,"
	" created INTEGER NOT NULL, updated INTEGER NOT NULL,"
	" quota INTEGER NOT NULL, used INTEGER NOT NULL, files INTEGER NOT NULL,"
	" online INTEGER NOT NULL DEFAULT 1, offline_msg TEXT NOT NULL DEFAULT '',"
	" motd TEXT NOT NULL DEFAULT '')",
	"CREATE INDEX vol_grp ON vol(grp, type)",
	"CREATE TABLE vnode(grp INTEGER, vno INTEGER, birth INTEGER, death INTEGER,"
	" uniq INTEGER NOT NULL, type INTEGER NOT NULL, dv INTEGER NOT NULL,"
	" size INTEGER NOT NULL, nlink INTEGER NOT NULL, mode INTEGER NOT NULL,"
	" owner INTEGER NOT NULL, gid INTEGER NOT NULL, author INTEGER NOT NULL,"
	" pvno INTEGER NOT NULL, puniq INTEGER NOT NULL, mtime INTEGER NOT NULL,"
	" stime INTEGER NOT NULL, used INTEGER NOT NULL, target BLOB, acl BLOB,"
	" PRIMARY KEY(grp, vno, birth)) WITHOUT ROWID",
	"CREATE INDEX vnode_dead ON vnode(grp, death) WHERE death IS NOT NULL",
	"CREATE TABLE extent(id INTEGER PRIMARY KEY, grp INTEGER NOT NULL,"
	" vno INTEGER NOT NULL, off INTEGER NOT NULL, birth INTEGER NOT NULL,"
	" death INTEGER, nr INTEGER NOT NULL, phys INTEGER NOT NULL,"
	" sums BLOB NOT NULL)",
	"CREATE UNIQUE INDEX extent_at ON extent(grp, vno, off, birth)",
	"CREATE INDEX extent_dead ON extent(grp, death) WHERE death IS NOT NULL",
	"CREATE TABLE dirblk(id INTEGER PRIMARY KEY, grp INTEGER NOT NULL,"
	" vno INTEGER NOT NULL, nr INTEGER NOT NULL, birth INTEGER NOT NULL,"
	" death INTEGER, data BLOB NOT NULL)",
	"CREATE UNIQUE INDEX dirblk_at ON dirblk(grp, vno, nr, birth)",
	"CREATE INDEX dirblk_dead ON dirblk(grp, death) WHERE death IS NOT NULL",
	"CREATE TABLE orphan(grp INTEGER, vno INTEGER, PRIMARY KEY(grp, vno))"
	" WITHOUT ROWID",
	"CREATE TABLE garbage(grp INTEGER PRIMARY KEY)",
	"COMMIT",
	NULL,
};

#define VOL_COLUMNS \
	"id, grp, type, name, snap, created, updated, quota, used, files," \
	" online, offline_msg, motd"

#define VNODE_COLUMNS \
	"n.birth, n.death, n.uniq, n.type, n.dv, n.size, n.nlink, n.mode," \
	" n.owner, n.gid, n.author, n.pvno, n.puniq, n.mtime, n.stime, n.used," \
	" n.target, v.grp, v.snap, v.type, n.acl"

#define ALIVE_AT(snap) \
	"birth <= " snap " AND (death IS NULL OR death > " snap ")"

/* Rows of a group that ended, and that no clone sees. */
#define UNSEEN(table) \
	table " INDEXED BY " table "_dead WHERE grp = ?1 AND death IS NOT NULL" \
	" AND NOT EXISTS (SELECT 1 FROM vol v WHERE v.grp = " table ".grp" \
	" AND v.type <> 0 AND v.snap >= birth AND v.snap < death) LIMIT ?2"

/* All rows of a group without volumes. */
#define ABANDONED(table) \
	table " WHERE grp = ?1 LIMIT ?2"

static const char *const texts[] = {
	[SQL_BEGIN_READ] = "BEGIN",
	[SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_PAGE_COUNT] = "PRAGMA page_count",

	[SQL_CONFIG_GET] = "SELECT value FROM config WHERE key = ?1",
	[SQL_CONFIG_SET] = "INSERT OR REPLACE INTO config VALUES(?1, ?2)",

	[SQL_GRP_INSERT] = "INSERT INTO grp VALUES(?1, 1, 2, 3, 2)",
	[SQL_GRP_GET] = "SELECT epoch, next_file, next_dir, next_unique FROM grp"
		" WHERE id = ?1",
	[SQL_GRP_UPDATE] = "UPDATE grp SET epoch = ?2, next_file = ?3,"
		" next_dir = ?4, next_unique = ?5 WHERE id = ?1",
	[SQL_GRP_DELETE] = "DELETE FROM grp WHERE id = ?1",

	[SQL_VOL_GET] = "SELECT " VOL_COLUMNS " FROM vol WHERE id = ?1",
	[SQL_VOL_FIND] = "SELECT " VOL_COLUMNS " FROM vol WHERE name = ?1",
	[SQL_VOL_NEXT] = "SELECT " VOL_COLUMNS " FROM vol WHERE id > ?1"
		" ORDER BY id LIMIT 1",
	[SQL_VOL_OF_GRP] = "SELECT " VOL_COLUMNS " FROM vol WHERE grp = ?1"
		" ORDER BY type",
	[SQL_VOL_NEWEST_SNAP] = "SELECT max(snap) FROM vol WHERE grp = ?1"
		" AND type <> 0",
	[SQL_VOL_INSERT] = "INSERT INTO vol(" VOL_COLUMNS ")"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, '', '')",
	[SQL_VOL_SNAP] = "UPDATE vol SET snap = ?2, created = ?3, updated = ?4,"
		" quota = ?5, used = ?6, files = ?7 WHERE id = ?1",
	[SQL_VOL_USAGE] = "UPDATE vol SET used = used + ?2, files = files + ?3,"
		" updated = ?4 WHERE id = ?1",
	[SQL_VOL_SET] = "UPDATE vol SET quota = ?2, online = ?3,"
		" offline_msg = ?4, motd = ?5 WHERE id = ?1",
	[SQL_VOL_DELETE] = "DELETE FROM vol WHERE id = ?1",
	[SQL_VOL_COUNT] = "SELECT count(*) FROM vol",

	[SQL_VNODE_GET] = "SELECT " VNODE_COLUMNS
		" FROM vol v LEFT JOIN vnode n ON n.grp = v.grp AND n.vno = ?2"
		" AND n.birth <= v.snap WHERE v.id = ?1"
		" ORDER BY n.birth DESC LIMIT 1",
	[SQL_VNODE_EXISTS] = "SELECT 1 FROM vnode WHERE grp = ?1 AND vno = ?2"
		" LIMIT 1",
	[SQL_VNODE_PUT] = "INSERT OR REPLACE INTO vnode VALUES(?1, ?2, ?3, NULL,"
		" ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
		" ?18, ?19)",
	[SQL_VNODE_KILL] = "UPDATE vnode SET death = ?4 WHERE grp = ?1"
		" AND vno = ?2 AND birth = ?3",
	[SQL_VNODE_DELETE] = "DELETE FROM vnode WHERE grp = ?1 AND vno = ?2"
		" AND birth = ?3",
	[SQL_VNODE_COUNT] = "SELECT sum(files) FROM vol WHERE type = 0",

	[SQL_EXTENT_RANGE] = "SELECT id, off, birth, nr, phys, sums FROM extent"
		" WHERE grp = ?1 AND vno = ?2 AND off > ?3 AND off < ?4"
		" AND " ALIVE_AT("?5") " ORDER BY off",
	[SQL_EXTENT_INSERT] = "INSERT INTO extent(grp, vno, off, birth, nr, phys,"
		" sums) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_EXTENT_TRIM] = "UPDATE extent SET nr = ?2, sums = ?3 WHERE id = ?1",
	[SQL_EXTENT_KILL] = "UPDATE extent SET death = ?2 WHERE id = ?1",
	[SQL_EXTENT_DELETE] = "DELETE FROM extent WHERE id = ?1",
	[SQL_EXTENT_ALL] = "SELECT phys, nr FROM extent",

	[SQL_DIRBLK_GET] = "SELECT id, birth, data FROM dirblk WHERE grp = ?1"
		" AND vno = ?2 AND nr = ?3 AND " ALIVE_AT("?4")
		" ORDER BY birth DESC LIMIT 1",
	[SQL_DIRBLK_RANGE] = "SELECT nr, data FROM dirblk WHERE grp = ?1"
		" AND vno = ?2 AND nr BETWEEN ?3 AND ?4 AND " ALIVE_AT("?5"),
	[SQL_DIRBLK_INSERT] = "INSERT INTO dirblk(grp, vno, nr, birth, data)"
		" VALUES(?1, ?2, ?3, ?4, ?5)",
	[SQL_DIRBLK_UPDATE] = "UPDATE dirblk SET data = ?2 WHERE id = ?1",
	[SQL_DIRBLK_KILL] = "UPDATE dirblk SET death = ?2 WHERE id = ?1",
	[SQL_DIRBLK_KILL_ALL] = "UPDATE dirblk SET death = ?4 WHERE grp = ?1"
		" AND vno = ?2 AND death IS NULL AND birth <= ?3",
	[SQL_DIRBLK_DROP_ALL] = "DELETE FROM dirblk WHERE grp = ?1 AND vno = ?2"
		" AND death IS NULL AND birth > ?3",

	[SQL_ORPHAN_INSERT] = "INSERT INTO orphan VALUES(?1, ?2)",
	[SQL_ORPHAN_DELETE] = "DELETE FROM orphan WHERE grp = ?1 AND vno = ?2",
	[SQL_ORPHAN_NEXT] = "SELECT grp, vno FROM orphan",

	[SQL_GARBAGE_INSERT] = "INSERT OR IGNORE INTO garbage VALUES(?1)",
	[SQL_GARBAGE_NEXT] = "SELECT grp FROM garbage LIMIT 1",
	[SQL_GARBAGE_DELETE] = "DELETE FROM garbage WHERE grp = ?1",
	[SQL_COLLECT_EXTENTS] = "DELETE FROM extent WHERE id IN"
		" (SELECT id FROM " UNSEEN("extent") ") RETURNING phys, nr",
	[SQL_COLLECT_DIRBLKS] = "DELETE FROM dirblk WHERE id IN"
		" (SELECT id FROM " UNSEEN("dirblk") ") RETURNING 0, 0",
	[SQL_COLLECT_VNODES] = "DELETE FROM vnode WHERE (grp, vno, birth) IN"
		" (SELECT grp, vno, birth FROM " UNSEEN("vnode") ")"
		" RETURNING 0, 0",
	[SQL_ABANDON_EXTENTS] = "DELETE FROM extent WHERE id IN"
		" (SELECT id FROM " ABANDONED("extent") ") RETURNING phys, nr",
	[SQL_ABANDON_DIRBLKS] = "DELETE FROM dirblk WHERE id IN"
		" (SELECT id FROM " ABANDONED("dirblk") ") RETURNING 0, 0",
	[SQL_ABANDON_VNODES] = "DELETE FROM vnode WHERE (grp, vno, birth) IN"
		" (SELECT grp, vno, birth FROM " ABANDONED("vnode") ")"
		" RETURNING 0, 0",

	[SQL_CHECK_PAGES] = "PRAGMA integrity_check(20)",
	[SQL_CHECK_VNODES] = "SELECT vno FROM vnode WHERE grp = ?1"
		" AND " ALIVE_AT("?2") " ORDER BY vno",
	[SQL_CHECK_EXTENTS] = "SELECT id, phys, nr, sums FROM extent"
		" ORDER BY phys",
	[SQL_CHECK_STRAYS] = "SELECT count(*) FROM extent e WHERE NOT EXISTS"
		" (SELECT 1 FROM vnode n WHERE n.grp = e.grp AND n.vno = e.vno)"
		" AND EXISTS (SELECT 1 FROM vol v WHERE v.grp = e.grp)",
};

static_assert(ARRAY_SIZE(texts) == SQL_NR, "every statement has its text");

const char *db_sql_text(enum db_sql nr)
{
	return texts[nr];
}
