// SPDX-License-Identifier: MIT
#include "vfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "vfs_priv.h"

#define HEADER_LEN	100	/* of a SQLite database */

static int to_sqlite(int err, int otherwise)
{
	switch (err) {
	case 0:
		return SQLITE_OK;
	case -ENOSPC:
		return SQLITE_FULL;
	case -ENOMEM:
		return SQLITE_IOERR_NOMEM;
	case -EUCLEAN:
		return SQLITE_IOERR_DATA;
	default:
		return otherwise;
	}
}

/* ---- locks of the database file ---------------------------------------- */

static int db_lock(sqlite3_file *file, int level)
{
	struct vfs_file *f = vfs_file(file);
	struct vfs *v = f->vfs;

	MUTEX_GUARD(&v->lock);
	if (f->level >= level)
		return SQLITE_OK;
	if (v->writer && v->writer != f &&
	    (level > SQLITE_LOCK_SHARED || v->exclusive))
		return SQLITE_BUSY;
	if (f->level == SQLITE_LOCK_NONE)
		v->shared++;
	if (level > SQLITE_LOCK_SHARED)
		v->writer = f;
	f->level = max(f->level, SQLITE_LOCK_SHARED);
	if (level == SQLITE_LOCK_EXCLUSIVE) {
		v->exclusive = true;
		if (v->shared > 1) {
			f->level = SQLITE_LOCK_PENDING;
			return SQLITE_BUSY;
		}
	}
	f->level = level;
	return SQLITE_OK;
}

static int db_unlock(sqlite3_file *file, int level)
{
	struct vfs_file *f = vfs_file(file);
	struct vfs *v = f->vfs;

	MUTEX_GUARD(&v->lock);
	if (f->level <= level)
		return SQLITE_OK;
	if (v->writer == f) {
		v->writer = NULL;
		v->exclusive = false;
	}
	if (level == SQLITE_LOCK_NONE)
		v->shared--;
	f->level = level;
	return SQLITE_OK;
}

static int db_check_reserved(sqlite3_file *file, int *out)
{
	struct vfs *v = vfs_file(file)->vfs;

	MUTEX_GUARD(&v->lock);
	*out = !!v->writer;
	return SQLITE_OK;
}

/* ---- database file ------------------------------------------------------ */

static int db_close(sqlite3_file *f)
{
	db_unlock(f, SQLITE_LOCK_NONE);
	return SQLITE_OK;
}

static int db_read(sqlite3_file *f, void *buf, int len, sqlite3_int64 off)
{
	struct meta *meta = vfs_file(f)->vfs->meta;
	int ret = -EIO;

	if (len == META_PAGE && off % META_PAGE == 0)
		ret = meta_read(meta, (u64)off, buf);
	else if (off + len <= HEADER_LEN)
		ret = meta_read_header(meta, (u64)off, buf, (size_t)len);
	if (ret == -ENODATA) {
		memset(buf, 0, (size_t)len);
		return SQLITE_IOERR_SHORT_READ;
	}
	return to_sqlite(ret, SQLITE_IOERR_READ);
}

static int db_write(sqlite3_file *f, const void *buf, int len,
		    sqlite3_int64 off)
{
	if (len != META_PAGE || off % META_PAGE ||
	    wal_is_detached(vfs_file(f)->vfs->wal))
		return SQLITE_IOERR_WRITE;
	return to_sqlite(meta_write(vfs_file(f)->vfs->meta, (u64)off, buf),
			 SQLITE_IOERR_WRITE);
}

static int db_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	(void)f;
	(void)size;	/* the region never shrinks */
	return SQLITE_OK;
}

static int db_sync(sqlite3_file *f, int flags)
{
	(void)flags;
	return to_sqlite(meta_sync(vfs_file(f)->vfs->meta), SQLITE_IOERR_FSYNC);
}

static int db_size(sqlite3_file *f, sqlite3_int64 *size)
{
	*size = (sqlite3_int64)meta_size(vfs_file(f)->vfs->meta) * META_PAGE;
	return SQLITE_OK;
}

/* ---- log file ----------------------------------------------------------- */

static int log_close(sqlite3_file *f)
{
	(void)f;
	return SQLITE_OK;
}

static int log_read(sqlite3_file *f, void *buf, int len, sqlite3_int64 off)
{
	if (!wal_read(vfs_file(f)->vfs->wal, (u64)off, buf, (size_t)len))
		return SQLITE_OK;
	memset(buf, 0, (size_t)len);
	return SQLITE_IOERR_SHORT_READ;
}

static int log_put(sqlite3_file *f, const void *buf, int len, sqlite3_int64 off)
{
	return to_sqlite(wal_write(vfs_file(f)->vfs->wal, (u64)off, buf,
				   (size_t)len), SQLITE_IOERR_WRITE);
}

static int log_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	if (size)
		return SQLITE_OK;
	return to_sqlite(wal_reset(vfs_file(f)->vfs->wal),
			 SQLITE_IOERR_TRUNCATE);
}

static int log_sync(sqlite3_file *f, int flags)
{
	(void)flags;
	return to_sqlite(wal_sync(vfs_file(f)->vfs->wal), SQLITE_IOERR_FSYNC);
}

