// SPDX-License-Identifier: GPL-2.0
/*
 * Keeping what an inode says current: applying what servers send, asking them
 * when there is no promise, dropping what is out of date.
 */
#include <linux/fs.h>
#include <linux/iversion.h>
#include <linux/key.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/stat.h>
#include <kunit/visibility.h>
#include <afsx/rpc.h>

#include "callback.h"
#include "mmap.h"
#include "op.h"
#include "security.h"
#include "super.h"
#include "validate.h"
#include "vnode.h"
#include "volume.h"

void afsx_op_init_vnode(struct afsx_op *op, struct afsx_vnode *vnode,
			struct key *key)
{
	*op = (struct afsx_op) {
		.volume		= vnode->volume,
		.by.key		= key,
		.by.group	= &AFSX_SB(afsx_inode(vnode)->i_sb)->calls,
		.killable	= true,
	};
}

int afsx_vnode_check_status(const struct afsx_fid *fid,
			    const struct afsx_status *status)
{
	bool dir = status->type == AFSX_FTYPE_DIR;

	if (status->if_version != AFSX_STATUS_VERSION)
		return -EIO;
	if (status->type < AFSX_FTYPE_FILE || status->type > AFSX_FTYPE_SYMLINK)
		return -EIO;
	/* A directory has an odd vnode number, nothing else has. */
	if (!fid->vnode || (fid->vnode & 1) != dir)
		return -EIO;
	if (status->size > MAX_LFS_FILESIZE)
		return -EIO;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_vnode_check_status);

bool afsx_status_is_mntpt(const struct afsx_status *status)
{
	return status->type == AFSX_FTYPE_SYMLINK && !(status->mode & 0111);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_status_is_mntpt);

umode_t afsx_status_mode(const struct afsx_status *status)
{
	if (afsx_status_is_mntpt(status))
		return S_IFDIR | 0555;
	switch (status->type) {
	case AFSX_FTYPE_DIR:
		return S_IFDIR | (status->mode & S_IALLUGO);
	case AFSX_FTYPE_SYMLINK:
		return S_IFLNK | 0777;
	default:
		return S_IFREG | (status->mode & S_IALLUGO);
	}
}
EXPORT_SYMBOL_IF_KUNIT(afsx_status_mode);

/* cb_lock held for writing. */
static void afsx_apply_attrs(struct inode *inode,
			     const struct afsx_status *status)
{
	struct afsx_vnode *vnode = AFSX_V(inode);
	umode_t mode = afsx_status_mode(status);

	if (!READ_ONCE(AFSX_SB(inode->i_sb)->suid))
		mode &= ~(S_ISUID | S_ISGID);
	/* Nobody must see the bits before they are taken away. */
	WRITE_ONCE(inode->i_mode, mode);
	i_uid_write(inode, status->owner);
	i_gid_write(inode, status->group);
	set_nlink(inode, status->nlink);
	inode_set_mtime(inode, status->mtime_client, 0);
	inode_set_atime(inode, status->mtime_client, 0);
	inode_set_ctime(inode, status->mtime_server, 0);
	i_size_write(inode, status->size);
	inode->i_blocks = DIV_ROUND_UP_ULL(status->size, SECTOR_SIZE);
	inode_set_iversion_raw(inode, status->data_version);
	vnode->netfs.remote_i_size = status->size;

	if (vnode->data_version != status->data_version) {
		vnode->data_version = status->data_version;
		if (vnode->status_time)
			set_bit(AFSX_V_ZAP, &vnode->flags);
	}
	clear_bit(AFSX_V_DELETED, &vnode->flags);
}

void afsx_vnode_drop_setid(struct afsx_vnode *vnode)
{
	struct inode *inode = afsx_inode(vnode);

	write_seqlock(&vnode->cb_lock);
	WRITE_ONCE(inode->i_mode, inode->i_mode & ~(S_ISUID | S_ISGID));
	write_sequnlock(&vnode->cb_lock);
}

/**
 * struct afsx_applied - what afsx_apply() works from
 * @op: the operation
 * @status: status from its reply
 * @cb: promise from its reply, or NULL
 * @counter: count of broken promises to look at
 * @breaks: what it was when the call was issued
 */
struct afsx_applied {
	const struct afsx_op		*op;
	const struct afsx_status	*status;
	const struct afsx_callback	*cb;
	const atomic_t			*counter;
	u32				breaks;
};

static bool afsx_unbroken(const struct afsx_applied *a)
{
	return a->breaks == (u32)atomic_read(a->counter);
}

/*
 * Replies may overtake each other. One that was under way while a newer data
 * version came in tells of the past; one that was sent later and still has a
 * lower version tells of a volume that was restored.
 *
 * Mode, owner and rights change without the data version. What is promised is
 * at least as new as a reply that was under way and brings no promise itself.
 *
 * cb_lock held.
 */
