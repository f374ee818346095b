// SPDX-License-Identifier: GPL-2.0
/*
 * Superblocks: one per (network namespace, cell, volume id) and one dynamic
 * root per namespace.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/jhash.h>
#include <linux/key.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <kunit/visibility.h>
#include <net/net_namespace.h>
#include <afsx/rpc_types.h>
#include <afsx/source.h>
#include <afsx/statfs.h>

#include "cell.h"
#include "dir.h"
#include "dynroot.h"
#include "net.h"
#include "op.h"
#include "security.h"
#include "super.h"
#include "validate.h"
#include "vnode.h"
#include "volume.h"

/*
 * Whoever mounts a volume by hand can say nosuid. An automount is made by anybody
 * and takes its flags from the mount it lies in, which may be of another cell.
 */
static bool afsx_sb_trusted(const struct fs_context *fc,
			    const struct afsx_cell *cell)
{
	const struct afsx_mount_params *params = fc->fs_private;

	return fc->purpose != FS_CONTEXT_FOR_SUBMOUNT ||
	       cell == params->suid_cell ||
	       cell == READ_ONCE(params->net->root_cell);
}

/*
 * A volume of a stranger's cell was mounted by hand, and now somebody has come by
 * in another way, to a mount without its nosuid: set-id bits end for both. Whoever
 * applies a status looks at @suid under the vnode's lock, so that none comes back.
 */
static void afsx_sb_distrust(struct super_block *sb)
{
	struct inode *inode;

	WRITE_ONCE(AFSX_SB(sb)->suid, false);
	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list)
		afsx_vnode_drop_setid(AFSX_V(inode));
	spin_unlock(&sb->s_inode_list_lock);
}

static struct afsx_sb *afsx_sb_alloc(struct fs_context *fc)
{
	const struct afsx_mount_params *params = fc->fs_private;
	struct afsx_sb *sbi;

	sbi = kzalloc(sizeof(*sbi), GFP_KERNEL);
	if (!sbi)
		return NULL;
	sbi->net_ns = get_net(fc->net_ns);
	sbi->net = params->net;
	sbi->dyn = params->dyn;
	sbi->autocell = params->autocell;
	sbi->flock = params->flock;
	afsx_call_group_init(&sbi->calls);
	if (params->dyn)
		return sbi;

	sbi->cell = afsx_cell_get(params->cell);
	sbi->volume = afsx_volume_get(params->volume);
	sbi->force = params->src.force;
	sbi->suid = afsx_sb_trusted(fc, sbi->cell);
	/* Superblocks are shared, so not how it was reached but what it is. */
	sbi->rwpath = sbi->volume->type == AFSX_VOL_RW;
	/* Nobody else can write: locks of this machine are all there are. */
	if (sbi->volume->type != AFSX_VOL_RW && !afsx_given(params, AFSX_OPT_FLOCK))
		sbi->flock = AFSX_FLOCK_LOCAL;
	return sbi;
}

void afsx_sb_free(struct afsx_sb *sbi)
{
	if (!sbi)
		return;
	if (sbi->volume)
		afsx_volume_put(sbi->volume);
	if (sbi->cell)
		afsx_cell_put(sbi->cell);
	put_net(sbi->net_ns);
	kfree_rcu(sbi, rcu);
}

static int afsx_test_super(struct super_block *sb, struct fs_context *fc)
{
	const struct afsx_sb *have = AFSX_SB(sb);
	const struct afsx_sb *want = fc->s_fs_info;

	if (have->net_ns != want->net_ns || have->dyn != want->dyn)
		return false;
	return have->dyn || (have->cell == want->cell &&
			     have->volume->vid == want->volume->vid);
}

/* What to call a superblock in messages and in /proc/mounts. */
static void afsx_sb_name(const struct afsx_sb *sbi, char *buf, size_t size)
{
	struct afsx_source src;

	if (sbi->dyn) {
		strscpy(buf, "none", size);
		return;
	}
	src = (struct afsx_source) {
		.type	= sbi->volume->type,
		.force	= sbi->force,
		.cell	= { sbi->cell->name, strlen(sbi->cell->name) },
		.volume	= { sbi->volume->name, strlen(sbi->volume->name) },
	};
	afsx_source_format(buf, size, &src);
}

static int afsx_show_devname(struct seq_file *m, struct dentry *root)
{
	char name[AFSX_SOURCE_BUF];

	afsx_sb_name(AFSX_SB(root->d_sb), name, sizeof(name));
	seq_escape(m, name, " \t\n\\");
	return 0;
}

static int afsx_show_options(struct seq_file *m, struct dentry *root)
{
	const struct afsx_sb *sbi = AFSX_SB(root->d_sb);
	const char *flock = afsx_flock_name(READ_ONCE(sbi->flock));

	if (sbi->dyn)
		seq_puts(m, ",dyn");
	if (READ_ONCE(sbi->autocell))
		seq_puts(m, ",autocell");
	if (flock)
		seq_printf(m, ",flock=%s", flock);
	return 0;
}

