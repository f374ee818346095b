// SPDX-License-Identifier: MIT
/*
 * Fuzz target: directory blobs, editing.
 *
 * Input: 0 and edits of a new directory, or 1, a block to begin with, and edits.
 * An edit is a byte that says what to do, a byte for the length of the name, and
 * a byte that the name is made of.
 *
 * A new directory must behave like a set of names at every step and stay sound.
 * One that came from elsewhere may fail any edit, but only so.
 */
#include "blob.h"
#include "fuzz.h"

#define EDIT_SIZE	3
#define MAX_MODEL	256

enum { ADD, REMOVE, REPLACE, LOOKUP, FORGET_HINT, NR_EDITS };

/* A name is its length and its letter; the letters cover several hash chains. */
struct name {
	u32 len;
	char text[AFSX_NAME_MAX + 1];
};

struct model {
	struct blob b;
	bool trusted;
	u32 nr;
	u16 key[MAX_MODEL];
	u32 vnode[MAX_MODEL];
};

static void make_name(struct name *n, u8 len, u8 letter)
{
	n->len = len ? len : 1;
	memset(n->text, letter && letter != '/' ? letter : 'a', sizeof(n->text));
	n->text[0] = (char)('A' + len % 26);
}

static u32 find(const struct model *m, u16 key)
{
	u32 i;

	for (i = 0; i < m->nr && m->key[i] != key; i++)
		;
	return i;
}

static int apply(struct model *m, u32 what, const struct name *n, struct afsx_fid *fid)
{
	switch (what) {
	case ADD:
		return afsx_dir_add(&m->b.ed, n->text, n->len, fid);
	case REMOVE:
		return afsx_dir_remove(&m->b.ed, n->text, n->len, fid);
	case REPLACE:
		return afsx_dir_replace(&m->b.ed, n->text, n->len, fid);
	case LOOKUP:
		return afsx_dir_lookup(&m->b.ed.rd, n->text, n->len, fid);
	default:
		m->b.ed.hint = 0;
		return 0;
	}
}

static void expect(struct model *m, u32 what, u32 i, int ret, const struct afsx_fid *fid)
{
	bool there = i < m->nr;

	switch (what) {
	case ADD:
		/* -EIO: the blob may not grow any more */
		MUST(there ? ret == -EEXIST : ret == 0 || ret == -EIO);
		break;
	case REMOVE:
	case LOOKUP:
		MUST(ret == (there ? 0 : -ENOENT));
		MUST(ret || fid->vnode == m->vnode[i]);
		break;
	case REPLACE:
		MUST(ret == (there ? 0 : -ENOENT));
		break;
	}
}

static void update(struct model *m, u32 what, u32 i, u16 key, u32 vnode)
{
	if (what == ADD) {
		m->key[m->nr] = key;
		m->vnode[m->nr++] = vnode;
	} else if (what == REMOVE) {
		m->nr--;
		m->key[i] = m->key[m->nr];
		m->vnode[i] = m->vnode[m->nr];
	} else if (what == REPLACE) {
		m->vnode[i] = vnode;
	}
}

static void edit(struct model *m, const u8 *in, u32 step)
{
	struct afsx_fid fid = { .vnode = step + 1, .unique = step };
	u16 key = (u16)((in[1] ? in[1] : 1) << 8 | (in[2] && in[2] != '/' ? in[2] : 'a'));
	u32 what = in[0] % NR_EDITS, i;
	struct name n;
	int ret;

	make_name(&n, in[1] ? in[1] : 1, in[2]);
	if (n.len == 1)		/* all of them the same */
		key = 1 << 8;
	i = find(m, key);
	if (what == ADD && m->nr == MAX_MODEL)
		return;
	ret = apply(m, what, &n, &fid);
	if (!m->trusted)
		return;
	expect(m, what, i, ret, &fid);
	if (!ret && what < LOOKUP)
		update(m, what, i, key, step + 1);
}

static bool count(void *ctx, const char *name, u32 len, u32 vnode, u32 unique, u64 pos)
{
	++*(u32 *)ctx;
	return true;
}

static void check(struct model *m)
{
	u32 nr = 0;
	u64 pos = 0;

	for (u32 i = 0; i < m->b.ed.rd.nr_blocks; i++)
		MUST(afsx_dir_check_block(m->b.blk[i], i) == 0);
	MUST(afsx_dir_iterate(&m->b.ed.rd, &pos, count, &nr) == 0);
	MUST(nr == m->nr + 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct afsx_fid self = { 1, 1, 1 };
	struct model m = {};

	blob_init(&m.b);
	if (!size)
		return -1;
	m.trusted = !(*data & 1);
	data++;
	size--;
	if (m.trusted) {
		MUST(afsx_dir_init(&m.b.ed, &self, &self) == 0);
	} else {
		size_t len = size < AFSX_DIR_BLOCK_SIZE ? size : AFSX_DIR_BLOCK_SIZE;

		blob_append(&m.b, data, len);
		data += len;
		size -= len;
	}
	for (u32 step = 0; size >= EDIT_SIZE; step++) {
		edit(&m, data, step);
		data += EDIT_SIZE;
		size -= EDIT_SIZE;
	}
	if (m.trusted)
		check(&m);
	blob_free(&m.b);
	return 0;
}
