// SPDX-License-Identifier: MIT
/* Names: what directories say, as rename(2) and its like have it. */
#include <errno.h>
#include <string.h>

#include "model.h"

struct afsx_fid fid_of(const struct volume *v, const struct node *n)
{
	return (struct afsx_fid){ v->v.id, n->s.fid.vnode, n->s.fid.unique };
}

struct volume *a_volume(bool rw)
{
	u32 first = (u32)pick(VOLUMES_MAX);

	for (u32 i = 0; i < VOLUMES_MAX; i++) {
		struct volume *v = &w.vol[(first + i) % VOLUMES_MAX];

		if (v->v.id && (!rw || v->v.type == AFSX_VOL_RW))
			return v;
	}
	return NULL;
}

struct node *a_node(const struct volume *v, enum afsx_ftype type)
{
	u32 first = v->nr ? (u32)pick(v->nr) : 0;

	for (u32 i = 0; i < v->nr; i++) {
		struct node *n = v->node[(first + i) % v->nr];

		if (!type || n->s.type == type)
			return n;
	}
	return NULL;
}

static bool a_spot(struct spot *s, struct volume *v)
{
	s->v = v ? v : a_volume(true);
	s->dir = s->v ? a_dir(s->v) : NULL;
	s->name = (u32)pick(w.names);
	return s->dir;
}

/* Mostly a name that is there. */
static bool a_used_spot(struct spot *s)
{
	if (!a_spot(s, NULL))
		return false;
	for (u32 i = 0; pick(8) && i < w.names && !s->dir->entry[s->name]; i++)
		s->name = (s->name + 1) % w.names;
	return true;
}

static struct node *at(const struct spot *s)
{
	return node_find(s->v, s->dir->entry[s->name]);
}

static size_t name_len(u32 name)
{
	return strlen(w.name[name]);
}

void dir_changed(struct volume *v, struct node *dir)
{
	struct afsx_fid fid = fid_of(v, dir);
	struct store_status s;

	must(store_tx_getattr(w.tx, &fid, &s), 0);
	if (s.size < dir->s.size || s.size % AFSX_DIR_BLOCK_SIZE)
		wrong("a directory of %ju bytes has become one of %ju",
		      (uintmax_t)dir->s.size, (uintmax_t)s.size);
	v->v.used_kib += s.size / 1024 - dir->s.used_kib;
	dir->s.size = s.size;
	dir->s.used_kib = s.size / 1024;
	dir->mtime_known = false;
	node_bump(dir);
}

/* A directory may have to grow for a name: only the store knows. */
static int name_result(const struct spot *s, u32 spare, int got)
{
	const struct store_vol *v = &s->v->v;
	enum room room;

	if (got == -EDQUOT && v->quota_kib &&
	    (w.pending || v->used_kib + 6 > v->quota_kib))
		return got;
	room = room_for(s, spare);
	return room == NO_ROOM || (room == PERHAPS && got == -EFBIG) ? -EFBIG : 0;
}

static void enter(const struct spot *s, u32 vno)
{
	struct node *dir = node_change(s->v, s->dir->s.fid.vnode);

	if (!dir->entry[s->name] != !vno) {
		dir->names += vno ? 1 : -1;
		dir->slots += vno ? name_slots(s->name) : -name_slots(s->name);
	}
	dir->entry[s->name] = vno;
	dir_changed(s->v, dir);
}

/* ---- creating ---------------------------------------------------------------- */

static void fill_node(const struct spot *s, struct node *n, const char *target)
{
	static const u32 modes[] = { [AFSX_FTYPE_FILE] = 0644,
		[AFSX_FTYPE_DIR] = 0755, [AFSX_FTYPE_SYMLINK] = 0777 };

	n->s.mode = modes[n->s.type];
	n->s.parent_vnode = s->dir->s.fid.vnode;
	n->s.parent_unique = s->dir->s.fid.unique;
	if (n->s.type == AFSX_FTYPE_SYMLINK) {
		memcpy(n->target, target, strlen(target) + 1);
		n->s.size = strlen(target);
		n->s.used_kib = 1;
		s->v->v.used_kib++;
	} else if (n->s.type == AFSX_FTYPE_DIR) {
		memcpy(n->acl, s->dir->acl, s->dir->acl_len);
		n->acl_len = s->dir->acl_len;
		node_change(s->v, s->dir->s.fid.vnode)->s.nlink++;
		dir_changed(s->v, n);
	}
}

