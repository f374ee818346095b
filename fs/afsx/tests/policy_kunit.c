// SPDX-License-Identifier: GPL-2.0
/*
 * The failover policy: every code, and every step it may lead to. The expected
 * values are the tables of Documentation/failover.rst.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/module.h>
#include <afsx/abort.h>
#include "../policy.h"

/**
 * struct policy_path - where a persistent outcome leads to
 * @steps: what is offered, in order, as long as there is anything left
 * @waits: how often the operation waits at most
 * @wait_ms: how long all the waits take
 */
struct policy_path {
	const char	*steps;
	u32		waits;
	u32		wait_ms;
};

static const struct policy_path final = { "done" };
static const struct policy_path unreached = { "addr server refresh wait", 2, 1500 };
static const struct policy_path lost = { "addr server refresh wait", 1, 500 };
static const struct policy_path site = { "server done" };
static const struct policy_path busy = { "server wait", 10, 47750 };
static const struct policy_path offline = { "server refresh wait", 4, 7500 };
static const struct policy_path moved = { "server refresh wait", 6, 15750 };
static const struct policy_path key = { "anon done" };

/**
 * struct policy_case - an outcome and what it leads to
 * @error: result of the call
 * @abort: abort code
 * @path: the way
 * @result: error of the operation in the end
 */
struct policy_case {
	int				error;
	s32				abort;
	const struct policy_path	*path;
	int				result;
};

static const struct policy_case policy_cases[] = {
	{ 0, 0, &final, 0 },
	/* the transport */
	{ -ENETDOWN, 0, &unreached, -ENETDOWN },
	{ -ENETUNREACH, 0, &unreached, -ENETUNREACH },
	{ -EHOSTDOWN, 0, &unreached, -EHOSTDOWN },
	{ -EHOSTUNREACH, 0, &unreached, -EHOSTUNREACH },
	{ -ECONNREFUSED, 0, &unreached, -ECONNREFUSED },
	{ -EADDRNOTAVAIL, 0, &unreached, -EADDRNOTAVAIL },
	{ -ENONET, 0, &unreached, -ENONET },
	{ -EPERM, 0, &unreached, -ENETUNREACH },
	{ -ETIMEDOUT, 0, &lost, -ETIMEDOUT },
	{ -ETIME, 0, &lost, -ETIMEDOUT },
	{ -ECONNRESET, 0, &lost, -ECONNRESET },
	{ -EPROTO, 0, &lost, -EPROTO },
	{ -EBADMSG, 0, &site, -EBADMSG },
	{ -EKEYEXPIRED, 0, &key, -EKEYEXPIRED },
	{ -EKEYREVOKED, 0, &key, -EKEYREVOKED },
	{ -EKEYREJECTED, 0, &final, -EKEYREJECTED },
	{ -ESHUTDOWN, 0, &final, -EIO },
	{ -EINTR, 0, &final, -EINTR },
	{ -ENOMEM, 0, &final, -ENOMEM },
	/* Rx */
	{ -ECONNABORTED, AFSX_RX_CALL_DEAD, &lost, -ETIMEDOUT },
	{ -ECONNABORTED, AFSX_RX_INVALID_OPERATION, &site, -EOPNOTSUPP },
	{ -ECONNABORTED, AFSX_RX_CALL_TIMEOUT, &lost, -ETIMEDOUT },
	{ -ECONNABORTED, AFSX_RX_EOF, &site, -EPROTO },
	{ -ECONNABORTED, AFSX_RX_PROTOCOL_ERROR, &site, -EPROTO },
	{ -ECONNABORTED, AFSX_RX_USER_ABORT, &site, -ECONNABORTED },
	{ -ECONNABORTED, AFSX_RX_RESTARTING, &busy, -EBUSY },
	{ -ECONNABORTED, AFSX_RXGEN_OPCODE, &final, -EOPNOTSUPP },
	{ -ECONNABORTED, AFSX_RXGEN_SS_UNMARSHAL, &final, -EPROTO },
	/* volumes */
	{ -ECONNABORTED, AFSX_VSALVAGE, &site, -EIO },
	{ -ECONNABORTED, AFSX_VNOVNODE, &final, -ESTALE },
	{ -ECONNABORTED, AFSX_VNOVOL, &moved, -ENOMEDIUM },
	{ -ECONNABORTED, AFSX_VVOLEXISTS, &final, -EEXIST },
	{ -ECONNABORTED, AFSX_VNOSERVICE, &site, -ENODEV },
	{ -ECONNABORTED, AFSX_VOFFLINE, &offline, -ENODEV },
	{ -ECONNABORTED, AFSX_VDISKFULL, &final, -ENOSPC },
	{ -ECONNABORTED, AFSX_VOVERQUOTA, &final, -EDQUOT },
	{ -ECONNABORTED, AFSX_VBUSY, &busy, -EBUSY },
	{ -ECONNABORTED, AFSX_VMOVED, &moved, -ENOMEDIUM },
	{ -ECONNABORTED, AFSX_VIO, &site, -EIO },
	{ -ECONNABORTED, AFSX_VSALVAGING, &busy, -EBUSY },
	{ -ECONNABORTED, AFSX_VRESTRICTED, &final, -EACCES },
	/* the VL service */
	{ -ECONNABORTED, 5376, &site, -EAGAIN },
	{ -ECONNABORTED, 5380, &site, -EAGAIN },
	{ -ECONNABORTED, 5407, &site, -EAGAIN },
	{ -ECONNABORTED, AFSX_VLERR_IO, &site, -EIO },
	{ -ECONNABORTED, AFSX_VLERR_NOENT, &final, -ENOMEDIUM },
	{ -ECONNABORTED, AFSX_VLERR_BADNAME, &final, -ENOMEDIUM },
	{ -ECONNABORTED, AFSX_VLERR_NOMEM, &site, -EREMOTEIO },
	{ -ECONNABORTED, AFSX_VLERR_DBBAD, &site, -EIO },
	/* keys */
	{ -ECONNABORTED, AFSX_RXKAD_EXPIRED, &key, -EKEYEXPIRED },
	{ -ECONNABORTED, AFSX_RXKAD_UNKNOWNKEY, &final, -EKEYREJECTED },
	/* errno, raw and unified */
	{ -ECONNABORTED, 13, &final, -EACCES },
	{ -ECONNABORTED, 4, &final, -EREMOTEIO },
	{ -ECONNABORTED, 10, &final, -EREMOTEIO },
	{ -ECONNABORTED, 11, &final, -EREMOTEIO },
	{ -ECONNABORTED, 12, &final, -EREMOTEIO },
	{ -ECONNABORTED, AFSX_UAE_BASE + 4, &site, -EIO },
	{ -ECONNABORTED, AFSX_UAE_BASE + 12, &final, -EACCES },
	/* codes that nobody defined */
	{ -ECONNABORTED, 5408, &final, -EREMOTEIO },
	{ -ECONNABORTED, S32_MIN, &final, -EREMOTEIO },
	{ -ECONNABORTED, 0, &final, -EREMOTEIO },
};

