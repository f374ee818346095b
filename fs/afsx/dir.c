// SPDX-License-Identifier: GPL-2.0
/*
 * Directory contents: fetched whole, immutable, searched by hash.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <afsx/rpc.h>

#include "dir.h"
#include "file.h"
#include "validate.h"
#include "vnode.h"

/* A directory that changes with every fetch is given up after so many. */
#define AFSX_DIR_TRIES	8

void afsx_dirblob_put(struct afsx_dirblob *blob)
{
	if (refcount_dec_and_test(&blob->ref))
		kvfree_rcu(blob, rcu);
}

static const void *afsx_dirblob_block(void *ctx, u32 nr)
{
	const struct afsx_dirblob *blob = ctx;

	return blob->data + nr * AFSX_DIR_BLOCK_SIZE;
}

void afsx_dirblob_reader(const struct afsx_dirblob *blob,
			 struct afsx_dir_reader *rd)
{
	*rd = (struct afsx_dir_reader){
		.block = afsx_dirblob_block,
		.ctx = (void *)blob,
		.nr_blocks = blob->size / AFSX_DIR_BLOCK_SIZE,
	};
}

static struct afsx_dirblob *afsx_dirblob_alloc(loff_t size)
{
	struct afsx_dirblob *blob;

	if (size <= 0 || size % AFSX_DIR_BLOCK_SIZE ||
	    size > AFSX_DIR_MAX_BLOCKS * AFSX_DIR_BLOCK_SIZE)
		return ERR_PTR(-EIO);
	blob = kvmalloc(struct_size(blob, data, size), GFP_KERNEL_ACCOUNT);
	if (!blob)
		return ERR_PTR(-ENOMEM);
	refcount_set(&blob->ref, 1);
	blob->size = size;
	return blob;
}

/* Entries are looked at when they are reached: one bad one hides no other. */
static int afsx_dirblob_check(const struct afsx_dirblob *blob)
{
	u32 nr;

	for (nr = 0; nr < blob->size / AFSX_DIR_BLOCK_SIZE; nr++)
		if (!afsx_dir_header_ok(afsx_dirblob_block((void *)blob, nr), nr))
			return -EIO;
	return 0;
}

/* Fill a blob. -EAGAIN: the directory has another size by now. */
static int afsx_dirblob_fill(struct afsx_vnode *dvnode, struct key *key,
			     struct afsx_dirblob *blob)
{
	struct kvec vec = { .iov_base = blob->data, .iov_len = blob->size };
	struct afsx_status status;
	struct iov_iter iter;
	ssize_t got;

	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, blob->size);
	got = afsx_vnode_fetch(dvnode, key, 0, blob->size, &iter, &status);
	if (got < 0)
		return got;
	if (status.size != blob->size)
		return -EAGAIN;
	if (got != blob->size)
		return -EIO;
	blob->data_version = status.data_version;
	return afsx_dirblob_check(blob);
}

static struct afsx_dirblob *afsx_dir_fetch(struct afsx_vnode *dvnode,
					   struct key *key)
{
	struct afsx_dirblob *blob;
	int tries, ret;

	for (tries = 0; tries < AFSX_DIR_TRIES; tries++) {
		blob = afsx_dirblob_alloc(i_size_read(afsx_inode(dvnode)));
		if (IS_ERR(blob))
			return blob;
		ret = afsx_dirblob_fill(dvnode, key, blob);
		if (!ret)
			return blob;
		afsx_dirblob_put(blob);
		if (ret != -EAGAIN)
			return ERR_PTR(ret);
	}
	return ERR_PTR(-EBUSY);
}

/* The cached contents if they are of the version that the status has. */
static struct afsx_dirblob *afsx_dir_cached(struct afsx_vnode *dvnode)
{
	u64 version = afsx_vnode_version(dvnode);
	struct afsx_dirblob *blob;

	rcu_read_lock();
	blob = rcu_dereference(dvnode->dir);
	if (blob && (blob->data_version != version ||
		     !refcount_inc_not_zero(&blob->ref)))
		blob = NULL;
	rcu_read_unlock();
	return blob;
}

/* fetch_lock held. */
static struct afsx_dirblob *afsx_dir_refresh(struct afsx_vnode *dvnode,
					     struct key *key)
{
	struct afsx_dirblob *blob, *old;