void op_create(void)
{
	static const enum afsx_ftype types[] = { AFSX_FTYPE_FILE,
		AFSX_FTYPE_FILE, AFSX_FTYPE_DIR, AFSX_FTYPE_SYMLINK };
	enum afsx_ftype type = types[pick(ARRAY_SIZE(types))];
	char target[STORE_TARGET_MAX + 1] = "";
	struct afsx_fid dir, fid;
	struct spot s;
	int got;

	if (!a_spot(&s, NULL) || s.v->nr > NODES_SOFT)
		return;
	say("create type %d as %u.%u/%u", type, s.v->v.id, s.dir->s.fid.vnode,
	    s.name);
	memset(target, 'a' + (int)pick(26), 1 + pick(pick(8) ? 50 : 1023));
	dir = fid_of(s.v, s.dir);
	got = store_create(w.tx, &dir, w.name[s.name], name_len(s.name), type,
			   NULL, type == AFSX_FTYPE_SYMLINK ? target : NULL,
			   &fid);
	if (!settle(got, at(&s) ? -EEXIST : name_result(&s, 0, got)))
		return;
	fill_node(&s, node_add(s.v, &fid, type), target);
	enter(&s, fid.vnode);
}

bool name_link(const struct spot *s, const struct node *n)
{
	struct afsx_fid dir = fid_of(s->v, s->dir), fid = fid_of(s->v, n);
	int want, got;

	got = store_link(w.tx, &dir, w.name[s->name], name_len(s->name), &fid);
	want = at(s) ? -EEXIST :
	       n->s.type == AFSX_FTYPE_DIR ? -EISDIR : name_result(s, 0, got);
	if (!settle(got, want))
		return false;
	node_change(s->v, fid.vnode)->s.nlink++;
	enter(s, fid.vnode);
	return true;
}

void op_link(void)
{
	struct node *n;
	struct spot s;

	if (!a_spot(&s, NULL))
		return;
	n = a_node(s.v, pick(5) ? AFSX_FTYPE_FILE : 0);
	if (!n)
		return;
	say("link %u.%u as %u/%u", s.v->v.id, n->s.fid.vnode,
	    s.dir->s.fid.vnode, s.name);
	name_link(&s, n);
}

/* ---- removing ---------------------------------------------------------------- */

/* One name less, in @dir, leads to a vnode. */
static void unlink_node(struct volume *v, u32 dir, u32 vno)
{
	struct node *n = node_change(v, vno);

	if (n->s.type == AFSX_FTYPE_DIR)
		node_change(v, dir)->s.nlink--;
	else if (--n->s.nlink)
		return;
	w.pending = true;
	node_drop(v, vno);
}

static int removal(const struct node *n, bool want_dir)
{
	if (n->s.type != AFSX_FTYPE_DIR)
		return want_dir ? -ENOTDIR : 0;
	if (!want_dir)
		return -EISDIR;
	return n->names ? -ENOTEMPTY : 0;
}

void name_unlink(const struct spot *s, bool want_dir)
{
	struct afsx_fid dir = fid_of(s->v, s->dir), fid;
	struct node *n = at(s);
	int got;

	got = store_unlink(w.tx, &dir, w.name[s->name], name_len(s->name),
			   want_dir, &fid);
	if (!settle(got, n ? removal(n, want_dir) : -ENOENT))
		return;
	if (fid.vnode != n->s.fid.vnode || fid.unique != n->s.fid.unique)
		wrong("it removed vnode %u, not %u", fid.vnode,
		      n->s.fid.vnode);
	unlink_node(s->v, dir.vnode, fid.vnode);
	enter(s, 0);
}

void op_unlink(void)
{
	struct node *n;
	struct spot s;
	bool want_dir;

	if (!a_used_spot(&s))
		return;
	n = at(&s);
	want_dir = n && pick(10) ? n->s.type == AFSX_FTYPE_DIR : pick(2);
	say("%s %u.%u/%u", want_dir ? "rmdir" : "unlink", s.v->v.id,
	    s.dir->s.fid.vnode, s.name);
	name_unlink(&s, want_dir);
}

/* ---- renaming ---------------------------------------------------------------- */

static bool is_below(const struct volume *v, const struct node *dir,
		     const struct node *top)
{
	while (dir != top && dir->s.fid.vnode != AFSX_ROOT_VNODE)
		dir = node_find(v, dir->s.parent_vnode);
	return dir == top;
}

static int rename_result(const struct spot *a, const struct spot *b)
{
	const struct node *n = at(a), *old = at(b);
	bool dir = n && n->s.type == AFSX_FTYPE_DIR;

	if (!n)
		return -ENOENT;
	if (n == old)
		return 0;
	if (dir && is_below(b->v, b->dir, n))
		return -EINVAL;
	if (!old)
		return 0;
	if (is_below(a->v, a->dir, old))
		return -ENOTEMPTY;
	return removal(old, dir);
}

