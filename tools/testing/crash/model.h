/* SPDX-License-Identifier: MIT */
/*
 * What the volumes of a test should hold, in plain memory: a table of paths.
 * Clones are kept as the text that describes them.
 */
#ifndef AFSX_MODEL_H
#define AFSX_MODEL_H

#include <stdbool.h>

#include <afsx/types.h>

#include "defs.h"

#define MODEL_VOLUME	"main"		/* the one that steps change */
#define MODEL_EXTRA	"extra"		/* an empty one that comes and goes */
#define MODEL_PATH_MAX	64
#define MODEL_NAMES_MAX	64
#define MODEL_FILE_MAX	(192u * 1024)	/* bytes in a file */

/* The twelve operations. */
enum step_op {
	STEP_CREATE,	/* @a: a file */
	STEP_MKDIR,	/* @a */
	STEP_SYMLINK,	/* @a, to @b */
	STEP_LINK,	/* @a, another name for @b */
	STEP_APPEND,	/* @len bytes to @a */
	STEP_OVERWRITE,	/* @len bytes of @a from @off */
	STEP_TRUNCATE,	/* @a to @len bytes, or extend it by a hole */
	STEP_RENAME,	/* @a to @b, which may be replaced */
	STEP_REMOVE,	/* @a: a name, or an empty directory */
	STEP_ATTR,	/* mode of @a, and its ACL if it is a directory */
	STEP_CLONE,	/* make or renew the clone @type */
	STEP_VOLUME,	/* make the other volume, or remove it */
	STEPS
};

/**
 * struct step - one transaction
 * @op: which
 * @a: path, without a slash in front
 * @b: another, or the target of a symlink
 * @off: bytes
 * @len: bytes
 * @mode: permission bits
 * @type: of a clone
 * @stamp: makes the bytes written different from those of other steps
 */
struct step {
	enum step_op op;
	char a[MODEL_PATH_MAX];
	char b[MODEL_PATH_MAX];
	u64 off;
	u32 len;
	u32 mode;
	enum afsx_voltype type;
	u64 stamp;
};

/* A file, directory or link; @text is the target or the ACL. */
struct model_vnode {
	enum afsx_ftype type;
	u32 mode;
	u32 nlink;
	u32 size;
	u8 *data;
	char text[MODEL_PATH_MAX];
};

struct model_name {
	char path[MODEL_PATH_MAX];
	struct model_vnode *vn;
};

/**
 * struct model - the state
 * @name: every name of the volume
 * @nr: their number
 * @clone: by type: model_tree() of that moment, or NULL
 * @extra: the other volume exists
 */
struct model {
	struct model_name name[MODEL_NAMES_MAX];
	u32 nr;
	char *clone[3];
	bool extra;
};

/** model_init() - an empty volume */
void model_init(struct model *m);

/** model_free() - release what @m points to */
void model_free(struct model *m);

/**
 * model_step() - what a step should do
 * @m: state, which it changes
 * @s: the step
 *
 * Return: 0, or -1 when it cannot succeed and nothing has changed.
 */
int model_step(struct model *m, const struct step *s);

/** model_pick() - a random step that succeeds; it is carried out */
void model_pick(struct model *m, u64 *rng, u64 stamp, struct step *s);

/** model_tree() - the volume as text, under another name */
char *model_tree(const struct model *m, const char *volume);

/** model_text() - everything as text; the caller frees it */
char *model_text(const struct model *m);

/** step_fill() - the bytes that a step writes to [@off, @off + @len) */
void step_fill(const struct step *s, u64 off, u8 *buf, size_t len);

/** step_text() - for messages; valid until the next call */
const char *step_text(const struct step *s);

/* One vnode, as a line of the text shows it. */
struct text_vnode {
	const char *path;
	enum afsx_ftype type;
	u32 mode;
	u32 nlink;
	u64 size;
	const u8 *data;
	const char *text;
};

/** text_line() - one line for @v; the caller frees it */
char *text_line(const char *volume, const struct text_vnode *v);

/** text_sort() - a volume: its name, and @nr lines in order, which are freed */
char *text_sort(const char *volume, char **line, u32 nr);

#endif /* AFSX_MODEL_H */
