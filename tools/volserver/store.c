// SPDX-License-Identifier: MIT
/* Formatting, opening and closing; readers; growth of the metadata region. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "cleanup.h"
#include "log.h"
#include "redo.h"
#include "store_apply.h"
#include "store_tx.h"

#define READERS_DEFAULT	8
#define CACHE_DEFAULT	64
#define RECONNECT_DEFAULT 30
#define META_SLACK	64	/* pages kept ready beyond what is in use */

/* ---- readers -------------------------------------------------------------- */

static struct reader *take_locked(struct store *st)
{
	for (unsigned int i = 0; i < st->nr_readers; i++) {
		struct reader *r = &st->reader[i];

		if (!r->busy) {
			r->busy = true;
			r->since = wal_committed(st->wal);
			r->losses = wal_losses(st->wal);
			return r;
		}
	}
	return NULL;
}

static struct reader *take_reader(struct store *st)
{
	struct reader *r;

	MUTEX_GUARD(&st->reader_lock);
	while (!(r = take_locked(st)))
		pthread_cond_wait(&st->reader_free, &st->reader_lock);
	return r;
}

static struct reader *try_reader(struct store *st)
{
	MUTEX_GUARD(&st->reader_lock);

	return take_locked(st);
}

static void release_reader(struct store *st, struct reader *r)
{
	MUTEX_GUARD(&st->reader_lock);

	r->busy = false;
	pthread_cond_signal(&st->reader_free);
	pthread_cond_broadcast(&st->reader_left);
}

/* What it sees is what there is when it first looks. */
static struct reader *begin_read(struct store *st, struct reader *r, int *err)
{
	*err = db_run(&r->db, SQL_BEGIN_READ, "");
	if (!*err)
		return r;
	release_reader(st, r);
	return NULL;
}

/* The database has all that was committed so far, for who begins to read meanwhile. */
static struct reader *read_latest(struct store *st, int *err)
{
	struct reader *r = NULL;

	store_enter(st);
	*err = apply_bring_up(st);
	if (!*err)
		r = try_reader(st);
	store_leave(st);
	/* nobody may wait for a reader with that lock: others need it to go on */
	if (!r && !*err)
		release_reader(st, take_reader(st));
	return r ? begin_read(st, r, err) : NULL;
}

/* Whether it may begin at a moment when the log had less than the records. */
static bool is_early(struct store *st, const struct reader *r)
{
	return st->rows && r->losses != atomic_load(&st->losses);
}

static struct reader *read_soon(struct store *st, struct reader *r, int *err)
{
	while (!*err && (!r || is_early(st, r))) {
		if (r)
			reader_put(st, r, 0);
		r = read_latest(st, err);
	}
	return r;
}

/*
 * Blocks that a change frees are kept for a reader that is there when it is committed. So
 * whether the rows of such changes are in the database is looked at after that.
 */
struct reader *reader_get_for(struct store *st, const struct afsx_fid *fid,
			      int *err)
{
	struct reader *r = take_reader(st);

	*err = 0;
	if (!apply_is_behind(st, fid))
		return read_soon(st, begin_read(st, r, err), err);
	release_reader(st, r);
	return read_soon(st, NULL, err);
}

struct reader *reader_get(struct store *st, int *err)
{
	return reader_get_for(st, NULL, err);
}

struct reader *reader_open(struct store *st, int *err)
{
	struct reader *r = begin_read(st, take_reader(st), err);

	return read_soon(st, r, err);
}

int reader_put(struct store *st, struct reader *r, int ret)
{
	unsigned int losses = r->losses;
	int err;

	if (db_run(&r->db, SQL_COMMIT, ""))
		db_run(&r->db, SQL_ROLLBACK, "");
	release_reader(st, r);
	err = wal_barrier(st->wal, losses);
	/* what was cut off may have been written over, so that it looks damaged */
	return err && (ret >= 0 || wal_losses(st->wal) != losses) ? err : ret;
}

static u64 oldest_locked(struct store *st)
{
	u64 oldest = U64_MAX;

	for (unsigned int i = 0; i < st->nr_readers; i++)
		if (st->reader[i].busy)
			oldest = min(oldest, st->reader[i].since);
	return oldest;
}

