/* SPDX-License-Identifier: MIT */
/*
 * Indexes of large directories that readers look for names in, shared by all of them.
 *
 * An index is that of one data version and never changes. As with struct warm the era
 * of struct seen is a part of the key: within one, a data version is that of one
 * contents. A reader that has no such index follows the chains, and makes one when
 * that was done DIR_INDEX_AFTER times in the same contents.
 */
#ifndef AFSX_STORE_PLACES_H
#define AFSX_STORE_PLACES_H

#define PLACES_MAX	16u	/* directories; less than 10 MiB, the largest ones */

struct db;
struct places;
struct store;
struct vnode;

/** places_create() - none yet; NULL without memory */
struct places *places_create(void);

/** places_destroy() - @k may be NULL */
void places_destroy(struct places *k);

/**
 * places_lend() - let names in a directory be found by an index, if there is one
 * @st: store
 * @db: a reader's connection, in its transaction
 * @dir: directory, loaded in it
 * @era: seen_era() before it began
 */
void places_lend(struct store *st, struct db *db, struct vnode *dir,
		 unsigned int era);

#endif /* AFSX_STORE_PLACES_H */
