// SPDX-License-Identifier: MIT
/*
 * Fuzz target: qcow2 images, read and written.
 *
 * Input: a byte: 1 to open read-only, 2 to ask for the snapshot "1", 4 to mark it
 * as not closed well; a byte for where to read and write; and the image.
 *
 * Every image is opened or refused with a reason. What comes back after writing is
 * not judged: in a damaged image a cluster may be used twice.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "qcow2.h"

#define IMAGE_MAX	(128 << 10)
#define PIECE		20000u
#define READ_ONLY	1
#define SNAPSHOT	2
#define NOT_CLOSED	4

static int memory = -1;
static char path[32];

static bool put_image(const u8 *data, size_t size)
{
	if (memory < 0) {
		memory = memfd_create("image", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	}
	return !ftruncate(memory, 0) && pwrite(memory, data, size, 0) == (ssize_t)size;
}

static void read_and_map(struct blk *blk, u64 offset)
{
	struct blk_extent e[4];
	static u8 buf[PIECE];
	u32 len = (u32)(blk->size - offset < PIECE ? blk->size - offset : PIECE);
	int i, nr;

	blk->ops->read(blk, buf, len, offset, 0);
	if (!len)
		return;
	nr = blk->ops->extents(blk, len, offset, e, 4);
	MUST(nr <= 4 && nr != 0);
	for (i = 0; i < nr; i++)
		MUST(e[i].length);
}

static void change(struct blk *blk, u64 offset)
{
	static u8 buf[PIECE];
	u32 len = (u32)(blk->size - offset < PIECE ? blk->size - offset : PIECE);

	if (!len)
		return;
	blk->ops->write(blk, buf, len, offset, 0);
	blk->ops->read(blk, buf, len, offset, 0);
	blk->ops->zero(blk, len, offset, len & 1 ? BLK_MAY_TRIM : 0);
	blk->ops->trim(blk, len / 2, offset, 0);
	blk->ops->flush(blk);
	blk->ops->write(blk, buf, len, offset, BLK_FUA);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blk_options options = { .read_only = size && data[0] & READ_ONLY };
	struct errbuf err = { "" };
	struct blk *blk;
	u64 where;

	if (size < 2 || size > IMAGE_MAX || !put_image(data + 2, size - 2))
		return -1;
	if (data[0] & SNAPSHOT)
		options.snapshot_id = "1";
	if (data[0] & NOT_CLOSED && size > 100 && pwrite(memory, "\1", 1, 79) != 1)
		return -1;
	if (qcow2_open(path, &options, &blk, &err)) {
		MUST(err.text[0]);
		return 0;
	}
	where = blk->size / 256 * data[1];
	read_and_map(blk, 0);
	read_and_map(blk, where);
	if (!blk->read_only) {
		change(blk, where);
		change(blk, blk->size > 1000 ? 1000 : 0);
	}
	read_and_map(blk, where);
	blk->ops->close(blk);
	return 0;
}
