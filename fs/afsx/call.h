/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One remote procedure call over the kernel's rxrpc.
 *
 * call.c is the only file, with cmservice.c for the incoming side, that calls
 * rxrpc_kernel_*().
 */
#ifndef AFSX_CALL_H
#define AFSX_CALL_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct afsx_net;
struct afsx_rpc;
struct iov_iter;
struct key;
struct rxrpc_call;
struct rxrpc_peer;
struct socket;

/**
 * struct afsx_call_group - calls in flight that can be ended together
 * @lock: guards the rest
 * @calls: the calls
 * @ends: how often the group has been ended
 * @refuse_until: jiffies64 until which calls are refused
 * @waitq: operations that wait between two calls sleep here
 *
 * A superblock owns one, for umount -f.
 */
struct afsx_call_group {
	spinlock_t		lock;	/* see above */
	struct list_head	calls;
	unsigned int		ends;
	u64			refuse_until;
	wait_queue_head_t	waitq;
};

/**
 * struct afsx_caller - on whose behalf calls are made
 * @key: security to use, or NULL for none (borrowed)
 * @group: group that may end the calls, or NULL (borrowed)
 */
struct afsx_caller {
	struct key		*key;
	struct afsx_call_group	*group;
};

/**
 * struct afsx_exchange - one request and its reply
 * @rpc: row of the RPC table
 * @peer: whom to call (borrowed)
 * @by: on whose behalf
 * @timeout: seconds until the call is given up whatever happens, 0 for none
 * @killable: give up on a fatal signal
 * @args: the rpc's typed arguments
 * @reply: the rpc's typed reply, filled in on success
 * @data: where the bulk data of a %AFSX_RPC_BULK_REPLY goes, else NULL
 * @data_len: out: bytes of bulk data that the server sent
 * @abort: out: the peer's abort code when the result is -ECONNABORTED
 * @issued: out: when the request was sent (ktime_get_boottime)
 * @buffer: out: holds what strings in @reply point to; free with
 *	afsx_exchange_release()
 */
struct afsx_exchange {
	const struct afsx_rpc	*rpc;
	struct rxrpc_peer	*peer;
	struct afsx_caller	by;
	unsigned int		timeout;
	bool			killable;
	const void		*args;
	void			*reply;
	struct iov_iter		*data;
	u64			data_len;
	s32			abort;
	ktime_t			issued;
	void			*buffer;
};

/**
 * afsx_exchange - make a call and wait for its reply
 * @net: namespace to call from; its socket is opened when need be
 * @x: the request
 *
 * Sleeps. Return: 0; -ECONNABORTED with @x->abort set when the peer refused;
 * -EBADMSG when the reply does not decode; -EINTR for a fatal signal;
 * -ESHUTDOWN when the group was ended; -ENOMEM; or what the transport met
 * (-ETIMEDOUT, -ECONNREFUSED, -ENETUNREACH, ...). @x->data is advanced by
 * @x->data_len on success and untouched otherwise.
 */
int afsx_exchange(struct afsx_net *net, struct afsx_exchange *x);

/**
 * afsx_exchange_release - free what a reply's strings point to
 * @x: an exchange that was run; safe to call twice
 */
void afsx_exchange_release(struct afsx_exchange *x);

void afsx_call_group_init(struct afsx_call_group *group);

/**
 * afsx_call_group_end - end every call in flight in a group
 * @group: the group
 *
 * The calls' operations fail with -EIO, and so do those that begin in the next
 * second: the VFS repeats a failed readahead. Later ones run as usual. Does not
 * sleep.
 */
void afsx_call_group_end(struct afsx_call_group *group);

/**
 * afsx_call_group_refuses - has the group been ended just now?
 * @group: the group, or NULL
 */
bool afsx_call_group_refuses(const struct afsx_call_group *group);

/**
 * afsx_gave_up - was it this side that ended a call?
 * @error: what the call came to
 *
 * Then nothing was learnt of the peer, and no other need be tried.
 */
static inline bool afsx_gave_up(int error)
{
	return error == -EINTR || error == -ENOMEM || error == -ESHUTDOWN;
}

/**
 * afsx_peer_get - find or make the transport's record of an address
 * @net: namespace
 * @ip: IPv4 address, host order
 * @port: UDP port, host order
 *
 * Sleeps. Return: a counted peer (afsx_peer_put()), or ERR_PTR(-ENOMEM or what opening
 * the socket met).
 */
struct rxrpc_peer *afsx_peer_get(struct afsx_net *net, u32 ip, u16 port);

/* Drops the reference; NULL is fine. Not from interrupts. */
void afsx_peer_put(struct rxrpc_peer *peer);

/* IPv4 address, host order; 0 for a peer of another family. */
u32 afsx_peer_ip(const struct rxrpc_peer *peer);

/* Smoothed round trip time in microseconds, 0 when there is none yet. */
u32 afsx_peer_rtt(const struct rxrpc_peer *peer);

/**
 * afsx_rx_collect - gather a message of unknown length as it arrives
 * @socket: the socket
 * @rxcall: an outgoing call whose reply, or an incoming call whose request,
 *	is being received
 * @buf: where to
 * @size: bytes there
 * @fill: in and out: bytes gathered so far
 * @abort: out: the peer's abort code when the result is -ECONNABORTED
 *
 * Return: 1 when the message is complete; -EAGAIN when more must arrive first;
 * -EMSGSIZE when it is longer than @size; or why the call failed.
 */
int afsx_rx_collect(struct socket *socket, struct rxrpc_call *rxcall, void *buf,
		    size_t size, size_t *fill, u32 *abort);

/**
 * afsx_rx_send - send a request or a reply, completely and in one go
 * @socket: the socket
 * @rxcall: the call
 * @buf: the message
 * @len: its length in bytes
 *
 * Return: 0 or why it could not be queued.
 */
int afsx_rx_send(struct socket *socket, struct rxrpc_call *rxcall, void *buf,
		 size_t len);

/**
 * afsx_transport_open - open the namespace's socket unless it is open
 * @net: namespace
 *
 * Port 7001, or any other when that is taken. Sleeps. Return: 0; -ESHUTDOWN
 * when the namespace is going; or what socket and bind met.
 */
int afsx_transport_open(struct afsx_net *net);

/**
 * afsx_transport_close - end the callback service and close the socket
 * @net: namespace; afsx_net.live is made false here at the latest
 *
 * Call it after the servers are gone. Waits for the calls in progress.
 */
void afsx_transport_close(struct afsx_net *net);

#endif /* AFSX_CALL_H */