/* Transactions up to this one are seen by every reader. */
static u64 oldest_reader(struct store *st)
{
	MUTEX_GUARD(&st->reader_lock);

	return oldest_locked(st);
}

/* Until every reader sees what is committed now. */
static int wait_for_readers(struct store *st)
{
	u64 ticket = wal_committed(st->wal);
	int ret = wal_wait(st->wal, ticket);

	MUTEX_GUARD(&st->reader_lock);
	while (oldest_locked(st) < ticket)
		pthread_cond_wait(&st->reader_left, &st->reader_lock);
	return ret;
}

void store_reap(struct store *st)
{
	u64 limit = min(wal_durable(st->wal), oldest_reader(st));
	struct run_list runs = { .nr = 0 };
	struct alloc_run run;

	while (alloc_reap(st->alloc, limit, &run))
		if (run_list_add(&runs, &run))
			break;	/* found again when the store is opened */
	if (runs.nr)
		store_release(st, &runs);
	free(runs.run);
}

int store_recover_blocks(struct store *st)
{
	int ret;

	if (!alloc_has_retired(st->alloc))
		return -ENOSPC;
	ret = wait_for_readers(st);
	if (!ret)
		store_reap(st);
	return ret;
}

/* ---- growth of the metadata region ---------------------------------------- */

/* Pages that were never written must read as zeros. */
static int prepare_run(struct store *st, const struct sb_region *region,
		       struct sums **sums)
{
	int ret = blkdev_zero(st->dev, region->start << BLK_SHIFT,
			      (u64)region->nr << BLK_SHIFT);

	if (!ret)
		ret = blkdev_flush(st->dev);
	return ret ? ret : meta_prepare(st->meta, region, sums);
}

static int add_meta_run(struct store *st, const struct alloc_run *run)
{
	struct sb_region region = {
		.type = SB_REGION_META,
		.start = run->start,
		.nr = run->nr,
	};
	struct sums *sums;
	int ret = prepare_run(st, &region, &sums);

	if (ret)
		return ret;
	st->sb.region[st->sb.nr++] = region;
	ret = sb_write(st->dev, &st->sb);
	if (ret) {
		/* which copy the device has is unknown: no more changes */
		blkdev_fail(st->dev, ret);
		sums_free(sums);
		return ret;
	}
	/* from here on the blocks are metadata, so nothing more may fail */
	meta_extend(st->meta, &region, sums);
	return 0;
}

bool store_has_pages(struct store *st, u64 pages)
{
	return pages + META_SLACK <= meta_capacity(st->meta);
}

int store_grow_meta(struct store *st, u64 pages)
{
	u64 have = meta_capacity(st->meta);
	struct alloc_run run;
	u64 need, want;
	int ret;

	if (store_has_pages(st, pages))
		return 0;
	if (st->sb.nr == SB_REGIONS_MAX)
		return -ENOSPC;
	need = ROUND_UP(meta_run_blocks(pages + META_SLACK - have), MIB_BLOCKS);
	want = ROUND_UP(max(need, have / 8), MIB_BLOCKS);
	ret = alloc_take_reserve(st->alloc, (u32)need, (u32)want, &run);
	if (ret)
		return ret;
	ret = add_meta_run(st, &run);
	if (ret)
		alloc_release(st->alloc, &run);
	return ret;
}

/* ---- free map ------------------------------------------------------------- */

static int claim(struct store *st, u64 start, u32 nr)
{
	struct alloc_run run = { .start = start, .nr = nr };

	return alloc_claim(st->alloc, &run);
}

static int claim_fixed(struct store *st)
{
	int ret = claim(st, 0, SB_FIRST_FREE);

	if (!ret)
		ret = claim(st, st->sb.blocks - 1, 1);
	for (u32 i = 0; !ret && i < st->sb.nr; i++)
		ret = claim(st, st->sb.region[i].start, st->sb.region[i].nr);
	return ret;
}

static int claim_extents(struct store *st)
{
	sqlite3_stmt *row = db_bind(&st->writer, SQL_EXTENT_ALL, "");
	int ret, bad = 0;

	while ((ret = db_row(row)) > 0)
		if (claim(st, (u64)db_int(row, 0), (u32)db_int(row, 1)))
			bad = -EUCLEAN;
	return db_end(row, ret ? ret : bad);
}

