// SPDX-License-Identifier: MIT
/* Volumes and their clones. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_apply.h"
#include "store_tx.h"

#define FIRST_VOLUME	0x20000000u	/* as other AFS cells begin */
#define IDS_PER_NAME	3		/* R/W, .readonly, .backup */
#define BASE_NAME_MAX	(STORE_NAME_MAX - 10)	/* room for ".readonly" */

static const char *const suffixes[] = {
	[AFSX_VOL_RW] = "",
	[AFSX_VOL_RO] = ".readonly",
	[AFSX_VOL_BACKUP] = ".backup",
};

/* Columns of SQL_VOL_GET and its like */
enum {
	COL_ID, COL_GRP, COL_TYPE, COL_NAME, COL_SNAP, COL_CREATED, COL_UPDATED,
	COL_QUOTA, COL_USED, COL_FILES, COL_ONLINE, COL_OFFLINE_MSG, COL_MOTD,
};

void vol_from_row(sqlite3_stmt *row, struct store_vol *vol, s64 *snap)
{
	memset(vol, 0, sizeof(*vol));
	vol->id = (u32)db_int(row, COL_ID);
	vol->rw_id = (u32)db_int(row, COL_GRP);
	vol->type = (enum afsx_voltype)db_int(row, COL_TYPE);
	db_text(row, COL_NAME, vol->name, sizeof(vol->name));
	vol->created = db_int(row, COL_CREATED);
	vol->updated = db_int(row, COL_UPDATED);
	vol->quota_kib = (u64)db_int(row, COL_QUOTA);
	vol->used_kib = (u64)db_int(row, COL_USED);
	vol->files = (u64)db_int(row, COL_FILES);
	vol->online = db_int(row, COL_ONLINE);
	db_text(row, COL_OFFLINE_MSG, vol->offline_msg,
		sizeof(vol->offline_msg));
	db_text(row, COL_MOTD, vol->motd, sizeof(vol->motd));
	*snap = db_int(row, COL_SNAP);
}

/* The one volume that a bound query gives: 1, 0 for none, or an error. */
static int one_volume(sqlite3_stmt *row, struct store_vol *vol)
{
	s64 snap;
	int ret = db_row(row);

	if (ret > 0)
		vol_from_row(row, vol, &snap);
	return db_end(row, ret);
}

static int found(int ret)
{
	return ret > 0 ? 0 : ret ? ret : -ENOMEDIUM;
}

/* ---- reading -------------------------------------------------------------- */

/*
 * What records said before the database was asked, all of which was true then: in between
 * the rest may have changed, and such a mixture is not remembered.
 */
static void take_usage(struct store_vol *vol, const struct store_vol *newer)
{
	vol->used_kib = newer->used_kib;
	vol->files = newer->files;
	vol->updated = newer->updated;
}

int store_vol_get(struct store *st, u32 id, struct store_vol *vol)
{
	u64 mark = seen_mark(st->seen, id, 0);
	unsigned int losses;
	struct reader *r;
	struct tx_grp g;
	bool newer;
	int ret;

	if (seen_vol_get(st->seen, id, vol))
		return 0;
	if (apply_is_lost(st)) {
		r = reader_get(st, &ret);
		if (!r)
			return ret;
		reader_put(st, r, 0);
	}
	losses = wal_losses(st->wal);
	newer = st->rows && rows_group(st->rows, id, &g);
	r = reader_open(st, &ret);
	if (!r)
		return ret;
	if (newer && r->losses != losses)
		return reader_put(st, r, -EIO);
	ret = one_volume(db_bind(&r->db, SQL_VOL_GET, "i", (s64)id), vol);
	if (ret > 0 && newer)
		take_usage(vol, &g.vol);
	ret = reader_put(st, r, found(ret));
	if (!ret)
		seen_vol_put(st->seen, vol, mark);
	return ret;
}

static int find_name(struct db *db, const char *name, size_t len,
		     struct store_vol *vol)
{
	char text[STORE_NAME_MAX + 1];

	if (len > STORE_NAME_MAX)
		return -ENOMEDIUM;
	memcpy(text, name, len);
	text[len] = '\0';
	return found(one_volume(db_bind(db, SQL_VOL_FIND, "s", text), vol));
}

int store_vol_find(struct store *st, const char *name, size_t len,
		   struct store_vol *vol)
{
	int ret;
	struct reader *r = reader_get(st, &ret);

	if (!r)
		return ret;
	return reader_put(st, r, find_name(&r->db, name, len, vol));
}

