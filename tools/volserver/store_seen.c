// SPDX-License-Identifier: MIT
#include "store_seen.h"

#include <errno.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cleanup.h"
#include "defs.h"

#define WAYS	4u
#define SETS	(SEEN_VNODES / WAYS)	/* a power of two */
#define LOCKS	64u
#define VOLS	256u
#define LINE	64u			/* of the processor's cache, bytes */

/**
 * struct known - what is known of a vnode
 * @s: status
 * @ticket: nobody may be told before this one is durable
 * @era: when it was put here; 0: nothing is known
 * @acl_len: bytes of the access list of its own
 */
struct known {
	struct store_status s;
	u64 ticket;
	u32 era;
	u32 acl_len;
};

#define WORDS	(sizeof(struct known) / sizeof(u64))
#define ERA_WORD	(offsetof(struct known, era) / sizeof(u64))

static_assert(sizeof(struct known) == WORDS * sizeof(u64), "copied as words");
static_assert(offsetof(struct known, era) % sizeof(u64) == 0, "begins a word");

/**
 * struct entry - one vnode
 * @word: a struct known
 * @acl: access list of its own, or NULL
 */
struct entry {
	atomic_ullong word[WORDS];
	char *acl;
};

/**
 * struct set - the entries one vnode can be in
 * @seq: odd while an entry changes; another one afterwards
 * @drops: how often something was forgotten here
 * @shut: nothing may be kept here while this is not 0
 * @next: way to use next
 * @tag: of each entry, volume and vnode
 * @way: the entries
 *
 * All but @seq, @tag and @word of the entries is for those who have the lock.
 */
struct set {
	alignas(LINE) atomic_uint seq;
	unsigned int drops;
	unsigned int shut;
	unsigned int next;
	atomic_ullong tag[WAYS];
	struct entry way[WAYS];
};

static_assert(sizeof(struct set) == 128 * WAYS, "SEEN_VNODES says what they take");

struct vol_entry {
	struct store_vol vol;
	unsigned int era;
};

/**
 * struct seen - what is known
 * @era: grows when all is forgotten
 * @shut: nothing may be kept while this is not 0
 * @sets: vnodes
 * @lock: of every LOCKS-th set; the volumes are under that of their vnode 0
 * @acl_bytes: of all access lists
 * @vols: volumes
 */
struct seen {
	alignas(LINE) atomic_uint era;
	atomic_uint shut;
	struct set *sets;
	alignas(LINE) pthread_mutex_t lock[LOCKS];
	atomic_size_t acl_bytes;
	struct vol_entry vols[VOLS];
};

struct seen *seen_create(void)
{
	struct seen *c = aligned_alloc(LINE, sizeof(*c));

