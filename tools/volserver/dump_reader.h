/* SPDX-License-Identifier: MIT */
/* Reading a volume dump, which may be damaged or made to do harm. */
#ifndef AFSX_DUMP_READER_H
#define AFSX_DUMP_READER_H

#include "dump_format.h"

#define DUMP_BUFFER	65536u

/**
 * struct dump_reader - a dump being read, from its beginning to its end
 * @input: gives bytes as read(2) does, or a negative errno
 * @ctx: for @input
 * @record: offset at which the present record begins, bytes
 * @left: bytes of contents of the present vnode that were not read yet
 * @offset: of the next byte
 * @next: tag that was read ahead, or -1
 * @pos: next byte in @buf
 * @len: bytes in @buf
 * @error: says what is wrong, and where, after a function failed
 * @buf: bytes read ahead
 *
 * Set @input and @ctx, the rest to 0.  Errors of the functions below are
 * -EBADMSG for what is not a dump, or those of @input.
 */
struct dump_reader {
	ssize_t (*input)(void *ctx, void *buf, size_t len);
	void *ctx;
	u64 record;
	u64 left;
	u64 offset;
	int next;
	size_t pos;
	size_t len;
	char error[256];
	u8 buf[DUMP_BUFFER];
};

/**
 * dump_read_headers() - the beginning of a dump
 * @r: reader
 * @span: what the dump is of
 * @vol: what the volume was
 */
int dump_read_headers(struct dump_reader *r, struct dump_span *span,
		      struct dump_volume *vol);

/**
 * dump_read_vnode() - the next vnode; what is left of the last one is skipped
 * @r: reader
 * @vn: the vnode, whose contents dump_read_data() gives
 *
 * Return: 1; 0 at the end of the dump, which then is complete and has nothing
 * behind it; or a negative errno.
 */
int dump_read_vnode(struct dump_reader *r, struct dump_vnode *vn);

/**
 * dump_read_data() - contents of the present vnode
 * @r: reader
 * @buf: where to put them
 * @len: how many bytes, at most
 *
 * Return: bytes read, fewer than @len only at their end; or a negative errno.
 */
ssize_t dump_read_data(struct dump_reader *r, void *buf, size_t len);

/**
 * dump_bad() - note what is wrong with a dump
 * @r: reader
 * @at: offset of it, bytes
 * @fmt: what
 *
 * Return: -EBADMSG.
 */
__printf(3, 4)
int dump_bad(struct dump_reader *r, u64 at, const char *fmt, ...);

#endif /* AFSX_DUMP_READER_H */
