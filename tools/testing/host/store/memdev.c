// SPDX-License-Identifier: MIT
#include "memdev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cleanup.h"

#define TRIMMED	0xdb	/* what a trimmed block reads as: nobody may care */

struct blkdev {
	int failed;
	u64 blocks;	/* that were there when it was opened, or grew */
	bool beside;
};

/* A block before it changed. */
struct undo {
	u64 nr;
	u8 data[BLK_SIZE];
};

static struct {
	pthread_mutex_t lock;
	u8 *data;
	u64 size;
	bool saving;
	u8 *saved;		/* per block: its contents are in @undo */
	struct undo *undo;
	size_t nr_undo;
	size_t max_undo;
	struct memdev_counts counts;
	enum memdev_beside how;
	unsigned int number;	/* of the device's own connection */
	bool await;
	pthread_cond_t came;	/* what is awaited */
} mem = { .lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER };

static void *reserve(u64 bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

void memdev_create(u64 bytes)
{
	if (mem.data) {
		munmap(mem.data, mem.size);
		munmap(mem.saved, mem.size >> BLK_SHIFT);
	}
	mem.data = reserve(bytes);
	mem.saved = reserve(bytes >> BLK_SHIFT);
	mem.size = bytes;
	mem.nr_undo = 0;
	mem.saving = false;
	memset(&mem.counts, 0, sizeof(mem.counts));
}

void memdev_resize(u64 bytes)
{
	MUTEX_GUARD(&mem.lock);

	mem.data = mremap(mem.data, mem.size, bytes, MREMAP_MAYMOVE);
	mem.saved = mremap(mem.saved, mem.size >> BLK_SHIFT,
			   bytes >> BLK_SHIFT, MREMAP_MAYMOVE);
	if (mem.data == MAP_FAILED || mem.saved == MAP_FAILED)
		abort();
	mem.size = bytes;
}

const u8 *memdev_block(u64 nr)
{
	return mem.data + (nr << BLK_SHIFT);
}

static void remember(u64 nr)
{
	if (!mem.saving || mem.saved[nr])
		return;
	if (mem.nr_undo == mem.max_undo) {
		mem.max_undo = mem.max_undo ? 2 * mem.max_undo : 1024;
		mem.undo = realloc(mem.undo, mem.max_undo * sizeof(*mem.undo));
		if (!mem.undo)
			abort();
	}
	mem.undo[mem.nr_undo].nr = nr;
	memcpy(mem.undo[mem.nr_undo++].data, memdev_block(nr), BLK_SIZE);
	mem.saved[nr] = 1;
}

u8 *memdev_touch(u64 nr)
{
	remember(nr);
	return mem.data + (nr << BLK_SHIFT);
}

void memdev_save(void)
{
	MUTEX_GUARD(&mem.lock);

	mem.saving = true;
	mem.nr_undo = 0;
}

void memdev_restore(void)
{
	MUTEX_GUARD(&mem.lock);

	for (size_t i = 0; i < mem.nr_undo; i++) {
		const struct undo *u = &mem.undo[i];

		memcpy(mem.data + (u->nr << BLK_SHIFT), u->data, BLK_SIZE);
		mem.saved[u->nr] = 0;
	}
	mem.nr_undo = 0;
	mem.saving = false;
}

struct memdev_counts memdev_counts(void)
{
	MUTEX_GUARD(&mem.lock);

	return mem.counts;
}

void memdev_share(enum memdev_beside how, bool await)
{
	MUTEX_GUARD(&mem.lock);

	mem.how = how;
	mem.await = await;
	mem.number++;
}

static void come(void)
{
	mem.await = false;
	pthread_cond_broadcast(&mem.came);
}

/* ---- blkdev.h --------------------------------------------------------------- */

int blkdev_open(const struct blkdev_opts *o, struct blkdev **dev,
		struct errbuf *err)
{
	*dev = calloc(1, sizeof(**dev));
	if (!*dev)
		return err_set(err, -ENOMEM, "out of memory");
	(*dev)->blocks = mem.size >> BLK_SHIFT;
	return 0;
}

unsigned int blkdev_shared(struct blkdev *dev)
{
	MUTEX_GUARD(&mem.lock);

	return mem.how == MEMDEV_ALONE || dev->failed ? 0 : mem.number;
}

int blkdev_open_beside(struct blkdev *main, struct blkdev **dev,
		       struct errbuf *err)
{
	MUTEX_GUARD(&mem.lock);

	mem.counts.opened++;
	if (mem.how == MEMDEV_REFUSED) {
		come();
		return err_set(err, -ECONNREFUSED, "one connection is enough");
	}
	*dev = calloc(1, sizeof(**dev));
	if (!*dev)
		return err_set(err, -ENOMEM, "out of memory");
	(*dev)->beside = true;
	mem.counts.open++;
	return 0;
}

void blkdev_close(struct blkdev *dev)
{
	MUTEX_GUARD(&mem.lock);

	mem.counts.open -= dev && dev->beside;
	free(dev);
}

u64 blkdev_blocks(const struct blkdev *dev)
{
	MUTEX_GUARD(&mem.lock);

	return dev->blocks;
}

int blkdev_grow(struct blkdev *dev, struct errbuf *err)
{
	MUTEX_GUARD(&mem.lock);

	if (mem.size >> BLK_SHIFT < dev->blocks)
		return err_set(err, -EMEDIUMTYPE, "smaller");
	dev->blocks = mem.size >> BLK_SHIFT;
	return 0;
}

u64 blkdev_preferred(const struct blkdev *dev)
{
	return 0;
}

int blkdev_failed(struct blkdev *dev)
{
	MUTEX_GUARD(&mem.lock);

	return dev->failed;
}

void blkdev_fail(struct blkdev *dev, int err)
{
	MUTEX_GUARD(&mem.lock);

	if (!dev->failed)
		dev->failed = err;
}

static bool outside(u64 off, u64 len)
{
	return off > mem.size || len > mem.size - off;
}

/* With the lock held; what is there has been read. */
static int read_beside(u8 *buf, size_t len)
{
	int ret = mem.how == MEMDEV_BROKEN ? -EIO : 0;

	mem.counts.beside++;
	if (mem.how == MEMDEV_STALE || ret)
		memset(buf, TRIMMED, len);
	if (mem.how == MEMDEV_ONCE)
		mem.how = MEMDEV_ALONE;
	come();
	return ret;
}

int blkdev_read(struct blkdev *dev, u64 off, void *buf, size_t len)
{
	MUTEX_GUARD(&mem.lock);

	if (outside(off, len))
		return -EINVAL;
	while (!dev->beside && mem.await && len == MEMDEV_LONG)
		pthread_cond_wait(&mem.came, &mem.lock);
	memcpy(buf, mem.data + off, len);
	if (dev->beside)
		return read_beside(buf, len);
	mem.counts.reads += len >> BLK_SHIFT;
	return 0;
}

/* Change whole blocks: to those of @buf, or to @fill. */
static int change(struct blkdev *dev, u64 off, const u8 *buf, int fill, u64 len)
{
	MUTEX_GUARD(&mem.lock);

	if (dev->failed)
		return dev->failed;
	if (outside(off, len))
		return -ENOSPC;
	for (u64 at = 0; at < len; at += BLK_SIZE) {
		u8 *block = memdev_touch((off + at) >> BLK_SHIFT);

		if (buf)
			memcpy(block, buf + at, BLK_SIZE);
		else
			memset(block, fill, BLK_SIZE);
	}
	return 0;
}

int blkdev_write(struct blkdev *dev, u64 off, const void *buf, size_t len)
{
	return change(dev, off, buf, 0, len);
}

int blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf, size_t len)
{
	if (len > BLK_SIZE) {
		MUTEX_GUARD(&mem.lock);
		mem.counts.fua = off >> BLK_SHIFT;
		mem.counts.nr_fua = len >> BLK_SHIFT;
	}
	return change(dev, off, buf, 0, len);
}

