// SPDX-License-Identifier: GPL-2.0
/*
 * The dynamic root: a directory of cells that needs no server.
 *
 * Its inodes are never hashed: each dentry has one of its own. So a cell that
 * is spelt in two ways is two directories and neither moves the other, and the
 * inodes that autocell puts into a volume's root directory cannot be taken for
 * vnodes.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "cell.h"
#include "dynroot.h"
#include "mntpt.h"
#include "net.h"
#include "super.h"
#include "vnode.h"

/* How long an answer of the DNS that there is no such cell is believed. */
#define AFSX_NEGATIVE_TIME	(10 * HZ)

ino_t afsx_dyn_ino(u32 cell_ino, bool rw)
{
	return AFSX_DYN_INO_CELL + 2 * (ino_t)cell_ino + rw;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dyn_ino);

u64 afsx_dyn_ino_cell(u64 ino, bool *rw)
{
	*rw = ino & 1;
	return (ino - AFSX_DYN_INO_CELL) / 2;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dyn_ino_cell);

static struct afsx_net *afsx_dyn_net(const struct inode *inode)
{
	return AFSX_SB(inode->i_sb)->net;
}

/* An inode that exists only here. */
static struct inode *afsx_pseudo_inode(struct super_block *sb, ino_t ino,
				       umode_t mode)
{
	struct inode *inode = new_inode(sb);
	struct afsx_vnode *vnode;

	if (!inode)
		return NULL;
	vnode = AFSX_V(inode);
	vnode->volume = NULL;
	netfs_inode_init(&vnode->netfs, NULL, false);
	set_bit(AFSX_V_PSEUDO, &vnode->flags);
	inode->i_ino = ino;
	inode->i_mode = mode;
	inode->i_flags |= S_NOATIME;
	set_nlink(inode, S_ISDIR(mode) ? 2 : 1);
	simple_inode_init_ts(inode);
	return inode;
}

/* The root cell's name; the caller frees it. */
static char *afsx_root_cell_link(struct afsx_net *net, bool rw)
{
	char *name = ERR_PTR(-ENOENT);

	down_read(&net->cells_lock);
	if (net->root_cell) {
		name = kasprintf(GFP_KERNEL, "%s%s", rw ? "." : "",
				 net->root_cell->name);
		if (!name)
			name = ERR_PTR(-ENOMEM);
	}
	up_read(&net->cells_lock);
	return name;
}

static const char *afsx_atcell_get_link(struct dentry *dentry,
					struct inode *inode,
					struct delayed_call *done)
{
	char *name;

	if (!dentry)
		return ERR_PTR(-ECHILD);
	name = afsx_root_cell_link(afsx_dyn_net(inode), inode->i_ino & 1);
	if (!IS_ERR(name))
		set_delayed_call(done, kfree_link, name);
	return name;
}

static int afsx_atcell_getattr(struct mnt_idmap *idmap, const struct path *path,
			       struct kstat *stat, u32 request_mask,
			       unsigned int query_flags)
{
	struct inode *inode = d_inode(path->dentry);
	char *name = afsx_root_cell_link(afsx_dyn_net(inode), inode->i_ino & 1);

	if (IS_ERR(name))
		return PTR_ERR(name);
	generic_fillattr(idmap, request_mask, inode, stat);
	stat->size = strlen(name);
	kfree(name);
	return 0;
}

static const struct inode_operations afsx_atcell_inode_ops = {
	.get_link	= afsx_atcell_get_link,
	.getattr	= afsx_atcell_getattr,
};

static struct inode *afsx_atcell_iget(struct inode *dir, bool rw)
{
	struct inode *inode;

	if (!READ_ONCE(afsx_dyn_net(dir)->root_cell))
		return ERR_PTR(-ENOENT);
	inode = afsx_pseudo_inode(dir->i_sb, AFSX_DYN_INO_LINK + rw,
				  S_IFLNK | 0777);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode->i_op = &afsx_atcell_inode_ops;
	return inode;
}

/* No look-up either: nobody gets in before the automount is there. */
static const struct inode_operations afsx_celldir_inode_ops = {};

/*
 * A directory that mounts a cell's root.cell when somebody goes in. Inside a
 * volume it takes a number that no vnode has.
 */
static struct inode *afsx_celldir_iget(struct super_block *sb,
				       const struct afsx_cell *cell, bool rw)
{
	ino_t ino = afsx_dyn_ino(cell->ino, rw);
	struct inode *inode;
	char *target;

	target = kasprintf(GFP_KERNEL, "%c%s:root.cell.", rw ? '%' : '#',
			   cell->name);
	if (!target)
		return ERR_PTR(-ENOMEM);
	if (!AFSX_SB(sb)->dyn)
		ino = afsx_fid_ino(0, ino);
	inode = afsx_pseudo_inode(sb, ino, S_IFDIR | 0555);
	if (!inode) {
		kfree(target);
		return ERR_PTR(-ENOMEM);
	}
	rcu_assign_pointer(AFSX_V(inode)->link, target);
	set_bit(AFSX_V_MOUNTPOINT, &AFSX_V(inode)->flags);
	inode->i_op = &afsx_celldir_inode_ops;
	inode->i_fop = &afsx_mntpt_file_ops;
	inode->i_flags |= S_AUTOMOUNT;
	return inode;
}

