// SPDX-License-Identifier: MIT
#include <string.h>

#include "export.h"
#include "proto.h"

const struct export *exports_find(const struct exports *exports,
				  const void *name, size_t len)
{
	unsigned int i;

	if (!len && !exports->named)
		return &exports->list[0];
	for (i = 0; i < exports->nr; i++) {
		const struct export *exp = &exports->list[i];

		if (strlen(exp->name) == len && !memcmp(exp->name, name, len))
			return exp;
	}
	return NULL;
}

u16 export_flags(const struct export *exp, bool structured)
{
	u16 flags = NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA;

	if (exp->blk->read_only)
		flags |= NBD_FLAG_READ_ONLY;
	else
		flags |= NBD_FLAG_SEND_TRIM | NBD_FLAG_SEND_WRITE_ZEROES |
			 NBD_FLAG_SEND_FAST_ZERO;
	if (exp->blk->rotational)
		flags |= NBD_FLAG_ROTATIONAL;
	if (structured)
		flags |= NBD_FLAG_SEND_DF;
	if (exp->multi_conn)
		flags |= NBD_FLAG_CAN_MULTI_CONN;
	if (exp->blk->ops->cache)
		flags |= NBD_FLAG_SEND_CACHE;
	return flags;
}

int exports_flush(const struct exports *exports, struct errbuf *err)
{
	int ret, first = 0;
	unsigned int i;

	for (i = 0; i < exports->nr; i++) {
		struct export *exp = &exports->list[i];

		if (!exp->blk || exp->blk->read_only || exp->ignore_flush)
			continue;
		ret = exp->blk->ops->flush(exp->blk);
		if (ret && !first)
			first = err_set(err, ret, "export '%s': not all of it is durable: %s",
					exp->name, strerror(-ret));
	}
	return first;
}

void exports_close(struct exports *exports)
{
	unsigned int i;

	for (i = 0; i < exports->nr; i++) {
		struct blk *blk = exports->list[i].blk;

		if (blk)
			blk->ops->close(blk);
		exports->list[i].blk = NULL;
	}
}
