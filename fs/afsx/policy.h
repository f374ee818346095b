/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What to do with the outcome of a file server call: a pure table, no kernel
 * types, tested over all its rows.
 */
#ifndef AFSX_POLICY_H
#define AFSX_POLICY_H

#include <afsx/platform.h>

/**
 * enum afsx_step - what the operation engine does next
 * @AFSX_STEP_DONE: finish with the error given (0 is success)
 * @AFSX_STEP_NEXT_ADDR: try another address of this server
 * @AFSX_STEP_NEXT_SERVER: try another server that holds the volume
 * @AFSX_STEP_REFRESH: ask the VLDB anew; start over when the list of servers
 *	changed, otherwise judge the same outcome again, now with one refresh
 *	more: an unchanged list leads to a wait, never straight to a failure
 * @AFSX_STEP_WAIT: sleep (killable), then start over
 * @AFSX_STEP_RETRY_ANON: send again at once without the key, which is of no
 *	use any more
 */
enum afsx_step {
	AFSX_STEP_DONE,
	AFSX_STEP_NEXT_ADDR,
	AFSX_STEP_NEXT_SERVER,
	AFSX_STEP_REFRESH,
	AFSX_STEP_WAIT,
	AFSX_STEP_RETRY_ANON,
};

/**
 * struct afsx_policy_in - everything a judgement depends on
 * @error: result of the exchange, 0 or -errno
 * @abort: abort code when @error is -ECONNABORTED
 * @addrs_left: addresses of this server not tried yet in this round
 * @servers_left: servers that hold the volume not tried yet in this round
 * @waits: how often this operation has waited already
 * @refreshes: how often it has asked the VLDB already
 * @no_wait: the caller does not want to wait (statfs)
 * @idempotent: sending twice does no harm
 * @keyed: the call was made with a key
 */
struct afsx_policy_in {
	int	error;
	s32	abort;
	u32	addrs_left;
	u32	servers_left;
	u32	waits;
	u32	refreshes;
	bool	no_wait;
	bool	idempotent;
	bool	keyed;
};

/**
 * struct afsx_verdict - the judgement
 * @step: what to do
 * @error: result should the operation end here
 * @wait_ms: how long to wait for %AFSX_STEP_WAIT
 * @addr_failed: the address did not get us an answer: prefer another one
 */
struct afsx_verdict {
	enum afsx_step	step;
	int		error;
	u32		wait_ms;
	bool		addr_failed;
};

/**
 * afsx_policy_judge - look up the outcome of a call
 * @in: the situation
 *
 * Serves calls to file servers and to VL servers. A caller that repeats what
 * it says comes to %AFSX_STEP_DONE after a bounded number of steps, whatever
 * the peers do.
 *
 * Return: the verdict.
 */
struct afsx_verdict afsx_policy_judge(const struct afsx_policy_in *in);

#endif /* AFSX_POLICY_H */
