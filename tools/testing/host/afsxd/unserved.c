// SPDX-License-Identifier: MIT
/* The calls of the callback service that a file server never makes. */
#include "client.h"

/* rxgen_consts.h: RXGEN_OPCODE */
#define NOT_SERVED	(-455)

afs_int32 SRXAFSCB_GetLock(struct rx_call *call, afs_int32 index, AFSDBLock *lock)
{
	return NOT_SERVED;
}

afs_int32 SRXAFSCB_GetCE(struct rx_call *call, afs_int32 index, AFSDBCacheEntry *entry)
{
	return NOT_SERVED;
}

afs_int32 SRXAFSCB_GetCE64(struct rx_call *call, afs_int32 index,
			   AFSDBCacheEntry64 *entry)
{
	return NOT_SERVED;
}

afs_int32 SRXAFSCB_XStatsVersion(struct rx_call *call, afs_int32 *version)
{
	return NOT_SERVED;
}

afs_int32 SRXAFSCB_GetXStats(struct rx_call *call, afs_int32 version,
			     afs_int32 collection, afs_int32 *server,
			     afs_int32 *time, AFSCB_CollData *data)
{
	return NOT_SERVED;
}

afs_int32 SRXAFSCB_InitCallBackState2(struct rx_call *call,
				      struct interfaceAddr *addr)
{
	return NOT_SERVED;
}

afs_int32 SRXAFSCB_WhoAreYou(struct rx_call *call, struct interfaceAddr *addr)
{
	return NOT_SERVED;
}

afs_int32 SRXAFSCB_GetServerPrefs(struct rx_call *call, afs_int32 index,
				  afs_int32 *addr, afs_int32 *rank)
{
	return NOT_SERVED;
}

afs_int32 SRXAFSCB_GetCellServDB(struct rx_call *call, afs_int32 index,
				 char **name, serverList *hosts)
{
	return NOT_SERVED;
}

afs_int32 SRXAFSCB_GetLocalCell(struct rx_call *call, char **name)
{
	return NOT_SERVED;
}

afs_int32 SRXAFSCB_GetCacheConfig(struct rx_call *call, afs_uint32 caller,
				  afs_uint32 *server, afs_uint32 *count,
				  cacheConfig *config)
{
	return NOT_SERVED;
}

afs_int32 SRXAFSCB_GetCellByNum(struct rx_call *call, afs_int32 number,
				char **name, serverList *hosts)
{
	return NOT_SERVED;
}
