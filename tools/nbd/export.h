/* SPDX-License-Identifier: MIT */
/* What clients can choose: an image under a name, and how it is offered. */
#ifndef AFSX_NBD_EXPORT_H
#define AFSX_NBD_EXPORT_H

#include "blk.h"

/**
 * struct export - an image under a name
 * @name: as clients ask for it, at most NBD_STRING_MAX bytes
 * @description: for people, or NULL
 * @blk: the image, owned by the export
 * @write_through: every change is durable before it is answered
 * @ignore_flush: nothing is ever made durable on purpose
 * @discard: pass trim on, or answer success and do nothing
 * @multi_conn: several clients may use it at a time
 */
struct export {
	const char	*name;
	const char	*description;
	struct blk	*blk;
	bool		write_through;
	bool		ignore_flush;
	bool		discard;
	bool		multi_conn;
};

/**
 * struct exports - all of a server's; does not change while it serves
 * @list: exports; the first is the default one
 * @nr: how many, at least 1
 * @named: the first has been given a name and does not answer to the empty one
 */
struct exports {
	struct export	*list;
	unsigned int	nr;
	bool		named;
};

/** exports_find() - the export called @name, @len bytes long; NULL if none is. */
const struct export *exports_find(const struct exports *exports,
				  const void *name, size_t len);

/** export_flags() - transmission flags; @structured: of more than simple replies. */
u16 export_flags(const struct export *exp, bool structured);

/**
 * exports_flush() - make everything durable
 * @exports: all of them
 * @err: which image failed
 *
 * Return: 0, or the first error.
 */
int exports_flush(const struct exports *exports, struct errbuf *err);

/** exports_close() - close all images that are open. */
void exports_close(struct exports *exports);

#endif /* AFSX_NBD_EXPORT_H */
