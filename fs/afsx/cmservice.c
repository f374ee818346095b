// SPDX-License-Identifier: GPL-2.0
/*
 * The callback service: what file servers may ask of a cache manager.
 *
 * rxrpc wants incoming calls preallocated. A call is served by its own work
 * item, which every notification of the transport queues: it gathers the
 * request, acts, replies, and ends when the reply was acknowledged.
 */
#include <linux/inetdevice.h>
#include <linux/net.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <net/af_rxrpc.h>
#include <net/sock.h>
#define RXRPC_TRACE_ONLY_DEFINE_ENUMS
#include <trace/events/rxrpc.h>
#include <afsx/rpc.h>
#include "call.h"
#include "callback.h"
#include "cmservice.h"
#include "net.h"
#include "server.h"

/* Longest request: CallBack with all its FIDs and promises. */
#define AFSX_IN_REQUEST_MAX	(4 + 4 + AFSX_BULK_MAX * 12 + 4 + AFSX_BULK_MAX * 12)

/**
 * struct afsx_in_call - an incoming call
 * @net: namespace
 * @rxcall: the transport's call
 * @work: serves the call
 * @link: in afsx_net.in_calls once there is a caller, else empty
 * @stop: the service ends: abort the call
 * @replied: the reply was sent and waits for its acknowledgment
 * @fill: bytes of @request received
 * @request: the request, opcode first
 */
struct afsx_in_call {
	struct afsx_net		*net;
	struct rxrpc_call	*rxcall;
	struct work_struct	work;
	struct list_head	link;
	bool			stop;
	bool			replied;
	size_t			fill;
	u8			request[AFSX_IN_REQUEST_MAX];
};

/**
 * struct afsx_in_context - what the function behind an RPC works on
 * @net: namespace
 * @peer: who calls
 * @args: typed arguments
 * @reply: typed reply, zeroed
 */
struct afsx_in_context {
	struct afsx_net		*net;
	const struct rxrpc_peer	*peer;
	const void		*args;
	void			*reply;
};

static int afsx_cm_callback(struct afsx_in_context *in)
{
	const struct afsx_cb_callback_args *args = in->args;
	u32 i;

	for (i = 0; i < args->nr; i++)
		afsx_callback_break(in->net, &args->fid[i]);
	return 0;
}

static int afsx_cm_init_state(struct afsx_in_context *in)
{
	afsx_servers_new_epoch(in->net, in->peer, NULL);
	return 0;
}

static int afsx_cm_init_state3(struct afsx_in_context *in)
{
	const struct afsx_cb_uuid_args *args = in->args;

	afsx_servers_new_epoch(in->net, in->peer, &args->uuid);
	return 0;
}

static int afsx_cm_probe(struct afsx_in_context *in)
{
	return 0;
}

/* "Are you still the client that I know by this identity?" */
static int afsx_cm_probe_uuid(struct afsx_in_context *in)
{
	const struct afsx_cb_uuid_args *args = in->args;

	return afsx_uuid_eq(&args->uuid, &in->net->uuid) ? 0 : -ENOENT;
}

static void afsx_cm_add_interface(struct afsx_cb_identity *id,
				  const struct in_ifaddr *ifa, u32 mtu)
{
	if (id->nr == AFSX_IFADDRS_MAX || ipv4_is_loopback(ifa->ifa_local))
		return;
	id->addr[id->nr] = ntohl(ifa->ifa_local);
	id->mask[id->nr] = ntohl(ifa->ifa_mask);
	id->mtu[id->nr] = mtu;
	id->nr++;
}

static int afsx_cm_tell_me_about_yourself(struct afsx_in_context *in)
{
	struct afsx_cb_identity *id = in->reply;
	const struct in_device *idev;
	const struct in_ifaddr *ifa;
	struct net_device *dev;

	id->uuid = in->net->uuid;
	id->caps.nr = 1;
	id->caps.word[0] = AFSX_CB_CAP_ERRORTRANS;

	rcu_read_lock();
	for_each_netdev_rcu(in->net->net, dev) {
		idev = __in_dev_get_rcu(dev);
		if (!idev)
			continue;
		in_dev_for_each_ifa_rcu(ifa, idev)
			afsx_cm_add_interface(id, ifa, READ_ONCE(dev->mtu));
	}
	rcu_read_unlock();
	return 0;
}

/* What each RPC of the service does; without a row it is not supported. */
static int (*const afsx_cm_functions[AFSX_RPC_COUNT])(struct afsx_in_context *) = {
	[AFSX_CB_CALLBACK]		= afsx_cm_callback,
	[AFSX_CB_INIT_STATE]		= afsx_cm_init_state,
	[AFSX_CB_INIT_STATE3]		= afsx_cm_init_state3,
	[AFSX_CB_PROBE]			= afsx_cm_probe,
	[AFSX_CB_PROBE_UUID]		= afsx_cm_probe_uuid,
	[AFSX_CB_TELL_ME_ABOUT_YOURSELF] = afsx_cm_tell_me_about_yourself,
};

