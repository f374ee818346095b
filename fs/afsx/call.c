// SPDX-License-Identifier: GPL-2.0
/*
 * Calls over the kernel's rxrpc: one request, one reply, one waiting task.
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/wait_bit.h>
#include <net/af_rxrpc.h>
#include <net/sock.h>
#define RXRPC_TRACE_ONLY_DEFINE_ENUMS
#include <trace/events/rxrpc.h>
#include <afsx/rpc.h>
#include "call.h"
#include "cmservice.h"
#include "net.h"

/**
 * struct afsx_call - a call in flight; lives on the stack of its caller
 * @socket: the namespace's socket
 * @rxcall: the transport's call
 * @waitq: the caller sleeps here
 * @stirred: something happened to the call since the caller last looked
 * @ended: its group was ended
 * @killable: the caller may be killed
 * @abort: the peer's abort code
 * @link: in the group's list
 */
struct afsx_call {
	struct socket		*socket;
	struct rxrpc_call	*rxcall;
	wait_queue_head_t	waitq;
	bool			stirred;
	bool			ended;
	bool			killable;
	u32			abort;
	struct list_head	link;
};

void afsx_call_group_init(struct afsx_call_group *group)
{
	spin_lock_init(&group->lock);
	INIT_LIST_HEAD(&group->calls);
	init_waitqueue_head(&group->waitq);
	group->ends = 0;
	group->refuse_until = 0;
}

void afsx_call_group_end(struct afsx_call_group *group)
{
	struct afsx_call *call;

	spin_lock(&group->lock);
	WRITE_ONCE(group->ends, group->ends + 1);
	WRITE_ONCE(group->refuse_until, get_jiffies_64() + HZ);
	list_for_each_entry(call, &group->calls, link) {
		WRITE_ONCE(call->ended, true);
		wake_up(&call->waitq);
	}
	spin_unlock(&group->lock);
	wake_up_all(&group->waitq);
}

bool afsx_call_group_refuses(const struct afsx_call_group *group)
{
	return group && time_before64(get_jiffies_64(),
				      READ_ONCE(group->refuse_until));
}

/* Return: false when the group takes no calls just now. */
static bool afsx_call_join(struct afsx_call *call, struct afsx_call_group *group)
{
	bool refused;

	if (!group)
		return true;
	spin_lock(&group->lock);
	refused = afsx_call_group_refuses(group);
	if (!refused)
		list_add(&call->link, &group->calls);
	spin_unlock(&group->lock);
	return !refused;
}

static void afsx_call_leave(struct afsx_call *call, struct afsx_call_group *group)
{
	if (!group)
		return;
	spin_lock(&group->lock);
	list_del(&call->link);
	spin_unlock(&group->lock);
}

/*
 * The transport calls this under a lock of its own that
 * rxrpc_kernel_shutdown_call() takes, too: the call outlives it.
 */
static void afsx_call_notify(struct sock *sk, struct rxrpc_call *rxcall,
			     unsigned long user_call_id)
{
	struct afsx_call *call = (struct afsx_call *)user_call_id;

	WRITE_ONCE(call->stirred, true);
	wake_up(&call->waitq);
}

static bool afsx_call_must_look(const struct afsx_call *call)
{
	return READ_ONCE(call->stirred) || READ_ONCE(call->ended);
}

/* Sleep until there is a reason to look at the call again. */
static int afsx_call_wait(struct afsx_call *call)
{
	if (!call->killable)
		wait_event(call->waitq, afsx_call_must_look(call));
	else if (wait_event_killable(call->waitq, afsx_call_must_look(call)))
		return -EINTR;
	return READ_ONCE(call->ended) ? -ESHUTDOWN : 0;
}

/*
 * Receive exactly as many bytes as @iter holds; more of the reply must follow.
 */
static int afsx_call_recv(struct afsx_call *call, struct iov_iter *iter)
{
	int ret;

	do {
		size_t left = iov_iter_count(iter);

		/* Looking clears the flag; what comes later sets it again. */
		smp_store_mb(call->stirred, false);
		ret = rxrpc_kernel_recv_data(call->socket, call->rxcall, iter,
					     &left, true, &call->abort, NULL);
		if (ret == 0 || (ret == -EAGAIN && left == 0))
			return 0;
		if (ret > 0)
			return -EBADMSG;
		if (ret == -EAGAIN)
			ret = afsx_call_wait(call);
	} while (ret == 0);
	return ret;
}

