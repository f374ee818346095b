// SPDX-License-Identifier: MIT
#include "store_warm.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "blkdev.h"
#include "cleanup.h"
#include "defs.h"

#define WAYS	8u
#define LOCKS	64u

/**
 * struct tag - whose contents a block are
 * @fid: file; the number of its vnode is 0 when there are none
 * @era: of struct seen
 * @dv: data version
 * @nr: which block of the file
 * @used: since it was passed over last
 */
struct tag {
	struct afsx_fid fid;
	unsigned int era;
	u64 dv;
	u64 nr;
	bool used;
};

/* The places that a block can be in, and which of them is to go next. */
struct set {
	struct tag way[WAYS];
	unsigned int next;
};

/**
 * struct warm - all of it
 * @nr_sets: of @sets
 * @sets: what is in @data
 * @data: BLK_SIZE bytes for each way of each set
 * @lock: of every LOCKS-th set
 */
struct warm {
	u64 nr_sets;
	struct set *sets;
	u8 *data;
	pthread_mutex_t lock[LOCKS];
};

static size_t data_len(const struct warm *w)
{
	return w->nr_sets * WAYS * BLK_SIZE;
}

struct warm *warm_create(u64 bytes)
{
	struct warm *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	for (unsigned int i = 0; i < LOCKS; i++)
		pthread_mutex_init(&w->lock[i], NULL);
	w->nr_sets = max(bytes / (WAYS * BLK_SIZE), (u64)1);
	w->sets = calloc(w->nr_sets, sizeof(*w->sets));
	w->data = mmap(NULL, data_len(w), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (w->sets && w->data != MAP_FAILED)
		return w;
	warm_destroy(w);
	return NULL;
}

void warm_destroy(struct warm *w)
{
	if (!w)
		return;
	if (w->data != MAP_FAILED)
		munmap(w->data, data_len(w));
	for (unsigned int i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&w->lock[i]);
	free(w->sets);
	free(w);
}

static struct tag tag_of(const struct store_status *s, unsigned int era, u64 nr)
{
	return (struct tag){ .fid = s->fid, .era = era, .dv = s->dv, .nr = nr };
}

static u64 set_of(const struct warm *w, const struct tag *t)
{
	u64 hash = (u64)t->fid.vid << 32 | t->fid.vnode;

	hash = (hash ^ t->dv) * 0x9e3779b97f4a7c15u;
	hash = (hash ^ hash >> 32 ^ t->nr) * 0x9e3779b97f4a7c15u;
	return (hash >> 32) % w->nr_sets;
}

static u8 *data_of(const struct warm *w, u64 set, unsigned int way)
{
	return w->data + (set * WAYS + way) * BLK_SIZE;
}

/* The way that @t is in, or WAYS. */
static unsigned int find(const struct set *set, const struct tag *t)
{
	unsigned int k;

	for (k = 0; k < WAYS; k++) {
		const struct tag *is = &set->way[k];

		if (is->nr == t->nr && is->dv == t->dv && is->era == t->era &&
		    afsx_fid_eq(&is->fid, &t->fid))
			break;
	}
	return k;
}

/* A way for something new: one that was not used for a round. */
static unsigned int make_room(struct set *set)
{
	for (;;) {
		unsigned int k = set->next++ % WAYS;

		if (!set->way[k].used)
			return k;
		set->way[k].used = false;
	}
}

static bool get_block(struct warm *w, const struct tag *t, size_t skip,
		      void *buf, size_t len)
{
	u64 nr = set_of(w, t);
	struct set *set = &w->sets[nr];
	unsigned int k;

	MUTEX_GUARD(&w->lock[nr % LOCKS]);
	k = find(set, t);
	if (k == WAYS)
		return false;
	set->way[k].used = true;
	memcpy(buf, data_of(w, nr, k) + skip, len);
	return true;
}

static void put_block(struct warm *w, const struct tag *t, const void *buf,
		      size_t len)
{
	u64 nr = set_of(w, t);
	struct set *set = &w->sets[nr];
	unsigned int k;

	MUTEX_GUARD(&w->lock[nr % LOCKS]);
	if (find(set, t) < WAYS)
		return;
	k = make_room(set);
	set->way[k] = *t;
	set->way[k].used = true;
	memcpy(data_of(w, nr, k), buf, len);
}

bool warm_get(struct warm *w, const struct store_status *s, unsigned int era,
	      u64 off, void *buf, size_t len)
{
	bool found = era && len <= WARM_READ_MAX;
	size_t done = 0;

	while (found && done < len) {
		struct tag t = tag_of(s, era, (off + done) / BLK_SIZE);
		size_t skip = (off + done) % BLK_SIZE;
		size_t part = min(len - done, BLK_SIZE - skip);

		found = get_block(w, &t, skip, (u8 *)buf + done, part);
		done += part;
	}
	return found;
}

void warm_put(struct warm *w, const struct store_status *s, unsigned int era,
	      u64 off, const void *buf, size_t len)
{
	size_t done = -off % BLK_SIZE;

	if (!era || len > WARM_READ_MAX)
		return;
	while (done < len) {
		struct tag t = tag_of(s, era, (off + done) / BLK_SIZE);
		size_t part = min(len - done, (size_t)BLK_SIZE);

		if (part < BLK_SIZE && off + len < s->size)
			break;
		put_block(w, &t, (const u8 *)buf + done, part);
		done += part;
	}
}
