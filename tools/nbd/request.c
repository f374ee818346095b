// SPDX-License-Identifier: MIT
#include <errno.h>

#include "proto.h"
#include "request.h"

/* What the checks have to know of a command. */
static const struct command {
	u16	flags;		/* that it takes besides FUA */
	bool	writes;
	bool	no_range;	/* offset and length must be 0 */
	u32	beyond;		/* error when the range ends behind the export */
} commands[] = {
	[NBD_CMD_READ] = { .flags = NBD_CMD_FLAG_DF, .beyond = NBD_EINVAL },
	[NBD_CMD_WRITE] = { .writes = true, .beyond = NBD_ENOSPC },
	[NBD_CMD_DISC] = { .no_range = true },
	[NBD_CMD_FLUSH] = { .no_range = true },
	[NBD_CMD_TRIM] = { .writes = true, .beyond = NBD_EINVAL },
	[NBD_CMD_CACHE] = { .beyond = NBD_EINVAL },
	[NBD_CMD_WRITE_ZEROES] = {
		.flags = NBD_CMD_FLAG_NO_HOLE | NBD_CMD_FLAG_FAST_ZERO,
		.writes = true,
		.beyond = NBD_ENOSPC,
	},
	[NBD_CMD_BLOCK_STATUS] = {
		.flags = NBD_CMD_FLAG_REQ_ONE,
		.beyond = NBD_EINVAL,
	},
};

size_t request_size(enum reply_style style)
{
	return style == REPLY_EXTENDED ? NBD_EXTENDED_REQUEST_SIZE :
					 NBD_REQUEST_SIZE;
}

int request_parse(enum reply_style style, const u8 *head, struct request *r)
{
	bool extended = style == REPLY_EXTENDED;
	u32 magic = extended ? NBD_MAGIC_EXTENDED_REQUEST : NBD_MAGIC_REQUEST;

	if (get_unaligned_be32(head) != magic)
		return -EPROTO;
	r->flags = get_unaligned_be16(head + 4);
	r->type = get_unaligned_be16(head + 6);
	r->cookie = be64_get(head + 8);
	r->offset = be64_get(head + 16);
	r->payload = 0;
	if (extended) {
		r->length = be64_get(head + 24);
		if (r->flags & NBD_CMD_FLAG_PAYLOAD_LEN)
			r->payload = r->length;
	} else {
		r->length = get_unaligned_be32(head + 24);
		if (r->type == NBD_CMD_WRITE)
			r->payload = r->length;
	}
	return 0;
}

static u32 check_flags(const struct session *s, const struct request *r,
		       const char **why)
{
	u16 allowed = commands[r->type].flags | NBD_CMD_FLAG_FUA;

	if (s->style == REPLY_SIMPLE)
		allowed &= ~NBD_CMD_FLAG_DF;
	if (s->style == REPLY_EXTENDED && r->type == NBD_CMD_WRITE) {
		if (!(r->flags & NBD_CMD_FLAG_PAYLOAD_LEN)) {
			*why = "a write has data";
			return NBD_EINVAL;
		}
		allowed |= NBD_CMD_FLAG_PAYLOAD_LEN;
	}
	*why = "the command does not take these flags";
	return r->flags & ~allowed ? NBD_EINVAL : NBD_SUCCESS;
}

static u32 check_range(const struct session *s, const struct request *r,
		       const char **why)
{
	const struct blk *blk = s->exp->blk;

	*why = "the range is empty";
	if (!r->length)
		return NBD_EINVAL;
	*why = "the range ends behind the export";
	if (r->offset > s->size || r->length > s->size - r->offset)
		return commands[r->type].beyond;
	*why = "the range is not one of whole blocks";
	if (r->offset % blk->min_block || r->length % blk->min_block)
		return NBD_EINVAL;
	return NBD_SUCCESS;
}

static u32 check_size(const struct limits *limits, const struct request *r,
		      const char **why)
{
	*why = "the request is larger than the server takes";
	if (r->length <= limits->request_max)
		return NBD_SUCCESS;
	if (r->type == NBD_CMD_READ)
		return NBD_EOVERFLOW;
	return r->type == NBD_CMD_WRITE ? NBD_EINVAL : NBD_SUCCESS;
}

