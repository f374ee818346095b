// SPDX-License-Identifier: GPL-2.0
/*
 * The failover policy, as two tables: outcomes are sorted into classes, and a
 * class says what may be tried.
 */
#include <afsx/abort.h>
#include "policy.h"

#define AFSX_WAIT_CAP_MS	8000

/* ubik's com_err table: the VL database is electing or synchronising */
#define AFSX_UBIK_FIRST		5376
#define AFSX_UBIK_LAST		5407

#define AFSX_UAE_IO		(AFSX_UAE_BASE + 4)

/**
 * enum afsx_outcome - classes of outcomes
 * @OUT_FINAL: nothing else would help
 * @OUT_UNREACHED: the request did not get to the server
 * @OUT_LOST: it may have, but no reply came
 * @OUT_SITE: this server cannot; another may
 * @OUT_BUSY: this server will be able to, soon
 * @OUT_OFFLINE: the volume is off line here, perhaps for a moment
 * @OUT_MOVED: the volume is not here (any more)
 * @OUT_KEY: the key is of no use any more
 */
enum afsx_outcome {
	OUT_FINAL,
	OUT_UNREACHED,
	OUT_LOST,
	OUT_SITE,
	OUT_BUSY,
	OUT_OFFLINE,
	OUT_MOVED,
	OUT_KEY,
};

/**
 * struct afsx_rule - what may be tried, in this order
 * @only_idempotent: nothing, when the call may not be made twice
 * @anon: the same call without the key
 * @addr: another address of the server; this one gave no answer
 * @server: another server
 * @refresh: the VLDB, once before each wait
 * @waits: how many waits, doubling from @wait_ms
 * @wait_ms: the first wait
 */
struct afsx_rule {
	bool	only_idempotent;
	bool	anon;
	bool	addr;
	bool	server;
	bool	refresh;
	u8	waits;
	u16	wait_ms;
};

static const struct afsx_rule afsx_rules[] = {
	[OUT_FINAL]	= { 0 },
	[OUT_UNREACHED]	= { .addr = true, .server = true, .refresh = true,
			    .waits = 2, .wait_ms = 500 },
	[OUT_LOST]	= { .only_idempotent = true, .addr = true,
			    .server = true, .refresh = true,
			    .waits = 1, .wait_ms = 500 },
	[OUT_SITE]	= { .server = true },
	[OUT_BUSY]	= { .server = true, .waits = 10, .wait_ms = 250 },
	[OUT_OFFLINE]	= { .server = true, .refresh = true,
			    .waits = 4, .wait_ms = 500 },
	[OUT_MOVED]	= { .server = true, .refresh = true,
			    .waits = 6, .wait_ms = 250 },
	[OUT_KEY]	= { .anon = true },
};

/**
 * struct afsx_outcome_row - a code and its class
 * @code: abort code or -errno
 * @outcome: class
 * @error: the final error, 0: derived from the code
 */
struct afsx_outcome_row {
	s32			code;
	enum afsx_outcome	outcome;
	int			error;
};

static const struct afsx_outcome_row afsx_abort_rows[] = {
	{ AFSX_RX_CALL_DEAD, OUT_LOST, 0 },
	{ AFSX_RX_INVALID_OPERATION, OUT_SITE, 0 },
	{ AFSX_RX_CALL_TIMEOUT, OUT_LOST, 0 },
	{ AFSX_RX_EOF, OUT_SITE, 0 },
	{ AFSX_RX_PROTOCOL_ERROR, OUT_SITE, 0 },
	{ AFSX_RX_USER_ABORT, OUT_SITE, 0 },
	{ AFSX_RX_RESTARTING, OUT_BUSY, 0 },
	{ AFSX_VSALVAGE, OUT_SITE, 0 },
	{ AFSX_VNOVNODE, OUT_FINAL, -ESTALE },
	{ AFSX_VNOVOL, OUT_MOVED, 0 },
	{ AFSX_VNOSERVICE, OUT_SITE, 0 },
	{ AFSX_VOFFLINE, OUT_OFFLINE, 0 },
	{ AFSX_VBUSY, OUT_BUSY, 0 },
	{ AFSX_VMOVED, OUT_MOVED, -ENOMEDIUM },
	{ AFSX_VIO, OUT_SITE, 0 },
	{ AFSX_VSALVAGING, OUT_BUSY, 0 },
	{ AFSX_UBIK_FIRST, OUT_SITE, -EAGAIN },
	{ AFSX_VLERR_IO, OUT_SITE, -EIO },
	{ AFSX_VLERR_BADNAME, OUT_FINAL, -ENOMEDIUM },
	{ AFSX_VLERR_NOMEM, OUT_SITE, 0 },
	{ AFSX_VLERR_DBBAD, OUT_SITE, -EIO },
	{ AFSX_RXKAD_EXPIRED, OUT_KEY, 0 },
	{ AFSX_UAE_IO, OUT_SITE, 0 },
};

