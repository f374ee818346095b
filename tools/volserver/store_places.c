// SPDX-License-Identifier: MIT
#include "store_places.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "dir_image.h"
#include "store_read.h"

#define WAYS	4u
#define SETS	(PLACES_MAX / WAYS)
#define LINE	64u		/* of the processor's cache, bytes */

/**
 * struct place - a directory in one version
 * @fid: which; the number of its vnode is 0 when there is none
 * @era: of struct seen
 * @dv: data version
 * @searches: names that were looked for without @m
 * @used: since it was passed over last
 * @m: contents; NULL until it is worth it
 */
struct place {
	struct afsx_fid fid;
	unsigned int era;
	u64 dv;
	unsigned int searches;
	bool used;
	struct dir_image *m;
};

/**
 * struct set - the places that a directory can be in
 * @lock: protects the rest
 * @next: place to look at next when one is needed
 * @way: the places
 */
struct set {
	alignas(LINE) pthread_mutex_t lock;
	unsigned int next;
	struct place way[WAYS];
};

/**
 * struct places - all of them
 * @bytes: of all contents
 * @lock: of who makes room; before that of a set
 * @hand: place to look at next then
 * @set: the places
 */
struct places {
	atomic_size_t bytes;
	pthread_mutex_t lock;
	unsigned int hand;
	struct set set[SETS];
};

struct places *places_create(void)
{
	struct places *p = aligned_alloc(LINE, sizeof(*p));

	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	pthread_mutex_init(&p->lock, NULL);
	for (unsigned int i = 0; i < SETS; i++)
		pthread_mutex_init(&p->set[i].lock, NULL);
	return p;
}

/* Called, as what follows, with the lock of the set held. */
static void clear(struct places *p, struct place *c)
{
	if (c->m)
		atomic_fetch_sub(&p->bytes, dir_image_bytes(c->m));
	dir_image_put(c->m);
	*c = (struct place){ .m = NULL };
}

void places_destroy(struct places *p)
{
	if (!p)
		return;
	for (unsigned int i = 0; i < PLACES_MAX; i++)
		clear(p, &p->set[i / WAYS].way[i % WAYS]);
	for (unsigned int i = 0; i < SETS; i++)
		pthread_mutex_destroy(&p->set[i].lock);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static struct set *set_of(struct places *p, const struct afsx_fid *fid)
{
	u64 hash = ((u64)fid->vid << 32 | fid->vnode) * 0x9e3779b97f4a7c15u;

	return &p->set[(hash >> 40) % SETS];
}

/* Whether it was used since it was asked last. */
static bool pass_over(struct place *c)
{
	bool used = c->used;

	c->used = false;
	return used;
}

static bool is_of(const struct place *c, const struct store_status *s,
		  unsigned int era)
{
	return afsx_fid_eq(&c->fid, &s->fid) && c->dv == s->dv && c->era == era;
}

/* The place of a directory in this version, or NULL. */
static struct place *find(struct set *set, const struct store_status *s,
			  unsigned int era)
{
	for (unsigned int k = 0; k < WAYS; k++)
		if (is_of(&set->way[k], s, era))
			return &set->way[k];
	return NULL;
}

/* One for another version, or for another directory. */
static struct place *make_room(struct set *set, const struct afsx_fid *fid)
{
	struct place *c;

	for (unsigned int k = 0; k < WAYS; k++)
		if (afsx_fid_eq(&set->way[k].fid, fid))
			return &set->way[k];
	do
		c = &set->way[set->next++ % WAYS];
	while (pass_over(c));
	return c;
}

static struct place *enter(struct places *p, struct set *set,
			   const struct store_status *s, unsigned int era)
{
	struct place *c = find(set, s, era);

	if (!c) {
		c = make_room(set, &s->fid);
		clear(p, c);
		*c = (struct place){ .fid = s->fid, .era = era, .dv = s->dv };
	}
	c->used = true;
	return c;
}

struct dir_image *places_get(struct places *p, const struct store_status *s,
			     unsigned int era)
{
	struct set *set = set_of(p, &s->fid);
	struct place *c;

	MUTEX_GUARD(&set->lock);
	c = find(set, s, era);
	if (!c || !c->m)
		return NULL;
	c->used = true;
	return dir_image_get(c->m);
}

bool places_worth(struct places *p, const struct store_status *s,
		  unsigned int era)
{
	struct set *set = set_of(p, &s->fid);

	MUTEX_GUARD(&set->lock);
	return enter(p, set, s, era)->searches++ == PLACES_AFTER;
}

/* Take out a place that was not used for a round. */
static void drop_one(struct places *p)
{
	unsigned int nr = p->hand++ % PLACES_MAX;
	struct set *set = &p->set[nr / WAYS];
	struct place *c = &set->way[nr % WAYS];

	MUTEX_GUARD(&set->lock);
	if (c->m && !pass_over(c))
		clear(p, c);
}

void places_put(struct places *p, const struct store_status *s,
		unsigned int era, struct dir_image *m)
{
	size_t bytes = dir_image_bytes(m);
	struct set *set = set_of(p, &s->fid);
	struct place *c;

	MUTEX_GUARD(&p->lock);
	while (atomic_load(&p->bytes) + bytes > PLACES_BYTES)
		drop_one(p);
	pthread_mutex_lock(&set->lock);
	c = enter(p, set, s, era);
	if (!c->m) {
		c->m = dir_image_get(m);
		atomic_fetch_add(&p->bytes, bytes);
	}
	pthread_mutex_unlock(&set->lock);
}
