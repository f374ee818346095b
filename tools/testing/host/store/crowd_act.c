// SPDX-License-Identifier: MIT
/* Changes of a worker, and what each must come to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crowd.h"
#include "die.h"
#include "store_tx.h"

#define FILE_MAX	20000u

enum act {
	CREATE,
	REMOVE,
	RENAME,
	WRITE,
	SPOIL,		/* create and remove, and give up */
	TOO_BIG,	/* create it, and write more than the other volume can have */
	LOST,		/* create it, but SQLite rolls all back */
	ACTS
};

static const char *const act_names[] = {
	[CREATE] = "creates", [REMOVE] = "removes", [RENAME] = "renames",
	[WRITE] = "writes", [SPOIL] = "gives up", [TOO_BIG] = "has no room",
	[LOST] = "is rolled back",
};

static const u8 zeros[100000];

unsigned int pick(struct worker *w, unsigned int n)
{
	return (unsigned int)rand_r(&w->seed) % n;
}

static size_t name_of(const struct worker *w, unsigned int i, char name[32])
{
	return (size_t)snprintf(name, 32, "%u-%u", w->nr, i);
}

/* ---- in a transaction ------------------------------------------------------------- */

static int fill(struct store_tx *tx, const struct worker *w, const struct afsx_fid *fid)
{
	u8 data[FILE_MAX];

	memset(data, w->value.byte, w->value.size);
	return w->value.size ? store_write(tx, fid, 0, data, w->value.size) : 0;
}

static int create(struct store_tx *tx, const struct worker *w, unsigned int i)
{
	struct afsx_fid fid;
	char name[32];
	size_t len = name_of(w, i, name);
	int ret = store_create(tx, &root, name, len, AFSX_FTYPE_FILE, NULL, NULL, &fid);

	return ret ? ret : fill(tx, w, &fid);
}

static int remove_name(struct store_tx *tx, const struct worker *w, unsigned int i)
{
	char name[32];
	size_t len = name_of(w, i, name);

	return store_unlink(tx, &root, name, len, false, NULL);
}

static int rename_name(struct store_tx *tx, const struct worker *w)
{
	char from[32], to[32];
	size_t from_len = name_of(w, w->a, from), to_len = name_of(w, w->b, to);

	return store_rename(tx, &root, from, from_len, &root, to, to_len);
}

static int write_name(struct store_tx *tx, const struct worker *w)
{
	struct afsx_fid fid;
	char name[32];
	size_t len = name_of(w, w->a, name);
	int ret = store_tx_lookup(tx, &root, name, len, &fid);

	return ret ? ret : fill(tx, w, &fid);
}

/* The name @NAMES is one that is never there. */
static int change(struct store_tx *tx, const struct worker *w)
{
	switch (w->act) {
	case CREATE:
		return create(tx, w, w->a);
	case REMOVE:
		return remove_name(tx, w, w->a);
	case RENAME:
		return rename_name(tx, w);
	case WRITE:
		return write_name(tx, w);
	case SPOIL:
		if (w->names[w->a].there && remove_name(tx, w, w->a))
			die("cannot remove what is there");
		return create(tx, w, NAMES);
	case TOO_BIG:
		return create(tx, w, NAMES) ? :
		       store_write(tx, &full, 0, zeros, sizeof(zeros));
	default:
		return create(tx, w, NAMES) ? : tx_flush(tx) ? :
		       db_run(tx->db, SQL_ROLLBACK, "");
	}
}

static bool body(struct store_tx *tx, void *ctx)
{
	struct worker *w = ctx;

	w->alien = !pthread_equal(pthread_self(), w->thread);
	store_set_origin(tx, w);
	w->ret = change(tx, w);
	return w->act == TOO_BIG || (w->act < SPOIL && !w->ret);
}

/* ---- what must come of it ----------------------------------------------------------- */

void on_news(void *ctx, const void *origin, const struct afsx_fid *fids, size_t nr)
{
	struct worker *w = (struct worker *)origin;

	if (!w)
		return;
	if (!pthread_equal(pthread_self(), w->thread))
		die("worker %u is not the one who is told", w->nr);
	w->news++;
}

static void choose(struct worker *w)
{
	unsigned int n = pick(w, 64);

	w->act = n < lost_of_64 ? LOST : n < 20 ? SPOIL : n < 24 ? TOO_BIG : (int)n % SPOIL;
	w->a = pick(w, NAMES);
	w->b = (w->a + 1 + pick(w, NAMES - 1)) % NAMES;
	w->value = (struct name){
		.there = true,
		.byte = (u8)(1 + pick(w, 255)),
		.size = pick(w, 4) ? 0 : 1 + pick(w, FILE_MAX),
	};
	if (w->act == WRITE)
		w->value.size = w->names[w->a].size;
	w->ret = 0;
	w->news = 0;
	atomic_store(&w->at, act_names[w->act]);
}

