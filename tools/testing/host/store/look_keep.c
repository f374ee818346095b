// SPDX-License-Identifier: MIT
/* What is known of vnodes, and contents of directories, without a store around them. */
#include <errno.h>
#include <string.h>

#include "die.h"
#include "dir_image.h"
#include "look.h"
#include "store_tx.h"

static struct seen *c;

/* ---- struct seen ---------------------------------------------------------------- */

static struct store_status status(u32 vid, u32 vnode, u64 dv)
{
	return (struct store_status){
		.fid = { vid, vnode, vid + vnode }, .size = dv * 3, .dv = dv,
		.mtime_client = (s64)dv + vnode,
	};
}

/* The data version that is known, or a negative errno; and all of it is right. */
static s64 known(u32 vid, u32 vnode)
{
	struct store_status s, should;
	u64 ticket;
	ssize_t len = seen_get(c, &(struct afsx_fid){ vid, vnode, 0 }, &s, NULL, &ticket);

	if (len < 0)
		return len;
	should = status(vid, vnode, s.dv);
	expect("uniquifier", s.fid.unique, should.fid.unique);
	expect("size", (s64)s.size, (s64)should.size);
	expect("time", s.mtime_client, should.mtime_client);
	return (s64)s.dv;
}

static void put(u32 vid, u32 vnode, u64 dv, u64 mark)
{
	struct store_status s = status(vid, vnode, dv);

	seen_put(c, &s, NULL, 0, mark);
}

static void shut(u32 vid, u32 vnode)
{
	seen_shut(c, &(struct afsx_fid){ vid, vnode, 0 });
}

static void open_as(u32 vid, u32 vnode, u64 dv, bool shown, u64 ticket)
{
	struct seen_change change = { .s = status(vid, vnode, dv), .shown = shown };

	seen_open(c, &change, ticket);
}

static void test_marks(void)
{
	u64 mark = seen_mark(c, 1, 2);

	expect("nothing", known(1, 2), -ENOENT);
	put(1, 2, 5, mark);
	expect("put", known(1, 2), 5);
	shut(1, 2);
	expect("shut", known(1, 2), -ENOENT);
	put(1, 2, 5, mark);
	expect("put with the mark of before", known(1, 2), -ENOENT);
	mark = seen_mark(c, 1, 2);
	put(1, 2, 5, mark);
	expect("put while it is shut", known(1, 2), -ENOENT);
	open_as(1, 2, 6, true, 0);
	expect("not done", known(1, 2), -ENOENT);
	put(1, 2, 5, mark);
	expect("put with a mark from while it was shut", known(1, 2), -ENOENT);
	put(1, 2, 5, seen_mark(c, 1, 2));
	expect("put again", known(1, 2), 5);
}

static void test_tickets(void)
{
	struct store_status s;
	u64 ticket;

	shut(1, 2);
	shut(1, 2);
	open_as(1, 2, 6, true, 9);
	put(1, 2, 5, seen_mark(c, 1, 2));
	open_as(1, 2, 7, true, 9);
	expect("changed twice", known(1, 2), 7);
	seen_get(c, &(struct afsx_fid){ 1, 2, 3 }, &s, NULL, &ticket);
	expect("ticket", (s64)ticket, 9);
	put(1, 2, 7, seen_mark(c, 1, 2));
	seen_get(c, &(struct afsx_fid){ 1, 2, 3 }, &s, NULL, &ticket);
	expect("ticket of what is durable", (s64)ticket, 0);
	shut(1, 2);
	shut(1, 2);
	open_as(1, 2, 8, true, 10);
	open_as(1, 2, 8, false, 10);
	expect("changed, then removed", known(1, 2), -ENOENT);
}

/* The volume is removed by the second of a batch. */
static void test_eras(void)
{
	unsigned int era = seen_era(c);

	shut(1, 2);
	put(1, 4000, 1, seen_mark(c, 1, 4000));
	expect("of this era", known(1, 4000), 1);
	seen_shut_all(c);
	expect("era", seen_era(c), 0);
	expect("of the era before", known(1, 4000), -ENOENT);
	open_as(1, 2, 9, true, 11);
	expect("while volumes change", known(1, 2), -ENOENT);
	seen_open_all(c);
	expect("after they did", known(1, 2), -ENOENT);
	expect("era", seen_era(c) != era && seen_era(c), true);
	put(1, 2, 3, seen_mark(c, 1, 2));
	expect("of the new era", known(1, 2), 3);
}

static ssize_t acl_of(u32 vnode, char *acl)
{
	struct store_status s;
	u64 ticket;

	return seen_get(c, &(struct afsx_fid){ 1, vnode, 0 }, &s, acl, &ticket);
}

/* Those of more directories than there may be lists; and one that is too long. */
static void test_lists(void)
{
	char list[STORE_ACL_MAX + 1], acl[STORE_ACL_MAX];
	u32 kept = 0, nr = SEEN_ACL_BYTES / STORE_ACL_MAX + 100;
	struct store_status long_one = { .fid = { 2, 1, 1 } };

	memset(list, 'l', sizeof(list));
	seen_put(c, &long_one, list, sizeof(list), seen_mark(c, 2, 1));
	expect("too long", known(2, 1), -ENOENT);
	for (u32 i = 0; i < nr; i++) {
		struct store_status s = status(1, 2 * i + 1, 1);

		memset(list, 'a' + i % 26, sizeof(list));
		seen_put(c, &s, list, STORE_ACL_MAX, seen_mark(c, 1, 2 * i + 1));
	}
	for (u32 i = 0; i < nr; i++) {
		memset(list, 'a' + i % 26, sizeof(list));
		if (acl_of(2 * i + 1, acl) < 0)
			continue;
		expect("list", memcmp(acl, list, sizeof(acl)), 0);
		kept++;
	}
	expect("lists that are kept", kept, nr - 100);
	shut(1, 1);
	open_as(1, 1, 2, true, 1);
	expect("without a list", acl_of(1, acl), 0);
}

