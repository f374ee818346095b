// SPDX-License-Identifier: MIT
#include "work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define LINES_MAX	(MODEL_NAMES_MAX + 16u)

void work_format(const char *uri)
{
	struct store_format_opts o = { .uri = uri, .force = true };
	struct errbuf err = { "" };
	struct store_tx *tx;
	struct store *st;
	u32 vid;

	if (store_format(&o, &err))
		die("format: %s", err.text);
	st = work_open(uri, &err);
	if (!st)
		die("open: %s", err.text);
	if (store_begin(st, &tx) || store_vol_create(tx, MODEL_VOLUME, 0, &vid) ||
	    store_commit(tx) || store_close(st))
		die("no volume can be made");
}

struct store *work_open(const char *uri, struct errbuf *err)
{
	struct store_config cfg = {
		.uri = uri,
		.flags = STORE_TAKEOVER,
		.readers = 1,
		.cache_mib = 1,
		.free_step = 1,	/* so that even small files go in steps */
	};
	struct store *st = NULL;

	return store_open(&cfg, &st, err) ? NULL : st;
}

u32 work_volume(struct store *st)
{
	struct store_vol vol;

	return store_vol_find(st, MODEL_VOLUME, strlen(MODEL_VOLUME), &vol) ?
	       0 : vol.id;
}

/* ---- steps ------------------------------------------------------------------ */

/* Where a path leads: its directory, its last name, and how to get there. */
struct spot {
	struct afsx_fid dir;
	const char *name;
	size_t len;
};

static int find_spot(struct store_tx *tx, u32 vid, const char *path,
		     struct spot *at)
{
	const char *slash;

	at->dir = (struct afsx_fid){ vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	while ((slash = strchr(path, '/'))) {
		int ret = store_tx_lookup(tx, &at->dir, path,
					  (size_t)(slash - path), &at->dir);

		if (ret)
			return ret;
		path = slash + 1;
	}
	at->name = path;
	at->len = strlen(path);
	return 0;
}

static int find_vnode(struct store_tx *tx, u32 vid, const char *path,
		      struct store_status *status)
{
	struct afsx_fid fid;
	struct spot at;
	int ret = find_spot(tx, vid, path, &at);

	if (!ret)
		ret = store_tx_lookup(tx, &at.dir, at.name, at.len, &fid);
	return ret ? ret : store_tx_getattr(tx, &fid, status);
}

static int make(struct store_tx *tx, u32 vid, const struct step *s,
		enum afsx_ftype type)
{
	struct store_attr attr = { .mask = STORE_SET_MODE, .mode = s->mode };
	bool link = type == AFSX_FTYPE_SYMLINK;
	struct afsx_fid fid;
	struct spot at;
	int ret = find_spot(tx, vid, s->a, &at);

