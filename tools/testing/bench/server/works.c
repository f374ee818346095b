// SPDX-License-Identifier: MIT
/* The calls, on files in a directory of each caller's own. */
#include <string.h>

#include "bench.h"
#include "defs.h"

#define FILES		100u		/* small ones, of SMALL bytes */
#define SMALL		4096u
#define BULK		50u		/* the most FIDs of a bulk call */
#define BIG_STEP	(1024u * 1024)
#define BIG_STEPS	16u

static AFSFid files[FILES];
static AFSFid big;
static char data[BIG_STEP];

/* What calls answer and nobody here looks at. */
static AFSFetchStatus status, other_status;
static AFSCallBack callback;
static AFSVolSync sync_info;

static void check(int code, const char *what)
{
	if (code)
		die("%s: %d", what, code);
}

static char *name_of(char kind, unsigned int i)
{
	static char name[16];

	snprintf(name, sizeof(name), "%c%u", kind, i);
	return name;
}

static AFSFid make_file(char kind, unsigned int i)
{
	AFSStoreStatus store = { .Mask = AFS_SETMODE, .UnixModeBits = 0644 };
	AFSFid fid;

	check(RXAFS_CreateFile(bench.conn, &bench.dir, name_of(kind, i), &store,
			       &fid, &status, &other_status, &callback,
			       &sync_info), "CreateFile");
	return fid;
}

static void store(AFSFid *fid, u64 pos, unsigned int len, u64 size)
{
	struct rx_call *call = rx_NewCall(bench.conn);
	AFSStoreStatus in = { 0 };
	int code = StartRXAFS_StoreData64(call, fid, &in, pos, len, size);

	if (!code && rx_Write(call, data, len) != (int)len)
		code = rx_Error(call) ? : -1;
	if (!code)
		code = EndRXAFS_StoreData64(call, &status, &sync_info);
	check(rx_EndCall(call, code), "StoreData64");
}

static void fetch(AFSFid *fid, u64 pos, unsigned int len)
{
	struct rx_call *call = rx_NewCall(bench.conn);
	int code = StartRXAFS_FetchData64(call, fid, pos, len);
	unsigned int word[2];

	if (!code && (rx_Read(call, (char *)word, 8) != 8 ||
		      ntohl(word[1]) != len ||
		      rx_Read(call, data, len) != (int)len))
		code = rx_Error(call) ? : -1;
	if (!code)
		code = EndRXAFS_FetchData64(call, &status, &callback,
					    &sync_info);
	check(rx_EndCall(call, code), "FetchData64");
}

void works_begin(void)
{
	AFSStoreStatus in = { .Mask = AFS_SETMODE, .UnixModeBits = 0755 };
	char name[32];

	snprintf(name, sizeof(name), "c%u", bench.caller);
	check(RXAFS_MakeDir(bench.conn, &bench.root, name, &in, &bench.dir,
			    &status, &other_status, &callback, &sync_info),
	      "MakeDir");
	for (unsigned int i = 0; i < FILES; i++) {
		files[i] = make_file('s', i);
		if (is_wanted("small"))
			store(&files[i], 0, SMALL, SMALL);
	}
	if (!is_wanted("big"))
		return;
	big = make_file('b', 0);
	for (u64 i = 0; i < BIG_STEPS; i++)
		store(&big, i * BIG_STEP, BIG_STEP, (i + 1) * BIG_STEP);
}

static AFSFid *any_file(void)
{
	return &files[(unsigned int)random() % FILES];
}

static void fetch_status(unsigned int i)
{
	check(RXAFS_FetchStatus(bench.conn, any_file(), &status, &callback,
				&sync_info), "FetchStatus");
}

static void bulk_status(unsigned int i)
{
	static AFSFetchStatus stats[BULK];
	static AFSCallBack promises[BULK];
	AFSCBFids fids = { BULK, &files[i * BULK % (FILES - BULK)] };
	AFSBulkStats out = { BULK, stats };
	AFSCBs cbs = { BULK, promises };

	check(RXAFS_InlineBulkStatus(bench.conn, &fids, &out, &cbs, &sync_info),
	      "InlineBulkStatus");
}

static void fetch_small(unsigned int i)
{
	fetch(any_file(), 0, SMALL);
}

static void store_small(unsigned int i)
{
	store(any_file(), 0, SMALL, SMALL);
}

static void store_status(unsigned int i)
{
	AFSStoreStatus in = { .Mask = AFS_SETMODE, .UnixModeBits = i & 0777 };

	check(RXAFS_StoreStatus(bench.conn, any_file(), &in, &status,
				&sync_info), "StoreStatus");
}

static void create(unsigned int i)
{
	make_file('n', i);
}

static void rename_file(unsigned int i)
{
	char from[16];

	snprintf(from, sizeof(from), "%s", name_of('n', i));
	check(RXAFS_Rename(bench.conn, &bench.dir, from, &bench.dir,
			   name_of('r', i), &status, &other_status, &sync_info),
	      "Rename");
}

static void remove_file(unsigned int i)
{
	check(RXAFS_RemoveFile(bench.conn, &bench.dir, name_of('r', i), &status,
			       &sync_info), "RemoveFile");
}

static void fetch_big(unsigned int i)
{
	fetch(&big, (u64)(i % BIG_STEPS) * BIG_STEP, BIG_STEP);
}

static void store_big(unsigned int i)
{
	store(&big, (u64)(i % BIG_STEPS) * BIG_STEP, BIG_STEP,
	      (u64)BIG_STEPS * BIG_STEP);
}

static void get_time(unsigned int i)
{
	afs_uint32 seconds, useconds;

	check(RXAFS_GetTime(bench.conn, &seconds, &useconds), "GetTime");
}

/*
 * In this order: what is created is renamed, and then removed.  GetTime is the price
 * of a call that does nothing.
 */
const struct work works[] = {
	{ "GetTime", "status", 20000, 1, get_time },
	{ "FetchStatus", "status", 20000, 1, fetch_status },
	{ "InlineBulkStatus of 50", "status", 2000, BULK, bulk_status },
	{ "StoreStatus", "status", 4000, 1, store_status },
	{ "FetchData 4 KiB", "small", 2000, 1, fetch_small },
	{ "CreateFile", "names", 1600, 1, create },
	{ "Rename", "names", 1600, 1, rename_file },
	{ "RemoveFile", "names", 1600, 1, remove_file },
	{ "StoreData 4 KiB", "small", 1600, 1, store_small },
	{ "FetchData 1 MiB, MB", "big", 96, BIG_STEP / 1e6, fetch_big },
	{ "StoreData 1 MiB, MB", "big", 96, BIG_STEP / 1e6, store_big },
	{ NULL }
};
