// SPDX-License-Identifier: MIT
/*
 * store-look: names and status that readers are given from memory. They must be those of
 * the last change that anybody was told of, and never of one that could be lost: after
 * changes by the same thread and by others, alone and in batches of which some or all are
 * undone, while the log is being written, after it could not be, and after volumes were
 * restored, renewed and removed. What is asked for twice must come from memory, or else
 * nothing of that would be tested.
 *
 * look_keep.c has the parts by themselves, look_batch.c batches, look_race.c many threads.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "hang.h"
#include "log.h"
#include "look.h"
#include "memdev.h"
#include "store_restore.h"
#include "wrap.h"

struct store *st;
struct afsx_fid root = { 0, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
atomic_uint asked;

static void (*between)(void);	/* once, before somebody asks struct seen */
static atomic_bool armed;
static atomic_bool watching;
static atomic_int fault;
static sem_t held;
static sem_t go_on;
static sem_t came;

/* ---- between the store and the device ------------------------------------------- */

struct reader *__wrap_reader_get_for(struct store *store,
				     const struct afsx_fid *fid, int *err)
{
	atomic_fetch_add(&asked, 1);
	return __real_reader_get_for(store, fid, err);
}

ssize_t __wrap_seen_get(struct seen *c, const struct afsx_fid *fid,
			struct store_status *s, char *acl, u64 *ticket)
{
	void (*fn)(void) = between;

	if (fn) {
		between = NULL;
		fn();
	}
	return __real_seen_get(c, fid, s, acl, ticket);
}

ssize_t __wrap_rows_status(struct rows *rows, const struct afsx_fid *fid,
			   struct store_status *s, char *acl)
{
	atomic_fetch_add(&asked, 1);
	return __real_rows_status(rows, fid, s, acl);
}

int __wrap_blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf,
			    size_t len)
{
	if (off >= 2 * BLK_SIZE && atomic_exchange(&armed, false)) {
		int error = atomic_load(&fault);

		sem_post(&held);
		sem_wait(&go_on);
		if (error)
			return error;
	}
	return __real_blkdev_write_fua(dev, off, buf, len);
}

int __wrap_wal_wait(struct wal *w, u64 ticket)
{
	look_told();
	return __real_wal_wait(w, ticket);
}

int __wrap_wal_barrier(struct wal *w, unsigned int losses)
{
	if (!wal_is_settled(w))
		look_told();
	return __real_wal_barrier(w, losses);
}

void device_hold(int error)
{
	atomic_store(&fault, error);
	atomic_store(&armed, true);
}

void device_await(void)
{
	sem_wait(&held);
}

void device_go_on(void)
{
	sem_post(&go_on);
}

void look_watch(bool on)
{
	atomic_store(&watching, on);
	while (!on && !sem_trywait(&came))
		;
}

void look_await(void)
{
	sem_wait(&came);
}

void look_told(void)
{
	if (atomic_load(&watching))
		sem_post(&came);
}

/* ---- what all parts do ---------------------------------------------------------- */

void expect(const char *what, s64 is, s64 should)
{
	if (is != should)
		die("%s: %jd, not %jd", what, (intmax_t)is, (intmax_t)should);
}

static void open_store(void)
{
	struct store_config cfg = { .uri = "memory", .flags = STORE_TAKEOVER };
	struct errbuf err = { "" };

	if (store_open(&cfg, &st, &err))
		die("open: %s", err.text);
}

void fresh_store(void)
{
	struct store_format_opts format = { .uri = "memory", .force = true };
	struct errbuf err = { "" };
	struct store_tx *tx;

	if (st)
		store_close(st);
	memdev_create(UINT64_C(256) << 20);
	if (store_format(&format, &err))
		die("format: %s", err.text);
	open_store();
	tx = begin();
	must(store_vol_create(tx, "look", 0, &root.vid), "volume");
	must(store_commit(tx), "commit");
}

