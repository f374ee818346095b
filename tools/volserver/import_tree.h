/* SPDX-License-Identifier: MIT */
/*
 * A directory tree that is copied into a volume: what import_tree.c does, in
 * transactions of moderate size, and volcmd_import.c begins and ends.
 */
#ifndef AFSX_IMPORT_TREE_H
#define AFSX_IMPORT_TREE_H

#include <sys/stat.h>

#include "volcmd_priv.h"
#include "volcmd_source.h"

#define IMPORT_BATCH_OPS	1000u	/* vnodes in a transaction */
#define IMPORT_LINK_BUCKETS	4096u

/* A file with several names, which was imported under one of them. */
struct hard_link {
	struct hard_link *next;
	dev_t dev;
	ino_t ino;
	struct afsx_fid fid;
};

/**
 * struct import - an import under way
 * @c: command
 * @vol: into this volume
 * @to: and there into this directory
 * @stage: where the tree is built
 * @source: the tree
 * @tx: present transaction, or NULL
 * @begun: when it began, monotonic time, ms
 * @paused: it was ended because the source is slow
 * @ops: vnodes made in it
 * @bytes: data written in it
 * @files: files and links imported
 * @dirs: directories imported
 * @total: bytes imported
 * @skipped: what could not be represented
 * @started: monotonic time, ms
 * @shown: when progress was shown last
 * @told: the reason for failing was told
 * @links: files with several names
 */
struct import {
	struct volcmd *c;
	struct store_vol vol;
	struct afsx_fid to;
	struct afsx_fid stage;
	struct source *source;
	struct store_tx *tx;
	s64 begun;
	bool paused;
	unsigned int ops;
	u64 bytes;
	u64 files;
	u64 dirs;
	u64 total;
	u64 skipped;
	s64 started;
	s64 shown;
	bool told;
	struct hard_link *links[IMPORT_LINK_BUCKETS];
};

/**
 * struct place - a directory being copied
 * @fd: open
 * @fid: its copy
 * @path: of the source, as the user gave it and on from there
 */
struct place {
	int fd;
	struct afsx_fid fid;
	const char *path;
};

/**
 * import_failed() - say what failed, once
 * @im: import
 * @ret: 0, or a negative errno from the source or from the store
 * @p: where
 * @name: of an entry there, or NULL
 *
 * Return: @ret.
 */
int import_failed(struct import *im, int ret, const struct place *p,
		  const char *name);

/** import_begin_batch() - begin a transaction; returns 0 or a negative errno */
int import_begin_batch(struct import *im);

/** import_end_batch() - commit it; returns 0 or a negative errno */
int import_end_batch(struct import *im);

/** import_pause() - a source is slow: end the transaction, if there is one */
int import_pause(void *im);

/** import_resume() - go on behind import_pause() */
int import_resume(void *im);

/** import_attr() - the attributes that a copy of @s gets */
struct store_attr import_attr(const struct stat *s);

/**
 * import_dir() - copy all that is in a directory
 * @im: import, with a transaction
 * @p: the directory and its copy
 *
 * Names are sorted, so that the same tree gives the same vnode numbers.
 *
 * Return: 0; a negative errno, which was told; the transaction may have ended then.
 */
int import_dir(struct import *im, const struct place *p);

#endif /* AFSX_IMPORT_TREE_H */
