/* SPDX-License-Identifier: MIT */
/*
 * Filling a volume with vnodes whose numbers are given, unseen by others until
 * all are there.  Included by who restores volumes; store.h has the conventions.
 *
 * Until store_restore_publish() a new volume does not exist for others, and one
 * that is restored over shows what it was and refuses changes with -EBUSY.
 * Work is done in transactions of moderate size; one may be open between calls.
 * After an error nothing but store_restore_end() makes sense.
 */
#ifndef AFSX_STORE_RESTORE_H
#define AFSX_STORE_RESTORE_H

#include "store.h"

struct store_restore;

/**
 * struct store_restored - what a volume shall be called and say of itself
 * @name: base name
 * @quota_kib: limit, KiB; 0 means none
 * @created: seconds since 1970
 * @updated: seconds since 1970
 * @next_unique: uniquifiers below it may have been used
 */
struct store_restored {
	const char *name;
	u64 quota_kib;
	s64 created;
	s64 updated;
	u32 next_unique;
};

/**
 * store_restore_new() - begin with a new, empty volume without a root
 * @st: store
 * @name: base name it will have
 * @id: R/W id it shall have, or 0 for any
 * @r: handle, on success
 *
 * Return: 0; -EEXIST, -EINVAL or -ENAMETOOLONG for @name; -EDOM or -ENOTUNIQ
 * for @id; -EBUSY when too many are under way.
 */
int store_restore_new(struct store *st, const char *name, u32 id,
		      struct store_restore **r);

/**
 * store_restore_over() - begin with what a R/W volume is now
 * @st: store
 * @id: the volume
 * @r: handle, on success
 *
 * Return: 0; -EBUSY when something else changes the volume's structure.
 */
int store_restore_over(struct store *st, u32 id, struct store_restore **r);

/** store_restore_id() - id of the volume */
u32 store_restore_id(const struct store_restore *r);

/**
 * store_restore_put() - a vnode, instead of any with that number
 * @r: restore
 * @s: number, uniquifier, type and attributes; volume and sizes do not count
 * @target: of a symlink, NUL-terminated; else NULL
 * @acl: of a directory, as text; NULL for the default
 * @acl_len: bytes of @acl
 *
 * A directory has "." and "..", which leads to the parent that @s says.
 *
 * Return: 0; -EEXIST when the restore has put this number already.
 */
int store_restore_put(struct store_restore *r, const struct store_status *s,
		      const char *target, const char *acl, size_t acl_len);

/** store_restore_enter() - a name in a directory that was put; as store_create() */
int store_restore_enter(struct store_restore *r, u32 dir, const char *name,
			size_t len, const struct afsx_fid *fid);

/** store_restore_write() - data of a file that was put, in order */
int store_restore_write(struct store_restore *r, u32 vnode, u64 off,
			const void *buf, size_t len);

/** store_restore_status() - attributes of a vnode, at last; @s->size counts */
int store_restore_status(struct store_restore *r, const struct store_status *s);

/** store_restore_links() - what names say of a vnode: link count and parent */
int store_restore_links(struct store_restore *r, u32 vnode, u32 nlink,
			const struct afsx_fid *parent);

/** store_restore_drop() - remove a vnode that was there before */
int store_restore_drop(struct store_restore *r, u32 vnode);

/** store_restore_pause() - let others change the store; before waiting */
int store_restore_pause(struct store_restore *r);

/** store_restore_publish() - the volume is complete: everybody sees it */
int store_restore_publish(struct store_restore *r,
			  const struct store_restored *as);

/**
 * store_restore_end() - free a restore
 * @r: restore, or NULL
 *
 * If it was not published nothing has happened, and store_collect() shall free
 * what was built.
 */
void store_restore_end(struct store_restore *r);

#endif /* AFSX_STORE_RESTORE_H */
