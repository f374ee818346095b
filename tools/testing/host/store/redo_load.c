// SPDX-License-Identifier: MIT
/* The bytes of records, and which records of a device are taken. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "die.h"
#include "memdev.h"
#include "redo.h"
#include "redo_test.h"
#include "store_priv.h"
#include "store_row.h"
#include "store_rows.h"

#define START		16u			/* block where the region begins */
#define SALT		UINT64_C(0x1122334455667788)
#define OTHER_SALT	UINT64_C(0x1122334455667789)

static const struct afsx_uuid uuid = { { 0xa0, 0xa1, 0xa2, 0xa3, 4, 5, 6, 7, 8, 9,
					 10, 11, 12, 13, 14, 15 } };
static struct blkdev *dev;
struct redo *redo;

/* ---- bytes ---------------------------------------------------------------------- */

void put_field(u8 *p, u32 size, u64 value)
{
	for (u32 i = 0; i < size; i++)
		p[i] = (u8)(value >> 8 * i);
}

void open_region(void)
{
	const struct blkdev_opts opts = { .uri = "memory" };
	struct errbuf err;

	memdev_create(256 * BLK_SIZE);
	must(blkdev_open(&opts, &dev, &err), "device");
	must(redo_open(dev, &uuid, START * BLK_SIZE, LIMIT * BLK_SIZE, &redo),
	     "records");
}

void close_region(void)
{
	redo_close(redo);
	blkdev_close(dev);
}

/* ---- records -------------------------------------------------------------------- */

enum flaw {
	NONE,
	DAMAGED,	/* a bit of its rows */
	BAD_HEADER,	/* a bit of its sequence */
	OF_OTHERS,	/* the UUID */
	TOO_LONG,	/* than the region */
	LONGEST,	/* than the region: its length wraps around */
	NO_MAGIC,
};

/* A record, as a test has it. */
struct record {
	u64 seq;
	u64 durable;
	u32 blocks;		/* that it takes */
	u64 salt;		/* 0: the right one */
	enum flaw flaw;
};

#define RECORD(seq, durable, blocks)	{ seq, durable, blocks, 0, NONE }
#define SALTED(seq, durable, blocks)	\
	{ seq, durable, blocks, OTHER_SALT, NONE }
#define RECORDS		6u

static u32 rows_of(const struct record *rec)
{
	return rec->blocks * BLK_SIZE - HEADER_LEN - 100;
}

static u32 sum(const u8 *p, u32 len, u64 salt, bool others)
{
	u8 salted[8], id[16];
	u32 crc;

	memcpy(id, uuid.b, sizeof(id));
	id[15] = (u8)(id[15] + others);
	put_field(salted, 8, salt);
	crc = crc32c(0, id, sizeof(id));
	crc = crc32c(crc, salted, sizeof(salted));
	crc = crc32c(crc, p, 28);
	return crc32c(crc, p + HEADER_LEN, len);
}

static void make_record(const struct record *rec, u8 *p)
{
	u32 len = rows_of(rec);
	u32 says = rec->flaw == TOO_LONG ? (LIMIT + 1) * BLK_SIZE :
		   rec->flaw == LONGEST ? U32_MAX : len;

	memcpy(p, "AFSXREDO", 8);
	put_field(p + 8, 8, rec->seq);
	put_field(p + 16, 8, rec->durable);
	put_field(p + 24, 4, says);
	memset(p + HEADER_LEN, rec->salt ? 0xff : (int)(rec->seq % 200 + 1), len);
	put_field(p + 28, 4, sum(p, len, rec->salt ? : SALT,
				 rec->flaw == OF_OTHERS));
	if (rec->flaw == DAMAGED)
		p[HEADER_LEN + len / 2] ^= 4;
	if (rec->flaw == BAD_HEADER)
		p[9] ^= 4;
	if (rec->flaw == NO_MAGIC)
		p[0] ^= 0x20;
}

static u8 *block(u64 nr)
{
	return memdev_touch(START + nr);
}

/* One behind the other; returns the block behind them. */
static u32 put_records(const struct record *rec, u32 nr)
{
	u32 at = 0;

	for (u32 i = 0; i < nr && rec[i].blocks; i++) {
		make_record(&rec[i], block(at));
		at += rec[i].blocks;
	}
	return at;
}

static void clear_region(int fill)
{
	memset(block(0), fill, LIMIT * BLK_SIZE);
}