int blkdev_read_first(struct blkdev *dev, u64 off, void *buf, size_t len)
{
	return blkdev_read(dev, off, buf, len);
}

int blkdev_write_first(struct blkdev *dev, u64 off, const void *buf, size_t len,
		       s64 until)
{
	return blkdev_write(dev, off, buf, len);
}

void blkdev_trust(struct blkdev *dev, s64 until)
{
}

/* It is never away. */
int blkdev_read_away(struct blkdev *dev, u64 off, void *buf, size_t len)
{
	return blkdev_read(dev, off, buf, len);
}

int blkdev_write_away(struct blkdev *dev, u64 off, const void *buf, size_t len,
		      s64 until)
{
	return blkdev_write(dev, off, buf, len);
}

int blkdev_flush(struct blkdev *dev)
{
	MUTEX_GUARD(&mem.lock);

	mem.counts.flushes++;
	return dev->failed;
}

void blkdev_stats(struct blkdev *dev, struct blkdev_stats *stats)
{
	MUTEX_GUARD(&mem.lock);

	*stats = (struct blkdev_stats){
		.flushes = mem.counts.flushes,
		.others = mem.counts.trims,
		.read_bytes = mem.counts.reads << BLK_SHIFT,
	};
}

int blkdev_zero(struct blkdev *dev, u64 off, u64 len)
{
	return change(dev, off, NULL, 0, len);
}

static void note(struct blkdev_batch *batch, int err)
{
	if (err && !batch->err)
		batch->err = err;
}

void blkdev_trim(struct blkdev *dev, struct blkdev_batch *batch, u64 off,
		 u64 len)
{
	change(dev, off, NULL, TRIMMED, len);
	MUTEX_GUARD(&mem.lock);
	mem.counts.trims++;
	mem.counts.trimmed += len >> BLK_SHIFT;
}

void blkdev_read_async(struct blkdev *dev, struct blkdev_batch *batch, u64 off,
		       void *buf, size_t len)
{
	note(batch, blkdev_read(dev, off, buf, len));
}

void blkdev_write_async(struct blkdev *dev, struct blkdev_batch *batch, u64 off,
			const void *buf, size_t len)
{
	note(batch, blkdev_write(dev, off, buf, len));
}

bool blkdev_has_fua(const struct blkdev *dev)
{
	return true;
}

void blkdev_write_fua_async(struct blkdev *dev, struct blkdev_batch *batch,
			    u64 off, const void *buf, size_t len)
{
	note(batch, blkdev_write(dev, off, buf, len));
}

int blkdev_wait(struct blkdev *dev, struct blkdev_batch *batch)
{
	int err = batch->err;

	batch->err = 0;
	return err;
}