static int afsx_volume_statfs(struct afsx_sb *sbi, struct kstatfs *buf)
{
	struct afsx_volume_args args = { .vid = sbi->volume->vid };
	struct afsx_volstatus status;
	struct afsx_statfs sizes;
	struct afsx_op op = {
		.volume		= sbi->volume,
		.by.key		= afsx_key_get(sbi->cell),
		.by.group	= &sbi->calls,
		.rpc_id		= AFSX_FS_GET_VOLUME_STATUS,
		.args		= &args,
		.reply		= &status,
		.killable	= true,
		.no_wait	= true,
	};
	int ret;

	ret = afsx_op_run(&op);
	if (!ret) {
		afsx_statfs_from(&status, sbi->volume->type != AFSX_VOL_RW,
				 &sizes);
		buf->f_blocks = sizes.blocks;
		buf->f_bfree = sizes.bfree;
		buf->f_bavail = sizes.bavail;
	}
	afsx_op_release(&op);
	key_put(op.by.key);
	return ret;
}

/* AFS does not count the vnodes of a volume: f_files stays 0, "unknown". */
static int afsx_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct super_block *sb = dentry->d_sb;
	struct afsx_sb *sbi = AFSX_SB(sb);

	buf->f_type = sb->s_magic;
	buf->f_bsize = AFSX_STATFS_BSIZE;
	buf->f_namelen = AFSX_NAME_MAX;
	if (sbi->dyn) {
		buf->f_fsid = u64_to_fsid(huge_encode_dev(sb->s_dev));
		return 0;
	}
	buf->f_fsid.val[0] = sbi->volume->vid;
	buf->f_fsid.val[1] = jhash(sbi->cell->name, strlen(sbi->cell->name), 0);
	return afsx_volume_statfs(sbi, buf);
}

static void afsx_umount_begin(struct super_block *sb)
{
	afsx_call_group_end(&AFSX_SB(sb)->calls);
}

static const struct super_operations afsx_super_ops = {
	.alloc_inode	= afsx_inode_alloc,
	.free_inode	= afsx_inode_free,
	.evict_inode	= afsx_inode_evict,
	.statfs		= afsx_statfs,
	.umount_begin	= afsx_umount_begin,
	.show_devname	= afsx_show_devname,
	.show_options	= afsx_show_options,
};

static struct inode *afsx_root_inode(struct super_block *sb,
				     const struct afsx_caller *by)
{
	struct afsx_sb *sbi = AFSX_SB(sb);
	struct afsx_fid fid = {
		.vnode	= AFSX_ROOT_VNODE,
		.unique	= AFSX_ROOT_UNIQUE,
	};
	struct inode *inode;

	if (sbi->dyn) {
		sb->s_d_op = &afsx_dynroot_dentry_ops;
		return afsx_dynroot_iget(sb);
	}
	sb->s_d_op = &afsx_dentry_ops;
	snprintf(sb->s_id, sizeof(sb->s_id), "%u", sbi->volume->vid);
	rcu_assign_pointer(sbi->volume->sb, sb);

	fid.vid = sbi->volume->vid;
	inode = afsx_iget_fetch(sb, &fid, by);
	if (!IS_ERR(inode) && sbi->autocell)
		set_bit(AFSX_V_AUTOCELL, &AFSX_V(inode)->flags);
	return inode;
}

static int afsx_fill_super(struct super_block *sb, struct fs_context *fc)
{
	const struct afsx_mount_params *params = fc->fs_private;
	struct inode *root;
	int ret;

	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_magic = AFSX_FS_MAGIC;
	sb->s_time_gran = NSEC_PER_SEC;
	sb->s_time_min = 0;
	sb->s_time_max = U32_MAX;
	sb->s_op = &afsx_super_ops;
	ret = super_setup_bdi(sb);
	if (ret)
		return ret;

	root = afsx_root_inode(sb, &params->by);
	if (IS_ERR(root)) {
		errorfc(fc, "root directory of '%s': %pe",
			params->source ?: "none", root);
		return PTR_ERR(root);
	}
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;
	sb->s_flags |= SB_ACTIVE;
	return 0;
}

/* A second mount shares the superblock, it cannot ask it to be different. */
static int afsx_check_shared(struct fs_context *fc, const struct afsx_sb *sbi)
{
	const struct afsx_mount_params *params = fc->fs_private;
	const char *differs = NULL;

	if (afsx_given(params, AFSX_OPT_FLOCK) && params->flock != sbi->flock)
		differs = "flock=";
	else if (afsx_given(params, AFSX_OPT_AUTOCELL) &&
		 params->autocell != sbi->autocell)
		differs = "autocell";
	if (!differs)
		return 0;
	errorfc(fc, "'%s' is mounted already with another %s (remount can change it)",
		params->source ?: "none", differs);
	return -EBUSY;
}

