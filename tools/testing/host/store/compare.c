// SPDX-License-Identifier: MIT
#include "store-test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK	(1024u * 1024)

static u8 ours[CHUNK], theirs[CHUNK];

static void compare_data(struct store *st, const struct afsx_fid *fid,
			 const char *path, u64 size)
{
	int fd = open(path, O_RDONLY);
	u64 off = 0;

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	do {
		/* odd lengths, so that reads begin anywhere */
		size_t want = CHUNK - off % 4099;
		ssize_t a = store_read(st, fid, off, ours, want, NULL);
		ssize_t b = pread(fd, theirs, want, (off_t)off);

		if (a != b || (a > 0 && memcmp(ours, theirs, (size_t)a)))
			die("%s: data differs near %ju (read %zd, %zd)", path,
			    (uintmax_t)off, a, b);
		off += (u64)a;
	} while (off < size);
	close(fd);
}

static void compare_link(struct store *st, const struct afsx_fid *fid,
			 const char *path)
{
	ssize_t a = store_read(st, fid, 0, ours, CHUNK, NULL);
	ssize_t b = readlink(path, (char *)theirs, CHUNK);

	if (a != b || memcmp(ours, theirs, (size_t)a))
		die("%s: target differs", path);
}

static bool count_entry(void *ctx, const char *name, size_t len,
			const struct afsx_fid *fid)
{
	++*(unsigned int *)ctx;
	return true;
}

static void compare_dir(struct store *st, const struct afsx_fid *dir,
			const char *path);

static void compare_entry(struct store *st, const struct afsx_fid *dir,
			  const char *path, const char *name)
{
	struct store_status s;
	struct afsx_fid fid;
	char sub[4096];
	struct stat l;
	int ret = store_lookup(st, dir, name, strlen(name), &fid);

	snprintf(sub, sizeof(sub), "%s/%s", path, name);
	if (!ret)
		ret = store_getattr(st, &fid, &s);
	if (ret)
		die("%s: not in the volume: %s", sub, strerror(-ret));
	if (lstat(sub, &l))
		die("%s: %s", sub, strerror(errno));
	if (s.mode != (l.st_mode & 07777))
		die("%s: mode %o, not %o", sub, s.mode, l.st_mode & 07777);
	if (S_ISDIR(l.st_mode) && s.type == AFSX_FTYPE_DIR) {
		compare_dir(st, &fid, sub);
	} else if (S_ISLNK(l.st_mode) && s.type == AFSX_FTYPE_SYMLINK) {
		compare_link(st, &fid, sub);
	} else if (S_ISREG(l.st_mode) && s.type == AFSX_FTYPE_FILE) {
		if (s.nlink != l.st_nlink || s.size != (u64)l.st_size)
			die("%s: %u links, %ju bytes; not %ju, %jd", sub,
			    s.nlink, (uintmax_t)s.size, (uintmax_t)l.st_nlink,
			    (intmax_t)l.st_size);
		compare_data(st, &fid, sub, s.size);
	} else {
		die("%s: type %d", sub, s.type);
	}
}

static void compare_dir(struct store *st, const struct afsx_fid *dir,
			const char *path)
{
	unsigned int a = 0, b = 0;
	struct dirent *e;
	DIR *d = opendir(path);
	int ret = store_readdir(st, dir, count_entry, &a);

	if (!d || ret)
		die("%s: cannot list: %s", path, strerror(d ? -ret : errno));
	for (; (e = readdir(d)); b++)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			compare_entry(st, dir, path, e->d_name);
	closedir(d);
	if (a != b)
		die("%s: %u entries, not %u", path, a, b);
}

void compare_volume(struct store *st, u32 vid, const char *path)
{
	struct afsx_fid root = { vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };

	compare_dir(st, &root, path);
}

/* store-test compare URI VOLUME DIRECTORY: that the volume holds this tree */
int test_compare(int argc, char **argv)
{
	struct store_config cfg = { .uri = argv[1], .flags = STORE_RDONLY };
	struct errbuf err = { "" };
	struct store_vol vol;
	struct store *st;

	if (argc != 4)
		die("usage: store-test compare URI VOLUME DIRECTORY");
	if (store_open(&cfg, &st, &err))
		die("%s", err.text);
	if (store_vol_find(st, argv[2], strlen(argv[2]), &vol))
		die("no volume %s", argv[2]);
	compare_volume(st, vol.id, argv[3]);
	store_close(st);
	return 0;
}
