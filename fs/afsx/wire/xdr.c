// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * XDR primitives (RFC 4506, as rxgen uses it) over bounded cursors.
 */
#include <afsx/xdr.h>

/* Bytes that something of @len bytes takes, padded to whole words. */
static size_t padded(u32 len)
{
	return ((size_t)len + 3) & ~(size_t)3;
}

static const u8 *dec_take(struct afsx_dec *d, size_t len)
{
	const u8 *p = d->p;

	if (afsx_dec_left(d) < len)
		return NULL;
	d->p += len;
	return p;
}

static u8 *enc_take(struct afsx_enc *e, size_t len)
{
	u8 *p = e->p;

	if ((size_t)(e->end - p) < len) {
		e->err = -EMSGSIZE;
		return NULL;
	}
	e->p += len;
	return p;
}

bool afsx_dec_u32(struct afsx_dec *d, u32 *v)
{
	const u8 *p = dec_take(d, 4);

	if (!p)
		return false;
	*v = get_unaligned_be32(p);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_u32);

bool afsx_dec_s32(struct afsx_dec *d, s32 *v)
{
	u32 word;

	if (!afsx_dec_u32(d, &word))
		return false;
	*v = (s32)word;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_s32);

bool afsx_dec_u64(struct afsx_dec *d, u64 *v)
{
	const u8 *p = dec_take(d, 8);

	if (!p)
		return false;
	*v = (u64)get_unaligned_be32(p) << 32 | get_unaligned_be32(p + 4);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_u64);

bool afsx_dec_char(struct afsx_dec *d, u8 *v)
{
	u32 word;

	if (!afsx_dec_u32(d, &word))
		return false;
	*v = (u8)word;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_char);

/* Pass over @words words whose contents do not matter. */
bool afsx_dec_skip(struct afsx_dec *d, u32 words)
{
	return words <= afsx_dec_left(d) / 4 && dec_take(d, (size_t)words * 4);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_skip);

/* The length of an array of at most @max elements. */
bool afsx_dec_count(struct afsx_dec *d, u32 *nr, u32 max)
{
	return afsx_dec_u32(d, nr) && *nr <= max;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_count);

bool afsx_dec_opaque(struct afsx_dec *d, struct afsx_str *s, u32 max)
{
	if (!afsx_dec_count(d, &s->len, max))
		return false;
	s->p = (const char *)dec_take(d, padded(s->len));
	return s->p;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_opaque);

bool afsx_dec_str(struct afsx_dec *d, struct afsx_str *s, u32 max)
{
	return afsx_dec_opaque(d, s, max) && !memchr(s->p, '\0', s->len);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_dec_str);

bool afsx_enc_u32(struct afsx_enc *e, u32 v)
{
	u8 *p = enc_take(e, 4);

	if (!p)
		return false;
	put_unaligned_be32(v, p);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_enc_u32);

bool afsx_enc_s32(struct afsx_enc *e, s32 v)
{
	return afsx_enc_u32(e, (u32)v);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_enc_s32);

bool afsx_enc_u64(struct afsx_enc *e, u64 v)
{
	return afsx_enc_u32(e, (u32)(v >> 32)) && afsx_enc_u32(e, (u32)v);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_enc_u64);

bool afsx_enc_char(struct afsx_enc *e, u8 v)
{
	return afsx_enc_s32(e, (s8)v);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_enc_char);

bool afsx_enc_zero(struct afsx_enc *e, u32 words)
{
	u8 *p = enc_take(e, (size_t)words * 4);

	if (!p)
		return false;
	memset(p, 0, (size_t)words * 4);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_enc_zero);

bool afsx_enc_count(struct afsx_enc *e, u32 nr, u32 max)
{
	if (nr > max) {
		e->err = -EINVAL;
		return false;
	}
	return afsx_enc_u32(e, nr);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_enc_count);

bool afsx_enc_opaque(struct afsx_enc *e, const struct afsx_str *s, u32 max)
{
	size_t size = padded(s->len);
	u8 *p;

	if (!afsx_enc_count(e, s->len, max))
		return false;
	p = enc_take(e, size);
	if (!p)
		return false;
	if (s->len)
		memcpy(p, s->p, s->len);
	memset(p + s->len, 0, size - s->len);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_enc_opaque);

bool afsx_enc_str(struct afsx_enc *e, const struct afsx_str *s, u32 max)
{
	if (s->len && memchr(s->p, '\0', s->len)) {
		e->err = -EINVAL;
		return false;
	}
	return afsx_enc_opaque(e, s, max);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_enc_str);