struct store_tx *begin(void)
{
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	return tx;
}

/* @ret: of what was done in @tx, which is ended if it was for that alone. */
static int end(struct store_tx *tx, bool alone, int ret)
{
	if (!alone)
		return ret;
	if (!ret)
		return store_commit(tx);
	store_abort(tx);
	return ret;
}

static struct afsx_fid make(struct store_tx *tx, const struct afsx_fid *dir,
			    const char *name, enum afsx_ftype type)
{
	struct store_tx *own = tx ? tx : begin();
	struct afsx_fid fid;
	int ret = store_create(own, dir, name, strlen(name), type, NULL, NULL, &fid);

	must(end(own, !tx, ret), "create");
	return fid;
}

struct afsx_fid make_file(struct store_tx *tx, const struct afsx_fid *dir,
			  const char *name)
{
	return make(tx, dir, name, AFSX_FTYPE_FILE);
}

struct afsx_fid make_dir(struct store_tx *tx, const char *name)
{
	return make(tx, &root, name, AFSX_FTYPE_DIR);
}

int set_mtime(struct store_tx *tx, const struct afsx_fid *fid, s64 mtime)
{
	struct store_attr attr = { .mask = STORE_SET_MTIME, .mtime = mtime };
	struct store_tx *own = tx ? tx : begin();

	return end(own, !tx, store_setattr(own, fid, &attr));
}

s64 look_up(const struct afsx_fid *dir, const char *name)
{
	struct afsx_fid fid;
	int ret = store_lookup(st, dir, name, strlen(name), &fid);

	if (!ret)
		expect("volume of what was found", fid.vid, dir->vid);
	return ret ? ret : (s64)fid.vnode;
}

s64 look_at(const struct afsx_fid *fid)
{
	struct store_status s;
	int ret = store_getattr(st, fid, &s);

	return ret ? ret : s.mtime_client;
}

/* ---- one thread ----------------------------------------------------------------- */

#define WARM	8u	/* look-ups after which they come from memory */

/* Until it must be in memory, and then from there. */
static void expect_name(const char *what, const struct afsx_fid *dir,
			const char *name, s64 vnode)
{
	unsigned int before;

	for (unsigned int i = 0; i < WARM; i++)
		expect(what, look_up(dir, name), vnode);
	before = atomic_load(&asked);
	expect(what, look_up(dir, name), vnode);
	expect(what, look_up(dir, "never there"), -ENOENT);
	expect("questions to others", atomic_load(&asked) - before, 0);
}

static void expect_mtime(const char *what, const struct afsx_fid *fid, s64 mtime)
{
	unsigned int before = atomic_load(&asked);

	expect(what, look_at(fid), mtime);
	expect("questions to others", atomic_load(&asked) - before, 0);
}

static void rename_to(const struct afsx_fid *dir, const char *from, const char *to)
{
	struct store_tx *tx = begin();

	must(store_rename(tx, dir, from, strlen(from), dir, to, strlen(to)), "rename");
	must(store_commit(tx), "commit");
}

static void remove_from(const struct afsx_fid *dir, const char *name, bool is_dir)
{
	struct store_tx *tx = begin();

	must(store_unlink(tx, dir, name, strlen(name), is_dir, NULL), "remove");
	must(store_commit(tx), "commit");
}

static void fill(const struct afsx_fid *dir, unsigned int names)
{
	struct store_tx *tx = begin();
	struct afsx_fid file = make_file(tx, dir, "file");
	char name[32];

	for (unsigned int i = 0; i < names; i++)
		must(store_link(tx, dir, name,
				(size_t)sprintf(name, "another name %u", i), &file), "link");
	must(store_commit(tx), "commit");
}

