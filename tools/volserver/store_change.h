/* SPDX-License-Identifier: MIT */
/* Transactions on a store; included by store.h, which has the conventions. */
#ifndef AFSX_STORE_CHANGE_H
#define AFSX_STORE_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <afsx/platform.h>
#include <afsx/types.h>

#include "store_read.h"

/**
 * store_begin() - start a transaction
 * @st: store
 * @tx: the transaction, on success
 *
 * Waits until no other thread is changing the store.  The thread that calls
 * store_begin() must end the transaction itself, and not call the reading
 * functions in between: the tx_* variants see its own changes.
 *
 * Return: 0; -EROFS; -EIO when the store has stopped.
 */
int store_begin(struct store *st, struct store_tx **tx);

/**
 * store_begin_long() - store_begin() for a transaction that others may have to wait for
 * @st: store
 * @tx: the transaction, on success
 *
 * It begins a batch, and sees to it that readers do not wait for its end, unless others
 * have joined it.
 *
 * Return: as store_begin(); -ENOMEM, -ENOSPC and others when changes before it cannot be
 * written to the database.
 */
int store_begin_long(struct store *st, struct store_tx **tx);

/**
 * store_commit() - make a transaction durable and visible, and end it
 * @tx: transaction; gone in any case
 *
 * Other transactions may start, and share the same device flush, while this
 * one waits for the device.  The notifier runs before it returns.
 *
 * Return: 0; on error nothing of the transaction has happened, unless the
 * store has stopped (-EIO), when only recovery can tell.  -EBUSY: an error of
 * another transaction undid this one as well; it can be tried again.
 */
int store_commit(struct store_tx *tx);

/**
 * store_change() - make a transaction, in whichever thread has the store just then
 * @st: store
 * @body: makes the changes; true to have them, false to be refused, as by store_refuse()
 * @ctx: for @body
 *
 * Does what store_begin(), @body and store_commit() do, sooner when many threads change
 * something: one of them executes what the others brought, and they sleep but once. So
 * @body may not depend on the thread, and may not wait for what a transaction waits for.
 * It is not called when the transaction cannot begin.
 *
 * Return: as store_commit() or store_refuse(), or as store_begin().
 */
int store_change(struct store *st, bool (*body)(struct store_tx *tx, void *ctx),
		 void *ctx);

/**
 * store_set_origin() - say whom a transaction is made for
 * @tx: transaction
 * @origin: passed to the notifier; NULL, as without this call, for nobody
 */
void store_set_origin(struct store_tx *tx, const void *origin);

/** store_abort() - undo a transaction and end it. */
void store_abort(struct store_tx *tx);

/**
 * store_refuse() - store_abort(), when somebody will be told why
 * @tx: transaction
 *
 * What it found, as a name that exists already, may be the change of another that
 * a crash can still take back.  So this waits until all that it saw is durable.
 *
 * Return: 0; -EIO, or why the log stopped, when some of that is lost.
 */
int store_refuse(struct store_tx *tx);

/* What store_setattr() shall change, and store_attr carries */
#define STORE_SET_MODE		0x01u
#define STORE_SET_OWNER		0x02u
#define STORE_SET_GROUP		0x04u
#define STORE_SET_MTIME		0x08u
#define STORE_SET_SIZE		0x10u
#define STORE_SET_AUTHOR	0x20u

/**
 * struct store_attr - attributes to give to a vnode
 * @mask: STORE_SET_* of the members that count
 * @mode: permission bits, 07777
 * @owner: user id
 * @group: group id
 * @author: user id of the writer
 * @mtime: seconds since 1970
 * @size: bytes, files only: truncates or extends with a hole
 */
struct store_attr {
	unsigned int mask;
	u32 mode;
	u32 owner;
	u32 group;
	u32 author;
	s64 mtime;
	u64 size;
};

/** store_tx_getattr() - store_getattr() within a transaction. */
int store_tx_getattr(struct store_tx *tx, const struct afsx_fid *fid,
		     struct store_status *status);

/** store_tx_getattr_acl() - store_getattr_acl() within a transaction. */
ssize_t store_tx_getattr_acl(struct store_tx *tx, const struct afsx_fid *fid,
			     struct store_status *status, char *acl,
			     size_t size);

