/* SPDX-License-Identifier: MIT */
/*
 * From an Rx call to a handler and back: the request is read and decoded by
 * its row of the RPC table, handed to the service's handler, and the reply
 * encoded and sent.
 */
#ifndef AFSXD_DISPATCH_H
#define AFSXD_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>

#include <afsx/rpc.h>

#include "store.h"

struct afsxd;
struct host;
struct rxs_call;

/**
 * struct svc_call - one call being served
 * @d: the daemon
 * @rx: the call, for handlers that send bulk data
 * @rpc: row of the RPC table
 * @begun: when, for stats_end()
 * @host: the client; NULL in a service that does not keep clients
 * @vol: handlers: the volume the call is about
 * @text: handlers: strings of the reply
 */
struct svc_call {
	struct afsxd *d;
	struct rxs_call *rx;
	const struct afsx_rpc *rpc;
	u64 begun;
	struct host *host;
	struct store_vol vol;
	char text[STORE_ACL_MAX];
};

/**
 * typedef svc_handler_t - serves one RPC
 *
 * @call: the call
 * @args: decoded arguments of the row; their strings do not outlive the handler
 * @reply: decoded reply of the row, zeroed; its strings live in @call
 *
 * Return: 0 to send the reply, or an abort code.
 */
typedef s32 (*svc_handler_t)(struct svc_call *call, const void *args,
			     void *reply);

/**
 * struct svc_method - an RPC that is served
 * @id: row of the RPC table
 * @handler: serves it
 */
struct svc_method {
	enum afsx_rpc_id id;
	svc_handler_t handler;
};

/**
 * struct svc - a service
 * @service: Rx service id
 * @port: the port that names it in the RPC table, whatever it listens on
 * @keeps_clients: its clients are kept as hosts and get callbacks
 * @methods: what it serves
 * @nr_methods: number of @methods
 */
struct svc {
	u16 service;
	u16 port;
	bool keeps_clients;
	const struct svc_method *methods;
	size_t nr_methods;
};

extern const struct svc fs_svc;
extern const struct svc vl_svc;

s32 dispatch(void *ctx, struct rxs_call *rx);

#endif /* AFSXD_DISPATCH_H */
