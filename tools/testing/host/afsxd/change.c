// SPDX-License-Identifier: MIT
/*
 * Calls that change something.  Each command ends with the code expected, and
 * answers with what the reply says when that is 0.  A word "-" stands for an
 * empty string.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

/* Words of a FID. */
#define FID		3

/* Bytes sent to the connection at a time. */
#define PART		60000

/* Data that a seed and a position determine: no two places look alike. */
static unsigned char data_at(uint64_t seed, uint64_t pos)
{
	uint64_t x = (seed << 40) + pos / 7 + 1;

	x *= 0x9e3779b97f4a7c15u;
	return x >> 56;
}

static char *text(char *word)
{
	return strcmp(word, "-") ? word : (char *)"";
}

static bool is_expected(int code, const char *word)
{
	expect("code", (afs_int32)code, (afs_int32)number(word));
	return !code && !number(word);
}

static uint64_t length_of(const AFSFetchStatus *st)
{
	return (uint64_t)st->Length_hi << 32 | st->Length;
}

static void answer_fid(const AFSFid *fid)
{
	answer("%u %u %u ", fid->Volume, fid->Vnode, fid->Unique);
}

/* A name's status, with which the answer is easy to take apart. */
static void answer_status(const char *prefix, const AFSFetchStatus *st)
{
	answer("%ssize=%llu %sdv=%u %stype=%u %slinks=%u %smode=%o ", prefix,
	       (unsigned long long)length_of(st), prefix, st->DataVersion,
	       prefix, st->FileType, prefix, st->LinkCount, prefix,
	       st->UnixModeBits);
	answer("%sowner=%u %sgroup=%u %sauthor=%u %smtime=%u %srights=%u ",
	       prefix, st->Owner, prefix, st->Group, prefix, st->Author, prefix,
	       st->ClientModTime, prefix, st->CallerAccess);
	answer("%sanyone=%u %sparent=%u.%u %slocks=%d ", prefix,
	       st->AnonymousAccess, prefix, st->ParentVnode, st->ParentUnique,
	       prefix, (int)st->lockCount);
}

/* The volume's creation is its version: it must be that of its status. */
static void check_sync(const AFSVolSync *sync)
{
	if (!sync->spare1)
		fail("no volume version");
}

/* stat FID CODE */
static void get_status(char **args, int nr)
{
	AFSFid fid = fid_of(args);
	AFSFetchStatus st;
	AFSCallBack cb;
	AFSVolSync sync;

	if (is_expected(RXAFS_FetchStatus(client.fs, &fid, &st, &cb, &sync),
			args[FID]))
		answer_status("", &st);
}

/* What create, mkdir and symlink say. */
static void answer_new(const AFSFid *fid, const AFSFetchStatus *st,
		       const AFSFetchStatus *dir_st, const AFSVolSync *sync)
{
	answer_fid(fid);
	answer_status("", st);
	answer_status("dir", dir_st);
	check_sync(sync);
}

/* Mode and modification time; a mode or time of 0 is not set. */
static AFSStoreStatus in_status(const char *mode, const char *mtime)
{
	AFSStoreStatus in = {
		.UnixModeBits = number(mode), .ClientModTime = number(mtime),
	};

	in.Mask = (in.UnixModeBits ? AFS_SETMODE : 0) |
		  (in.ClientModTime ? AFS_SETMODTIME : 0);
	return in;
}

/* DIR NAME MODE MTIME CODE */
static void make_with(int (*call)(struct rx_connection *conn, AFSFid *dir,
				  const char *name, AFSStoreStatus *in, AFSFid *fid,
				  AFSFetchStatus *st, AFSFetchStatus *dir_st,
				  AFSCallBack *cb, AFSVolSync *sync),
		      char **args)
{
	AFSFid dir = fid_of(args), fid;
	AFSStoreStatus in = in_status(args[FID + 1], args[FID + 2]);
	AFSFetchStatus st, dir_st;
	AFSCallBack cb;
	AFSVolSync sync;

	if (!is_expected(call(client.fs, &dir, text(args[FID]), &in, &fid, &st,
			      &dir_st, &cb, &sync), args[FID + 3]))
		return;
	answer_new(&fid, &st, &dir_st, &sync);
	expect_promise(&cb);
}