/* What redo_each() gives. */
static struct {
	u64 seq[RECORDS];
	u32 nr;
} got;

static int take(void *ctx, const u8 *rows, size_t len)
{
	u64 seq;

	memcpy(&seq, rows - HEADER_LEN + 8, sizeof(seq));
	for (size_t i = 0; i < len; i++)
		if (rows[i] != seq % 200 + 1)
			die("record %ju: other rows", (uintmax_t)seq);
	if (got.nr == RECORDS)
		die("too many records");
	got.seq[got.nr++] = seq;
	return ctx ? -EINTR : 0;
}

/**
 * struct loaded - what comes of reading records
 * @ret: of redo_load()
 * @first: sequence of the first one that is given
 * @last: and of the last; nothing when less
 * @seq: of the last one that there is
 * @tail: block where the next one comes
 */
struct loaded {
	int ret;
	u64 first;
	u64 last;
	u64 seq;
	u32 tail;
};

#define REFUSED		{ -EUCLEAN, 0, 0, 0, 0 }

static void expect_loaded(const char *what, u64 applied,
			  const struct loaded *want)
{
	expect(what, redo_load(redo, SALT, applied), want->ret);
	if (want->ret)
		return;
	got.nr = 0;
	expect(what, redo_each(redo, applied, take, NULL), 0);
	expect(what, got.nr, want->first > want->last ? 0 :
			     want->last - want->first + 1);
	for (u32 i = 0; i < got.nr; i++)
		expect(what, (s64)got.seq[i], (s64)want->first + i);
	expect(what, (s64)redo->seq, (s64)want->seq);
	expect(what, (s64)redo->tail, want->tail * BLK_SIZE);
	expect(what, (s64)redo->pos, want->tail * BLK_SIZE + HEADER_LEN);
	expect(what, (s64)redo_unwritten(redo).from, want->tail * BLK_SIZE);
	expect(what, (s64)redo_unwritten(redo).to, want->tail * BLK_SIZE);
}