static int wanted(const struct worker *w)
{
	bool there = w->names[w->a].there;

	if (w->act == CREATE)
		return there ? -EEXIST : 0;
	if (w->act < SPOIL)
		return there ? 0 : -ENOENT;
	return w->act == TOO_BIG ? -EDQUOT : 0;
}

static void keep(struct worker *w)
{
	if (w->act == CREATE || w->act == WRITE)
		w->names[w->a] = w->value;
	if (w->act == RENAME)
		w->names[w->b] = w->names[w->a];
	if (w->act == REMOVE || w->act == RENAME)
		w->names[w->a].there = false;
}

/* The device has failed: what is on it? */
static void give_up(struct worker *w)
{
	w->names[w->a].unsure = true;
	w->names[w->b].unsure = true;
	w->stopped = true;
}

/* @ret: of the transaction. Return: whether it is to be tried again. */
static bool judge(struct worker *w, int ret)
{
	bool kept = w->act < SPOIL && !wanted(w);

	if (w->news != (!ret && kept && !(w->act == WRITE && !w->value.size)))
		die("worker %u %s: told %u times", w->nr, w->at, w->news);
	if (ret == -EBUSY) {
		atomic_fetch_add(&counts.undone, 1);
		return true;
	}
	if (ret == -EIO || ret == -EROFS || w->ret == -EIO) {
		give_up(w);
		return false;
	}
	if (ret != (w->act == TOO_BIG ? -EDQUOT : 0) || w->ret != wanted(w))
		die("worker %u %s: %d, then %d, not %d", w->nr, w->at, w->ret, ret,
		    wanted(w));
	if (kept)
		keep(w);
	atomic_fetch_add(kept ? &counts.changes : &counts.refused, 1);
	return false;
}

void make_change(struct worker *w)
{
	choose(w);
	while (judge(w, store_change(st, body, w)))
		;
	if (w->alien)
		atomic_fetch_add(&counts.aliens, 1);
}

static int transact(struct worker *w)
{
	struct store_tx *tx;
	int ret = store_begin(st, &tx);

	if (ret)
		return ret;
	if (body(tx, w))
		return store_commit(tx);
	if (w->act < SPOIL || pick(w, 2))
		return store_refuse(tx);
	store_abort(tx);
	return 0;
}

void make_transaction(struct worker *w)
{
	choose(w);
	while (judge(w, transact(w)))
		;
}

/* ---- what there is -------------------------------------------------------------------- */

static ssize_t read_name(const struct worker *owner, unsigned int i, u8 *data)
{
	struct afsx_fid fid;
	char name[32];
	size_t len = name_of(owner, i, name);
	int ret = store_lookup(st, &root, name, len, &fid);

	return ret ? ret : store_read(st, &fid, 0, data, FILE_MAX, NULL);
}

static bool is_all(const u8 *data, size_t len, u8 byte)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != byte)
			return false;
	return true;
}

static void expect_name(const struct worker *w, unsigned int i, const char *when)
{
	struct name none = { .there = false };
	const struct name *n = i < NAMES ? &w->names[i] : &none;
	u8 data[FILE_MAX];
	ssize_t got;

	if (n->unsure)
		return;
	got = read_name(w, i, data);
	if (got != (n->there ? (ssize_t)n->size : -ENOENT))
		die("%u-%u %s: %zd, not %s %u", w->nr, i, when, got,
		    n->there ? "there with" : "gone", n->size);
	if (n->there && !is_all(data, n->size, n->byte))
		die("%u-%u %s: other contents", w->nr, i, when);
}

void expect_names(struct worker *w, const char *when)
{
	for (unsigned int i = 0; i <= NAMES; i++)
		expect_name(w, i, when);
}

void read_one(struct worker *w, struct worker *owner)
{
	unsigned int i = pick(w, NAMES);
	u8 data[FILE_MAX];
	ssize_t got;

	atomic_store(&w->at, "reads");
	got = read_name(owner, i, data);
	if (got == -EIO)
		w->stopped = true;
	else if (got < 0 && got != -ENOENT && got != -ESTALE)
		die("%u-%u is read: %zd", owner->nr, i, got);
	if (got > 0 && (!data[0] || !is_all(data, (size_t)got, data[0])))
		die("%u-%u is half written", owner->nr, i);
	atomic_fetch_add(&counts.reads, 1);
}
