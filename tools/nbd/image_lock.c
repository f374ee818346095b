// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "image_lock.h"
#include "log.h"

/*
 * QEMU (block/file-posix.c) gives each thing that can be done to an image a byte at
 * USES, which whoever does it has a shared lock on, and one at REFUSES, for whoever
 * cannot bear that others do it. A thing may be done if a lock of one's own alone could
 * be had of its byte at REFUSES.
 */
#define USES	100
#define REFUSES	200

/* What can be done to an image, as far as it matters here. */
enum {
	READ_CONSISTENT	= 0,
	WRITE		= 1,
	RESIZE		= 3,
};

/* A byte: a shared lock of it is wanted, or nobody else may have one. */
struct byte {
	off_t	at;
	bool	of_writers_only;
};

static const struct byte wanted[] = {
	{ USES + READ_CONSISTENT, false },
	{ USES + WRITE, true },
	{ USES + RESIZE, true },
	{ REFUSES + WRITE, false },
	{ REFUSES + RESIZE, false },
};

static const struct byte not_of_others[] = {
	{ REFUSES + READ_CONSISTENT, false },
	{ REFUSES + WRITE, true },
	{ REFUSES + RESIZE, true },
	{ USES + WRITE, false },
	{ USES + RESIZE, false },
};

static int lock_byte(int fd, int cmd, short type, off_t at, bool *taken)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = at,
		.l_len = 1,
	};

	if (fcntl(fd, cmd, &lock))
		return -errno;
	*taken = lock.l_type != F_UNLCK;
	return 0;
}

/* Return: as image_lock(), but for -EAGAIN when somebody is in the way. */
static int lock(int fd, bool write)
{
	bool taken = false;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (wanted[i].of_writers_only && !write)
			continue;
		ret = lock_byte(fd, F_OFD_SETLK, F_RDLCK, wanted[i].at, &taken);
		if (ret)
			return ret == -EACCES ? -EAGAIN : ret;
	}
	for (i = 0; i < ARRAY_SIZE(not_of_others); i++) {
		if (not_of_others[i].of_writers_only && !write)
			continue;
		ret = lock_byte(fd, F_OFD_GETLK, F_WRLCK, not_of_others[i].at, &taken);
		if (ret || taken)
			return ret ?: -EAGAIN;
	}
	return 0;
}

int image_lock(int fd, const char *path, bool write, struct errbuf *err)
{
	int ret = lock(fd, write);

	if (ret == -EAGAIN)
		return err_set(err, -EBUSY, "%s: another program %s", path,
			       write ? "has it open" : "writes to it");
	if (ret == -EINVAL || ret == -ENOLCK || ret == -EOPNOTSUPP) {
		log_warn("image not locked", LOG_S("image", path),
			 LOG_S("why", strerror(-ret)));
		return 0;
	}
	return ret ? err_set(err, ret, "%s: cannot be locked: %s", path, strerror(-ret)) : 0;
}
