// SPDX-License-Identifier: GPL-2.0
/*
 * Faults on purpose: loading this module with fault=NAME commits one, to show
 * that the kernels of the tests report it and that `run` takes notice.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#define SIZE	77

static char *fault = "none";
module_param(fault, charp, 0444);
MODULE_PARM_DESC(fault, "the fault to commit");

/* The two locks the wrong order of which lockdep has to notice. */
static DEFINE_MUTEX(first_lock);
static DEFINE_MUTEX(second_lock);
/* The lock under which nothing may sleep. */
static DEFINE_SPINLOCK(spin_lock_held);

static void leak(void)
{
	void *lost = kzalloc(SIZE, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(lost);
}

static void use_after_free(void)
{
	char *freed = kzalloc(SIZE, GFP_KERNEL);

	kfree(freed);
	OPTIMIZER_HIDE_VAR(freed);
	if (freed)
		WRITE_ONCE(freed[0], 1);
}

static void invert_locks(void)
{
	mutex_lock(&first_lock);
	mutex_lock(&second_lock);
	mutex_unlock(&second_lock);
	mutex_unlock(&first_lock);

	mutex_lock(&second_lock);
	mutex_lock(&first_lock);
	mutex_unlock(&first_lock);
	mutex_unlock(&second_lock);
}

static void sleep_in_atomic(void)
{
	spin_lock(&spin_lock_held);
	might_sleep();
	spin_unlock(&spin_lock_held);
}

static void shift_too_far(void)
{
	int bits = 40;

	OPTIMIZER_HIDE_VAR(bits);
	bits = 1 << bits;
	OPTIMIZER_HIDE_VAR(bits);
}

static void warn(void)
{
	WARN(1, "a warning on purpose\n");
}

static void oops(void)
{
	int *nowhere = NULL;

	OPTIMIZER_HIDE_VAR(nowhere);
	WRITE_ONCE(*nowhere, 1);
}

static const struct {
	const char *name;
	void (*commit)(void);
} faults[] = {
	{ "leak", leak },
	{ "use-after-free", use_after_free },
	{ "lock-order", invert_locks },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "shift", shift_too_far },
	{ "warning", warn },
	{ "oops", oops },
};

static int __init faults_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		if (!strcmp(fault, faults[i].name))
			faults[i].commit();
	return 0;
}

static void __exit faults_exit(void)
{
}

module_init(faults_init);
module_exit(faults_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Faults on purpose, for the tests of the tests");
