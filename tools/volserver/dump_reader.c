// SPDX-License-Identifier: MIT
#include "dump_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

int dump_bad(struct dump_reader *r, u64 at, const char *fmt, ...)
{
	int n = snprintf(r->error, sizeof(r->error), "byte %ju: ",
			 (uintmax_t)at);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->error + n, sizeof(r->error) - (size_t)n, fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

/* ---- bytes ------------------------------------------------------------------ */

/* Have at least one byte in the buffer: 1, 0 at the end, or an error. */
static int fill(struct dump_reader *r)
{
	ssize_t n;

	if (r->pos < r->len)
		return 1;
	n = r->input(r->ctx, r->buf, sizeof(r->buf));
	if (n < 0) {
		dump_bad(r, r->offset, "%s", strerror((int)-n));
		return (int)n;
	}
	r->pos = 0;
	r->len = (size_t)n;
	return n > 0;
}

/* Take up to @len bytes; NULL to throw them away. */
static ssize_t take_some(struct dump_reader *r, void *buf, u64 len)
{
	int ret = fill(r);
	size_t n;

	if (!ret)
		return dump_bad(r, r->offset, "the dump ends here, too early");
	if (ret < 0)
		return ret;
	n = (size_t)min(len, (u64)(r->len - r->pos));
	if (buf)
		memcpy(buf, r->buf + r->pos, n);
	r->pos += n;
	r->offset += n;
	return (ssize_t)n;
}

static int take(struct dump_reader *r, void *buf, u64 len)
{
	u8 *to = buf;

	while (len) {
		ssize_t n = take_some(r, to, len);

		if (n < 0)
			return (int)n;
		to = to ? to + n : NULL;
		len -= (u64)n;
	}
	return 0;
}

static int take_number(struct dump_reader *r, int bytes, u64 *value)
{
	u8 raw[8];
	int ret = take(r, raw, (u64)bytes);

	*value = 0;
	for (int i = 0; !ret && i < bytes; i++)
		*value = *value << 8 | raw[i];
	return ret;
}

static int take_word(struct dump_reader *r, u32 *value)
{
	u64 number;
	int ret = take_number(r, 4, &number);

	*value = (u32)number;
	return ret;
}

static int take_byte(struct dump_reader *r, u8 *value)
{
	return take(r, value, 1);
}

/* The next tag, that of a record or of an attribute. */
static int take_tag(struct dump_reader *r, u8 *tag)
{
	if (r->next < 0)
		return take_byte(r, tag);
	*tag = (u8)r->next;
	r->next = -1;
	return 0;
}

/* ---- attributes ------------------------------------------------------------- */

static int take_string(struct dump_reader *r, u8 tag, char *to, size_t room)
{
	u64 start = r->offset;

	for (size_t i = 0; i < room; i++) {
		int ret = take_byte(r, (u8 *)&to[i]);

		if (ret || !to[i])
			return ret;
	}
	return dump_bad(r, start, "the text of tag '%c' is longer than %zu bytes",
			tag, room - 1);
}

/* A counted list of words: as many as there is room for count. */
static int take_words(struct dump_reader *r, u32 *to, size_t room)
{
	u64 nr;
	int ret = take_number(r, 2, &nr);

	for (u64 i = 0; !ret && i < nr; i++) {
		u32 word;

		ret = take_word(r, &word);
		if (!ret && i < room)
			to[i] = word;
	}
	return ret;
}

/* Of several spans in a row: from the first's begin to the last's end. */
static int take_span(struct dump_reader *r, u32 *to)
{
	u64 start = r->offset, nr;
	u32 from;
	int ret = take_number(r, 2, &nr);

	if (!ret && (!nr || nr % 2))
		return dump_bad(r, start, "%ju times instead of pairs of them",
				(uintmax_t)nr);
	for (u64 i = 0; !ret && i < nr; i += 2) {
		ret = take_word(r, &from);
		if (!i)
			to[0] = from;
		if (!ret)
			ret = take_word(r, &to[1]);
	}
	return ret;
}

static int take_integer(struct dump_reader *r, int bytes, void *to)
{
	u64 value;
	int ret = take_number(r, bytes, &value);

	if (bytes == 1)
		*(u8 *)to = (u8)value;
	else if (bytes == 2)
		*(u16 *)to = (u16)value;
	else
		*(u32 *)to = (u32)value;
	return ret;
}

static int take_value(struct dump_reader *r, const struct dump_tag *t, void *to)
{
	int ret;

	switch ((enum dump_form)t->form) {
	case DUMP_BYTE:
		return take_integer(r, 1, to);
	case DUMP_SHORT:
		return take_integer(r, 2, to);
	case DUMP_WORD:
		return take_integer(r, 4, to);
	case DUMP_STRING:
		return take_string(r, t->tag, to, t->size);
	case DUMP_WORDS:
		return take_words(r, to, t->size / sizeof(u32));
	case DUMP_SPAN:
		return take_span(r, to);
	case DUMP_BYTES:
		return take(r, to, t->size);
	default:
		ret = take_number(r, t->form == DUMP_SIZE ? 4 : 8, to);
		r->left = ret ? 0 : *(u64 *)to;
		return ret;
	}
}

/* A tag that the tables do not have says itself how long its value is. */
static int skip_unknown(struct dump_reader *r, u8 tag, bool critical)
{
	u64 start = r->offset - 1, len;
	int ret;

	if (critical)
		return dump_bad(r, start, "tag 0x%02x is unknown, and critical",
				tag);
	if (tag >= 0x80)
		return dump_bad(r, start, "0x%02x is not a tag", tag);
	if (tag > 0x7a)
		return 0;
	if (tag > 0x60)
		return take(r, NULL, 4);
	ret = take_number(r, 1, &len);
	if (!ret && len >= 0x80) {
		if (len == 0x80 || len > 0x88)
			return dump_bad(r, start, "tag 0x%02x has a bad length",
					tag);
		ret = take_number(r, (int)len & 0x7f, &len);
	}
	return ret ? ret : take(r, NULL, len);
}

static const struct dump_tag *find_tag(const struct dump_record *rec, u8 tag)
{
	for (unsigned int i = 0; i < rec->nr; i++)
		if (rec->tags[i].tag == tag)
			return &rec->tags[i];
	return NULL;
}

static bool has_contents(const struct dump_tag *t)
{
	return t->form == DUMP_SIZE || t->form == DUMP_SIZE64;
}

/* @seen: a bit for each attribute that was there */
static int take_attribute(struct dump_reader *r, const struct dump_record *rec,
			  const struct dump_tag *t, u64 *seen, u8 *attrs)
{
	u64 bit = 1ull << (t - rec->tags);

	if (*seen & bit)
		return dump_bad(r, r->offset - 1, "tag '%c' of a %s comes twice",
				t->tag, rec->name);
	*seen |= bit;
	if (t->flag)
		*(bool *)(attrs + t->flag) = true;
	return take_value(r, t, attrs + t->off);
}

/*
 * Attributes of a record, up to the next record's tag; contents end them, too.
 * @any: whether there were any
 */
static int take_attributes(struct dump_reader *r, u8 record, void *attrs,
			   bool *any)
{
	const struct dump_record *rec = &dump_records[record];
	const struct dump_tag *t;
	bool critical = false;
	u64 seen = 0;
	u8 tag;

	*any = false;
	for (;;) {
		int ret = take_tag(r, &tag);

		if (ret)
			return ret;
		if (tag <= DUMP_RECORD_MAX) {
			r->next = tag;
			return 0;
		}
		*any = true;
		t = find_tag(rec, tag);
		if (t)
			ret = take_attribute(r, rec, t, &seen, attrs);
		else if (tag != DUMP_CRITICAL)
			ret = skip_unknown(r, tag, critical);
		critical = tag == DUMP_CRITICAL;
		if (ret || (t && has_contents(t)))
			return ret;
	}
}

/* ---- records ---------------------------------------------------------------- */

static int take_begin(struct dump_reader *r, struct dump_span *span)
{
	u32 magic = 0, version = 0;
	bool any;
	u8 tag;
	int ret = take_byte(r, &tag);

	if (!ret)
		ret = take_word(r, &magic);
	if (!ret && (tag != DUMP_BEGIN || magic != DUMP_MAGIC))
		return dump_bad(r, 0, "this is not a volume dump");
	if (!ret)
		ret = take_word(r, &version);
	if (!ret && version != DUMP_VERSION)
		return dump_bad(r, 5, "version %u of the dump format is unknown",
				version);
	return ret ? ret : take_attributes(r, DUMP_BEGIN, span, &any);
}

static int want_record(struct dump_reader *r, u8 record)
{
	u8 tag;
	int ret = take_tag(r, &tag);

	r->record = r->offset - 1;
	if (!ret && tag != record)
		return dump_bad(r, r->record, "tag 0x%02x instead of a %s", tag,
				dump_records[record].name);
	return ret;
}

int dump_read_headers(struct dump_reader *r, struct dump_span *span,
		      struct dump_volume *vol)
{
	bool any;
	int ret;

	memset(span, 0, sizeof(*span));
	memset(vol, 0, sizeof(*vol));
	r->next = -1;
	ret = take_begin(r, span);
	if (!ret)
		ret = want_record(r, DUMP_VOLUME);
	if (!ret)
		ret = take_attributes(r, DUMP_VOLUME, vol, &any);
	if (!ret && !span->to && !span->id)
		return dump_bad(r, 0, "the dump header says neither which volume nor when");
	return ret;
}

static int take_end(struct dump_reader *r)
{
	u32 magic;
	int ret = take_word(r, &magic);

	if (ret)
		return ret;
	if (magic != DUMP_END_MAGIC)
		return dump_bad(r, r->offset - 4, "a bad mark of the end");
	ret = fill(r);
	if (ret > 0)
		return dump_bad(r, r->offset, "something follows the end of the dump");
	return ret;
}

int dump_read_vnode(struct dump_reader *r, struct dump_vnode *vn)
{
	u8 tag;
	int ret = take(r, NULL, r->left);

	r->left = 0;
	memset(vn, 0, sizeof(*vn));
	if (!ret)
		ret = take_tag(r, &tag);
	if (ret)
		return ret;
	r->record = r->offset - 1;
	if (tag == DUMP_END)
		return take_end(r);
	if (tag == DUMP_VOLUME)
		return dump_bad(r, r->record, "a second volume header: a merged dump");
	if (tag != DUMP_VNODE)
		return dump_bad(r, r->record, "tag 0x%02x instead of a vnode",
				tag);
	ret = take_word(r, &vn->vnode);
	if (!ret)
		ret = take_word(r, &vn->unique);
	if (!ret)
		ret = take_attributes(r, DUMP_VNODE, vn, &vn->carried);
	return ret ? ret : 1;
}

ssize_t dump_read_data(struct dump_reader *r, void *buf, size_t len)
{
	int ret;

	if (len > r->left)
		len = (size_t)r->left;
	ret = take(r, buf, len);
	if (ret)
		return ret;
	r->left -= len;
	return (ssize_t)len;
}
