/* SPDX-License-Identifier: MIT */
/* The tests of the store, one program: store-test NAME ARGUMENT... */
#ifndef AFSX_STORE_TEST_H
#define AFSX_STORE_TEST_H

#include "defs.h"
#include "die.h"
#include "store.h"

/** compare_volume() - every name, type, mode, link count and byte, or die */
void compare_volume(struct store *st, u32 vid, const char *path);

/* The tests; argv[0] is the name of the test, the result an exit status. */
int test_unit(int argc, char **argv);
int test_ops(int argc, char **argv);
int test_race(int argc, char **argv);
int test_dump(int argc, char **argv);
int test_compare(int argc, char **argv);
int test_volumes(int argc, char **argv);

#endif /* AFSX_STORE_TEST_H */
