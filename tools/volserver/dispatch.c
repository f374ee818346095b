// SPDX-License-Identifier: MIT
/*
 * One call, from request bytes to reply bytes.
 */
#include <stdlib.h>

#include "afsxd.h"
#include "arrival.h"
#include "defs.h"
#include "dispatch.h"
#include "host.h"
#include "log.h"
#include "rx_server.h"
#include "stats.h"

static const struct svc *const services[] = { &fs_svc, &vl_svc };

/* What a call needs in memory; one allocation. */
struct frame {
	void *args;
	void *reply;
	u8 *buf;
};

/* Enough for any scalar. */
#define FRAME_ALIGN	16

static const struct svc *find_service(u16 id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(services); i++) {
		if (services[i]->service == id)
			return services[i];
	}
	return NULL;
}

static svc_handler_t find_handler(const struct svc *svc,
				  const struct afsx_rpc *rpc)
{
	enum afsx_rpc_id id = afsx_rpc_id_of(rpc);
	size_t i;

	for (i = 0; i < svc->nr_methods; i++) {
		if (svc->methods[i].id == id)
			return svc->methods[i].handler;
	}
	return NULL;
}

static bool frame_alloc(struct frame *frame, const struct afsx_rpc *rpc)
{
	size_t args = ROUND_UP((size_t)rpc->args_size, FRAME_ALIGN);
	size_t reply = ROUND_UP((size_t)rpc->reply_size, FRAME_ALIGN);
	u8 *mem;

	/* Request and reply take turns in the buffer; one byte shows excess. */
	mem = calloc(1, args + reply + max(rpc->max_args, rpc->max_reply) + 1);
	if (!mem)
		return false;
	frame->args = mem;
	frame->reply = mem + args;
	frame->buf = mem + args + reply;
	return true;
}

static int read_args(struct svc_call *call, struct frame *frame)
{
	bool bulk = call->rpc->flags & AFSX_RPC_BULK_REQUEST;
	size_t most = call->rpc->max_args - sizeof(u32);
	size_t len = rxs_read(call->rx, frame->buf, most + !bulk);

	/* What bulk data follow are of one size. */
	if (len > most)
		return -EBADMSG;
	return afsx_rpc_decode_args(call->rpc, frame->buf, len, frame->args);
}

static s32 send_reply(struct svc_call *call, struct frame *frame)
{
	int len = afsx_rpc_encode_reply(call->rpc, frame->reply, frame->buf,
					call->rpc->max_reply);

	if (len < 0) {
		log_error("reply cannot be encoded",
			  LOG_S("call", call->rpc->name), LOG_I("error", len));
		return AFSX_RXGEN_SS_MARSHAL;
	}
	if (rxs_write(call->rx, frame->buf, len))
		return AFSX_RX_CALL_DEAD;
	return 0;
}

/*
 * Decoded strings point into the buffer the reply is encoded to: handlers copy
 * what the reply shall carry.
 */
static s32 serve(struct svc_call *call, const struct svc *svc,
		 svc_handler_t handler, struct frame *frame)
{
	struct rxs_peer peer = rxs_call_peer(call->rx);
	s32 code;

	if (svc->keeps_clients) {
		code = hosts_enter(call->d->hosts, &peer, &call->host);
		if (code)
			return code;
	}
	code = handler(call, frame->args, frame->reply);
	if (!code)
		code = send_reply(call, frame);
	hosts_leave(call->host);
	return code;
}

static void log_call(struct svc_call *call, s32 code)
{
	struct rxs_peer peer = rxs_call_peer(call->rx);
	char text[PEER_TEXT_MAX];

	log_debug("call", LOG_S("client", peer_text(&peer, text)),
		  LOG_S("call", call->rpc->name), LOG_I("code", code));
}

/*
 * Read and decode the request: which handler it is for, and its arguments. Return: 0 or
 * an abort code; with the frame allocated when @call->rpc is known.
 */
static s32 receive(struct svc_call *call, const struct svc *svc,
		   svc_handler_t *handler, struct frame *frame)
{
	const struct afsx_rpc *rpc;
	u8 word[4];

	if (rxs_read(call->rx, word, sizeof(word)) != sizeof(word))
		return AFSX_RXGEN_SS_UNMARSHAL;
	rpc = afsx_rpc_find(svc->port, get_unaligned_be32(word));
	*handler = rpc ? find_handler(svc, rpc) : NULL;
	if (!*handler)
		return AFSX_RXGEN_OPCODE;
	if (!frame_alloc(frame, rpc))
		return afsx_errno_to_abort(-ENOMEM);
	call->rpc = rpc;
	call->begun = stats_begin(call->d->stats);
	return read_args(call, frame) ? AFSX_RXGEN_SS_UNMARSHAL : 0;
}

/**
 * dispatch() - serve one call: the handler of struct rxs_config
 * @ctx: struct afsxd
 * @rx: the call
 *
 * Return: 0, or the code to abort the call with.
 */
s32 dispatch(void *ctx, struct rxs_call *rx)
{
	const struct svc *svc = find_service(rxs_call_service(rx));
	struct svc_call call = { .d = ctx, .rx = rx };
	struct arrival arrival;
	svc_handler_t handler;
	struct frame frame = { NULL };
	s32 code;

	if (!svc)
		return AFSX_RXGEN_SS_UNMARSHAL;
	code = arrival_begin(call.d->arrivals, rx, &arrival);
	if (code)
		return code;
	code = receive(&call, svc, &handler, &frame);
	arrival_end(call.d->arrivals, &arrival);
	if (!call.rpc)
		return code;
	if (!code)
		code = serve(&call, svc, handler, &frame);
	stats_end(call.d->stats, call.rpc, call.begun, code);
	free(frame.args);
	log_call(&call, code);
	return code;
}
