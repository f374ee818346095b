// SPDX-License-Identifier: MIT
/*
 * store-dirs ROUNDS: large directories, in which names are found by an index, against a
 * model. Changes that are committed, undone and refused, alone and in batches, some of
 * which fail as a whole; clones; volumes restored, also with the data versions they had;
 * opening again; readers beside the writer; chains that were damaged. What is expected
 * of a damaged directory is what the chains say, read without an index.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <afsx/dir.h>

#include "die.h"
#include "dirs.h"
#include "log.h"
#include "memdev.h"
#include "sound.h"
#include "store_tx.h"
#include "wrap.h"

#define CLONES		2u
#define BATCH		6u	/* transactions in one */
#define READERS		2u
#define BEFORE		5u	/* transactions after which there is an index */
#define SEE		8u	/* lookups after which readers have one */

static struct store *st;
static struct dirs live;
static struct dirs copies[CLONES];
static unsigned int nr_copies;

static atomic_bool armed;	/* hold the next write of the log */
static atomic_bool watching;
static sem_t held;
static sem_t go_on;
static sem_t joined;

int __wrap_blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf,
			    size_t len)
{
	if (off >= 2 * BLK_SIZE && atomic_exchange(&armed, false)) {
		sem_post(&held);
		sem_wait(&go_on);
	}
	return __real_blkdev_write_fua(dev, off, buf, len);
}

int __wrap_wal_wait(struct wal *w, u64 ticket)
{
	if (atomic_load(&watching))
		sem_post(&joined);
	return __real_wal_wait(w, ticket);
}

/* ---- the store ---------------------------------------------------------------- */

static void open_store(void)
{
	struct store_config cfg = { .uri = "memory", .flags = STORE_TAKEOVER };
	struct errbuf err = { "" };

	if (store_open(&cfg, &st, &err))
		die("open: %s", err.text);
}

static void reopen(void)
{
	must(store_close(st), "close");
	open_store();
}

static void verify(u32 share)
{
	dirs_verify(st, &live, share);
	for (unsigned int i = 0; i < nr_copies; i++)
		dirs_verify(st, &copies[i], share);
}

/* ---- transactions ------------------------------------------------------------- */

enum end { COMMIT, ABORT, REFUSE, LOSE };

/**
 * struct change - a transaction
 * @end: how it ends
 * @told: result
 */
struct change {
	enum end end;
	int told;
};

/* The model is as it was, if the transaction does not do it. */
static struct dirs *copy_of(const struct dirs *m)
{
	struct dirs *copy = malloc(sizeof(*copy));

	if (!copy)
		die("out of memory");
	*copy = *m;
	return copy;
}

static void give_back(struct dirs *copy, bool restore)
{
	if (restore)
		live = *copy;
	free(copy);
}

static void *change(void *arg)
{
	struct dirs *before = copy_of(&live);
	struct change *c = arg;
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	/* one that loses all leaves in memory what the others did */
	while (c->end != LOSE && !memcmp(before, &live, sizeof(live)))
		dirs_change(tx, &live);
	/* before another thread goes on, which is when this one waits */
	give_back(before, c->end != COMMIT);
	if (c->end == LOSE)
		must(batch_sql(tx) ? : db_run(tx->db, SQL_ROLLBACK, ""),
		     "roll back");
	if (c->end == COMMIT)
		c->told = store_commit(tx);
	else if (c->end == REFUSE)
		c->told = store_refuse(tx);
	else
		store_abort(tx);
	if (atomic_load(&watching) && (c->end == ABORT || c->end == LOSE))
		sem_post(&joined);
	return NULL;
}

static void change_alone(enum end end)
{
	struct change c = { .end = end };

	change(&c);
	must(c.told, "transaction");
}

/* How each of a batch ends: the one that loses all takes those before it along. */
static enum end end_of(unsigned int i, unsigned int lost)
{
	static const enum end ends[] = { COMMIT, COMMIT, ABORT, REFUSE };

	if (i == lost)
		return LOSE;
	return i && i != lost + 1 ? ends[dirs_random(ARRAY_SIZE(ends))] : COMMIT;
}