static void create_file(char **args, int nr)
{
	make_with(RXAFS_CreateFile, args);
}

static void make_dir(char **args, int nr)
{
	make_with(RXAFS_MakeDir, args);
}

/* symlink DIR NAME TARGET MODE MTIME CODE */
static void make_symlink(char **args, int nr)
{
	AFSFid dir = fid_of(args), fid;
	AFSStoreStatus in = in_status(args[FID + 2], args[FID + 3]);
	AFSFetchStatus st, dir_st;
	AFSVolSync sync;

	if (is_expected(RXAFS_Symlink(client.fs, &dir, text(args[FID]),
				      text(args[FID + 1]), &in, &fid, &st,
				      &dir_st, &sync), args[FID + 4]))
		answer_new(&fid, &st, &dir_st, &sync);
}

/* link DIR NAME FID CODE */
static void make_link(char **args, int nr)
{
	AFSFid dir = fid_of(args), fid = fid_of(args + FID + 1);
	AFSFetchStatus st, dir_st;
	AFSVolSync sync;

	if (is_expected(RXAFS_Link(client.fs, &dir, text(args[FID]), &fid, &st,
				   &dir_st, &sync), args[2 * FID + 1]))
		answer_new(&fid, &st, &dir_st, &sync);
}

/* rename DIR NAME DIR NAME CODE */
static void rename_entry(char **args, int nr)
{
	AFSFid from = fid_of(args), to = fid_of(args + FID + 1);
	AFSFetchStatus from_st, to_st;
	AFSVolSync sync;

	if (!is_expected(RXAFS_Rename(client.fs, &from, text(args[FID]), &to,
				      text(args[2 * FID + 1]), &from_st,
				      &to_st, &sync), args[2 * FID + 2]))
		return;
	answer_status("from", &from_st);
	answer_status("to", &to_st);
	check_sync(&sync);
}

/* DIR NAME CODE */
static void remove_with(int (*call)(struct rx_connection *conn, AFSFid *dir,
				    const char *name, AFSFetchStatus *st,
				    AFSVolSync *sync), char **args)
{
	AFSFid dir = fid_of(args);
	AFSFetchStatus st;
	AFSVolSync sync;

	if (is_expected(call(client.fs, &dir, text(args[FID]), &st, &sync),
			args[FID + 1]))
		answer_status("dir", &st);
}

static void remove_file(char **args, int nr)
{
	remove_with(RXAFS_RemoveFile, args);
}

static void remove_dir(char **args, int nr)
{
	remove_with(RXAFS_RemoveDir, args);
}

static int send_data(struct rx_call *call, uint64_t seed, uint64_t pos,
		     uint64_t len)
{
	static char buf[PART];
	uint64_t i, n;

	for (; len; pos += n, len -= n) {
		n = len < PART ? len : PART;
		for (i = 0; i < n; i++)
			buf[i] = data_at(seed, pos + i);
		if (rx_Write(call, buf, n) != (int)n)
			return -1;
	}
	return 0;
}

/* What a StoreData call says, of which @sent bytes follow. */
struct store {
	AFSFid fid;
	AFSStoreStatus in;
	uint64_t seed;
	uint64_t pos;
	uint64_t len;
	uint64_t file_len;
	uint64_t sent;
	bool wide;
};

