// SPDX-License-Identifier: MIT
/* The tables of the dump format, and writing by them. */
#include "dump_format.h"

#include <stddef.h>
#include <string.h>

#define TAG(type, tag, form, member)					\
	{ tag, form, offsetof(struct type, member), 0, 0 }
#define TAG_OF(type, tag, form, member, size)				\
	{ tag, form, offsetof(struct type, member), size, 0 }
#define TAG_IF(type, tag, form, member, size, flag)			\
	{ tag, form, offsetof(struct type, member), size,		\
	  offsetof(struct type, flag) }

static const struct dump_tag begin_tags[] = {
	TAG(dump_span, 'v', DUMP_WORD, id),
	TAG_OF(dump_span, 'n', DUMP_STRING, name, DUMP_NAME_MAX + 1),
	TAG_OF(dump_span, 't', DUMP_SPAN, from, 2 * sizeof(u32)),
};

static const struct dump_tag volume_tags[] = {
	TAG(dump_volume, 'i', DUMP_WORD, id),
	TAG(dump_volume, 'v', DUMP_WORD, stamp),
	TAG_OF(dump_volume, 'n', DUMP_STRING, name, DUMP_NAME_MAX + 1),
	TAG(dump_volume, 's', DUMP_BYTE, in_service),
	TAG(dump_volume, 'b', DUMP_BYTE, blessed),
	TAG(dump_volume, 'u', DUMP_WORD, next_unique),
	TAG(dump_volume, 't', DUMP_BYTE, type),
	TAG(dump_volume, 'p', DUMP_WORD, parent),
	TAG(dump_volume, 'c', DUMP_WORD, clone),
	TAG(dump_volume, 'q', DUMP_WORD, quota),
	TAG(dump_volume, 'm', DUMP_WORD, min_quota),
	TAG(dump_volume, 'd', DUMP_WORD, used),
	TAG(dump_volume, 'f', DUMP_WORD, files),
	TAG(dump_volume, 'a', DUMP_WORD, account),
	TAG(dump_volume, 'o', DUMP_WORD, owner),
	TAG(dump_volume, 'C', DUMP_WORD, created),
	TAG(dump_volume, 'A', DUMP_WORD, accessed),
	TAG(dump_volume, 'U', DUMP_WORD, updated),
	TAG(dump_volume, 'E', DUMP_WORD, expires),
	TAG(dump_volume, 'B', DUMP_WORD, backed_up),
	TAG_OF(dump_volume, 'O', DUMP_STRING, offline_msg, DUMP_TEXT_MAX + 1),
	TAG_OF(dump_volume, 'M', DUMP_STRING, motd, DUMP_TEXT_MAX + 1),
	TAG_OF(dump_volume, 'W', DUMP_WORDS, week, DUMP_WEEK * sizeof(u32)),
	TAG(dump_volume, 'D', DUMP_WORD, day_date),
	TAG(dump_volume, 'Z', DUMP_WORD, day_use),
};

static const struct dump_tag vnode_tags[] = {
	TAG(dump_vnode, 't', DUMP_BYTE, type),
	TAG(dump_vnode, 'l', DUMP_SHORT, links),
	TAG(dump_vnode, 'v', DUMP_WORD, version),
	TAG(dump_vnode, 'm', DUMP_WORD, mtime),
	TAG(dump_vnode, 'a', DUMP_WORD, author),
	TAG(dump_vnode, 'o', DUMP_WORD, owner),
	TAG_IF(dump_vnode, 'g', DUMP_WORD, group, 0, has_group),
	TAG(dump_vnode, 'b', DUMP_SHORT, mode),
	TAG(dump_vnode, 'p', DUMP_WORD, parent),
	TAG(dump_vnode, 's', DUMP_WORD, stime),
	TAG_IF(dump_vnode, 'A', DUMP_BYTES, acl, DUMP_ACL_SIZE, has_acl),
	TAG_IF(dump_vnode, 'f', DUMP_SIZE, size, 0, has_data),
	TAG_IF(dump_vnode, 'h', DUMP_SIZE64, size, 0, has_data),
};

const struct dump_record dump_records[] = {
	[DUMP_BEGIN] = { "dump header", begin_tags, ARRAY_SIZE(begin_tags) },
	[DUMP_VOLUME] = { "volume header", volume_tags, ARRAY_SIZE(volume_tags) },
	[DUMP_VNODE] = { "vnode", vnode_tags, ARRAY_SIZE(vnode_tags) },
};

static void put_number(FILE *out, u64 value, int bytes)
{
	while (bytes--)
		fputc((int)(value >> (8 * bytes) & 0xff), out);
}

static void put_words(FILE *out, const struct dump_tag *t, const void *value)
{
	unsigned int nr = t->size / sizeof(u32);
	const u32 *words = value;

	put_number(out, nr, 2);
	for (unsigned int i = 0; i < nr; i++)
		put_number(out, words[i], 4);
}

static void put_value(FILE *out, const struct dump_tag *t, const void *value)
{
	switch ((enum dump_form)t->form) {
	case DUMP_BYTE:
		put_number(out, *(const u8 *)value, 1);
		break;
	case DUMP_SHORT:
		put_number(out, *(const u16 *)value, 2);
		break;
	case DUMP_WORD:
		put_number(out, *(const u32 *)value, 4);
		break;
	case DUMP_STRING:
		fwrite(value, 1, strlen(value) + 1, out);
		break;
	case DUMP_WORDS:
	case DUMP_SPAN:
		put_words(out, t, value);
		break;
	case DUMP_BYTES:
		fwrite(value, 1, t->size, out);
		break;
	case DUMP_SIZE:
		put_number(out, *(const u64 *)value, 4);
		break;
	case DUMP_SIZE64:
		put_number(out, *(const u64 *)value, 8);
		break;
	}
}

/* The two forms of a size exclude each other. */
static bool is_form(const struct dump_tag *t, const void *value)
{
	bool large;

	if (t->form != DUMP_SIZE && t->form != DUMP_SIZE64)
		return true;
	large = *(const u64 *)value > U32_MAX;
	return large == (t->form == DUMP_SIZE64);
}

void dump_put(FILE *out, u8 record, unsigned int nr, const u32 *words,
	      const void *attrs)
{
	const u8 *base = attrs;

	fputc(record, out);
	for (unsigned int i = 0; i < nr; i++)
		put_number(out, words[i], 4);
	for (unsigned int i = 0; base && i < dump_records[record].nr; i++) {
		const struct dump_tag *t = &dump_records[record].tags[i];

		if (t->flag && !*(const bool *)(base + t->flag))
			continue;
		if (!is_form(t, base + t->off))
			continue;
		fputc(t->tag, out);
		put_value(out, t, base + t->off);
	}
}
