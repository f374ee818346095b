// SPDX-License-Identifier: MIT
#include "dir_image.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "dir_index.h"
#include "store_dir.h"
#include "store_vnode.h"

/**
 * struct dir_image - see above
 * @refs: whoever may look
 * @rd: for the directory code
 * @index: where names are; NULL for a small one, or when chains are damaged
 * @data: blocks
 */
struct dir_image {
	atomic_uint refs;
	struct afsx_dir_reader rd;
	struct dir_index *index;
	u8 data[][AFSX_DIR_BLOCK_SIZE];
};

static const void *image_block(void *ctx, u32 nr)
{
	const struct dir_image *m = ctx;

	return m->data[nr];
}

static u32 image_candidate(void *ctx, const char *name, u32 len, u32 after,
			   u32 *prev)
{
	const struct dir_image *m = ctx;

	return dir_index_candidate(m->index, name, len, after, prev);
}

static const struct afsx_dir_index image_index = {
	.candidate = image_candidate,
};

static struct dir_image *new_image(u32 blocks)
{
	struct dir_image *m = malloc(sizeof(*m) +
				     blocks * (size_t)AFSX_DIR_BLOCK_SIZE);

	if (!m)
		return NULL;
	atomic_init(&m->refs, 1);
	m->rd = (struct afsx_dir_reader){
		.block = image_block,
		.ctx = m,
		.nr_blocks = blocks,
	};
	m->index = NULL;
	return m;
}

static int read_blocks(struct db *db, const struct vnode *dir,
		       struct dir_image *m)
{
	int ret = dir_read(db, dir, 0, m->data, dir->s.size);

	for (u32 nr = 0; !ret && nr < m->rd.nr_blocks; nr++)
		ret = afsx_dir_check_block(m->data[nr], nr);
	return ret;
}

struct dir_image *dir_image_load(struct db *db, const struct vnode *dir)
{
	u64 blocks = dir->s.size / AFSX_DIR_BLOCK_SIZE;
	struct dir_image *m = NULL;

	if (blocks && blocks <= AFSX_DIR_MAX_BLOCKS &&
	    !(dir->s.size % AFSX_DIR_BLOCK_SIZE))
		m = new_image((u32)blocks);
	if (!m)
		return NULL;
	if (read_blocks(db, dir, m)) {
		dir_image_put(m);
		return NULL;
	}
	if (dir_is_large(dir) && !dir_index_build(&m->rd, &m->index))
		m->rd.index = &image_index;
	return m;
}

struct dir_image *dir_image_get(struct dir_image *m)
{
	atomic_fetch_add(&m->refs, 1);
	return m;
}

void dir_image_put(struct dir_image *m)
{
	if (!m || atomic_fetch_sub(&m->refs, 1) > 1)
		return;
	dir_index_free(m->index);
	free(m);
}

size_t dir_image_bytes(const struct dir_image *m)
{
	return sizeof(*m) + m->rd.nr_blocks * (size_t)AFSX_DIR_BLOCK_SIZE +
	       dir_index_bytes(m->index);
}

int dir_image_find(const struct dir_image *m, const char *name, size_t len,
		   struct afsx_fid *fid)
{
	int ret;

	if (len > AFSX_NAME_MAX)
		return -ENAMETOOLONG;
	ret = afsx_dir_lookup(&m->rd, name, (u32)len, fid);
	return ret == -EIO ? -EUCLEAN : ret;
}
