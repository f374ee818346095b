// SPDX-License-Identifier: MIT
/* States as text, so that two can be compared and a difference be shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "test.h"

/* FNV-1a: not the checksum that the store itself uses. */
static u64 hash(const u8 *data, u64 len)
{
	u64 h = UINT64_C(0xcbf29ce484222325);

	for (u64 i = 0; i < len; i++)
		h = (h ^ data[i]) * UINT64_C(0x100000001b3);
	return h;
}

char *text_line(const char *volume, const struct text_vnode *v)
{
	char *line = NULL;
	int ret;

	switch (v->type) {
	case AFSX_FTYPE_FILE:
		ret = asprintf(&line, "%s/%s file %o %u %ju %016jx\n", volume,
			       v->path, v->mode, v->nlink, (uintmax_t)v->size,
			       (uintmax_t)hash(v->data, v->size));
		break;
	case AFSX_FTYPE_DIR:
		ret = asprintf(&line, "%s/%s dir %o '%s'\n", volume, v->path,
			       v->mode, v->text);
		break;
	default:
		ret = asprintf(&line, "%s/%s link %u '%s'\n", volume, v->path,
			       v->nlink, v->text);
	}
	if (ret < 0)
		die("out of memory");
	return line;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *text_sort(const char *volume, char **line, u32 nr)
{
	size_t size = strlen(volume) + sizeof("volume ") + 1;
	char *text, *p;

	qsort(line, nr, sizeof(*line), compare);
	for (u32 i = 0; i < nr; i++)
		size += strlen(line[i]);
	text = malloc(size);
	if (!text)
		die("out of memory");
	p = text + sprintf(text, "volume %s\n", volume);
	for (u32 i = 0; i < nr; i++) {
		p = stpcpy(p, line[i]);
		free(line[i]);
	}
	return text;
}

const char *step_text(const struct step *s)
{
	static const char *const names[STEPS] = {
		"create", "mkdir", "symlink", "link", "append", "overwrite",
		"truncate", "rename", "remove", "attr", "clone", "volume",
	};
	static char text[3 * MODEL_PATH_MAX];

	snprintf(text, sizeof(text), "%s %s %s %ju+%u", names[s->op], s->a,
		 s->b, (uintmax_t)s->off, s->len);
	return text;
}

char *model_tree(const struct model *m, const char *volume)
{
	char *line[MODEL_NAMES_MAX + 1];

	for (u32 i = 0; i < m->nr; i++) {
		const struct model_vnode *vn = m->name[i].vn;
		struct text_vnode t = {
			.path = m->name[i].path,
			.type = vn->type,
			.mode = vn->mode,
			.nlink = vn->nlink,
			.size = vn->size,
			.data = vn->data,
			.text = vn->text,
		};

		line[i] = text_line(volume, &t);
	}
	return text_sort(volume, line, m->nr);
}

char *model_text(const struct model *m)
{
	char *tree = model_tree(m, MODEL_VOLUME), *all = NULL;
	int ret;

	ret = asprintf(&all, "%s%s%s%s", tree,
		       m->clone[AFSX_VOL_RO] ? : "",
		       m->clone[AFSX_VOL_BACKUP] ? : "",
		       m->extra ? "volume " MODEL_EXTRA "\n" : "");
	if (ret < 0)
		die("out of memory");
	free(tree);
	return all;
}
