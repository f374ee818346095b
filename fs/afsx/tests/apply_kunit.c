// SPDX-License-Identifier: GPL-2.0
/*
 * Statuses and promises that arrive in another order than they were sent in.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/user_namespace.h>
#include <afsx/rpc.h>

#include "../callback.h"
#include "../compat.h"
#include "../op.h"
#include "../server.h"
#include "../super.h"
#include "../validate.h"
#include "../vnode.h"
#include "../volume.h"

#define OLD_MODE	0644
#define NEW_MODE	0600

/**
 * struct apply_world - a vnode with all that applying a status looks at
 * @sb: its superblock
 * @sbi: what is behind that
 * @volume: its volume
 * @server: who answers; never freed by a promise, as the test holds it
 * @vnode: the vnode
 */
struct apply_world {
	struct super_block	sb;
	struct afsx_sb		sbi;
	struct afsx_volume	volume;
	struct afsx_server	server;
	struct afsx_vnode	vnode;
};

static const struct afsx_callback hour = {
	.version	= AFSX_CALLBACK_VERSION,
	.expires_in	= 3600,
	.type		= AFSX_CB_SHARED,
};

static struct apply_world *make_world(struct kunit *test)
{
	struct apply_world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->sb.s_user_ns = &init_user_ns;
	w->sb.s_fs_info = &w->sbi;
	w->sbi.volume = &w->volume;
	refcount_set(&w->server.ref, 1);
	seqlock_init(&w->vnode.cb_lock);
	w->vnode.fid = (struct afsx_fid){ 536870912, 2, 1 };
	w->vnode.volume = &w->volume;
	w->vnode.permit_stamp = 1;
	w->vnode.netfs.inode.i_sb = &w->sb;
	w->vnode.netfs.inode.i_mode = S_IFREG;
	return w;
}

static ktime_t seconds_ago(unsigned int seconds)
{
	return ktime_sub(ktime_get_boottime(), ktime_set(seconds, 0));
}

/* Apply the reply to a call issued so long ago, with a promise unless @cb is NULL. */
static void apply(struct kunit *test, struct apply_world *w, ktime_t issued,
		  u64 version, u32 mode, const struct afsx_callback *cb,
		  u32 breaks)
{
	const struct afsx_op op = { .server = &w->server, .issued = issued };
	const struct afsx_status status = {
		.if_version	= AFSX_STATUS_VERSION,
		.type		= AFSX_FTYPE_FILE,
		.nlink		= 1,
		.data_version	= version,
		.mode		= mode,
	};

	KUNIT_EXPECT_EQ(test, afsx_vnode_apply(&w->vnode, &op, &status, cb,
					       breaks), 0);
}

/*
 * A call is sent, the mode changes, a second call is sent and answered, with
 * version 5, the new mode and a promise. Then the answer to the first comes. A
 * promise it brings is broken when a break came in between.
 */
static const struct {
	const char *what;
	bool promised;		/* the second answer brought a promise */
	bool later;		/* the first call was sent after that answer */
	u64 version;		/* in the first answer */
	bool brings;		/* the first answer brings a promise */
	u32 missed;		/* breaks while the first call was under way */
	u32 mode;
	bool holds;
} orders[] = {
	{ "without a promise", true, false, 5, false, 0, NEW_MODE, true },
	{ "with a broken promise", true, false, 5, true, 1, NEW_MODE, true },
	{ "with a good promise", true, false, 5, true, 0, OLD_MODE, true },
	{ "of an older version", true, false, 4, true, 0, NEW_MODE, true },
	{ "of a newer version", true, false, 6, true, 0, OLD_MODE, true },
	{ "nothing was promised", false, false, 5, false, 0, OLD_MODE, false },
	{ "sent later", true, true, 5, false, 0, OLD_MODE, true },
	{ "restored", true, true, 4, true, 0, OLD_MODE, true },
};

static void order_test(struct kunit *test)
{
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		struct apply_world *w = make_world(test);
		ktime_t first = seconds_ago(20);

		atomic_set(&w->vnode.cb_breaks, orders[i].missed);
		apply(test, w, seconds_ago(10), 5, NEW_MODE,
		      orders[i].promised ? &hour : NULL, orders[i].missed);
		if (orders[i].later)
			first = ktime_get_boottime();
		apply(test, w, first, orders[i].version, OLD_MODE,
		      orders[i].brings ? &hour : NULL, 0);
		KUNIT_EXPECT_EQ_MSG(test, w->vnode.netfs.inode.i_mode,
				    S_IFREG | orders[i].mode, "%s",
				    orders[i].what);
		KUNIT_EXPECT_EQ_MSG(test, afsx_promise_holds(&w->vnode),
				    orders[i].holds, "%s", orders[i].what);
	}
}

/* A reply that was under way while the vnode was found gone promises nothing. */
static void gone_test(struct kunit *test)
{
	struct apply_world *w = make_world(test);
	u32 breaks = atomic_read(&w->vnode.cb_breaks);

	apply(test, w, seconds_ago(30), 5, OLD_MODE, &hour, breaks);
	KUNIT_EXPECT_TRUE(test, afsx_promise_holds(&w->vnode));
	afsx_vnode_gone(&w->vnode);
	KUNIT_EXPECT_FALSE(test, afsx_promise_holds(&w->vnode));
	apply(test, w, seconds_ago(20), 5, OLD_MODE, &hour, breaks);
	KUNIT_EXPECT_FALSE(test, afsx_promise_holds(&w->vnode));
	KUNIT_EXPECT_NE(test, atomic_read(&w->volume.cb_breaks), 0);
}

/* What is cached is old until it is dropped, at the version that it is old for. */
static void zap_test(struct kunit *test)
{
	struct apply_world *w = make_world(test);

	apply(test, w, seconds_ago(30), 5, OLD_MODE, &hour, 0);
	KUNIT_EXPECT_FALSE(test, test_bit(AFSX_V_ZAP, &w->vnode.flags));
	apply(test, w, seconds_ago(20), 6, OLD_MODE, &hour, 0);
	KUNIT_EXPECT_TRUE(test, test_bit(AFSX_V_ZAP, &w->vnode.flags));
	afsx_vnode_zapped(&w->vnode, 5);
	KUNIT_EXPECT_TRUE(test, test_bit(AFSX_V_ZAP, &w->vnode.flags));
	afsx_vnode_zapped(&w->vnode, 6);
	KUNIT_EXPECT_FALSE(test, test_bit(AFSX_V_ZAP, &w->vnode.flags));
}

static struct kunit_case apply_cases[] = {
	KUNIT_CASE(order_test),
	KUNIT_CASE(gone_test),
	KUNIT_CASE(zap_test),
	{}
};

static struct kunit_suite apply_suite = {
	.name = "afsx_apply",
	.test_cases = apply_cases,
};

kunit_test_suite(apply_suite);

MODULE_DESCRIPTION("KUnit tests of applying statuses and promises");
MODULE_LICENSE("GPL");
AFSX_IMPORT_KUNIT_NS();
