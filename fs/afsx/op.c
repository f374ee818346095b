// SPDX-License-Identifier: GPL-2.0
/*
 * The operation engine.
 *
 * A round tries the servers that hold the volume, each with its addresses.
 * After every attempt the policy says what comes next.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include <afsx/rpc.h>
#include "cell.h"
#include "net.h"
#include "op.h"
#include "policy.h"
#include "server.h"
#include "volume.h"

/* Seconds until a call is given up, however alive the server seems. */
#define AFSX_OP_TIMEOUT		300

/**
 * struct afsx_round - what one operation has tried
 * @sites: servers of the volume, counted
 * @site: index of the server being tried
 * @sites_tried: bit per server of this round
 * @addrs: its addresses, counted; NULL before the first attempt on it
 * @addr: index of the address being tried
 * @addrs_tried: bit per address
 * @since: jiffies64 of the last attempt
 * @ends: the group's count of ends at the start
 * @in: the situation for the policy
 */
struct afsx_round {
	struct afsx_sites	*sites;
	unsigned int		site;
	u32			sites_tried;
	struct afsx_addrs	*addrs;
	unsigned int		addr;
	u32			addrs_tried;
	u64			since;
	unsigned int		ends;
	struct afsx_policy_in	in;
};

static void afsx_round_drop_server(struct afsx_round *round)
{
	afsx_addrs_put(round->addrs);
	round->addrs = NULL;
	round->addrs_tried = 0;
}

static void afsx_round_end(struct afsx_round *round)
{
	afsx_round_drop_server(round);
	afsx_sites_put(round->sites);
	round->sites = NULL;
}

static void afsx_round_begin(struct afsx_round *round, struct afsx_volume *volume)
{
	afsx_round_end(round);
	round->sites = afsx_volume_sites(volume);
	round->site = READ_ONCE(round->sites->best) % round->sites->nr;
	round->sites_tried = 0;
}

/* First index that has not been tried, after @index. One must be left. */
static unsigned int afsx_next_untried(u32 tried, unsigned int index,
				      unsigned int nr)
{
	do {
		index = (index + 1) % nr;
	} while (tried & BIT(index));
	return index;
}

/* Make the server's addresses known and its best one the next to try. */
static int afsx_round_use_server(struct afsx_round *round,
				 const struct afsx_caller *by)
{
	struct afsx_server *server = round->sites->server[round->site];
	int ret;

	round->sites_tried |= BIT(round->site);
	round->in.servers_left = round->sites->nr - hweight32(round->sites_tried);
	round->in.addrs_left = 0;
	if (round->addrs)
		return 0;

	ret = afsx_server_probe(server, by);
	if (ret < 0)
		return ret;
	round->addrs = afsx_addrs_get(&server->addrs);
	round->addr = READ_ONCE(round->addrs->best) % round->addrs->nr;
	return 0;
}

/* Keep what the promise in the reply must be compared with. */
static void afsx_op_snapshot(struct afsx_op *op, struct afsx_server *server)
{
	if (op->server)
		afsx_server_put(op->server);
	op->server = afsx_server_get(server);
	op->cb_epoch = atomic_read(&server->cb_epoch);
	op->cb_version = atomic_read(&op->volume->cb_version);
	op->cb_breaks = atomic_read(&op->volume->cb_breaks);
}

static int afsx_op_call(struct afsx_op *op, struct afsx_round *round,
			const struct afsx_caller *by)
{
	struct afsx_net *net = op->volume->cell->net;
	struct afsx_addrs *addrs = round->addrs;
	struct rxrpc_peer *peer;
	int ret;

	round->addrs_tried |= BIT(round->addr);
	round->in.addrs_left = addrs->nr - hweight32(round->addrs_tried);
	peer = afsx_addr_peer(net, &addrs->addr[round->addr]);
	if (IS_ERR(peer))
		return PTR_ERR(peer);

	op->x = (struct afsx_exchange) {
		.rpc		= afsx_rpc(op->rpc_id),
		.peer		= peer,
		.by		= *by,
		.timeout	= AFSX_OP_TIMEOUT,
		.killable	= op->killable,
		.args		= op->args,
		.reply		= op->reply,
		.data		= op->data,
	};
	ret = afsx_exchange(net, &op->x);
	round->in.abort = op->x.abort;
	return ret;
}

/* One attempt: the chosen address of the chosen server. */
static void afsx_op_attempt(struct afsx_op *op, struct afsx_round *round,
			    const struct afsx_caller *by)
{
	struct afsx_server *server = round->sites->server[round->site];
	int ret;

	round->since = get_jiffies_64();
	round->in.keyed = by->key;
	ret = afsx_round_use_server(round, by);
	if (ret == 0) {
		afsx_op_snapshot(op, server);
		ret = afsx_op_call(op, round, by);
	}
	if (ret == 0) {
		WRITE_ONCE(server->owes, true);
		WRITE_ONCE(round->sites->best, round->site);
		afsx_addrs_note(round->addrs, round->addr, 0);
	}
	round->in.error = ret;
}

