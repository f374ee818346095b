/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Bounded cursors for XDR (RFC 4506) as the AFS stub compiler writes it.
 *
 * A decoder looks at a byte only after the cursor has granted it, and returns
 * false on anything short, too long or out of range; callers turn false into
 * -EBADMSG.  After a false the cursor and the target are unspecified.
 */
#ifndef AFSX_XDR_H
#define AFSX_XDR_H

#include <afsx/types.h>

struct afsx_store_status;

/*
 * What the interface files allow for a string.  A name or path that is one
 * longer than AFSX_NAME_MAX or AFSX_PATH_MAX is well-formed but of no use.
 */
#define AFSX_XDR_NAME_MAX	256
#define AFSX_XDR_PATH_MAX	1024
#define AFSX_XDR_VOLNAME_MAX	65

/**
 * struct afsx_dec - Read cursor
 * @p: next byte
 * @end: one past the last byte
 */
struct afsx_dec {
	const u8 *p;
	const u8 *end;
};

/**
 * struct afsx_enc - Write cursor
 * @p: next byte
 * @end: one past the last byte of the buffer
 * @err: why an encoder returned false: -EMSGSIZE when the buffer is too small,
 *	 -EINVAL when a value has no place in the format, otherwise 0
 */
struct afsx_enc {
	u8 *p;
	u8 *end;
	int err;
};

/**
 * afsx_dec_init - Point a read cursor at a buffer
 * @d: cursor
 * @buf: first byte; may be NULL when @len is 0
 * @len: length in bytes
 */
static inline void afsx_dec_init(struct afsx_dec *d, const void *buf, size_t len)
{
	d->p = buf;
	d->end = len ? d->p + len : d->p;
}

/**
 * afsx_dec_left - Bytes not yet decoded
 * @d: cursor
 *
 * Return: how many.
 */
static inline size_t afsx_dec_left(const struct afsx_dec *d)
{
	return (size_t)(d->end - d->p);
}

/**
 * afsx_dec_done - Whether everything has been decoded
 * @d: cursor
 *
 * Return: true at the end of the buffer.
 */
static inline bool afsx_dec_done(const struct afsx_dec *d)
{
	return d->p == d->end;
}

/**
 * afsx_enc_init - Point a write cursor at a buffer
 * @e: cursor
 * @buf: first byte
 * @size: size of the buffer in bytes
 */
static inline void afsx_enc_init(struct afsx_enc *e, void *buf, size_t size)
{
	e->p = buf;
	e->end = e->p + size;
	e->err = 0;
}

/*
 * Primitives.  A 64-bit integer travels with its high word first.  A char
 * travels as a word which known peers sign-extend: we send the same and take
 * any upper bits.  A string is its length, its bytes, and padding to a word;
 * @max is in bytes, and a NUL inside is refused.  An opaque may contain NULs.
 */
bool afsx_dec_u32(struct afsx_dec *d, u32 *v);
bool afsx_dec_s32(struct afsx_dec *d, s32 *v);
bool afsx_dec_u64(struct afsx_dec *d, u64 *v);
bool afsx_dec_char(struct afsx_dec *d, u8 *v);
bool afsx_dec_skip(struct afsx_dec *d, u32 words);
bool afsx_dec_count(struct afsx_dec *d, u32 *nr, u32 max);
bool afsx_dec_str(struct afsx_dec *d, struct afsx_str *s, u32 max);
bool afsx_dec_opaque(struct afsx_dec *d, struct afsx_str *s, u32 max);

bool afsx_enc_u32(struct afsx_enc *e, u32 v);
bool afsx_enc_s32(struct afsx_enc *e, s32 v);
bool afsx_enc_u64(struct afsx_enc *e, u64 v);
bool afsx_enc_char(struct afsx_enc *e, u8 v);
bool afsx_enc_zero(struct afsx_enc *e, u32 words);
bool afsx_enc_count(struct afsx_enc *e, u32 nr, u32 max);
bool afsx_enc_str(struct afsx_enc *e, const struct afsx_str *s, u32 max);
bool afsx_enc_opaque(struct afsx_enc *e, const struct afsx_str *s, u32 max);

/*
 * Types shared by many messages (types.h).  afsx_dec_status() takes no status
 * but a good one; afsx_dec_status_entry() is for InlineBulkStatus, where an
 * entry may hold an abort code, and nothing else that counts, instead.
 */
bool afsx_dec_fid(struct afsx_dec *d, struct afsx_fid *fid);
bool afsx_dec_uuid(struct afsx_dec *d, struct afsx_uuid *uuid);
bool afsx_dec_status(struct afsx_dec *d, struct afsx_status *st);
bool afsx_dec_status_entry(struct afsx_dec *d, struct afsx_status *st);
bool afsx_dec_store_status(struct afsx_dec *d, struct afsx_store_status *st);
bool afsx_dec_callback(struct afsx_dec *d, struct afsx_callback *cb);
bool afsx_dec_volsync(struct afsx_dec *d, struct afsx_volsync *sync);

bool afsx_enc_fid(struct afsx_enc *e, const struct afsx_fid *fid);
bool afsx_enc_uuid(struct afsx_enc *e, const struct afsx_uuid *uuid);
bool afsx_enc_status(struct afsx_enc *e, const struct afsx_status *st);
bool afsx_enc_store_status(struct afsx_enc *e, const struct afsx_store_status *st);
bool afsx_enc_callback(struct afsx_enc *e, const struct afsx_callback *cb);
bool afsx_enc_volsync(struct afsx_enc *e, const struct afsx_volsync *sync);

#endif /* AFSX_XDR_H */
