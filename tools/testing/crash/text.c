// SPDX-License-Identifier: MIT
/* States as text, so that two can be compared and a difference be shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "test.h"

#define LANES	4u	/* whose multiplications overlap */

/* What one more word makes of a hash: each step can be undone, so all of it counts. */
static u64 mix(u64 h, u64 word)
{
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

/*
 * Not the checksum that the store itself uses. Models of long runs spend their time here,
 * so it takes many bytes at once.
 */
static u64 hash(const u8 *data, u64 len)
{
	u64 lane[LANES] = { 1, 2, 3, 4 }, word[LANES], h = len;

	for (; len >= sizeof(word); data += sizeof(word), len -= sizeof(word)) {
		memcpy(word, data, sizeof(word));
		for (u32 i = 0; i < LANES; i++)
			lane[i] = mix(lane[i], word[i]);
	}
	for (u32 i = 0; i < LANES; i++)
		h = mix(h, lane[i]);
	for (; len; len--)
		h = mix(h, *data++);
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
