/* SPDX-License-Identifier: MIT */
/*
 * Hosts: the clients of the file service, and whether they can be trusted to
 * know what they were promised.
 *
 * A client is known by the address and port its calls come from.  Before its
 * first call is answered, and again after it could not be told of a change, it
 * is asked who it is and told to forget what it holds (InitCallBackState3).  What it
 * is known to have missed it is told before: kafs goes on believing in what it holds
 * of single vnodes.
 */
#ifndef AFSXD_HOST_H
#define AFSXD_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <time.h>

#include <afsx/rpc_types.h>
#include <afsx/types.h>

#include "rx_server.h"

struct address;
struct callbacks;
struct hosts;
struct promise;

TAILQ_HEAD(promise_queue, promise);

/* What fits in one CallBack; of more a client hears by InitCallBackState3 alone. */
#define HOST_MISSED_MAX	AFSX_BULK_MAX

/* "255.255.255.255:65535" and NUL */
#define PEER_TEXT_MAX	22

/**
 * enum host_state - what the server may assume about a client
 * @HOST_NEW: may hold promises of a past that this server does not remember
 * @HOST_SETTLING: a thread is just telling it to forget them
 * @HOST_UP: knows of every change it was promised to hear of
 * @HOST_DOWN: did not answer, and may have missed a change
 */
enum host_state {
	HOST_NEW,
	HOST_SETTLING,
	HOST_UP,
	HOST_DOWN,
};

/**
 * struct host - one client
 * @by_peer: chain of the table's hash
 * @by_age: the table's list, least recently seen first
 * @by_address: the same for those of its address
 * @table: the table it is in
 * @address: what all clients at its address share
 * @peer: where its calls come from and where callbacks go
 * @conn: connection for callbacks
 * @refs: references: the table's and those of calls in progress
 * @state: enum host_state; written under the table's lock
 * @retry_at: monotonic second before which a client that failed to settle is
 *	not tried again
 * @calls: calls of this client being served
 * @identified: @uuid is known
 * @uuid: the client's, from TellMeAboutYourself
 * @promises: promises to this client, oldest first, under the lock of struct
 *	callbacks
 * @nr_promises: their number
 * @broken: promises being broken, while struct callbacks is locked
 * @missed: what it could not be told of, under the table's lock
 * @nr_missed: entries of @missed
 */
struct host {
	LIST_ENTRY(host) by_peer;
	TAILQ_ENTRY(host) by_age;
	TAILQ_ENTRY(host) by_address;
	struct hosts *table;
	struct address *address;
	struct rxs_peer peer;
	struct rxs_conn *conn;
	atomic_uint refs;
	atomic_int state;
	time_t retry_at;
	unsigned int calls;
	bool identified;
	struct afsx_uuid uuid;
	struct promise_queue promises;
	unsigned int nr_promises;
	struct promise *broken;
	struct afsx_fid missed[HOST_MISSED_MAX];
	unsigned int nr_missed;
};

/**
 * struct hosts_config - limits of the host table
 * @uuid: this file server's identity
 * @max: clients remembered; beyond that the one not seen for longest goes, of those
 *	at the new one's address where these are more than half
 * @timeout: seconds a call to a client may take
 * @retry: seconds before a client that does not answer is asked again
 * @max_waiting: calls that may wait for clients to settle; further ones are
 *	told VBUSY, so that such clients cannot take all threads
 * @max_calls: calls of one client served at the same time
 * @max_address_calls: the same of all clients at one address
 * @max_queued: calls that may wait because of these two; further ones are told
 *	VBUSY
 */
struct hosts_config {
	struct afsx_uuid uuid;
	unsigned int max;
	unsigned int timeout;
	unsigned int retry;
	unsigned int max_waiting;
	unsigned int max_calls;
	unsigned int max_address_calls;
	unsigned int max_queued;
};

/**
 * struct hosts_stats - the host table, now and so far
 * @count: clients remembered
 * @up: those of them that take callbacks
 * @waiting: calls that wait for a client to settle, or for its other calls
 * @refused: calls that were told VBUSY
 */
struct hosts_stats {
	u64 count;
	u64 up;
	u64 waiting;
	u64 refused;
};

void hosts_stats(struct hosts *hosts, struct hosts_stats *stats);

struct hosts *hosts_new(const struct hosts_config *config,
			struct callbacks *callbacks);
void hosts_free(struct hosts *hosts);

s32 hosts_enter(struct hosts *hosts, const struct rxs_peer *peer,
		struct host **out);
void hosts_leave(struct host *host);
void host_get(struct host *host);
void host_put(struct host *host);
bool host_is_up(struct host *host);
void host_missed(struct host *host, const struct afsx_fid *fid, unsigned int nr);
void host_unreachable(struct host *host);

const char *peer_text(const struct rxs_peer *peer, char text[PEER_TEXT_MAX]);

#endif /* AFSXD_HOST_H */
