/* SPDX-License-Identifier: MIT */
/*
 * Volume groups as transactions see and change them.  There is one writer, so the
 * groups it used last stay true until it changes their volumes in another way.
 */
#ifndef AFSX_STORE_GRP_H
#define AFSX_STORE_GRP_H

#include "defs.h"
#include "store_vol.h"

struct store_tx;

/**
 * struct tx_grp - a volume group that a transaction uses
 * @next: in a struct grps
 * @id: of the group, and of its R/W volume
 * @vol: the R/W volume before the transaction
 * @epoch: present epoch: birth of what is new
 * @newest: newest epoch that a clone shows; 0 for none
 * @next_file: next vnode number for a file
 * @next_dir: next vnode number for a directory
 * @next_unique: next uniquifier
 * @free_file: no file has a number from @next_file on to this one
 * @free_dir: likewise, from @next_dir on
 * @used_delta: KiB more (or less) in use
 * @files_delta: vnodes more (or fewer)
 * @counters: the group's row must be written
 * @changed: the volume has changed
 */
struct tx_grp {
	struct tx_grp *next;
	u32 id;
	struct store_vol vol;
	s64 epoch;
	s64 newest;
	u32 next_file;
	u32 next_dir;
	u32 next_unique;
	u64 free_file;
	u64 free_dir;
	s64 used_delta;
	s64 files_delta;
	bool counters;
	bool changed;
};

/**
 * struct grps - groups in memory, those of a transaction or of the store
 * @first: the one entered last
 * @nr: how many there are
 *
 * Those of the store are protected by the writer's lock.
 */
struct grps {
	struct tx_grp *first;
	unsigned int nr;
};

#define GRPS_KEPT	256u	/* by the store, at most */

/** tx_grp() - group of a R/W volume, loaded at first; -ENOMEDIUM, -EROFS, -EBUSY */
int tx_grp(struct store_tx *tx, u32 vid, struct tx_grp **g);

/** grp_flush() - write what has changed of a group and its volume to the database */
int grp_flush(struct store_tx *tx, struct tx_grp *g);

/** grp_log() - likewise, to the record; -ENOBUFS when there is no room */
int grp_log(struct store_tx *tx, const struct tx_grp *g);

/** grps_keep() - @tx is committed: the store keeps its groups, if they are still true */
void grps_keep(struct store_tx *tx);

/** grps_clear() - forget all */
void grps_clear(struct grps *list);

#endif /* AFSX_STORE_GRP_H */