static int build_free_map(struct store *st, struct errbuf *err)
{
	int ret;

	alloc_destroy(st->alloc);
	st->alloc = alloc_create(st->sb.blocks);
	if (!st->alloc)
		return err_set(err, -ENOMEM, "out of memory for the free map");
	store_set_reserve(st);
	ret = claim_fixed(st);
	if (!ret)
		ret = claim_extents(st);
	if (ret == -EUCLEAN && !st->lease)
		ret = 0;	/* nothing will be allocated; the check tells */
	if (ret)
		err_set(err, ret, "the free map cannot be built: %s",
			ret == -EUCLEAN ? "blocks are used twice; run a check" :
					  strerror(-ret));
	return ret;
}

/* ---- opening -------------------------------------------------------------- */

/*
 * What the first superblock says, on a new connection.  It may be torn when the
 * server died while it was written: then it is written again, if we are the
 * owner, and if not, by the owner.
 */
static int same_store(struct store *st, bool owner)
{
	u8 block[BLK_SIZE];
	struct sb sb;
	int ret = blkdev_read_away(st->dev, 0, block, sizeof(block));

	if (!ret)
		ret = sb_decode(block, &sb);
	if (!ret && !afsx_uuid_eq(&sb.uuid, &st->sb.uuid))
		ret = -EMEDIUMTYPE;
	if (ret == -EUCLEAN)
		ret = owner ? 0 : -EAGAIN;
	return ret;
}

static int identify(void *ctx)
{
	struct store *st = ctx;
	struct lease *lease = __atomic_load_n(&st->owned, __ATOMIC_ACQUIRE);
	int ret = 0;

	if (atomic_load(&st->known))
		ret = same_store(st, lease);
	return !ret && lease ? lease_resume(lease) : ret;
}

static int open_device(struct store *st, struct errbuf *err)
{
	struct blkdev_opts o = {
		.uri = st->cfg.uri,
		.rdonly = st->cfg.flags & STORE_RDONLY,
		.connect_s = st->cfg.connect_s,
		.answer_s = st->cfg.answer_s,
		.reconnect_s = st->cfg.reconnect_s ? : RECONNECT_DEFAULT,
		.identify = identify,
		.ctx = st,
	};
	int ret = blkdev_open(&o, &st->dev, err);

	if (!ret)
		st->side = side_create(st->dev);	/* it may well do without */
	return ret;
}

static int grow(struct store *st, struct errbuf *err)
{
	u64 before = st->sb.blocks;
	int ret = store_enlarge(st, blkdev_blocks(st->dev));

	if (ret)
		return err_set(err, ret, "cannot use the larger device: %s",
			       strerror(-ret));
	log_warn("the device is larger than before", LOG_S("uri", st->cfg.uri),
		 LOG_U("old_kib", before * BLK_KIB),
		 LOG_U("new_kib", st->sb.blocks * BLK_KIB));
	return 0;
}

/* Another owner may have changed the superblock before the store became ours. */
static int read_again(struct store *st, bool *stale, struct errbuf *err)
{
	struct sb sb;
	int ret = sb_read(st->dev, &sb, stale, err);

	if (!ret && !afsx_uuid_eq(&sb.uuid, &st->sb.uuid))
		ret = err_set(err, -ESTALE, "%s: the store was formatted at this moment",
			      st->cfg.uri);
	if (ret)
		return ret;
	st->sb = sb;
	ret = lease_note(st->lease, sb.blocks);
	return ret ? err_set(err, ret, "cannot write beside the owner's lease: %s",
			     strerror(-ret)) : 0;
}

static int own_store(struct store *st, struct errbuf *err)
{
	bool stale = false;
	int ret = sb_read(st->dev, &st->sb, &stale, err);

	if (ret)
		return ret;
	atomic_store(&st->known, true);
	if (st->cfg.flags & STORE_RDONLY)
		return st->cfg.flags & STORE_TAKEOVER ? 0 :
		       lease_check(st->dev, &st->sb.uuid, err);
	ret = lease_acquire(st->dev, &st->sb, st->cfg.flags & STORE_TAKEOVER,
			    &st->lease, err);
	__atomic_store_n(&st->owned, st->lease, __ATOMIC_RELEASE);
	if (!ret)
		ret = read_again(st, &stale, err);
	if (!ret && blkdev_blocks(st->dev) > st->sb.blocks &&
	    !(st->cfg.flags & STORE_KEEP_SIZE))
		return grow(st, err);
	if (ret || !stale)
		return ret;
	log_warn("one superblock was missing or old; writing both",
		 LOG_S("uri", st->cfg.uri));
	ret = sb_write(st->dev, &st->sb);
	return ret ? err_set(err, ret, "cannot write the superblocks: %s",
			     strerror(-ret)) : 0;
}

