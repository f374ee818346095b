// SPDX-License-Identifier: MIT
/* Contents and attributes of vnodes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "model.h"

#define WRITE_MAX	(1200u * 1024)
#define BLOCKS_SOFT	3000u	/* of a file, about */

static u8 buffer[WRITE_MAX];

static void fill(size_t len)
{
	u64 x = pick(U64_MAX) | 1;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		buffer[i] = (u8)x;
	}
	/* blocks of zeros are data as well */
	if (!pick(8))
		memset(buffer, 0, len);
}

/* Mostly near the beginning, but anywhere up to the last byte there can be. */
static u64 an_offset(void)
{
	switch (pick(12)) {
	case 0:
		return pick(64 * 1024 * 1024);
	case 1:
		return (UINT64_C(1) << (20 + pick(43))) - 9000 + pick(18000);
	case 2:
		return S64_MAX - pick(pick(2) ? 9000 : 3 * WRITE_MAX);
	default:
		return pick(300 * 1024);
	}
}

static size_t a_length(void)
{
	switch (pick(16)) {
	case 0:
		return pick(WRITE_MAX);
	case 1:
		return BLK_SIZE * (1 + pick(8));
	case 2:
		return pick(3);
	default:
		return 1 + pick(20000);
	}
}

/* Put bytes from the buffer into a file of the model. */
static void model_write(struct node *n, u64 off, const u8 *data, size_t len)
{
	while (len) {
		u64 nr = off >> BLK_SHIFT;
		size_t at = off % BLK_SIZE;
		size_t part = min(len, BLK_SIZE - at);
		struct page *p = page_new(node_block(n, nr));

		memcpy(p->data + at, data, part);
		node_put(n, nr, p);
		off += part;
		data += part;
		len -= part;
		n->s.size = max(n->s.size, off);
	}
}

static u64 blocks_missing(const struct node *n, u64 off, size_t len)
{
	u64 missing = 0;

	for (u64 nr = off >> BLK_SHIFT; len && nr <= (off + len - 1) >> BLK_SHIFT;
	     nr++)
		missing += !node_block(n, nr);
	return missing;
}

static void account(struct volume *v, struct node *n)
{
	u64 used = n->nr_blocks * (BLK_SIZE / 1024);

	v->v.used_kib += used - n->s.used_kib;
	n->s.used_kib = used;
}

void op_write(void)
{
	struct volume *v = a_volume(true);
	struct node *n = v ? a_node(v, AFSX_FTYPE_FILE) : NULL;
	u64 off = an_offset(), more;
	size_t len = a_length();
	struct afsx_fid fid;
	int want = 0, got;

	if (!n)
		return;
	if (n->nr_blocks > BLOCKS_SOFT)
		len = min(len, (size_t)5000);
	say("write %u.%u at %ju, %zu bytes", v->v.id, n->s.fid.vnode,
	    (uintmax_t)off, len);
	fill(len);
	fid = fid_of(v, n);
	if (off > S64_MAX - len)
		want = -EFBIG;
	more = want ? 0 : blocks_missing(n, off, len) * (BLK_SIZE / 1024);
	if (more && v->v.quota_kib && v->v.used_kib + more > v->v.quota_kib)
		want = -EDQUOT;
	got = store_write(w.tx, &fid, off, buffer, len);
	/* what waits to be freed still counts */
	if (w.pending && v->v.quota_kib && got == -EDQUOT)
		want = got;
	if (!settle(got, want))
		return;
	n = node_change(v, fid.vnode);
	model_write(n, off, buffer, len);
	account(v, n);
	node_bump(n);
	n->mtime_known = false;
}

static void model_truncate(struct volume *v, struct node *n, u64 size)
{
	static const u8 zeros[BLK_SIZE];
	size_t tail = size % BLK_SIZE;

	node_cut(n, DIV_ROUND_UP(size, BLK_SIZE));
	if (size < n->s.size && tail && node_block(n, size >> BLK_SHIFT))
		model_write(n, size, zeros, min(BLK_SIZE - tail,
						n->s.size - size));
	n->s.size = size;
	account(v, n);
}

void op_truncate(void)
{
	struct store_attr attr = { .mask = STORE_SET_SIZE };
	struct volume *v = a_volume(true);
	struct node *n = v ? a_node(v, AFSX_FTYPE_FILE) : NULL;
	struct afsx_fid fid;

	if (!n)
		return;
	attr.size = pick(3) ? pick(n->s.size + 1) : an_offset();
	say("truncate %u.%u of %ju bytes to %ju", v->v.id, n->s.fid.vnode,
	    (uintmax_t)n->s.size, (uintmax_t)attr.size);
	fid = fid_of(v, n);
	if (!settle(store_setattr(w.tx, &fid, &attr), 0))
		return;
	w.pending |= attr.size < n->s.size;
	n = node_change(v, fid.vnode);
	model_truncate(v, n, attr.size);
	node_bump(n);
	n->mtime_known = false;
}

void op_setattr(void)
{
	struct volume *v = a_volume(true);
	struct node *n = v ? a_node(v, 0) : NULL;
	struct store_attr attr = {
		.mask = (unsigned int)pick(64) & ~STORE_SET_SIZE,
		.mode = (u32)pick(010000),
		.owner = (u32)pick(U32_MAX),
		.group = (u32)pick(U32_MAX),
		.author = (u32)pick(U32_MAX),
		.mtime = (s64)pick(U32_MAX),
	};
	struct afsx_fid fid;

	if (!n)
		return;
	say("setattr %u.%u, mask %#x", v->v.id, n->s.fid.vnode, attr.mask);
	fid = fid_of(v, n);
	if (!settle(store_setattr(w.tx, &fid, &attr), 0))
		return;
	n = node_change(v, fid.vnode);
	if (attr.mask & STORE_SET_MODE)
		n->s.mode = attr.mode;
	if (attr.mask & STORE_SET_OWNER)
		n->s.owner = attr.owner;
	if (attr.mask & STORE_SET_GROUP)
		n->s.group = attr.group;
	if (attr.mask & STORE_SET_AUTHOR)
		n->s.author = attr.author;
	if (attr.mask & STORE_SET_MTIME) {
		n->s.mtime_client = attr.mtime;
		n->mtime_known = true;
	}
}

void op_acl(void)
{
	struct volume *v = a_volume(true);
	struct node *n = v ? a_node(v, 0) : NULL;
	u32 len = (u32)pick(TEXT_MAX);
	char text[TEXT_MAX];
	struct afsx_fid fid;
	bool dir;

	if (!n)
		return;
	for (u32 i = 0; i < len; i++)
		text[i] = (char)pick(256);
	say("acl of %u.%u, %u bytes", v->v.id, n->s.fid.vnode, len);
	fid = fid_of(v, n);
	dir = n->s.type == AFSX_FTYPE_DIR;
	if (!settle(store_acl_set(w.tx, &fid, text, len), dir ? 0 : -ENOTDIR))
		return;
	n = node_change(v, fid.vnode);
	memcpy(n->acl, text, len);
	n->acl_len = len;
}
