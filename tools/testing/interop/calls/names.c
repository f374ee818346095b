// SPDX-License-Identifier: MIT
/* Calls on names: directories, links, status. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "calls.h"

/* More names than this are counted, not printed. */
#define LIST_MAX	20

static mode_t mode_of(const struct line *line, int i)
{
	return strtoul(line->arg[i], NULL, 8);
}

static int call_mkdir(struct line *line)
{
	return mkdir(line_path(line, 0), mode_of(line, 1));
}

static int call_rmdir(struct line *line)
{
	return rmdir(line_path(line, 0));
}

static int call_create(struct line *line)
{
	int fd = open(line_path(line, 0), O_CREAT | O_EXCL | O_WRONLY,
		      mode_of(line, 1));

	return fd < 0 ? -1 : close(fd);
}

static int call_mkfifo(struct line *line)
{
	return mkfifo(line_path(line, 0), mode_of(line, 1));
}

static int call_unlink(struct line *line)
{
	return unlink(line_path(line, 0));
}

static int rename_with(const struct line *line, unsigned int flags)
{
	return renameat2(AT_FDCWD, line_path(line, 0), AT_FDCWD,
			 line_path(line, 1), flags);
}

static int call_rename(struct line *line)
{
	return rename_with(line, 0);
}

static int call_noreplace(struct line *line)
{
	return rename_with(line, RENAME_NOREPLACE);
}

static int call_exchange(struct line *line)
{
	return rename_with(line, RENAME_EXCHANGE);
}

static int call_link(struct line *line)
{
	return link(line_path(line, 0), line_path(line, 1));
}

static int call_symlink(struct line *line)
{
	return symlink(line->arg[0], line_path(line, 1));
}

static int call_readlink(struct line *line)
{
	char text[PATH_MAX];
	ssize_t len = readlink(line_path(line, 0), text, sizeof(text));

	if (len < 0)
		return -1;
	answer_text(line, text, len);
	return 0;
}

static const char *kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR: return "directory";
	case S_IFREG: return "file";
	case S_IFLNK: return "symlink";
	default: return "other";
	}
}

/* The size of a directory is the server's own affair. */
static int call_stat(struct line *line)
{
	struct stat st;

	if (lstat(line_path(line, 0), &st))
		return -1;
	answer(line, "%s %04o links %lu", kind(st.st_mode), st.st_mode & 07777,
	       (unsigned long)st.st_nlink);
	if (!S_ISDIR(st.st_mode))
		answer(line, " size %lld", (long long)st.st_size);
	return 0;
}

static int call_owner(struct line *line)
{
	struct stat st;

	if (lstat(line_path(line, 0), &st))
		return -1;
	answer(line, "%u:%u", st.st_uid, st.st_gid);
	return 0;
}

static int call_mtime(struct line *line)
{
	struct stat st;

	if (lstat(line_path(line, 0), &st))
		return -1;
	answer(line, "%lld", (long long)st.st_mtime);
	return 0;
}

static int call_same(struct line *line)
{
	struct stat a, b;

	if (lstat(line_path(line, 0), &a) || lstat(line_path(line, 1), &b))
		return -1;
	answer(line, a.st_ino == b.st_ino ? "the same file" : "two files");
	return 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_dots(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
}

static int call_list(struct line *line)
{
	struct dirent **names;
	int i, n = scandir(line_path(line, 0), &names, not_dots, by_bytes);

	if (n < 0)
		return -1;
	answer(line, "%d", n);
	for (i = 0; i < n; i++) {
		if (n <= LIST_MAX) {
			answer(line, " ");
			answer_text(line, names[i]->d_name,
				    strlen(names[i]->d_name));
		}
		free(names[i]);
	}
	free(names);
	return 0;
}

static int call_chmod(struct line *line)
{
	return chmod(line_path(line, 0), mode_of(line, 1));
}

static int call_chown(struct line *line)
{
	return lchown(line_path(line, 0), line_number(line, 1),
		      line_number(line, 2));
}

static int call_utime(struct line *line)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };

	times[1].tv_sec = strtoll(line->arg[1], NULL, 10);
	return utimensat(AT_FDCWD, line_path(line, 0), times,
			 AT_SYMLINK_NOFOLLOW);
}

static int call_access(struct line *line)
{
	int how = 0;

	if (strchr(line->arg[1], 'r'))
		how |= R_OK;
	if (strchr(line->arg[1], 'w'))
		how |= W_OK;
	if (strchr(line->arg[1], 'x'))
		how |= X_OK;
	return access(line_path(line, 0), how);
}

static int call_getxattr(struct line *line)
{
	char value[PATH_MAX];
	ssize_t len = lgetxattr(line_path(line, 0), line->arg[1], value,
				sizeof(value));

	if (len < 0)
		return -1;
	answer_text(line, value, len);
	return 0;
}

static int call_setxattr(struct line *line)
{
	return lsetxattr(line_path(line, 0), line->arg[1], line->arg[2],
			 strlen(line->arg[2]), 0);
}

const struct call name_calls[] = {
	{ "mkdir",	"PATH MODE",		call_mkdir },
	{ "rmdir",	"PATH",			call_rmdir },
	{ "create",	"PATH MODE",		call_create },
	{ "mkfifo",	"PATH MODE",		call_mkfifo },
	{ "unlink",	"PATH",			call_unlink },
	{ "rename",	"OLD NEW",		call_rename },
	{ "noreplace",	"OLD NEW",		call_noreplace },
	{ "exchange",	"OLD NEW",		call_exchange },
	{ "link",	"OLD NEW",		call_link },
	{ "symlink",	"TEXT PATH",		call_symlink },
	{ "readlink",	"PATH",			call_readlink },
	{ "stat",	"PATH",			call_stat },
	{ "owner",	"PATH",			call_owner },
	{ "mtime",	"PATH",			call_mtime },
	{ "same",	"PATH PATH",		call_same },
	{ "list",	"PATH",			call_list },
	{ "chmod",	"PATH MODE",		call_chmod },
	{ "chown",	"PATH UID GID",		call_chown },
	{ "utime",	"PATH SECONDS",		call_utime },
	{ "access",	"PATH RWX",		call_access },
	{ "getxattr",	"PATH NAME",		call_getxattr },
	{ "setxattr",	"PATH NAME VALUE",	call_setxattr },
	{ }
};
