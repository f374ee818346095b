// SPDX-License-Identifier: GPL-2.0
/*
 * Memory mappings of files.
 *
 * A page fault validates the file as read(2) does. A page that is mapped causes
 * no faults, so a broken promise unmaps it, and so does a newer data version, which
 * may be learnt of without a break. Files that are mapped are in a list; a file
 * leaves it with its last mapping, after which the work is flushed. So the work
 * needs no reference: a mapping holds the file.
 */
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "callback.h"
#include "file.h"
#include "mmap.h"
#include "validate.h"
#include "vnode.h"

/* Guards afsx_mapped, afsx_vnode.nr_mapped and .mapped. */
static DEFINE_SPINLOCK(afsx_mapped_lock);
static LIST_HEAD(afsx_mapped);

/*
 * A fault that found its page good may be about to map it: until then the page
 * is locked. One that locks a page later sees that it is not good any more.
 */
static void afsx_unmap_work(struct work_struct *work)
{
	struct afsx_vnode *vnode = container_of(work, struct afsx_vnode,
						unmap_work);
	struct address_space *mapping = afsx_inode(vnode)->i_mapping;

	/* Pairs with the barrier in afsx_recheck_mapping(). */
	smp_mb();
	/* No signal is for a work. */
	afsx_pages_wait(mapping, true);
	unmap_mapping_pages(mapping, 0, 0, false);
}

void afsx_mmap_init(struct afsx_vnode *vnode)
{
	vnode->nr_mapped = 0;
	INIT_LIST_HEAD(&vnode->mapped);
	INIT_WORK(&vnode->unmap_work, afsx_unmap_work);
}

void afsx_mmap_broken(struct afsx_vnode *vnode)
{
	spin_lock(&afsx_mapped_lock);
	if (vnode->nr_mapped)
		queue_work(system_unbound_wq, &vnode->unmap_work);
	spin_unlock(&afsx_mapped_lock);
}

void afsx_mmap_settle(struct afsx_vnode *vnode)
{
	if (test_bit(AFSX_V_ZAP, &vnode->flags))
		flush_work(&vnode->unmap_work);
}

void afsx_mmap_broken_sb(const struct super_block *sb)
{
	struct afsx_vnode *vnode;

	spin_lock(&afsx_mapped_lock);
	list_for_each_entry(vnode, &afsx_mapped, mapped)
		if (!sb || afsx_inode(vnode)->i_sb == sb)
			queue_work(system_unbound_wq, &vnode->unmap_work);
	spin_unlock(&afsx_mapped_lock);
}

static void afsx_vma_open(struct vm_area_struct *vma)
{
	struct afsx_vnode *vnode = AFSX_V(file_inode(vma->vm_file));

	spin_lock(&afsx_mapped_lock);
	if (!vnode->nr_mapped++)
		list_add(&vnode->mapped, &afsx_mapped);
	spin_unlock(&afsx_mapped_lock);
}

static void afsx_vma_close(struct vm_area_struct *vma)
{
	struct afsx_vnode *vnode = AFSX_V(file_inode(vma->vm_file));
	bool last;

	spin_lock(&afsx_mapped_lock);
	last = !--vnode->nr_mapped;
	if (last)
		list_del_init(&vnode->mapped);
	spin_unlock(&afsx_mapped_lock);
	if (last)
		flush_work(&vnode->unmap_work);
}

/*
 * The promise may have been broken or a newer version have come in, and the pages
 * have been unmapped, before those of this fault, mapped or locked by now, were.
 * Without a promise from the start nothing was broken.
 */
static void afsx_recheck_mapping(struct afsx_vnode *vnode, bool held)
{
	/* Pairs with the barrier in afsx_unmap_work(). */
	smp_mb();
	if (test_bit(AFSX_V_ZAP, &vnode->flags) ||
	    (held && !afsx_promise_holds(vnode)))
		afsx_mmap_broken(vnode);
}

static vm_fault_t afsx_fault(struct vm_fault *vmf)
{
	struct file *file = vmf->vma->vm_file;
	struct afsx_vnode *vnode = AFSX_V(file_inode(file));
	vm_fault_t fault;
	bool held;
	int ret;

	ret = afsx_validate(vnode, file->private_data);
	if (!ret)
		ret = afsx_vnode_zap(vnode);
	if (ret)
		return vmf_error(ret);
	held = afsx_promise_holds(vnode);
	fault = filemap_fault(vmf);
	/* Then nothing will be mapped, and the lock that keeps the file is given up. */
	if (fault & (VM_FAULT_RETRY | VM_FAULT_ERROR))
		return fault;
	afsx_recheck_mapping(vnode, held);
	return fault;
}

/* Cannot sleep: what is not known to be current is left to afsx_fault(). */
static vm_fault_t afsx_map_pages(struct vm_fault *vmf, pgoff_t start,
				 pgoff_t end)
{
	struct afsx_vnode *vnode = AFSX_V(file_inode(vmf->vma->vm_file));
	vm_fault_t fault;

	if (test_bit(AFSX_V_ZAP, &vnode->flags) || !afsx_promise_holds(vnode))
		return 0;
	fault = filemap_map_pages(vmf, start, end);
	afsx_recheck_mapping(vnode, true);
	return fault;
}

static const struct vm_operations_struct afsx_vm_ops = {
	.open		= afsx_vma_open,
	.close		= afsx_vma_close,
	.fault		= afsx_fault,
	.map_pages	= afsx_map_pages,
};

int afsx_mmap(struct file *file, struct vm_area_struct *vma)
{
	int ret = afsx_validate(AFSX_V(file_inode(file)), file->private_data);

	if (ret)
		return ret;
	ret = generic_file_readonly_mmap(file, vma);
	if (ret)
		return ret;
	vma->vm_ops = &afsx_vm_ops;
	afsx_vma_open(vma);
	return 0;
}