static int store_call(const struct store *s, AFSFetchStatus *st,
		      AFSVolSync *sync)
{
	struct rx_call *call = rx_NewCall(client.fs);
	AFSStoreStatus in = s->in;
	AFSFid fid = s->fid;
	int code;

	code = s->wide ? StartRXAFS_StoreData64(call, &fid, &in, s->pos, s->len,
						s->file_len) :
			 StartRXAFS_StoreData(call, &fid, &in, s->pos, s->len,
					      s->file_len);
	if (!code)
		code = send_data(call, s->seed, s->pos, s->sent);
	if (!code)
		code = s->wide ? EndRXAFS_StoreData64(call, st, sync) :
				 EndRXAFS_StoreData(call, st, sync);
	return rx_EndCall(call, code);
}

static void store(char **args, bool wide, uint64_t sent)
{
	struct store s = {
		.fid = fid_of(args), .seed = number(args[FID]),
		.pos = number(args[FID + 1]), .len = number(args[FID + 2]),
		.file_len = number(args[FID + 3]), .wide = wide, .sent = sent,
		.in = in_status("0", args[FID + 4]),
	};
	AFSFetchStatus st;
	AFSVolSync sync;

	if (!is_expected(store_call(&s, &st, &sync), args[FID + 5]))
		return;
	answer_status("", &st);
	check_sync(&sync);
}

/* store FID SEED POS LEN FILE-LENGTH MTIME CODE: with StoreData64 */
static void store_data64(char **args, int nr)
{
	store(args, true, number(args[FID + 2]));
}

static void store_data32(char **args, int nr)
{
	store(args, false, number(args[FID + 2]));
}

/* store-sending FID SEED POS LEN FILE-LENGTH MTIME CODE BYTES: so many are sent */
static void store_sending(char **args, int nr)
{
	store(args, true, number(args[FID + 6]));
}

/* store-slowly FID LEN: announce so many bytes, send nearly all, and stay */
static void store_slowly(char **args, int nr)
{
	struct rx_call *call = rx_NewCall(client.fs);
	AFSFid fid = fid_of(args);
	AFSStoreStatus in = { 0 };
	uint64_t len = number(args[FID]);

	expect("code", StartRXAFS_StoreData64(call, &fid, &in, 0, len, len), 0);
	expect("data", send_data(call, 1, 0, len - 1), 0);
}

/* data FID SEED POS LEN: what is there is what was stored */
static void check_data(char **args, int nr)
{
	AFSFid fid = fid_of(args);
	uint64_t seed = number(args[FID]), pos = number(args[FID + 1]);
	uint64_t len = number(args[FID + 2]), i;
	unsigned char *buf = malloc(len + 1);
	AFSFetchStatus st;

	expect("bytes", fetch(&fid, pos, len, true, buf, len, &st), len);
	for (i = 0; i < len; i++) {
		if (buf[i] != (seed ? data_at(seed, pos + i) : 0)) {
			fail("byte %llu is %u", (unsigned long long)(pos + i),
			     buf[i]);
			break;
		}
	}
	free(buf);
}

/* pattern FILE SEED POS LEN: the data of a store, to a local file */
static void write_pattern(char **args, int nr)
{
	uint64_t seed = number(args[1]), pos = number(args[2]), i;
	FILE *f = fopen(args[0], "r+");

	if (!f || fseeko(f, pos, SEEK_SET)) {
		fail("%s cannot be written", args[0]);
		return;
	}
	for (i = 0; i < number(args[3]); i++)
		putc(data_at(seed, pos + i), f);
	if (fclose(f))
		fail("%s is not written", args[0]);
}

/* fetch-code FID CODE */
static void fetch_code(char **args, int nr)
{
	struct rx_call *call = rx_NewCall(client.fs);
	AFSFid fid = fid_of(args);
	AFSFetchStatus st;
	AFSCallBack cb;
	AFSVolSync sync;
	char word[8];
	int code;

	code = StartRXAFS_FetchData64(call, &fid, 0, 0);
	if (!code && rx_Read(call, word, 8) != 8)
		code = rx_Error(call);
	if (!code)
		code = EndRXAFS_FetchData64(call, &st, &cb, &sync);
	is_expected(rx_EndCall(call, code), args[FID]);
}

