/* SPDX-License-Identifier: MIT */
/*
 * All of a directory in one version, with the index of its names if it is large. It never
 * changes, so any number of threads look for names in it at once.
 */
#ifndef AFSX_DIR_IMAGE_H
#define AFSX_DIR_IMAGE_H

#include <afsx/dir.h>

#include "defs.h"

struct db;
struct dir_image;
struct vnode;

/**
 * dir_image_load() - read all of a directory
 * @db: a reader's connection, in its transaction
 * @dir: directory, loaded in it
 *
 * Return: one reference; NULL without memory, or when a block is damaged.
 */
struct dir_image *dir_image_load(struct db *db, const struct vnode *dir);

/** dir_image_get() - one more reference; any thread */
struct dir_image *dir_image_get(struct dir_image *m);

/** dir_image_put() - one reference less, freed with the last; @m may be NULL */
void dir_image_put(struct dir_image *m);

/** dir_image_bytes() - memory that it takes */
size_t dir_image_bytes(const struct dir_image *m);

/** dir_image_find() - as dir_find(); @fid->vid is left alone */
int dir_image_find(const struct dir_image *m, const char *name, size_t len,
		   struct afsx_fid *fid);

#endif /* AFSX_DIR_IMAGE_H */