int afsx_rx_collect(struct socket *socket, struct rxrpc_call *rxcall, void *buf,
		    size_t size, size_t *fill, u32 *abort)
{
	struct kvec kv = { .iov_base = buf + *fill, .iov_len = size - *fill };
	size_t left = kv.iov_len;
	struct iov_iter iter;
	int ret;

	iov_iter_kvec(&iter, ITER_DEST, &kv, 1, left);
	ret = rxrpc_kernel_recv_data(socket, rxcall, &iter, &left, false, abort,
				     NULL);
	*fill = size - left;
	if (ret == -EBADMSG) {
		/*
		 * That is how a message shorter than the buffer is reported,
		 * but also a failed call: look whether the end was reached.
		 */
		left = 0;
		iov_iter_kvec(&iter, ITER_DEST, &kv, 1, 0);
		ret = rxrpc_kernel_recv_data(socket, rxcall, &iter, &left,
					     false, abort, NULL);
	}
	return ret > 0 ? 1 : ret ?: -EMSGSIZE;
}

/* Receive the rest of the reply, whose length only its end tells. */
static int afsx_call_recv_rest(struct afsx_call *call, void *buf, size_t size,
			       size_t *fill)
{
	int ret;

	do {
		/* As above. */
		smp_store_mb(call->stirred, false);
		ret = afsx_rx_collect(call->socket, call->rxcall, buf, size,
				      fill, &call->abort);
		if (ret == -EMSGSIZE)
			return -EBADMSG;
		if (ret == -EAGAIN)
			ret = afsx_call_wait(call);
	} while (ret == 0);
	return ret < 0 ? ret : 0;
}

/* Receive bulk data and the length before them. */
static int afsx_call_recv_bulk(struct afsx_call *call, struct afsx_exchange *x)
{
	size_t space = x->data ? iov_iter_count(x->data) : 0;
	size_t width = x->rpc->flags & AFSX_RPC_LEN64 ? 8 : 4;
	__be32 word[2] = { 0 };
	struct kvec kv = { .iov_base = word, .iov_len = width };
	struct iov_iter iter;
	u64 len;
	int ret;

	iov_iter_kvec(&iter, ITER_DEST, &kv, 1, width);
	ret = afsx_call_recv(call, &iter);
	if (ret < 0)
		return ret;
	len = width == 8 ? (u64)be32_to_cpu(word[0]) << 32 | be32_to_cpu(word[1]) :
			   be32_to_cpu(word[0]);
	if (len > space)
		return -EBADMSG;
	x->data_len = len;
	if (len == 0)
		return 0;

	iter = *x->data;
	iov_iter_truncate(&iter, len);
	return afsx_call_recv(call, &iter);
}

int afsx_rx_send(struct socket *socket, struct rxrpc_call *rxcall, void *buf,
		 size_t len)
{
	struct kvec kv = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = { .msg_flags = MSG_WAITALL };
	int ret;

	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &kv, 1, len);
	ret = rxrpc_kernel_send_data(socket, rxcall, &msg, len, NULL);
	return ret < 0 ? ret : 0;
}

/*
 * The transport may sleep for a free connection, and knows no killable sleep:
 * let it sleep interruptibly, and block every signal that would not kill.
 */
static void afsx_block_signals(sigset_t *saved)
{
	static const u8 deadly[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP };
	const struct k_sigaction *action;
	sigset_t blocked;
	size_t i;

	/* Only the task itself replaces its handlers' table. */
	action = rcu_dereference_protected(current->sighand, true)->action;
	siginitsetinv(&blocked, sigmask(SIGKILL));
	for (i = 0; i < ARRAY_SIZE(deadly); i++)
		if (READ_ONCE(action[deadly[i] - 1].sa.sa_handler) == SIG_DFL)
			sigdelset(&blocked, deadly[i]);
	sigprocmask(SIG_BLOCK, &blocked, saved);
}

/*
 * A stop, a tracer, the freezer and task work end that sleep, too, and are no
 * reason to fail. Return: whether to go back to it, which is possible at once
 * when what it waits for has come, and else after a sleep that they do not end.
 */
static bool afsx_call_persists(const struct afsx_call *call, int error)
{
	if (error != -ERESTARTSYS || READ_ONCE(call->ended))
		return false;
	schedule_timeout_killable(1);
	return !fatal_signal_pending(current);
}

static int afsx_call_begin(struct afsx_call *call, struct afsx_exchange *x,
			   size_t len)
{
	struct rxrpc_call *rxcall;

	rxcall = rxrpc_kernel_begin_call(call->socket, x->peer, x->by.key,
					 (unsigned long)call, len, x->timeout,
					 GFP_NOFS, afsx_call_notify,
					 x->rpc->service, false, call->killable ?
					 RXRPC_PREINTERRUPTIBLE :
					 RXRPC_UNINTERRUPTIBLE,
					 atomic_inc_return(&rxrpc_debug_id));
	if (IS_ERR(rxcall))
		return PTR_ERR(rxcall);
	call->rxcall = rxcall;
	return 0;
}

