// SPDX-License-Identifier: MIT
/*
 * compare-trees: read two directory trees whole, or one and the manifest of
 * another, and report every difference: names, types, contents (SHA-256), sizes,
 * modes, times to the second, link targets; and every contradiction inside one
 * tree, between its listings, its stat and its contents.
 */
#include <err.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <sys/stat.h>

#include "tree.h"

static unsigned long differences;
static bool link_times = true;

__printf(2, 3)
static void differ(const struct tree_entry *entry, const char *format, ...)
{
	va_list args;

	print_name(stdout, entry->path);
	fputs(": ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	differences++;
}

static void compare_targets(const struct tree_entry *a, const struct tree_entry *b)
{
	if (!a->target || !b->target || !strcmp(a->target, b->target))
		return;
	differ(a, "the link's targets differ:");
	print_name(stdout, a->target);
	putchar('\n');
	print_name(stdout, b->target);
	putchar('\n');
}

static void compare_entries(const struct tree_entry *a, const struct tree_entry *b)
{
	if (a->type != b->type) {
		differ(a, "type %c, %c", a->type, b->type);
		return;
	}
	if (a->mode != b->mode)
		differ(a, "mode %04o, %04o", a->mode, b->mode);
	if (a->mtime != b->mtime && (link_times || a->type != 'l'))
		differ(a, "mtime %lld, %lld", (long long)a->mtime, (long long)b->mtime);
	if (a->size != b->size)
		differ(a, "size %llu, %llu", a->size, b->size);
	else if (memcmp(a->digest, b->digest, sizeof(a->digest)))
		differ(a, "the contents differ");
	compare_targets(a, b);
}

static void compare_trees(const struct tree *left, const struct tree *right)
{
	const struct tree_entry *a = left->entries, *b = right->entries;
	const struct tree_entry *a_end = a + left->nr, *b_end = b + right->nr;
	int order;

	while (a < a_end || b < b_end) {
		if (a == a_end)
			order = 1;
		else if (b == b_end)
			order = -1;
		else
			order = strcmp(a->path, b->path);
		if (order < 0)
			differ(a++, "is only in %s", left->name);
		else if (order > 0)
			differ(b++, "is only in %s", right->name);
		else
			compare_entries(a++, b++);
	}
}

static void print_summary(const struct tree *tree)
{
	unsigned long files = 0, directories = 0, links = 0;
	size_t i;

	for (i = 0; i < tree->nr; i++) {
		files += tree->entries[i].type == 'f';
		directories += tree->entries[i].type == 'd';
		links += tree->entries[i].type == 'l';
	}
	printf("%s: %lu files, %lu directories, %lu links, %llu bytes, %lu faults\n",
	       tree->name, files, directories, links, tree->bytes, tree->faults);
}

/* A directory is walked, a file is read as a manifest. */
static void get_tree(struct tree *tree, const char *name, unsigned int flags)
{
	struct stat st;
	FILE *file;

	tree->name = name;
	if (stat(name, &st) < 0)
		err(2, "%s", name);
	if (S_ISDIR(st.st_mode)) {
		tree_walk(tree, flags);
	} else {
		file = fopen(name, "re");
		if (!file)
			err(2, "%s", name);
		manifest_read(tree, file);
		fclose(file);
	}
	print_summary(tree);
}

static void put_manifest(const struct tree *tree, const char *name)
{
	FILE *file = fopen(name, "we");

	if (!file)
		err(2, "%s", name);
	manifest_write(tree, file);
	if (fclose(file))
		err(2, "%s", name);
}

static noreturn void bad_usage(void)
{
	fprintf(stderr,
		"usage: compare-trees [OPTION...] A B\n"
		"       compare-trees [OPTION...] --write-manifest FILE DIRECTORY\n"
		"A and B are directories or files that --write-manifest wrote.\n"
		"  --known-directories  a directory must be listed as one; else a\n"
		"                       listing may leave a type open\n"
		"  --known-types        everything must be listed as what it is\n"
		"  --no-link-times      do not compare the times of links: not every\n"
		"                       file system can set them\n"
		"  --progress           print how far it is, on standard error\n"
		"Exit status: 0 equal, 1 not, 2 it could not be found out.\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "known-directories", no_argument, NULL, 'k' },
		{ "known-types", no_argument, NULL, 't' },
		{ "no-link-times", no_argument, NULL, 'l' },
		{ "progress", no_argument, NULL, 'p' },
		{ "write-manifest", required_argument, NULL, 'w' },
		{ }
	};
	const char *manifest = NULL;
	struct tree trees[2] = {};
	unsigned int flags = 0;
	int option, wanted, i;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'k')
			flags |= TREE_KNOWN_DIRS;
		else if (option == 't')
			flags |= TREE_KNOWN_TYPES;
		else if (option == 'l')
			link_times = false;
		else if (option == 'p')
			flags |= TREE_PROGRESS;
		else if (option == 'w')
			manifest = optarg;
		else
			bad_usage();
	}
	wanted = manifest ? 1 : 2;
	if (argc - optind != wanted)
		bad_usage();
	for (i = 0; i < wanted; i++)
		get_tree(&trees[i], argv[optind + i], flags);
	if (manifest)
		put_manifest(&trees[0], manifest);
	else
		compare_trees(&trees[0], &trees[1]);
	printf("%lu differences\n", differences);
	return differences || trees[0].faults || trees[1].faults;
}
