// SPDX-License-Identifier: MIT
#include "store_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "redo.h"
#include "store_grp.h"
#include "store_read.h"

struct rows *rows_create(unsigned int max)
{
	struct rows *rows = calloc(1, sizeof(*rows));
	unsigned int chains = 64;

	if (!rows)
		return NULL;
	while (chains < max)
		chains *= 2;
	rows->max = max;
	rows->mask = chains - 1;
	pthread_mutex_init(&rows->lock, NULL);
	rows->entry = calloc(max, sizeof(*rows->entry));
	rows->chain = calloc(chains, sizeof(struct row_entry *));
	if (rows->entry && rows->chain)
		return rows;
	rows_destroy(rows);
	return NULL;
}

void rows_destroy(struct rows *rows)
{
	if (!rows)
		return;
	free(rows->entry);
	free(rows->chain);
	pthread_mutex_destroy(&rows->lock);
	free(rows);
}

/* What is gone takes the place of what was there, a part that of a block. */
static enum row_kind place_of(enum row_kind kind)
{
	switch (kind) {
	case ROW_GONE:
		return ROW_VNODE;
	case ROW_DIRPART:
		return ROW_DIRBLK;
	default:
		return kind;
	}
}

static struct row_entry **chain_of(const struct rows *rows, enum row_kind kind,
				   u32 grp, u32 vno, u64 nr)
{
	u64 hash = ((u64)grp << 32 | vno) * 0x9e3779b97f4a7c15u;

	hash += nr * 0xff51afd7ed558ccdu + place_of(kind);
	return &rows->chain[(hash ^ hash >> 32) & rows->mask];
}

static struct row_entry *find(const struct rows *rows, enum row_kind kind,
			      u32 grp, u32 vno, u64 nr)
{
	struct row_entry *e = *chain_of(rows, kind, grp, vno, nr);

	while (e && (place_of(row_kind(e->row)) != place_of(kind) ||
		     row_grp(e->row) != grp || row_vno(e->row) != vno ||
		     row_nr(e->row) != nr))
		e = e->next;
	return e;
}

int rows_count(const u8 *list, size_t len, const u8 *first)
{
	int nr = 0;

	for (size_t at = 0; at < len; at += row_len(list + at)) {
		if (!row_is_valid(list + at, len - at) ||
		    !row_has_base(list + at, first))
			return -EUCLEAN;
		nr++;
	}
	return nr;
}

unsigned int rows_room(struct rows *rows)
{
	return rows->max - rows->used;
}

static struct row_entry *add_entry(struct rows *rows, const u8 *row)
{
	struct row_entry **head = chain_of(rows, row_kind(row), row_grp(row),
					   row_vno(row), row_nr(row));
	struct row_entry *e;

	if (rows->used == rows->max)
		return NULL;
	e = &rows->entry[rows->used++];
	*e = (struct row_entry){ .next = *head };
	*head = e;
	return e;
}

static bool put(struct rows *rows, const u8 *row, u64 ticket)
{
	struct row_entry *e = find(rows, row_kind(row), row_grp(row),
				   row_vno(row), row_nr(row));

	if (!e)
		e = add_entry(rows, row);
	else if (e->ticket != ticket)
		e->older = e->row;
	if (!e)
		return false;
	e->row = row;
	e->ticket = ticket;
	e->written = false;
	return true;
}

static size_t put_list(struct rows *rows, const u8 *list, size_t len,
		       u64 ticket)
{
	size_t at = 0;

	while (at < len && put(rows, list + at, ticket))
		at += row_len(list + at);
	return at;
}

static void forget(struct rows *rows)
{
	rows->used = 0;
	memset(rows->chain, 0,
	       (rows->mask + (size_t)1) * sizeof(struct row_entry *));
}

size_t rows_put(struct rows *rows, const u8 *list, size_t len, u64 ticket)
{
	size_t taken;

	MUTEX_GUARD(&rows->lock);
	taken = put_list(rows, list, len, ticket);
	atomic_store(&rows->nr, rows->used);
	return taken;
}

void rows_show(struct rows *rows, u64 ticket)
{
	MUTEX_GUARD(&rows->lock);

	rows->visible = ticket;
}

void rows_clear(struct rows *rows)
{
	MUTEX_GUARD(&rows->lock);

	forget(rows);
	atomic_store(&rows->nr, 0);
}

static int refill(void *ctx, const u8 *list, size_t len)
{
	put_list(ctx, list, len, 0);
	return 0;
}

void rows_refill(struct rows *rows, const struct redo *r, u64 after)
{
	MUTEX_GUARD(&rows->lock);

	forget(rows);
	redo_each(r, after, refill, rows);
	atomic_store(&rows->nr, rows->used);
}

void rows_unwrite(struct rows *rows)
{
	for (unsigned int i = 0; i < rows->used; i++)
		rows->entry[i].written = false;
}

const u8 *rows_find(const struct rows *rows, enum row_kind kind, u32 grp,
		    u32 vno, u64 nr)
{
	const struct row_entry *e = find(rows, kind, grp, vno, nr);

	return e && !e->written ? e->row : NULL;
}

/* ---- for readers ---------------------------------------------------------------- */

/* The one of the last batch that has ended; NULL when the database has that. */
static const u8 *shown(const struct rows *rows, enum row_kind kind, u32 grp,
		       u32 vno)
{
	const struct row_entry *e = find(rows, kind, grp, vno, 0);

	if (!e)
		return NULL;
	return e->ticket <= rows->visible ? e->row : e->older;
}

bool rows_have(struct rows *rows, u32 grp, u32 vno)
{
	if (!atomic_load(&rows->nr))
		return false;
	MUTEX_GUARD(&rows->lock);
	return shown(rows, ROW_VNODE, grp, vno);
}

static ssize_t copy_status(const u8 *row, const struct afsx_fid *fid,
			   struct store_status *s, char *acl)
{
	const char *list;
	size_t len;

	if (row_kind(row) == ROW_GONE)
		return -ENOENT;
	row_get_status(row, s, &list, &len);
	if (fid->unique && fid->unique != s->fid.unique)
		return -ESTALE;
	if (!s->nlink)
		return -ENOENT;
	if (acl && len)
		memcpy(acl, list, len);
	return (ssize_t)len;
}

ssize_t rows_status(struct rows *rows, const struct afsx_fid *fid,
		    struct store_status *s, char *acl)
{
	const u8 *row;

	if (!atomic_load(&rows->nr))
		return -ENODATA;
	MUTEX_GUARD(&rows->lock);
	row = shown(rows, ROW_VNODE, fid->vid, fid->vnode);
	return row ? copy_status(row, fid, s, acl) : -ENODATA;
}

bool rows_group(struct rows *rows, u32 grp, struct tx_grp *g)
{
	const u8 *row;

	if (!atomic_load(&rows->nr))
		return false;
	MUTEX_GUARD(&rows->lock);
	row = shown(rows, ROW_GROUP, grp, 0);
	if (row)
		row_get_group(row, g);
	return row;
}
