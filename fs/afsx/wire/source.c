// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Mount sources and mount point targets.
 */
#include <afsx/source.h>

/* Type suffixes of a volume name, by enum afsx_voltype */
static const char *const suffixes[AFSX_VOL_TYPES] = {
	[AFSX_VOL_RO]		= ".readonly",
	[AFSX_VOL_BACKUP]	= ".backup",
};

static const u32 exists_flag[AFSX_VOL_TYPES] = {
	[AFSX_VOL_RW]		= AFSX_VLF_RWEXISTS,
	[AFSX_VOL_RO]		= AFSX_VLF_ROEXISTS,
	[AFSX_VOL_BACKUP]	= AFSX_VLF_BACKEXISTS,
};

/* The type whose suffix ends @s; AFSX_VOL_RW when there is none. */
static enum afsx_voltype suffix_type(const struct afsx_str *s)
{
	for (u32 t = AFSX_VOL_RO; t < AFSX_VOL_TYPES; t++) {
		size_t len = strlen(suffixes[t]);

		if (s->len >= len && !memcmp(s->p + s->len - len, suffixes[t], len))
			return (enum afsx_voltype)t;
	}
	return AFSX_VOL_RW;
}

/* Printable ASCII but for the space and the characters in @not. */
static bool all_graphic(const struct afsx_str *s, const char *not)
{
	for (u32 i = 0; i < s->len; i++)
		if (s->p[i] <= ' ' || s->p[i] >= 0x7f || strchr(not, s->p[i]))
			return false;
	return true;
}

static const char *check_cell(const struct afsx_str *cell)
{
	if (!cell->len)
		return "empty cell name in front of ':'";
	if (cell->len > AFSX_CELLNAME_MAX)
		return "cell name too long";
	if (cell->p[0] == '.')
		return "cell name starts with '.'";
	if (!all_graphic(cell, "/@%#"))
		return "bad character in cell name";
	return NULL;
}

static const char *check_volume(const struct afsx_str *volume)
{
	if (!all_graphic(volume, "/:%#"))
		return "bad character in volume name";
	if (volume->p[volume->len - 1] == '.')
		return "volume name ends with '.'";
	if (suffix_type(volume) != AFSX_VOL_RW)
		return "volume name has two type suffixes";
	return NULL;
}

/* A volume made of digits is an id; one that fits no 32-bit word is an error. */
static const char *parse_vid(struct afsx_source *src)
{
	u64 vid = 0;

	for (u32 i = 0; i < src->volume.len; i++) {
		char c = src->volume.p[i];

		if (c < '0' || c > '9')
			return NULL;
		vid = min_t(u64, vid * 10 + (u64)(c - '0'), U64_MAX / 16);
	}
	if (!vid || vid > U32_MAX)
		return "volume id out of range";
	src->numeric = true;
	src->vid = (u32)vid;
	return NULL;
}

/* Take the final dot and the type suffix off the volume name. */
static void split_suffix(struct afsx_source *src)
{
	struct afsx_str *v = &src->volume;
	enum afsx_voltype type;

	if (v->len && v->p[v->len - 1] == '.')
		v->len--;
	type = suffix_type(v);
	if (type == AFSX_VOL_RW)
		return;
	v->len -= (u32)strlen(suffixes[type]);
	src->type = type;
	src->force = true;
}

static int parse_volume(struct afsx_source *src, const char **why)
{
	split_suffix(src);
	if (!src->volume.len) {
		*why = "no volume named";
		return -ENOMEDIUM;
	}
	if (src->volume.len > AFSX_VOLNAME_MAX) {
		*why = "volume name too long";
		return -ENAMETOOLONG;
	}
	*why = check_volume(&src->volume);
	if (!*why)
		*why = parse_vid(src);
	return *why ? -EINVAL : 0;
}

int afsx_source_parse(const char *s, size_t len, bool rwpath, struct afsx_source *out,
		      const char **why)
{
	const char *end = s + len, *colon;

	*why = NULL;
	if (len < 2 || (*s != '%' && *s != '#')) {
		*why = "want '%' or '#', then [cell:]volume";
		return -EINVAL;
	}
	if (len > PATH_MAX) {
		*why = "too long";
		return -EINVAL;
	}
	*out = (struct afsx_source) { .sigil = *s, .type = AFSX_VOL_RW };
	if (*s++ == '%' || rwpath)
		out->force = true;
	else
		out->type = AFSX_VOL_RO;

	colon = memchr(s, ':', (size_t)(end - s));
	if (colon) {
		out->cell = (struct afsx_str) { .p = s, .len = (u32)(colon - s) };
		*why = check_cell(&out->cell);
		if (*why)
			return -EINVAL;
		s = colon + 1;
	}
	out->volume = (struct afsx_str) { .p = s, .len = (u32)(end - s) };
	return parse_volume(out, why);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_source_parse);

int afsx_source_pick(const struct afsx_source *src, u32 vldb_flags)
{
	if (vldb_flags & exists_flag[src->type])
		return src->type;
	if (!src->force && (vldb_flags & exists_flag[AFSX_VOL_RW]))
		return AFSX_VOL_RW;
	return -ENOMEDIUM;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_source_pick);

/* Append to a buffer of which one byte is kept for the NUL. */
static void append(char **p, const char *last, const char *s, size_t len)
{
	len = min(len, (size_t)(last - *p));
	if (len)
		memcpy(*p, s, len);
	*p += len;
}

int afsx_source_format(char *buf, size_t size, const struct afsx_source *src)
{
	bool suffix = src->type == AFSX_VOL_BACKUP || (src->type == AFSX_VOL_RO && src->force);
	const char *tail = suffix ? suffixes[src->type] : "";
	size_t want = 1 + src->cell.len + !!src->cell.len + src->volume.len + strlen(tail);
	char *p = buf;

	if (size) {
		const char *last = buf + size - 1;

		append(&p, last, src->type == AFSX_VOL_RW ? "%" : "#", 1);
		append(&p, last, src->cell.p, src->cell.len);
		append(&p, last, ":", !!src->cell.len);
		append(&p, last, src->volume.p, src->volume.len);
		append(&p, last, tail, strlen(tail));
		*p = '\0';
	}
	return want < size ? (int)want : -ENAMETOOLONG;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_source_format);
