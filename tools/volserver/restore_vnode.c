// SPDX-License-Identifier: MIT
/* One vnode of a dump, judged by itself and put into the volume. */
#include "restore_vnode.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include <afsx/dir.h>

#include "dump_acl.h"

#define ZERO_STEP	4096u	/* blocks of zeros become holes */

__printf(3, 4)
static int bad(struct restore *rs, const struct dump_vnode *vn, const char *fmt,
	       ...)
{
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return dump_bad(rs->in, rs->in->record, "vnode %u: %s", vn->vnode, what);
}

static int read_all(struct restore *rs, void *buf, size_t len)
{
	ssize_t n = dump_read_data(rs->in, buf, len);

	rs->bytes += len;
	return n < 0 ? (int)n : 0;
}

/* ---- attributes ----------------------------------------------------------------- */

static int check_carried(struct restore *rs, const struct dump_vnode *vn)
{
	bool is_dir;

	if (vn->type < AFSX_FTYPE_FILE || vn->type > AFSX_FTYPE_SYMLINK)
		return bad(rs, vn, "%u is not a type of vnode", vn->type);
	is_dir = vn->type == AFSX_FTYPE_DIR;
	if ((vn->vnode & 1) != is_dir)
		return bad(rs, vn, "type %u does not fit the number", vn->type);
	if (vn->type == AFSX_FTYPE_DIR &&
	    (!vn->size || vn->size > RESTORE_DIR_MAX ||
	     vn->size % AFSX_DIR_BLOCK_SIZE))
		return bad(rs, vn, "%ju bytes are not a directory",
			   (uintmax_t)vn->size);
	if (vn->type == AFSX_FTYPE_SYMLINK &&
	    (!vn->size || vn->size > STORE_TARGET_MAX))
		return bad(rs, vn, "a symbolic link to %ju bytes",
			   (uintmax_t)vn->size);
	if (vn->size > S64_MAX)
		return bad(rs, vn, "%ju bytes are too many",
			   (uintmax_t)vn->size);
	return 0;
}

static int check_listed(struct restore *rs, const struct dump_vnode *vn,
			struct dump_node **node)
{
	struct dump_node *n;

	if (!vn->vnode || !vn->unique)
		return bad(rs, vn, "uniquifier %u: neither may be 0", vn->unique);
	if (vn->vnode == AFSX_ROOT_VNODE && vn->unique != AFSX_ROOT_UNIQUE)
		return bad(rs, vn, "the root has uniquifier %u", vn->unique);
	n = dump_tree_add(&rs->tree, vn->vnode);
	if (!n)
		return -ENOMEM;
	if (n->flags & NODE_LISTED)
		return bad(rs, vn, "it comes twice");
	if (n->unique && n->unique != vn->unique)
		return bad(rs, vn, "uniquifier %u, but a directory names it with %u",
			   vn->unique, n->unique);
	if (!vn->carried && !rs->span.from)
		return bad(rs, vn, "nothing but its number, though the dump is not incremental");
	n->unique = vn->unique;
	n->flags |= NODE_LISTED | (vn->carried ? NODE_CARRIED : 0);
	*node = n;
	return 0;
}

static struct store_status status_of(const struct dump_vnode *vn)
{
	return (struct store_status){
		.fid = { .vnode = vn->vnode, .unique = vn->unique },
		.type = (enum afsx_ftype)vn->type,
		.size = vn->size,
		.dv = vn->version,
		.nlink = vn->links,
		.mode = vn->mode & 07777,
		.owner = vn->owner,
		.group = vn->group,
		.author = vn->author,
		.mtime_client = vn->mtime,
		.mtime_server = vn->stime,
	};
}

/* The parent as far as it is known by now; restore_tree() settles the rest. */
static void guess_parent(struct restore *rs, const struct dump_vnode *vn,
			 struct dump_node *n, struct store_status *s)
{
	const struct dump_node *parent = dump_tree_find(&rs->tree, vn->parent);

	n->parent = vn->parent;
	s->parent_vnode = vn->parent;
	s->parent_unique = parent ? parent->unique : 0;
	if (s->parent_unique)
		n->flags |= NODE_PARENT_KNOWN;
}

