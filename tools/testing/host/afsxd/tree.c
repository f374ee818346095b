// SPDX-License-Identifier: MIT
/*
 * Compares a volume with the directory tree it was imported from, field by
 * field and byte by byte: what stat(2), readlink(2) and read(2) say here is
 * what the file server has to say.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

/* Rights of system:anyuser: read and lookup (prs_fs.h). */
#define READ_LOOKUP	9

/* Owner of what somebody without a token made (ptserver.h: ANONYMOUSID). */
#define ANONYMOUS	32766

/* Rights that are expected, and whether clients made the volume's contents. */
static uint32_t rights;
static bool made_by_clients;

/* Bytes asked for at odd places of a file, with the 32-bit call. */
#define PIECE		70001

/* Entries of a directory that are looked at. */
#define CHILDREN_MAX	20000

struct child {
	char *name;
	AFSFid fid;
	AFSFetchStatus st;
};

/* A directory being compared. */
struct dir {
	AFSFid fid;
	AFSFid parent;
	const char *path;
	struct child *children;
	int nr;
	int subdirs;
};

/** expect_promise() - a shared callback for the whole time */
void expect_promise(const AFSCallBack *cb)
{
	expect("callback version", cb->CallBackVersion, CALLBACK_VERSION);
	expect("callback type", cb->CallBackType, CB_SHARED);
	expect("callback expiry", cb->ExpirationTime, client.promise);
}

static uint64_t length_of(const AFSFetchStatus *st)
{
	return (uint64_t)st->Length_hi << 32 | st->Length;
}

/* The length in front of the data: two words for FetchData64, else one. */
static uint64_t read_length(struct rx_call *call, bool wide)
{
	uint32_t word[2] = { 0 };
	int want = wide ? 8 : 4;

	if (rx_Read(call, (char *)(word + !wide), want) != want)
		return 0;
	return (uint64_t)ntohl(word[0]) << 32 | ntohl(word[1]);
}

/**
 * fetch() - get a range of a vnode's data, and expect a promise
 * @fid: the vnode
 * @pos: first byte
 * @len: bytes to ask for
 * @wide: with FetchData64 instead of FetchData
 * @buf: where they go
 * @size: bytes there are at @buf
 * @st: the status that comes with the data
 *
 * Return: bytes received into @buf.
 */
size_t fetch(const AFSFid *fid, uint64_t pos, uint64_t len, bool wide,
	     void *buf, size_t size, AFSFetchStatus *st)
{
	struct rx_call *call = rx_NewCall(client.fs);
	AFSFid copy = *fid;
	AFSVolSync sync;
	AFSCallBack cb;
	uint64_t got = 0;
	int code;

	code = wide ? StartRXAFS_FetchData64(call, &copy, pos, len) :
		      StartRXAFS_FetchData(call, &copy, pos, len);
	if (!code) {
		got = read_length(call, wide);
		if (got > size)
			fail("%llu bytes came", (unsigned long long)got);
		else if (rx_Read(call, buf, got) != (int)got)
			code = -1;
	}
	if (!code)
		code = wide ? EndRXAFS_FetchData64(call, st, &cb, &sync) :
			      EndRXAFS_FetchData(call, st, &cb, &sync);
	code = rx_EndCall(call, code);
	if (code)
		fail("%u.%u.%u: %d", fid->Volume, fid->Vnode, fid->Unique,
		     code);
	else
		expect_promise(&cb);
	return code ? 0 : got;
}

static afs_uint32 type_of(mode_t mode)
{
	return S_ISDIR(mode) ? Directory : S_ISLNK(mode) ? SymbolicLink : File;
}

/* Times on the wire are unsigned words. */
static afs_uint32 wire_time(time_t t)
{
	return t < 0 ? 0 : t > UINT32_MAX ? UINT32_MAX : t;
}

/* Fields of a status that the source of an import determines. */
static void compare_status(const struct dir *dir, const struct child *child,
			   const struct stat *want)
{
	const AFSFetchStatus *st = &child->st;
	bool is_dir = S_ISDIR(want->st_mode);

	expect("interface version", st->InterfaceVersion, 1);
	expect("type", st->FileType, type_of(want->st_mode));
	expect("vnode parity", child->fid.Vnode & 1, is_dir);
	if (!is_dir) {
		expect("length", length_of(st), want->st_size);
		expect("links", st->LinkCount, want->st_nlink);
	}
	expect("mode", st->UnixModeBits, want->st_mode & 07777);
	if (!made_by_clients || !is_dir)
		expect("client mtime", st->ClientModTime,
		       wire_time(want->st_mtime));
	expect("owner", st->Owner, made_by_clients ? ANONYMOUS : want->st_uid);
	expect("group", st->Group, made_by_clients ? 0 : want->st_gid);
	if (is_dir || want->st_nlink == 1) {
		expect("parent vnode", st->ParentVnode, dir->fid.Vnode);
		expect("parent unique", st->ParentUnique, dir->fid.Unique);
	}
	expect("caller access", st->CallerAccess, rights);
	expect("anonymous access", st->AnonymousAccess, rights);
	expect("high data version", st->dataVersionHigh, 0);
	expect("locks", st->lockCount, 0);
	expect("error code", st->errorCode, 0);
	if (!st->DataVersion)
		fail("data version is 0");
	if ((!made_by_clients && st->ServerModTime < want->st_ctime) ||
	    st->ServerModTime > time(NULL))
		fail("changed at %u", st->ServerModTime);
}