static void run_batch(unsigned int lost)
{
	struct change first = { .end = COMMIT }, c[BATCH] = { 0 };
	pthread_t one, thread[BATCH];
	struct dirs *before;

	atomic_store(&watching, true);
	atomic_store(&armed, true);
	pthread_create(&one, NULL, change, &first);
	sem_wait(&joined);
	sem_wait(&held);
	before = copy_of(&live);
	for (unsigned int i = 0; i < BATCH; i++) {
		c[i].end = end_of(i, lost);
		pthread_create(&thread[i], NULL, change, &c[i]);
		sem_wait(&joined);
		if (i == lost)
			live = *before;
	}
	free(before);
	sem_post(&go_on);
	pthread_join(one, NULL);
	must(first.told, "the first");
	for (unsigned int i = 0; i < BATCH; i++) {
		int should = i < lost && lost < BATCH && c[i].end != ABORT ? -EBUSY : 0;

		pthread_join(thread[i], NULL);
		if (c[i].told != should)
			die("transaction %u of a batch: %d, not %d", i, c[i].told,
			    should);
	}
	atomic_store(&watching, false);
}

/* On a store just opened, so that no checkpoint writes to the log. */
static void test_batch(void)
{
	reopen();
	for (unsigned int i = 0; i < BEFORE; i++)
		change_alone(COMMIT);
	run_batch(dirs_random(2 * BATCH));
	verify(10);
	change_alone(COMMIT);
}

/* ---- volumes ------------------------------------------------------------------ */

/* Readers may have an index of the clone that this one takes the place of. */
static void test_clone(void)
{
	static const enum afsx_voltype types[] = { AFSX_VOL_RO, AFSX_VOL_BACKUP };
	unsigned int i = dirs_random(CLONES);
	struct store_tx *tx;

	i = min(i, nr_copies);
	must(store_begin(st, &tx), "begin");
	copies[i] = live;
	must(store_vol_clone(tx, live.vid, types[i], &copies[i].vid), "clone");
	for (unsigned int k = 0; k < FILES + DIRS; k++)
		*(k < FILES ? &copies[i].file[k].vid :
			      &copies[i].dir[k - FILES].vid) = copies[i].vid;
	must(store_commit(tx), "commit");
	nr_copies = max(nr_copies, i + 1);
	for (unsigned int k = 0; k < BEFORE; k++) {
		for (u32 n = 0; n < SEE; n++)
			dirs_see(st, &live, n);
		change_alone(COMMIT);
	}
	verify(4);
	while (store_collect(st, 1000) > 0)
		;
}

static void test_restore(void)
{
	bool publish = dirs_random(3);

	for (u32 n = 0; n < 2 * SEE; n++)
		dirs_see(st, &live, n);
	dirs_restore(st, &live, publish);
	verify(4);
}

/* ---- readers ------------------------------------------------------------------ */

static atomic_bool done;
static atomic_uint seen;

static void *reader(void *arg)
{
	struct dirs *m = arg;

	for (u32 i = 0; !atomic_load(&done); i++) {
		dirs_see(st, m, i);
		if (nr_copies)
			dirs_see(st, &copies[i % nr_copies], i / 2);
		atomic_fetch_add(&seen, 1);
	}
	return NULL;
}

/* The stable names and the files of the model do not change. */
static void test_readers(unsigned int rounds)
{
	struct dirs *stable = copy_of(&live);
	pthread_t thread[READERS];

	atomic_store(&done, false);
	atomic_store(&seen, 0);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_create(&thread[i], NULL, reader, stable);
	for (unsigned int i = 0; i < rounds || atomic_load(&seen) < rounds; i++)
		change_alone(dirs_random(4) ? COMMIT : ABORT);
	atomic_store(&done, true);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	free(stable);
	verify(10);
}

/* ---- damage ------------------------------------------------------------------- */

static u8 blob[AFSX_DIR_MAX_BLOCKS * AFSX_DIR_BLOCK_SIZE];

static struct afsx_dir_slot *slot_at(u32 slot)
{
	return (struct afsx_dir_slot *)blob + slot;
}

/* The first slot of a random name. */
static u32 some_slot(u32 blocks)
{
	char name[AFSX_NAME_MAX + 1];
	u32 slot = dirs_random(blocks * AFSX_DIR_SLOTS), i = dirs_random(STABLE);
	size_t len = dirs_name(name, i);

	for (;; slot = (slot + 1) % (blocks * AFSX_DIR_SLOTS))
		if (slot_at(slot)->flag == 1 &&
		    !memcmp((char *)slot_at(slot) +
			    offsetof(struct afsx_dir_slot, name), name, len + 1))
			return slot;
}

enum damage {
	LOOP, OUTSIDE, RESERVED, INTO_A_NAME, OTHER_CHAIN, CUT, TWICE, EXCHANGED,
	DAMAGES
};