int store_vol_next(struct store *st, u32 after, struct store_vol *vol)
{
	int ret;
	struct reader *r = reader_get(st, &ret);

	if (!r)
		return ret;
	ret = one_volume(db_bind(&r->db, SQL_VOL_NEXT, "i", (s64)after), vol);
	return reader_put(st, r, ret);
}

/* Length of a name without its suffix, if it has one. */
static size_t base_length(const char *name, size_t len)
{
	for (size_t i = 1; i < ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (len > n && !memcmp(name + len - n, suffixes[i], n))
			return len - n;
	}
	return len;
}

/* The first of the ids that share a name with this one. */
static u32 first_id(u32 id)
{
	return id < FIRST_VOLUME ? id : id - (id - FIRST_VOLUME) % IDS_PER_NAME;
}

/* The volumes that have @id among the ids of their name, which may be unused. */
static int load_group(struct db *db, u32 id, struct store_group *g)
{
	u32 first = first_id(id);
	sqlite3_stmt *row = db_bind(db, SQL_VOL_OF_NAME, "i", (s64)first);
	struct store_vol vol;
	s64 snap;
	int ret;

	memset(g, 0, sizeof(*g));
	for (u32 i = 0; i < AFSX_VOL_TYPES; i++)
		g->id[i] = first + i;
	while ((ret = db_row(row)) > 0) {
		vol_from_row(row, &vol, &snap);
		snprintf(g->name, sizeof(g->name), "%.*s",
			 (int)base_length(vol.name, strlen(vol.name)), vol.name);
		g->id[vol.type] = vol.id;
		g->exists[vol.type] = true;
	}
	db_end(row, 0);
	if (!ret && !g->name[0])
		ret = -ENOMEDIUM;
	return ret;
}

int store_group_get(struct store *st, u32 id, struct store_group *g)
{
	int ret;
	struct reader *r = reader_open(st, &ret);

	if (!r)
		return ret;
	return reader_put(st, r, load_group(&r->db, id, g));
}

int store_group_find(struct store *st, const char *name, size_t len,
		     struct store_group *g)
{
	struct store_vol vol;
	int ret;
	struct reader *r = reader_open(st, &ret);

	if (!r)
		return ret;
	ret = find_name(&r->db, name, base_length(name, len), &vol);
	if (!ret)
		ret = load_group(&r->db, vol.id, g);
	return reader_put(st, r, ret);
}

/* ---- creating ------------------------------------------------------------- */

