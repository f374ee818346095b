// SPDX-License-Identifier: MIT
#include "store_grp.h"

#include <errno.h>
#include <stdlib.h>

#include "store_tx.h"

static void enter(struct grps *list, struct tx_grp *g)
{
	g->next = list->first;
	list->first = g;
	list->nr++;
}

static struct tx_grp *find(const struct grps *list, u32 id)
{
	struct tx_grp *g = list->first;

	while (g && g->id != id)
		g = g->next;
	return g;
}

static struct tx_grp *take(struct grps *list, u32 id)
{
	struct tx_grp **link = &list->first;
	struct tx_grp *g;

	while (*link && (*link)->id != id)
		link = &(*link)->next;
	g = *link;
	if (g) {
		*link = g->next;
		list->nr--;
	}
	return g;
}

static void drop_oldest(struct grps *list)
{
	struct tx_grp **link = &list->first;

	while ((*link)->next)
		link = &(*link)->next;
	free(*link);
	*link = NULL;
	list->nr--;
}

void grps_clear(struct grps *list)
{
	struct tx_grp *g;

	while ((g = list->first)) {
		list->first = g->next;
		free(g);
	}
	list->nr = 0;
}

/* ---- loading -------------------------------------------------------------- */

static int load_volume(struct store_tx *tx, struct tx_grp *g)
{
	sqlite3_stmt *row = db_bind(tx->db, SQL_VOL_ROW, "i", (s64)g->id);
	bool restoring = g->id == tx->restoring;
	int ret = db_row(row);
	s64 snap;

	if (!ret)
		ret = -ENOMEDIUM;
	if (ret > 0) {
		vol_from_row(row, &g->vol, &snap);
		if (restoring)
			g->vol.quota_kib = 0;
		ret = g->vol.type != AFSX_VOL_RW ? -EROFS :
		      snap == SNAP_LIVE || restoring ? 0 : -EBUSY;
	}
	return db_end(row, ret);
}

static int load_group(struct store_tx *tx, struct tx_grp *g)
{
	sqlite3_stmt *row = db_bind(tx->db, SQL_GRP_GET, "i", (s64)g->id);
	int ret = db_row(row);

	if (!ret)
		ret = -EUCLEAN;
	if (ret > 0) {
		g->epoch = db_int(row, 0);
		g->next_file = (u32)db_int(row, 1);
		g->next_dir = (u32)db_int(row, 2);
		g->next_unique = (u32)db_int(row, 3);
		ret = 0;
	}
	db_end(row, 0);
	if (ret)
		return ret;
	row = db_bind(tx->db, SQL_VOL_NEWEST_SNAP, "i", (s64)g->id);
	ret = db_row(row);
	if (ret > 0)
		g->newest = db_int(row, 0);	/* NULL reads as 0 */
	return db_end(row, min(ret, 0));
}

static int load(struct store_tx *tx, u32 vid, struct tx_grp **out)
{
	struct tx_grp *g = calloc(1, sizeof(*g));
	const u8 *newer;
	int ret;

	if (!g)
		return -ENOMEM;
	g->id = vid;
	ret = load_volume(tx, g);
	if (!ret)
		ret = load_group(tx, g);
	newer = rows_find(tx->st->rows, ROW_GROUP, vid, 0, 0);
	if (newer)
		row_get_group(newer, g);
	if (ret)
		free(g);
	else
		*out = g;
	return ret;
}

/* Volumes that this transaction changes may not be what the store remembers. */
static bool may_recall(const struct store_tx *tx)
{
	return !tx->volumes && !tx->restoring;
}

/* A copy of what the store remembers, which stays what it is if this one is undone. */
static int recall(struct store_tx *tx, u32 vid, struct tx_grp **out)
{
	const struct tx_grp *kept = NULL;
	struct tx_grp *g;

	if (may_recall(tx))
		kept = find(&tx->st->grps, vid);
	if (!kept)
		return load(tx, vid, out);
	g = malloc(sizeof(*g));
	if (!g)
		return -ENOMEM;
	*g = *kept;
	*out = g;
	return 0;
}

int tx_grp(struct store_tx *tx, u32 vid, struct tx_grp **out)
{
	struct tx_grp *g = find(&tx->grps, vid);
	int ret;

	if (!g) {
		ret = recall(tx, vid, &g);
		if (ret)
			return ret;
		enter(&tx->grps, g);
	}
	*out = g;
	return 0;
}

/* ---- changing ------------------------------------------------------------- */

/* Whether the row of the volume is not what it has to be after the transaction. */
static bool is_outdated(const struct store_tx *tx, const struct tx_grp *g)
{
	return g->used_delta || g->files_delta ||
	       (g->changed && g->vol.updated != tx->now);
}

int grp_flush(struct store_tx *tx, struct tx_grp *g)
{
	int ret = 0;

	if (g->counters)
		ret = db_run(tx->db, SQL_GRP_UPDATE, "iiiii", (s64)g->id,
			     g->epoch, (s64)g->next_file, (s64)g->next_dir,
			     (s64)g->next_unique);
	if (!ret && is_outdated(tx, g) && g->id != tx->restoring)
		ret = db_run(tx->db, SQL_VOL_USAGE, "iiii", (s64)g->id,
			     g->used_delta, g->files_delta, tx->now);
	return ret;
}

int grp_log(struct store_tx *tx, const struct tx_grp *g)
{
	if (!g->counters && !is_outdated(tx, g))
		return 0;
	return row_put_group(tx->st->redo, g, tx->now);
}

static void keep(struct store *st, struct tx_grp *g, s64 now)
{
	if (g->changed)
		g->vol.updated = now;
	g->vol.used_kib = (u64)((s64)g->vol.used_kib + g->used_delta);
	g->vol.files = (u64)((s64)g->vol.files + g->files_delta);
	g->used_delta = 0;
	g->files_delta = 0;
	g->counters = false;
	g->changed = false;
	free(take(&st->grps, g->id));
	enter(&st->grps, g);
	if (st->grps.nr > GRPS_KEPT)
		drop_oldest(&st->grps);
}

void grps_keep(struct store_tx *tx)
{
	struct tx_grp *g;

	if (!may_recall(tx)) {
		grps_clear(&tx->st->grps);
		return;
	}
	while ((g = tx->grps.first)) {
		take(&tx->grps, g->id);
		keep(tx->st, g, tx->now);
	}
}
