// SPDX-License-Identifier: MIT
/* Pages, vnodes and volumes of the model, and going back to an earlier state. */
#include <stdlib.h>
#include <string.h>

#include "model.h"

static struct {
	bool used;
	struct volume vol[VOLUMES_MAX];
	u32 next_id;
} saved;

static void *need(void *p)
{
	if (!p)
		wrong("out of memory");
	return p;
}

/* ---- pages ------------------------------------------------------------------ */

struct page *page_new(const struct page *old)
{
	struct page *p = need(calloc(1, sizeof(*p)));

	if (old)
		memcpy(p->data, old->data, BLK_SIZE);
	p->refs = 1;
	w.pages++;
	return p;
}

static void page_release(struct page *p)
{
	if (--p->refs)
		return;
	w.pages--;
	free(p);
}

/* Place of block @nr, or where it would be. */
static size_t block_index(const struct node *n, u64 nr)
{
	size_t low = 0, high = n->nr_blocks;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (n->block[middle].nr < nr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct page *node_block(const struct node *n, u64 nr)
{
	size_t i = block_index(n, nr);

	return i < n->nr_blocks && n->block[i].nr == nr ? n->block[i].page :
							 NULL;
}

void node_put(struct node *n, u64 nr, struct page *page)
{
	size_t i = block_index(n, nr);

	if (i < n->nr_blocks && n->block[i].nr == nr) {
		page_release(n->block[i].page);
		n->block[i].page = page;
		return;
	}
	n->block = need(realloc(n->block,
				(n->nr_blocks + 1) * sizeof(*n->block)));
	memmove(n->block + i + 1, n->block + i,
		(n->nr_blocks - i) * sizeof(*n->block));
	n->nr_blocks++;
	n->block[i] = (struct block){ .nr = nr, .page = page };
}

void node_cut(struct node *n, u64 from)
{
	while (n->nr_blocks && n->block[n->nr_blocks - 1].nr >= from)
		page_release(n->block[--n->nr_blocks].page);
}

/* ---- vnodes ----------------------------------------------------------------- */

static void node_release(struct node *n)
{
	if (--n->refs)
		return;
	node_cut(n, 0);
	free(n->block);
	free(n->entry);
	free(n);
}

static struct node **node_slot(const struct volume *v, u32 vno)
{
	for (u32 i = 0; i < v->nr; i++)
		if (v->node[i]->s.fid.vnode == vno)
			return &v->node[i];
	return NULL;
}

struct node *node_find(const struct volume *v, u32 vno)
{
	struct node **slot = node_slot(v, vno);

	return slot ? *slot : NULL;
}

struct node *node_change(struct volume *v, u32 vno)
{
	struct node **slot = node_slot(v, vno);
	struct node *n;

	if (!slot)
		wrong("the model has no vnode %u", vno);
	if ((*slot)->refs == 1)
		return *slot;
	n = need(malloc(sizeof(*n)));
	*n = **slot;
	n->refs = 1;
	if (n->entry) {
		n->entry = need(malloc(w.names * sizeof(*n->entry)));
		memcpy(n->entry, (*slot)->entry, w.names * sizeof(*n->entry));
	}
	n->block = need(malloc((n->nr_blocks + 1) * sizeof(*n->block)));
	for (size_t i = 0; i < n->nr_blocks; i++) {
		n->block[i] = (*slot)->block[i];
		n->block[i].page->refs++;
	}
	(*slot)->refs--;
	*slot = n;
	return n;
}

struct node *node_add(struct volume *v, const struct afsx_fid *fid,
		      enum afsx_ftype type)
{
	struct node *n = need(calloc(1, sizeof(*n)));

	if (node_find(v, fid->vnode))
		wrong("vnode %u was given out twice", fid->vnode);
	if (fid->vnode != AFSX_ROOT_VNODE && fid->unique < v->next_unique)
		wrong("uniquifier %u was used before", fid->unique);
	if ((fid->vnode & 1) != (type == AFSX_FTYPE_DIR ? 1 : 0))
		wrong("vnode %u is of the wrong parity", fid->vnode);
	v->next_unique = fid->unique + 1;
	v->node = need(realloc(v->node, (v->nr + 1) * sizeof(struct node *)));
	v->node[v->nr++] = n;
	v->v.files++;
	n->refs = 1;
	n->s.fid = *fid;
	n->s.type = type;
	n->s.nlink = type == AFSX_FTYPE_DIR ? 2 : 1;
	if (type == AFSX_FTYPE_DIR)
		n->entry = need(calloc(w.names, sizeof(*n->entry)));
	node_bump(n);
	return n;
}

void node_drop(struct volume *v, u32 vno)
{
	struct node **slot = node_slot(v, vno);

	v->v.used_kib -= (*slot)->s.used_kib;
	v->v.files--;
	node_release(*slot);
	*slot = v->node[--v->nr];
}

void node_bump(struct node *n)
{
	if (n->tx == w.tx_nr)
		return;
	n->s.dv++;
	n->tx = w.tx_nr;
}

/* ---- volumes ---------------------------------------------------------------- */

void tree_copy(struct volume *to, const struct volume *from)
{
	to->node = need(malloc((from->nr + 1) * sizeof(struct node *)));
	to->nr = from->nr;
	to->next_unique = from->next_unique;
	for (u32 i = 0; i < from->nr; i++) {
		to->node[i] = from->node[i];
		to->node[i]->refs++;
	}
}

void tree_free(struct volume *v)
{
	while (v->nr)
		node_release(v->node[--v->nr]);
	free(v->node);
	v->node = NULL;
}

void world_save(void)
{
	for (u32 i = 0; i < VOLUMES_MAX; i++) {
		saved.vol[i] = w.vol[i];
		tree_copy(&saved.vol[i], &w.vol[i]);
	}
	saved.next_id = w.next_id;
	saved.used = true;
}

void world_forget(void)
{
	for (u32 i = 0; saved.used && i < VOLUMES_MAX; i++)
		tree_free(&saved.vol[i]);
	saved.used = false;
}

void world_restore(void)
{
	for (u32 i = 0; i < VOLUMES_MAX; i++) {
		tree_free(&w.vol[i]);
		w.vol[i] = saved.vol[i];
	}
	w.next_id = saved.next_id;
	saved.used = false;
}
