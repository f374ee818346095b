// SPDX-License-Identifier: MIT
#include "store_seen.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "defs.h"

#define SETS	8192u		/* a power of two */
#define WAYS	4u
#define LOCKS	64u
#define VOLS	256u

/**
 * struct entry - one vnode
 * @s: status; @s.fid says which one
 * @era: when it was put here; 0: empty
 * @acl: access list of its own, or NULL
 * @acl_len: its bytes
 */
struct entry {
	struct store_status s;
	unsigned int era;
	char *acl;
	size_t acl_len;
};

/**
 * struct set - the entries one vnode can be in
 * @drops: how often something was forgotten here
 * @shut: nothing may be kept here while this is not 0
 * @next: way to use next
 * @way: the entries
 */
struct set {
	unsigned int drops;
	unsigned int shut;
	unsigned int next;
	struct entry way[WAYS];
};

struct vol_entry {
	struct store_vol vol;
	unsigned int era;
};

/**
 * struct seen - what is known
 * @era: grows when all is forgotten
 * @shut: nothing may be kept while this is not 0
 * @lock: of every LOCKS-th set; the volumes are under that of their vnode 0
 * @sets: vnodes
 * @vols: volumes
 */
struct seen {
	atomic_uint era;
	atomic_uint shut;
	pthread_mutex_t lock[LOCKS];
	struct set sets[SETS];
	struct vol_entry vols[VOLS];
};

struct seen *seen_create(void)
{
	struct seen *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	for (unsigned int i = 0; i < LOCKS; i++)
		pthread_mutex_init(&c->lock[i], NULL);
	atomic_init(&c->era, 1);
	return c;
}

void seen_destroy(struct seen *c)
{
	if (!c)
		return;
	for (unsigned int i = 0; i < SETS; i++)
		for (unsigned int k = 0; k < WAYS; k++)
			free(c->sets[i].way[k].acl);
	for (unsigned int i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&c->lock[i]);
	free(c);
}

/* Of a volume: that of its entry in @vols, which it shares the lock with. */
static unsigned int set_of(u32 vid, u32 vno)
{
	u64 hash = ((u64)vid << 32 | vno) * 0x9e3779b97f4a7c15u;

	return vno ? (unsigned int)(hash >> 40) % SETS : vid % VOLS;
}

static pthread_mutex_t *lock_of(struct seen *c, unsigned int set)
{
	return &c->lock[set % LOCKS];
}

static u64 mark_of(struct seen *c, unsigned int set)
{
	return (u64)atomic_load(&c->era) << 32 | c->sets[set].drops;
}

static bool may_put(struct seen *c, unsigned int set, u64 mark)
{
	return mark_of(c, set) == mark && !c->sets[set].shut &&
	       !atomic_load(&c->shut);
}

static struct entry *find(struct seen *c, unsigned int set, u32 vid, u32 vno)
{
	unsigned int era = atomic_load(&c->era);

	for (unsigned int k = 0; k < WAYS; k++) {
		struct entry *e = &c->sets[set].way[k];

		if (e->era == era && e->s.fid.vid == vid &&
		    e->s.fid.vnode == vno)
			return e;
	}
	return NULL;
}

u64 seen_mark(struct seen *c, u32 vid, u32 vno)
{
	unsigned int set = set_of(vid, vno);

	MUTEX_GUARD(lock_of(c, set));

	return mark_of(c, set);
}

void seen_put(struct seen *c, const struct store_status *s, const char *acl,
	      size_t len, u64 mark)
{
	unsigned int set = set_of(s->fid.vid, s->fid.vnode);
	struct entry *e;

	MUTEX_GUARD(lock_of(c, set));
	if (!may_put(c, set, mark))
		return;
	e = find(c, set, s->fid.vid, s->fid.vnode);
	if (!e)
		e = &c->sets[set].way[c->sets[set].next++ % WAYS];
	free(e->acl);
	e->acl = len ? malloc(len) : NULL;
	e->acl_len = len;
	e->s = *s;
	e->era = len && !e->acl ? 0 : (unsigned int)(mark >> 32);
	if (e->acl)
		memcpy(e->acl, acl, len);
}

ssize_t seen_get(struct seen *c, const struct afsx_fid *fid,
		 struct store_status *s, char *acl)
{
	unsigned int set = set_of(fid->vid, fid->vnode);
	const struct entry *e;

	MUTEX_GUARD(lock_of(c, set));
	e = find(c, set, fid->vid, fid->vnode);
	if (!e || (fid->unique && fid->unique != e->s.fid.unique))
		return -ENOENT;
	*s = e->s;
	if (acl && e->acl)
		memcpy(acl, e->acl, e->acl_len);
	return (ssize_t)e->acl_len;
}

static void forget(struct seen *c, unsigned int set, u32 vid, u32 vno)
{
	struct entry *e = vno ? find(c, set, vid, vno) : NULL;

	c->sets[set].drops++;
	if (e)
		e->era = 0;
	if (!vno && c->vols[set].vol.id == vid)
		c->vols[set].era = 0;
}

void seen_shut(struct seen *c, u32 vid, u32 vno)
{
	unsigned int set = set_of(vid, vno);

	MUTEX_GUARD(lock_of(c, set));
	forget(c, set, vid, vno);
	c->sets[set].shut++;
}

void seen_open(struct seen *c, u32 vid, u32 vno)
{
	unsigned int set = set_of(vid, vno);

	MUTEX_GUARD(lock_of(c, set));
	c->sets[set].drops++;
	c->sets[set].shut--;
}

static void next_era(struct seen *c)
{
	if (!(atomic_fetch_add(&c->era, 1) + 1))
		atomic_store(&c->era, 1);
}

void seen_shut_all(struct seen *c)
{
	atomic_fetch_add(&c->shut, 1);
	next_era(c);
}

void seen_open_all(struct seen *c)
{
	next_era(c);
	atomic_fetch_sub(&c->shut, 1);
}

unsigned int seen_era(struct seen *c)
{
	unsigned int era = atomic_load(&c->era);

	return atomic_load(&c->shut) ? 0 : era;
}

void seen_vol_put(struct seen *c, const struct store_vol *vol, u64 mark)
{
	unsigned int set = set_of(vol->id, 0);
	struct vol_entry *e = &c->vols[set];

	MUTEX_GUARD(lock_of(c, set));
	if (!may_put(c, set, mark))
		return;
	e->vol = *vol;
	e->era = (unsigned int)(mark >> 32);
}

bool seen_vol_get(struct seen *c, u32 id, struct store_vol *vol)
{
	unsigned int set = set_of(id, 0);
	const struct vol_entry *e = &c->vols[set];

	MUTEX_GUARD(lock_of(c, set));
	if (e->era != atomic_load(&c->era) || e->vol.id != id)
		return false;
	*vol = e->vol;
	return true;
}
