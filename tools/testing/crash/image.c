// SPDX-License-Identifier: MIT
#include "image.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

#define GARBAGE		0xd6	/* a trimmed block holds anything */
#define SECTORS		(RAM_BLOCK / RAM_SECTOR)

static u8 *map(const struct image *im, int flags)
{
	void *p = mmap(NULL, im->size, PROT_READ | PROT_WRITE, flags, im->fd,
		       0);

	if (p == MAP_FAILED)
		die("out of memory for an image");
	return p;
}

void image_init(struct image *im, const u8 *from, u64 size)
{
	memset(im, 0, sizeof(*im));
	im->size = size;
	im->fd = memfd_create("image", MFD_CLOEXEC);
	if (im->fd < 0 || ftruncate(im->fd, (off_t)size))
		die("no memory file");
	im->mem = map(im, MAP_SHARED);
	im->stamp = calloc(size / RAM_BLOCK, sizeof(*im->stamp));
	if (!im->stamp)
		die("out of memory for an image");
	/* most of it is zeros, as a new memory file is */
	for (u64 at = 0; at < size; at += RAM_BLOCK)
		if (from[at] || memcmp(from + at, from + at + 1, RAM_BLOCK - 1))
			memcpy(im->mem + at, from + at, RAM_BLOCK);
}

void image_reset(struct image *im, const u8 *from)
{
	free(im->applied);
	im->applied = NULL;
	memset(im->stamp, 0, im->size / RAM_BLOCK * sizeof(*im->stamp));
	if (from != im->mem)
		memcpy(im->mem, from, im->size);
}

void image_free(struct image *im)
{
	munmap(im->mem, im->size);
	close(im->fd);
	free(im->stamp);
	free(im->applied);
}

u8 *image_view(const struct image *im)
{
	return map(im, MAP_PRIVATE);
}

void image_unview(const struct image *im, u8 *view)
{
	munmap(view, im->size);
}

/* Everything answered before this moment was flushed before @when. */
static u64 flushed_until(const struct image *im, const struct ramdev *d,
			 u64 when)
{
	u64 until = 0;

	for (u32 i = 0; !im->lies.flush && i < d->nr; i++)
		if (d->req[i]->op == RAM_FLUSH && d->req[i]->answered < when)
			until = max(until, d->req[i]->sent);
	return until;
}

static void put_sector(u8 *mem, const struct ram_req *r, u64 at)
{
	u8 *to = mem + r->off + at;

	if (r->op == RAM_WRITE)
		memcpy(to, r->data + at, RAM_SECTOR);
	else
		memset(to, r->op == RAM_TRIM ? GARBAGE : 0, RAM_SECTOR);
}

static bool in_part(u64 sector, u64 first, u64 end, bool inverse)
{
	return (sector >= first && sector < end) != inverse;
}

/* Sectors [@first, @end) of a request, or the others. */
static void put_part(const struct image *im, u8 *mem, const struct ramdev *d,
		     u32 i, u64 first, u64 end, bool inverse)
{
	const struct ram_req *r = d->req[i];

	for (u64 at = 0; at < r->len; at += RAM_SECTOR)
		if (im->stamp[(r->off + at) / RAM_BLOCK] <= i &&
		    in_part(at / RAM_SECTOR, first, end, inverse))
			put_sector(mem, r, at);
}

void image_advance(struct image *im, const struct ramdev *d, u64 when)
{
	u64 until = flushed_until(im, d, when);

	if (!im->applied)
		im->applied = calloc(d->nr + 1, sizeof(*im->applied));
	if (!im->applied)
		die("out of memory for an image");
	for (u32 i = 0; i < d->nr; i++) {
		const struct ram_req *r = d->req[i];
		bool fua = r->fua && !im->lies.fua && r->answered < when;

		if (im->applied[i] || r->op == RAM_FLUSH ||
		    (!fua && r->answered >= until))
			continue;
		put_part(im, im->mem, d, i, 0, RAM_NEVER, false);
		for (u64 b = r->off / RAM_BLOCK;
		     b < (r->off + r->len) / RAM_BLOCK; b++)
			im->stamp[b] = max(im->stamp[b], i + 1);
		im->applied[i] = true;
	}
}

static void lose_one(const struct image *im, const struct ramdev *d, u32 i,
		     enum loss way, u64 *rng, u8 *view)
{
	u64 sectors = d->req[i]->len / RAM_SECTOR;
	u64 first = 0, end = RAM_NEVER;
	bool inverse = false;

	if (way == LOSE_ALL || (way == LOSE_SOME && rng_below(rng, 2)))
		return;
	if (way == LOSE_TORN) {
		first = rng_below(rng, (u32)sectors);
		end = first + 1 + rng_below(rng, (u32)(sectors - first));
		inverse = rng_below(rng, 2);
	}
	put_part(im, view, d, i, first, end, inverse);
}

void image_lose(const struct image *im, const struct ramdev *d, u64 when,
		enum loss way, u64 *rng, u8 *view)
{
	u32 pending = 0, late, seen = 0;

	for (u32 i = 0; i < d->nr; i++)
		pending += d->req[i]->op != RAM_FLUSH && !im->applied[i] &&
			   d->req[i]->sent < when;
	late = way == LOSE_LATE && pending ? rng_below(rng, pending) : 0;
	for (u32 i = 0; i < d->nr; i++) {
		if (d->req[i]->op == RAM_FLUSH || im->applied[i] ||
		    d->req[i]->sent >= when)
			continue;
		if (seen++ >= late)
			lose_one(im, d, i, way, rng, view);
	}
}