/* Each status, alone and in bulk, says the same. */
static void compare_bulk(const struct dir *dir, int from, int nr)
{
	AFSFid fids[AFSCBMAX + 1];
	AFSCBFids list = { nr, fids };
	AFSBulkStats inl = { 0 }, bulk = { 0 };
	AFSCBs inl_cbs = { 0 }, cbs = { 0 };
	AFSVolSync sync;
	int i;

	for (i = 0; i < nr; i++)
		fids[i] = dir->children[from + i].fid;
	expect("InlineBulkStatus",
	       RXAFS_InlineBulkStatus(client.fs, &list, &inl, &inl_cbs, &sync),
	       0);
	expect("BulkStatus",
	       RXAFS_BulkStatus(client.fs, &list, &bulk, &cbs, &sync), 0);
	expect("statuses", inl.AFSBulkStats_len, nr);
	expect("promises", inl_cbs.AFSCBs_len, nr);
	expect("bulk statuses", bulk.AFSBulkStats_len, nr);
	expect("bulk promises", cbs.AFSCBs_len, nr);
	for (i = 0; i < nr && i < (int)inl.AFSBulkStats_len &&
	     i < (int)bulk.AFSBulkStats_len; i++) {
		const AFSFetchStatus *st = &dir->children[from + i].st;

		if (memcmp(&inl.AFSBulkStats_val[i], st, sizeof(*st)) ||
		    memcmp(&bulk.AFSBulkStats_val[i], st, sizeof(*st)))
			fail("bulk status of %s differs",
			     dir->children[from + i].name);
		expect_promise(&inl_cbs.AFSCBs_val[i]);
		expect_promise(&cbs.AFSCBs_val[i]);
	}
	free(inl.AFSBulkStats_val);
	free(bulk.AFSBulkStats_val);
	free(inl_cbs.AFSCBs_val);
	free(cbs.AFSCBs_val);
}

static char *read_local(const char *path, const struct stat *st)
{
	char *data = calloc(1, st->st_size + 1);
	ssize_t n = 0;
	int fd;

	if (S_ISLNK(st->st_mode)) {
		n = readlink(path, data, st->st_size);
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		while (n < st->st_size) {
			ssize_t part = read(fd, data + n, st->st_size - n);

			if (part <= 0)
				break;
			n += part;
		}
		close(fd);
	}
	expect("local bytes", n, st->st_size);
	return data;
}

/* A range is the same bytes, cut at the end of the file. */
static void compare_range(const struct child *child, const char *want,
			  uint64_t size, uint64_t pos, uint64_t len, bool wide)
{
	uint64_t left = pos < size ? size - pos : 0;
	char *got = malloc(len + 1);
	AFSFetchStatus st;
	size_t n;

	n = fetch(&child->fid, pos, len, wide, got, len, &st);
	expect("bytes", n, left < len ? left : len);
	if (n && memcmp(got, want + pos, n))
		fail("data of %s at %llu differs", child->name,
		     (unsigned long long)pos);
	expect("data version with data", st.DataVersion,
	       child->st.DataVersion);
	free(got);
}

static void compare_data(const struct child *child, const char *path,
			 const struct stat *st)
{
	uint64_t size = st->st_size;
	char *want = read_local(path, st);

	compare_range(child, want, size, 0, size + 10, true);
	compare_range(child, want, size, size / 3, PIECE, false);
	compare_range(child, want, size, size, 1, true);
	compare_range(child, want, size, size + 4096, 100, false);
	free(want);
}

/* Called for every entry of the directory blob. */
static int add_child(void *ctx, char *name, afs_int32 vnode, afs_int32 unique)
{
	struct dir *dir = ctx;
	AFSFid fid = { dir->fid.Volume, vnode, unique };
	const AFSFid *want = !strcmp(name, ".") ? &dir->fid :
			     !strcmp(name, "..") ? &dir->parent : NULL;

	if (want && memcmp(&fid, want, sizeof(fid)))
		fail("'%s' of %s is %d.%d", name, dir->path, vnode, unique);
	if (want || dir->nr == CHILDREN_MAX)
		return 0;
	dir->children[dir->nr++] = (struct child){
		.name = strdup(name), .fid = fid,
	};
	return 0;
}

