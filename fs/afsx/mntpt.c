// SPDX-License-Identifier: GPL-2.0
/*
 * AFS mount points: automounts that expire.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/key.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/printk.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "cell.h"
#include "mntpt.h"
#include "net.h"
#include "security.h"
#include "super.h"
#include "symlink.h"
#include "validate.h"
#include "vnode.h"
#include "volume.h"

static unsigned int mountpoint_timeout = 600;
module_param(mountpoint_timeout, uint, 0644);
MODULE_PARM_DESC(mountpoint_timeout, "seconds until an unused automounted volume is unmounted");

static void afsx_mntpt_expire(struct work_struct *work);

static LIST_HEAD(afsx_automounts);	/* guarded by the VFS */
static DECLARE_DELAYED_WORK(afsx_expire_work, afsx_mntpt_expire);

static void afsx_mntpt_schedule(void)
{
	unsigned long secs = max(READ_ONCE(mountpoint_timeout), 1U);

	queue_delayed_work(afsx_wq, &afsx_expire_work,
			   min(secs, MAX_JIFFY_OFFSET / HZ) * HZ);
}

/* A mount goes that nobody used between two runs. */
static void afsx_mntpt_expire(struct work_struct *work)
{
	if (list_empty(&afsx_automounts))
		return;
	mark_mounts_for_expiry(&afsx_automounts);
	afsx_mntpt_schedule();
}

void afsx_mntpt_exit(void)
{
	cancel_delayed_work_sync(&afsx_expire_work);
}

static struct key *afsx_mntpt_key(const struct afsx_vnode *vnode)
{
	return vnode->volume ? afsx_key_get(vnode->volume->cell) : NULL;
}

/* What a mount point leads to depends on the mount it lies in. */
static int afsx_mntpt_params(struct fs_context *fc, struct dentry *dentry)
{
	struct afsx_sb *parent = AFSX_SB(dentry->d_sb);
	struct afsx_vnode *vnode = AFSX_V(d_inode(dentry));
	struct afsx_mount_params *params = fc->fs_private;
	struct key *key;
	char *target;
	int ret;

	put_net(fc->net_ns);
	fc->net_ns = get_net(parent->net_ns);
	if (parent->cell)
		params->cell = afsx_cell_get(parent->cell);
	params->rwpath = parent->rwpath;
	params->suid_cell = parent->suid ? parent->cell : NULL;
	params->by.group = &parent->calls;

	key = afsx_mntpt_key(vnode);
	target = afsx_link_dup(vnode, key);
	key_put(key);
	if (IS_ERR(target))
		return PTR_ERR(target);
	ret = vfs_parse_fs_string(fc, "source", target, strlen(target));
	kfree(target);
	return ret;
}

/*
 * Nobody reads the context's log here. Its first message, "e PREFIX: REASON\n",
 * goes to the kernel's, but not as often as anybody likes to cause it. It quotes
 * what the server says, as does the name: line ends and the like are escaped.
 */
static void afsx_mntpt_report(const struct fc_log *log, struct dentry *dentry)
{
	struct name_snapshot name;
	const char *reason;

	if (log->head == log->tail)
		return;
	reason = strstr(log->buffer[log->tail % ARRAY_SIZE(log->buffer)], ": ");
	if (!reason)
		return;
	reason += strlen(": ");
	take_dentry_name_snapshot(&name, dentry);
	pr_err_ratelimited("mount point '%*pE': %*pE\n", (int)name.name.len,
			   name.name.name, (int)strlen(reason) - 1, reason);
	release_dentry_name_snapshot(&name);
}

static struct vfsmount *afsx_mntpt_mount(struct dentry *dentry)
{
	struct fs_context *fc;
	struct vfsmount *mnt;
	struct fc_log *log;
	int ret = -ENOMEM;

	fc = fs_context_for_submount(dentry->d_sb->s_type, dentry);
	if (IS_ERR(fc))
		return ERR_CAST(fc);
	log = kzalloc(sizeof(*log), GFP_KERNEL);
	if (log) {
		refcount_set(&log->usage, 1);
		fc->log.log = log;	/* put with the context */
		ret = afsx_mntpt_params(fc, dentry);
	}
	mnt = ret ? ERR_PTR(ret) : fc_mount(fc);
	if (log && IS_ERR(mnt))
		afsx_mntpt_report(log, dentry);
	put_fs_context(fc);
	return mnt;
}

struct vfsmount *afsx_d_automount(struct path *path)
{
	struct vfsmount *mnt = afsx_mntpt_mount(path->dentry);

	if (IS_ERR(mnt))
		return mnt;
	/* The caller wants a second reference, against immediate expiry. */
	mntget(mnt);
	mnt_set_expiry(mnt, &afsx_automounts);
	afsx_mntpt_schedule();
	return mnt;
}

static int afsx_mntpt_open(struct inode *inode, struct file *file)
{
	return -EREMOTE;
}

static struct dentry *afsx_mntpt_lookup(struct inode *dir,
					struct dentry *dentry,
					unsigned int flags)
{
	return ERR_PTR(-EREMOTE);
}

/* readlink(2) shows where a mount point leads. */
static int afsx_mntpt_readlink(struct dentry *dentry, char __user *buf, int len)
{
	struct afsx_vnode *vnode = AFSX_V(d_inode(dentry));
	struct key *key = afsx_mntpt_key(vnode);
	char *target = afsx_link_dup(vnode, key);

	key_put(key);
	if (IS_ERR(target))
		return PTR_ERR(target);
	len = min_t(size_t, len, strlen(target));
	if (copy_to_user(buf, target, len))
		len = -EFAULT;
	kfree(target);
	return len;
}

const struct file_operations afsx_mntpt_file_ops = {
	.open		= afsx_mntpt_open,
};

const struct inode_operations afsx_mntpt_inode_ops = {
	.lookup		= afsx_mntpt_lookup,
	.readlink	= afsx_mntpt_readlink,
	.getattr	= afsx_getattr,
};