static void *change_on(void *arg)
{
	(void)arg;
	for (u64 dv = 1; dv < 300000; dv++) {
		shut(9, 2);
		open_as(9, 2, dv, true, dv);
	}
	return NULL;
}

/* Half of one status, and half of another? */
static void test_halves(void)
{
	pthread_t thread;
	s64 last = 0, is;

	must(-pthread_create(&thread, NULL, change_on, NULL), "thread");
	while (last < 299999) {
		is = known(9, 2);
		if (is != -ENOENT && is < last)
			die("%jd after %jd", (intmax_t)is, (intmax_t)last);
		last = max(last, is);
	}
	pthread_join(thread, NULL);
}

/* More than fit: what is there is right. Those of one volume fit as long as they can. */
static void test_many(void)
{
	u32 found = 0;

	seen_shut_all(c);
	seen_open_all(c);
	for (u32 i = 1; i <= SEEN_VNODES; i++)
		put(7, 2 * i, i, seen_mark(c, 7, 2 * i));
	for (u32 i = 1; i <= SEEN_VNODES; i++)
		expect("one of many", known(7, 2 * i), i);
	for (u32 i = 1; i <= SEEN_VNODES; i++)
		put(8, i, i + 1, seen_mark(c, 8, i));
	for (u32 i = 1; i <= SEEN_VNODES; i++) {
		s64 old = known(7, 2 * i), new = known(8, i);

		found += (old > 0) + (new > 0);
		if ((old > 0 && old != i) || (new > 0 && new != i + 1))
			die("vnode %u: %jd and %jd", i, (intmax_t)old, (intmax_t)new);
	}
	expect("of more than fit", found <= SEEN_VNODES && found > SEEN_VNODES / 2, true);
}

/* ---- struct places -------------------------------------------------------------- */

/* A directory of about 100 KiB; @vn is its vnode. */
static struct dir_image *some_image(struct vnode *vn)
{
	struct afsx_fid dir, file;
	struct dir_image *m;
	struct store_tx *tx;
	struct reader *r;
	char name[201];
	int ret;

	fresh_store();
	dir = make_dir(NULL, "d");
	tx = begin();
	file = make_file(tx, &dir, "file");
	for (unsigned int i = 0; i < 500; i++) {
		memset(name, 'x', sizeof(name));
		name[i % 200] = (char)('a' + i / 200);
		must(store_link(tx, &dir, name, 200, &file), "link");
	}
	must(store_commit(tx), "commit");
	r = reader_get(st, &ret);
	must(ret ? ret : vnode_load(&r->db, &dir, vn), "load");
	m = dir_image_load(&r->db, vn);
	must(reader_put(st, r, m ? 0 : -ENOMEM), "image");
	return m;
}

static bool has(struct places *p, const struct store_status *s, unsigned int era)
{
	struct dir_image *m = places_get(p, s, era);

	dir_image_put(m);
	return m;
}

static void test_versions(struct places *p, struct store_status s, struct dir_image *m)
{
	for (unsigned int i = 0; i < 10; i++)
		expect("worth it", places_worth(p, &s, 1), i == PLACES_AFTER);
	expect("not put", has(p, &s, 1), false);
	places_put(p, &s, 1, m);
	expect("put", has(p, &s, 1), true);
	expect("of another era", has(p, &s, 2), false);
	s.dv++;
	expect("of another version", has(p, &s, 1), false);
	s.dv--;
	s.fid.unique++;
	expect("of another directory", has(p, &s, 1), false);
}

/* More than fit. The one that is looked at all the time stays. */
static void test_room(struct places *p, struct store_status s, struct dir_image *m)
{
	u32 fit = PLACES_BYTES / (u32)dir_image_bytes(m), found = 0, first = s.fid.vnode;

	for (u32 i = 0; i < 4 * fit; i++) {
		s.fid.vnode = first + 2 * i;
		places_put(p, &s, 1, m);
		expect("the new one", has(p, &s, 1), true);
		s.fid.vnode = first;
		expect("the one in use", has(p, &s, 1), true);
	}
	for (u32 i = 0; i < 4 * fit; i++) {
		s.fid.vnode = first + 2 * i;
		found += has(p, &s, 1);
	}
	expect("of more than fit", found <= fit && found > fit / 2, true);
}

static void test_images(void)
{
	struct places *p = places_create();
	struct vnode vn;
	struct dir_image *m = some_image(&vn);

	test_versions(p, vn.s, m);
	test_room(p, vn.s, m);
	dir_image_put(m);
	vnode_release(&vn);
	places_destroy(p);
}

void test_keepers(void)
{
	c = seen_create();
	test_marks();
	test_tickets();
	test_eras();
	test_lists();
	test_halves();
	test_many();
	seen_destroy(c);
	test_images();
}