	return ret ? ret : store_create(tx, &at.dir, at.name, at.len, type,
					link ? NULL : &attr,
					link ? s->b : NULL, &fid);
}

static int make_link(struct store_tx *tx, u32 vid, const struct step *s)
{
	struct store_status from;
	struct spot at;
	int ret = find_vnode(tx, vid, s->b, &from);

	if (!ret)
		ret = find_spot(tx, vid, s->a, &at);
	return ret ? ret : store_link(tx, &at.dir, at.name, at.len, &from.fid);
}

static int put_data(struct store_tx *tx, u32 vid, const struct step *s)
{
	static u8 data[MODEL_FILE_MAX];	/* used with the writer's lock held */
	struct store_status status;
	int ret = find_vnode(tx, vid, s->a, &status);
	u64 off = s->op == STEP_APPEND ? status.size : s->off;

	if (ret)
		return ret;
	step_fill(s, off, data, s->len);
	return store_write(tx, &status.fid, off, data, s->len);
}

static int set_attr(struct store_tx *tx, u32 vid, const struct step *s)
{
	struct store_attr attr = {
		.mask = s->op == STEP_TRUNCATE ? STORE_SET_SIZE : STORE_SET_MODE,
		.mode = s->mode,
		.size = s->len,
	};
	struct store_status status;
	int ret = find_vnode(tx, vid, s->a, &status);

	if (!ret)
		ret = store_setattr(tx, &status.fid, &attr);
	if (!ret && s->op == STEP_ATTR && status.type == AFSX_FTYPE_DIR)
		ret = store_acl_set(tx, &status.fid, s->b, strlen(s->b));
	return ret;
}

static int move(struct store_tx *tx, u32 vid, const struct step *s)
{
	struct spot a, b;
	int ret = find_spot(tx, vid, s->a, &a);

	if (!ret)
		ret = find_spot(tx, vid, s->b, &b);
	return ret ? ret : store_rename(tx, &a.dir, a.name, a.len, &b.dir,
					b.name, b.len);
}

static int remove_name(struct store_tx *tx, u32 vid, const struct step *s)
{
	struct store_status status;
	struct spot at;
	int ret = find_vnode(tx, vid, s->a, &status);

	if (!ret)
		ret = find_spot(tx, vid, s->a, &at);
	return ret ? ret : store_unlink(tx, &at.dir, at.name, at.len,
					status.type == AFSX_FTYPE_DIR, NULL);
}

static int toggle_volume(struct store_tx *tx, u32 vid)
{
	u32 id;
	int ret = store_vol_create(tx, MODEL_EXTRA, 100, &id);

	if (ret != -EEXIST)
		return ret;
	/* the first volume made here, or one of its successors */
	for (id = vid + 3; (ret = store_vol_remove(tx, id)) == -ENOMEDIUM; id += 3)
		if (id > vid + 300000)
			return ret;
	return ret;
}

int work_step(struct store_tx *tx, u32 vid, const struct step *s)
{
	u32 id;

	switch (s->op) {
	case STEP_CREATE:
		return make(tx, vid, s, AFSX_FTYPE_FILE);
	case STEP_MKDIR:
		return make(tx, vid, s, AFSX_FTYPE_DIR);
	case STEP_SYMLINK:
		return make(tx, vid, s, AFSX_FTYPE_SYMLINK);
	case STEP_LINK:
		return make_link(tx, vid, s);
	case STEP_APPEND:
	case STEP_OVERWRITE:
		return put_data(tx, vid, s);
	case STEP_TRUNCATE:
	case STEP_ATTR:
		return set_attr(tx, vid, s);
	case STEP_RENAME:
		return move(tx, vid, s);
	case STEP_REMOVE:
		return remove_name(tx, vid, s);
	case STEP_CLONE:
		return store_vol_clone(tx, vid, s->type, &id);
	default:
		return toggle_volume(tx, vid);
	}
}

int work_commit(struct store *st, u32 vid, const struct step *s)
{
	struct store_tx *tx;
	int ret = store_begin(st, &tx);

	if (ret)
		return ret;
	ret = work_step(tx, vid, s);
	if (!ret)
		return store_commit(tx);
	store_abort(tx);
	return ret;
}

/* ---- what a store shows -------------------------------------------------------- */

struct walk {
	struct store *st;
	const char *volume;
	char *line[LINES_MAX];
	u32 nr;
};

/* A directory's entries, collected before they are looked at. */
struct listing {
	u32 nr;
	struct {
		char name[MODEL_PATH_MAX];
		struct afsx_fid fid;
	} entry[LINES_MAX];
};

static bool list_entry(void *ctx, const char *name, size_t len,
		       const struct afsx_fid *fid)
{
	struct listing *l = ctx;

	if (len <= 2 && !memcmp(name, "..", len))
		return true;
	if (l->nr == LINES_MAX || len >= MODEL_PATH_MAX)
		return false;
	snprintf(l->entry[l->nr].name, MODEL_PATH_MAX, "%.*s", (int)len, name);
	l->entry[l->nr++].fid = *fid;
	return true;
}

static int walk_dir(struct walk *w, const struct afsx_fid *dir,
		    const char *path);

static ssize_t read_text(struct walk *w, const struct store_status *s,
			 char *text, size_t size)
{
	ssize_t n;

	if (s->type == AFSX_FTYPE_DIR)
		n = store_acl_get(w->st, &s->fid, text, size - 1);
	else
		n = store_read(w->st, &s->fid, 0, text, size - 1, NULL);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

static int add_line(struct walk *w, const struct store_status *s,
		    const char *path)
{
	u8 *data = malloc(MODEL_FILE_MAX + 1);
	char text[STORE_ACL_MAX + 1] = "";
	struct text_vnode t = {
		.path = path,
		.type = s->type,
		.mode = s->mode,
		.nlink = s->nlink,
		.size = s->size,
		.data = data,
		.text = text,
	};
	ssize_t n;

	if (s->type == AFSX_FTYPE_FILE)
		n = store_read(w->st, &s->fid, 0, data, MODEL_FILE_MAX + 1,
			       NULL);
	else
		n = read_text(w, s, text, sizeof(text));
	if (n >= 0 && s->type == AFSX_FTYPE_FILE && (u64)n != s->size)
		n = -EUCLEAN;
	if (n >= 0 && w->nr < LINES_MAX)
		w->line[w->nr++] = text_line(w->volume, &t);
	free(data);
	return n < 0 ? (int)n : 0;
}

static int walk_entry(struct walk *w, const struct afsx_fid *fid,
		      const char *path)
{
	struct store_status s;
	int ret = store_getattr(w->st, fid, &s);

	if (!ret)
		ret = add_line(w, &s, path);
	if (!ret && s.type == AFSX_FTYPE_DIR)
		ret = walk_dir(w, fid, path);
	return ret;
}

static int walk_dir(struct walk *w, const struct afsx_fid *dir,
		    const char *path)
{
	struct listing *l = calloc(1, sizeof(*l));
	char sub[4 * MODEL_PATH_MAX];
	int ret = l ? store_readdir(w->st, dir, list_entry, l) : -ENOMEM;

	for (u32 i = 0; !ret && i < l->nr; i++) {
		snprintf(sub, sizeof(sub), "%s%s%s", path, *path ? "/" : "",
			 l->entry[i].name);
		ret = walk_entry(w, &l->entry[i].fid, sub);
	}
	free(l);
	return ret;
}

static char *volume_text(struct store *st, const struct store_vol *vol,
			 int *err)
{
	struct afsx_fid root = { vol->id, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	struct walk w = { .st = st, .volume = vol->name };
	char *text;

	*err = walk_dir(&w, &root, "");
	text = text_sort(vol->name, w.line, w.nr);
	if (!*err)
		return text;
	free(text);
	return NULL;
}

char *work_text(struct store *st, int *err)
{
	struct store_vol vol;
	char *all = strdup("");
	u32 id = 0;

	while ((*err = store_vol_next(st, id, &vol)) > 0) {
		char *one = volume_text(st, &vol, err);
		char *both = NULL;

		if (!one)
			break;
		if (asprintf(&both, "%s%s", all, one) < 0)
			die("out of memory");
		free(all);
		free(one);
		all = both;
		id = vol.id;
	}
	if (!*err)
		return all;
	free(all);
	return NULL;
}

int work_collect(struct store *st)
{
	int ret;

	do
		ret = store_collect(st, 1000);
	while (ret > 0);
	return ret;
}
