// SPDX-License-Identifier: MIT
/*
 * Directories: AFS's directory blob, a database row per block of 2048 bytes.
 * An operation loads and writes only the blocks it touches.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dir_index.h"
#include "store_tx.h"

#define DIRTY_WORDS	(AFSX_DIR_MAX_BLOCKS / 64 + 1)

/**
 * struct dirblk - one block in memory
 * @birth: of its row; 0 when there is none yet
 * @data: contents
 */
struct dirblk {
	s64 birth;
	u8 data[AFSX_DIR_BLOCK_SIZE];
};

/**
 * struct dirbuf - the blocks of a directory that are in memory
 * @db: where to read blocks, set for the length of a call
 * @vn: the directory
 * @err: first error of the accessors
 * @nr_loaded: blocks that are there
 * @searches: names that were looked for, until there is an index
 * @index: where names are, or NULL
 * @ed: for the directory code; @ed.rd.nr_blocks is the size
 * @dirty: a bit for each block that must be written
 * @blk: blocks, NULL when not loaded
 */
struct dirbuf {
	struct db *db;
	const struct vnode *vn;
	int err;
	u32 nr_loaded;
	u32 searches;
	struct dir_index *index;
	struct afsx_dir_editor ed;
	u64 dirty[DIRTY_WORDS];
	struct dirblk *blk[AFSX_DIR_MAX_BLOCKS];
};

/* Whether there is one that the database does not have yet. */
static bool load_newer(const struct dirbuf *d, u32 nr, struct dirblk *b)
{
	const struct vnode *vn = d->vn;
	const u8 *row;

	if (!d->db->newer)
		return false;
	row = rows_find(d->db->newer, ROW_DIRBLK, vn->grp, vn->s.fid.vnode, nr);
	if (!row)
		return false;
	b->birth = row_birth(row);
	row_get_dirblk(row, b->data);
	return true;
}

/* Rows leave out the zeros at the end of a block. */
static int load_row(const struct dirbuf *d, u32 nr, struct dirblk *b)
{
	const struct vnode *vn = d->vn;
	sqlite3_stmt *row;
	int ret, len;

	row = db_bind(d->db, SQL_DIRBLK_GET, "iiii", (s64)vn->grp,
		      (s64)vn->s.fid.vnode, (s64)nr, vn->snap);
	ret = db_row(row);
	if (!ret)
		ret = -EUCLEAN;
	if (ret < 0)
		return db_end(row, ret);
	b->birth = db_int(row, 0);
	len = sqlite3_column_bytes(row, 1);
	if (len > AFSX_DIR_BLOCK_SIZE)
		return db_end(row, -EUCLEAN);
	if (len)
		memcpy(b->data, sqlite3_column_blob(row, 1), (size_t)len);
	return db_end(row, 0);
}

static int load_block(const struct dirbuf *d, u32 nr, struct dirblk *b)
{
	int ret = load_newer(d, nr, b) ? 0 : load_row(d, nr, b);

	if (ret)
		return ret;
	return afsx_dir_check_block(b->data, nr) ? -EUCLEAN : 0;
}

static struct dirblk *get_block(struct dirbuf *d, u32 nr)
{
	struct dirblk *b;
	int ret;

	if (d->blk[nr])
		return d->blk[nr];
	b = calloc(1, sizeof(*b));
	ret = b ? load_block(d, nr, b) : -ENOMEM;
	if (ret) {
		d->err = ret;
		free(b);
		return NULL;
	}
	d->blk[nr] = b;
	d->nr_loaded++;
	return b;
}

static const void *read_block(void *ctx, u32 nr)
{
	struct dirblk *b = get_block(ctx, nr);

	return b ? b->data : NULL;
}

static void *modify_block(void *ctx, u32 nr)
{
	struct dirbuf *d = ctx;
	struct dirblk *b;

	if (nr == d->ed.rd.nr_blocks && !d->blk[nr]) {
		d->blk[nr] = calloc(1, sizeof(*b));
		d->nr_loaded += !!d->blk[nr];
	}
	b = get_block(d, nr);
	if (!b)
		return NULL;
	d->dirty[nr / 64] |= UINT64_C(1) << nr % 64;
	return b->data;
}

