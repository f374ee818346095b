// SPDX-License-Identifier: MIT
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ramnbd.h"
#include "test.h"

void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
}

static void set_text(char *to, const char *text)
{
	snprintf(to, MODEL_PATH_MAX, "%s", text);
}

static void put_vnode(struct model_vnode *vn)
{
	if (--vn->nlink)
		return;
	free(vn->data);
	free(vn);
}

void model_free(struct model *m)
{
	for (u32 i = 0; i < m->nr; i++)
		put_vnode(m->name[i].vn);
	for (u32 i = 0; i < ARRAY_SIZE(m->clone); i++)
		free(m->clone[i]);
}

/* ---- names ------------------------------------------------------------------ */

static struct model_name *find(struct model *m, const char *path)
{
	for (u32 i = 0; i < m->nr; i++)
		if (!strcmp(m->name[i].path, path))
			return &m->name[i];
	return NULL;
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && path[len] == '/';
}

static bool is_empty(const struct model *m, const char *dir)
{
	for (u32 i = 0; i < m->nr; i++)
		if (is_below(m->name[i].path, dir))
			return false;
	return true;
}

/* The directory a path is in; NULL with *@root set for the root. */
static struct model_vnode *parent_of(struct model *m, const char *path,
				     bool *root)
{
	const char *slash = strrchr(path, '/');
	char dir[MODEL_PATH_MAX];
	struct model_name *n;

	*root = !slash;
	if (!slash)
		return NULL;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	n = find(m, dir);
	return n && n->vn->type == AFSX_FTYPE_DIR ? n->vn : NULL;
}

static bool has_parent(struct model *m, const char *path)
{
	bool root;

	return parent_of(m, path, &root) || root;
}

static struct model_vnode *find_type(struct model *m, const char *path,
				     enum afsx_ftype type)
{
	struct model_name *n = find(m, path);

	return n && n->vn->type == type ? n->vn : NULL;
}

static int enter(struct model *m, const char *path, struct model_vnode *vn)
{
	struct model_name *n = &m->name[m->nr];

	if (m->nr == MODEL_NAMES_MAX || find(m, path) || !has_parent(m, path))
		return -1;
	set_text(n->path, path);
	n->vn = vn;
	vn->nlink++;
	m->nr++;
	return 0;
}

static void drop(struct model *m, struct model_name *n)
{
	put_vnode(n->vn);
	*n = m->name[--m->nr];
}

/* ---- steps -------------------------------------------------------------------- */

static int step_make(struct model *m, const struct step *s,
		     enum afsx_ftype type)
{
	struct model_vnode *vn = calloc(1, sizeof(*vn)), *dir;
	bool root;

	if (!vn)
		die("out of memory");
	vn->type = type;
	vn->mode = type == AFSX_FTYPE_SYMLINK ? 0777 : s->mode;
	if (type == AFSX_FTYPE_SYMLINK)
		set_text(vn->text, s->b);
	dir = parent_of(m, s->a, &root);
	if (type == AFSX_FTYPE_DIR && dir)
		set_text(vn->text, dir->text);	/* AFS: the ACL is inherited */
	if (!enter(m, s->a, vn))
		return 0;
	free(vn);
	return -1;
}

static int step_link(struct model *m, const struct step *s)
{
	struct model_name *from = find(m, s->b);

	if (!from || from->vn->type == AFSX_FTYPE_DIR)
		return -1;
	return enter(m, s->a, from->vn);
}

static int resize(struct model_vnode *vn, u64 size)
{
	u8 *data;

	if (size > MODEL_FILE_MAX)
		return -1;
	data = realloc(vn->data, size + 1);
	if (!data)
		die("out of memory");
	if (size > vn->size)
		memset(data + vn->size, 0, size - vn->size);
	vn->data = data;
	vn->size = (u32)size;
	return 0;
}

static int step_write(struct model *m, const struct step *s)
{
	struct model_vnode *vn = find_type(m, s->a, AFSX_FTYPE_FILE);
	u64 off;

	if (!vn)
		return -1;
	off = s->op == STEP_APPEND ? vn->size : s->off;
	if (off + s->len > vn->size && resize(vn, off + s->len))
		return -1;
	step_fill(s, off, vn->data + off, s->len);
	return 0;
}

static int step_truncate(struct model *m, const struct step *s)
{
	struct model_vnode *vn = find_type(m, s->a, AFSX_FTYPE_FILE);

	return vn ? resize(vn, s->len) : -1;
}

static int step_remove(struct model *m, const struct step *s)
{
	struct model_name *n = find(m, s->a);

	if (!n || !is_empty(m, s->a))
		return -1;
	drop(m, n);
	return 0;
}

/* As rename(2) has it, without the cases that change nothing. */
static bool may_rename(struct model *m, const struct model_name *from,
		       const char *to)
{
	struct model_name *n = find(m, to);
	bool dir = from->vn->type == AFSX_FTYPE_DIR;

	if (!has_parent(m, to) || is_below(to, from->path))
		return false;
	if (!n)
		return true;
	return n->vn != from->vn && dir == (n->vn->type == AFSX_FTYPE_DIR) &&
	       is_empty(m, to);
}

