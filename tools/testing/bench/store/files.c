// SPDX-License-Identifier: MIT
/* Files below a directory. A group of one change ends with fsync, others with syncfs. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

static int root;
static int dirs[DIRS_MAX];

/* What the changes of a group must be synced by. */
static _Thread_local struct {
	int changes;
	int fd;
	bool opened;
} group;

static void check(bool good, const char *what)
{
	if (!good)
		die("%s: %s", what, strerror(errno));
}

static void files_open(const char *where)
{
	root = open(where, O_RDONLY | O_DIRECTORY);
	check(root >= 0, where);
}

static void files_close(void)
{
	check(!syncfs(root), "syncfs");
}

static void files_begin(bool alone)
{
	(void)alone;
	group.changes = 0;
	group.opened = false;
}

static void leave_file(void)
{
	if (group.opened)
		close(group.fd);
	group.opened = false;
}

static void files_end(void)
{
	if (group.changes == 1)
		check(!fsync(group.fd), "fsync");
	else if (group.changes)
		check(!syncfs(root), "syncfs");
	leave_file();
}

static void changed(int fd, bool opened)
{
	leave_file();
	group.changes++;
	group.fd = fd;
	group.opened = opened;
}

static void files_mkdir(unsigned int dir)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "d%u", dir);
	check(!mkdirat(root, name, 0755), "mkdir");
	dirs[dir] = openat(root, name, O_RDONLY | O_DIRECTORY);
	check(dirs[dir] >= 0, "open");
	changed(root, false);
}

/* A journaled file system makes the name durable with the file. */
static void files_create(unsigned int dir, unsigned int nr)
{
	char name[NAME_SIZE];
	int fd;

	name_of(name, nr, false);
	fd = openat(dirs[dir], name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	check(fd >= 0, "create");
	changed(fd, true);
}

static void files_rename(unsigned int dir, unsigned int nr)
{
	char from[NAME_SIZE], to[NAME_SIZE];

	name_of(from, nr, false);
	name_of(to, nr, true);
	check(!renameat(dirs[dir], from, dirs[dir], to), "rename");
	changed(dirs[dir], false);
}

static void files_remove(unsigned int dir, unsigned int nr)
{
	char name[NAME_SIZE];

	name_of(name, nr, false);
	check(!unlinkat(dirs[dir], name, 0), "unlink");
	changed(dirs[dir], false);
}

static void files_status(unsigned int dir, unsigned int nr)
{
	char name[NAME_SIZE];
	struct stat st;

	name_of(name, nr, false);
	check(!fstatat(dirs[dir], name, &st, 0), "stat");
}

static int open_file(unsigned int dir, unsigned int nr, int flags)
{
	char name[NAME_SIZE];
	int fd;

	name_of(name, nr, false);
	fd = openat(dirs[dir], name, flags);
	check(fd >= 0, "open");
	return fd;
}

static void files_write(unsigned int dir, unsigned int nr, u64 off,
			const void *buf, size_t len)
{
	int fd = open_file(dir, nr, O_WRONLY);

	check(pwrite(fd, buf, len, (off_t)off) == (ssize_t)len, "write");
	changed(fd, true);
}

static void files_read(unsigned int dir, unsigned int nr, u64 off, void *buf,
		       size_t len)
{
	int fd = open_file(dir, nr, O_RDONLY);

	check(pread(fd, buf, len, (off_t)off) == (ssize_t)len, "read");
	close(fd);
}

const struct target files_target = {
	.name = "files",
	.open = files_open,
	.close = files_close,
	.begin = files_begin,
	.end = files_end,
	.mkdir = files_mkdir,
	.create = files_create,
	.rename = files_rename,
	.remove = files_remove,
	.lookup = files_status,
	.status = files_status,
	.write = files_write,
	.read = files_read,
};
