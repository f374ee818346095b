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

struct afsx_net;
struct afsx_rpc;
struct iov_iter;
struct key;
struct rxrpc_peer;
struct sockaddr_rxrpc;

/**
 * struct afsx_call_group - calls in flight that can be ended together
 * @lock: guards @calls
 * @calls: the calls
 *
 * A superblock owns one, for umount -f.
 */
struct afsx_call_group {
	spinlock_t		lock;
	struct list_head	calls;
};

/**
 * struct afsx_exchange - one request and its reply
 * @rpc: row of the RPC table
 * @peer: whom to call (borrowed)
 * @key: security to use, or NULL for none (borrowed)
 * @group: group that may end this call, or NULL
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
	struct key		*key;
	struct afsx_call_group	*group;
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
 * -ENODEV (internal to the module) -> -EIO when the group was ended; -ENOMEM;
 * or what the transport met (-ETIMEDOUT, -ECONNREFUSED, -ENETUNREACH, ...).
 */
int afsx_exchange(struct afsx_net *net, struct afsx_exchange *x);

/**
 * afsx_exchange_release - free what a reply's strings point to
 * @x: an exchange that was run; safe to call twice
 */
void afsx_exchange_release(struct afsx_exchange *x);

void afsx_call_group_init(struct afsx_call_group *group);

/**
 * afsx_call_group_end - end every call in flight in a group with -EIO
 * @group: the group; later calls run as usual
 */
void afsx_call_group_end(struct afsx_call_group *group);

/**
 * afsx_peer_get - find or make the transport's record of an address
 * @net: namespace
 * @ip: IPv4 address, host order
 * @port: UDP port, host order
 * @service: Rx service id
 *
 * Return: a counted peer (afsx_peer_put()), or ERR_PTR(-ENOMEM or what opening
 * the socket met).
 */
struct rxrpc_peer *afsx_peer_get(struct afsx_net *net, u32 ip, u16 port,
				 u16 service);
void afsx_peer_put(struct rxrpc_peer *peer);

int afsx_transport_open(struct afsx_net *net);
void afsx_transport_close(struct afsx_net *net);

#endif /* AFSX_CALL_H */
