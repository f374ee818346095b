// SPDX-License-Identifier: MIT
/*
 * crash-ram repeat: writes that are not durable are repeated on a new connection.  Where
 * a durable one came after them, its data are there all the time.
 */
#include "repeat.h"

#include <stdio.h>
#include <string.h>

#include "blkdev.h"
#include "ramnbd.h"
#include "test.h"

#define BLOCKS	16u

static u8 mem[BLOCKS * RAM_BLOCK];

static void put(struct blkdev *dev, u32 first, u32 nr, char byte, bool fua)
{
	u8 buf[BLOCKS * RAM_BLOCK];
	int ret;

	memset(buf, byte, nr * RAM_BLOCK);
	ret = fua ? blkdev_write_fua(dev, first * RAM_BLOCK, buf, nr * RAM_BLOCK) :
		    blkdev_write(dev, first * RAM_BLOCK, buf, nr * RAM_BLOCK);
	if (ret)
		die("write: %s", strerror(-ret));
}

/* The connection ends with the next request, which asks again on another one. */
static void lose_connection(struct ramdev *d, struct blkdev *dev)
{
	u8 buf[RAM_BLOCK];

	d->record = true;
	d->fault = RAM_DISCONNECT;
	d->fault_at = d->requests + 1;
	if (blkdev_read(dev, 0, buf, sizeof(buf)))
		die("no new connection");
}

static void expect(const u8 *block, u32 nr, char byte)
{
	for (u32 i = 0; i < RAM_BLOCK; i++)
		if (block[i] != (u8)byte)
			die("block %u has '%c', not '%c'", nr, block[i], byte);
}

/* @now: each block; capitals are of durable writes, which nothing may replace. */
static void expect_all(const struct ramdev *d, const char *now)
{
	for (u32 nr = 0; nr < BLOCKS; nr++)
		expect(mem + nr * RAM_BLOCK, nr, now[nr]);
	for (u32 i = 0; i < d->nr; i++) {
		u32 first = (u32)(d->req[i]->off / RAM_BLOCK);

		for (u32 b = 0; b < d->req[i]->len / RAM_BLOCK; b++)
			if (now[first + b] < 'a')
				expect(d->req[i]->data + b * RAM_BLOCK,
				       first + b, now[first + b]);
	}
}

int repeat_command(char **argv)
{
	struct blkdev_opts o = { .uri = RAM_URI, .reconnect_s = 10 };
	struct errbuf err = { "" };
	struct blkdev *dev;
	struct ramdev d;

	ramdev_init(&d, mem, sizeof(mem), 1);
	ramdev_serve(&d);
	if (blkdev_open(&o, &dev, &err))
		die("open: %s", err.text);
	put(dev, 0, 8, 'a', false);
	put(dev, 8, 8, 'b', false);
	put(dev, 2, 2, 'C', true);		/* inside */
	put(dev, 6, 4, 'D', true);		/* of both a part */
	put(dev, 11, 3, 'e', false);
	put(dev, 12, 1, 'F', true);		/* over two */
	lose_connection(&d, dev);
	if (d.nr != 3)
		die("%u writes are repeated, not 3", d.nr);
	expect_all(&d, "aaCCaaDDDDbeFebb");
	blkdev_close(dev);
	ramdev_forget(&d);
	puts("what is durable stays, whatever is repeated");
	return 0;
}
