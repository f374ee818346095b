/* SPDX-License-Identifier: MIT */
/* Volumes of a store; included by store.h, which has the conventions. */
#ifndef AFSX_STORE_VOL_H
#define AFSX_STORE_VOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <afsx/platform.h>
#include <afsx/types.h>

#define STORE_NAME_MAX	64	/* a volume's name, with suffix, without NUL */
#define STORE_TEXT_MAX	255	/* offline message, message of the day */

struct store;
struct store_tx;

/**
 * struct store_vol - one volume (a R/W volume or a clone) at one moment
 * @id: this volume's id
 * @rw_id: id of the group's R/W volume
 * @type: AFSX_VOL_RW, AFSX_VOL_RO or AFSX_VOL_BACKUP
 * @name: with its .readonly or .backup suffix, NUL-terminated
 * @offline_msg: what clients see when it is offline
 * @motd: message of the day
 * @online: false when an administrator took it offline
 * @quota_kib: limit, KiB; 0 means none
 * @used_kib: KiB in use (of a clone: when it was made)
 * @files: vnodes in use (of a clone: when it was made)
 * @created: seconds since 1970; of a clone: when it was last made
 * @updated: seconds since 1970 of the last change of its contents
 */
struct store_vol {
	u32 id;
	u32 rw_id;
	enum afsx_voltype type;
	char name[STORE_NAME_MAX + 1];
	char offline_msg[STORE_TEXT_MAX + 1];
	char motd[STORE_TEXT_MAX + 1];
	bool online;
	u64 quota_kib;
	u64 used_kib;
	u64 files;
	s64 created;
	s64 updated;
};

/** store_vol_get() - volume by id; -ENOMEDIUM. */
int store_vol_get(struct store *st, u32 id, struct store_vol *vol);

/** store_tx_vol_get() - store_vol_get() within a transaction. */
int store_tx_vol_get(struct store_tx *tx, u32 id, struct store_vol *vol);

/** store_vol_find() - volume by full name (suffix included); -ENOMEDIUM. */
int store_vol_find(struct store *st, const char *name, size_t len,
		   struct store_vol *vol);

/**
 * struct store_group - what a VLDB entry says of the volumes of a name
 * @name: base name, without suffix
 * @id: ids by enum afsx_voltype; reserved even when the volume does not exist
 * @exists: by enum afsx_voltype
 */
struct store_group {
	char name[STORE_NAME_MAX + 1];
	u32 id[3];
	bool exists[3];
};

/**
 * store_group_get() - volumes that share a name
 * @st: store
 * @id: an id of the name, also of a volume that does not exist
 * @g: result; a clone with a name of its own is by itself
 *
 * Return: 0; -ENOMEDIUM.
 */
int store_group_get(struct store *st, u32 id, struct store_group *g);

/** store_group_find() - the same by base name or suffixed name; -ENOMEDIUM. */
int store_group_find(struct store *st, const char *name, size_t len,
		     struct store_group *g);

/**
 * store_vol_next() - iterate over volumes in the order of their ids
 * @st: store
 * @after: id to start behind; 0 to begin
 * @vol: the next volume
 *
 * Return: 1 with @vol filled in, 0 at the end, or a negative errno.
 */
int store_vol_next(struct store *st, u32 after, struct store_vol *vol);

/** store_vol_name_check() - a base name: 0, -EINVAL, -ENAMETOOLONG */
int store_vol_name_check(const char *name);

/**
 * store_vol_create() - make an empty R/W volume with a root directory
 * @tx: transaction
 * @name: base name: 1..54 of [A-Za-z0-9._-], not numeric, without suffix
 * @quota_kib: limit, KiB; 0 means none
 * @id: the new volume's id
 *
 * Return: 0; -EEXIST; -EINVAL or -ENAMETOOLONG for a bad name.
 */
int store_vol_create(struct store_tx *tx, const char *name, u64 quota_kib,
		     u32 *id);

/**
 * store_vol_clone() - make or renew a clone, in constant time
 * @tx: transaction
 * @rw_id: the R/W volume
 * @type: AFSX_VOL_RO or AFSX_VOL_BACKUP
 * @id: the clone's id
 */
int store_vol_clone(struct store_tx *tx, u32 rw_id, enum afsx_voltype type,
		    u32 *id);

/**
 * store_vol_clone_as() - make another clone, in constant time
 * @tx: transaction
 * @rw_id: the R/W volume
 * @name: its own name, as for store_vol_create()
 * @id: the clone's id, which does not follow from @rw_id
 *
 * There may be any number of them.  They are of type AFSX_VOL_RO, and go on
 * showing what they do until they are removed.
 *
 * Return: 0; -EEXIST; -EINVAL or -ENAMETOOLONG for a bad name.
 */
int store_vol_clone_as(struct store_tx *tx, u32 rw_id, const char *name,
		       u32 *id);

/**
 * store_vol_rename() - give a volume, its .readonly and .backup another name
 * @tx: transaction
 * @id: the R/W volume
 * @name: base name, as for store_vol_create()
 *
 * Return: 0; -EEXIST when any volume is called so, this one included; -EINVAL
 * or -ENAMETOOLONG for a bad name; -EROFS for a clone; -EBUSY while it is being
 * restored.
 */
int store_vol_rename(struct store_tx *tx, u32 id, const char *name);

/**
 * store_vol_remove() - forget a volume
 * @tx: transaction
 * @id: volume or clone
 *
 * What it occupied is freed by store_collect().
 *
 * Return: 0; -EBUSY for a R/W volume that still has clones.
 */
int store_vol_remove(struct store_tx *tx, u32 id);

/* What store_vol_set() shall change */
#define STORE_VOL_QUOTA		0x1u
#define STORE_VOL_ONLINE	0x2u
#define STORE_VOL_OFFLINE_MSG	0x4u
#define STORE_VOL_MOTD		0x8u

/** store_vol_set() - change the attributes of @vol->id named in @mask. */
int store_vol_set(struct store_tx *tx, const struct store_vol *vol,
		  unsigned int mask);

/**
 * store_collect() - free what no volume refers to any more
 * @st: store
 * @max: rows to handle at most, in one transaction of its own
 *
 * To be called until it returns 0 after opening a store, after renewing or
 * removing volumes, after removing or cutting files, and after store_unstage().
 *
 * Return: rows freed (0: nothing left), or a negative errno.
 */
int store_collect(struct store *st, unsigned int max);

/**
 * store_settle() - before a file grows: free what waits behind its end
 * @st: store
 * @fid: file
 * @size: what it may grow to, bytes
 *
 * A transaction in which a file grows frees that itself; this does it in as many
 * as it takes, where there may be much.
 *
 * Return: 0, or a negative errno, which the transaction meets as well.
 */
int store_settle(struct store *st, const struct afsx_fid *fid, u64 size);

#endif /* AFSX_STORE_VOL_H */