static struct dirbuf *dirbuf_of(struct db *db, struct vnode *vn)
{
	struct dirbuf *d = vn->dir;

	if (!d) {
		d = calloc(1, sizeof(*d));
		if (!d)
			return NULL;
		d->vn = vn;
		d->ed.rd.block = read_block;
		d->ed.rd.ctx = d;
		d->ed.rd.nr_blocks = (u32)(vn->s.size / AFSX_DIR_BLOCK_SIZE);
		d->ed.modify = modify_block;
		vn->dir = d;
	}
	d->db = db;
	d->err = 0;
	return d;
}

size_t dirbuf_bytes(const struct dirbuf *d)
{
	return d ? sizeof(*d) + d->nr_loaded * sizeof(struct dirblk) +
		   dir_index_bytes(d->index) : 0;
}

void dirbuf_free(struct dirbuf *d)
{
	if (!d)
		return;
	/* most often it is one of many */
	for (u32 i = 0; d->nr_loaded; i++) {
		if (!d->blk[i])
			continue;
		free(d->blk[i]);
		d->nr_loaded--;
	}
	dir_index_free(d->index);
	free(d);
}

/* ---- the index of a large directory ------------------------------------------- */

static u32 index_candidate(void *ctx, const char *name, u32 len, u32 after,
			   u32 *prev)
{
	const struct dirbuf *d = ctx;

	return dir_index_candidate(d->index, name, len, after, prev);
}

static void index_removed(void *ctx, u32 slot, u32 prev, u32 next)
{
	struct dirbuf *d = ctx;

	dir_index_remove(d->index, slot, prev, next);
}

static void set_index(struct dirbuf *d, struct dir_index *x);

static void index_added(void *ctx, const char *name, u32 len, u32 slot,
			u32 next)
{
	struct dirbuf *d = ctx;

	if (dir_index_add(d->index, name, len, slot, next))
		set_index(d, NULL);
}

static const struct afsx_dir_index index_ops = {
	.candidate = index_candidate,
	.added = index_added,
	.removed = index_removed,
};

static void set_index(struct dirbuf *d, struct dir_index *x)
{
	dir_index_free(d->index);
	d->index = x;
	d->ed.rd.index = x ? &index_ops : NULL;
}

/* Without one, for want of memory or for damage, names are looked for as ever. */
static void build_index(struct dirbuf *d)
{
	struct dir_index *x = NULL;

	dir_index_build(&d->ed.rd, &x);
	set_index(d, x);
	d->err = 0;
}

/* For who looks for a name: with an index, if that has come to be worth it. */
static struct dirbuf *names_of(struct db *db, struct vnode *vn)
{
	struct dirbuf *d = dirbuf_of(db, vn);

	if (d && !d->index && dir_is_large(vn) &&
	    d->searches++ == DIR_INDEX_AFTER)
		build_index(d);
	return d;
}

bool dir_is_large(const struct vnode *dir)
{
	return dir->s.size > DIR_INDEX_BLOCKS * AFSX_DIR_BLOCK_SIZE;
}

/* ---- names ---------------------------------------------------------------------- */

/* The directory code knows but -EIO for damage; say what it was. */
static int result(const struct dirbuf *d, int ret)
{
	if (ret != -EIO)
		return ret;
	return d->err ? d->err : -EUCLEAN;
}

int dir_find(struct db *db, struct vnode *dir, const char *name, size_t len,
	     struct afsx_fid *fid)
{
	struct dirbuf *d = names_of(db, dir);

	if (!d)
		return -ENOMEM;
	if (len > AFSX_NAME_MAX)
		return -ENAMETOOLONG;
	fid->vid = dir->s.fid.vid;
	return result(d, afsx_dir_lookup(&d->ed.rd, name, (u32)len, fid));
}

