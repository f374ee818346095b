// SPDX-License-Identifier: MIT
#include "dump_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <afsx/types.h>

void dump_tree_free(struct dump_tree *t)
{
	free(t->node);
	free(t->index);
}

/* ---- finding ---------------------------------------------------------------- */

static size_t hash(u32 vnode)
{
	return (vnode * 0x9e3779b1u) >> 4;
}

/* The place in the index that a vnode has or would get. */
static u32 *place_of(const struct dump_tree *t, u32 vnode)
{
	size_t i = hash(vnode);

	for (;; i++) {
		u32 *p = &t->index[i & (t->buckets - 1)];

		if (!*p || t->node[*p - 1].vnode == vnode)
			return p;
	}
}

struct dump_node *dump_tree_find(const struct dump_tree *t, u32 vnode)
{
	u32 place = t->buckets ? *place_of(t, vnode) : 0;

	return place ? &t->node[place - 1] : NULL;
}

static int grow(struct dump_tree *t)
{
	size_t size = t->size ? 2 * t->size : 1024;
	struct dump_node *node = realloc(t->node, size * sizeof(*node));
	u32 *index;

	if (!node)
		return -ENOMEM;
	t->node = node;
	index = calloc(2 * size, sizeof(*index));
	if (!index)
		return -ENOMEM;
	free(t->index);
	t->index = index;
	t->buckets = 2 * size;
	t->size = size;
	for (size_t i = 0; i < t->nr; i++)
		*place_of(t, node[i].vnode) = (u32)i + 1;
	return 0;
}

struct dump_node *dump_tree_add(struct dump_tree *t, u32 vnode)
{
	struct dump_node *n = dump_tree_find(t, vnode);

	if (n)
		return n;
	if (t->nr == t->size && grow(t))
		return NULL;
	*place_of(t, vnode) = (u32)t->nr + 1;
	n = &t->node[t->nr++];
	*n = (struct dump_node){ .vnode = vnode };
	return n;
}

int dump_tree_name(struct dump_tree *t, u32 dir, u32 vnode, u32 unique)
{
	struct dump_node *n = dump_tree_add(t, vnode);

	if (!n)
		return -ENOMEM;
	if (n->unique && n->unique != unique)
		return -ESTALE;
	n->unique = unique;
	n->names++;
	if (n->holder && n->holder != dir)
		n->flags |= NODE_MANY;
	else
		n->holder = dir;
	if (vnode & 1) {
		n = dump_tree_add(t, dir);
		if (!n)
			return -ENOMEM;
		n->subdirs++;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct dump_node *x = a, *y = b;
	int odd = (int)(y->vnode & 1) - (int)(x->vnode & 1);

	return odd ? odd : x->vnode < y->vnode ? -1 : x->vnode > y->vnode;
}

void dump_tree_sort(struct dump_tree *t)
{
	if (t->nr)
		qsort(t->node, t->nr, sizeof(*t->node), compare);
	free(t->index);
	t->index = NULL;
	t->buckets = 0;
}

/* ---- judging ---------------------------------------------------------------- */

u32 dump_tree_parent(const struct dump_tree *t, const struct dump_node *n)
{
	const struct dump_node *own;

	if (n->vnode == AFSX_ROOT_VNODE)
		return AFSX_ROOT_VNODE;
	if (!(n->flags & NODE_MANY))
		return n->holder;
	own = n->parent & 1 ? dump_tree_find(t, n->parent) : NULL;
	return own && own->flags & NODE_LISTED ? n->parent : n->holder;
}

u32 dump_tree_links(const struct dump_node *n)
{
	return n->vnode & 1 ? 2 + n->subdirs : n->names;
}

/* What is wrong with a vnode by itself, or NULL. */
static const char *fault_of(const struct dump_node *n)
{
	bool dir = n->vnode & 1, root = n->vnode == AFSX_ROOT_VNODE;

	if (!(n->flags & NODE_LISTED))
		return "a directory names it, but the dump does not have it";
	if (root && n->names)
		return "a directory names the root";
	if (!root && !n->names)
		return "no directory names it";
	if (dir && n->names > 1)
		return "it is a directory, and has several names";
	if (dir && !root && n->parent != n->holder)
		return "its '..' leads to another directory than the one that names it";
	return NULL;
}

/* Whether the way up from a directory ends at the root and not in a circle. */
static bool is_below_root(struct dump_tree *t, u32 dir)
{
	struct dump_node *n = dump_tree_find(t, dir);
	size_t steps;

	for (steps = 0; steps <= t->nr && n; steps++) {
		if (n->vnode == AFSX_ROOT_VNODE || n->flags & NODE_BELOW_ROOT)
			break;
		n = dump_tree_find(t, n->holder);
	}
	if (!n || steps > t->nr)
		return false;
	for (n = dump_tree_find(t, dir); n->vnode != AFSX_ROOT_VNODE &&
	     !(n->flags & NODE_BELOW_ROOT); n = dump_tree_find(t, n->holder))
		n->flags |= NODE_BELOW_ROOT;
	return true;
}

int dump_tree_check(struct dump_tree *t, char *why, size_t room)
{
	const struct dump_node *root = dump_tree_find(t, AFSX_ROOT_VNODE);

	if (!root || !(root->flags & NODE_LISTED)) {
		snprintf(why, room, "the root directory is missing");
		return -EBADMSG;
	}
	for (size_t i = 0; i < t->nr; i++) {
		const struct dump_node *n = &t->node[i];
		const char *fault = fault_of(n);

		if (!fault && n->vnode & 1 && !is_below_root(t, n->vnode))
			fault = "it is not below the root";
		if (fault) {
			snprintf(why, room, "vnode %u: %s", n->vnode, fault);
			return -EBADMSG;
		}
	}
	return 0;
}