static void afsx_in_abort(struct afsx_in_call *call, s32 code, int error,
			  enum rxrpc_abort_reason why)
{
	rxrpc_kernel_abort_call(call->net->socket, call->rxcall, code, error, why);
}

/* Encode and send a reply. Return: 0 or a -errno. */
static int afsx_in_reply(struct afsx_in_call *call, const struct afsx_rpc *rpc,
			 const void *reply)
{
	void *buf;
	int ret;

	buf = kmalloc(rpc->max_reply ?: 1, GFP_NOFS);
	if (!buf)
		return -ENOMEM;
	ret = afsx_rpc_encode_reply(rpc, reply, buf, rpc->max_reply);
	if (ret >= 0) {
		rxrpc_kernel_set_tx_length(call->net->socket, call->rxcall, ret);
		ret = afsx_rx_send(call->net->socket, call->rxcall, buf, ret);
	}
	kfree(buf);
	return ret;
}

/* Act on a decoded request and reply. */
static int afsx_in_act(struct afsx_in_call *call, const struct afsx_rpc *rpc,
		       const void *args, void *reply)
{
	struct afsx_in_context in = {
		.net	= call->net,
		.args	= args,
		.reply	= reply,
	};
	enum afsx_rpc_id id = afsx_rpc_id_of(rpc);
	struct rxrpc_peer *peer;
	int ret;

	atomic_long_inc(&call->net->cb_received[id]);
	peer = rxrpc_kernel_get_call_peer(call->net->socket, call->rxcall);
	in.peer = peer;
	ret = afsx_cm_functions[id](&in);
	afsx_peer_put(peer);
	return ret ?: afsx_in_reply(call, rpc, reply);
}

static int afsx_in_serve(struct afsx_in_call *call, const struct afsx_rpc *rpc)
{
	void *args, *reply;
	int ret = -ENOMEM;

	args = kzalloc(rpc->args_size ?: 1, GFP_NOFS);
	reply = kzalloc(rpc->reply_size ?: 1, GFP_NOFS);
	if (args && reply) {
		ret = afsx_rpc_decode_args(rpc, call->request + 4,
					   call->fill - 4, args);
		ret = ret ?: afsx_in_act(call, rpc, args, reply);
	}
	kfree(args);
	kfree(reply);
	return ret;
}

/* The request is complete. Return: true when a reply is on its way. */
static bool afsx_in_dispatch(struct afsx_in_call *call)
{
	const struct afsx_rpc *rpc;
	int ret;

	if (call->fill < 4) {
		afsx_in_abort(call, AFSX_RXGEN_SS_UNMARSHAL, -EBADMSG,
			      afs_abort_unmarshal_error);
		return false;
	}
	rpc = afsx_rpc_find(AFSX_CB_PORT, get_unaligned_be32(call->request));
	if (!rpc || !afsx_cm_functions[afsx_rpc_id_of(rpc)]) {
		afsx_in_abort(call, AFSX_RXGEN_OPCODE, -EOPNOTSUPP,
			      afs_abort_op_not_supported);
		return false;
	}

	ret = afsx_in_serve(call, rpc);
	switch (ret) {
	case 0:
		return true;
	case -EBADMSG:
		afsx_in_abort(call, AFSX_RXGEN_SS_UNMARSHAL, ret,
			      afs_abort_unmarshal_error);
		return false;
	case -ENOENT:
		/* ProbeUuid's way to say no is an abort with code 1. */
		afsx_in_abort(call, 1, ret, afs_abort_probeuuid_negative);
		return false;
	default:
		afsx_in_abort(call, AFSX_RXGEN_SS_MARSHAL, ret,
			      afs_abort_general_error);
		return false;
	}
}

/* Look at the call. Return: true when more is to come. */
static bool afsx_in_step(struct afsx_in_call *call)
{
	struct socket *socket = call->net->socket;
	u32 abort = 0;
	int ret;

	if (READ_ONCE(call->stop)) {
		afsx_in_abort(call, AFSX_RX_USER_ABORT, -ESHUTDOWN,
			      afs_abort_interrupted);
		return false;
	}
	if (call->replied)
		return rxrpc_kernel_check_life(socket, call->rxcall);

	ret = afsx_rx_collect(socket, call->rxcall, call->request,
			      sizeof(call->request), &call->fill, &abort);
	if (ret == -EAGAIN)
		return true;
	if (ret == -EMSGSIZE)
		afsx_in_abort(call, AFSX_RXGEN_SS_UNMARSHAL, ret,
			      afs_abort_unmarshal_error);
	if (ret < 0)
		return false;
	call->replied = afsx_in_dispatch(call);
	return call->replied && rxrpc_kernel_check_life(socket, call->rxcall);
}