/* ---- files and links ------------------------------------------------------------ */

/* Bytes from @p on that are all of a kind: zeros, or not; whole blocks. */
static size_t run_length(const u8 *p, size_t len, bool *zeros)
{
	static const u8 zero[ZERO_STEP];
	size_t n = 0;

	while (n < len) {
		size_t step = min(len - n, (size_t)ZERO_STEP);
		bool z = !memcmp(p + n, zero, step);

		if (n && z != *zeros)
			break;
		*zeros = z;
		n += step;
	}
	return n;
}

static int write_piece(struct restore *rs, u32 vnode, u64 off, size_t len)
{
	int ret = 0;

	for (size_t done = 0; !ret && done < len;) {
		bool zeros = false;
		size_t n = run_length(rs->buf + done, len - done, &zeros);

		if (!zeros)
			ret = store_restore_write(rs->r, vnode, off + done,
						  rs->buf + done, n);
		done += n;
	}
	return ret;
}

static int put_file(struct restore *rs, const struct dump_vnode *vn,
		    struct store_status *s)
{
	int ret = store_restore_put(rs->r, s, NULL, NULL, 0);

	for (u64 off = 0; !ret && off < vn->size;) {
		size_t n = (size_t)min(vn->size - off, (u64)RESTORE_CHUNK);

		ret = read_all(rs, rs->buf, n);
		if (!ret)
			ret = write_piece(rs, vn->vnode, off, n);
		if (!ret && volcmd_stopped(rs->c))
			ret = -ECANCELED;
		off += n;
	}
	return ret;
}

static int put_link(struct restore *rs, const struct dump_vnode *vn,
		    struct store_status *s)
{
	char target[STORE_TARGET_MAX + 1];
	int ret = read_all(rs, target, (size_t)vn->size);

	if (ret)
		return ret;
	target[vn->size] = '\0';
	if (strlen(target) != vn->size)
		return bad(rs, vn, "a NUL in the target of a symbolic link");
	return store_restore_put(rs->r, s, target, NULL, 0);
}

/* ---- directories ---------------------------------------------------------------- */

/* A directory that is gone through entry by entry. */
struct walk {
	struct restore *rs;
	const struct dump_vnode *vn;
	struct afsx_fid self;
	struct afsx_fid parent;
	bool enter;
	int err;
};

static const void *blob_block(void *ctx, u32 nr)
{
	return (const u8 *)ctx + (size_t)nr * AFSX_DIR_BLOCK_SIZE;
}

static bool is_dots(const char *name, u32 len)
{
	return len <= 2 && !memcmp(name, "..", len);
}

/* First time: "." and "..". */
static bool see_dots(void *ctx, const char *name, u32 len, u32 vnode,
		     u32 unique, u64 pos)
{
	struct walk *w = ctx;

	(void)pos;
	if (!is_dots(name, len))
		return true;
	*(len == 1 ? &w->self : &w->parent) =
		(struct afsx_fid){ .vnode = vnode, .unique = unique };
	return true;
}

/* Second time: the rest. */
static bool enter_name(void *ctx, const char *name, u32 len, u32 vnode,
		       u32 unique, u64 pos)
{
	struct afsx_fid fid = { .vnode = vnode, .unique = unique };
	struct walk *w = ctx;

	(void)pos;
	if (is_dots(name, len))
		return true;
	if (len > AFSX_NAME_MAX)
		w->err = bad(w->rs, w->vn, "the name '%.64s...' has %u bytes, %u is the most",
			     name, len, AFSX_NAME_MAX);
	else if (vnode && unique)
		w->err = dump_tree_name(&w->rs->tree, w->vn->vnode, vnode, unique);
	else
		w->err = bad(w->rs, w->vn, "'%.*s' leads to %u.%u: neither may be 0",
			     (int)min(len, 64u), name, vnode, unique);
	if (w->err == -ESTALE)
		w->err = bad(w->rs, w->vn, "'%.*s' leads to %u.%u, unlike other entries",
			     (int)min(len, 64u), name, vnode, unique);
	if (!w->err)
		w->err = store_restore_enter(w->rs->r, w->vn->vnode, name, len,
					     &fid);
	if (w->err == -EEXIST)
		w->err = bad(w->rs, w->vn, "it has the entry '%.*s' twice",
			     (int)min(len, 64u), name);
	return !w->err;
}