static void read_dir(struct dir *dir, const AFSFetchStatus *st)
{
	uint64_t size = length_of(st);
	AFSFetchStatus with_data;
	char *blob = malloc(size + 1);
	uint32_t vnode, unique;
	int i;

	if (size % 2048 || !size)
		fail("directory of %llu bytes", (unsigned long long)size);
	expect("directory bytes", fetch(&dir->fid, 0, size, true, blob, size,
					&with_data), size);
	if (!dirblob_ok(blob, size))
		fail("directory %s needs salvaging", dir->path);
	dirblob_each(blob, size, add_child, dir);
	for (i = 0; i < dir->nr; i++) {
		if (!dirblob_find(blob, size, dir->children[i].name, &vnode,
				  &unique) ||
		    vnode != dir->children[i].fid.Vnode ||
		    unique != dir->children[i].fid.Unique)
			fail("%s is not on its hash chain",
			     dir->children[i].name);
	}
	free(blob);
}

static int count_local(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	if (!d)
		return -1;
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;	/* . and .. */
}

static void compare_dir(struct dir *dir, const AFSFetchStatus *st, int depth);

static void compare_child(struct dir *dir, struct child *child, int depth)
{
	struct dir sub = { .fid = child->fid, .parent = dir->fid };
	char path[PATH_MAX];
	AFSCallBack cb;
	AFSVolSync sync;
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir->path, child->name);
	if (lstat(path, &st)) {
		fail("%s is not there", path);
		return;
	}
	expect("FetchStatus", RXAFS_FetchStatus(client.fs, &child->fid,
						&child->st, &cb, &sync), 0);
	expect_promise(&cb);
	compare_status(dir, child, &st);
	sub.path = path;
	if (S_ISDIR(st.st_mode)) {
		dir->subdirs++;
		compare_dir(&sub, &child->st, depth + 1);
	} else {
		compare_data(child, path, &st);
	}
}

static void compare_dir(struct dir *dir, const AFSFetchStatus *st, int depth)
{
	int i, nr;

	dir->children = calloc(CHILDREN_MAX, sizeof(*dir->children));
	read_dir(dir, st);
	expect("entries", dir->nr, count_local(dir->path));
	for (i = 0; i < dir->nr; i++)
		compare_child(dir, &dir->children[i], depth);
	expect("links of the directory", st->LinkCount, 2 + dir->subdirs);
	for (i = 0; i < dir->nr; i += nr) {
		nr = dir->nr - i < AFSCBMAX ? dir->nr - i : AFSCBMAX;
		compare_bulk(dir, i, nr);
	}
	for (i = 0; i < dir->nr; i++)
		free(dir->children[i].name);
	free(dir->children);
}

/*
 * tree VID PATH [RIGHTS]: the volume is a copy of the directory; with rights, one
 * that clients made who have them
 */
static void check_tree(char **args, int nr)
{
	struct dir root = {
		.fid = { number(args[0]), 1, 1 },
		.parent = { number(args[0]), 1, 1 },
		.path = args[1],
	};
	AFSFetchStatus st;
	AFSCallBack cb;
	AFSVolSync sync;

	made_by_clients = nr > 2;
	rights = made_by_clients ? number(args[2]) : READ_LOOKUP;
	expect("FetchStatus", RXAFS_FetchStatus(client.fs, &root.fid, &st, &cb,
						&sync), 0);
	expect_promise(&cb);
	expect("root parent vnode", st.ParentVnode, 1);
	expect("root type", st.FileType, Directory);
	compare_dir(&root, &st, 0);
	answer("%d", root.nr);
}

/* bulk-errors VID: a good entry between bad ones */
static void check_bulk_errors(char **args, int nr)
{
	uint32_t vid = number(args[0]);
	AFSFid fids[] = {
		{ vid, 999999, 1 }, { vid, 1, 1 }, { vid, 1, 2 },
		{ vid, 1, 0 }, { vid + 1000, 1, 1 },
	};
	AFSCBFids list = { 5, fids };
	static const uint32_t codes[] = { 102, 0, 102, 102, 103 };
	AFSBulkStats stats = { 0 };
	AFSCBs cbs = { 0 };
	AFSVolSync sync;
	int i;

	expect("InlineBulkStatus",
	       RXAFS_InlineBulkStatus(client.fs, &list, &stats, &cbs, &sync),
	       0);
	expect("statuses", stats.AFSBulkStats_len, 5);
	for (i = 0; i < (int)stats.AFSBulkStats_len; i++) {
		expect("code", stats.AFSBulkStats_val[i].errorCode, codes[i]);
		expect("type", stats.AFSBulkStats_val[i].FileType,
		       codes[i] ? Invalid : Directory);
		if (codes[i])
			expect("expiry", cbs.AFSCBs_val[i].ExpirationTime, 0);
	}
	expect("BulkStatus",
	       RXAFS_BulkStatus(client.fs, &list, &stats, &cbs, &sync), 102);
}

const struct command tree_commands[] = {
	{ "tree", 2, check_tree },
	{ "bulk-errors", 1, check_bulk_errors },
	{ 0 }
};
