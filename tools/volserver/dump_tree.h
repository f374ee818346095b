/* SPDX-License-Identifier: MIT */
/*
 * The vnodes of a volume in memory, and what the names in its directories say
 * of them: which there are, for dumping, and whether all fits, for restoring.
 */
#ifndef AFSX_DUMP_TREE_H
#define AFSX_DUMP_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "defs.h"

#define NODE_LISTED	0x01u	/* the dump has a record of it */
#define NODE_CARRIED	0x02u	/* and its contents */
#define NODE_MANY	0x04u	/* directories other than @holder name it, too */
#define NODE_BELOW_ROOT	0x08u	/* the root is among its parents */
#define NODE_PARENT_KNOWN 0x10u	/* what was stored has the parent's uniquifier */

/**
 * struct dump_node - what is known of a vnode
 * @vnode: number; odd for a directory
 * @unique: uniquifier; 0 when nothing said it yet
 * @holder: directory that names it; 0 for none
 * @parent: directory it is in by its own account
 * @names: entries that lead to it
 * @links: link count by its own account
 * @subdirs: directories in it
 * @flags: NODE_*
 */
struct dump_node {
	u32 vnode;
	u32 unique;
	u32 holder;
	u32 parent;
	u32 names;
	u32 links;
	u32 subdirs;
	u32 flags;
};

/**
 * struct dump_tree - a set of vnodes; begins as zeros
 * @node: they, in the order in which they were added
 * @nr: number of them
 * @size: room in @node
 * @index: by hash of the number: place in @node + 1, or 0
 * @buckets: entries of @index, a power of two
 */
struct dump_tree {
	struct dump_node *node;
	size_t nr;
	size_t size;
	u32 *index;
	size_t buckets;
};

/** dump_tree_free() - what @t points to */
void dump_tree_free(struct dump_tree *t);

/** dump_tree_find() - a vnode, or NULL */
struct dump_node *dump_tree_find(const struct dump_tree *t, u32 vnode);

/** dump_tree_add() - a vnode, new or not; NULL without memory; moves others */
struct dump_node *dump_tree_add(struct dump_tree *t, u32 vnode);

/**
 * dump_tree_name() - an entry of a directory, neither "." nor ".."
 * @t: tree
 * @dir: number of the directory
 * @vnode: what the entry leads to
 * @unique: uniquifier in the entry
 *
 * Return: 0; -ESTALE when the vnode has another uniquifier; -ENOMEM.
 */
int dump_tree_name(struct dump_tree *t, u32 dir, u32 vnode, u32 unique);

/** dump_tree_sort() - directories first, by number; ends finding and adding */
void dump_tree_sort(struct dump_tree *t);

/** dump_tree_parent() - the directory that a vnode is in, all being known */
u32 dump_tree_parent(const struct dump_tree *t, const struct dump_node *n);

/** dump_tree_links() - link count it shall have, all being known */
u32 dump_tree_links(const struct dump_node *n);

/**
 * dump_tree_check() - whether all listed vnodes make up one tree
 * @t: tree
 * @why: what is wrong, when something is
 * @room: bytes at @why
 *
 * Return: 0 or -EBADMSG.
 */
int dump_tree_check(struct dump_tree *t, char *why, size_t room);

#endif /* AFSX_DUMP_TREE_H */
