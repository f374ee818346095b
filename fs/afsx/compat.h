/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernel versions; written for Linux 6.12.
 */
#ifndef AFSX_COMPAT_H
#define AFSX_COMPAT_H

/* Unit tests use symbols of this namespace, which is a string from 6.13 on. */
#define AFSX_IMPORT_KUNIT_NS()	MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING)

#endif /* AFSX_COMPAT_H */
