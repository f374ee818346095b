// SPDX-License-Identifier: MIT
#include "store_places.h"

#include <pthread.h>
#include <stdlib.h>

#include "cleanup.h"
#include "dir_index.h"
#include "store_priv.h"

/**
 * struct contents - a directory in one version
 * @fid: which; the number of its vnode is 0 when there is none
 * @era: of struct seen
 * @dv: data version
 * @searches: names that were looked for
 * @used: @clock of struct places when the last one was
 * @index: NULL until it is worth it
 */
struct contents {
	struct afsx_fid fid;
	unsigned int era;
	u64 dv;
	unsigned int searches;
	u64 used;
	struct dir_index *index;
};

/**
 * struct places - all of them
 * @lock: protects the rest
 * @clock: names that were looked for
 * @dir: a version of each directory
 */
struct places {
	pthread_mutex_t lock;
	u64 clock;
	struct contents dir[PLACES_MAX];
};

struct places *places_create(void)
{
	struct places *k = calloc(1, sizeof(*k));

	if (k)
		pthread_mutex_init(&k->lock, NULL);
	return k;
}

void places_destroy(struct places *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < PLACES_MAX; i++)
		dir_index_put(k->dir[i].index);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

static bool is_of(const struct contents *c, const struct store_status *s,
		  unsigned int era)
{
	return afsx_fid_eq(&c->fid, &s->fid) && c->dv == s->dv && c->era == era;
}

/* The place of a directory: its own, if only of another version, or the oldest. */
static struct contents *place_of(struct places *k, const struct afsx_fid *fid)
{
	struct contents *c = &k->dir[0];

	for (size_t i = 0; i < PLACES_MAX; i++) {
		if (afsx_fid_eq(&k->dir[i].fid, fid))
			return &k->dir[i];
		if (k->dir[i].used < c->used)
			c = &k->dir[i];
	}
	return c;
}

static struct contents *enter(struct places *k, const struct store_status *s,
			      unsigned int era)
{
	struct contents *c = place_of(k, &s->fid);

	if (!is_of(c, s, era)) {
		dir_index_put(c->index);
		*c = (struct contents){ .fid = s->fid, .dv = s->dv, .era = era };
	}
	return c;
}

/* A reference to the index of a directory; NULL, and whether it is worth to make one. */
static struct dir_index *get(struct places *k, const struct store_status *s,
			     unsigned int era, bool *worth)
{
	struct contents *c;

	MUTEX_GUARD(&k->lock);
	c = enter(k, s, era);
	c->used = ++k->clock;
	*worth = !c->index && c->searches++ == DIR_INDEX_AFTER;
	return c->index ? dir_index_get(c->index) : NULL;
}

static void put(struct places *k, const struct store_status *s,
		unsigned int era, struct dir_index *x)
{
	struct contents *c;

	MUTEX_GUARD(&k->lock);
	c = enter(k, s, era);
	dir_index_put(c->index);
	c->index = dir_index_get(x);
}

void places_lend(struct store *st, struct db *db, struct vnode *dir,
		 unsigned int era)
{
	struct dir_index *x;
	bool worth;

	/* if a volume was renewed meanwhile, what the reader sees is of either era */
	if (!dir_is_large(dir) || !era || seen_era(st->seen) != era)
		return;
	x = get(st->places, &dir->s, era, &worth);
	if (x) {
		dir_lend_index(db, dir, x);
	} else if (worth) {
		x = dir_make_index(db, dir);
		if (x)
			put(st->places, &dir->s, era, x);
	}
	dir_index_put(x);
}
