// SPDX-License-Identifier: MIT
/*
 * The callback service: records what the server says, for the commands that
 * wait for it.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "defs.h"

/* Seconds an awaited event may take. */
#define AWAIT_SECONDS	30

#define EVENTS_MAX	100000

struct record {
	enum event kind;
	AFSFid fid;
};

static struct record records[EVENTS_MAX];
static size_t nr_records;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;

static const char *const kinds[] = {
	[EVENT_CALLBACK] = "callback",
	[EVENT_INIT] = "init",
	[EVENT_INIT3] = "init3",
	[EVENT_ASKED] = "asked",
};

/** event_add() - record what the server said; @fid may be NULL */
void event_add(enum event kind, const AFSFid *fid)
{
	pthread_mutex_lock(&lock);
	if (nr_records < EVENTS_MAX) {
		records[nr_records].kind = kind;
		records[nr_records].fid = fid ? *fid : (AFSFid){ 0 };
		nr_records++;
	}
	pthread_cond_broadcast(&news);
	pthread_mutex_unlock(&lock);
}

/* Take the first event of a kind (and FID) off the record. */
static bool take(enum event kind, const AFSFid *fid)
{
	size_t i;

	for (i = 0; i < nr_records; i++) {
		if (records[i].kind != kind ||
		    (fid && memcmp(&records[i].fid, fid, sizeof(*fid))))
			continue;
		nr_records--;
		memmove(&records[i], &records[i + 1],
			(nr_records - i) * sizeof(records[0]));
		return true;
	}
	return false;
}

static void await(enum event kind, const AFSFid *fid)
{
	struct timespec until;
	bool taken;
	int late = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += AWAIT_SECONDS;
	pthread_mutex_lock(&lock);
	while (!(taken = take(kind, fid)) && !late)
		late = pthread_cond_timedwait(&news, &lock, &until);
	pthread_mutex_unlock(&lock);
	if (!taken)
		fail("no %s came", kinds[kind]);
}

static void await_callback(char **args, int nr)
{
	AFSFid fid = fid_of(args);

	await(EVENT_CALLBACK, &fid);
}

static void await_kind(char **args, int nr)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(args[0], kinds[i]))
			return await(i, NULL);
	}
	fail("no event '%s'", args[0]);
}

/* Nothing unexpected may have come. */
static void quiet(char **args, int nr)
{
	size_t i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < nr_records; i++)
		fail("unexpected %s %u.%u.%u", kinds[records[i].kind],
		     records[i].fid.Volume, records[i].fid.Vnode,
		     records[i].fid.Unique);
	nr_records = 0;
	pthread_mutex_unlock(&lock);
}

/* How many there were of a kind; forgets them. */
static void count(char **args, int nr)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(args[0], kinds[i]))
			continue;
		pthread_mutex_lock(&lock);
		while (take(i, NULL))
			n++;
		pthread_mutex_unlock(&lock);
	}
	answer("%u", n);
}

const struct command event_commands[] = {
	{ "await-callback", 3, await_callback },
	{ "await", 1, await_kind },
	{ "quiet", 0, quiet },
	{ "count", 1, count },
	{ 0 }
};

/* The service, as rxgen's RXAFSCB_ExecuteRequest() calls it. */

afs_int32 SRXAFSCB_CallBack(struct rx_call *call, AFSCBFids *fids, AFSCBs *cbs)
{
	AFSFid whole = { 0 };
	u_int i;

	/* kafs refuses a call that has entries here. */
	if (cbs->AFSCBs_len)
		event_add(EVENT_CALLBACK, &whole);
	for (i = 0; i < fids->AFSCBFids_len; i++)
		event_add(EVENT_CALLBACK, &fids->AFSCBFids_val[i]);
	return 0;
}

afs_int32 SRXAFSCB_InitCallBackState(struct rx_call *call)
{
	event_add(EVENT_INIT, NULL);
	return 0;
}

afs_int32 SRXAFSCB_InitCallBackState3(struct rx_call *call, afsUUID *uuid)
{
	event_add(EVENT_INIT3, NULL);
	return 0;
}

afs_int32 SRXAFSCB_TellMeAboutYourself(struct rx_call *call,
				       struct interfaceAddr *addr,
				       Capabilities *caps)
{
	event_add(EVENT_ASKED, NULL);
	memset(addr, 0, sizeof(*addr));
	addr->uuid = client.uuid;
	caps->Capabilities_len = 0;
	caps->Capabilities_val = NULL;
	return 0;
}

afs_int32 SRXAFSCB_Probe(struct rx_call *call)
{
	return 0;
}

afs_int32 SRXAFSCB_ProbeUuid(struct rx_call *call, afsUUID *uuid)
{
	return 0;
}