	if (!c)
		return NULL;
	memset(c, 0, sizeof(*c));
	c->sets = mmap(NULL, SETS * sizeof(*c->sets), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (c->sets == MAP_FAILED) {
		free(c);
		return NULL;
	}
	for (unsigned int i = 0; i < LOCKS; i++)
		pthread_mutex_init(&c->lock[i], NULL);
	atomic_init(&c->era, 1);
	return c;
}

void seen_destroy(struct seen *c)
{
	if (!c)
		return;
	for (unsigned int i = 0; c->acl_bytes && i < SETS; i++)
		for (unsigned int k = 0; k < WAYS; k++)
			free(c->sets[i].way[k].acl);
	for (unsigned int i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&c->lock[i]);
	munmap(c->sets, SETS * sizeof(*c->sets));
	free(c);
}

/* ---- places -------------------------------------------------------------------- */

/*
 * Numbers of one kind follow each other, and fill one set after the other.  Of a volume:
 * that of its entry in @vols, which it shares the lock with.
 */
static unsigned int set_of(const struct afsx_fid *fid)
{
	u32 base = (u32)(fid->vid * 0x9e3779b97f4a7c15u >> 32);
	u32 kind = fid->vnode % 2 * (SEEN_VNODES / 2);

	if (!fid->vnode)
		return fid->vid % VOLS;
	return (base + kind + fid->vnode / 2) / WAYS % SETS;
}

static u64 tag_of(const struct afsx_fid *fid)
{
	return (u64)fid->vid << 32 | fid->vnode;
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

/* ---- entries ------------------------------------------------------------------- */

/* Who sees any of what write_entry() wrote also sees that @seq has changed. */
static void read_entry(const struct entry *e, struct known *known)
{
	u64 word[WORDS];

	for (size_t i = 0; i < WORDS; i++)
		word[i] = atomic_load_explicit(&e->word[i], memory_order_acquire);
	memcpy(known, word, sizeof(word));
}

/* The same of one, for who has the lock. */
static u32 era_of(const struct entry *e)
{
	u64 word = atomic_load_explicit(&e->word[ERA_WORD],
					memory_order_relaxed);
	u32 era;

	memcpy(&era, &word, sizeof(era));
	return era;
}

static void write_entry(struct set *set, unsigned int k, const struct known *known)
{
	unsigned int seq = atomic_load(&set->seq);
	u64 word[WORDS];

	memcpy(word, known, sizeof(word));
	atomic_store_explicit(&set->seq, seq + 1, memory_order_relaxed);
	atomic_store_explicit(&set->tag[k], tag_of(&known->s.fid),
			      memory_order_release);
	for (size_t i = 0; i < WORDS; i++)
		atomic_store_explicit(&set->way[k].word[i], word[i],
				      memory_order_release);
	atomic_store_explicit(&set->seq, seq + 2, memory_order_release);
}

static bool is_tagged(const struct set *set, unsigned int k, u64 tag)
{
	return atomic_load_explicit(&set->tag[k], memory_order_acquire) == tag;
}

/* The way that has what is known in this era, or WAYS. */
static unsigned int find(const struct set *set, const struct afsx_fid *fid,
			 unsigned int era, struct known *known)
{
	u64 tag = tag_of(fid);
	unsigned int k;

	for (k = 0; k < WAYS; k++) {
		if (!is_tagged(set, k, tag))
			continue;
		read_entry(&set->way[k], known);
		if (known->era == era)
			break;
	}
	return k;
}

/* For something new: its own way, if only of another era, or one without use, or the next. */
static unsigned int way_for(struct set *set, const struct known *known)
{
	unsigned int unused = WAYS;

	for (unsigned int k = 0; k < WAYS; k++) {
		if (is_tagged(set, k, tag_of(&known->s.fid)))
			return k;
		if (era_of(&set->way[k]) != known->era)
			unused = k;
	}
	return unused < WAYS ? unused : set->next++ % WAYS;
}

static void replace(struct seen *c, struct set *set, unsigned int k,
		    const struct known *known, char *acl)
{
	struct entry *e = &set->way[k];
	struct known old;

	read_entry(e, &old);
	atomic_fetch_add(&c->acl_bytes, known->acl_len - (size_t)old.acl_len);
	free(e->acl);
	e->acl = acl;
	write_entry(set, k, known);
}

/* Return: whether @acl belongs to the entry now. */
static bool keep(struct seen *c, unsigned int set, const struct known *known,
		 char *acl)
{
	struct set *s = &c->sets[set];

	if (known->acl_len > (acl ? STORE_ACL_MAX : 0) ||
	    atomic_load(&c->acl_bytes) + known->acl_len > SEEN_ACL_BYTES)
		return false;
	replace(c, s, way_for(s, known), known, acl);
	return true;
}

static void forget(struct seen *c, unsigned int set, const struct afsx_fid *fid)
{
	struct known known = { .s.fid = *fid }, old;
	unsigned int k = WAYS;

	c->sets[set].drops++;
	if (fid->vnode)
		k = find(&c->sets[set], fid, atomic_load(&c->era), &old);
	else if (c->vols[set].vol.id == fid->vid)
		c->vols[set].era = 0;
	if (k < WAYS)
		replace(c, &c->sets[set], k, &known, NULL);
}

/* ---- vnodes -------------------------------------------------------------------- */

u64 seen_mark(struct seen *c, u32 vid, u32 vno)
{
	unsigned int set = set_of(&(struct afsx_fid){ vid, vno, 0 });

	MUTEX_GUARD(lock_of(c, set));

	return mark_of(c, set);
}

void seen_put(struct seen *c, const struct store_status *s, const char *acl,
	      size_t len, u64 mark)
{
	struct known known = {
		.s = *s,
		.era = (u32)(mark >> 32),
		.acl_len = (u32)len,
	};
	unsigned int set = set_of(&s->fid);
	char *copy = len ? malloc(len) : NULL;

	if (copy)
		memcpy(copy, acl, len);
	MUTEX_GUARD(lock_of(c, set));
	if (!may_put(c, set, mark) || !keep(c, set, &known, copy))
		free(copy);
}

static bool get_with_acl(struct seen *c, unsigned int set,
			 const struct afsx_fid *fid, struct known *known,
			 char *acl)
{
	const struct set *s = &c->sets[set];
	unsigned int k;

	MUTEX_GUARD(lock_of(c, set));
	k = find(s, fid, atomic_load(&c->era), known);
	if (k < WAYS && acl && known->acl_len)
		memcpy(acl, s->way[k].acl, known->acl_len);
	return k < WAYS;
}

static bool get(struct seen *c, const struct afsx_fid *fid, struct known *known,
		char *acl)
{
	unsigned int set = set_of(fid);
	const struct set *s = &c->sets[set];
	unsigned int seq = atomic_load_explicit(&s->seq, memory_order_acquire);
	bool found = find(s, fid, atomic_load(&c->era), known) < WAYS;

	if (seq % 2 || atomic_load_explicit(&s->seq, memory_order_relaxed) != seq ||
	    (found && acl && known->acl_len))
		return get_with_acl(c, set, fid, known, acl);
	return found;
}

ssize_t seen_get(struct seen *c, const struct afsx_fid *fid,
		 struct store_status *s, char *acl, u64 *ticket)
{
	struct known known;

	if (!get(c, fid, &known, acl) ||
	    (fid->unique && fid->unique != known.s.fid.unique))
		return -ENOENT;
	*s = known.s;
	*ticket = known.ticket;
	return (ssize_t)known.acl_len;
}

void seen_shut(struct seen *c, const struct afsx_fid *fid)
{
	unsigned int set = set_of(fid);

	MUTEX_GUARD(lock_of(c, set));
	forget(c, set, fid);
	c->sets[set].shut++;
}

void seen_open(struct seen *c, struct seen_change *change, u64 ticket)
{
	unsigned int set = set_of(&change->s.fid);
	struct known known = {
		.s = change->s,
		.ticket = ticket,
		.acl_len = (u32)change->acl_len,
	};

	MUTEX_GUARD(lock_of(c, set));
	forget(c, set, &change->s.fid);
	c->sets[set].shut--;
	known.era = atomic_load(&c->era);
	if (ticket && change->shown && !atomic_load(&c->shut) &&
	    keep(c, set, &known, change->acl))
		change->acl = NULL;
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

/* ---- volumes ------------------------------------------------------------------- */

void seen_vol_put(struct seen *c, const struct store_vol *vol, u64 mark)
{
	unsigned int set = vol->id % VOLS;
	struct vol_entry *e = &c->vols[set];

	MUTEX_GUARD(lock_of(c, set));
	if (!may_put(c, set, mark))
		return;
	e->vol = *vol;
	e->era = (unsigned int)(mark >> 32);
}

bool seen_vol_get(struct seen *c, u32 id, struct store_vol *vol)
{
	unsigned int set = id % VOLS;
	const struct vol_entry *e = &c->vols[set];

	MUTEX_GUARD(lock_of(c, set));
	if (e->era != atomic_load(&c->era) || e->vol.id != id)
		return false;
	*vol = e->vol;
	return true;
}
