// SPDX-License-Identifier: MIT
/* The store against the model, once no transaction is under way. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "sound.h"

#define RUN_MAX		64u	/* blocks read at once */
#define COLLECT_STEP	100u
#define LOOKUPS		50u	/* in each directory, where there are large ones */

/*
 * Whether the store gave an answer.  A damaged one may refuse to, but not say that
 * there is nothing.
 */
static bool answered(s64 ret)
{
	if (ret >= 0)
		return true;
	if (!w.damaged || ret != -EUCLEAN)
		wrong("%s", strerror((int)-ret));
	w.refused++;
	return false;
}

/* ---- vnodes ----------------------------------------------------------------- */

static void same(const struct volume *v, const struct node *n, const char *what,
		 u64 got, u64 want)
{
	if (got != want)
		wrong("%u.%u: %s is %ju, not %ju", v->v.id, n->s.fid.vnode,
		      what, (uintmax_t)got, (uintmax_t)want);
}

static void verify_status(const struct volume *v, const struct node *n,
			  const struct store_status *s)
{
	same(v, n, "uniquifier", s->fid.unique, n->s.fid.unique);
	same(v, n, "type", s->type, n->s.type);
	same(v, n, "size", s->size, n->s.size);
	same(v, n, "data version", s->dv, n->s.dv);
	same(v, n, "link count", s->nlink, n->s.nlink);
	same(v, n, "mode", s->mode, n->s.mode);
	same(v, n, "owner", s->owner, n->s.owner);
	same(v, n, "group", s->group, n->s.group);
	same(v, n, "author", s->author, n->s.author);
	same(v, n, "parent", s->parent_vnode, n->s.parent_vnode);
	same(v, n, "parent's uniquifier", s->parent_unique, n->s.parent_unique);
	if (!w.pending)
		same(v, n, "use", s->used_kib, n->s.used_kib);
	if (n->mtime_known)
		same(v, n, "time", (u64)s->mtime_client,
		     (u64)n->s.mtime_client);
}

/* Read blocks [@from, @from + @nr) as far as the file goes and compare them. */
static void verify_run(const struct volume *v, const struct node *n, u64 from,
		       u32 nr, u8 *buf)
{
	static const u8 zeros[BLK_SIZE];
	struct afsx_fid fid = fid_of(v, n);
	u64 off = from << BLK_SHIFT;
	size_t len = nr * BLK_SIZE;
	ssize_t got;

	if (off >= n->s.size)
		return;
	len = (size_t)min((u64)len, n->s.size - off);
	got = store_read(w.st, &fid, off, buf, nr * BLK_SIZE, NULL);
	if (!answered(got))
		return;
	same(v, n, "result of a read", (u64)got, len);
	for (u32 i = 0; i * BLK_SIZE < len; i++) {
		const struct page *p = node_block(n, from + i);

		if (memcmp(buf + i * BLK_SIZE, p ? p->data : zeros,
			   min((size_t)BLK_SIZE, len - i * BLK_SIZE)))
			wrong("%u.%u: block %ju differs", v->v.id,
			      n->s.fid.vnode, (uintmax_t)from + i);
	}
}

/* All blocks, and those around them, which are often holes. */
static void verify_file(const struct volume *v, const struct node *n)
{
	static u8 buf[RUN_MAX * BLK_SIZE];
	u64 next = 0;

	for (size_t i = 0; i < n->nr_blocks; i++) {
		u64 from = n->block[i].nr;

		from -= from ? 1 : 0;
		if (n->block[i].nr < next)
			continue;
		verify_run(v, n, max(from, next), RUN_MAX, buf);
		next = max(from, next) + RUN_MAX;
	}
	verify_run(v, n, 0, 1, buf);
	if (n->s.size)
		verify_run(v, n, (n->s.size - 1) >> BLK_SHIFT, 1, buf);
}

/* The entries of a directory as the store lists them. */
struct listing {
	const struct volume *v;
	const struct node *dir;
	u32 entries;
	u32 bad;
};

/* All but the first name say their numbers behind a letter. */
static u32 number_of(const char *name, size_t len)
{
	u32 nr = 0;

	for (size_t i = 1; i < len && isdigit((unsigned char)name[i]); i++)
		nr = 10 * nr + (u32)(name[i] - '0');
	return nr < w.names && strlen(w.name[nr]) == len &&
	       !memcmp(w.name[nr], name, len) ? nr : w.names;
}

static bool see_entry(void *ctx, const char *name, size_t len,
		      const struct afsx_fid *fid)
{
	struct listing *l = ctx;
	u32 want, i;

	l->entries++;
	if (len == 1 && name[0] == '.') {
		want = l->dir->s.fid.vnode;
	} else if (len == 2 && !memcmp(name, "..", 2)) {
		want = l->dir->s.parent_vnode;
	} else {
		i = number_of(name, len);
		want = i < w.names ? l->dir->entry[i] : 0;
	}
	if (!want || fid->vnode != want ||
	    fid->unique != node_find(l->v, want)->s.fid.unique)
		l->bad++;
	return true;
}

