/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Volumes: what the VLDB says of them, who serves them.
 */
#ifndef AFSX_VOLUME_H
#define AFSX_VOLUME_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <afsx/types.h>

struct afsx_caller;
struct afsx_cell;
struct afsx_server;
struct afsx_source;
struct super_block;

/**
 * struct afsx_sites - the servers that hold a volume, immutable
 * @ref: references
 * @rcu: delays the release
 * @nr: how many, at least 1
 * @best: index to try first, a hint
 * @server: the servers, counted
 */
struct afsx_sites {
	refcount_t		ref;
	struct rcu_head		rcu;
	u8			nr;
	u8			best;
	struct afsx_server	*server[] __counted_by(nr);
};

/**
 * struct afsx_volume - a volume of one type
 * @ref: references
 * @rcu: delays the release
 * @link: in afsx_net.volumes (RCU)
 * @cell: its cell, counted
 * @vid: its volume id
 * @type: R/W, R/O or backup
 * @lock: one VLDB refresh at a time
 * @sites: who serves it (RCU)
 * @vldb_time: jiffies64 of the last VLDB answer
 * @cb_version: changes when the whole volume's promises are broken
 * @cb_breaks: changes with every broken promise in the volume, also of vnodes
 *	not in memory
 * @rights_gen: changes when somebody's rights on a directory turn out to have
 *	changed: voids the cached rights on the files
 * @no_bulk: a server of it does not know InlineBulkStatus
 * @sb: superblock to look for vnodes in, RCU; NULL when not mounted. The
 *	callback service may only use it inside an RCU section and with
 *	ilookup5_nowait-like calls that tolerate a dying superblock
 * @name: name of the R/W volume in the VLDB, NUL-terminated
 */
struct afsx_volume {
	refcount_t		ref;
	struct rcu_head		rcu;
	struct list_head	link;
	struct afsx_cell	*cell;
	u32			vid;
	enum afsx_voltype	type;
	struct mutex		lock;	/* see above */
	struct afsx_sites __rcu	*sites;
	u64			vldb_time;
	atomic_t		cb_version;
	atomic_t		cb_breaks;
	atomic_t		rights_gen;
	bool			no_bulk;
	struct super_block __rcu *sb;
	char			name[AFSX_VOLNAME_MAX + 1];
};

/**
 * afsx_volume_lookup - find or make the record a source string asks for
 * @cell: cell to look in
 * @by: on whose behalf
 * @src: parsed source; decides type by what exists in the VLDB
 * @why: out: static text for the mount error, set when NULL is not returned
 *
 * Return: a counted volume. ERR_PTR(-ENOMEDIUM): no such volume, or none of
 * the wanted type; -EDESTADDRREQ: no VL servers; -EIO: the caller's group was
 * ended; or what the calls met.
 */
struct afsx_volume *afsx_volume_lookup(struct afsx_cell *cell,
				       const struct afsx_caller *by,
				       const struct afsx_source *src,
				       const char **why);

/**
 * afsx_volume_refresh - ask the VLDB again who serves a volume
 * @volume: the volume
 * @by: on whose behalf
 * @since: do nothing if the record is newer than this (jiffies64)
 *
 * Sleeps. Return: 1 when the list of servers changed, 0 when it did not,
 * -ENOMEDIUM when the volume is gone, -ESHUTDOWN when the caller's group was
 * ended, or what the calls met; the old list stays in force then.
 */
int afsx_volume_refresh(struct afsx_volume *volume,
			const struct afsx_caller *by, u64 since);

/* Who serves the volume: a counted list, never NULL. Does not sleep. */
struct afsx_sites *afsx_volume_sites(struct afsx_volume *volume);
void afsx_sites_put(struct afsx_sites *sites);
struct afsx_volume *afsx_volume_get(struct afsx_volume *volume);
void afsx_volume_put(struct afsx_volume *volume);

#endif /* AFSX_VOLUME_H */
