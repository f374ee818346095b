/* SPDX-License-Identifier: MIT */
/* Putting the vnodes of a dump into a volume; shared by the files of restore. */
#ifndef AFSX_RESTORE_VNODE_H
#define AFSX_RESTORE_VNODE_H

#include "dump_reader.h"
#include "dump_tree.h"
#include "store_restore.h"
#include "volcmd_priv.h"

#define RESTORE_CHUNK	(1024u * 1024)
#define RESTORE_DIR_MAX	(1023u * 2048)	/* bytes of the longest directory */

/**
 * struct restore - a restore under way
 * @c: command
 * @fd: where the dump comes from
 * @in: reader of it
 * @span: what it is of, and since when
 * @vol: what the volume was
 * @r: volume being filled
 * @tree: vnodes, and what names say of them
 * @files: files and links that were carried
 * @dirs: directories that were carried
 * @bytes: contents that were carried
 * @buf: RESTORE_CHUNK bytes
 * @blob: RESTORE_DIR_MAX bytes, for a directory
 */
struct restore {
	struct volcmd *c;
	int fd;
	struct dump_reader *in;
	struct dump_span span;
	struct dump_volume vol;
	struct store_restore *r;
	struct dump_tree tree;
	u64 files;
	u64 dirs;
	u64 bytes;
	u8 *buf;
	u8 *blob;
};

/**
 * restore_vnode() - restore one vnode of the dump, which the reader is at
 * @rs: restore
 * @vn: the vnode
 *
 * Return: 0; -EBADMSG when the dump is wrong, with the reason in @rs->in->error;
 * or another negative errno.
 */
int restore_vnode(struct restore *rs, const struct dump_vnode *vn);

/** restore_tree() - judge the whole when all vnodes are there, and settle it */
int restore_tree(struct restore *rs);

#endif /* AFSX_RESTORE_VNODE_H */
