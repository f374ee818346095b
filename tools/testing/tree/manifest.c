// SPDX-License-Identifier: MIT
/* A tree in a text file, so that the original need not be at hand. */
#include <err.h>
#include <stdlib.h>

#include "tree.h"

void print_name(FILE *file, const char *name)
{
	const unsigned char *c;

	for (c = (const unsigned char *)name; *c; c++) {
		if (*c <= ' ' || *c == 0x7f || *c == '\\')
			fprintf(file, "\\x%02x", *c);
		else
			fputc(*c, file);
	}
}

static void print_digest(FILE *file, const struct tree_entry *entry)
{
	int i;

	if (entry->type != 'f')
		fputc('-', file);
	else
		for (i = 0; i < TREE_DIGEST_LEN; i++)
			fprintf(file, "%02x", entry->digest[i]);
	fputc(' ', file);
}

void manifest_write(const struct tree *tree, FILE *file)
{
	const struct tree_entry *entry;

	for (entry = tree->entries; entry < tree->entries + tree->nr; entry++) {
		fprintf(file, "%c %04o %lld %llu ", entry->type, entry->mode,
			(long long)entry->mtime, entry->size);
		print_digest(file, entry);
		print_name(file, entry->path);
		if (entry->target) {
			fputs(" >", file);
			print_name(file, entry->target);
		}
		fputc('\n', file);
	}
}

/* Undo print_name() in place. */
static bool unescape(char *name)
{
	char *out = name;
	int value;

	while (*name) {
		if (*name != '\\') {
			*out++ = *name++;
			continue;
		}
		if (sscanf(name, "\\x%2x", (unsigned int *)&value) != 1 || !value)
			return false;
		*out++ = value;
		name += 4;
	}
	*out = '\0';
	return true;
}

static bool parse_digest(const char *text, struct tree_entry *entry)
{
	unsigned int value;
	int i;

	if (entry->type != 'f')
		return !strcmp(text, "-");
	if (strlen(text) != 2 * TREE_DIGEST_LEN)
		return false;
	for (i = 0; i < TREE_DIGEST_LEN; i++) {
		if (sscanf(text + 2 * i, "%2x", &value) != 1)
			return false;
		entry->digest[i] = value;
	}
	return true;
}

static bool parse_line(struct tree *tree, char *line)
{
	char *rest = line, *fields[7] = {}, type;
	struct tree_entry *entry;
	unsigned int mode;
	s64 mtime;
	u64 size;
	int i;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%c %o %lld %llu ", &type, &mode, &mtime, &size) != 4)
		return false;
	for (i = 0; i < 7 && rest; i++)
		fields[i] = strsep(&rest, " ");
	if (rest || !fields[5] || !unescape(fields[5]))
		return false;
	entry = tree_add(tree, fields[5], type);
	entry->mode = mode;
	entry->mtime = mtime;
	entry->size = size;
	if (type == 'f')
		tree->bytes += size;
	if (fields[6]) {
		if (fields[6][0] != '>' || !unescape(fields[6]))
			return false;
		entry->target = strdup(fields[6] + 1);
	}
	return (type == 'l') == !!entry->target && parse_digest(fields[4], entry);
}

void manifest_read(struct tree *tree, FILE *file)
{
	unsigned long number = 0;
	size_t size = 0;
	char *line = NULL;

	while (getline(&line, &size, file) > 0) {
		number++;
		if (!parse_line(tree, line))
			errx(2, "%s:%lu: not a line of a manifest", tree->name, number);
	}
	if (ferror(file))
		err(2, "%s", tree->name);
	free(line);
	tree_sort(tree);
}
