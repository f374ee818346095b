// SPDX-License-Identifier: GPL-2.0
/*
 * Calls to a cell's volume location servers.
 */
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <afsx/rpc.h>
#include "call.h"
#include "cell.h"
#include "net.h"
#include "policy.h"
#include "server.h"
#include "vlclient.h"

/* Seconds until a call to a VL server is given up, and a probe of one. */
#define AFSX_VL_TIMEOUT		30
#define AFSX_VL_PROBE_TIMEOUT	5

/**
 * struct afsx_vl_call - a call that may go to any VL server of a cell
 * @cell: cell
 * @by: on whose behalf
 * @rpc_id: the RPC
 * @args: typed arguments
 * @reply: typed reply; must not hold strings
 */
struct afsx_vl_call {
	struct afsx_cell	*cell;
	struct afsx_caller	by;
	enum afsx_rpc_id	rpc_id;
	const void		*args;
	void			*reply;
};

/* Send to one address. Return: as afsx_exchange(). */
static int afsx_vl_send(const struct afsx_vl_call *call, struct afsx_addr *addr,
			unsigned int timeout, s32 *abort)
{
	struct afsx_net *net = call->cell->net;
	struct afsx_exchange x = {
		.rpc		= afsx_rpc(call->rpc_id),
		.by		= call->by,
		.timeout	= timeout,
		.killable	= true,
		.args		= call->args,
		.reply		= call->reply,
	};
	int ret;

	x.peer = afsx_addr_peer(net, addr);
	if (IS_ERR(x.peer))
		return PTR_ERR(x.peer);
	ret = afsx_exchange(net, &x);
	*abort = x.abort;
	afsx_exchange_release(&x);
	return ret;
}

/*
 * Find out which server answers, before a call with a long timeout is spent on
 * one that does not.
 */
static int afsx_vl_probe(const struct afsx_vl_call *wanted,
			 struct afsx_addrs *addrs)
{
	struct afsx_vl_call call = {
		.cell		= wanted->cell,
		.by.group	= wanted->by.group,
		.rpc_id		= AFSX_VL_GET_CAPABILITIES,
	};
	struct afsx_caps *caps;
	unsigned int i;
	s32 abort;
	int ret = 0;

	caps = kmalloc(sizeof(*caps), GFP_KERNEL);
	if (!caps)
		return -ENOMEM;
	call.reply = caps;
	for (i = 0; i < addrs->nr; i++) {
		ret = afsx_vl_send(&call, &addrs->addr[i], AFSX_VL_PROBE_TIMEOUT,
				   &abort);
		if (afsx_gave_up(ret))
			break;
		/* A refusal is an answer, too. */
		if (ret == -ECONNABORTED)
			ret = 0;
		afsx_addrs_note(addrs, i, ret);
		if (ret == 0)
			break;
	}
	kfree(caps);
	return ret;
}

static bool afsx_vl_needs_probe(const struct afsx_addrs *addrs)
{
	const struct afsx_addr *best = &addrs->addr[READ_ONCE(addrs->best)];

	return !READ_ONCE(best->peer) || READ_ONCE(best->last_error);
}

/* Try the servers in turn, as the policy says. */
static int afsx_vl_rotate(struct afsx_vl_call call, struct afsx_addrs *addrs)
{
	struct afsx_policy_in in = {
		.no_wait	= true,
		.idempotent	= true,
		.refreshes	= 1,
		.servers_left	= addrs->nr,
	};
	unsigned int index = READ_ONCE(addrs->best);
	struct afsx_verdict verdict;

	do {
		in.keyed = call.by.key;
		in.servers_left--;
		in.error = afsx_vl_send(&call, &addrs->addr[index],
					AFSX_VL_TIMEOUT, &in.abort);
		verdict = afsx_policy_judge(&in);
		if (verdict.step == AFSX_STEP_RETRY_ANON) {
			call.by.key = NULL;
			in.servers_left++;
			continue;
		}
		if (in.error == 0)
			afsx_addrs_note(addrs, index, 0);
		else if (verdict.step == AFSX_STEP_NEXT_SERVER)
			afsx_addrs_note(addrs, index, verdict.error);
		index = (index + 1) % addrs->nr;
	} while (verdict.step != AFSX_STEP_DONE);
	return afsx_gave_up(in.error) ? in.error : verdict.error;
}

static int afsx_vl_run(const struct afsx_vl_call *call)
{
	struct afsx_addrs *addrs;
	int ret = 0;

	addrs = afsx_cell_vl_addrs(call->cell);
	if (IS_ERR(addrs))
		return PTR_ERR(addrs);
	if (afsx_vl_needs_probe(addrs))
		ret = afsx_vl_probe(call, addrs);
	if (ret == 0)
		ret = afsx_vl_rotate(*call, addrs);
	afsx_addrs_put(addrs);
	return ret;
}

int afsx_vl_entry(struct afsx_cell *cell, const struct afsx_caller *by,
		  const struct afsx_str *name, u32 vid, struct afsx_vldb *entry)
{
	struct afsx_vl_name_args by_name;
	struct afsx_vl_id_args by_id = { .vid = vid, .type = AFSX_VL_TYPE_ANY };
	struct afsx_vl_call call = {
		.cell	= cell,
		.by	= *by,
		.reply	= entry,
	};
	int ret;

	if (name) {
		by_name.name = *name;
		call.args = &by_name;
	} else {
		call.args = &by_id;
	}
	call.rpc_id = name ? AFSX_VL_GET_ENTRY_BY_NAME_U : AFSX_VL_GET_ENTRY_BY_ID_U;
	ret = afsx_vl_run(&call);
	if (ret == -EOPNOTSUPP) {
		call.rpc_id = name ? AFSX_VL_GET_ENTRY_BY_NAME_N :
				     AFSX_VL_GET_ENTRY_BY_ID_N;
		ret = afsx_vl_run(&call);
	}
	return ret;
}

int afsx_vl_addrs(struct afsx_cell *cell, const struct afsx_caller *by,
		  const struct afsx_uuid *uuid,
		  struct afsx_vl_addrs_reply *reply)
{
	struct afsx_vl_addrs_args args = {
		.mask	= AFSX_VLADDR_UUID,
		.uuid	= *uuid,
	};
	struct afsx_vl_call call = {
		.cell	= cell,
		.by	= *by,
		.rpc_id	= AFSX_VL_GET_ADDRS_U,
		.args	= &args,
		.reply	= reply,
	};

	return afsx_vl_run(&call);
}
