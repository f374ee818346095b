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
 * @AFSX_STEP_NEXT_ADDR: try another address of this server, then
 *	@AFSX_STEP_NEXT_SERVER
 * @AFSX_STEP_NEXT_SERVER: try another server that holds the volume
 * @AFSX_STEP_REFRESH: ask the VLDB anew, then start over; once without a
 *	change of the server list is followed by a wait, not by a failure
 * @AFSX_STEP_WAIT: sleep (killable), then try the same server again
 * @AFSX_STEP_RETRY: send again at once
 */
enum afsx_step {
	AFSX_STEP_DONE,
	AFSX_STEP_NEXT_ADDR,
	AFSX_STEP_NEXT_SERVER,
	AFSX_STEP_REFRESH,
	AFSX_STEP_WAIT,
	AFSX_STEP_RETRY,
};

/**
 * struct afsx_policy_in - everything a judgement depends on
 * @error: result of the exchange, 0 or -errno
 * @abort: abort code when @error is -ECONNABORTED
 * @sites: number of servers that hold the volume
 * @waits: how often this operation has waited already
 * @refreshes: how often it has asked the VLDB already
 * @no_wait: the caller does not want to wait (statfs)
 * @idempotent: sending twice does no harm
 */
struct afsx_policy_in {
	int	error;
	s32	abort;
	u32	sites;
	u32	waits;
	u32	refreshes;
	bool	no_wait;
	bool	idempotent;
};

/**
 * struct afsx_verdict - the judgement
 * @step: what to do
 * @error: result should the operation end here (also when no server is left)
 * @wait_ms: how long to wait for %AFSX_STEP_WAIT
 */
struct afsx_verdict {
	enum afsx_step	step;
	int		error;
	u32		wait_ms;
};

/**
 * afsx_policy_judge - look up the outcome of a call
 * @in: the situation
 */
struct afsx_verdict afsx_policy_judge(const struct afsx_policy_in *in);

#endif /* AFSX_POLICY_H */
