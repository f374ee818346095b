// SPDX-License-Identifier: MIT
/* What OpenAFS's directory package wants from its surroundings. */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dirblob.h"

/* It explains what is wrong with a directory. */
void Log(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
}

void Die(const char *msg)
{
	fprintf(stderr, "%s\n", msg);
	abort();
}

int ReallyRead(dir_file_t dir, int block, char *data, int *physerr)
{
	size_t at = (size_t)block * AFS_PAGESIZE;

	if (physerr)
		*physerr = 0;
	if (at + AFS_PAGESIZE > dir->len)
		return -1;
	memcpy(data, dir->data + at, AFS_PAGESIZE);
	return 0;
}

int ReallyWrite(dir_file_t dir, int block, char *data)
{
	return -1;
}

void FidZero(dir_file_t dir)
{
	memset(dir, 0, sizeof(*dir));
}

void FidZap(dir_file_t dir)
{
	FidZero(dir);
}

int FidEq(dir_file_t a, dir_file_t b)
{
	return !memcmp(a, b, sizeof(*a));
}

int FidVolEq(dir_file_t dir, afs_int32 vid)
{
	return 0;
}

void FidCpy(dir_file_t to, dir_file_t from)
{
	*to = *from;
}

void Lock_Init(struct Lock *lock)
{
}

void Afs_Lock_Obtain(struct Lock *lock, int how)
{
}

void Afs_Lock_ReleaseR(struct Lock *lock)
{
}

void Afs_Lock_ReleaseW(struct Lock *lock)
{
}

static struct DirHandle open_blob(const void *data, size_t len)
{
	static bool ready;

	if (!ready)
		DInit(64);
	ready = true;
	return (struct DirHandle){ .data = data, .len = len };
}

/** dirblob_ok() - whether OpenAFS's salvager finds nothing to mend */
bool dirblob_ok(const void *data, size_t len)
{
	struct DirHandle dir = open_blob(data, len);
	bool ok = DirOK(&dir);

	DZap(&dir);
	return ok;
}

/** dirblob_each() - call @fn for every entry */
void dirblob_each(const void *data, size_t len, entry_fn fn, void *ctx)
{
	struct DirHandle dir = open_blob(data, len);

	if (afs_dir_EnumerateDir(&dir, fn, ctx))
		fail("directory cannot be enumerated");
	DZap(&dir);
}

/** dirblob_find() - look up a name through the hash chains */
bool dirblob_find(const void *data, size_t len, const char *name,
		  uint32_t *vnode, uint32_t *unique)
{
	struct DirHandle dir = open_blob(data, len);
	afs_int32 fid[3];
	bool found = !afs_dir_Lookup(&dir, (char *)name, fid);

	*vnode = fid[1];
	*unique = fid[2];
	DZap(&dir);
	return found;
}