/* In a directory with so many names, which has an index or not. */
static void test_names(unsigned int names)
{
	struct afsx_fid dir, a, b;

	fresh_store();
	dir = make_dir(NULL, "d");
	fill(&dir, names);
	a = make_file(NULL, &dir, "a");
	expect_name("made", &dir, "a", a.vnode);
	expect_name("not made", &dir, "b", -ENOENT);
	rename_to(&dir, "a", "b");
	expect_name("moved away", &dir, "a", -ENOENT);
	expect_name("moved", &dir, "b", a.vnode);
	b = make_file(NULL, &dir, "a");
	expect_name("made again", &dir, "a", b.vnode);
	rename_to(&dir, "b", "a");
	expect_name("moved over another", &dir, "a", a.vnode);
	expect("what was moved over", look_at(&b), -ENOENT);
	remove_from(&dir, "a", false);
	expect_name("removed", &dir, "a", -ENOENT);
	expect("what was removed", look_at(&a), -ENOENT);
	b = make_file(NULL, &dir, "a");
	expect_name("made once more", &dir, "a", b.vnode);
	expect("in a file", look_up(&b, "a"), -ENOTDIR);
	b.unique++;
	expect("another of that number", look_at(&b), -ESTALE);
	a = make_dir(NULL, "empty");
	expect("of an empty directory", look_at(&a) > 0, true);
	remove_from(&root, "empty", true);
	expect("of one that was removed", look_at(&a), -ENOENT);
	expect("in one that was removed", look_up(&a, "a"), -ENOENT);
}

static void expect_acl(const struct afsx_fid *fid, const char *list)
{
	unsigned int before = atomic_load(&asked);
	char acl[STORE_ACL_MAX];
	struct store_status s;

	expect("list", store_getattr_acl(st, fid, &s, acl, sizeof(acl)),
	       (s64)strlen(list));
	expect("what it says", memcmp(acl, list, strlen(list)), 0);
	expect("questions to others", atomic_load(&asked) - before, 0);
}