/* Begin the call and send the request. */
static int afsx_call_start(struct afsx_call *call, struct afsx_exchange *x,
			   void *request, size_t len)
{
	sigset_t saved;
	int ret;

	if (call->killable)
		afsx_block_signals(&saved);
	x->issued = ktime_get_boottime();
	do {
		ret = call->rxcall ? 0 : afsx_call_begin(call, x, len);
		if (ret == 0)
			ret = afsx_rx_send(call->socket, call->rxcall, request, len);
	} while (afsx_call_persists(call, ret));
	if (call->killable)
		sigprocmask(SIG_SETMASK, &saved, NULL);
	if (ret == -ERESTARTSYS)
		ret = READ_ONCE(call->ended) ? -ESHUTDOWN : -EINTR;
	return ret;
}

/* The abort code that tells the server why its reply is not wanted. */
static void afsx_call_abort(struct afsx_call *call, int error)
{
	if (error == -EBADMSG)
		rxrpc_kernel_abort_call(call->socket, call->rxcall,
					AFSX_RXGEN_CC_UNMARSHAL, error,
					afs_abort_unmarshal_error);
	else
		rxrpc_kernel_abort_call(call->socket, call->rxcall,
					AFSX_RX_USER_ABORT, error,
					afs_abort_interrupted);
}

static int afsx_call_converse(struct afsx_call *call, struct afsx_exchange *x,
			      void *request, size_t len, void *buf)
{
	size_t fill = 0;
	int ret;

	ret = afsx_call_start(call, x, request, len);
	/* Whoever asks for the reply is told the abort code. */
	if (ret < 0 && ret != -ECONNABORTED)
		return ret;
	if (x->rpc->flags & AFSX_RPC_BULK_REPLY) {
		ret = afsx_call_recv_bulk(call, x);
		if (ret < 0)
			return ret;
	}
	ret = afsx_call_recv_rest(call, buf, x->rpc->max_reply, &fill);
	if (ret < 0)
		return ret;
	return afsx_rpc_decode_reply(x->rpc, buf, fill, x->reply);
}

static int afsx_call_run(struct afsx_net *net, struct afsx_exchange *x,
			 void *request, size_t len)
{
	struct afsx_call call = {
		.socket		= net->socket,
		.stirred	= true,
		.killable	= x->killable,
	};
	int ret;

	init_waitqueue_head(&call.waitq);
	if (!afsx_call_join(&call, x->by.group))
		return -ESHUTDOWN;
	ret = afsx_call_converse(&call, x, request, len, x->buffer);
	afsx_call_leave(&call, x->by.group);
	if (call.rxcall) {
		if (ret < 0)
			afsx_call_abort(&call, ret);
		rxrpc_kernel_shutdown_call(call.socket, call.rxcall);
		rxrpc_kernel_put_call(call.socket, call.rxcall);
	}
	x->abort = call.abort;
	return ret;
}

static void afsx_exchange_count(struct afsx_net *net,
				const struct afsx_exchange *x, int ret)
{
	enum afsx_rpc_id id = afsx_rpc_id_of(x->rpc);

	atomic_long_inc(&net->rpc_sent[id]);
	if (ret < 0)
		atomic_long_inc(&net->rpc_failed[id]);
	atomic64_add(x->data_len, &net->bytes_fetched);
}

int afsx_exchange(struct afsx_net *net, struct afsx_exchange *x)
{
	void *request;
	int ret;

	x->data_len = 0;
	x->abort = 0;
	x->buffer = NULL;

	request = kmalloc(x->rpc->max_args, GFP_NOFS);
	x->buffer = kvmalloc(x->rpc->max_reply ?: 1, GFP_NOFS);
	ret = -ENOMEM;
	if (!request || !x->buffer)
		goto out;

	ret = afsx_rpc_encode_args(x->rpc, x->args, request, x->rpc->max_args);
	if (ret < 0)
		goto out;

	atomic_inc(&net->nr_calls);
	ret = afsx_call_run(net, x, request, ret);
	if (atomic_dec_and_test(&net->nr_calls))
		wake_up_var(&net->nr_calls);

	if (ret < 0)
		x->data_len = 0;
	else if (x->data_len)
		iov_iter_advance(x->data, x->data_len);
	afsx_exchange_count(net, x, ret);
out:
	kfree(request);
	if (ret < 0)
		afsx_exchange_release(x);
	return ret;
}

void afsx_exchange_release(struct afsx_exchange *x)
{
	kvfree(x->buffer);
	x->buffer = NULL;
}