/* The address did not work: the next user of the server finds a better one. */
static void afsx_round_blame(struct afsx_round *round, int error)
{
	struct afsx_server *server = round->sites->server[round->site];

	if (!round->addrs)
		return;
	afsx_addrs_note(round->addrs, round->addr, error);
	WRITE_ONCE(server->probed, false);
}

/* Has umount -f ended what was under way, just before or since it began? */
static bool afsx_op_ended(const struct afsx_round *round,
			  const struct afsx_call_group *group)
{
	return group && (READ_ONCE(group->ends) != round->ends ||
			 afsx_call_group_refuses(group));
}

static int afsx_op_wait(struct afsx_op *op, struct afsx_round *round, u32 ms)
{
	struct afsx_call_group *group = op->by.group;
	long timeout = msecs_to_jiffies(ms);
	long ret;

	round->in.waits++;
	if (!group)
		ret = op->killable ? schedule_timeout_killable(timeout) :
				     schedule_timeout_uninterruptible(timeout);
	else if (op->killable)
		ret = wait_event_killable_timeout(group->waitq,
						  afsx_op_ended(round, group),
						  timeout);
	else
		ret = wait_event_timeout(group->waitq,
					 afsx_op_ended(round, group), timeout);
	if (op->killable && fatal_signal_pending(current))
		return -EINTR;
	return group && ret > 0 ? -EIO : 0;
}

/*
 * Ask the VLDB. Return: true when there is a new list of servers to try; else
 * the same outcome is to be judged again.
 */
static bool afsx_op_refresh(struct afsx_op *op, struct afsx_round *round,
			    const struct afsx_caller *by)
{
	struct afsx_sites *old = round->sites;
	int ret;

	round->in.refreshes++;
	ret = afsx_volume_refresh(op->volume, by, round->since);
	if (afsx_gave_up(ret))
		round->in.error = ret;
	if (ret < 0 || rcu_access_pointer(op->volume->sites) == old)
		return false;
	afsx_round_begin(round, op->volume);
	return true;
}

/*
 * Do what the verdict says. Return: 1 when there is something to attempt, 0
 * when the outcome is to be judged again, -errno to end the operation.
 */
static int afsx_op_follow(struct afsx_op *op, struct afsx_round *round,
			  const struct afsx_verdict *verdict,
			  struct afsx_caller *by)
{
	int ret;

	switch (verdict->step) {
	case AFSX_STEP_NEXT_ADDR:
		round->addr = afsx_next_untried(round->addrs_tried, round->addr,
						round->addrs->nr);
		return 1;
	case AFSX_STEP_NEXT_SERVER:
		afsx_round_drop_server(round);
		round->site = afsx_next_untried(round->sites_tried, round->site,
						round->sites->nr);
		return 1;
	case AFSX_STEP_REFRESH:
		return afsx_op_refresh(op, round, by);
	case AFSX_STEP_WAIT:
		ret = afsx_op_wait(op, round, verdict->wait_ms);
		if (ret < 0)
			return ret;
		afsx_round_begin(round, op->volume);
		return 1;
	case AFSX_STEP_RETRY_ANON:
		by->key = NULL;
		return 1;
	default:
		return verdict->error;
	}
}

int afsx_op_run(struct afsx_op *op)
{
	struct afsx_round round = {
		.in.no_wait	= op->no_wait,
		.in.idempotent	= afsx_rpc(op->rpc_id)->flags & AFSX_RPC_IDEMPOTENT,
		.ends		= op->by.group ? READ_ONCE(op->by.group->ends) : 0,
	};
	struct afsx_caller by = op->by;
	struct afsx_verdict verdict;
	int ret = 1;

	afsx_round_begin(&round, op->volume);
	for (;;) {
		if (afsx_op_ended(&round, by.group)) {
			ret = -EIO;
			break;
		}
		if (ret > 0)
			afsx_op_attempt(op, &round, &by);
		verdict = afsx_policy_judge(&round.in);
		if (verdict.addr_failed)
			afsx_round_blame(&round, verdict.error);
		if (verdict.step == AFSX_STEP_DONE) {
			ret = verdict.error;
			break;
		}
		ret = afsx_op_follow(op, &round, &verdict, &by);
		if (ret < 0)
			break;
	}
	op->abort = round.in.abort;
	op->data_len = op->x.data_len;
	op->issued = op->x.issued;
	afsx_round_end(&round);
	return ret;
}

void afsx_op_release(struct afsx_op *op)
{
	afsx_exchange_release(&op->x);
	if (op->server)
		afsx_server_put(op->server);
	op->server = NULL;
}
