// SPDX-License-Identifier: MIT
/*
 * Finding the superblock.  The first copy says where the second one is.  When it cannot,
 * the note in the lease's block does: the device may have become larger since, and then
 * nothing is at its end.
 */
#include <errno.h>
#include <string.h>

#include "crc32c.h"
#include "le.h"
#include "sb.h"

/* Offsets in the block: the last sector, which comes to the device as a whole */
enum {
	NOTE_MAGIC = BLK_SIZE - 512,
	NOTE_UUID = NOTE_MAGIC + 8,
	NOTE_BLOCKS = NOTE_MAGIC + 24,
	NOTE_CRC = NOTE_MAGIC + 32,
};

static const u8 magic[8] = { 'A', 'F', 'S', 'X', 'L', 'A', 'S', 'T' };

/* Of which store the second copy is, and in the last of how many blocks. */
struct place {
	struct afsx_uuid uuid;
	u64 blocks;
};

void sb_note(void *block, const struct afsx_uuid *uuid, u64 blocks)
{
	u8 *b = block;

	memcpy(b + NOTE_MAGIC, magic, sizeof(magic));
	memcpy(b + NOTE_UUID, uuid->b, sizeof(uuid->b));
	le64_put(b + NOTE_BLOCKS, blocks);
	le32_put(b + NOTE_CRC, crc32c(0, b + NOTE_MAGIC, NOTE_CRC - NOTE_MAGIC));
}

static int read_note(struct blkdev *dev, struct place *p)
{
	u8 b[BLK_SIZE];
	int ret = blkdev_read(dev, SB_LEASE_BLOCK << BLK_SHIFT, b, sizeof(b));

	if (ret)
		return ret;
	if (memcmp(b + NOTE_MAGIC, magic, sizeof(magic)) ||
	    crc32c(0, b + NOTE_MAGIC, NOTE_CRC - NOTE_MAGIC) !=
		    le32_get(b + NOTE_CRC))
		return -ENOENT;
	memcpy(p->uuid.b, b + NOTE_UUID, sizeof(p->uuid.b));
	p->blocks = le64_get(b + NOTE_BLOCKS);
	return 0;
}

static int read_copy(struct blkdev *dev, u64 block, struct sb *sb)
{
	u8 b[BLK_SIZE];
	int ret = blkdev_read(dev, block << BLK_SHIFT, b, sizeof(b));

	if (ret)
		memset(sb, 0, sizeof(*sb));
	return ret ? ret : sb_decode(b, sb);
}

/* The copy at the end of so many blocks, which must say the same. */
static int read_end(struct blkdev *dev, u64 blocks, struct sb *sb)
{
	int ret;

	if (blocks > blkdev_blocks(dev))
		return -ERANGE;
	if (blocks <= SB_FIRST_FREE)
		return -EMEDIUMTYPE;
	ret = read_copy(dev, blocks - 1, sb);
	return !ret && sb->blocks != blocks ? -EUCLEAN : ret;
}

static int read_second(struct blkdev *dev, const struct place *p, struct sb *sb)
{
	int ret = read_end(dev, p->blocks, sb);

	return !ret && !afsx_uuid_eq(&sb->uuid, &p->uuid) ? -EUCLEAN : ret;
}

static int sb_error(int first, int second, struct errbuf *err)
{
	if (first == -EMEDIUMTYPE && second == -EMEDIUMTYPE)
		return err_set(err, -EMEDIUMTYPE, "no afsx store on the device");
	if (first == -EPROTONOSUPPORT || second == -EPROTONOSUPPORT)
		return err_set(err, -EPROTONOSUPPORT, "the format's version is not %u to %u",
			       SB_VERSION_BARE, SB_VERSION);
	if (first == -EUCLEAN || second == -EUCLEAN)
		return err_set(err, -EUCLEAN, "neither superblock is valid");
	return err_set(err, first, "cannot read the superblocks: %s",
		       strerror(-first));
}

int sb_read(struct blkdev *dev, struct sb *sb, bool *stale, struct errbuf *err)
{
	u64 blocks = blkdev_blocks(dev);
	struct place place;
	struct sb second;
	bool noted;
	int a, b;

	if (blocks < SB_FIRST_FREE + 1)
		return err_set(err, -EMEDIUMTYPE, "the device is too small for a store");
	a = read_copy(dev, 0, sb);
	noted = !read_note(dev, &place);
	/* noted after block 0 was written: that is an older version of it */
	if (!a && noted && afsx_uuid_eq(&place.uuid, &sb->uuid) &&
	    place.blocks > sb->blocks)
		a = -EUCLEAN;
	if (!a || !noted)
		place = (struct place){ sb->uuid, sb->blocks };
	b = read_second(dev, &place, &second);
	if (b == -ERANGE && (!a || noted))
		return err_set(err, -EUCLEAN, "the device has %ju blocks, the store needs %ju",
			       (uintmax_t)blocks, (uintmax_t)place.blocks);
	if (a && b && !noted)
		b = read_end(dev, blocks, &second);
	if (a && b)
		return sb_error(a, b, err);
	*stale = a || b || sb->seq != second.seq;
	if (a || (!b && second.seq > sb->seq))
		*sb = second;
	a = sb_check_layout(sb, err);
	return a ? err_prefix(err, a, "superblock") : 0;
}