static const struct sb_region *log_region(const struct sb *sb)
{
	u32 i = 0;

	while (sb->region[i].type != SB_REGION_WAL)
		i++;
	return &sb->region[i];
}

static int open_regions(struct store *st, struct errbuf *err)
{
	u32 cache = (st->cfg.cache_mib ? : CACHE_DEFAULT) * MIB_BLOCKS;
	const struct sb_region *log = log_region(&st->sb);
	u64 len = (u64)log->nr << BLK_SHIFT;
	int ret = wal_open(st->dev, log->start << BLK_SHIFT,
			   len - (st->sb.version != SB_VERSION_BARE ? redo_len(len) : 0),
			   &st->wal);

	if (!ret)
		wal_set_source(st->wal, &batch_source, st);
	if (!ret)
		ret = meta_open(st->dev, &st->sb, cache, &st->meta);
	if (!ret)
		ret = vfs_register(st->meta, st->wal, &st->vfs);
	if (!ret && st->lease && meta_damaged_sums(st->meta))
		ret = meta_sync(st->meta);
	return ret ? err_set(err, ret, "cannot read log or metadata: %s",
			     ret == -EUCLEAN ? "damaged" : strerror(-ret)) : 0;
}

static int open_databases(struct store *st, struct errbuf *err)
{
	unsigned int nr = st->cfg.readers ? : READERS_DEFAULT;
	int ret = db_open(&st->writer, vfs_name(st->vfs), false, err);

	if (ret)
		return ret;
	ret = db_number(&st->writer, SQL_PAGE_COUNT, &st->pages);
	if (ret)
		return err_set(err, ret, "metadata: %s", strerror(-ret));
	if (st->cfg.flags & STORE_RDONLY)
		sqlite3_db_config(st->writer.sql,
				  SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	st->reader = calloc(nr, sizeof(*st->reader));
	if (!st->reader)
		return err_set(err, -ENOMEM, "out of memory");
	for (; !ret && st->nr_readers < nr; st->nr_readers++)
		ret = db_open(&st->reader[st->nr_readers].db,
			      vfs_name(st->vfs), false, err);
	return ret;
}

/*
 * What records have goes to the database. That may need room, so the free map is built
 * before, and again when the database has what they say of blocks.
 */
static int go_on(struct store *st, struct errbuf *err)
{
	int ret = build_free_map(st, err);

	if (!ret)
		ret = apply_start(st, log_region(&st->sb), err);
	if (ret > 0)
		ret = build_free_map(st, err);
	if (!ret && st->lease)
		ret = ckpt_start(&st->writer, vfs_name(st->vfs), st->wal,
				 &st->ckpt, err);
	return ret;
}

static struct store *store_new(const struct store_config *cfg)
{
	struct store *st = calloc(1, sizeof(*st));

	if (!st)
		return NULL;
	pthread_mutex_init(&st->writer_lock, NULL);
	queue_init(&st->queue);
	pthread_mutex_init(&st->ingest_lock, NULL);
	pthread_mutex_init(&st->reader_lock, NULL);
	pthread_cond_init(&st->reader_free, NULL);
	pthread_cond_init(&st->reader_left, NULL);
	hot_init(&st->hot);
	atomic_store(&st->cuts, true);
	st->seen = seen_create();
	st->warm = warm_create((u64)(cfg->data_cache_mib ? : CACHE_DEFAULT) *
			      1024 * 1024);
	st->places = places_create();
	if (!st->seen || !st->warm || !st->places) {
		places_destroy(st->places);
		seen_destroy(st->seen);
		warm_destroy(st->warm);
		free(st);
		return NULL;
	}
	return st;
}

int store_open(const struct store_config *cfg, struct store **out,
	       struct errbuf *err)
{
	struct store *st = store_new(cfg);
	int ret;

	if (!st)
		return err_set(err, -ENOMEM, "out of memory");
	st->cfg = *cfg;
	ret = open_device(st, err);
	if (!ret)
		ret = own_store(st, err);
	if (!ret)
		ret = open_regions(st, err);
	if (!ret)
		ret = open_databases(st, err);
	if (!ret)
		ret = go_on(st, err);
	if (ret) {
		store_close(st);
		return ret;
	}
	st->cfg.uri = NULL;
	*out = st;
	return 0;
}

int store_close(struct store *st)
{
	int ret;

	if (!st)
		return 0;
	if (st->ckpt)
		store_reap(st);
	ckpt_stop(st->ckpt);
	st->ckpt = NULL;
	apply_stop(st);
	hot_clear(&st->hot);
	grps_clear(&st->grps);
	places_destroy(st->places);
	seen_destroy(st->seen);
	warm_destroy(st->warm);
	/* the writer's connection last: it empties the log */
	for (unsigned int i = 0; i < st->nr_readers; i++)
		if (st->reader[i].db.sql)
			db_close(&st->reader[i].db);
	if (st->writer.sql)
		db_close(&st->writer);
	vfs_unregister(st->vfs);
	meta_close(st->meta);
	wal_close(st->wal);
	redo_close(st->redo);
	__atomic_store_n(&st->owned, NULL, __ATOMIC_RELEASE);
	lease_release(st->lease);
	ret = st->dev ? blkdev_failed(st->dev) : 0;
	side_destroy(st->side);
	blkdev_close(st->dev);
	alloc_destroy(st->alloc);
	pthread_mutex_destroy(&st->writer_lock);
	queue_destroy(&st->queue);
	pthread_mutex_destroy(&st->ingest_lock);
	pthread_mutex_destroy(&st->reader_lock);
	pthread_cond_destroy(&st->reader_free);
	pthread_cond_destroy(&st->reader_left);
	free(st->reader);
	free(st);
	return ret;
}

void store_set_notify(struct store *st, store_notify_t fn, void *ctx)
{
	st->notify = fn;
	st->notify_ctx = ctx;
}

/* ---- facts ---------------------------------------------------------------- */

void store_space(struct store *st, u64 *total_kib, u64 *free_kib)
{
	u64 fixed = SB_FIRST_FREE + 1 + meta_blocks(st->meta) +
		    log_region(&st->sb)->nr;

	/* in this order: it may grow in between */
	*free_kib = alloc_free_blocks(st->alloc) * BLK_KIB;
	*total_kib = (alloc_blocks(st->alloc) - fixed) * BLK_KIB;
}

void store_stats(struct store *st, struct store_stats *stats)
{
	struct blkdev_stats dev;

	blkdev_stats(st->dev, &dev);
	if (st->side)
		side_stats(st->side, &dev);
	*stats = (struct store_stats){
		.commits = atomic_load(&st->commits),
		.log_kib = wal_size(st->wal) / 1024,
		.reads = dev.reads,
		.writes = dev.writes,
		.flushes = dev.flushes,
		.others = dev.others,
		.read_kib = dev.read_bytes / 1024,
		.written_kib = dev.written_bytes / 1024,
		.errors = dev.errors,
	};
}

int store_info(struct store *st, struct store_info *info)
{
	s64 volumes = 0, vnodes = 0;
	struct reader *r;
	int ret;

	memset(info, 0, sizeof(*info));
	info->uuid = st->sb.uuid;
	info->device_kib = alloc_blocks(st->alloc) * BLK_KIB;
	info->meta_kib = meta_blocks(st->meta) * BLK_KIB;
	info->wal_kib = log_region(&st->sb)->nr * BLK_KIB;
	info->failed = blkdev_failed(st->dev);
	store_space(st, &info->total_kib, &info->free_kib);
	r = reader_get(st, &ret);
	if (!r)
		return ret;
	ret = db_number(&r->db, SQL_VOL_COUNT, &volumes);
	if (!ret)
		ret = db_number(&r->db, SQL_VNODE_COUNT, &vnodes);
	info->volumes = (u64)volumes;
	info->vnodes = (u64)vnodes;
	return reader_put(st, r, ret);
}
