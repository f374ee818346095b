/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Parts of golden messages that several suites use.
 */
#ifndef AFSX_WIRE_STATUS_H
#define AFSX_WIRE_STATUS_H

#include <afsx/types.h>

/*
 * AFSFetchStatus decoded.  On the wire each of them has 21 different words, in
 * sequence from 0x1000, 0x2000 or 0x3000, but for the first two, the mode, and
 * ResidencyMask and SyncCounter, which carry nothing and are 0.
 */
#define STATUS_A { \
	.if_version = 1, .type = AFSX_FTYPE_DIR, .nlink = 0x1002, .size = 0x101300001003, \
	.data_version = 0x101100001004, .author = 0x1005, .owner = 0x1006, .group = 0x100f, \
	.caller_access = 0x1007, .anon_access = 0x1008, .mode = 0751, .parent_vnode = 0x100a, \
	.parent_unique = 0x100b, .mtime_client = 0x100d, .mtime_server = 0x100e, \
	.lock_count = 0x1012, .abort_code = 0x1014 }
#define STATUS_B { \
	.if_version = 1, .type = AFSX_FTYPE_FILE, .nlink = 0x2002, .size = 0x201300002003, \
	.data_version = 0x201100002004, .author = 0x2005, .owner = 0x2006, .group = 0x200f, \
	.caller_access = 0x2007, .anon_access = 0x2008, .mode = 0644, .parent_vnode = 0x200a, \
	.parent_unique = 0x200b, .mtime_client = 0x200d, .mtime_server = 0x200e, \
	.lock_count = 0x2012, .abort_code = 0x2014 }
/* The same without an abort code, for InlineBulkStatus */
#define STATUS_C { \
	.if_version = 1, .type = AFSX_FTYPE_SYMLINK, .nlink = 0x3002, .size = 0x301300003003, \
	.data_version = 0x301100003004, .author = 0x3005, .owner = 0x3006, .group = 0x300f, \
	.caller_access = 0x3007, .anon_access = 0x3008, .mode = 0777, .parent_vnode = 0x300a, \
	.parent_unique = 0x300b, .mtime_client = 0x300d, .mtime_server = 0x300e, \
	.lock_count = 0x3012 }

#define CALLBACK(b)	{ .version = 1, .expires_in = (b), .type = AFSX_CB_SHARED }
#define VOLSYNC		{ .creation = 0x60000000, .spare = { 11, 12, 13, 14, 15 } }
#define ROOT		{ .vid = 0x20000003, .vnode = 1, .unique = 1 }
#define STR(s)		{ .p = (s), .len = sizeof(s) - 1 }

#endif /* AFSX_WIRE_STATUS_H */