static void test_status(void)
{
	static const char *const lists[] = { "1\n0\nalice 7\n", "", "2\n0\nbob 1\neve 3\n" };
	struct afsx_fid dir, file;

	fresh_store();
	dir = make_dir(NULL, "d");
	file = make_file(NULL, &dir, "f");
	for (s64 i = 1; i < 10; i++) {
		must(set_mtime(NULL, &file, i), "setattr");
		expect_mtime("changed", &file, i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct store_tx *tx = begin();

		must(store_acl_set(tx, &dir, lists[i], strlen(lists[i])), "set");
		must(store_commit(tx), "commit");
		expect_acl(&dir, lists[i]);
		expect_acl(&file, lists[i]);
	}
}

/* ---- volumes -------------------------------------------------------------------- */

static u32 clone_volume(void)
{
	struct store_tx *tx = begin();
	u32 id;

	must(store_vol_clone(tx, root.vid, AFSX_VOL_RO, &id), "clone");
	must(store_commit(tx), "commit");
	return id;
}

static void remove_volume(u32 id)
{
	struct store_tx *tx = begin();

	must(store_vol_remove(tx, id), "remove volume");
	must(store_commit(tx), "commit");
}

/* A clone that is renewed, beside a volume that goes on to change. */
static void test_clones(void)
{
	struct afsx_fid dir, file, in, of;

	fresh_store();
	dir = make_dir(NULL, "d");
	file = make_file(NULL, &dir, "a");
	in = dir;
	of = file;
	for (s64 i = 1; i < 4; i++) {
		must(set_mtime(NULL, &file, i), "setattr");
		in.vid = clone_volume();
		of.vid = in.vid;
		must(set_mtime(NULL, &file, -i), "setattr");
		rename_to(&dir, "a", "b");
		expect_name("in the clone", &in, "a", file.vnode);
		expect_name("gone from the volume", &dir, "a", -ENOENT);
		expect("of the clone", look_at(&of), i);
		expect("of the volume", look_at(&file), -i);
		rename_to(&dir, "b", "a");
		expect_name("still in the clone", &in, "b", -ENOENT);
	}
	remove_volume(in.vid);
	expect("in no volume", look_up(&in, "a"), -ENOMEDIUM);
	expect("of no volume", look_at(&of), -ENOMEDIUM);
	remove_volume(root.vid);
	expect("in no volume", look_up(&dir, "a"), -ENOMEDIUM);
	expect("of no volume", look_at(&file), -ENOMEDIUM);
}

/* Other contents, and another time, with the number and the data version of before. */
static void restore_dir(struct store_status s, const struct afsx_fid *file,
			const char *name, bool publish)
{
	struct store_restored as = { .name = "look", .next_unique = 100 };
	const struct afsx_fid dir = s.fid;
	s64 mtime = look_at(&dir);
	struct store_restore *r;
	struct store_status top;

	must(store_getattr(st, &root, &top), "getattr");
	must(store_restore_over(st, root.vid, &r), "restore");
	s.mtime_client = 77;
	must(store_restore_put(r, &top, NULL, NULL, 0), "put");
	must(store_restore_put(r, &s, NULL, NULL, 0), "put");
	must(store_restore_enter(r, AFSX_ROOT_VNODE, "d", 1, &dir), "enter");
	must(store_restore_enter(r, dir.vnode, name, 1, file), "enter");
	must(store_restore_links(r, dir.vnode, 2, &root), "links");
	must(store_restore_links(r, file->vnode, 1, &dir), "links");
	must(store_restore_links(r, AFSX_ROOT_VNODE, 3, &root), "links");
	must(store_restore_status(r, &s), "status");
	must(store_restore_pause(r), "pause");
	expect("of what is not restored yet", look_at(&dir), mtime);
	if (publish)
		must(store_restore_publish(r, &as), "publish");
	else
		expect("not restored yet", look_up(&dir, "a"), file->vnode);
	store_restore_end(r);
	while (store_collect(st, 1000) > 0)
		;
}

static void test_restored(void)
{
	struct afsx_fid dir, file;
	struct store_status s;

	fresh_store();
	dir = make_dir(NULL, "d");
	file = make_file(NULL, &dir, "a");
	expect_name("before", &dir, "a", file.vnode);
	must(set_mtime(NULL, &dir, 5), "setattr");
	must(store_getattr(st, &dir, &s), "getattr");
	restore_dir(s, &file, "b", false);
	expect_name("not restored", &dir, "a", file.vnode);
	expect("of what was not restored", look_at(&dir), 5);
	restore_dir(s, &file, "b", true);
	expect_name("restored", &dir, "b", file.vnode);
	expect_name("no more there", &dir, "a", -ENOENT);
	expect("of what was restored", look_at(&dir), 77);
}

static struct store_status old;
static struct afsx_fid old_file;

static void restore_old(void)
{
	restore_dir(old, &old_file, "c", true);
	expect("of what was restored", look_at(&old.fid), 77);
}

/*
 * A volume is renewed while somebody begins to look, and then has a version of its directory
 * that it had before, with other contents.
 */
static void test_restored_meanwhile(void)
{
	struct afsx_fid dir;

	fresh_store();
	dir = make_dir(NULL, "d");
	old_file = make_file(NULL, &dir, "a");
	expect_name("before", &dir, "a", old_file.vnode);
	must(store_getattr(st, &dir, &old), "getattr");
	rename_to(&dir, "a", "b");
	between = restore_old;
	expect("contents of long ago", look_up(&dir, "a"), -ENOENT);
	expect_name("restored", &dir, "c", old_file.vnode);
}

int main(void)
{
	const char *seconds = getenv("LOOK_SECONDS");

	log_setup("store-look", LOG_ERROR);
	hang_watch(NULL);
	test_keepers();
	test_names(0);
	test_names(2000);
	test_status();
	test_clones();
	test_restored();
	test_restored_meanwhile();
	hang_over();
	test_batches();
	hang_over();
	test_race(seconds ? (unsigned int)atoi(seconds) : 4);
	store_close(st);
	return 0;
}