static const struct {
	const char *what;
	u64 applied;
	struct record rec[RECORDS];
	struct loaded want;
} loads[] = {
	{ "no records", 0, { { 0 } }, { 0, 1, 0, 0, 0 } },
	{ "no records any more", 7, { { 0 } }, { 0, 1, 0, 7, 0 } },
	{ "an intact chain", 0,
	  { RECORD(1, 0, 1), RECORD(2, 1, 2), RECORD(3, 2, 1) }, { 0, 1, 3, 3, 4 } },
	{ "in several writes", 0,
	  { RECORD(1, 0, 1), RECORD(2, 0, 2), RECORD(3, 0, 1) }, { 0, 1, 3, 3, 4 } },
	{ "some are applied", 2,
	  { RECORD(1, 0, 1), RECORD(2, 1, 2), RECORD(3, 2, 1) }, { 0, 3, 3, 3, 4 } },
	{ "all are applied", 3,
	  { RECORD(1, 0, 1), RECORD(2, 1, 2), RECORD(3, 2, 1) }, { 0, 1, 0, 3, 4 } },
	{ "and more were", 5,
	  { RECORD(1, 0, 1), RECORD(2, 1, 2), RECORD(3, 2, 1) }, { 0, 1, 0, 5, 4 } },
	{ "the first is the next", 41,
	  { RECORD(42, 41, 1), RECORD(43, 42, 1) }, { 0, 42, 43, 43, 2 } },
	{ "the first is not the next", 40, { RECORD(42, 41, 1) }, REFUSED },
	{ "the first of all is not there", 0, { RECORD(2, 1, 1) }, REFUSED },
	{ "the first does not fit the database, by far", 1,
	  { RECORD(U64_MAX, 1, 1) }, REFUSED },
	{ "one in the middle is damaged that was durable", 0,
	  { RECORD(1, 0, 1), { 2, 1, 1, 0, DAMAGED }, RECORD(3, 2, 1) },
	  REFUSED },
	{ "its header", 0,
	  { RECORD(1, 0, 1), { 2, 1, 1, 0, BAD_HEADER }, RECORD(3, 2, 1) },
	  REFUSED },
	{ "the first one", 0,
	  { { 1, 0, 1, 0, DAMAGED }, RECORD(2, 1, 1) }, REFUSED },
	{ "the last but one, as the last but two says", 0,
	  { RECORD(1, 0, 1), { 2, 1, 1, 0, DAMAGED }, RECORD(3, 1, 1), RECORD(4, 3, 1) },
	  REFUSED },
	{ "behind long ones", 0,
	  { RECORD(1, 0, 5), { 2, 1, 7, 0, DAMAGED }, RECORD(3, 2, 1) },
	  REFUSED },
	{ "it is not said to be durable", 0,
	  { RECORD(1, 0, 1), { 2, 1, 1, 0, DAMAGED }, RECORD(3, 1, 1) },
	  { 0, 1, 1, 1, 1 } },
	{ "the database has it, and not the next one", 2,
	  { RECORD(1, 0, 1), { 2, 1, 1, 0, DAMAGED }, RECORD(3, 2, 1) },
	  REFUSED },
	{ "torn, and the database has the one that is not there", 2,
	  { RECORD(1, 0, 1), { 2, 1, 1, 0, DAMAGED }, RECORD(3, 1, 1) },
	  { 0, 1, 0, 2, 1 } },
	{ "the database has both", 3,
	  { RECORD(1, 0, 1), { 2, 1, 1, 0, DAMAGED }, RECORD(3, 2, 1) },
	  { 0, 1, 0, 3, 1 } },
	{ "a number is missing", 0,
	  { RECORD(1, 0, 1), RECORD(2, 1, 1), RECORD(4, 2, 1) }, { 0, 1, 2, 2, 2 } },
	{ "a number is missing that was durable", 0,
	  { RECORD(1, 0, 1), RECORD(2, 1, 1), RECORD(4, 3, 1) }, REFUSED },
	{ "the next number, farther away than it was written", 0,
	  { RECORD(1, 0, 1), { 3, 1, 1, 0, NO_MAGIC }, RECORD(2, 1, 1) },
	  REFUSED },
	{ "the next number, behind what the database has", 5,
	  { RECORD(1, 0, 1), RECORD(6, 5, 1) }, REFUSED },
	{ "a number comes again", 0,
	  { RECORD(1, 0, 1), RECORD(2, 1, 1), RECORD(2, 1, 1) }, { 0, 1, 2, 2, 2 } },
	{ "what was there before the records began anew", 9,
	  { RECORD(10, 9, 1), RECORD(8, 7, 1), RECORD(9, 8, 1) }, { 0, 10, 10, 10, 1 } },
	{ "older by one turn, in the next place", 19,
	  { RECORD(20, 19, 2), RECORD(12, 11, 1), RECORD(13, 12, 3), RECORD(16, 15, 1) },
	  { 0, 20, 20, 20, 2 } },
	{ "only such records", 9, { RECORD(8, 7, 1), RECORD(9, 8, 1) },
	  { 0, 1, 0, 9, 2 } },
	{ "another salt, that would be next", 0,
	  { RECORD(1, 0, 1), SALTED(2, 1, 1), SALTED(3, 2, 1) },
	  { 0, 1, 1, 1, 1 } },
	{ "another salt, from the beginning", 0,
	  { SALTED(1, 0, 1), SALTED(2, 1, 1) },
	  { 0, 1, 0, 0, 0 } },
	{ "another store's", 0,
	  { RECORD(1, 0, 1), { 2, 1, 1, 0, OF_OTHERS }, { 3, 2, 1, 0, OF_OTHERS } },
	  { 0, 1, 1, 1, 1 } },
	{ "longer than the region", 0,
	  { RECORD(1, 0, 1), { 2, 1, 1, 0, TOO_LONG } }, { 0, 1, 1, 1, 1 } },
	{ "as long as can be", 0,
	  { RECORD(1, 0, 1), { 2, 1, 1, 0, LONGEST } }, { 0, 1, 1, 1, 1 } },
	{ "no record", 0,
	  { RECORD(1, 0, 1), { 2, 1, 1, 0, NO_MAGIC } }, { 0, 1, 1, 1, 1 } },
	{ "up to the end", 0,
	  { RECORD(1, 0, 30), RECORD(2, 1, 30), RECORD(3, 2, 4) }, { 0, 1, 3, 3, 64 } },
	{ "one that takes all", 0, { RECORD(1, 0, 64) }, { 0, 1, 1, 1, 64 } },
};

static void test_table(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
		clear_region(0);
		put_records(loads[i].rec, RECORDS);
		expect_loaded(loads[i].what, loads[i].applied, &loads[i].want);
	}
}

