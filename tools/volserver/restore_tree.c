// SPDX-License-Identifier: MIT
/* The vnodes of a dump together: whether they fit, and what follows from that. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "restore_vnode.h"

#define LIST_STEP	512

__printf(2, 3)
static int bad(struct restore *rs, const char *fmt, ...)
{
	char what[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return dump_bad(rs->in, rs->in->offset, "%s", what);
}

/* ---- what an incremental dump leaves as it is -------------------------------------- */

/* A directory of the volume that is gone through. */
struct walk {
	struct restore *rs;
	u32 dir;
	int err;
};

static bool see_entry(void *ctx, const char *name, size_t len,
		      const struct afsx_fid *fid)
{
	struct walk *w = ctx;

	if (len <= 2 && !memcmp(name, "..", len))
		return true;
	w->err = dump_tree_name(&w->rs->tree, w->dir, fid->vnode, fid->unique);
	if (w->err == -ESTALE)
		w->err = bad(w->rs, "directory %u as it was has '%.*s' as %u.%u",
			     w->dir, (int)min(len, (size_t)64), name,
			     fid->vnode, fid->unique);
	return !w->err;
}

/* It must be in the volume, or the dump builds upon another state of it. */
static int see_kept(struct restore *rs, size_t i)
{
	struct dump_node *n = &rs->tree.node[i];
	struct afsx_fid fid = { store_restore_id(rs->r), n->vnode, n->unique };
	struct walk w = { .rs = rs, .dir = n->vnode };
	struct store_status s;
	int ret = store_getattr(rs->c->st, &fid, &s);

	if (ret == -ENOENT || ret == -ESTALE)
		return bad(rs, "vnode %u.%u is not there: the dump builds upon another state",
			   fid.vnode, fid.unique);
	if (ret)
		return ret;
	n->links = s.nlink;
	n->parent = s.parent_vnode;
	n->flags |= NODE_PARENT_KNOWN;
	if (s.type != AFSX_FTYPE_DIR)
		return 0;
	ret = store_readdir(rs->c->st, &fid, see_entry, &w);
	return ret ? ret : w.err;
}

static int see_all_kept(struct restore *rs)
{
	int ret = 0;

	/* names may add vnodes behind, which are not listed */
	for (size_t i = 0; !ret && i < rs->tree.nr; i++) {
		unsigned int flags = rs->tree.node[i].flags;

		if (flags & NODE_LISTED && !(flags & NODE_CARRIED))
			ret = see_kept(rs, i);
	}
	return ret;
}

/* ---- what follows from the names --------------------------------------------------- */

static int settle_links(struct restore *rs, const struct dump_node *n)
{
	u32 parent = dump_tree_parent(&rs->tree, n);
	const struct dump_node *p = dump_tree_find(&rs->tree, parent);
	struct afsx_fid fid = { .vnode = parent, .unique = p->unique };
	u32 links = dump_tree_links(n);

	if (n->links == links && n->parent == parent &&
	    n->flags & NODE_PARENT_KNOWN)
		return 0;
	return store_restore_links(rs->r, n->vnode, links, &fid);
}

static int settle(struct restore *rs)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < rs->tree.nr; i++)
		ret = settle_links(rs, &rs->tree.node[i]);
	return ret;
}

/* Vnodes that the volume had and the dump does not list are no more. */
static int drop_others(struct restore *rs)
{
	u32 list[LIST_STEP], vid = store_restore_id(rs->r), last = 0;
	int n, ret;

	do {
		ret = store_restore_pause(rs->r);
		if (ret)
			return ret;
		n = store_vnode_list(rs->c->st, vid, last, list, LIST_STEP);
		ret = min(n, 0);
		for (int i = 0; !ret && i < n; i++) {
			last = list[i];
			if (!dump_tree_find(&rs->tree, last))
				ret = store_restore_drop(rs->r, last);
		}
	} while (!ret && n == LIST_STEP);
	return ret;
}

int restore_tree(struct restore *rs)
{
	char why[160];
	int ret = store_restore_pause(rs->r);

	if (!ret)
		ret = see_all_kept(rs);
	if (!ret && dump_tree_check(&rs->tree, why, sizeof(why)))
		ret = bad(rs, "%s", why);
	if (!ret)
		ret = settle(rs);
	return ret ? ret : drop_others(rs);
}