/** store_tx_lookup() - store_lookup() within a transaction. */
int store_tx_lookup(struct store_tx *tx, const struct afsx_fid *dir,
		    const char *name, size_t len, struct afsx_fid *fid);

/**
 * store_create() - make a file, directory or symlink and enter its name
 * @tx: transaction
 * @dir: directory, of a R/W volume
 * @name: 1..255 bytes without '/' or NUL, not "." or ".."
 * @len: of @name
 * @type: AFSX_FTYPE_FILE, _DIR or _SYMLINK
 * @attr: what to start with; defaults are mode 0644 (0755, 0777), ids 0, now
 * @target: of a symlink, 1..1023 bytes, NUL-terminated; else NULL
 * @fid: the new vnode
 *
 * Return: 0; -EEXIST; -ENOTDIR; -EINVAL or -ENAMETOOLONG for @name or @target;
 * -EFBIG when the directory is full.
 */
int store_create(struct store_tx *tx, const struct afsx_fid *dir,
		 const char *name, size_t len, enum afsx_ftype type,
		 const struct store_attr *attr, const char *target,
		 struct afsx_fid *fid);

/**
 * store_write() - write to a file, extending it when needed
 * @tx: transaction
 * @fid: a file
 * @off: first byte
 * @buf: data, copied before the function returns
 * @len: bytes; best in multiples of 1 MiB at multiples of 4 KiB
 *
 * The data version grows by one per transaction, not per call.
 *
 * Return: 0; -EDQUOT; -ENOSPC; -EFBIG; -EISDIR or -EINVAL when not a file.
 */
int store_write(struct store_tx *tx, const struct afsx_fid *fid, u64 off,
		const void *buf, size_t len);

/** store_setattr() - change attributes of a vnode. */
int store_setattr(struct store_tx *tx, const struct afsx_fid *fid,
		  const struct store_attr *attr);

/** store_acl_set() - access list of a directory; length 0: the default. */
int store_acl_set(struct store_tx *tx, const struct afsx_fid *fid,
		  const char *acl, size_t len);

/**
 * store_stage() - a directory that no name leads to, to build a tree in
 * @tx: transaction
 * @vid: R/W volume
 * @dir: the directory
 *
 * store_rename() moves entries from there to where they shall appear.  A crash
 * or store_unstage() leaves the directory, with what is still in it, to
 * store_collect().
 *
 * Return: 0; -EBUSY when too many are in use.
 */
int store_stage(struct store_tx *tx, u32 vid, struct afsx_fid *dir);

/** store_unstage() - the directory of store_stage() is not needed any more */
void store_unstage(struct store *st, const struct afsx_fid *dir);

/** store_link() - another name for a file or symlink; -EISDIR, -EEXIST. */
int store_link(struct store_tx *tx, const struct afsx_fid *dir,
	       const char *name, size_t len, const struct afsx_fid *fid);

/**
 * store_unlink() - remove a name, and the vnode with its last name
 * @tx: transaction
 * @dir: directory
 * @name: entry
 * @len: of @name
 * @want_dir: true to remove an empty directory, false anything else
 * @fid: NULL, or what the name led to
 *
 * Return: 0; -ENOENT; -ENOTEMPTY; -ENOTDIR or -EISDIR against @want_dir.
 */
int store_unlink(struct store_tx *tx, const struct afsx_fid *dir,
		 const char *name, size_t len, bool want_dir,
		 struct afsx_fid *fid);

/**
 * store_rename() - move an entry, replacing the target as rename(2) does
 * @tx: transaction
 * @from_dir: directory it is in
 * @from: its name
 * @from_len: bytes of @from
 * @to_dir: directory it shall be in
 * @to: its name there
 * @to_len: bytes of @to
 *
 * Return: 0; -ENOENT; -EXDEV between volumes; -EINVAL into its own
 * subdirectory; -ENOTEMPTY; -ENOTDIR; -EISDIR.
 */
int store_rename(struct store_tx *tx, const struct afsx_fid *from_dir,
		 const char *from, size_t from_len,
		 const struct afsx_fid *to_dir, const char *to, size_t to_len);

#endif /* AFSX_STORE_CHANGE_H */