/* ---- records that a crash cut off ------------------------------------------------------ */

static const struct record before[] = { RECORD(1, 0, 1), RECORD(2, 1, 2) };

/* What was there before: nothing, other bytes, or older records. */
static void fill_before(u32 way)
{
	static const struct record older[] = { SALTED(1, 0, 3),
		SALTED(3, 2, 1), SALTED(4, 3, 1),
		SALTED(5, 4, 2) };

	clear_region(way == 1 ? 0xa5 : 0);
	if (way == 2)
		put_records(older, ARRAY_SIZE(older));
	put_records(before, ARRAY_SIZE(before));
}

/* Of the last record come the sectors that @mask, or the first @nr. */
static void test_torn_last(u32 way, u32 nr, bool one)
{
	const struct record last = RECORD(3, 2, 3);
	const u32 at = 3, all = 3 * SECTORS;
	const struct loaded torn = { 0, 1, 2, 2, at };
	const struct loaded whole = { 0, 1, 3, 3, at + last.blocks };
	static u8 rec[3 * BLK_SIZE];

	memset(rec, 0, sizeof(rec));
	make_record(&last, rec);
	fill_before(way);
	for (u32 i = 0; i < all; i++)
		if (one ? i != nr : i < nr)
			memcpy(block(at) + i * SECTOR, rec + i * SECTOR, SECTOR);
	expect_loaded("torn", 0, nr == all ? &whole : &torn);
}

/* Blocks of one write that came to the device: a bit each, of 3 records. */
static void test_torn_write(u32 way, u32 blocks, bool half)
{
	static const struct record rec[] = { RECORD(3, 2, 1), RECORD(4, 2, 2),
					     RECORD(5, 2, 1) };
	static const u32 of[] = { 0, 1, 1, 2 };		/* which record */
	static u8 all[4 * BLK_SIZE];
	u32 kept = 3, ends[] = { 3, 4, 6, 7 };
	u8 *p = all;

	memset(all, 0, sizeof(all));
	for (u32 i = 0; i < ARRAY_SIZE(rec); p += rec[i++].blocks * BLK_SIZE)
		make_record(&rec[i], p);
	fill_before(way);
	for (u32 i = 0; i < ARRAY_SIZE(of); i++) {
		bool there = blocks >> i & 1;

		if (there || half)
			memcpy(block(3 + i), all + i * BLK_SIZE,
			       there ? BLK_SIZE : BLK_SIZE / 2);
		if (!there)
			kept = min(kept, of[i]);
	}
	expect_loaded("a write of several", 0, &(struct loaded){
		0, 1, 2 + kept, 2 + kept, ends[kept] });
}

static void test_torn(void)
{
	for (u32 way = 0; way < 3; way++) {
		for (u32 nr = 0; nr <= 3 * SECTORS; nr++) {
			test_torn_last(way, nr, false);
			test_torn_last(way, nr, true);
		}
		for (u32 blocks = 0; blocks < 16; blocks++) {
			test_torn_write(way, blocks, false);
			test_torn_write(way, blocks, true);
		}
	}
}

/* ---- making them ---------------------------------------------------------------------- */

static void add_record(u32 blocks)
{
	struct record rec = RECORD(redo->seq + 1, 0, blocks);
	u8 *rows = redo_take(redo, rows_of(&rec));

	if (!rows)
		die("no room for %u blocks", blocks);
	memset(rows, (int)(rec.seq % 200 + 1), rows_of(&rec));
	expect("empty", redo_is_empty(redo), false);
	redo_seal(redo);
	expect("empty", redo_is_empty(redo), true);
}

static void write_all(void)
{
	struct redo_part part = redo_unwritten(redo);

	must(redo_write(redo, &part), "write");
	redo_written(redo, &part);
}

static void expect_bytes(const char *what, u32 at, const struct record *rec)
{
	static u8 want[8 * BLK_SIZE];

	memset(want, 0, sizeof(want));
	make_record(rec, want);
	if (memcmp(block(at), want, rec->blocks * BLK_SIZE))
		die("%s: other bytes", what);
	checks++;
}