int afsx_get_tree(struct fs_context *fc)
{
	struct afsx_mount_params *params = fc->fs_private;
	struct super_block *sb;
	int ret;

	params->net = afsx_net(fc->net_ns);
	ret = params->dyn ? afsx_params_check_dyn(fc) : afsx_params_resolve(fc);
	if (ret)
		return ret;

	fc->s_fs_info = afsx_sb_alloc(fc);
	if (!fc->s_fs_info)
		return -ENOMEM;
	fc->sb_flags |= SB_RDONLY;
	sb = sget_fc(fc, afsx_test_super, set_anon_super_fc);
	if (IS_ERR(sb))
		return PTR_ERR(sb);

	if (sb->s_root) {
		ret = afsx_check_shared(fc, AFSX_SB(sb));
		if (ret == 0 && !params->dyn &&
		    !afsx_sb_trusted(fc, AFSX_SB(sb)->cell))
			afsx_sb_distrust(sb);
	} else {
		ret = afsx_fill_super(sb, fc);
	}
	if (ret) {
		deactivate_locked_super(sb);
		return ret;
	}
	fc->root = dget(sb->s_root);
	return 0;
}

/* Does what was parsed name the volume of a superblock? */
static bool afsx_same_source(const struct afsx_mount_params *params,
			     const struct afsx_sb *sbi)
{
	const struct afsx_source *src = &params->src;
	const struct afsx_volume *volume = sbi->volume;
	const char *cell = src->cell.len ? src->cell.p : params->cell_name;
	size_t len = src->cell.len ?: (cell ? strlen(cell) : 0);

	if (len && (len != strlen(sbi->cell->name) ||
		    strncasecmp(cell, sbi->cell->name, len)))
		return false;
	if (src->force && src->type != volume->type)
		return false;
	if (src->numeric)
		return src->vid == volume->vid;
	return src->volume.len == strlen(volume->name) &&
	       !memcmp(src->volume.p, volume->name, src->volume.len);
}

static int afsx_remount_source(struct fs_context *fc, const struct afsx_sb *sbi)
{
	const struct afsx_mount_params *params = fc->fs_private;
	char name[AFSX_SOURCE_BUF];

	afsx_sb_name(sbi, name, sizeof(name));
	if (sbi->dyn) {
		if (params->vol_name || params->cell_name)
			return invalfc(fc, "remount cannot make a volume of the dynamic root");
		return 0;
	}
	if (params->dyn)
		return invalfc(fc, "remount cannot make a dynamic root of '%s'",
			       name);
	if (params->rwpath && sbi->volume->type != AFSX_VOL_RW)
		return invalfc(fc, "remount cannot apply rwpath to '%s'", name);
	if (params->source ? !afsx_same_source(params, sbi) :
	    params->cell_name && strcasecmp(params->cell_name, sbi->cell->name))
		return invalfc(fc, "remount cannot change the volume '%s'", name);
	return 0;
}

int afsx_remount_check(struct fs_context *fc, const struct afsx_sb *sbi)
{
	bool write = fc->sb_flags_mask & ~fc->sb_flags & SB_RDONLY;

	if (write && !sbi->dyn && sbi->volume->type != AFSX_VOL_RW)
		errorfc(fc, "%s volume '%s' of cell '%s' can never be written",
			sbi->volume->type == AFSX_VOL_RO ? "read-only" : "backup",
			sbi->volume->name, sbi->cell->name);
	else if (write)
		errorfc(fc, "this version reads only: remount with ro");
	if (write)
		return -EROFS;
	return afsx_remount_source(fc, sbi);
}

int afsx_reconfigure(struct fs_context *fc)
{
	const struct afsx_mount_params *params = fc->fs_private;
	struct super_block *sb = fc->root->d_sb;
	struct afsx_sb *sbi = AFSX_SB(sb);
	int ret;

	if (!sbi->dyn && (params->vol_name || fc->source)) {
		ret = afsx_params_parse(fc);
		if (ret)
			return ret;
	}
	ret = afsx_remount_check(fc, sbi);
	if (ret)
		return ret;

	if (afsx_given(params, AFSX_OPT_FLOCK))
		WRITE_ONCE(sbi->flock, params->flock);
	if (afsx_given(params, AFSX_OPT_AUTOCELL)) {
		WRITE_ONCE(sbi->autocell, params->autocell);
		assign_bit(AFSX_V_AUTOCELL, &AFSX_V(d_inode(sb->s_root))->flags,
			   params->autocell);
	}
	return 0;
}

static void afsx_kill_sb(struct super_block *sb)
{
	struct afsx_sb *sbi = AFSX_SB(sb);

	/* The callback service finds no more inodes while they are evicted. */
	if (sbi->volume)
		RCU_INIT_POINTER(sbi->volume->sb, NULL);
	kill_anon_super(sb);
	afsx_sb_free(sbi);
}

struct file_system_type afsx_fs_type = {
	.owner			= THIS_MODULE,
	.name			= "afsx",
	.init_fs_context	= afsx_init_fs_context,
	.parameters		= afsx_fs_parameters,
	.kill_sb		= afsx_kill_sb,
};
EXPORT_SYMBOL_IF_KUNIT(afsx_fs_type);