/* set FID MASK MTIME OWNER GROUP MODE CODE */
static void store_status(char **args, int nr)
{
	AFSFid fid = fid_of(args);
	AFSStoreStatus in = {
		.Mask = number(args[FID]),
		.ClientModTime = number(args[FID + 1]),
		.Owner = number(args[FID + 2]),
		.Group = number(args[FID + 3]),
		.UnixModeBits = number(args[FID + 4]),
	};
	AFSFetchStatus st;
	AFSVolSync sync;

	if (is_expected(RXAFS_StoreStatus(client.fs, &fid, &in, &st, &sync),
			args[FID + 5]))
		answer_status("", &st);
}

/* setacl FID TEXT CODE: with newlines as '/' and tabs as ',' */
static void store_acl(char **args, int nr)
{
	AFSFid fid = fid_of(args);
	char list[1200];
	AFSOpaque acl = { strlen(text(args[FID])) + 1, list };
	AFSFetchStatus st;
	AFSVolSync sync;
	char *p;

	memcpy(list, text(args[FID]), acl.AFSOpaque_len);
	for (p = list; *p; p++)
		*p = *p == '/' ? '\n' : *p == ',' ? '\t' : *p;
	if (is_expected(RXAFS_StoreACL(client.fs, &fid, &acl, &st, &sync),
			args[FID + 1]))
		answer_status("", &st);
}

/* lock FID TYPE CODE */
static void set_lock(char **args, int nr)
{
	AFSFid fid = fid_of(args);
	AFSVolSync sync;

	is_expected(RXAFS_SetLock(client.fs, &fid, number(args[FID]), &sync),
		    args[FID + 1]);
}

static void extend_lock(char **args, int nr)
{
	AFSFid fid = fid_of(args);
	AFSVolSync sync;

	is_expected(RXAFS_ExtendLock(client.fs, &fid, &sync), args[FID]);
}

static void release_lock(char **args, int nr)
{
	AFSFid fid = fid_of(args);
	AFSVolSync sync;

	is_expected(RXAFS_ReleaseLock(client.fs, &fid, &sync), args[FID]);
}

/* setvol VID MASK QUOTA NAME OFFLINE MOTD CODE */
static void set_volume(char **args, int nr)
{
	AFSStoreVolumeStatus v = {
		.Mask = number(args[1]), .MaxQuota = (afs_int32)number(args[2]),
	};

	is_expected(RXAFS_SetVolumeStatus(client.fs, number(args[0]), &v,
					  text(args[3]), text(args[4]),
					  text(args[5])), args[6]);
}

static void flush_cps(char **args, int nr)
{
	afs_int32 id = 1, spare2, spare3;
	ViceIds ids = { 1, &id };
	IPAddrs addrs = { 0, NULL };

	is_expected(RXAFS_FlushCPS(client.fs, &ids, &addrs, 0, &spare2,
				   &spare3), args[0]);
}

const struct command change_commands[] = {
	{ "stat", 4, get_status },
	{ "create", 7, create_file },
	{ "mkdir", 7, make_dir },
	{ "symlink", 8, make_symlink },
	{ "link", 8, make_link },
	{ "rename", 9, rename_entry },
	{ "remove", 5, remove_file },
	{ "rmdir", 5, remove_dir },
	{ "store", 9, store_data64 },
	{ "store32", 9, store_data32 },
	{ "store-sending", 10, store_sending },
	{ "store-slowly", 4, store_slowly },
	{ "data", 6, check_data },
	{ "pattern", 4, write_pattern },
	{ "fetch-code", 4, fetch_code },
	{ "set", 9, store_status },
	{ "setacl", 5, store_acl },
	{ "lock", 5, set_lock },
	{ "extend", 4, extend_lock },
	{ "unlock", 4, release_lock },
	{ "setvol", 7, set_volume },
	{ "flush-cps", 1, flush_cps },
	{ 0 }
};
