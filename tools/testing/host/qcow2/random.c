// SPDX-License-Identifier: MIT
/*
 * Random operations on an image and on a model of it, a plain file in memory. In
 * the first quarter of the disk threads own small blocks in turn, so that they meet
 * in clusters; in the rest each owns a stretch.
 */
#include <pthread.h>

#include "image-test.h"

#define SMALL		2560u		/* no cluster is a multiple of that */
#define LARGE		(400u << 10)

struct worker {
	struct blk *blk;
	u8 *model;
	struct rng rng;
	unsigned int nr;
	unsigned int threads;
	u64 operations;
	u8 *buf;
};

/* Choose bytes that belong to a worker. */
static void choose(struct worker *w, u64 *offset, u64 *len)
{
	u64 size = w->blk->size, shared = size / 4, part, start, blocks;

	blocks = shared / SMALL / w->threads;
	if (blocks && rng_below(&w->rng, 2)) {
		start = (rng_below(&w->rng, blocks) * w->threads + w->nr) * SMALL;
		*offset = start + rng_below(&w->rng, SMALL);
		*len = 1 + rng_below(&w->rng, start + SMALL - *offset);
		return;
	}
	part = (size - shared) / w->threads;
	start = shared + w->nr * part;
	*offset = start + rng_below(&w->rng, part);
	if (rng_below(&w->rng, 2))
		*offset = max(start, ROUND_DOWN(*offset, 4096ull));
	*len = 1 + rng_below(&w->rng, min((u64)LARGE, start + part - *offset));
	/* ends of the disk, and of clusters */
	if (w->nr == w->threads - 1 && !rng_below(&w->rng, 8))
		*len = min((u64)LARGE, size - *offset);
	else if (*offset % 4096 == 0 && *len > 4096 && rng_below(&w->rng, 2))
		*len = ROUND_DOWN(*len, 4096ull);
}

static void fill(struct worker *w, u64 len)
{
	u64 i, v = rng_next(&w->rng);

	for (i = 0; i < len; i++) {
		w->buf[i] = (u8)(v >> (i % 7 * 8)) ^ (u8)i;
		if (i % 509 == 0)
			v = rng_next(&w->rng);
	}
}

static u32 maybe_fua(struct worker *w)
{
	return rng_below(&w->rng, 100) ? 0 : BLK_FUA;
}

static int do_write(struct worker *w, u64 len, u64 offset)
{
	int ret = -EAGAIN;

	fill(w, len);
	memcpy(w->model + offset, w->buf, len);
	if (rng_below(&w->rng, 2))
		ret = w->blk->ops->write(w->blk, w->buf, (u32)len, offset, BLK_NOWAIT);
	if (ret == -EAGAIN)
		ret = w->blk->ops->write(w->blk, w->buf, (u32)len, offset, maybe_fua(w));
	return ret;
}

static int do_read(struct worker *w, u64 len, u64 offset)
{
	int ret = -EAGAIN;

	if (rng_below(&w->rng, 2))
		ret = w->blk->ops->read(w->blk, w->buf, (u32)len, offset, BLK_NOWAIT);
	if (ret == -EAGAIN)
		ret = w->blk->ops->read(w->blk, w->buf, (u32)len, offset, 0);
	MUST(ret || !memcmp(w->buf, w->model + offset, len),
	     "%llu bytes at %llu are not what was written", len, offset);
	return ret;
}

static int do_zero(struct worker *w, u64 len, u64 offset)
{
	u32 flags = rng_below(&w->rng, 2) ? BLK_MAY_TRIM : 0;
	int ret = -ENOTSUP;

	memset(w->model + offset, 0, len);
	if (!rng_below(&w->rng, 4))
		ret = w->blk->ops->zero(w->blk, len, offset, flags | BLK_FAST);
	if (ret == -ENOTSUP)
		ret = w->blk->ops->zero(w->blk, len, offset, flags | maybe_fua(w));
	return ret;
}

/* What is read after trimming is anything, but always the same. */
static int do_trim(struct worker *w, u64 len, u64 offset)
{
	int ret = w->blk->ops->trim(w->blk, len, offset, maybe_fua(w));

	return ret ?: w->blk->ops->read(w->blk, w->model + offset, (u32)len, offset, 0);
}

static int do_extents(struct worker *w, u64 len, u64 offset)
{
	struct blk_extent e[3];
	int i, nr = w->blk->ops->extents(w->blk, len, offset, e, ARRAY_SIZE(e));
	u64 at = offset, k;

	for (i = 0; i < nr; i++) {
		for (k = 0; e[i].zero && k < e[i].length && at + k < offset + len; k++)
			MUST(!w->model[at + k], "byte %llu is no zero", at + k);
		at += e[i].length;
	}
	return nr > 0 ? 0 : nr;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	u64 i, offset, len;
	unsigned int what;
	int ret;

	for (i = 0; i < w->operations; i++) {
		choose(w, &offset, &len);
		what = (unsigned int)rng_below(&w->rng, 100);
		if (what < 45)
			ret = do_write(w, len, offset);
		else if (what < 70)
			ret = do_read(w, len, offset);
		else if (what < 82)
			ret = do_zero(w, len, offset);
		else if (what < 92)
			ret = do_trim(w, len, offset);
		else if (what < 98)
			ret = do_extents(w, len, offset);
		else
			ret = w->blk->ops->flush(w->blk);
		MUST(!ret, "operation %u on %llu bytes at %llu: %s", what, len, offset,
		     strerror(-ret));
	}
	return NULL;
}

void random_run(struct blk *blk, const char *model_path, u64 seed, u64 operations,
		unsigned int threads)
{
	u64 size = 0;
	u8 *model = map_file(model_path, &size);
	struct worker *workers = calloc(threads, sizeof(*workers));
	pthread_t *ids = calloc(threads, sizeof(*ids));
	unsigned int i;
	int ret;

	MUST(size == blk->size, "the model has %llu bytes, the image %llu", size, blk->size);
	for (i = 0; i < threads; i++) {
		workers[i] = (struct worker) {
			.blk = blk, .model = model, .rng = rng_seed(seed * 64 + i), .nr = i,
			.threads = threads, .operations = operations / threads,
			.buf = malloc(LARGE),
		};
		pthread_create(&ids[i], NULL, work, &workers[i]);
	}
	for (i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		free(workers[i].buf);
	}
	free(workers);
	free(ids);
	ret = blk->ops->flush(blk);
	MUST(!ret, "flush: %s", strerror(-ret));
}
