// SPDX-License-Identifier: MIT
/*
 * The callback service of a caller, as rxgen's RXAFSCB_ExecuteRequest() calls it:
 * polite, and without a memory. The calls a file server never makes are in
 * host/afsxd/unserved.c.
 */
#include <string.h>
#include <unistd.h>

#include "bench.h"

afs_int32 SRXAFSCB_CallBack(struct rx_call *call, AFSCBFids *fids, AFSCBs *cbs)
{
	return 0;
}

afs_int32 SRXAFSCB_InitCallBackState(struct rx_call *call)
{
	return 0;
}

afs_int32 SRXAFSCB_InitCallBackState3(struct rx_call *call, afsUUID *uuid)
{
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

/* Each process is a client of its own. */
afs_int32 SRXAFSCB_TellMeAboutYourself(struct rx_call *call,
				       struct interfaceAddr *addr,
				       Capabilities *caps)
{
	memset(addr, 0, sizeof(*addr));
	addr->uuid.time_low = getpid();
	addr->uuid.time_mid = bench.start;
	caps->Capabilities_len = 0;
	caps->Capabilities_val = NULL;
	return 0;
}
