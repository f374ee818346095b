// SPDX-License-Identifier: MIT
/* Reading a directory tree, mistrusting what the file system says about it. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

#define READ_SIZE	(256 << 10)
#define PROGRESS_STEP	2500

struct walk {
	struct tree *tree;
	unsigned int flags;
	EVP_MD *sha256;
	EVP_MD_CTX *hash;
	u8 *buffer;
};

/* A directory being read: @st is its own status, @up its parent's or NULL. */
struct level {
	int fd;
	const char *path;
	const struct stat *st, *up;
};

static void walk_directory(struct walk *walk, struct level *level);

static void *must_have(void *memory)
{
	if (!memory)
		err(2, "memory");
	return memory;
}

struct tree_entry *tree_add(struct tree *tree, const char *path, char type)
{
	struct tree_entry *entry;

	if (!(tree->nr & (tree->nr - 1)))
		tree->entries = must_have(reallocarray(tree->entries,
						       tree->nr ? 2 * tree->nr : 1,
						       sizeof(*entry)));
	entry = &tree->entries[tree->nr++];
	*entry = (struct tree_entry) {
		.path = must_have(strdup(path)), .type = type,
	};
	return entry;
}

static int compare_paths(const void *a, const void *b)
{
	const struct tree_entry *left = a, *right = b;

	return strcmp(left->path, right->path);
}

void tree_sort(struct tree *tree)
{
	size_t i;

	qsort(tree->entries, tree->nr, sizeof(*tree->entries), compare_paths);
	for (i = 1; i < tree->nr; i++)
		if (!strcmp(tree->entries[i - 1].path, tree->entries[i].path))
			tree_fault(tree, tree->entries[i].path, "is listed twice");
}

void tree_fault(struct tree *tree, const char *path, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", tree->name);
	print_name(stderr, path);
	fputs(": ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	tree->faults++;
}

static char type_of(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return 'f';
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	default:
		return '?';
	}
}

/* Read to the end, which must be where stat said it is. */
static void read_file(struct walk *walk, int fd, struct tree_entry *entry)
{
	u64 total = 0;
	ssize_t len;

	EVP_DigestInit_ex(walk->hash, walk->sha256, NULL);
	while ((len = read(fd, walk->buffer, READ_SIZE)) > 0) {
		EVP_DigestUpdate(walk->hash, walk->buffer, len);
		total += len;
	}
	if (len < 0)
		tree_fault(walk->tree, entry->path, "read: %s", strerror(errno));
	else if (total != entry->size)
		tree_fault(walk->tree, entry->path,
			   "has %llu bytes, stat says %llu", total, entry->size);
	EVP_DigestFinal_ex(walk->hash, entry->digest, NULL);
	walk->tree->bytes += total;
}

static void walk_file(struct walk *walk, struct level *level, const char *name,
		      struct tree_entry *entry)
{
	int fd = openat(level->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		tree_fault(walk->tree, entry->path, "open: %s", strerror(errno));
		return;
	}
	read_file(walk, fd, entry);
	close(fd);
}

static void walk_link(struct walk *walk, struct level *level, const char *name,
		      struct tree_entry *entry)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(level->fd, name, target, sizeof(target) - 1);

	if (len < 0) {
		tree_fault(walk->tree, entry->path, "readlink: %s", strerror(errno));
		return;
	}
	if ((u64)len != entry->size)
		tree_fault(walk->tree, entry->path,
			   "has a target of %zd bytes, stat says %llu", len,
			   entry->size);
	target[len] = '\0';
	entry->target = must_have(strdup(target));
}

