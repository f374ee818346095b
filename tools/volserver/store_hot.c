// SPDX-License-Identifier: MIT
#include "store_hot.h"

#include <stdlib.h>

#include "store_priv.h"

static struct vnode **chain_of(struct hot *h, u32 grp, u32 vno)
{
	return &h->bucket[(grp * 31 + vno / 2) % HOT_BUCKETS];
}

void hot_init(struct hot *h)
{
	TAILQ_INIT(&h->age);
}

struct vnode *hot_take(struct hot *h, u32 grp, u32 vno)
{
	struct vnode **link = chain_of(h, grp, vno);
	struct vnode *vn;

	while (*link && ((*link)->grp != grp || (*link)->s.fid.vnode != vno))
		link = &(*link)->next;
	vn = *link;
	if (!vn)
		return NULL;
	*link = vn->next;
	TAILQ_REMOVE(&h->age, vn, by_age);
	h->nr--;
	h->bytes -= vn->hot_bytes;
	return vn;
}

static void drop_oldest(struct hot *h)
{
	struct vnode *old = TAILQ_FIRST(&h->age);

	hot_take(h, old->grp, old->s.fid.vnode);
	vnode_release(old);
	free(old);
}

void hot_put(struct hot *h, struct vnode *vn)
{
	struct vnode **head = chain_of(h, vn->grp, vn->s.fid.vnode);

	vn->hot_bytes = dirbuf_bytes(vn->dir);
	vn->next = *head;
	*head = vn;
	TAILQ_INSERT_TAIL(&h->age, vn, by_age);
	h->nr++;
	h->bytes += vn->hot_bytes;
	while (h->nr > HOT_VNODES || h->bytes > HOT_BYTES)
		drop_oldest(h);
}

void hot_clear(struct hot *h)
{
	while (!TAILQ_EMPTY(&h->age))
		drop_oldest(h);
}
