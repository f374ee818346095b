// SPDX-License-Identifier: MIT
/* Calls of the file service, one at a time. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"

/* Seconds by which two readings of the same clock may differ. */
#define CLOCK_SLACK	60

/* caps: the capabilities; word 0 says unified errors and 64-bit files */
static void check_caps(char **args, int nr)
{
	Capabilities caps = { 0 };

	expect("code", RXAFS_GetCapabilities(client.fs, &caps), 0);
	expect("words", caps.Capabilities_len, 1);
	if (caps.Capabilities_len)
		expect("word 0", caps.Capabilities_val[0],
		       VICED_CAPABILITY_ERRORTRANS |
		       VICED_CAPABILITY_64BITFILES);
	free(caps.Capabilities_val);
}

static void check_time(char **args, int nr)
{
	afs_uint32 sec = 0, usec = 0;
	time_t now = time(NULL);

	expect("code", RXAFS_GetTime(client.fs, &sec, &usec), 0);
	if (sec + CLOCK_SLACK < now || sec > now + CLOCK_SLACK)
		fail("time is %u, not %lld", sec, (long long)now);
	if (usec >= 1000000)
		fail("%u microseconds", usec);
}

static void check_root_volume(char **args, int nr)
{
	char *name = NULL;

	expect("code", RXAFS_GetRootVolume(client.fs, &name), 0);
	expect_text("name", name, args[0]);
	free(name);
}

/* status VID VNODE UNIQUE CODE: a promise comes with success */
static void check_status(char **args, int nr)
{
	AFSFid fid = fid_of(args);
	AFSFetchStatus st;
	AFSCallBack cb;
	AFSVolSync sync;
	int code = RXAFS_FetchStatus(client.fs, &fid, &st, &cb, &sync);

	expect("code", (afs_int32)code, (afs_int32)number(args[3]));
	if (code)
		return;
	answer("dv=%u size=%u promise=%u type=%u", st.DataVersion, st.Length,
	       cb.CallBackType == CB_DROPPED ? 0 : cb.ExpirationTime,
	       st.FileType);
}

/* volume VID [OFFLINE MOTD]: all that GetVolumeStatus says */
static void check_volume(char **args, int nr)
{
	char *name = NULL, *offline = NULL, *motd = NULL;
	AFSFetchVolumeStatus v;
	int code = RXAFS_GetVolumeStatus(client.fs, number(args[0]), &v, &name,
					 &offline, &motd);

	if (code) {
		fail("code %d", code);
		return;
	}
	expect_text("offline message", offline, nr > 1 ? args[1] : "");
	expect_text("message of the day", motd, nr > 2 ? args[2] : "");
	answer("vid=%d parent=%d online=%d service=%d blessed=%d salvage=%d ",
	       v.Vid, v.ParentId, v.Online, v.InService, v.Blessed,
	       v.NeedsSalvage);
	answer("type=%d minquota=%d maxquota=%d used=%d avail=%d max=%d name=%s",
	       v.Type, v.MinQuota, v.MaxQuota, v.BlocksInUse,
	       v.PartBlocksAvail, v.PartMaxBlocks, name);
	free(name);
	free(offline);
	free(motd);
}

static void check_volume_code(char **args, int nr)
{
	char *name = NULL, *offline = NULL, *motd = NULL;
	AFSFetchVolumeStatus v;

	expect("code", RXAFS_GetVolumeStatus(client.fs, number(args[0]), &v,
					     &name, &offline, &motd),
	       number(args[1]));
}

/* acl VID VNODE UNIQUE: the text, with newlines as '/' and tabs as ',' */
static void check_acl(char **args, int nr)
{
	AFSFid fid = fid_of(args);
	AFSOpaque acl = { 0 };
	AFSFetchStatus st;
	AFSVolSync sync;
	u_int i;

	expect("code", RXAFS_FetchACL(client.fs, &fid, &acl, &st, &sync), 0);
	if (!acl.AFSOpaque_len)
		return;
	expect("last byte", acl.AFSOpaque_val[acl.AFSOpaque_len - 1], 0);
	for (i = 0; i + 1 < acl.AFSOpaque_len; i++) {
		char c = acl.AFSOpaque_val[i];

		answer("%c", c == '\n' ? '/' : c == '\t' ? ',' : c);
	}
	free(acl.AFSOpaque_val);
}

/* lookup VID VNODE UNIQUE NAME CODE: answers the FID found */
static void check_lookup(char **args, int nr)
{
	AFSFid dir = fid_of(args), fid;
	AFSFetchStatus st, dir_st;
	AFSCallBack cb;
	AFSVolSync sync;
	int code = RXAFS_Lookup(client.fs, &dir, args[3], &fid, &st, &dir_st,
				&cb, &sync);

	expect("code", (afs_int32)code, (afs_int32)number(args[4]));
	if (!code)
		answer("%u %u %u", fid.Volume, fid.Vnode, fid.Unique);
}

static void give_up(char **args, int nr)
{
	AFSFid fid = fid_of(args);
	AFSCBFids fids = { 1, &fid };
	AFSCallBack cb = { 1, 0, CB_DROPPED };
	AFSCBs cbs = { 1, &cb };

	expect("code", RXAFS_GiveUpCallBacks(client.fs, &fids, &cbs), 0);
}

static void give_up_none(char **args, int nr)
{
	AFSCBFids fids = { 0, NULL };
	AFSCBs cbs = { 0, NULL };

	expect("code", RXAFS_GiveUpCallBacks(client.fs, &fids, &cbs), 0);
}

static void give_up_all(char **args, int nr)
{
	expect("code", RXAFS_GiveUpAllCallBacks(client.fs), 0);
}

/* unserved: calls that this server does not know */
static void check_unserved(char **args, int nr)
{
	struct ViceStatistics stats;
	afs_int32 version;
	AFSOpaque token = { 0, "" };

	expect("GetStatistics", RXAFS_GetStatistics(client.fs, &stats),
	       (afs_int32)number(args[0]));
	expect("XStatsVersion", RXAFS_XStatsVersion(client.fs, &version),
	       (afs_int32)number(args[0]));
	expect("CheckToken", RXAFS_CheckToken(client.fs, 1, &token),
	       (afs_int32)number(args[0]));
}

/* begin-fetch VID VNODE UNIQUE LENGTH: take the length, but not the data */
static void begin_fetch(char **args, int nr)
{
	struct rx_call *call = rx_NewCall(client.fs);
	AFSFid fid = fid_of(args);
	uint32_t length[2];

	expect("code", StartRXAFS_FetchData64(call, &fid, 0, number(args[3])),
	       0);
	expect("bytes of the length", rx_Read(call, (char *)length, 8), 8);
	expect("length", ntohl(length[1]), number(args[3]));
}

const struct command fs_commands[] = {
	{ "begin-fetch", 4, begin_fetch },
	{ "caps", 0, check_caps },
	{ "time", 0, check_time },
	{ "root-volume", 1, check_root_volume },
	{ "status", 4, check_status },
	{ "volume", 1, check_volume },
	{ "volume-code", 2, check_volume_code },
	{ "acl", 3, check_acl },
	{ "lookup", 5, check_lookup },
	{ "give-up", 3, give_up },
	{ "give-up-none", 0, give_up_none },
	{ "give-up-all", 0, give_up_all },
	{ "unserved", 1, check_unserved },
	{ 0 }
};
