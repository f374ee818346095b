/* SPDX-License-Identifier: MIT */
/* A directory tree as a sorted list of what can be said about each object. */
#ifndef AFSX_TESTING_TREE_H
#define AFSX_TESTING_TREE_H

#include <stdio.h>
#include <time.h>

#include "defs.h"

#define TREE_DIGEST_LEN		32	/* SHA-256 */

/**
 * struct tree_entry - One object of a tree
 * @path: from the top of the tree, which itself is "."
 * @type: 'f', 'd', 'l', or '?' for anything else
 * @mode: permission bits, as chmod takes them
 * @mtime: seconds since 1970
 * @size: bytes; of files and links only, 0 for directories
 * @target: of a link, NULL for others
 * @digest: of a file's contents
 */
struct tree_entry {
	char *path;
	char type;
	unsigned int mode;
	time_t mtime;
	u64 size;
	char *target;
	u8 digest[TREE_DIGEST_LEN];
};

/**
 * struct tree - What was found in a directory, or read from a manifest
 * @name: where it is from, for messages
 * @entries: sorted by path, bytewise
 * @nr: how many
 * @bytes: size of all files together
 * @faults: objects that could not be read, or contradicted themselves; each was
 *	reported on standard error
 */
struct tree {
	const char *name;
	struct tree_entry *entries;
	size_t nr;
	u64 bytes;
	unsigned long faults;
};

/* tree_walk() flags */
#define TREE_KNOWN_DIRS		0x1	/* what is a directory must be listed as one */
#define TREE_KNOWN_TYPES	0x4	/* everything must be listed as what it is */
#define TREE_PROGRESS		0x2	/* a line on standard error every so often */

struct tree_entry *tree_add(struct tree *tree, const char *path, char type);
void tree_sort(struct tree *tree);

/* Report and count something wrong with a tree itself. */
__printf(3, 4)
void tree_fault(struct tree *tree, const char *path, const char *format, ...);

/**
 * tree_walk() - Read a directory and all below it
 * @tree: empty, with its name set to the directory's path
 * @flags: TREE_*
 *
 * Every file is read to its end. Every listing is checked against stat: type,
 * inode number, "." and "..", no name twice.
 */
void tree_walk(struct tree *tree, unsigned int flags);

/**
 * manifest_write() - Put a tree into a file
 * @tree: the tree
 * @file: where to
 *
 * A line is: type, mode in octal, mtime, size, SHA-256 or "-", path, and for a
 * link ">" and its target; one space between them. In names, bytes up to space,
 * DEL and the backslash are written as \xNN.
 */
void manifest_write(const struct tree *tree, FILE *file);

/**
 * manifest_read() - Get a tree out of a file
 * @tree: empty; filled in
 * @file: what manifest_write() wrote
 */
void manifest_read(struct tree *tree, FILE *file);

void print_name(FILE *file, const char *name);

#endif /* AFSX_TESTING_TREE_H */
