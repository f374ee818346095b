// SPDX-License-Identifier: MIT
/* The index of the log: heap memory and locks that connections share. */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "vfs_priv.h"

int vfs_shm_map(sqlite3_file *f, int nr, int size, int extend,
		void volatile **p)
{
	struct vfs *v = vfs_file(f)->vfs;

	*p = NULL;
	if (nr >= SHM_REGIONS_MAX)
		return SQLITE_FULL;
	MUTEX_GUARD(&v->lock);
	if (!v->region[nr] && extend) {
		v->region[nr] = calloc(1, (size_t)size);
		if (!v->region[nr])
			return SQLITE_NOMEM;
	}
	*p = v->region[nr];
	return SQLITE_OK;
}

static void release(struct vfs_file *f, unsigned int i)
{
	unsigned int bit = 1u << i;

	if (f->shm_exclusive & bit)
		f->vfs->shm_exclusive &= ~bit;
	else if (f->shm_shared & bit)
		f->vfs->shm_shared[i]--;
	f->shm_exclusive &= ~bit;
	f->shm_shared &= ~bit;
}

static bool available(const struct vfs_file *f, unsigned int i, bool exclusive)
{
	unsigned int bit = 1u << i;
	unsigned int own = f->shm_shared & bit ? 1 : 0;

	if (f->vfs->shm_exclusive & ~f->shm_exclusive & bit)
		return false;
	return !exclusive || f->vfs->shm_shared[i] == own;
}

static void take(struct vfs_file *f, unsigned int i, bool exclusive)
{
	unsigned int bit = 1u << i;

	if (exclusive) {
		f->vfs->shm_exclusive |= bit;
		f->shm_exclusive |= bit;
	} else if (!(f->shm_shared & bit)) {
		f->vfs->shm_shared[i]++;
		f->shm_shared |= bit;
	}
}

int vfs_shm_lock(sqlite3_file *file, int first, int n, int flags)
{
	struct vfs_file *f = vfs_file(file);
	unsigned int from = (unsigned int)first;
	unsigned int to = from + (unsigned int)n;
	bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;

	MUTEX_GUARD(&f->vfs->lock);
	if (flags & SQLITE_SHM_UNLOCK) {
		for (unsigned int i = from; i < to; i++)
			release(f, i);
		return SQLITE_OK;
	}
	for (unsigned int i = from; i < to; i++)
		if (!available(f, i, exclusive))
			return SQLITE_BUSY;
	for (unsigned int i = from; i < to; i++)
		take(f, i, exclusive);
	return SQLITE_OK;
}

void vfs_shm_barrier(sqlite3_file *f)
{
	/* a mutex orders memory; the lock methods use the same one */
	MUTEX_GUARD(&vfs_file(f)->vfs->lock);
}

int vfs_shm_unmap(sqlite3_file *file, int delete)
{
	struct vfs_file *f = vfs_file(file);

	(void)delete;	/* the memory goes with the VFS */
	MUTEX_GUARD(&f->vfs->lock);
	for (unsigned int i = 0; i < SQLITE_SHM_NLOCK; i++)
		release(f, i);
	return SQLITE_OK;
}

/*
 * SQLite's file format, "WAL-index format": two copies of a header of 48 bytes.
 * Connections that find no valid one read the log again, once nobody else is in
 * it.
 */
#define SHM_HEADERS	96

void vfs_shm_forget(void *vfs)
{
	struct vfs *v = vfs;

	MUTEX_GUARD(&v->lock);
	if (v->region[0])
		memset(v->region[0], 0, SHM_HEADERS);
}

void vfs_shm_free(struct vfs *v)
{
	for (int i = 0; i < SHM_REGIONS_MAX; i++)
		free(v->region[i]);
}
