// SPDX-License-Identifier: MIT
/*
 * store-grow: the device becomes larger between two openings.  The store then has
 * all of it, and not a block more or less; and whatever a crash leaves of the writes
 * that make it so, in whole sectors, opens, with all that was in it.
 * grow_open.c has what the device does while the store is open, grow_lost.c what may
 * happen before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "grow.h"
#include "log.h"
#include "memdev.h"
#include "sound.h"
#include "store_priv.h"
#include "wrap.h"

#define CONTENTS	(5 * MIB)

struct store *st;
struct afsx_fid root = { 0, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
static struct afsx_fid file;
static u8 data[CONTENTS];
static u64 written[16];		/* blocks, in the order of writes with FUA */
static u32 nr_written;

int __wrap_blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf,
			    size_t len)
{
	int ret = watch_begin(off, len);

	/* the lease is not of interest */
	if (len == BLK_SIZE && off != SB_LEASE_BLOCK * BLK_SIZE &&
	    nr_written < ARRAY_SIZE(written))
		written[nr_written++] = off / BLK_SIZE;
	if (!ret)
		ret = __real_blkdev_write_fua(dev, off, buf, len);
	watch_end(off, len);
	return ret;
}

int try_open(unsigned int flags)
{
	struct store_config cfg = { .uri = "memory", .cache_mib = 16,
				    .flags = STORE_TAKEOVER | flags };
	struct errbuf err = { "" };
	int ret = store_open(&cfg, &st, &err);

	if (ret)
		puts(err.text);
	return ret;
}

void make_store(u64 bytes)
{
	struct store_format_opts format = { .uri = "memory" };
	struct errbuf err = { "" };
	struct store_tx *tx;

	memdev_create(bytes);
	if (store_format(&format, &err))
		die("format: %s", err.text);
	must(try_open(0), "open");
	must(store_begin(st, &tx), "begin");
	must(store_vol_create(tx, "v", 0, &root.vid), "volume");
	must(store_create(tx, &root, "f", 1, AFSX_FTYPE_FILE, NULL, NULL, &file),
	     "create");
	for (size_t i = 0; i < CONTENTS; i++)
		data[i] = (u8)(i * 31 + i / 4096);
	must(store_write(tx, &file, 0, data, CONTENTS), "write");
	must(store_commit(tx), "commit");
}

void expect_contents(const char *when, u64 bytes)
{
	static u8 got[CONTENTS + 1];
	struct store_info info;

	if (store_read(st, &file, 0, got, sizeof(got), NULL) != CONTENTS ||
	    memcmp(got, data, CONTENTS))
		die("%s: other contents", when);
	must(store_info(st, &info), "info");
	if (info.device_kib != bytes / 1024)
		die("%s: %ju KiB, should be %ju", when,
		    (uintmax_t)info.device_kib, (uintmax_t)bytes / 1024);
}

void expect_whole(const char *when, u64 bytes)
{
	expect_contents(when, bytes);
	if (check_store(st))
		die("%s: the check finds problems", when);
}

/* Every block that was added is free, and may be written to. */
static void test_space(u64 from, u64 to)
{
	u64 before, now;

	make_store(from);
	before = alloc_count_free(st->alloc);
	must(store_close(st), "close");
	memdev_resize(to);
	nr_written = 0;
	must(try_open(0), "open the larger one");
	if (nr_written < 2 || written[0] != to / BLK_SIZE - 1 || written[1])
		die("the new last block is not written before the first");
	now = alloc_count_free(st->alloc);
	if (now - before != (to - from) / BLK_SIZE)
		die("%ju blocks more, should be %ju", (uintmax_t)(now - before),
		    (uintmax_t)(to - from) / BLK_SIZE);
	expect_whole("larger", to);
	must(store_close(st), "close");
	must(try_open(0), "open again");
	expect_whole("opened again", to);
	must(store_close(st), "close");
}

/* ---- crashes ------------------------------------------------------------------------ */

/* What growing writes to, in that order: each is durable before the next is sent. */
static struct {
	u64 nr;
	u8 old[BLK_SIZE];
	u8 now[BLK_SIZE];
} change[4];

void cut_begin(u64 from, u64 to)
{
	const u64 order[] = { to / BLK_SIZE - 1, 0, SB_LEASE_BLOCK,
			      from / BLK_SIZE - 1 };

	static_assert(ARRAY_SIZE(change) * SECTORS == CUT_SECTORS, "all of them");
	for (size_t i = 0; i < ARRAY_SIZE(change); i++) {
		change[i].nr = order[i];
		memcpy(change[i].old, memdev_block(order[i]), BLK_SIZE);
	}
}

void cut_end(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(change); i++)
		memcpy(change[i].now, memdev_block(change[i].nr), BLK_SIZE);
}

void cut_off(u32 sectors, bool last)
{
	for (size_t i = 0; i < ARRAY_SIZE(change); i++) {
		u8 *block = memdev_touch(change[i].nr);
		u32 nr = min(sectors, SECTORS);
		u32 from = last ? SECTORS - nr : 0;

		memcpy(block, change[i].old, BLK_SIZE);
		memcpy(block + from * SECTOR, change[i].now + from * SECTOR,
		       nr * SECTOR);
		sectors -= nr;
	}
}

/* It may have become larger again, by the time it is opened. */
static void test_crashes(u64 from, u64 to, u64 later)
{
	u32 states = 0;
	char when[64];

	for (u32 n = 0; n <= CUT_SECTORS; n++) {
		for (u32 way = 0; way < 2; way++) {
			make_store(from);
			must(store_close(st), "close");
			memdev_resize(to);
			cut_begin(from, to);
			must(try_open(0), "open");
			cut_end();
			must(store_close(st), "close");
			memdev_resize(later);
			cut_off(n, way);
			snprintf(when, sizeof(when), "%u sectors written", n);
			must(try_open(0), when);
			expect_whole(when, later);
			must(store_close(st), "close");
			states++;
		}
	}
	printf("%u states after a crash\n", states);
}

int main(int argc, char **argv)
{
	log_setup("store-grow", LOG_ERROR);
	test_busy();
	if (argc > 1)		/* that is where threads can disturb each other */
		return 0;
	test_space(16 * MIB, 16 * MIB + BLK_SIZE);
	test_space(32 * MIB, 100 * MIB);
	test_space(32 * MIB, 32 * MIB + 3 * MIB);
	test_crashes(32 * MIB, 48 * MIB, 48 * MIB);
	test_crashes(32 * MIB, 48 * MIB, 64 * MIB);
	test_lost();
	test_open();
	puts("as large as the device");
	return 0;
}