static int step_rename(struct model *m, const struct step *s)
{
	struct model_name *from = find(m, s->a);
	struct model_name *to;
	char old[MODEL_PATH_MAX], path[2 * MODEL_PATH_MAX];
	size_t len = strlen(s->a);

	if (!from || !may_rename(m, from, s->b))
		return -1;
	for (u32 i = 0; i < m->nr; i++)
		if (is_below(m->name[i].path, s->a) &&
		    strlen(m->name[i].path) - len + strlen(s->b) >= sizeof(old))
			return -1;
	to = find(m, s->b);
	if (to)
		drop(m, to);
	set_text(find(m, s->a)->path, s->b);
	for (u32 i = 0; i < m->nr; i++) {
		if (!is_below(m->name[i].path, s->a))
			continue;
		snprintf(path, sizeof(path), "%s%s", s->b,
			 m->name[i].path + len);
		memcpy(m->name[i].path, path, sizeof(m->name[i].path));
	}
	return 0;
}

static int step_attr(struct model *m, const struct step *s)
{
	struct model_name *n = find(m, s->a);

	if (!n || n->vn->type == AFSX_FTYPE_SYMLINK)
		return -1;
	n->vn->mode = s->mode;
	if (n->vn->type == AFSX_FTYPE_DIR)
		set_text(n->vn->text, s->b);
	return 0;
}

static int step_clone(struct model *m, const struct step *s)
{
	const char *suffix = s->type == AFSX_VOL_RO ? ".readonly" : ".backup";
	char name[32];

	snprintf(name, sizeof(name), MODEL_VOLUME "%s", suffix);
	free(m->clone[s->type]);
	m->clone[s->type] = model_tree(m, name);
	return 0;
}

int model_step(struct model *m, const struct step *s)
{
	switch (s->op) {
	case STEP_CREATE:
		return step_make(m, s, AFSX_FTYPE_FILE);
	case STEP_MKDIR:
		return step_make(m, s, AFSX_FTYPE_DIR);
	case STEP_SYMLINK:
		return step_make(m, s, AFSX_FTYPE_SYMLINK);
	case STEP_LINK:
		return step_link(m, s);
	case STEP_APPEND:
	case STEP_OVERWRITE:
		return step_write(m, s);
	case STEP_TRUNCATE:
		return step_truncate(m, s);
	case STEP_RENAME:
		return step_rename(m, s);
	case STEP_REMOVE:
		return step_remove(m, s);
	case STEP_ATTR:
		return step_attr(m, s);
	case STEP_CLONE:
		return step_clone(m, s);
	default:
		m->extra = !m->extra;
		return 0;
	}
}

/* ---- random steps --------------------------------------------------------------- */

static void pick_path(u64 *rng, char *path)
{
	u32 dir = rng_below(rng, 8), name = rng_below(rng, 8);

	if (dir < 4)
		sprintf(path, "n%u/n%u", dir, name);
	else
		sprintf(path, "n%u", name);
}

/* How often each is tried; those that make names are more likely to fail. */
static const u8 weights[STEPS] = {
	[STEP_CREATE] = 14, [STEP_MKDIR] = 6, [STEP_SYMLINK] = 4,
	[STEP_LINK] = 6, [STEP_APPEND] = 14, [STEP_OVERWRITE] = 18,
	[STEP_TRUNCATE] = 8, [STEP_RENAME] = 12, [STEP_REMOVE] = 8,
	[STEP_ATTR] = 6, [STEP_CLONE] = 1, [STEP_VOLUME] = 1,
};

static enum step_op pick_op(u64 *rng)
{
	u32 sum = 0, at, op = 0;

	for (u32 i = 0; i < STEPS; i++)
		sum += weights[i];
	at = rng_below(rng, sum);
	while (at >= weights[op])
		at -= weights[op++];
	return op;
}

void model_pick(struct model *m, u64 *rng, u64 stamp, struct step *s)
{
	do {
		memset(s, 0, sizeof(*s));
		s->op = pick_op(rng);
		s->stamp = stamp;
		pick_path(rng, s->a);
		pick_path(rng, s->b);
		s->off = rng_below(rng, 60000);
		s->len = 1 + rng_below(rng, rng_below(rng, 4) ? 9000 : 120000);
		s->mode = rng_below(rng, 01000);
		s->type = rng_below(rng, 2) ? AFSX_VOL_RO : AFSX_VOL_BACKUP;
	} while (model_step(m, s));
}

void step_fill(const struct step *s, u64 off, u8 *buf, size_t len)
{
	u32 a = (u32)s->stamp * 0x9e3779b1u;

	for (size_t i = 0; i < len; i++)
		buf[i] = (u8)((a ^ (u32)(off + i) * 0x85ebca6bu) >> 13);
}