/* Change the chain behind a name; the block that changes. */
static u32 damage(enum damage what, u32 blocks)
{
	u32 slot = some_slot(blocks), other = some_slot(blocks), to = 0;
	struct afsx_dir_head *head = (struct afsx_dir_head *)blob;
	u8 third[2];

	switch (what) {
	case LOOP:
		to = slot;
		break;
	case OUTSIDE:
		to = blocks * AFSX_DIR_SLOTS + 5;
		break;
	case RESERVED:
		to = 64;
		break;
	case INTO_A_NAME:
		to = other + 1;
		break;
	case OTHER_CHAIN:
		to = other;
		break;
	case TWICE:	/* two chains begin with the same name */
		memcpy(head->bucket[3], head->bucket[4], 2);
		return 0;
	case EXCHANGED:
		memcpy(third, head->bucket[3], 2);
		memcpy(head->bucket[3], head->bucket[4], 2);
		memcpy(head->bucket[4], third, 2);
		return 0;
	default:
		break;
	}
	put_unaligned_be16((u16)to, slot_at(slot)->next);
	return slot / AFSX_DIR_SLOTS;
}

static void store_block(u32 nr)
{
	static const char update[] =
		"UPDATE dirblk SET data = ?1 WHERE vno = ?2 AND nr = ?3 AND death IS NULL";
	sqlite3_stmt *row;
	int ret = sqlite3_prepare_v2(st->writer.sql, update, -1, &row, NULL);

	if (ret)
		die("cannot prepare");
	sqlite3_bind_blob(row, 1, blob + nr * AFSX_DIR_BLOCK_SIZE,
			  AFSX_DIR_BLOCK_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, live.dir[0].vnode);
	sqlite3_bind_int64(row, 3, nr);
	if (sqlite3_step(row) != SQLITE_DONE ||
	    sqlite3_changes(st->writer.sql) != 1)
		die("cannot damage block %u", nr);
	sqlite3_finalize(row);
}

static void compare(enum damage what, u32 i, int is, const struct afsx_fid *fid,
		    u32 blocks)
{
	char name[AFSX_NAME_MAX + 1];
	struct afsx_fid right;
	int ret = dirs_walk(blob, blocks, name, dirs_name(name, i), &right);

	if (is != ret || (!ret && fid->vnode != right.vnode))
		die("damage %u, name %u: %d, but the chain says %d", what, i, is,
		    ret);
}

static void test_damage(enum damage what)
{
	u32 blocks = dirs_blob(st, &live.dir[0], blob), nr, from;
	char name[AFSX_NAME_MAX + 1];
	struct afsx_fid fid;
	struct store_tx *tx;

	nr = damage(what, blocks);
	store_block(nr);
	reopen();	/* nothing is remembered */
	must(store_begin(st, &tx), "begin");
	from = dirs_random(NAMES);
	for (u32 i = from; i < from + NAMES; i++)
		compare(what, i, store_tx_lookup(tx, &live.dir[0], name,
						 dirs_name(name, i), &fid),
			&fid, blocks);
	store_abort(tx);
	for (u32 i = from; i < from + NAMES; i++)
		compare(what, i, store_lookup(st, &live.dir[0], name,
					      dirs_name(name, i), &fid),
			&fid, blocks);
}

/* Damage does not add up: each is undone before the next. */
static void test_damages(void)
{
	for (unsigned int i = 0; i < DAMAGES; i++) {
		memdev_save();
		test_damage(i);
		store_close(st);
		memdev_restore();
		open_store();
		verify(100);
	}
}

/* ---- a run -------------------------------------------------------------------- */

static void start(void)
{
	struct store_format_opts format = { .uri = "memory", .force = true };
	struct errbuf err = { "" };

	sem_init(&held, 0, 0);
	sem_init(&go_on, 0, 0);
	sem_init(&joined, 0, 0);
	memdev_create(UINT64_C(1) << 30);
	if (store_format(&format, &err))
		die("format: %s", err.text);
	open_store();
	dirs_make(st, &live);
	verify(1);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc == 2 ? (unsigned int)atoi(argv[1]) : 0;

	log_setup("store-dirs", LOG_ERROR);
	if (!rounds)
		die("usage: store-dirs ROUNDS");
	start();
	for (unsigned int i = 0; i < rounds; i++) {
		for (u32 n = 0; n < 200; n++)
			change_alone(n % 20 ? COMMIT : (enum end)dirs_random(3));
		verify(10);
		test_batch();
		test_clone();
		test_restore();
		test_readers(40);
		if (check_store(st))
			die("the check found problems");
	}
	test_damages();
	must(store_close(st), "close");
	printf("%u rounds as the model has it\n", rounds);
	return 0;
}
