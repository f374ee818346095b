// SPDX-License-Identifier: GPL-2.0
/*
 * Symbolic links, and the targets of AFS mount points, which are stored alike.
 */
#include <linux/fs.h>
#include <linux/key.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "callback.h"
#include "cell.h"
#include "security.h"
#include "symlink.h"
#include "validate.h"
#include "vnode.h"
#include "volume.h"

/*
 * Read the target into a buffer with room for AFSX_PATH_MAX bytes and a NUL.
 * @version: out: the data version that it is of.
 */
static int afsx_link_read(struct afsx_vnode *vnode, struct key *key, char *buf,
			  u64 *version)
{
	struct kvec vec = { .iov_base = buf, .iov_len = AFSX_PATH_MAX };
	struct afsx_status status;
	struct iov_iter iter;
	ssize_t got;

	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, vec.iov_len);
	got = afsx_vnode_fetch(vnode, key, 0, AFSX_PATH_MAX, &iter, &status);
	if (got < 0)
		return got;
	if (status.size > AFSX_PATH_MAX)
		return -ENAMETOOLONG;
	if (!got || got != status.size)
		return -EIO;
	buf[got] = '\0';
	*version = status.data_version;
	return strlen(buf) == got ? 0 : -EIO;
}

/* fetch_lock held. */
static int afsx_link_fetch(struct afsx_vnode *vnode, struct key *key)
{
	char *buf, *link, *old;
	u64 version;
	int ret;

	buf = kmalloc(AFSX_PATH_MAX + 1, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	ret = afsx_link_read(vnode, key, buf, &version);
	link = ret ? NULL : kstrdup(buf, GFP_KERNEL_ACCOUNT);
	kfree(buf);
	if (ret)
		return ret;
	if (!link)
		return -ENOMEM;
	old = rcu_replace_pointer(vnode->link, link,
				  lockdep_is_held(&vnode->fetch_lock));
	afsx_vnode_zapped(vnode, version);
	kfree_rcu_mightsleep(old);
	return 0;
}

char *afsx_link_dup(struct afsx_vnode *vnode, struct key *key)
{
	char *link;
	int ret;

	ret = afsx_validate(vnode, key);
	if (!ret)
		ret = mutex_lock_killable(&vnode->fetch_lock);
	if (ret)
		return ERR_PTR(ret);
	if (!rcu_access_pointer(vnode->link) ||
	    test_bit(AFSX_V_ZAP, &vnode->flags))
		ret = afsx_link_fetch(vnode, key);
	link = rcu_dereference_protected(vnode->link,
					 lockdep_is_held(&vnode->fetch_lock));
	link = ret ? ERR_PTR(ret) : kstrdup(link, GFP_KERNEL);
	mutex_unlock(&vnode->fetch_lock);
	return link ?: ERR_PTR(-ENOMEM);
}

/*
 * The walk may leave RCU while it still follows the string, which another task
 * may replace: it gets a copy.
 */
static const char *afsx_get_link_rcu(struct afsx_vnode *vnode,
				     struct delayed_call *done)
{
	const char *link = rcu_dereference(vnode->link);
	char *copy;

	if (!link || test_bit(AFSX_V_ZAP, &vnode->flags) ||
	    !afsx_promise_holds(vnode))
		return ERR_PTR(-ECHILD);
	copy = kstrdup(link, GFP_ATOMIC | __GFP_NOWARN);
	if (!copy)
		return ERR_PTR(-ECHILD);
	set_delayed_call(done, kfree_link, copy);
	return copy;
}

static const char *afsx_get_link(struct dentry *dentry, struct inode *inode,
				 struct delayed_call *done)
{
	struct afsx_vnode *vnode = AFSX_V(inode);
	struct key *key;
	char *link;

	if (!dentry)
		return afsx_get_link_rcu(vnode, done);
	key = afsx_key_get(vnode->volume->cell);
	link = afsx_link_dup(vnode, key);
	key_put(key);
	if (!IS_ERR(link))
		set_delayed_call(done, kfree_link, link);
	return link;
}

const struct inode_operations afsx_symlink_inode_ops = {
	.get_link	= afsx_get_link,
	.getattr	= afsx_getattr,
};