static int go_through(struct restore *rs, struct walk *w, afsx_dir_emit_t see)
{
	struct afsx_dir_reader rd = {
		.block = blob_block,
		.ctx = rs->blob,
		.nr_blocks = (u32)(w->vn->size / AFSX_DIR_BLOCK_SIZE),
	};
	u64 pos = 0;
	int ret = afsx_dir_iterate(&rd, &pos, see, w);

	if (ret)
		return bad(rs, w->vn, "a damaged directory");
	return w->err;
}

static int check_dots(struct restore *rs, struct walk *w)
{
	const struct dump_vnode *vn = w->vn;
	bool root = vn->vnode == AFSX_ROOT_VNODE;
	bool is_self = w->parent.vnode == vn->vnode;
	struct dump_node *parent;

	if (w->self.vnode != vn->vnode || w->self.unique != vn->unique)
		return bad(rs, vn, "its '.' leads to vnode %u.%u",
			   w->self.vnode, w->self.unique);
	if (!(w->parent.vnode & 1) || !w->parent.unique || root != is_self)
		return bad(rs, vn, "its '..' leads to vnode %u.%u",
			   w->parent.vnode, w->parent.unique);
	parent = dump_tree_add(&rs->tree, w->parent.vnode);
	if (!parent)
		return -ENOMEM;
	if (parent->unique && parent->unique != w->parent.unique)
		return bad(rs, vn, "its '..' has the uniquifier %u for vnode %u, not %u",
			   w->parent.unique, parent->vnode, parent->unique);
	parent->unique = w->parent.unique;
	return 0;
}

static int read_acl(struct restore *rs, const struct dump_vnode *vn, char *text,
		    int *len)
{
	*len = 0;
	if (!vn->has_acl)
		return bad(rs, vn, "a directory without an access list");
	*len = dump_acl_text(vn->acl, text);
	if (*len < 0)
		return bad(rs, vn, "a damaged access list");
	/* what a directory has by itself is not written down */
	if (*len == sizeof(ACL_DEFAULT) - 1 &&
	    !memcmp(text, ACL_DEFAULT, (size_t)*len))
		*len = 0;
	return 0;
}

static int put_dir(struct restore *rs, const struct dump_vnode *vn,
		   struct store_status *s)
{
	struct walk w = { .rs = rs, .vn = vn };
	char acl[STORE_ACL_MAX];
	int len, ret = read_acl(rs, vn, acl, &len);

	if (!ret)
		ret = read_all(rs, rs->blob, (size_t)vn->size);
	if (!ret)
		ret = go_through(rs, &w, see_dots);
	if (!ret)
		ret = check_dots(rs, &w);
	if (ret)
		return ret;
	dump_tree_find(&rs->tree, vn->vnode)->parent = w.parent.vnode;
	s->parent_vnode = w.parent.vnode;
	s->parent_unique = w.parent.unique;
	ret = store_restore_put(rs->r, s, NULL, len ? acl : NULL, (size_t)len);
	if (!ret)
		ret = go_through(rs, &w, enter_name);
	/* making entries changed times and version */
	return ret ? ret : store_restore_status(rs->r, s);
}

int restore_vnode(struct restore *rs, const struct dump_vnode *vn)
{
	struct store_status s = status_of(vn);
	struct dump_node *n = NULL;
	int ret = check_listed(rs, vn, &n);

	if (ret || !vn->carried)
		return ret;
	ret = check_carried(rs, vn);
	if (ret)
		return ret;
	n->links = vn->links;
	guess_parent(rs, vn, n, &s);
	switch (s.type) {
	case AFSX_FTYPE_DIR:
		ret = put_dir(rs, vn, &s);
		rs->dirs++;
		break;
	case AFSX_FTYPE_SYMLINK:
		ret = put_link(rs, vn, &s);
		rs->files++;
		break;
	default:
		ret = put_file(rs, vn, &s);
		rs->files++;
	}
	return ret;
}