int dir_iterate(struct db *db, struct vnode *dir, afsx_dir_emit_t emit,
		void *ctx)
{
	struct dirbuf *d = dirbuf_of(db, dir);
	u64 pos = 0;

	if (!d)
		return -ENOMEM;
	return result(d, afsx_dir_iterate(&d->ed.rd, &pos, emit, ctx));
}

/* Account for a blob that has grown, after an operation that gave @ret. */
static int changed(struct store_tx *tx, struct vnode *dir, int ret)
{
	struct dirbuf *d = dir->dir;
	u64 size = (u64)d->ed.rd.nr_blocks * AFSX_DIR_BLOCK_SIZE;

	ret = result(d, ret);
	if (ret)
		return ret;
	if (size > dir->s.size)
		ret = tx_charge(tx, dir, (s64)((size - dir->s.size) / 1024));
	dir->s.size = size;
	dir->s.mtime_client = tx->now;
	tx_touch(tx, dir, true);
	return ret;
}

int dir_make(struct store_tx *tx, struct vnode *dir,
	     const struct afsx_fid *parent)
{
	struct dirbuf *d = dirbuf_of(tx->db, dir);

	if (!d)
		return -ENOMEM;
	return changed(tx, dir, afsx_dir_init(&d->ed, &dir->s.fid, parent));
}

int dir_enter(struct store_tx *tx, struct vnode *dir, const char *name,
	      size_t len, const struct afsx_fid *fid)
{
	struct dirbuf *d = names_of(tx->db, dir);

	if (!d)
		return -ENOMEM;
	return changed(tx, dir, afsx_dir_add(&d->ed, name, (u32)len, fid));
}

int dir_drop(struct store_tx *tx, struct vnode *dir, const char *name,
	     size_t len)
{
	struct dirbuf *d = names_of(tx->db, dir);
	struct afsx_fid fid;

	if (!d)
		return -ENOMEM;
	return changed(tx, dir, afsx_dir_remove(&d->ed, name, (u32)len, &fid));
}

int dir_redirect(struct store_tx *tx, struct vnode *dir, const char *name,
		 size_t len, const struct afsx_fid *fid)
{
	struct dirbuf *d = names_of(tx->db, dir);

	if (!d)
		return -ENOMEM;
	return changed(tx, dir, afsx_dir_replace(&d->ed, name, (u32)len, fid));
}

static bool see_entry(void *ctx, const char *name, u32 len, u32 vnode,
		      u32 unique, u64 pos)
{
	bool *empty = ctx;

	(void)vnode;
	(void)unique;
	(void)pos;
	*empty = (len == 1 || len == 2) && !memcmp(name, "..", len);
	return *empty;
}

int dir_is_empty(struct db *db, struct vnode *dir)
{
	bool empty = true;
	int ret = dir_iterate(db, dir, see_entry, &empty);

	return ret ? ret : empty;
}

int dirblk_put_row(struct db *db, u32 grp, u32 vno, u32 nr, s64 birth,
		   const u8 *data)
{
	return db_run(db, SQL_DIRBLK_PUT, "iiiib", (s64)grp, (s64)vno, (s64)nr,
		      birth, data, dirblk_used(data));
}

static int flush_block(struct store_tx *tx, struct tx_grp *g,
		       const struct vnode *dir, u32 nr, struct dirblk *b)
{
	int ret = 0;

	if (b->birth && b->birth <= g->newest) {
		ret = db_run(tx->db, SQL_DIRBLK_KILL, "iiiii", (s64)dir->grp,
			     (s64)dir->s.fid.vnode, (s64)nr, b->birth,
			     g->epoch);
		b->birth = 0;
	}
	if (!b->birth)
		b->birth = g->epoch;
	return ret ? ret : dirblk_put_row(tx->db, dir->grp, dir->s.fid.vnode,
					  nr, b->birth, b->data);
}