struct rxrpc_peer *afsx_peer_get(struct afsx_net *net, u32 ip, u16 port)
{
	struct sockaddr_rxrpc srx = {
		.srx_family			= AF_RXRPC,
		.transport_type			= SOCK_DGRAM,
		.transport_len			= sizeof(srx.transport.sin),
		.transport.sin.sin_family	= AF_INET,
		.transport.sin.sin_port		= htons(port),
		.transport.sin.sin_addr.s_addr	= htonl(ip),
	};
	int ret;

	ret = afsx_transport_open(net);
	if (ret < 0)
		return ERR_PTR(ret);
	return rxrpc_kernel_lookup_peer(net->socket, &srx, GFP_KERNEL);
}

void afsx_peer_put(struct rxrpc_peer *peer)
{
	if (peer)
		rxrpc_kernel_put_peer(peer);
}

u32 afsx_peer_ip(const struct rxrpc_peer *peer)
{
	const struct sockaddr *addr = rxrpc_kernel_remote_addr(peer);

	return addr->sa_family == AF_INET ?
	       ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr) : 0;
}

u32 afsx_peer_rtt(const struct rxrpc_peer *peer)
{
	u32 rtt = rxrpc_kernel_get_srtt(peer);

	return rtt == UINT_MAX ? 0 : rtt;
}

static int afsx_socket_bind(struct socket *socket, int family, u16 port)
{
	struct sockaddr_rxrpc srx = {
		.srx_family	= AF_RXRPC,
		.srx_service	= AFSX_SVC_CB,
		.transport_type	= SOCK_DGRAM,
	};

	if (family == AF_INET6) {
		srx.transport_len = sizeof(srx.transport.sin6);
		srx.transport.sin6.sin6_family = AF_INET6;
		srx.transport.sin6.sin6_port = htons(port);
	} else {
		srx.transport_len = sizeof(srx.transport.sin);
		srx.transport.sin.sin_family = AF_INET;
		srx.transport.sin.sin_port = htons(port);
	}
	return kernel_bind(socket, (struct sockaddr *)&srx, sizeof(srx));
}

/* Make and bind a socket of one address family. */
static int afsx_socket_make(struct afsx_net *net, int family,
			    struct socket **_socket)
{
	struct socket *socket;
	int ret;

	ret = sock_create_kern(net->net, AF_RXRPC, SOCK_DGRAM,
			       family == AF_INET6 ? PF_INET6 : PF_INET, &socket);
	if (ret < 0)
		return ret;
	socket->sk->sk_allocation = GFP_NOFS;
	ret = rxrpc_sock_set_min_security_level(socket->sk,
						RXRPC_SECURITY_ENCRYPT);
	if (ret == 0)
		ret = afsx_socket_bind(socket, family, AFSX_CB_PORT);
	if (ret == -EADDRINUSE)
		ret = afsx_socket_bind(socket, family, 0);
	if (ret < 0) {
		sock_release(socket);
		return ret;
	}
	*_socket = socket;
	return 0;
}

static int afsx_socket_open(struct afsx_net *net)
{
	struct socket *socket;
	int ret;

	/* A socket for both families; a kernel may have only IPv4. */
	ret = afsx_socket_make(net, AF_INET6, &socket);
	if (ret < 0)
		ret = afsx_socket_make(net, AF_INET, &socket);
	if (ret < 0)
		return ret;

	afsx_cmservice_attach(net, socket);
	ret = kernel_listen(socket, INT_MAX);
	if (ret < 0) {
		sock_release(socket);
		return ret;
	}
	/* Pairs with the acquire in afsx_transport_open(). */
	smp_store_release(&net->socket, socket);
	queue_work(afsx_wq, &net->charge_work);
	return 0;
}

int afsx_transport_open(struct afsx_net *net)
{
	int ret = 0;

	/* Pairs with the release in afsx_socket_open(). */
	if (smp_load_acquire(&net->socket))
		return 0;

	mutex_lock(&net->socket_lock);
	if (!net->live)
		ret = -ESHUTDOWN;
	else if (!net->socket)
		ret = afsx_socket_open(net);
	mutex_unlock(&net->socket_lock);
	return ret;
}

void afsx_transport_close(struct afsx_net *net)
{
	struct socket *socket;

	mutex_lock(&net->socket_lock);
	WRITE_ONCE(net->live, false);
	socket = net->socket;
	mutex_unlock(&net->socket_lock);
	if (!socket)
		return;

	afsx_cmservice_stop(net, socket);
	wait_var_event(&net->nr_calls, !atomic_read(&net->nr_calls));
	kernel_sock_shutdown(socket, SHUT_RDWR);
	sock_release(socket);
	net->socket = NULL;
}
