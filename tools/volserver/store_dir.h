/* SPDX-License-Identifier: MIT */
/* Directories of vnodes that are loaded. */
#ifndef AFSX_STORE_DIR_H
#define AFSX_STORE_DIR_H

#include <afsx/dir.h>

#include "db.h"

struct dirbuf;
struct store_tx;
struct tx_grp;
struct vnode;

/** dir_find() - a name in a loaded directory; @db: where to read blocks */
int dir_find(struct db *db, struct vnode *dir, const char *name, size_t len, struct afsx_fid *fid);

/** dir_is_large() - whether names are worth an index */
bool dir_is_large(const struct vnode *dir);

/** dir_iterate() - afsx_dir_iterate() over a loaded directory */
int dir_iterate(struct db *db, struct vnode *dir, afsx_dir_emit_t emit, void *ctx);

/** dir_make() - the blob of a new directory */
int dir_make(struct store_tx *tx, struct vnode *dir, const struct afsx_fid *parent);

/** dir_enter() - add a name */
int dir_enter(struct store_tx *tx, struct vnode *dir, const char *name,
	      size_t len, const struct afsx_fid *fid);

/** dir_drop() - remove a name */
int dir_drop(struct store_tx *tx, struct vnode *dir, const char *name,
	     size_t len);

/** dir_redirect() - let a name lead somewhere else */
int dir_redirect(struct store_tx *tx, struct vnode *dir, const char *name,
		 size_t len, const struct afsx_fid *fid);

/** dir_is_empty() - 1, 0, or a negative errno */
int dir_is_empty(struct db *db, struct vnode *dir);

/** dir_flush() - write changed blocks to the database */
int dir_flush(struct store_tx *tx, struct tx_grp *g, struct vnode *dir);

/** dir_log() - write them to the record; -ENOBUFS when that has no room, or is not enough */
int dir_log(struct store_tx *tx, const struct tx_grp *g, const struct vnode *dir);

/** dir_logged() - that has succeeded */
void dir_logged(const struct tx_grp *g, struct vnode *dir);

/** dirblk_put_row() - a block as it is now */
int dirblk_put_row(struct db *db, u32 grp, u32 vno, u32 nr, s64 birth,
		   const u8 *data);

/** dir_destroy() - remove the blocks of a directory */
int dir_destroy(struct store_tx *tx, struct tx_grp *g, struct vnode *dir);

/** dir_read() - bytes of the blob, already clipped to its size */
int dir_read(struct db *db, const struct vnode *dir, u64 off, void *buf,
	     size_t len);

/** dirbuf_bytes() - memory that the loaded blocks of @d take; it may be NULL */
size_t dirbuf_bytes(const struct dirbuf *d);

/** dirbuf_free() - @d may be NULL */
void dirbuf_free(struct dirbuf *d);

#endif /* AFSX_STORE_DIR_H */
