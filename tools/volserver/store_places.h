/* SPDX-License-Identifier: MIT */
/*
 * Directories that readers look for names in, shared by all of them: the whole of each as
 * of one data version, which never changes (dir_image.h).
 *
 * As with struct warm the era of struct seen is a part of the key: within one, a data
 * version that was durable is that of one contents.  So nothing is ever invalid here; who
 * looks knows from struct seen, or from the database, which version is the present one.
 * A reader that does not find it here follows the chains, and reads all of the directory
 * when that was done PLACES_AFTER times in the same contents.
 *
 * What goes is what nobody looked into since the last round: of a set that has no place
 * for another directory, or of all when they take too much memory.
 */
#ifndef AFSX_STORE_PLACES_H
#define AFSX_STORE_PLACES_H

#include <stdbool.h>

#include "defs.h"

#define PLACES_MAX	4096u			/* directories */
#define PLACES_BYTES	(32u * 1024 * 1024)	/* of their contents, at most */

/* In a full directory three searches take as long as to read all, and to index it. */
#define PLACES_AFTER	2u

struct dir_image;
struct places;
struct store_status;

/** places_create() - none yet; NULL without memory */
struct places *places_create(void);

/** places_destroy() - @p may be NULL */
void places_destroy(struct places *p);

/**
 * places_get() - contents of a directory
 * @p: where
 * @s: its status
 * @era: seen_era() before @s was found; the contents are right if it is the same after
 *
 * Return: a reference, or NULL.
 */
struct dir_image *places_get(struct places *p, const struct store_status *s,
			     unsigned int era);

/** places_worth() - somebody looks for a name without them; whether to read them all */
bool places_worth(struct places *p, const struct store_status *s,
		  unsigned int era);

/**
 * places_put() - keep contents
 * @p: where
 * @s: status of the directory, read with them
 * @era: seen_era() before and after that
 * @m: the contents, known to be durable
 */
void places_put(struct places *p, const struct store_status *s,
		unsigned int era, struct dir_image *m);

#endif /* AFSX_STORE_PLACES_H */