	blob = afsx_dir_cached(dvnode);
	if (blob)
		return blob;
	blob = afsx_dir_fetch(dvnode, key);
	if (IS_ERR(blob))
		return blob;
	refcount_inc(&blob->ref);
	old = rcu_replace_pointer(dvnode->dir, blob,
				  lockdep_is_held(&dvnode->fetch_lock));
	if (old)
		afsx_dirblob_put(old);
	return blob;
}

struct afsx_dirblob *afsx_dir_get(struct afsx_vnode *dvnode, struct key *key)
{
	struct afsx_dirblob *blob;
	int ret = afsx_validate(dvnode, key);

	if (ret)
		return ERR_PTR(ret);
	blob = afsx_dir_cached(dvnode);
	if (blob)
		return blob;
	ret = mutex_lock_killable(&dvnode->fetch_lock);
	if (ret)
		return ERR_PTR(ret);
	blob = afsx_dir_refresh(dvnode, key);
	mutex_unlock(&dvnode->fetch_lock);
	return blob;
}

/**
 * struct afsx_readdir - what listing a directory carries along
 * @ctx: the VFS's side
 * @sb: superblock, to see what is in memory
 * @vid: volume
 * @known: look-ups have asked for entries, which may be in memory since then
 */
struct afsx_readdir {
	struct dir_context	*ctx;
	struct super_block	*sb;
	u32			vid;
	bool			known;
};

/* Only directories can be told by their vnode number. */
static unsigned int afsx_entry_type(const struct afsx_readdir *rd, u32 vnode,
				    u32 unique)
{
	const struct afsx_fid fid = { rd->vid, vnode, unique };
	struct afsx_vnode *found;
	umode_t mode = 0;

	if (vnode & 1)
		return DT_DIR;
	if (!rd->known)
		return DT_UNKNOWN;
	rcu_read_lock();
	found = afsx_vnode_find_rcu(rd->sb, &fid);
	if (found)
		mode = READ_ONCE(afsx_inode(found)->i_mode);
	rcu_read_unlock();
	return fs_umode_to_dtype(mode);
}

static bool afsx_is_dots(const char *name, u32 len)
{
	return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

/* OpenAFS's server takes names of 256 bytes, for which no program can ask here. */
static bool afsx_readdir_emit(void *data, const char *name, u32 len, u32 vnode,
			      u32 unique, u64 pos)
{
	struct afsx_readdir *rd = data;

	if (afsx_is_dots(name, len) || len > AFSX_NAME_MAX)
		return true;
	rd->ctx->pos = pos;
	return dir_emit(rd->ctx, name, len, afsx_fid_ino(vnode, unique),
			afsx_entry_type(rd, vnode, unique));
}

/*
 * Positions 0 and 1 are "." and "..", others are the slots of entries, none of
 * which comes before AFSX_DIR_RESV0.
 */
static int afsx_readdir(struct file *file, struct dir_context *ctx)
{
	struct afsx_vnode *dvnode = AFSX_V(file_inode(file));
	struct afsx_readdir rd = {
		.ctx = ctx,
		.sb  = file_inode(file)->i_sb,
		.vid = dvnode->fid.vid,
		.known = READ_ONCE(dvnode->scan_hint),
	};
	struct afsx_dir_reader reader;
	struct afsx_dirblob *blob;
	u64 pos;
	int ret;

	if (!dir_emit_dots(file, ctx))
		return 0;
	blob = afsx_dir_get(dvnode, file->private_data);
	if (IS_ERR(blob))
		return PTR_ERR(blob);
	afsx_dirblob_reader(blob, &reader);
	pos = ctx->pos;
	ret = afsx_dir_iterate(&reader, &pos, afsx_readdir_emit, &rd);
	/* With an error, too: getdents(2) hands out what came before it first. */
	ctx->pos = pos;
	afsx_dirblob_put(blob);
	return ret;
}

const struct file_operations afsx_dir_file_ops = {
	.open		= afsx_open,
	.release	= afsx_release,
	.llseek		= generic_file_llseek,
	.read		= generic_read_dir,
	.iterate_shared	= afsx_readdir,
	.fsync		= noop_fsync,
};
