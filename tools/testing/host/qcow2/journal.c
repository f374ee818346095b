// SPDX-License-Identifier: MIT
/*
 * Operations on an image of which a journal, in shared memory that outlives the
 * process, knows what every sector may hold after a crash: any version from the
 * last one that was flushed to the last one that was begun.
 */
#include <pthread.h>
#include <unistd.h>

#include "image-test.h"

#define RUN	96	/* sectors of one operation, at most */

struct job {
	struct blk *blk;
	struct journal_sector *sectors;
	u64 nr_sectors;
	unsigned int nr;
	unsigned int threads;
	u64 operations;
	struct rng rng;
};

static void stamp(u8 *p, u64 sector, u32 version)
{
	u64 i, v = sector << 32 | version;

	for (i = 0; i < SECTOR / 8; i++)
		memcpy(p + 8 * i, &v, 8);
}

static int change(struct job *j, u64 first, u64 nr)
{
	bool zero = !rng_below(&j->rng, 4);
	u32 flags = rng_below(&j->rng, 4) ? BLK_MAY_TRIM : 0;
	u8 buf[RUN * SECTOR];
	u64 i;
	int ret;

	for (i = 0; i < nr; i++) {
		struct journal_sector *s = &j->sectors[first + i];

		if (zero)
			s->zero = s->started + 1;
		s->started++;
		stamp(buf + i * SECTOR, first + i, s->started);
	}
	ret = zero ? j->blk->ops->zero(j->blk, nr * SECTOR, first * SECTOR, flags) :
		     j->blk->ops->write(j->blk, buf, (u32)nr * SECTOR, first * SECTOR, 0);
	for (i = 0; i < nr; i++)
		__atomic_store_n(&j->sectors[first + i].completed,
				 j->sectors[first + i].started, __ATOMIC_RELEASE);
	return ret;
}

static int flush(struct job *j)
{
	u32 *seen = malloc(j->nr_sectors * sizeof(*seen));
	struct journal_sector *s;
	u64 i;
	int ret;

	for (i = 0; i < j->nr_sectors; i++)
		seen[i] = __atomic_load_n(&j->sectors[i].completed, __ATOMIC_ACQUIRE);
	ret = j->blk->ops->flush(j->blk);
	for (i = 0; i < j->nr_sectors && !ret; i++) {
		s = &j->sectors[i];
		/* another thread's flush may have known more */
		if (s->durable < seen[i])
			s->durable = seen[i];
	}
	free(seen);
	return ret;
}

static void *work(void *arg)
{
	struct job *j = arg;
	u64 part = j->nr_sectors / j->threads, start = part * j->nr, first, n, i;
	int ret = 0;

	for (i = 0; i < j->operations && !ret; i++) {
		first = rng_below(&j->rng, part);
		n = 1 + rng_below(&j->rng, min((u64)RUN, part - first));
		ret = rng_below(&j->rng, 12) ? change(j, start + first, n) : flush(j);
	}
	MUST(!ret, "%s", strerror(-ret));
	return NULL;
}

void journal_run(struct blk *blk, const char *path, u64 seed, u64 operations,
		 unsigned int threads)
{
	u64 nr = blk->size / SECTOR, size = nr * sizeof(struct journal_sector);
	struct journal_sector *sectors = map_file(path, &size);
	struct job *jobs = calloc(threads, sizeof(*jobs));
	pthread_t *ids = calloc(threads, sizeof(*ids));
	unsigned int i;

	for (i = 0; i < threads; i++) {
		jobs[i] = (struct job) { blk, sectors, nr, i, threads, operations / threads,
					 rng_seed(seed * 64 + i) };
		pthread_create(&ids[i], NULL, work, &jobs[i]);
	}
	for (i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	free(jobs);
	free(ids);
}

static bool may_hold(const struct journal_sector *s, const u8 *is, const u8 *was, u64 sector)
{
	static const u8 zeroes[SECTOR];
	u8 wanted[SECTOR];
	u64 v;

	if (!s->durable && !memcmp(is, was, SECTOR))
		return true;
	if (!memcmp(is, zeroes, SECTOR))
		return s->zero && s->zero >= s->durable;
	memcpy(&v, is, 8);
	stamp(wanted, sector, (u32)v);
	return !memcmp(is, wanted, SECTOR) && (u32)v >= s->durable && (u32)v <= s->started;
}

int journal_verify(const char *path, const char *raw, const char *initial)
{
	u64 size = 0, raw_size = 0, initial_size = 0, i, bad = 0, durable = 0;
	struct journal_sector *s = map_file(path, &size);
	u8 *is = map_file(raw, &raw_size), *was = map_file(initial, &initial_size);

	size /= sizeof(*s);
	MUST(raw_size / SECTOR == size && initial_size == raw_size, "sizes differ");
	for (i = 0; i < size; i++) {
		durable += s[i].durable != 0;
		if (may_hold(&s[i], is + i * SECTOR, was + i * SECTOR, i))
			continue;
		if (!bad++)
			warnx("sector %llu: durable %u, started %u, zero %u", i, s[i].durable,
			      s[i].started, s[i].zero);
	}
	printf("%llu sectors, %llu durable changes, %llu lost\n", (unsigned long long)size,
	       (unsigned long long)durable, (unsigned long long)bad);
	return bad ? 1 : 0;
}