static void policy_case_name(const struct policy_case *c, char *desc)
{
	if (c->error == -ECONNABORTED)
		snprintf(desc, KUNIT_PARAM_DESC_SIZE, "abort %d", c->abort);
	else
		snprintf(desc, KUNIT_PARAM_DESC_SIZE, "error %d", c->error);
}

KUNIT_ARRAY_PARAM(policy, policy_cases, policy_case_name);

static const char *const step_names[] = {
	[AFSX_STEP_DONE]	= "done",
	[AFSX_STEP_NEXT_ADDR]	= "addr",
	[AFSX_STEP_NEXT_SERVER]	= "server",
	[AFSX_STEP_REFRESH]	= "refresh",
	[AFSX_STEP_WAIT]	= "wait",
	[AFSX_STEP_RETRY_ANON]	= "anon",
};

static struct afsx_policy_in everything_left(const struct policy_case *c)
{
	return (struct afsx_policy_in) {
		.error		= c->error,
		.abort		= c->abort,
		.addrs_left	= 1,
		.servers_left	= 1,
		.idempotent	= true,
		.keyed		= true,
	};
}

/* Use up what a step used. Return: false at the end of the way. */
static bool take_step(struct afsx_policy_in *in, enum afsx_step step)
{
	switch (step) {
	case AFSX_STEP_NEXT_ADDR:
		in->addrs_left--;
		return true;
	case AFSX_STEP_NEXT_SERVER:
		in->servers_left--;
		return true;
	case AFSX_STEP_REFRESH:
		in->refreshes++;
		return true;
	case AFSX_STEP_RETRY_ANON:
		in->keyed = false;
		return true;
	default:
		return false;
	}
}

