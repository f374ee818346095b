/* SPDX-License-Identifier: MIT */
/* What the commands of image-test share. */
#ifndef IMAGE_TEST_H
#define IMAGE_TEST_H

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "image.h"

#define SECTOR	512

/* End the program, as the thing that is tested did something wrong. */
#define MUST(cond, ...)								\
	do {									\
		if (!(cond))							\
			errx(1, __VA_ARGS__);					\
	} while (0)

/* One thread's random numbers (xorshift). */
struct rng {
	u64 state;
};

static inline u64 rng_next(struct rng *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state >> 11;
}

static inline u64 rng_below(struct rng *r, u64 n)
{
	return n ? rng_next(r) % n : 0;
}

static inline struct rng rng_seed(u64 seed)
{
	struct rng r = { (seed + 1) * 0x9e3779b97f4a7c15ull };

	rng_next(&r);
	return r;
}

/**
 * struct shown - an image as the command line asks for it
 * @options: how it is opened
 * @overlay: with a temporary overlay
 * @partition: number, or 0
 * @offset: bytes left out at the start
 */
struct shown {
	struct blk_options options;
	bool overlay;
	unsigned int partition;
	u64 offset;
};

/* Open it or end the program with what is wrong. */
struct blk *shown_open(const struct shown *shown, const char *path);

/* Map a file, which is made @size bytes long unless that is 0. */
void *map_file(const char *path, u64 *size);

/* The commands; their arguments are in image-test.c. */
void random_run(struct blk *blk, const char *model_path, u64 seed, u64 operations,
		unsigned int threads);
void journal_run(struct blk *blk, const char *path, u64 seed, u64 operations,
		 unsigned int threads);
int journal_verify(const char *path, const char *raw, const char *initial);

/**
 * struct journal_sector - what one sector may have after a crash
 * @started: version of the last change that was begun
 * @completed: of the last that ended
 * @durable: of the last that a flush covered
 * @zero: of the last change that was begun and made it zeroes
 */
struct journal_sector {
	u32 started;
	u32 completed;
	u32 durable;
	u32 zero;
};

#endif /* IMAGE_TEST_H */
