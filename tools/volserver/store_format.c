// SPDX-License-Identifier: MIT
/* Making a new store. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "redo.h"
#include "store_priv.h"

#define DEVICE_MIN	(16 * MIB_BLOCKS)
#define WAL_MIN		(4 * MIB_BLOCKS)
#define WAL_MAX		(64 * MIB_BLOCKS)
#define META_MIN	MIB_BLOCKS
#define META_MAX	(64 * MIB_BLOCKS)
#define PROBE_LEN	(64 * 1024)	/* looked at for foreign data */

static int new_uuid(struct afsx_uuid *uuid)
{
	if (getrandom(uuid->b, sizeof(uuid->b), 0) != (ssize_t)sizeof(uuid->b))
		return -errno;
	uuid->b[6] = (u8)((uuid->b[6] & 0x0f) | 0x40);	/* version 4 */
	uuid->b[8] = (u8)((uuid->b[8] & 0x3f) | 0x80);
	return 0;
}

static int layout(const struct store_format_opts *o, u64 blocks, struct sb *sb,
		  struct errbuf *err)
{
	u64 wal = clamp_u64(blocks / 16, WAL_MIN, WAL_MAX);
	u64 meta = clamp_u64(ROUND_DOWN(blocks / 64, MIB_BLOCKS), META_MIN,
			     META_MAX);

	if (o->wal_mib)
		wal = (u64)o->wal_mib * MIB_BLOCKS;
	if (blocks < DEVICE_MIN || wal + meta > blocks / 2)
		return err_set(err, -ENOSPC, "%s: %ju KiB are too few with a log of %ju MiB",
			       o->uri, (uintmax_t)blocks * BLK_KIB,
			       (uintmax_t)wal / MIB_BLOCKS);
	if (wal < WAL_MIN || wal > 16 * WAL_MAX)
		return err_set(err, -ERANGE, "a log of %u MiB is not within 4..1024",
			       o->wal_mib);
	memset(sb, 0, sizeof(*sb));
	sb->version = SB_VERSION;
	sb->blocks = blocks;
	sb->created = time(NULL);
	sb->nr = 2;
	sb->region[0] = (struct sb_region){ SB_REGION_WAL, SB_FIRST_FREE,
					    (u32)wal };
	sb->region[1] = (struct sb_region){ SB_REGION_META,
					    SB_FIRST_FREE + wal, (u32)meta };
	return new_uuid(&sb->uuid);
}

static int expect_blank(struct blkdev *dev, const char *uri, struct errbuf *err)
{
	u8 *buf = malloc(PROBE_LEN);
	bool blank = true;
	int ret;

	if (!buf)
		return err_set(err, -ENOMEM, "out of memory");
	ret = blkdev_read(dev, 0, buf, PROBE_LEN);
	for (size_t i = 0; !ret && i < PROBE_LEN; i++)
		blank &= !buf[i];
	free(buf);
	if (ret)
		return err_set(err, ret, "%s: cannot read: %s", uri,
			       strerror(-ret));
	return blank ? 0 : err_set(err, -EEXIST, "%s holds data; --force overwrites it",
				   uri);
}

static int expect_no_store(struct blkdev *dev,
			   const struct store_format_opts *o,
			   struct errbuf *err)
{
	struct sb old;
	bool stale;
	int ret = sb_read(dev, &old, &stale, NULL);

	if (!ret) {
		ret = lease_check(dev, &old.uuid, err);
		if (ret)
			return ret;
	}
	if (o->force)
		return 0;
	if (!ret)
		return err_set(err, -EEXIST, "%s holds a store already; --force overwrites it",
			       o->uri);
	return expect_blank(dev, o->uri, err);
}

/* What a former store left must not look like a part of the new one. */
static int wipe(struct blkdev *dev, const struct sb *sb)
{
	const struct sb_region *wal = &sb->region[0], *meta = &sb->region[1];
	int ret = blkdev_zero(dev, 0, SB_FIRST_FREE << BLK_SHIFT);

	if (!ret)
		ret = blkdev_zero(dev, (sb->blocks - 1) << BLK_SHIFT, BLK_SIZE);
	if (!ret)
		ret = blkdev_flush(dev);
	if (!ret)
		ret = wal_format(dev, wal->start << BLK_SHIFT);
	if (!ret)
		ret = blkdev_zero(dev, meta->start << BLK_SHIFT,
				  (u64)meta->nr << BLK_SHIFT);
	return ret ? ret : blkdev_flush(dev);
}

static int make_database(struct blkdev *dev, const struct sb *sb,
			 struct errbuf *err)
{
	struct meta *meta = NULL;
	struct wal *wal = NULL;
	struct vfs *vfs = NULL;
	struct db db;
	u64 len = (u64)sb->region[0].nr << BLK_SHIFT;
	int ret = wal_open(dev, sb->region[0].start << BLK_SHIFT,
			   len - redo_len(len), &wal);

	if (!ret)
		ret = meta_open(dev, sb, 0, &meta);
	if (!ret)
		ret = vfs_register(meta, wal, &vfs);
	if (!ret) {
		ret = db_open(&db, vfs_name(vfs), true, err);
		db_close(&db);
	}
	vfs_unregister(vfs);
	meta_close(meta);
	wal_close(wal);
	return ret ? ret : blkdev_failed(dev);
}

int store_format(const struct store_format_opts *o, struct errbuf *err)
{
	struct blkdev_opts bo = { .uri = o->uri, .connect_s = o->connect_s };
	struct blkdev *dev;
	struct sb sb;
	int ret = blkdev_open(&bo, &dev, err);

	if (ret)
		return ret;
	ret = layout(o, blkdev_blocks(dev), &sb, err);
	if (!ret)
		ret = expect_no_store(dev, o, err);
	if (ret)
		goto out;
	ret = wipe(dev, &sb);
	if (!ret)
		ret = make_database(dev, &sb, err);
	/* only now is it a store */
	if (!ret)
		ret = sb_write(dev, &sb);
	if (ret)
		err_prefix(err, ret, "%s: cannot write a store", o->uri);
out:
	blkdev_close(dev);
	return ret;
}
