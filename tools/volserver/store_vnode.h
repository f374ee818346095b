/* SPDX-License-Identifier: MIT */
/* Vnodes that are loaded, and their rows. */
#ifndef AFSX_STORE_VNODE_H
#define AFSX_STORE_VNODE_H

#include <sys/queue.h>

#include "db.h"
#include "store_dir.h"
#include "store_read.h"
#include "store_vol.h"

struct store_tx;

/**
 * struct vnode - a vnode, loaded
 * @next: hash chain, of the transaction or of struct hot
 * @by_age: in struct hot, or of the transaction
 * @hot_bytes: memory of @dir when it was put there
 * @grp: volume group
 * @snap: epoch at which it is looked at; SNAP_LIVE for the R/W volume
 * @birth: of its row
 * @vol_type: of the volume it was asked for in
 * @s: status; @s.fid.vid is the volume it was asked for in
 * @target: of a symlink, NUL-terminated, or NULL
 * @acl: of a directory, or NULL for the default
 * @acl_len: bytes of @acl
 * @dir: contents of a directory, loaded as needed, or NULL
 * @near: block behind the last one written
 * @tail_end: no block from here on waits to be freed; 0: unknown
 * @tail_known: it has no blocks behind its end
 * @row: a row exists
 * @dirty: the row must be written
 * @dead: removed in this transaction
 * @touched: it has changed in this transaction
 * @versioned: its data version has grown in this transaction
 */
struct vnode {
	struct vnode *next;
	TAILQ_ENTRY(vnode) by_age;
	size_t hot_bytes;
	u32 grp;
	s64 snap;
	s64 birth;
	enum afsx_voltype vol_type;
	struct store_status s;
	char *target;
	char *acl;
	size_t acl_len;
	struct dirbuf *dir;
	u64 near;
	u64 tail_end;
	bool tail_known;
	bool row;
	bool dirty;
	bool dead;
	bool touched;
	bool versioned;
};

/**
 * vnode_load() - read a vnode's row
 * @db: connection
 * @fid: which; a uniquifier of 0 matches any
 * @vn: result, to be released
 */
int vnode_load(struct db *db, const struct afsx_fid *fid, struct vnode *vn);

/** vnode_load_any() - the same, also when no name leads to it any more */
int vnode_load_any(struct db *db, const struct afsx_fid *fid, struct vnode *vn);

/** vnode_load_live() - any, as a R/W volume will show it, also when it is busy */
int vnode_load_live(struct db *db, const struct afsx_fid *fid, struct vnode *vn);

/**
 * struct vnode_text - of a vnode's row
 * @target: of a symlink, or NULL
 * @target_len: bytes
 * @acl: of a directory, or NULL
 * @acl_len: bytes
 */
struct vnode_text {
	const char *target;
	size_t target_len;
	const char *acl;
	size_t acl_len;
};

/** vnode_put_row() - a row of a R/W volume as it is now */
int vnode_put_row(struct db *db, const struct store_status *s, s64 birth,
		  const struct vnode_text *text);

/** vnode_log() - write what changed to the record; -ENOBUFS when that cannot be */
int vnode_log(struct store_tx *tx, struct vnode *vn);

/** vnode_logged() - that has succeeded */
void vnode_logged(struct store_tx *tx, struct vnode *vn);

/** vnode_release() - free what a struct vnode points to, not itself */
void vnode_release(struct vnode *vn);

/** vnode_flush() - write a vnode's row, and its directory's blocks */
int vnode_flush(struct store_tx *tx, struct vnode *vn);

/** vnode_destroy() - remove a vnode that no name leads to any more */
int vnode_destroy(struct store_tx *tx, struct vnode *vn);

#endif /* AFSX_STORE_VNODE_H */