static const struct afsx_outcome_row afsx_error_rows[] = {
	{ -ENETDOWN, OUT_UNREACHED, 0 },
	{ -ENETUNREACH, OUT_UNREACHED, 0 },
	{ -EHOSTDOWN, OUT_UNREACHED, 0 },
	{ -EHOSTUNREACH, OUT_UNREACHED, 0 },
	{ -ECONNREFUSED, OUT_UNREACHED, 0 },
	{ -EADDRNOTAVAIL, OUT_UNREACHED, 0 },
	{ -ENONET, OUT_UNREACHED, 0 },
	{ -EPERM, OUT_UNREACHED, -ENETUNREACH },
	{ -ETIMEDOUT, OUT_LOST, 0 },
	{ -ETIME, OUT_LOST, -ETIMEDOUT },
	{ -ECONNRESET, OUT_LOST, 0 },
	{ -EPROTO, OUT_LOST, 0 },
	{ -EBADMSG, OUT_SITE, 0 },
	{ -EKEYEXPIRED, OUT_KEY, 0 },
	{ -EKEYREVOKED, OUT_KEY, 0 },
	{ -ESHUTDOWN, OUT_FINAL, -EIO },
};

static struct afsx_outcome_row afsx_policy_find(const struct afsx_outcome_row *rows,
						size_t nr, s32 code)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (rows[i].code == code)
			return rows[i];
	return (struct afsx_outcome_row){ code, OUT_FINAL, 0 };
}

/* Numbers that mean something to the VFS or to us must come from ourselves. */
static int afsx_policy_peer_error(s32 abort)
{
	int error = afsx_abort_to_errno(abort);

	switch (error) {
	case 0:
	case -EINTR:
	case -ECHILD:
	case -EAGAIN:
	case -ENOMEM:
		return -EREMOTEIO;
	default:
		return error;
	}
}

static struct afsx_outcome_row afsx_policy_classify(int error, s32 abort)
{
	struct afsx_outcome_row row;

	if (error != -ECONNABORTED) {
		row = afsx_policy_find(afsx_error_rows,
				       ARRAY_SIZE(afsx_error_rows), error);
		row.error = row.error ?: error;
		return row;
	}
	/* All of ubik's errors mean the same to us. */
	if (abort > AFSX_UBIK_FIRST && abort <= AFSX_UBIK_LAST)
		abort = AFSX_UBIK_FIRST;
	row = afsx_policy_find(afsx_abort_rows, ARRAY_SIZE(afsx_abort_rows),
			       abort);
	row.error = row.error ?: afsx_policy_peer_error(abort);
	return row;
}

static u32 afsx_policy_wait(const struct afsx_rule *rule, u32 waits)
{
	u64 ms = (u64)rule->wait_ms << waits;

	return ms < AFSX_WAIT_CAP_MS ? ms : AFSX_WAIT_CAP_MS;
}

struct afsx_verdict afsx_policy_judge(const struct afsx_policy_in *in)
{
	struct afsx_outcome_row row = afsx_policy_classify(in->error, in->abort);
	const struct afsx_rule *rule = &afsx_rules[row.outcome];
	struct afsx_verdict verdict = {
		.step = AFSX_STEP_DONE,
		.error = row.error,
		.addr_failed = rule->addr,
	};

	if (rule->only_idempotent && !in->idempotent)
		return verdict;

	if (rule->anon && in->keyed) {
		verdict.step = AFSX_STEP_RETRY_ANON;
	} else if (rule->addr && in->addrs_left) {
		verdict.step = AFSX_STEP_NEXT_ADDR;
	} else if (rule->server && in->servers_left) {
		verdict.step = AFSX_STEP_NEXT_SERVER;
	} else if (rule->refresh && in->refreshes <= in->waits) {
		verdict.step = AFSX_STEP_REFRESH;
	} else if (in->waits < rule->waits && !in->no_wait) {
		verdict.step = AFSX_STEP_WAIT;
		verdict.wait_ms = afsx_policy_wait(rule, in->waits);
	}
	return verdict;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_policy_judge);