static void walk_subdirectory(struct walk *walk, struct level *level,
			      const char *name, const char *path)
{
	struct level below = { .path = path, .up = level->st };
	struct stat st;

	below.fd = openat(level->fd, name,
			  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* The status of what was opened, not of what it may have been covered by. */
	if (below.fd < 0 || fstat(below.fd, &st) < 0) {
		tree_fault(walk->tree, path, "open: %s", strerror(errno));
		return;
	}
	below.st = &st;
	walk_directory(walk, &below);
}

static void check_dirent(struct walk *walk, const struct dirent *de,
			 const struct stat *st, const char *path)
{
	unsigned int known = S_ISDIR(st->st_mode) ? TREE_KNOWN_DIRS | TREE_KNOWN_TYPES :
						    TREE_KNOWN_TYPES;
	bool may_hide = !(walk->flags & known);

	if (de->d_type != IFTODT(st->st_mode) &&
	    !(de->d_type == DT_UNKNOWN && may_hide))
		tree_fault(walk->tree, path, "is listed with type %d, stat says %d",
			   de->d_type, IFTODT(st->st_mode));
	if (de->d_ino != st->st_ino)
		tree_fault(walk->tree, path, "is listed as inode %llu, stat says %llu",
			   (u64)de->d_ino, (u64)st->st_ino);
}

/* "." is the directory itself and ".." the one above, unless we came from none. */
static void check_dots(struct walk *walk, const struct dirent *de,
		       const struct level *level)
{
	const struct stat *st = de->d_name[1] ? level->up : level->st;

	if (st && st->st_dev == level->st->st_dev)
		check_dirent(walk, de, st, level->path);
}

static void visit(struct walk *walk, struct level *level, const struct dirent *de)
{
	struct tree_entry *entry;
	struct stat st;
	char *path;

	if (asprintf(&path, "%s/%s", level->path, de->d_name) < 0)
		err(2, "memory");
	if (fstatat(level->fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		tree_fault(walk->tree, path, "stat: %s", strerror(errno));
		free(path);
		return;
	}
	if (st.st_dev == level->st->st_dev)
		check_dirent(walk, de, &st, path);
	entry = tree_add(walk->tree, path, type_of(&st));
	entry->mode = st.st_mode & 07777;
	entry->mtime = st.st_mtime;
	entry->size = S_ISDIR(st.st_mode) ? 0 : st.st_size;
	if ((walk->flags & TREE_PROGRESS) && !(walk->tree->nr % PROGRESS_STEP))
		fprintf(stderr, "%s: %zu objects\n", walk->tree->name, walk->tree->nr);
	if (S_ISREG(st.st_mode))
		walk_file(walk, level, de->d_name, entry);
	else if (S_ISLNK(st.st_mode))
		walk_link(walk, level, de->d_name, entry);
	else if (S_ISDIR(st.st_mode))
		walk_subdirectory(walk, level, de->d_name, path);
	free(path);
}

static void walk_directory(struct walk *walk, struct level *level)
{
	const struct dirent *de;
	int dots = 0;
	DIR *stream = fdopendir(level->fd);

	if (!stream)
		err(2, "%s", level->path);
	for (errno = 0; (de = readdir(stream)); errno = 0) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, "..")) {
			check_dots(walk, de, level);
			dots += strlen(de->d_name);
		} else {
			visit(walk, level, de);
		}
	}
	if (errno)
		tree_fault(walk->tree, level->path, "readdir: %s", strerror(errno));
	else if (dots != 3)
		tree_fault(walk->tree, level->path, "has no . or no .., or one twice");
	closedir(stream);
}

void tree_walk(struct tree *tree, unsigned int flags)
{
	struct walk walk = {
		.tree = tree, .flags = flags,
		.sha256 = must_have(EVP_MD_fetch(NULL, "SHA256", NULL)),
		.hash = must_have(EVP_MD_CTX_new()),
		.buffer = must_have(malloc(READ_SIZE)),
	};
	struct level top = { .path = "." };
	struct tree_entry *entry;
	struct stat st;

	top.fd = open(tree->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top.fd < 0 || fstat(top.fd, &st) < 0)
		err(2, "%s", tree->name);
	top.st = &st;
	entry = tree_add(tree, ".", 'd');
	entry->mode = st.st_mode & 07777;
	entry->mtime = st.st_mtime;
	walk_directory(&walk, &top);
	tree_sort(tree);
	free(walk.buffer);
	EVP_MD_CTX_free(walk.hash);
	EVP_MD_free(walk.sha256);
}