/* The next block at or behind @nr that must be written; AFSX_DIR_MAX_BLOCKS for none. */
static u32 next_dirty(const struct dirbuf *d, u32 nr)
{
	for (u32 i = nr / 64; i < DIRTY_WORDS; i++) {
		u64 word = d->dirty[i];

		if (i == nr / 64)
			word &= ~UINT64_C(0) << nr % 64;
		if (word)
			return 64 * i + (u32)__builtin_ctzll(word);
	}
	return AFSX_DIR_MAX_BLOCKS;
}

#define FOR_EACH_DIRTY(d, nr)						\
	for (u32 nr = next_dirty(d, 0); nr < AFSX_DIR_MAX_BLOCKS;	\
	     nr = next_dirty(d, nr + 1))

int dir_flush(struct store_tx *tx, struct tx_grp *g, struct vnode *dir)
{
	struct dirbuf *d = dir->dir;
	int ret = 0;

	FOR_EACH_DIRTY(d, nr)
		if (!ret)
			ret = flush_block(tx, g, dir, nr, d->blk[nr]);
	memset(d->dirty, 0, sizeof(d->dirty));
	return ret;
}

static int log_block(struct store *st, const struct tx_grp *g,
		     const struct vnode *dir, u32 nr, const struct dirblk *b)
{
	const u8 *last;

	if (b->birth && b->birth <= g->newest)
		return -ENOBUFS;
	last = rows_find(st->rows, ROW_DIRBLK, dir->grp, dir->s.fid.vnode, nr);
	return row_put_dirblk(st->redo, dir, nr, b->birth ? : g->epoch, b->data,
			      last);
}

int dir_log(struct store_tx *tx, const struct tx_grp *g,
	    const struct vnode *dir)
{
	const struct dirbuf *d = dir->dir;
	int ret = 0;

	FOR_EACH_DIRTY(d, nr)
		if (!ret)
			ret = log_block(tx->st, g, dir, nr, d->blk[nr]);
	return ret;
}

void dir_logged(const struct tx_grp *g, struct vnode *dir)
{
	struct dirbuf *d = dir->dir;

	FOR_EACH_DIRTY(d, nr)
		if (!d->blk[nr]->birth)
			d->blk[nr]->birth = g->epoch;
	memset(d->dirty, 0, sizeof(d->dirty));
}

int dir_destroy(struct store_tx *tx, struct tx_grp *g, struct vnode *dir)
{
	s64 grp = dir->grp, vno = dir->s.fid.vnode;
	int ret;

	ret = db_run(tx->db, SQL_DIRBLK_KILL_ALL, "iiii", grp, vno, g->newest,
		     g->epoch);
	if (!ret)
		ret = db_run(tx->db, SQL_DIRBLK_DROP_ALL, "iii", grp, vno,
			     g->newest);
	return ret;
}

static void copy_part(u8 *buf, u64 off, size_t len, u64 at, const u8 *data,
		      size_t n)
{
	u64 from = max(off, at), to = min(off + len, at + n);

	if (from < to)
		memcpy(buf + (from - off), data + (from - at), to - from);
}

int dir_read(struct db *db, const struct vnode *dir, u64 off, void *buf,
	     size_t len)
{
	u64 first = off / AFSX_DIR_BLOCK_SIZE;
	u64 last = (off + len - 1) / AFSX_DIR_BLOCK_SIZE;
	sqlite3_stmt *row;
	u64 found = 0;
	int ret;

	memset(buf, 0, len);
	row = db_bind(db, SQL_DIRBLK_RANGE, "iiiii", (s64)dir->grp,
		      (s64)dir->s.fid.vnode, (s64)first, (s64)last, dir->snap);
	while ((ret = db_row(row)) > 0) {
		copy_part(buf, off, len,
			  (u64)db_int(row, 0) * AFSX_DIR_BLOCK_SIZE,
			  sqlite3_column_blob(row, 1),
			  (size_t)sqlite3_column_bytes(row, 1));
		found++;
	}
	db_end(row, 0);
	if (!ret && found != last - first + 1)
		ret = -EUCLEAN;
	return ret;
}
