/* SPDX-License-Identifier: MIT */
/*
 * What a device may hold after the power failed at some moment.
 *
 * Durable is what was answered with FUA, and what was answered before a FLUSH
 * was sent that was answered itself.  Of the rest of what was sent, any sector
 * may be there or not; of two such writes to one sector the later one wins if
 * it is there.
 */
#ifndef AFSX_IMAGE_H
#define AFSX_IMAGE_H

#include "ramnbd.h"

/* What happens to that rest. */
enum loss {
	LOSE_ALL,
	LOSE_NONE,
	LOSE_SOME,	/* requests, at random */
	LOSE_LATE,	/* the later ones stay, the earlier are lost */
	LOSE_TORN,	/* of each request, a part of its sectors */
	LOSE_WAYS
};

/* Devices that lie, so that the test can be seen to notice. */
struct lies {
	bool fua;	/* FUA writes are cached like others */
	bool flush;	/* FLUSH does nothing */
};

/**
 * struct image - the durable state at a moment that only moves forward
 * @size: bytes
 * @fd: memory file with the state
 * @mem: the file
 * @stamp: for each block: one more than the last request that wrote to it
 * @applied: for each request: it is in @mem
 * @lies: of the device
 */
struct image {
	u64 size;
	int fd;
	u8 *mem;
	u32 *stamp;
	bool *applied;
	struct lies lies;
};

/** image_init() - begin with @size bytes at @from */
void image_init(struct image *im, const u8 *from, u64 size);

/** image_reset() - the same, with what @im has already */
void image_reset(struct image *im, const u8 *from);

/** image_free() - release everything */
void image_free(struct image *im);

/** image_advance() - let time pass until @when on the recorded device */
void image_advance(struct image *im, const struct ramdev *d, u64 when);

/**
 * image_view() - a private copy of the durable state, to be changed freely
 * @im: state
 *
 * It must be given back with image_unview() before @im changes.
 */
u8 *image_view(const struct image *im);

/** image_unview() - give it back */
void image_unview(const struct image *im, u8 *view);

/**
 * image_lose() - let the power fail
 * @im: state at @when
 * @d: recorded device
 * @when: moment of the failure
 * @way: what happens to what is not durable
 * @rng: for what is random
 * @view: of image_view(); becomes what the device holds then
 */
void image_lose(const struct image *im, const struct ramdev *d, u64 when,
		enum loss way, u64 *rng, u8 *view);

#endif /* AFSX_IMAGE_H */
