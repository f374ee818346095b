/* SPDX-License-Identifier: MIT */
/*
 * SQLite's view of a store: a VFS with one database and its log.  The database
 * is the metadata region, the -wal file is the log region, and the shared
 * memory of the log's index is the heap: one process has the store open.
 */
#ifndef AFSX_VFS_H
#define AFSX_VFS_H

#include "meta.h"
#include "wal.h"

struct vfs;

/** vfs_register() - make a VFS over @meta and @wal known to SQLite */
int vfs_register(struct meta *meta, struct wal *wal, struct vfs **vfs);

/** vfs_unregister() - all connections must be closed. @vfs may be NULL. */
void vfs_unregister(struct vfs *vfs);

/** vfs_name() - for sqlite3_open_v2(); the file's name is VFS_FILE */
const char *vfs_name(const struct vfs *vfs);

#define VFS_FILE	"store"

#endif /* AFSX_VFS_H */
