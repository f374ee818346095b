// SPDX-License-Identifier: GPL-2.0
/*
 * The wire suites as a kernel module.
 */
#include <linux/module.h>

#include "../compat.h"

MODULE_DESCRIPTION("KUnit tests of the AFS protocol codec");
MODULE_LICENSE("GPL");
AFSX_IMPORT_KUNIT_NS();
