/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernel versions: the only place that looks at
 * LINUX_VERSION_CODE.
 */
#ifndef AFSX_COMPAT_H
#define AFSX_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "afsx needs the netfs read interface of Linux 6.12"
#endif

/* Unit tests use symbols of this namespace, a string since 6.13. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define AFSX_IMPORT_KUNIT_NS()	MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING)
#else
#define AFSX_IMPORT_KUNIT_NS()	MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING")
#endif

#endif /* AFSX_COMPAT_H */