int store_vol_name_check(const char *name)
{
	size_t len = strlen(name);
	size_t digits = strspn(name, "0123456789");

	if (len > BASE_NAME_MAX)
		return -ENAMETOOLONG;
	if (!len || digits == len || base_length(name, len) != len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return -EINVAL;
	return name[0] == '.' || name[len - 1] == '.' ? -EINVAL : 0;
}

int vol_check_new(struct store_tx *tx, const char *name)
{
	struct store_vol vol;
	int ret = store_vol_name_check(name);

	if (ret)
		return ret;
	ret = find_name(tx->db, name, strlen(name), &vol);
	return ret == -ENOMEDIUM ? 0 : ret ? tx_fail(tx, ret) : -EEXIST;
}

/* Whether a group of volumes may have the id that was asked for. */
static int check_id(struct store_tx *tx, u32 id)
{
	sqlite3_stmt *row;
	int ret;

	if (id < FIRST_VOLUME || first_id(id) != id ||
	    id > U32_MAX - IDS_PER_NAME)
		return -EDOM;
	/* a group that was removed may still have rows to be collected */
	row = db_bind(tx->db, SQL_ID_USED, "i", (s64)id);
	ret = db_end(row, db_row(row));
	return ret > 0 ? -ENOTUNIQ : ret;
}

int vol_take_id(struct store_tx *tx, u32 *id)
{
	static const char key[] = "next_volume";
	sqlite3_stmt *row = db_bind(tx->db, SQL_CONFIG_GET, "s", key);
	s64 next = FIRST_VOLUME;
	int ret = db_row(row);

	if (ret > 0)
		next = db_int(row, 0);
	db_end(row, min(ret, 0));
	if (ret >= 0)
		ret = *id ? check_id(tx, *id) : 0;
	if (ret)
		return ret;
	if (!*id) {
		if (next > (s64)U32_MAX - IDS_PER_NAME)
			return -ENOSPC;
		*id = (u32)next;
	}
	next = max(next, (s64)*id + IDS_PER_NAME);
	return db_run(tx->db, SQL_CONFIG_SET, "si", key, next);
}

static int make_root(struct store_tx *tx, u32 id)
{
	struct vnode *vn;
	struct tx_grp *g;
	int ret = tx_grp(tx, id, &g);

	if (ret)
		return ret;
	vn = calloc(1, sizeof(*vn));
	if (!vn)
		return -ENOMEM;
	vn->grp = id;
	vn->snap = SNAP_LIVE;
	vn->birth = g->epoch;
	vn->s = (struct store_status){
		.fid = { id, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE },
		.type = AFSX_FTYPE_DIR,
		.nlink = 2,
		.mode = 0777,
		.parent_vnode = AFSX_ROOT_VNODE,
		.parent_unique = AFSX_ROOT_UNIQUE,
		.mtime_client = tx->now,
	};
	g->files_delta++;
	tx_add_vnode(tx, vn);
	return dir_make(tx, vn, &vn->s.fid);
}

int store_vol_create(struct store_tx *tx, const char *name, u64 quota_kib,
		     u32 *id)
{
	int ret = vol_check_new(tx, name);

	if (ret)
		return ret;
	*id = 0;
	ret = tx_fail(tx, batch_sql(tx));
	if (!ret)
		ret = vol_take_id(tx, id);
	if (!ret)
		ret = db_run(tx->db, SQL_GRP_INSERT, "i", (s64)*id);
	if (!ret)
		ret = db_run(tx->db, SQL_VOL_INSERT, "iiisiiiiii", (s64)*id,
			     (s64)*id, (s64)AFSX_VOL_RW, name, SNAP_LIVE,
			     tx->now, tx->now, (s64)quota_kib, (s64)0, (s64)0);
	if (!ret)
		ret = make_root(tx, *id);
	if (ret && !tx->err)
		tx->err = ret;
	return ret;
}

/* ---- cloning -------------------------------------------------------------- */

static int volume_of(struct store_tx *tx, u32 id, struct store_vol *vol)
{
	return found(one_volume(db_bind(tx->db, SQL_VOL_GET, "i", (s64)id),
				vol));
}

int store_tx_vol_get(struct store_tx *tx, u32 id, struct store_vol *vol)
{
	struct tx_grp *g;

	/* that of a volume which can be changed is at hand, or soon of use */
	if (!tx->volumes && !tx_grp(tx, id, &g)) {
		*vol = g->vol;
		return 0;
	}
	return tx_fail(tx, volume_of(tx, id, vol));
}

/* The row of a clone that shows what the transaction has made of the volume. */
static int insert_clone(struct store_tx *tx, const struct tx_grp *g,
			const struct store_vol *rw, enum afsx_voltype type,
			u32 id, const char *name)
{
	return db_run(tx->db, SQL_VOL_INSERT, "iiisiiiiii", (s64)id, (s64)g->id,
		      (s64)type, name, g->epoch, tx->now, rw->updated,
		      (s64)rw->quota_kib, (s64)rw->used_kib + g->used_delta,
		      (s64)rw->files + g->files_delta);
}

/* The clone of a kind that has the name and an id of its volume. */
static int put_clone(struct store_tx *tx, const struct tx_grp *g,
		     const struct store_vol *rw, enum afsx_voltype type, u32 id)
{
	struct store_vol old;
	char name[STORE_NAME_MAX + 1];
	int ret = volume_of(tx, id, &old);

	if (ret == -ENOMEDIUM) {
		snprintf(name, sizeof(name), "%.*s%s", (int)BASE_NAME_MAX,
			 rw->name, suffixes[type]);
		return insert_clone(tx, g, rw, type, id, name);
	}
	if (!ret)
		ret = db_run(tx->db, SQL_VOL_SNAP, "iiiiiii", (s64)id, g->epoch,
			     tx->now, rw->updated, (s64)rw->quota_kib,
			     (s64)rw->used_kib + g->used_delta,
			     (s64)rw->files + g->files_delta);
	if (!ret)
		ret = db_run(tx->db, SQL_GARBAGE_INSERT, "i", (s64)g->id);
	return ret;
}

/* What is about to be cloned: what the transaction changed so far is part of it. */
static int begin_clone(struct store_tx *tx, u32 rw_id, struct store_vol *rw,
		       struct tx_grp **g)
{
	int ret = tx_fail(tx, batch_sql(tx));

	if (!ret)
		ret = volume_of(tx, rw_id, rw);
	if (!ret)
		ret = tx_grp(tx, rw_id, g);
	return ret ? ret : tx_fail(tx, tx_flush(tx));
}

/* The clone has its row: what changes from now on is not for it. */
static int end_clone(struct store_tx *tx, struct tx_grp *g, u32 id, int ret)
{
	if (ret)
		return tx_fail(tx, ret);
	g->newest = g->epoch++;
	g->counters = true;
	tx_news(tx, &(struct afsx_fid){ .vid = id });
	return 0;
}

int store_vol_clone(struct store_tx *tx, u32 rw_id, enum afsx_voltype type,
		    u32 *id)
{
	struct store_vol rw;
	struct tx_grp *g;
	int ret;

	if (type != AFSX_VOL_RO && type != AFSX_VOL_BACKUP)
		return -EINVAL;
	ret = begin_clone(tx, rw_id, &rw, &g);
	if (ret)
		return ret;
	*id = rw_id + type;
	return end_clone(tx, g, *id, put_clone(tx, g, &rw, type, *id));
}

int store_vol_clone_as(struct store_tx *tx, u32 rw_id, const char *name,
		       u32 *id)
{
	struct store_vol rw;
	struct tx_grp *g;
	u32 first = 0;
	int ret = vol_check_new(tx, name);

	if (!ret)
		ret = begin_clone(tx, rw_id, &rw, &g);
	if (ret)
		return ret;
	ret = vol_take_id(tx, &first);
	*id = first + AFSX_VOL_RO;
	if (!ret)
		ret = insert_clone(tx, g, &rw, AFSX_VOL_RO, *id, name);
	return end_clone(tx, g, *id, ret);
}

/* ---- other changes ----------------------------------------------------------- */

int store_vol_rename(struct store_tx *tx, u32 id, const char *name)
{
	struct store_vol vol;
	struct tx_grp *g;
	int ret = tx_fail(tx, batch_sql(tx)) ? : volume_of(tx, id, &vol);

	if (!ret)
		ret = tx_grp(tx, id, &g);
	if (!ret)
		ret = vol_check_new(tx, name);
	if (ret)
		return ret;
	tx_forget(tx);
	return tx_fail(tx, db_run(tx->db, SQL_VOL_RENAME, "iss", (s64)id,
				  vol.name, name));
}

static int has_clones(struct store_tx *tx, u32 rw_id)
{
	sqlite3_stmt *row = db_bind(tx->db, SQL_VOL_CLONE_OF, "i", (s64)rw_id);
	int ret = db_row(row);

	return db_end(row, ret > 0 ? -EBUSY : ret);
}

int store_vol_remove(struct store_tx *tx, u32 id)
{
	struct store_vol vol;
	int ret = tx_fail(tx, batch_sql(tx)) ? : volume_of(tx, id, &vol);

	if (!ret && vol.type == AFSX_VOL_RW)
		ret = vol_check_idle(tx, id);
	if (!ret && vol.type == AFSX_VOL_RW)
		ret = has_clones(tx, id);
	if (ret)
		return tx_fail(tx, ret);
	ret = db_run(tx->db, SQL_VOL_DELETE, "i", (s64)id);
	if (!ret)
		ret = db_run(tx->db, SQL_GARBAGE_INSERT, "i", (s64)vol.rw_id);
	if (!ret)
		tx_news(tx, &(struct afsx_fid){ .vid = id });
	tx_forget(tx);
	return tx_fail(tx, ret);
}

/* What the transaction still does in this volume goes by the new quota. */
static void use_quota(struct store_tx *tx, const struct store_vol *vol)
{
	for (struct tx_grp *g = tx->grps.first; g; g = g->next)
		if (g->id == vol->id)
			g->vol.quota_kib = vol->quota_kib;
}

int store_vol_set(struct store_tx *tx, const struct store_vol *vol,
		  unsigned int mask)
{
	struct store_vol now;
	int ret = tx_fail(tx, batch_sql(tx)) ? : volume_of(tx, vol->id, &now);

	if (ret)
		return ret;
	if (mask & STORE_VOL_QUOTA)
		now.quota_kib = vol->quota_kib;
	if (mask & STORE_VOL_ONLINE)
		now.online = vol->online;
	if (mask & STORE_VOL_OFFLINE_MSG)
		memcpy(now.offline_msg, vol->offline_msg,
		       sizeof(now.offline_msg));
	if (mask & STORE_VOL_MOTD)
		memcpy(now.motd, vol->motd, sizeof(now.motd));
	ret = db_run(tx->db, SQL_VOL_SET, "iiiss", (s64)vol->id,
		     (s64)now.quota_kib, (s64)now.online, now.offline_msg,
		     now.motd);
	use_quota(tx, &now);
	tx_news(tx, &(struct afsx_fid){ .vid = vol->id });
	return tx_fail(tx, ret);
}