static void verify_lookups(const struct volume *v, const struct node *n)
{
	struct afsx_fid dir = fid_of(v, n), fid = { 0 };

	for (u32 i = 0; i < LOOKUPS; i++) {
		const char *name = w.name[pick(w.names)];
		u32 want = n->entry[number_of(name, strlen(name))];
		int ret = store_lookup(w.st, &dir, name, strlen(name), &fid);

		if (ret == -ENOENT ? want : ret || fid.vnode != want)
			wrong("%u.%u: %s leads to %u, not %u (%d)", v->v.id,
			      n->s.fid.vnode, name, fid.vnode, want, ret);
	}
}

static void verify_dir(const struct volume *v, const struct node *n)
{
	struct listing l = { .v = v, .dir = n };
	struct afsx_fid fid = fid_of(v, n);
	char acl[STORE_ACL_MAX];
	ssize_t acl_len;

	if (w.large)
		verify_lookups(v, n);
	if (answered(store_readdir(w.st, &fid, see_entry, &l)))
		same(v, n, "number of entries", l.entries, n->names + 2);
	same(v, n, "number of wrong entries", l.bad, 0);
	acl_len = store_acl_get(w.st, &fid, acl, sizeof(acl));
	if (!answered(acl_len))
		return;
	same(v, n, "length of the access list", (u64)acl_len, n->acl_len);
	if (memcmp(acl, n->acl, n->acl_len))
		wrong("%u.%u: another access list", v->v.id, n->s.fid.vnode);
}

static void verify_link(const struct volume *v, const struct node *n)
{
	struct afsx_fid fid = fid_of(v, n);
	char target[STORE_TARGET_MAX + 1] = "";
	ssize_t len;

	len = store_read(w.st, &fid, 0, target, STORE_TARGET_MAX, NULL);
	if (!answered(len))
		return;
	same(v, n, "length of the target", (u64)len, strlen(n->target));
	if (strcmp(target, n->target))
		wrong("%u.%u: another target", v->v.id, n->s.fid.vnode);
}

static void verify_node(const struct volume *v, const struct node *n)
{
	struct afsx_fid fid = fid_of(v, n);
	struct store_status s;

	if (!answered(store_getattr(w.st, &fid, &s)))
		return;
	verify_status(v, n, &s);
	if (n->s.type == AFSX_FTYPE_FILE)
		verify_file(v, n);
	else if (n->s.type == AFSX_FTYPE_DIR)
		verify_dir(v, n);
	else
		verify_link(v, n);
}

void verify_some(void)
{
	struct volume *v = a_volume(false);
	struct node *n = v ? a_node(v, 0) : NULL;

	if (n)
		verify_node(v, n);
}

/* ---- volumes ---------------------------------------------------------------- */

static void verify_volume(const struct volume *v)
{
	struct store_vol s;

	if (!answered(store_vol_get(w.st, v->v.id, &s)))
		return;
	if (!w.pending &&
	    (s.used_kib != v->v.used_kib || s.files != v->v.files))
		wrong("volume %u: %ju KiB and %ju vnodes, not %ju and %ju",
		      v->v.id, (uintmax_t)s.used_kib, (uintmax_t)s.files,
		      (uintmax_t)v->v.used_kib, (uintmax_t)v->v.files);
	if (s.rw_id != v->v.rw_id || s.type != v->v.type ||
	    s.quota_kib != v->v.quota_kib || s.online != v->v.online ||
	    strcmp(s.name, v->v.name) || strcmp(s.motd, v->v.motd) ||
	    strcmp(s.offline_msg, v->v.offline_msg))
		wrong("volume %u (%s): other attributes", v->v.id, s.name);
	if (answered(store_vol_find(w.st, v->v.name, strlen(v->v.name), &s)) &&
	    s.id != v->v.id)
		wrong("%s is volume %u, not %u", v->v.name, s.id, v->v.id);
	for (u32 i = 0; i < v->nr; i++)
		verify_node(v, v->node[i]);
}

/* Blocks of file data that the store has in use, and what it never gives. */
static u64 data_blocks(void)
{
	struct store_tx *tx;
	u64 total, left;

	/* to begin lets freed blocks be used again */
	must(store_begin(w.st, &tx), 0);
	store_abort(tx);
	store_space(w.st, &total, &left);
	return (total - left) / (BLK_SIZE / 1024);
}

void collect_all(void)
{
	int ret;

	do {
		ret = store_collect(w.st, COLLECT_STEP);
	} while (ret > 0);
	must(ret, 0);
	w.pending = false;
}

static void verify_space(void)
{
	static u64 reserve = U64_MAX;

	if (reserve == U64_MAX)
		reserve = data_blocks() - w.pages;
	if (data_blocks() - reserve != w.pages)
		wrong("%ju blocks of data are in use, should be %ju",
		      (uintmax_t)(data_blocks() - reserve), (uintmax_t)w.pages);
}

void verify_volumes(void)
{
	struct store_vol s = { .id = 0 };
	u32 want = 0, got = 0;
	int ret;

	for (u32 i = 0; i < VOLUMES_MAX; i++) {
		if (!w.vol[i].v.id)
			continue;
		want++;
		verify_volume(&w.vol[i]);
	}
	while ((ret = store_vol_next(w.st, s.id, &s)) > 0)
		got++;
	if (answered(ret) && got != want)
		wrong("%u volumes, should be %u", got, want);
}

void verify_all(void)
{
	say("comparison");
	collect_all();
	verify_volumes();
	verify_space();
	if (check_store(w.st))
		wrong("the check found problems");
}