static bool afsx_status_overtaken(const struct afsx_vnode *vnode,
				  const struct afsx_applied *a)
{
	u64 version = a->status->data_version;

	if (!ktime_before(a->op->issued, vnode->status_time))
		return false;
	if (version != vnode->data_version)
		return version < vnode->data_version;
	return !(a->cb && afsx_unbroken(a)) && afsx_promise_judge(vnode);
}

static int afsx_apply(struct afsx_vnode *vnode, const struct afsx_applied *a)
{
	struct inode *inode = afsx_inode(vnode);
	bool gap = !afsx_promise_holds(vnode);
	bool moved = false;
	int ret;

	ret = afsx_vnode_check_status(&vnode->fid, a->status);
	if (ret)
		return ret;
	if ((inode->i_mode ^ afsx_status_mode(a->status)) & S_IFMT)
		return -ESTALE;

	write_seqlock(&vnode->cb_lock);
	if (!afsx_status_overtaken(vnode, a)) {
		moved = vnode->data_version != a->status->data_version;
		afsx_apply_attrs(inode, a->status);
		if (gap)
			vnode->permit_stamp++;
		afsx_permit_note(vnode, a->op->by.key, a->status->caller_access);
		if (a->cb)
			afsx_promise_set(vnode, a->op, a->cb, afsx_unbroken(a));
		vnode->status_time = ktime_get_boottime();
	}
	write_sequnlock(&vnode->cb_lock);
	if (moved)
		afsx_mmap_broken(vnode);
	return 0;
}

int afsx_vnode_apply(struct afsx_vnode *vnode, const struct afsx_op *op,
		     const struct afsx_status *status,
		     const struct afsx_callback *cb, u32 breaks)
{
	return afsx_apply(vnode, &(struct afsx_applied) {
		.op	 = op,
		.status	 = status,
		.cb	 = cb,
		.counter = &vnode->cb_breaks,
		.breaks	 = breaks,
	});
}
EXPORT_SYMBOL_IF_KUNIT(afsx_vnode_apply);

int afsx_vnode_apply_new(struct afsx_vnode *vnode, const struct afsx_op *op,
			 const struct afsx_status *status,
			 const struct afsx_callback *cb)
{
	/*
	 * Pairs with the barrier between counting a break and looking for its
	 * vnode: either the count is seen here or the vnode is found there.
	 */
	smp_mb();
	return afsx_apply(vnode, &(struct afsx_applied) {
		.op	 = op,
		.status	 = status,
		.cb	 = cb,
		.counter = &vnode->volume->cb_breaks,
		.breaks	 = op->cb_breaks,
	});
}

void afsx_vnode_gone(struct afsx_vnode *vnode)
{
	struct inode *inode = afsx_inode(vnode);

	/* A reply that is under way must bring no promise. */
	atomic_inc(&vnode->cb_breaks);
	atomic_inc(&vnode->volume->cb_breaks);
	afsx_promise_drop(vnode);
	write_seqlock(&vnode->cb_lock);
	set_bit(AFSX_V_DELETED, &vnode->flags);
	clear_nlink(inode);
	write_sequnlock(&vnode->cb_lock);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_vnode_gone);

/* Run an operation that brings the status of a vnode in memory, and apply that. */
static int afsx_vnode_ask(struct afsx_vnode *vnode, struct afsx_op *op,
			  struct afsx_status_reply *reply)
{
	u32 breaks = atomic_read(&vnode->cb_breaks);
	int ret;

	op->reply = reply;
	ret = afsx_op_run(op);
	if (!ret)
		ret = afsx_vnode_apply(vnode, op, &reply->status, &reply->cb,
				       breaks);
	if (ret == -ESTALE)
		afsx_vnode_gone(vnode);
	afsx_op_release(op);
	return ret;
}

static int afsx_fetch_status(struct afsx_vnode *vnode, struct key *key,
			     u32 *access)
{
	struct afsx_fetch_status_args args = { .fid = vnode->fid };
	struct afsx_status_reply reply;
	struct afsx_op op;
	int ret;

	afsx_op_init_vnode(&op, vnode, key);
	op.rpc_id = AFSX_FS_FETCH_STATUS;
	op.args = &args;
	ret = afsx_vnode_ask(vnode, &op, &reply);
	if (!ret && access)
		*access = reply.status.caller_access;
	return ret;
}

ssize_t afsx_vnode_fetch(struct afsx_vnode *vnode, struct key *key, u64 pos,
			 size_t len, struct iov_iter *data,
			 struct afsx_status *status)
{
	struct afsx_fetch_data_args args = {
		.fid	= vnode->fid,
		.pos	= pos,
		.len	= len,
	};
	struct afsx_status_reply reply;
	struct afsx_op op;
	int ret;

