// SPDX-License-Identifier: MIT
/*
 * store-redo: records of changes. Their bytes are what the format says; of those on the
 * device exactly the ones are taken that a crash can have left whole; and a store shows all
 * that was acknowledged, and nothing else, after a crash, after a failed write of its log,
 * opened for reading only, and when an older version made it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "die.h"
#include "log.h"
#include "memdev.h"
#include "redo_test.h"
#include "sb.h"
#include "store_priv.h"
#include "wrap.h"

struct store *st;
unsigned int checks;
struct fault fault;
void (*on_write)(u64 off);
s64 present = 1000000;

static u64 device;

/* ---- the device ----------------------------------------------------------------- */

time_t __wrap_time(time_t *t)
{
	if (t)
		*t = present;
	return present;
}

static bool in_log(u64 off)
{
	const struct sb_region *log = &st->sb.region[0];
	u64 nr = off / BLK_SIZE;

	return !fault.log || (nr >= log->start && nr - log->start < log->nr);
}

/* Leases are of no interest. */
static bool may_write(u64 off)
{
	if (off == SB_LEASE_BLOCK * BLK_SIZE)
		return true;
	if (on_write)
		on_write(off);
	if (!fault.armed || !in_log(off))
		return true;
	if (fault.left) {
		fault.left--;
		return true;
	}
	return false;
}

/* The first write that fails may leave something. */
static int fail_write(u64 off, const void *buf, size_t len)
{
	u32 nr = min(fault.sectors, (u32)(len / SECTOR));

	if (!fault.hit && nr && buf)
		for (u32 i = 0; i < nr; i++) {
			u64 at = off + i * SECTOR;

			memcpy(memdev_touch(at / BLK_SIZE) + at % BLK_SIZE,
			       (const u8 *)buf + i * SECTOR, SECTOR);
		}
	fault.hit = true;
	return -EIO;
}

int __wrap_blkdev_write(struct blkdev *dev, u64 off, const void *buf, size_t len)
{
	return may_write(off) ? __real_blkdev_write(dev, off, buf, len) :
				fail_write(off, buf, len);
}

int __wrap_blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf,
			    size_t len)
{
	return may_write(off) ? __real_blkdev_write_fua(dev, off, buf, len) :
				fail_write(off, buf, len);
}

void __wrap_blkdev_write_async(struct blkdev *dev, struct blkdev_batch *batch,
			       u64 off, const void *buf, size_t len)
{
	if (may_write(off))
		__real_blkdev_write_async(dev, batch, off, buf, len);
	else
		batch->err = fail_write(off, buf, len);
}

void __wrap_blkdev_write_fua_async(struct blkdev *dev,
				   struct blkdev_batch *batch, u64 off,
				   const void *buf, size_t len)
{
	if (may_write(off))
		__real_blkdev_write_fua_async(dev, batch, off, buf, len);
	else
		batch->err = fail_write(off, buf, len);
}

int __wrap_blkdev_zero(struct blkdev *dev, u64 off, u64 len)
{
	return may_write(off) ? __real_blkdev_zero(dev, off, len) :
				fail_write(off, NULL, len);
}

void fault_after(u64 writes, u32 sectors)
{
	fault = (struct fault){ .armed = true, .left = writes,
				.sectors = sectors };
}

void fault_of_log(u64 writes, u32 sectors)
{
	fault_after(writes, sectors);
	fault.log = true;
}

bool fault_clear(void)
{
	bool hit = fault.hit;

	fault = (struct fault){ .armed = false };
	return hit;
}

u8 *image_take(void)
{
	u8 *image = malloc(device);

	if (!image)
		die("out of memory");
	memcpy(image, memdev_block(0), device);
	return image;
}

void image_put(const u8 *image)
{
	memcpy(memdev_touch(0), image, device);
}

bool image_is(const u8 *image)
{
	return !memcmp(memdev_block(0), image, device);
}

/* ---- the store ------------------------------------------------------------------ */

void expect(const char *what, s64 is, s64 should)
{
	if (is != should)
		die("%s: %jd, not %jd", what, (intmax_t)is, (intmax_t)should);
	checks++;
}

int try_open(unsigned int flags)
{
	struct store_config cfg = { .uri = "memory", .readers = 2,
		.cache_mib = 16, .flags = STORE_TAKEOVER | flags };
	struct errbuf err = { "" };

	return store_open(&cfg, &st, &err);
}

void open_store(unsigned int flags)
{
	must(try_open(flags), "open");
}

void close_store(void)
{
	must(store_close(st), "close");
}

void crash(void)
{
	memdev_save();
	store_close(st);
	memdev_restore();
}

void format_store(u64 bytes, unsigned int wal_mib)
{
	struct store_format_opts format = { .uri = "memory",
					    .wal_mib = wal_mib };
	struct errbuf err = { "" };

	device = bytes;
	memdev_create(bytes);
	if (store_format(&format, &err))
		die("format: %s", err.text);
	open_store(0);
}

int main(void)
{
	log_setup("store-redo", LOG_ERROR);
	test_rows();
	test_parts();
	test_load();
	test_crash();
	test_failure();
	test_unsettled();
	test_old();
	printf("%u results as expected\n", checks);
	return 0;
}
