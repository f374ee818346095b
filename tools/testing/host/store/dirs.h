/* SPDX-License-Identifier: MIT */
/*
 * A model of two large directories: for each name the file it leads to. Their names lead
 * to a few files that have a name in the root as well, so that a change is one of names.
 */
#ifndef AFSX_STORE_DIRS_H
#define AFSX_STORE_DIRS_H

#include "store.h"

#define DIRS		2u
#define FILES		8u
#define NAMES		3000u	/* different names in a directory */
#define STABLE		100u	/* the first of them, which never change */

/**
 * struct dirs - what a volume shows
 * @vid: the volume
 * @file: files, the same in each of its clones
 * @dir: directories
 * @at: number of the file that a name leads to, from 1; 0 for none
 */
struct dirs {
	u32 vid;
	struct afsx_fid file[FILES];
	struct afsx_fid dir[DIRS];
	u8 at[DIRS][NAMES];
};

/** dirs_random() - a random number below @n; one thread uses it */
u32 dirs_random(u32 n);

/** dirs_name() - text of a name, up to 255 bytes; @i from NAMES on: one never there */
size_t dirs_name(char *text, u32 i);

/** dirs_make() - a volume with the stable names and half of the others */
void dirs_make(struct store *st, struct dirs *m);

/** dirs_change() - some random changes of names, in both */
void dirs_change(struct store_tx *tx, struct dirs *m);

/** dirs_restore() - give the volume new names, with the numbers and versions it has */
void dirs_restore(struct store *st, struct dirs *m, bool publish);

/**
 * dirs_verify() - what names lead to, as readers and the writer find it
 * @st: store
 * @m: what it must show
 * @share: look for one of so many names, and for all in the blocks
 */
void dirs_verify(struct store *st, const struct dirs *m, u32 share);

/** dirs_see() - names that never change, and ones that are never there; any thread */
void dirs_see(struct store *st, const struct dirs *m, u32 i);

/** dirs_blob() - the blocks of a directory; how many */
u32 dirs_blob(struct store *st, const struct afsx_fid *dir, u8 *blob);

/** dirs_walk() - a name in such blocks, by its chain: 0, -ENOENT or -EUCLEAN */
int dirs_walk(u8 *blob, u32 blocks, const char *name, size_t len,
	      struct afsx_fid *fid);

#endif /* AFSX_STORE_DIRS_H */
