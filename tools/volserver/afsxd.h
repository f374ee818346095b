/* SPDX-License-Identifier: MIT */
/* What the parts of the daemon share: its store, tables and identity. */
#ifndef AFSXD_H
#define AFSXD_H

#include <stdatomic.h>
#include <stdbool.h>

#include <afsx/types.h>

struct arrivals;
struct callbacks;
struct hosts;
struct locks;
struct stats;
struct store;

/* Addresses of this server that the VL service can tell clients. */
#define AFSXD_ADDRS_MAX	AFSX_VL_ADDRS_MAX

/**
 * struct afsxd - the daemon at work; constant while calls are served, but
 *	for what says otherwise
 * @store: volumes
 * @arrivals: requests that are still coming in
 * @callbacks: promises
 * @locks: advisory locks
 * @stats: counters
 * @hosts: clients
 * @uuid: this server's identity in the VLDB
 * @addrs: its addresses, host byte order
 * @nr_addrs: number of @addrs, at least 1
 * @uniquifier: version of @addrs: a client that sees another one asks again
 * @leftovers: something was removed that the store may still have to free
 */
struct afsxd {
	struct store *store;
	struct arrivals *arrivals;
	struct callbacks *callbacks;
	struct hosts *hosts;
	struct locks *locks;
	struct stats *stats;
	struct afsx_uuid uuid;
	u32 addrs[AFSXD_ADDRS_MAX];
	unsigned int nr_addrs;
	u32 uniquifier;
	atomic_bool leftovers;
};

#endif /* AFSXD_H */