static void afsx_in_free(struct afsx_in_call *call)
{
	struct afsx_net *net = call->net;

	kfree(call);
	if (atomic_dec_and_test(&net->nr_calls))
		wake_up_var(&net->nr_calls);
}

static void afsx_in_work(struct work_struct *work)
{
	struct afsx_in_call *call = container_of(work, struct afsx_in_call, work);
	struct afsx_net *net = call->net;

	if (afsx_in_step(call))
		return;

	spin_lock(&net->in_calls_lock);
	list_del_init(&call->link);
	spin_unlock(&net->in_calls_lock);
	rxrpc_kernel_shutdown_call(net->socket, call->rxcall);
	rxrpc_kernel_put_call(net->socket, call->rxcall);
	/* Nobody can queue the work any more, but somebody may have. */
	cancel_work(&call->work);
	afsx_in_free(call);
}

/* Under a spinlock of the transport. */
static void afsx_in_notify(struct sock *sk, struct rxrpc_call *rxcall,
			   unsigned long user_call_id)
{
	struct afsx_in_call *call = (struct afsx_in_call *)user_call_id;

	queue_work(afsx_wq, &call->work);
}

/* A preallocated call was made; under a spinlock of the transport. */
static void afsx_in_attach(struct rxrpc_call *rxcall, unsigned long user_call_id)
{
	struct afsx_in_call *call = (struct afsx_in_call *)user_call_id;

	call->rxcall = rxcall;
}

/* A preallocated call found a caller; under a spinlock of the transport. */
static void afsx_in_new(struct sock *sk, struct rxrpc_call *rxcall,
			unsigned long user_call_id)
{
	struct afsx_in_call *call = (struct afsx_in_call *)user_call_id;
	struct afsx_net *net = call->net;

	spin_lock(&net->in_calls_lock);
	list_add(&call->link, &net->in_calls);
	spin_unlock(&net->in_calls_lock);
	if (READ_ONCE(net->live))
		queue_work(afsx_wq, &net->charge_work);
}

/* A preallocated call never found a caller; the transport drops its own. */
static void afsx_in_discard(struct rxrpc_call *rxcall, unsigned long user_call_id)
{
	afsx_in_free((struct afsx_in_call *)user_call_id);
}

static const struct rxrpc_kernel_ops afsx_cmservice_ops = {
	.notify_new_call	= afsx_in_new,
	.discard_new_call	= afsx_in_discard,
	.user_attach_call	= afsx_in_attach,
};

void afsx_cmservice_attach(struct afsx_net *net, struct socket *socket)
{
	spin_lock_init(&net->in_calls_lock);
	INIT_LIST_HEAD(&net->in_calls);
	rxrpc_kernel_set_notifications(socket, &afsx_cmservice_ops);
}

static struct afsx_in_call *afsx_in_alloc(struct afsx_net *net)
{
	struct afsx_in_call *call;

	call = kzalloc(sizeof(*call), GFP_KERNEL);
	if (!call)
		return NULL;
	call->net = net;
	INIT_WORK(&call->work, afsx_in_work);
	INIT_LIST_HEAD(&call->link);
	atomic_inc(&net->nr_calls);
	return call;
}

void afsx_cmservice_charge(struct work_struct *work)
{
	struct afsx_net *net = container_of(work, struct afsx_net, charge_work);
	struct afsx_in_call *call = net->spare_in_call;

	while (READ_ONCE(net->live)) {
		call = call ?: afsx_in_alloc(net);
		if (!call)
			break;
		/* Fails when the transport has enough. */
		if (rxrpc_kernel_charge_accept(net->socket, afsx_in_notify,
					       (unsigned long)call, GFP_KERNEL,
					       atomic_inc_return(&rxrpc_debug_id)) < 0)
			break;
		call = NULL;
	}
	net->spare_in_call = call;
}

void afsx_cmservice_stop(struct afsx_net *net, struct socket *socket)
{
	struct afsx_in_call *call;

	cancel_work_sync(&net->charge_work);
	kernel_listen(socket, 0);

	/* No call can arrive any more: end those that are being served. */
	spin_lock(&net->in_calls_lock);
	list_for_each_entry(call, &net->in_calls, link) {
		WRITE_ONCE(call->stop, true);
		queue_work(afsx_wq, &call->work);
	}
	spin_unlock(&net->in_calls_lock);

	cancel_work_sync(&net->charge_work);
	if (net->spare_in_call)
		afsx_in_free(net->spare_in_call);
	net->spare_in_call = NULL;
}