u32 request_check(const struct session *s, const struct limits *limits,
		  const struct request *r, const char **why)
{
	const struct blk *blk = s->exp->blk;
	u32 error;

	*why = "the command is not known";
	if (r->type >= ARRAY_SIZE(commands))
		return NBD_EINVAL;
	error = check_flags(s, r, why);
	if (error)
		return error;
	*why = "the export is read-only";
	if (commands[r->type].writes && blk->read_only)
		return NBD_EPERM;
	*why = "offset and length have to be 0";
	if (commands[r->type].no_range)
		return r->offset || r->length ? NBD_EINVAL : NBD_SUCCESS;
	*why = "nothing is cached here";
	if (r->type == NBD_CMD_CACHE && !blk->ops->cache)
		return NBD_EINVAL;
	*why = "no metadata context was selected";
	if (r->type == NBD_CMD_BLOCK_STATUS && !s->allocation)
		return NBD_EINVAL;
	error = check_range(s, r, why);
	return error ? error : check_size(limits, r, why);
}

static u32 durability(const struct export *exp, const struct request *r)
{
	if (exp->ignore_flush)
		return 0;
	return exp->write_through || r->flags & NBD_CMD_FLAG_FUA ? BLK_FUA : 0;
}

static u32 zero_flags(const struct export *exp, const struct request *r)
{
	u32 flags = 0;

	if (exp->discard && !(r->flags & NBD_CMD_FLAG_NO_HOLE))
		flags |= BLK_MAY_TRIM;
	if (r->flags & NBD_CMD_FLAG_FAST_ZERO)
		flags |= BLK_FAST;
	return flags;
}

int request_run(const struct export *exp, const struct request *r, void *buf,
		u32 flags)
{
	struct blk *blk = exp->blk;
	const struct blk_ops *ops = blk->ops;

	switch (r->type) {
	case NBD_CMD_READ:
		return ops->read(blk, buf, (u32)r->length, r->offset, flags);
	case NBD_CMD_WRITE:
		flags |= durability(exp, r);
		return ops->write(blk, buf, (u32)r->length, r->offset, flags);
	case NBD_CMD_FLUSH:
		if (exp->ignore_flush || blk->read_only)
			return 0;
		return ops->flush(blk);
	case NBD_CMD_TRIM:
		if (!exp->discard)
			return 0;
		return ops->trim(blk, r->length, r->offset, durability(exp, r));
	case NBD_CMD_CACHE:
		return ops->cache(blk, r->length, r->offset);
	case NBD_CMD_WRITE_ZEROES:
		flags = durability(exp, r) | zero_flags(exp, r);
		return ops->zero(blk, r->length, r->offset, flags);
	default:
		return -EINVAL;
	}
}

bool request_io(const struct export *exp, const struct request *r, void *buf,
		struct blk_io *io)
{
	io->flags = 0;
	io->buf = buf;
	io->len = (u32)r->length;
	io->offset = r->offset;
	switch (r->type) {
	case NBD_CMD_READ:
		io->op = BLK_IO_READ;
		return true;
	case NBD_CMD_WRITE:
		io->op = BLK_IO_WRITE;
		io->flags = durability(exp, r);
		return true;
	case NBD_CMD_FLUSH:
		io->op = BLK_IO_FLUSH;
		return !exp->ignore_flush && !exp->blk->read_only;
	default:
		return false;
	}
}

bool request_quick(const struct export *exp, const struct request *r)
{
	if (r->type == NBD_CMD_READ)
		return true;
	return r->type == NBD_CMD_WRITE && !durability(exp, r);
}

u32 request_error(int ret)
{
	static const struct {
		int	ret;
		u32	error;
	} errors[] = {
		{ 0, NBD_SUCCESS },
		{ -EPERM, NBD_EPERM },
		{ -EACCES, NBD_EPERM },
		{ -EROFS, NBD_EPERM },
		{ -ENOMEM, NBD_ENOMEM },
		{ -EINVAL, NBD_EINVAL },
		{ -ENOSPC, NBD_ENOSPC },
		{ -EDQUOT, NBD_ENOSPC },
		{ -EFBIG, NBD_ENOSPC },
		{ -ENOTSUP, NBD_ENOTSUP },
		{ -EOVERFLOW, NBD_EOVERFLOW },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].ret == ret)
			return errors[i].error;
	}
	return NBD_EIO;
}
