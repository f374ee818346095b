/* SPDX-License-Identifier: MIT */
/* The parts of store-redo. */
#ifndef AFSX_REDO_TEST_H
#define AFSX_REDO_TEST_H

#include "blkdev.h"
#include "defs.h"
#include "store.h"

#define MIB		(UINT64_C(1) << 20)
#define SECTOR		512u
#define SECTORS		(BLK_SIZE / SECTOR)

/* ---- redo.c --------------------------------------------------------------------- */

extern struct store *st;
extern unsigned int checks;

/** expect() - die unless @is is what it should be */
void expect(const char *what, s64 is, s64 should);

/** format_store() - an empty one on a new device, open */
void format_store(u64 bytes, unsigned int wal_mib);

/** try_open() - @flags: STORE_*; a negative errno */
int try_open(unsigned int flags);

/** open_store() - or die */
void open_store(unsigned int flags);

/** close_store() - likewise */
void close_store(void);

/** crash() - the store is gone, and the device has what it had */
void crash(void);

/** image_take() - a copy of the device */
u8 *image_take(void);

/** image_put() - the device is as it was then */
void image_put(const u8 *image);

/** image_is() - whether it is */
bool image_is(const u8 *image);

/**
 * struct fault - what becomes of writes
 * @armed: count them
 * @log: only those of the log
 * @left: that succeed; then the device is broken
 * @sectors: of the first that does not succeed that come to the device all the same
 * @hit: one did not succeed
 */
struct fault {
	bool armed;
	bool log;
	u64 left;
	u32 sectors;
	bool hit;
};

extern struct fault fault;

/** fault_after() - @writes succeed, and @sectors of the next one */
void fault_after(u64 writes, u32 sectors);

/** fault_of_log() - likewise, writes of the log */
void fault_of_log(u64 writes, u32 sectors);

/** fault_clear() - the device is whole; whether a write had failed */
bool fault_clear(void);

/** on_write - called before each write, if not NULL */
extern void (*on_write)(u64 off);

/* The present time, as the store sees it. */
extern s64 present;

/* ---- redo_dump.c ------------------------------------------------------------------- */

/** dump_store() - all that can be read of a store, as text; to be freed */
char *dump_store(void);

/** expect_shown() - the store shows @want */
void expect_shown(const char *when, const char *want);

/** expect_dump() - the same, and the check finds nothing */
void expect_dump(const char *when, const char *want);

/* ---- redo_ops.c -------------------------------------------------------------------- */

/** ops_start() - a new store of @wal_mib, with a volume, for changes made of @seed */
void ops_start(u64 seed, unsigned int wal_mib);

/**
 * ops_run() - make a change that depends on the seed, @nr and those before
 * @nr: which
 * @heavy: it may be one that takes SQL
 * @sql: make it by SQL in any case
 *
 * Return: 0, or why it was not made; then it was not the change that was wrong.
 */
int ops_run(u64 nr, bool heavy, bool sql);

/* ---- redo_load.c ------------------------------------------------------------------- */

#define LIMIT		64u	/* blocks of a region for records */
#define HEADER_LEN	32u	/* of a record */

/**
 * struct field - a number of a format, little-endian
 * @at: offset
 * @size: bytes
 * @value: the number
 */
struct field {
	u32 at;
	u32 size;
	u64 value;
};

/* The region that is open. */
extern struct redo *redo;

/** open_region() - an empty one, on a device in memory */
void open_region(void);

/** close_region() - and the device is gone */
void close_region(void);

/** put_field() - a number of a format, little-endian, of @size bytes */
void put_field(u8 *p, u32 size, u64 value);

/* ---- the tests ---------------------------------------------------------------------- */

/** test_rows() - layout of rows and of the header; what is not a row */
void test_rows(void);

/** test_parts() - rows of what differs from another one */
void test_parts(void);

/** test_load() - which records are taken */
void test_load(void);

/** test_crash() - what is there after a crash */
void test_crash(void);

/** test_failure() - what can be read when the log cannot be written */
void test_failure(void);

/** test_unsettled() - what is not durable is not shown */
void test_unsettled(void);

/** test_old() - stores of versions 2 and 3 */
void test_old(void);

#endif /* AFSX_REDO_TEST_H */
