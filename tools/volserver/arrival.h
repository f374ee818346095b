/* SPDX-License-Identifier: MIT */
/*
 * Requests that are still coming in.
 *
 * A request is read by the thread that will serve it, and nearly all are whole
 * when their first packet is there.  One whose rest does not come would keep its
 * thread: so it is ended after a time, and earlier when its client, or all
 * clients together, have too many of them.
 */
#ifndef AFSXD_ARRIVAL_H
#define AFSXD_ARRIVAL_H

#include <sys/queue.h>

#include <afsx/platform.h>

struct arrivals;
struct rxs_call;

/**
 * struct arrivals_config - limits
 * @timeout: seconds until a request must be whole
 * @max_client: requests of one address that may be incomplete; while there are
 *	as many, further ones are told VBUSY
 * @max: incomplete requests of all clients
 */
struct arrivals_config {
	unsigned int timeout;
	unsigned int max_client;
	unsigned int max;
};

/**
 * struct arrival - a request being read; on the stack of its thread
 * @by_age: oldest first
 * @rx: the call
 * @addr: of the client
 * @since: monotonic ms when it began
 * @ended: its call was interrupted
 */
struct arrival {
	TAILQ_ENTRY(arrival) by_age;
	struct rxs_call *rx;
	u32 addr;
	s64 since;
	bool ended;
};

/**
 * arrivals_new() - begin to watch requests
 * @config: limits, copied
 *
 * Return: the handle, or NULL without memory or thread.
 */
struct arrivals *arrivals_new(const struct arrivals_config *config);

/** arrivals_free() - no request may be coming in; @arrivals may be NULL */
void arrivals_free(struct arrivals *arrivals);

/**
 * arrival_begin() - a request is about to be read
 * @arrivals: handle
 * @rx: its call
 * @a: filled in
 *
 * Until arrival_end() the call may be interrupted, so that reading ends early.
 *
 * Return: 0, or the abort code AFSX_VBUSY.
 */
s32 arrival_begin(struct arrivals *arrivals, struct rxs_call *rx,
		  struct arrival *a);

/** arrival_end() - the request is read, or given up */
void arrival_end(struct arrivals *arrivals, struct arrival *a);

#endif /* AFSXD_ARRIVAL_H */