static void policy_offers_steps_in_order(struct kunit *test)
{
	const struct policy_case *c = test->param_value;
	struct afsx_policy_in in = everything_left(c);
	struct afsx_verdict verdict;
	char path[64] = "";

	do {
		verdict = afsx_policy_judge(&in);
		if (*path)
			strlcat(path, " ", sizeof(path));
		strlcat(path, step_names[verdict.step], sizeof(path));
		KUNIT_EXPECT_EQ(test, verdict.error, c->result);
	} while (take_step(&in, verdict.step));

	KUNIT_EXPECT_STREQ(test, path, c->path->steps);
}

/* Nothing to try but waiting, and the servers never change their mind. */
static void policy_gives_up(struct kunit *test)
{
	const struct policy_case *c = test->param_value;
	struct afsx_policy_in in = { .error = c->error, .abort = c->abort,
				     .idempotent = true };
	struct afsx_verdict verdict;
	u32 steps, wait_ms = 0;

	for (steps = 0; steps < 100; steps++) {
		verdict = afsx_policy_judge(&in);
		if (verdict.step == AFSX_STEP_WAIT) {
			in.waits++;
			wait_ms += verdict.wait_ms;
		} else if (!take_step(&in, verdict.step)) {
			break;
		}
	}

	KUNIT_EXPECT_EQ(test, verdict.step, AFSX_STEP_DONE);
	KUNIT_EXPECT_EQ(test, verdict.error, c->result);
	KUNIT_EXPECT_EQ(test, in.waits, c->path->waits);
	KUNIT_EXPECT_EQ(test, wait_ms, c->path->wait_ms);
	KUNIT_EXPECT_LE(test, steps, 32);
}

static void policy_never_waits_for_the_impatient(struct kunit *test)
{
	const struct policy_case *c = test->param_value;
	struct afsx_policy_in in = everything_left(c);
	struct afsx_verdict verdict;

	in.no_wait = true;
	do {
		verdict = afsx_policy_judge(&in);
		KUNIT_EXPECT_NE(test, verdict.step, AFSX_STEP_WAIT);
	} while (take_step(&in, verdict.step));
	KUNIT_EXPECT_EQ(test, verdict.error, c->result);
}

/* A call that may have been executed is not made again unless it may be. */
static void policy_repeats_only_what_may_be(struct kunit *test)
{
	static const struct {
		int error;
		s32 abort;
		enum afsx_step step;
	} cases[] = {
		{ -ETIMEDOUT, 0, AFSX_STEP_DONE },
		{ -ETIME, 0, AFSX_STEP_DONE },
		{ -ECONNRESET, 0, AFSX_STEP_DONE },
		{ -EPROTO, 0, AFSX_STEP_DONE },
		{ -ECONNABORTED, AFSX_RX_CALL_DEAD, AFSX_STEP_DONE },
		{ -ECONNABORTED, AFSX_RX_CALL_TIMEOUT, AFSX_STEP_DONE },
		{ -ECONNREFUSED, 0, AFSX_STEP_NEXT_ADDR },
		{ -ENETUNREACH, 0, AFSX_STEP_NEXT_ADDR },
		{ -ECONNABORTED, AFSX_VBUSY, AFSX_STEP_NEXT_SERVER },
		{ -ECONNABORTED, AFSX_VMOVED, AFSX_STEP_NEXT_SERVER },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct afsx_policy_in in = {
			.error = cases[i].error,
			.abort = cases[i].abort,
			.addrs_left = 1,
			.servers_left = 1,
		};

		KUNIT_EXPECT_EQ_MSG(test, afsx_policy_judge(&in).step,
				    cases[i].step, "error %d abort %d",
				    cases[i].error, cases[i].abort);
	}
}

static void policy_blames_silent_addresses_alone(struct kunit *test)
{
	const struct policy_case *c = test->param_value;
	struct afsx_policy_in in = everything_left(c);

	KUNIT_EXPECT_EQ(test, afsx_policy_judge(&in).addr_failed,
			c->path == &unreached || c->path == &lost);
}

static struct kunit_case policy_suite_cases[] = {
	KUNIT_CASE_PARAM(policy_offers_steps_in_order, policy_gen_params),
	KUNIT_CASE_PARAM(policy_gives_up, policy_gen_params),
	KUNIT_CASE_PARAM(policy_never_waits_for_the_impatient, policy_gen_params),
	KUNIT_CASE_PARAM(policy_blames_silent_addresses_alone, policy_gen_params),
	KUNIT_CASE(policy_repeats_only_what_may_be),
	{}
};

static struct kunit_suite policy_suite = {
	.name		= "afsx_policy",
	.test_cases	= policy_suite_cases,
};

kunit_test_suite(policy_suite);

MODULE_DESCRIPTION("KUnit tests of the afsx failover policy");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_LICENSE("GPL");
