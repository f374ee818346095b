// SPDX-License-Identifier: MIT
/*
 * crash-ram growth: a transaction for which the metadata region must grow, each
 * request of it failing in turn.  Whether it succeeds or not, it can be tried again,
 * the store opens afterwards, its blocks are used once, and it can grow on.
 */
#include "growth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "image.h"
#include "sound.h"
#include "test.h"
#include "work.h"

#define SIZE	(32u << 20)
#define NAMES	6000u	/* with 80 bytes in each of two rows, 1 MiB at least */

static u64 meta_kib(struct store *st)
{
	struct store_info info;

	if (store_info(st, &info) && store_info(st, &info))
		die("the store tells nothing about itself");
	return info.meta_kib;
}

static int make_names(struct store *st, u32 first)
{
	struct afsx_fid root = { work_volume(st), AFSX_ROOT_VNODE,
				 AFSX_ROOT_UNIQUE };
	struct afsx_fid fid;
	struct store_tx *tx;
	char name[96];
	int ret;

	if (!root.vid)
		return -EIO;
	ret = store_begin(st, &tx);
	if (ret)
		return ret;
	for (u32 i = 0; !ret && i < NAMES; i++) {
		int len = snprintf(name, sizeof(name), "%080u", first + i);

		ret = store_create(tx, &root, name, (size_t)len,
				   AFSX_FTYPE_SYMLINK, NULL, name, &fid);
	}
	if (!ret)
		return store_commit(tx);
	store_abort(tx);
	return ret;
}

/* Without faults: it opens, and names go in until the region has grown again. */
static bool look_later(struct ramdev *dev)
{
	struct errbuf err = { "" };
	struct store *st;
	bool good;

	dev->fault = RAM_GOOD;
	st = work_open(RAM_URI, &err);
	if (!st) {
		printf("does not open: %s\n", err.text);
		return false;
	}
	good = !check_store(st) && !make_names(st, NAMES) && !check_store(st);
	return !store_close(st) && good;
}

/* Return: requests sent until the transaction had ended; 0: something is wrong. */
static u64 run_trial(const struct image *start, enum ram_fault fault, u64 at,
		     bool *grown)
{
	u8 *mem = image_view(start);
	struct errbuf err = { "" };
	struct ramdev dev;
	struct store *st;
	u64 requests, before;

	ramdev_init(&dev, mem, SIZE, at);
	ramdev_serve(&dev);
	st = work_open(RAM_URI, &err);
	if (!st)
		die("open: %s", err.text);
	before = meta_kib(st);
	dev.requests = 0;
	dev.fault_at = at;
	dev.fault = fault;
	make_names(st, 0);
	requests = dev.requests;
	dev.fault = RAM_GOOD;
	*grown |= meta_kib(st) > before;
	/* the region grows now if it has not, and not from the same blocks twice */
	make_names(st, 0);
	store_close(st);
	if (!look_later(&dev)) {
		printf("with request %ju failing\n", (uintmax_t)at);
		requests = 0;
	}
	image_unview(start, mem);
	return requests;
}

int growth_command(char **argv)
{
	u8 *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool grown = false;
	struct ramdev dev;
	struct image start;
	u64 requests, n;
	u32 bad = 0;

	if (mem == MAP_FAILED)
		die("out of memory");
	ramdev_init(&dev, mem, SIZE, 1);
	ramdev_serve(&dev);
	work_format(RAM_URI);
	image_init(&start, mem, SIZE);
	requests = run_trial(&start, RAM_GOOD, 0, &grown);
	if (!requests || !grown)
		die("the region does not grow even without a fault");
	for (n = 1; n <= requests; n++)
		bad += !run_trial(&start, RAM_EIO, n, &grown);
	image_free(&start);
	munmap(mem, SIZE);
	printf("%ju requests failed while metadata grew, %u with a wrong outcome\n",
	       (uintmax_t)requests, bad);
	return bad ? 1 : 0;
}
