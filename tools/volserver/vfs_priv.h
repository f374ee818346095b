/* SPDX-License-Identifier: MIT */
/* Shared by vfs.c (files), vfs_shm.c (log index) and their locks. */
#ifndef AFSX_VFS_PRIV_H
#define AFSX_VFS_PRIV_H

#include <sqlite3.h>

#include "vfs.h"

#define SHM_REGIONS_MAX	128	/* of 32 KiB; one covers 4096 frames of log */

/**
 * struct vfs - the VFS of one store
 * @base: what SQLite knows; @base.pAppData is this struct
 * @name: unique in the process
 * @meta: database file
 * @wal: its log
 * @lock: protects what follows
 * @shared: files with a lock of SHARED or more
 * @writer: file with RESERVED or more, or NULL
 * @exclusive: @writer has PENDING or EXCLUSIVE: no new SHARED
 * @region: shared memory of the log's index
 * @shm_shared: holders of each of its locks, when shared
 * @shm_exclusive: bit per lock held exclusively
 */
struct vfs {
	sqlite3_vfs base;
	char name[32];
	struct meta *meta;
	struct wal *wal;

	pthread_mutex_t lock;
	unsigned int shared;
	const void *writer;
	bool exclusive;
	void *region[SHM_REGIONS_MAX];
	unsigned int shm_shared[SQLITE_SHM_NLOCK];
	unsigned int shm_exclusive;
};

/**
 * struct vfs_file - one file opened by one connection
 * @base: for SQLite
 * @vfs: where it belongs
 * @level: SQLITE_LOCK_*
 * @shm_shared: bits of the log index locks it holds shared
 * @shm_exclusive: bits of those it holds exclusively
 */
struct vfs_file {
	sqlite3_file base;
	struct vfs *vfs;
	int level;
	unsigned int shm_shared;
	unsigned int shm_exclusive;
};

static inline struct vfs_file *vfs_file(sqlite3_file *f)
{
	return (struct vfs_file *)f;
}

int vfs_shm_map(sqlite3_file *f, int nr, int size, int extend,
		void volatile **p);
int vfs_shm_lock(sqlite3_file *f, int first, int n, int flags);
void vfs_shm_barrier(sqlite3_file *f);
int vfs_shm_unmap(sqlite3_file *f, int delete);

/** vfs_shm_forget() - the index must be made anew from the log; @vfs: ours */
void vfs_shm_forget(void *vfs);

/** vfs_shm_free() - free the index once no connection is left */
void vfs_shm_free(struct vfs *vfs);

#endif /* AFSX_VFS_PRIV_H */