struct inode *afsx_autocell_lookup(struct inode *dir, const char *name,
				   size_t len)
{
	struct afsx_net *net = afsx_dyn_net(dir);
	bool rw = len && *name == '.';
	struct afsx_cell *cell;
	struct inode *inode;
	const char *why;

	name += rw;
	len -= rw;
	if (afsx_cell_name_check(name, len, &why))
		return ERR_PTR(-ENOENT);
	if (memchr(name, '.', len))
		cell = afsx_cell_lookup(net, name, len);
	else
		cell = afsx_cell_find(net, name, len) ?: ERR_PTR(-ENOENT);
	if (cell == ERR_PTR(-EDESTADDRREQ))
		return ERR_PTR(-ENOENT);
	if (IS_ERR(cell))
		return ERR_CAST(cell);
	inode = afsx_celldir_iget(dir->i_sb, cell, rw);
	afsx_cell_put(cell);
	return inode;
}

/* Neither part ever decreases, so the sum tells when one of them changed. */
unsigned long afsx_autocell_generation(const struct inode *dir)
{
	return READ_ONCE(afsx_dyn_net(dir)->cells_seq) +
	       jiffies / AFSX_NEGATIVE_TIME;
}

static struct dentry *afsx_dynroot_lookup(struct inode *dir,
					  struct dentry *dentry,
					  unsigned int flags)
{
	const struct qstr *name = &dentry->d_name;
	struct inode *inode;

	if (name->len > AFSX_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);

	dentry->d_time = afsx_autocell_generation(dir);
	if (!strcmp(name->name, "@cell"))
		inode = afsx_atcell_iget(dir, false);
	else if (!strcmp(name->name, ".@cell"))
		inode = afsx_atcell_iget(dir, true);
	else
		inode = afsx_autocell_lookup(dir, name->name, name->len);

	if (inode == ERR_PTR(-ENOENT))
		inode = NULL;
	return d_splice_alias(inode, dentry);
}

/* A cell stays. That there was none holds for a while at most. */
static int afsx_dynroot_d_revalidate(struct dentry *dentry, unsigned int flags)
{
	struct inode *dir = d_inode_rcu(READ_ONCE(dentry->d_parent));

	if (d_inode_rcu(dentry))
		return 1;
	if (!dir)
		return -ECHILD;
	return dentry->d_time == afsx_autocell_generation(dir);
}

const struct dentry_operations afsx_dynroot_dentry_ops = {
	.d_revalidate	= afsx_dynroot_d_revalidate,
	.d_automount	= afsx_d_automount,
};

static const struct inode_operations afsx_dynroot_inode_ops = {
	.lookup		= afsx_dynroot_lookup,
};

/* The known cell with the lowest number not below @ino, counted, or NULL. */
static struct afsx_cell *afsx_dynroot_next(struct afsx_net *net, u64 ino)
{
	struct afsx_cell *cell, *next = NULL;

	down_read(&net->cells_lock);
	list_for_each_entry(cell, &net->cells, link)
		if (cell->ino >= ino && (!next || cell->ino < next->ino))
			next = cell;
	if (next)
		afsx_cell_get(next);
	up_read(&net->cells_lock);
	return next;
}

/* Emit a cell's entries from the position on; false when there is no room. */
static bool afsx_dynroot_emit_cell(struct dir_context *ctx,
				   const struct afsx_cell *cell)
{
	bool rw;

	if (ctx->pos < afsx_dyn_ino(cell->ino, false))
		ctx->pos = afsx_dyn_ino(cell->ino, false);
	while (afsx_dyn_ino_cell(ctx->pos, &rw) == cell->ino) {
		char name[1 + AFSX_CELLNAME_MAX + 1];
		int len = snprintf(name, sizeof(name), "%s%s", rw ? "." : "",
				   cell->name);

		if (!dir_emit(ctx, name, len, ctx->pos, DT_DIR))
			return false;
		ctx->pos++;
	}
	return true;
}

static int afsx_dynroot_readdir(struct file *file, struct dir_context *ctx)
{
	struct afsx_net *net = afsx_dyn_net(file_inode(file));
	struct afsx_cell *cell;
	bool room = true, rw;

	if (!dir_emit_dots(file, ctx))
		return 0;
	if (!READ_ONCE(net->root_cell) && ctx->pos < AFSX_DYN_INO_CELL)
		ctx->pos = AFSX_DYN_INO_CELL;
	for (; ctx->pos < AFSX_DYN_INO_CELL; ctx->pos++) {
		rw = ctx->pos & 1;
		if (!dir_emit(ctx, rw ? ".@cell" : "@cell", 5 + rw, ctx->pos,
			      DT_LNK))
			return 0;
	}
	while (room) {
		cell = afsx_dynroot_next(net, afsx_dyn_ino_cell(ctx->pos, &rw));
		if (!cell)
			break;
		room = afsx_dynroot_emit_cell(ctx, cell);
		afsx_cell_put(cell);
	}
	return 0;
}

static const struct file_operations afsx_dynroot_file_ops = {
	.llseek		= generic_file_llseek,
	.read		= generic_read_dir,
	.iterate_shared	= afsx_dynroot_readdir,
	.fsync		= noop_fsync,
};

struct inode *afsx_dynroot_iget(struct super_block *sb)
{
	struct inode *inode = afsx_pseudo_inode(sb, AFSX_DYN_INO_ROOT,
						S_IFDIR | 0555);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode->i_op = &afsx_dynroot_inode_ops;
	inode->i_fop = &afsx_dynroot_file_ops;
	return inode;
}
