/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A directory blob in memory for the directory suites, with each block in an
 * allocation of its own and a count of what the code under test touches.
 */
#ifndef AFSX_DIR_UTIL_H
#define AFSX_DIR_UTIL_H

#include <afsx/dir.h>

#include "wire_util.h"

/**
 * struct test_dir - A directory blob
 * @test: suite
 * @ed: editor (and, as @ed.rd, reader) of it
 * @blk: its blocks
 * @reads: calls of the reader's accessor
 * @modifies: calls of the editor's accessor
 * @fail_after: accessor calls that will work; the next fails (-1: never)
 */
struct test_dir {
	struct kunit *test;
	struct afsx_dir_editor ed;
	u8 *blk[AFSX_DIR_MAX_BLOCKS];
	u32 reads;
	u32 modifies;
	s32 fail_after;
};

#define TEST_SELF	((struct afsx_fid) { .vid = 9, .vnode = 1, .unique = 1 })
#define TEST_PARENT	((struct afsx_fid) { .vid = 9, .vnode = 3, .unique = 4 })

/* An empty blob; a blob with "." and "..". */
struct test_dir *test_dir_blob(struct kunit *test);
struct test_dir *test_dir_new(struct kunit *test);

/* Editing by C string; the uniquifier is always the vnode number plus 1000000. */
int test_dir_add(struct test_dir *td, const char *name, u32 vnode);
int test_dir_remove(struct test_dir *td, const char *name);

/* The vnode a name refers to, or a negative errno. */
int test_dir_lookup(struct test_dir *td, const char *name);

/**
 * test_dir_name - A name of any wanted length, different for every number
 * @buf: AFSX_NAME_MAX + 1 bytes
 * @nr: number, less than 36^4
 * @len: length wanted; at least 4 is used
 */
void test_dir_name(char *buf, u32 nr, u32 len);

/* Every block passes afsx_dir_check_block() and the free counts are right. */
void test_dir_check(struct test_dir *td);

#endif /* AFSX_DIR_UTIL_H */