static void rename_model(const struct spot *a, const struct spot *b)
{
	struct node *old = at(b);
	struct node *n = node_change(a->v, a->dir->entry[a->name]);
	u32 from = a->dir->s.fid.vnode, to = b->dir->s.fid.vnode;

	if (old)
		unlink_node(b->v, to, old->s.fid.vnode);
	if (from != to) {
		n->s.parent_vnode = to;
		n->s.parent_unique = b->dir->s.fid.unique;
	}
	if (from != to && n->s.type == AFSX_FTYPE_DIR) {
		node_change(a->v, from)->s.nlink--;
		node_change(b->v, to)->s.nlink++;
		node_bump(n);	/* its ".." */
	}
}

void op_rename(void)
{
	struct afsx_fid from, to;
	struct spot a, b;
	int got, want;
	u32 vno;

	if (!a_used_spot(&a) || !a_spot(&b, pick(20) ? a.v : NULL))
		return;
	say("rename %u.%u/%u to %u.%u/%u", a.v->v.id, a.dir->s.fid.vnode,
	    a.name, b.v->v.id, b.dir->s.fid.vnode, b.name);
	from = fid_of(a.v, a.dir);
	to = fid_of(b.v, b.dir);
	got = store_rename(w.tx, &from, w.name[a.name], name_len(a.name), &to,
			   w.name[b.name], name_len(b.name));
	want = a.v != b.v ? -EXDEV : rename_result(&a, &b);
	if (!want && !at(&b))
		want = name_result(&b, a.dir == b.dir ? name_slots(a.name) : 0,
				   got);
	if (!settle(got, want) || at(&a) == at(&b))
		return;
	vno = a.dir->entry[a.name];
	rename_model(&a, &b);
	enter(&a, 0);
	b.dir = node_find(b.v, to.vnode);
	enter(&b, vno);
}

/* ---- looking, and asking for what cannot be ------------------------------------ */

void op_lookup(void)
{
	struct volume *v = a_volume(true);
	struct node *dir = v ? a_dir(v) : NULL;
	u32 name = (u32)pick(w.names);
	struct afsx_fid fid, found;

	if (!dir)
		return;
	say("lookup %u.%u/%u", v->v.id, dir->s.fid.vnode, name);
	fid = fid_of(v, dir);
	if (!settle(store_tx_lookup(w.tx, &fid, w.name[name], name_len(name),
				    &found), dir->entry[name] ? 0 : -ENOENT))
		return;
	if (found.vnode != dir->entry[name])
		wrong("it leads to %u, not %u", found.vnode, dir->entry[name]);
}

static int create_file(const struct afsx_fid *dir, const char *name, size_t len)
{
	struct afsx_fid fid;

	return store_create(w.tx, dir, name, len, AFSX_FTYPE_FILE, NULL, NULL,
			    &fid);
}

void op_mistake(void)
{
	static const char long_name[AFSX_NAME_MAX + 1] = { 'x' };
	struct volume *v = a_volume(false);
	struct node *n = v ? a_node(v, 0) : NULL;
	struct afsx_fid fid;
	int rw;

	if (!n)
		return;
	say("mistakes with %u.%u", v->v.id, n->s.fid.vnode);
	rw = v->v.type == AFSX_VOL_RW ? 0 : -EROFS;
	fid = fid_of(v, n);
	fid.unique += 1 + (u32)pick(9);
	must(create_file(&fid, "fresh", 5), rw ? : -ESTALE);
	fid.unique = n->s.fid.unique;
	must(create_file(&fid, "..", 2), -EINVAL);
	must(create_file(&fid, "a/b", 3), -EINVAL);
	must(create_file(&fid, "", 0), -EINVAL);
	must(create_file(&fid, long_name, sizeof(long_name)), -ENAMETOOLONG);
	if (rw || n->s.type != AFSX_FTYPE_DIR)
		must(create_file(&fid, "fresh", 5), rw ? : -ENOTDIR);
	if (rw || n->s.type != AFSX_FTYPE_FILE)
		must(store_write(w.tx, &fid, 0, "x", 1), rw ? :
		     n->s.type == AFSX_FTYPE_DIR ? -EISDIR : -EINVAL);
	fid.vnode += 2 * (1 + (u32)pick(1000));
	if (!node_find(v, fid.vnode))
		must(store_write(w.tx, &fid, 0, "x", 1), rw ? : -ENOENT);
	fid.vid = w.next_id + (u32)pick(9);
	must(create_file(&fid, "fresh", 5), -ENOMEDIUM);
}
