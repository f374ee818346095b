// SPDX-License-Identifier: GPL-2.0
/*
 * Regular files: the data path through netfs.
 */
#include <linux/fs.h>
#include <linux/key.h>
#include <linux/netfs.h>
#include <linux/pagemap.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include "cell.h"
#include "file.h"
#include "mmap.h"
#include "security.h"
#include "validate.h"
#include "vnode.h"
#include "volume.h"

/* Most bytes of one FetchData64 */
#define AFSX_READ_MAX	SZ_4M

struct workqueue_struct *afsx_io_wq;

int afsx_file_init(void)
{
	afsx_io_wq = alloc_workqueue("afsx-io", WQ_UNBOUND, 0);
	return afsx_io_wq ? 0 : -ENOMEM;
}

void afsx_file_exit(void)
{
	destroy_workqueue(afsx_io_wq);
}

int afsx_open(struct inode *inode, struct file *file)
{
	struct afsx_vnode *vnode = AFSX_V(inode);
	struct key *key = afsx_key_get(vnode->volume->cell);
	int ret;

	ret = afsx_validate(vnode, key);
	if (ret) {
		key_put(key);
		return ret;
	}
	file->private_data = key;
	return 0;
}

int afsx_release(struct inode *inode, struct file *file)
{
	key_put(file->private_data);
	return 0;
}

/* Make both the attributes and the cached pages current. */
static int afsx_file_begin(struct file *file)
{
	struct afsx_vnode *vnode = AFSX_V(file_inode(file));
	int ret = afsx_validate(vnode, file->private_data);

	return ret ?: afsx_vnode_zap(vnode);
}

static loff_t afsx_file_llseek(struct file *file, loff_t offset, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR) {
		int ret = afsx_validate(AFSX_V(file_inode(file)),
					file->private_data);

		if (ret)
			return ret;
	}
	return generic_file_llseek(file, offset, whence);
}

static ssize_t afsx_file_read_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	int ret = afsx_file_begin(iocb->ki_filp);

	if (ret)
		return ret;
	/* A direct read would go and ask the server. */
	if (iocb->ki_pos >= i_size_read(inode))
		return 0;
	return netfs_file_read_iter(iocb, iter);
}

static ssize_t afsx_file_splice_read(struct file *in, loff_t *ppos,
				     struct pipe_inode_info *pipe, size_t len,
				     unsigned int flags)
{
	struct inode *inode = file_inode(in);
	ssize_t ret = afsx_file_begin(in);

	if (ret)
		return ret;
	ret = netfs_start_io_read(inode);
	if (ret)
		return ret;
	ret = filemap_splice_read(in, ppos, pipe, len, flags);
	netfs_end_io_read(inode);
	return ret;
}

/*
 * Less than was asked for is right at the end of the file only, as the status in
 * the same reply has it. Anything else is an error: the rest would read as zeros.
 */
static int afsx_judge_read(struct netfs_io_subrequest *subreq, u64 got, u64 want,
			   const struct afsx_status *status)
{
	if (got > want)
		return -EIO;
	subreq->transferred += got;
	if (got == want)
		return 0;
	if (subreq->start + subreq->transferred < status->size)
		return -EIO;
	__set_bit(NETFS_SREQ_HIT_EOF, &subreq->flags);
	return 0;
}

static int afsx_fetch_data(struct netfs_io_subrequest *subreq)
{
	struct netfs_io_request *rreq = subreq->rreq;
	struct afsx_vnode *vnode = AFSX_V(rreq->inode);
	size_t want = subreq->len - subreq->transferred;
	struct afsx_status status;
	ssize_t got;

	got = afsx_vnode_fetch(vnode, rreq->netfs_priv,
			       subreq->start + subreq->transferred, want,
			       &subreq->io_iter, &status);
	return got < 0 ? got : afsx_judge_read(subreq, got, want, &status);
}

static void afsx_read_work(struct work_struct *work)
{
	struct netfs_io_subrequest *subreq =
		container_of(work, struct netfs_io_subrequest, work);

	subreq->error = afsx_fetch_data(subreq);
	netfs_read_subreq_terminated(subreq);
}

/* Readahead is for later, so it must not hold its caller up. */
static void afsx_issue_read(struct netfs_io_subrequest *subreq)
{
	struct netfs_io_request *rreq = subreq->rreq;

	INIT_WORK(&subreq->work, afsx_read_work);
	if (rreq->origin == NETFS_READAHEAD || rreq->iocb)
		queue_work(afsx_io_wq, &subreq->work);
	else
		afsx_read_work(&subreq->work);
}

static int afsx_init_request(struct netfs_io_request *rreq, struct file *file)
{
	/* A call must fit its time limit on a slow link. */
	rreq->io_streams[0].sreq_max_len = AFSX_READ_MAX;
	if (file)
		rreq->netfs_priv = key_get(file->private_data);
	return 0;
}

static void afsx_free_request(struct netfs_io_request *rreq)
{
	key_put(rreq->netfs_priv);
}

const struct netfs_request_ops afsx_netfs_ops = {
	.init_request	= afsx_init_request,
	.free_request	= afsx_free_request,
	.issue_read	= afsx_issue_read,
};

const struct address_space_operations afsx_file_aops = {
	.read_folio	= netfs_read_folio,
	.readahead	= netfs_readahead,
	.release_folio	= netfs_release_folio,
	.invalidate_folio = netfs_invalidate_folio,
	.direct_IO	= noop_direct_IO,
	.migrate_folio	= filemap_migrate_folio,
};

const struct file_operations afsx_file_ops = {
	.open		= afsx_open,
	.release	= afsx_release,
	.llseek		= afsx_file_llseek,
	.read_iter	= afsx_file_read_iter,
	.splice_read	= afsx_file_splice_read,
	.mmap		= afsx_mmap,
	.fsync		= noop_fsync,
};

const struct inode_operations afsx_file_inode_ops = {
	.getattr	= afsx_getattr,
	.permission	= afsx_permission,
};