static void test_sealing(void)
{
	clear_region(0xa5);
	memset(redo->buf, 0xee, LIMIT * BLK_SIZE);
	redo->seq = 0;
	redo_restart(redo, SALT);
	add_record(1);
	add_record(2);
	write_all();
	add_record(1);
	write_all();
	expect_bytes("the first", 0, &(struct record)RECORD(1, 0, 1));
	expect_bytes("the second", 1, &(struct record)RECORD(2, 0, 2));
	expect_bytes("the third", 3, &(struct record)RECORD(3, 2, 1));
	expect("nothing behind", *block(4), 0xa5);
	expect_loaded("as they were written", 0, &(struct loaded){ 0, 1, 3, 3, 4 });
}

/* Those that are added while others are written are of the next write. */
static void test_meanwhile(void)
{
	struct redo_part part;

	add_record(1);		/* 4 */
	part = redo_unwritten(redo);
	add_record(1);		/* 5, while 4 is written */
	must(redo_write(redo, &part), "write");
	expect("not of this write", *block(5), 0xa5);
	redo_written(redo, &part);
	part = redo_unwritten(redo);
	expect("begins behind it", (s64)part.from, 5 * BLK_SIZE);
	add_record(1);		/* 6, afterwards */
	write_all();
	expect_bytes("the one meanwhile", 5, &(struct record)RECORD(5, 4, 1));
	expect_bytes("the next one", 6, &(struct record)RECORD(6, 4, 1));
	expect_loaded("all", 3, &(struct loaded){ 0, 4, 6, 6, 7 });
}

static void test_giving_back(void)
{
	u64 pos = redo->pos;

	redo_take(redo, 1000);
	redo_cut(redo, pos);
	expect("empty", redo_is_empty(redo), true);
	redo_take(redo, 1000);
	redo_drop(redo);
	expect("empty", redo_is_empty(redo), true);
	add_record(2);		/* 7 */
	add_record(1);		/* 8 */
	redo_forget_unwritten(redo);
	expect("the last one", (s64)redo->seq, 6);
	expect("nothing to be written", (s64)redo_unwritten(redo).to,
	       (s64)redo_unwritten(redo).from);
	got.nr = 0;
	must(redo_each(redo, 4, take, NULL), "each");
	expect("what is left", got.nr, 2);
	got.nr = 0;
	expect("an error ends it", redo_each(redo, 4, take, &got), -EINTR);
	expect("at once", got.nr, 1);
	add_record(1);		/* another 7 */
	write_all();
	expect_bytes("in its place", 7, &(struct record)RECORD(7, 6, 1));
}

/* With the same salt, and with another one. */
static void test_restart(void)
{
	redo_restart(redo, SALT);
	add_record(1);		/* 8 */
	write_all();
	expect_bytes("at the beginning", 0, &(struct record)RECORD(8, 7, 1));
	expect_loaded("behind it are older ones", 7, &(struct loaded){ 0, 8, 8, 8, 1 });
	redo_restart(redo, OTHER_SALT);
	expect_loaded("before the first of another salt", 7,
		      &(struct loaded){ 0, 8, 8, 8, 1 });
	redo_restart(redo, OTHER_SALT);
	add_record(1);		/* 9 */
	write_all();
	expect("load", redo_load(redo, OTHER_SALT, 8), 0);
	expect("the last one", (s64)redo->seq, 9);
}

static void test_full(void)
{
	redo_restart(redo, SALT);
	for (u32 i = 0; i < LIMIT; i++)
		add_record(1);
	if (redo_take(redo, 1))
		die("room behind the end");
	expect("none has room", (s64)redo->tail, LIMIT * BLK_SIZE);
	write_all();
	expect("load", redo_load(redo, SALT, redo->seq - 2), 0);
	expect("all of it", (s64)redo->tail, LIMIT * BLK_SIZE);
}

/* An eighth of the log, in whole blocks, but not more than 8 MiB. */
static void test_size(void)
{
	expect("4 MiB", (s64)redo_len(4 * MIB), MIB / 2);
	expect("odd", (s64)redo_len(4 * MIB + 5 * BLK_SIZE), MIB / 2);
	expect("64 MiB", (s64)redo_len(64 * MIB), 8 * MIB);
	expect("1 GiB", (s64)redo_len(1024 * MIB), 8 * MIB);
}

void test_load(void)
{
	open_region();
	test_table();
	test_torn();
	test_sealing();
	test_meanwhile();
	test_giving_back();
	test_restart();
	test_full();
	test_size();
	close_region();
}