	afsx_op_init_vnode(&op, vnode, key);
	op.rpc_id = AFSX_FS_FETCH_DATA64;
	op.args = &args;
	op.data = data;
	ret = afsx_vnode_ask(vnode, &op, &reply);
	if (ret)
		return ret;
	*status = reply.status;
	return op.data_len;
}

static bool afsx_vnode_current(const struct afsx_vnode *vnode)
{
	if (test_bit(AFSX_V_PSEUDO, &vnode->flags))
		return true;
	return !test_bit(AFSX_V_DELETED, &vnode->flags) &&
	       afsx_promise_holds(vnode);
}

int afsx_validate(struct afsx_vnode *vnode, struct key *key)
{
	int ret;

	if (afsx_vnode_current(vnode))
		return 0;
	if (test_bit(AFSX_V_DELETED, &vnode->flags))
		return -ESTALE;
	ret = mutex_lock_killable(&vnode->validate_lock);
	if (ret)
		return ret;
	if (!afsx_promise_holds(vnode))
		ret = afsx_fetch_status(vnode, key, NULL);
	mutex_unlock(&vnode->validate_lock);
	afsx_mmap_settle(vnode);
	return ret;
}

int afsx_revalidate(struct afsx_vnode *vnode, struct key *key, u32 *access)
{
	int ret = mutex_lock_killable(&vnode->validate_lock);

	if (ret)
		return ret;
	ret = afsx_fetch_status(vnode, key, access);
	mutex_unlock(&vnode->validate_lock);
	afsx_mmap_settle(vnode);
	return ret;
}

void afsx_vnode_zapped(struct afsx_vnode *vnode, u64 version)
{
	write_seqlock(&vnode->cb_lock);
	if (vnode->data_version == version)
		clear_bit_unlock(AFSX_V_ZAP, &vnode->flags);
	write_sequnlock(&vnode->cb_lock);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_vnode_zapped);

int afsx_pages_wait(struct address_space *mapping, bool shown)
{
	struct folio_batch batch;
	pgoff_t next = 0;
	unsigned int i;
	int ret = 0;

	folio_batch_init(&batch);
	while (!ret && filemap_get_folios(mapping, &next, ULONG_MAX, &batch)) {
		for (i = 0; i < folio_batch_count(&batch) && !ret; i++)
			if (!shown || folio_test_uptodate(batch.folios[i]))
				ret = folio_wait_locked_killable(batch.folios[i]);
		folio_batch_release(&batch);
		cond_resched();
	}
	return ret;
}

/*
 * The lock keeps out new pages. The flag keeps out readers, to whom pages that
 * are there need no lock, until the old ones are gone. A page being read is locked, and
 * waited for before there is nothing but to wait.
 */
int afsx_vnode_zap(struct afsx_vnode *vnode)
{
	struct address_space *mapping = afsx_inode(vnode)->i_mapping;
	u64 version;
	int ret;

	if (likely(!test_bit_acquire(AFSX_V_ZAP, &vnode->flags)))
		return 0;
	ret = afsx_pages_wait(mapping, false) ?:
	      down_write_killable(&mapping->invalidate_lock);
	if (ret)
		return ret;
	if (test_bit(AFSX_V_ZAP, &vnode->flags)) {
		version = afsx_vnode_version(vnode);
		ret = invalidate_inode_pages2(mapping);
		if (!ret)
			afsx_vnode_zapped(vnode, version);
	}
	filemap_invalidate_unlock(mapping);
	return ret;
}

static void afsx_fill_attrs(struct mnt_idmap *idmap, struct inode *inode,
			    struct kstat *stat, u32 request_mask)
{
	struct afsx_vnode *vnode = AFSX_V(inode);
	unsigned int seq;

	do {
		seq = read_seqbegin(&vnode->cb_lock);
		generic_fillattr(idmap, request_mask, inode, stat);
		if (request_mask & STATX_CHANGE_COOKIE) {
			stat->change_cookie = vnode->data_version;
			stat->result_mask |= STATX_CHANGE_COOKIE;
		}
	} while (read_seqretry(&vnode->cb_lock, seq));
	stat->ino = afsx_fid_ino(vnode->fid.vnode, vnode->fid.unique);
}

int afsx_getattr(struct mnt_idmap *idmap, const struct path *path,
		 struct kstat *stat, u32 request_mask,
		 unsigned int query_flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct afsx_vnode *vnode = AFSX_V(inode);
	bool force = query_flags & AT_STATX_FORCE_SYNC;
	struct key *key;
	int ret = 0;

	/* Without a call to make, finding the key would cost most of the time. */
	if (force || (!(query_flags & AT_STATX_DONT_SYNC) &&
		      !afsx_vnode_current(vnode))) {
		key = afsx_key_get(vnode->volume->cell);
		ret = force ? afsx_revalidate(vnode, key, NULL) :
			      afsx_validate(vnode, key);
		key_put(key);
	}
	if (!ret)
		afsx_fill_attrs(idmap, inode, stat, request_mask);
	return ret;
}