static int log_size(sqlite3_file *f, sqlite3_int64 *size)
{
	*size = (sqlite3_int64)wal_size(vfs_file(f)->vfs->wal);
	return SQLITE_OK;
}

static int log_lock(sqlite3_file *f, int level)
{
	(void)f;
	(void)level;
	return SQLITE_OK;
}

static int log_check_reserved(sqlite3_file *f, int *out)
{
	(void)f;
	*out = 0;
	return SQLITE_OK;
}

/* ---- both ---------------------------------------------------------------- */

static int file_control(sqlite3_file *f, int op, void *arg)
{
	(void)f;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *f)
{
	(void)f;
	return BLK_SIZE;
}

static int characteristics(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE |
	       SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN;
}

static const sqlite3_io_methods db_methods = {
	.iVersion = 2,
	.xClose = db_close,
	.xRead = db_read,
	.xWrite = db_write,
	.xTruncate = db_truncate,
	.xSync = db_sync,
	.xFileSize = db_size,
	.xLock = db_lock,
	.xUnlock = db_unlock,
	.xCheckReservedLock = db_check_reserved,
	.xFileControl = file_control,
	.xSectorSize = sector_size,
	.xDeviceCharacteristics = characteristics,
	.xShmMap = vfs_shm_map,
	.xShmLock = vfs_shm_lock,
	.xShmBarrier = vfs_shm_barrier,
	.xShmUnmap = vfs_shm_unmap,
};

static const sqlite3_io_methods log_methods = {
	.iVersion = 1,
	.xClose = log_close,
	.xRead = log_read,
	.xWrite = log_put,
	.xTruncate = log_truncate,
	.xSync = log_sync,
	.xFileSize = log_size,
	.xLock = log_lock,
	.xUnlock = log_lock,
	.xCheckReservedLock = log_check_reserved,
	.xFileControl = file_control,
	.xSectorSize = sector_size,
	.xDeviceCharacteristics = characteristics,
};

/* ---- VFS ------------------------------------------------------------------ */

static int open_file(sqlite3_vfs *v, const char *name, sqlite3_file *file,
		     int flags, int *out_flags)
{
	struct vfs_file *f = vfs_file(file);

	(void)name;
	memset(f, 0, sizeof(*f));
	f->vfs = v->pAppData;
	if (flags & SQLITE_OPEN_MAIN_DB)
		f->base.pMethods = &db_methods;
	else if (flags & SQLITE_OPEN_WAL)
		f->base.pMethods = &log_methods;
	else
		return SQLITE_CANTOPEN;	/* journals and sorters stay in memory */
	if (out_flags)
		*out_flags = flags;
	return SQLITE_OK;
}

static bool is_log(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && !strcmp(name + len - 4, "-wal");
}

static int delete_file(sqlite3_vfs *v, const char *name, int sync_dir)
{
	struct vfs *vfs = v->pAppData;

	(void)sync_dir;
	if (!is_log(name))
		return SQLITE_IOERR_DELETE_NOENT;
	return to_sqlite(wal_reset(vfs->wal), SQLITE_IOERR_DELETE);
}

static int access_file(sqlite3_vfs *v, const char *name, int flags, int *out)
{
	struct vfs *vfs = v->pAppData;

	(void)flags;
	*out = is_log(name) && wal_size(vfs->wal);
	return SQLITE_OK;
}

static int full_pathname(sqlite3_vfs *v, const char *name, int size, char *out)
{
	(void)v;
	sqlite3_snprintf(size, out, "%s", name);
	return SQLITE_OK;
}

const char *vfs_name(const struct vfs *v)
{
	return v->name;
}

int vfs_register(struct meta *meta, struct wal *wal, struct vfs **out)
{
	const sqlite3_vfs *os = sqlite3_vfs_find(NULL);
	struct vfs *v = calloc(1, sizeof(*v));

	if (!v || !os) {
		free(v);
		return -ENOMEM;
	}
	v->meta = meta;
	v->wal = wal;
	pthread_mutex_init(&v->lock, NULL);
	sqlite3_snprintf(sizeof(v->name), v->name, "afsx-%p", v);
	v->base = (sqlite3_vfs){
		.iVersion = 2,
		.szOsFile = sizeof(struct vfs_file),
		.mxPathname = 64,
		.zName = v->name,
		.pAppData = v,
		.xOpen = open_file,
		.xDelete = delete_file,
		.xAccess = access_file,
		.xFullPathname = full_pathname,
		.xRandomness = os->xRandomness,
		.xSleep = os->xSleep,
		.xCurrentTime = os->xCurrentTime,
		.xGetLastError = os->xGetLastError,
		.xCurrentTimeInt64 = os->xCurrentTimeInt64,
	};
	if (sqlite3_vfs_register(&v->base, 0) != SQLITE_OK) {
		free(v);
		return -ENOMEM;
	}
	wal_on_loss(wal, vfs_shm_forget, v);
	*out = v;
	return 0;
}

void vfs_unregister(struct vfs *v)
{
	if (!v)
		return;
	sqlite3_vfs_unregister(&v->base);
	vfs_shm_free(v);
	pthread_mutex_destroy(&v->lock);
	free(v);
}
