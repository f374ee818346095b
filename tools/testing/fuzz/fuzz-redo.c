// SPDX-License-Identifier: MIT
/*
 * Fuzz target: records of changes.
 *
 * Input: a byte of flags, a byte, the sequence of the last record that the database has,
 * and what the records' region begins with; zeros follow. With flag 1, what has the magic
 * of a record gets the checksum of one, so that its rows are reached.
 *
 * Whatever the region has, records and rows are taken only as far as they are whole, in the
 * order of their numbers, and what is taken can be read.
 */
#include <errno.h>

#include "blkdev.h"
#include "crc32c.h"
#include "fuzz.h"
#include "le.h"
#include "redo.h"
#include "store_grp.h"
#include "store_read.h"
#include "store_rows.h"
#include "store_vnode.h"

#define REGION		(8u * BLK_SIZE)
#define HEADER_LEN	32u
#define ROWS		64u	/* that there is room for */
#define SALT		UINT64_C(0x5a175a175a175a17)

static const struct afsx_uuid uuid = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
					 15, 16 } };
static u8 device[REGION];

/* ---- the device ----------------------------------------------------------------- */

int blkdev_read(struct blkdev *dev, u64 off, void *buf, size_t len)
{
	MUST(off <= REGION && len <= REGION - off);
	memcpy(buf, device + off, len);
	return 0;
}

int blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf, size_t len)
{
	MUST(off <= REGION && len <= REGION - off);
	memcpy(device + off, buf, len);
	return 0;
}

/* Rows have no directories. */
void dirbuf_free(struct dirbuf *d)
{
	MUST(!d);
}

void vnode_release(struct vnode *vn)
{
	free(vn->target);
	free(vn->acl);
}

/* ---- input ---------------------------------------------------------------------- */

static u32 sum_of(const u8 *p, u32 len)
{
	u8 salt[8];
	u32 crc;

	le64_put(salt, SALT);
	crc = crc32c(0, uuid.b, sizeof(uuid.b));
	crc = crc32c(crc, salt, sizeof(salt));
	crc = crc32c(crc, p, 28);
	return crc32c(crc, p + HEADER_LEN, len);
}

static void mend_sums(void)
{
	for (u32 off = 0; off < REGION; off += BLK_SIZE) {
		u8 *p = device + off;
		u32 len = le32_get(p + 24);

		if (!memcmp(p, "AFSXREDO", 8) &&
		    len <= REGION - off - HEADER_LEN)
			le32_put(p + 28, sum_of(p, len));
	}
}

/* ---- what is taken -------------------------------------------------------------- */

struct taken {
	const struct redo *redo;
	struct rows *rows;
	u64 last;	/* sequence */
	u32 records;
};

static void read_vnode(const u8 *row)
{
	struct store_status s;
	struct vnode vn;
	const char *text;
	size_t len;

	row_get_status(row, &s, &text, &len);
	MUST(len <= STORE_ACL_MAX && !text == !len);
	MUST(!len || (const u8 *)text + len == row + row_len(row));
	text = row_get_target(row, &len);
	MUST(len <= STORE_TARGET_MAX && !text == !len);
	MUST(row_get_vnode(row, &vn) == 0);
	MUST(vn.s.size == s.size && vn.grp == row_grp(row));
	MUST(!vn.target == !len && (!len || strlen(vn.target) <= len));
	vnode_release(&vn);
}

static void read_row(const u8 *row)
{
	struct tx_grp g = { .id = 0 };
	u8 block[AFSX_DIR_BLOCK_SIZE];
	struct file_block b;

	switch (row_kind(row)) {
	case ROW_VNODE:
		read_vnode(row);
		return;
	case ROW_GONE:
		MUST(row_len(row) == ROW_HEAD);
		return;
	case ROW_DIRBLK:
	case ROW_DIRPART:
		MUST(row_nr(row) < AFSX_DIR_MAX_BLOCKS);
		row_get_dirblk(row, block);
		return;
	case ROW_GROUP:
		row_get_group(row, &g);
		return;
	case ROW_BLOCK:
		row_get_block(row, &b);
		MUST(b.nr == row_nr(row) && b.nr < UINT64_C(1) << 51);
		MUST(b.grp == row_grp(row) && b.vno == row_vno(row));
		return;
	}
	MUST(false);
}

static void find_row(struct rows *rows, const u8 *row)
{
	struct afsx_fid fid = { .vid = row_grp(row), .vnode = row_vno(row) };
	char acl[STORE_ACL_MAX];
	struct store_status s;
	struct tx_grp g;

	MUST(rows_find(rows, row_kind(row), row_grp(row), row_vno(row),
		       row_nr(row)));
	rows_status(rows, &fid, &s, acl);
	rows_group(rows, row_grp(row), &g);
}

/* As recovery does: what there is no room for takes the place of what was written. */
static void put_rows(struct rows *rows, const u8 *list, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t n = rows_put(rows, list + at, len - at, 0);

		MUST(n <= len - at);
		at += n;
		if (at < len) {
			MUST(!rows_room(rows));
			rows_clear(rows);
		}
	}
}

/* The sanitizer knows the end of the copy, and its beginning. */
static void look_at_copy(const u8 *list, size_t len)
{
	u8 *copy = malloc(len ? len : 1);

	MUST(copy);
	memcpy(copy, list, len);
	rows_count(copy, len, copy);
	free(copy);
}

static int take(void *ctx, const u8 *list, size_t len)
{
	u64 seq = le64_get(list - HEADER_LEN + 8);
	struct taken *t = ctx;
	int nr, counted = 0;
	size_t at = 0;
	bool fits;

	MUST(seq > t->last);
	t->last = seq;
	t->records++;
	look_at_copy(list, len);
	nr = rows_count(list, len, t->redo->buf);
	MUST(nr >= 0 || nr == -EUCLEAN);
	for (; nr >= 0 && at < len; at += row_len(list + at), counted++)
		read_row(list + at);
	MUST(nr < 0 || (at == len && counted == nr));
	if (nr < 0)
		return nr;
	fits = (unsigned int)nr <= rows_room(t->rows);
	put_rows(t->rows, list, len);
	for (at = 0; fits && at < len; at += row_len(list + at))
		find_row(t->rows, list + at);
	return 0;
}

/* Another one follows, and is read again. */
static void add_record(struct redo *r)
{
	struct redo_part part;
	u64 seq = r->seq;
	u8 *rows = redo_take(r, 100);

	if (!rows)
		return;
	memset(rows, 7, 100);
	redo_seal(r);
	part = redo_unwritten(r);
	MUST(redo_write(r, &part) == 0);
	redo_written(r, &part);
	MUST(r->seq == seq + 1 && r->tail <= REGION);
}

static void load(u64 applied)
{
	struct taken t = { .rows = rows_create(ROWS), .last = applied };
	struct redo *r;
	int ret;

	MUST(t.rows && redo_open(NULL, &uuid, 0, REGION, &r) == 0);
	ret = redo_load(r, SALT, applied);
	MUST(ret == 0 || ret == -EUCLEAN);
	if (!ret) {
		MUST(r->tail <= REGION && r->seq >= applied);
		t.redo = r;
		ret = redo_each(r, applied, take, &t);
		MUST(ret == 0 || ret == -EUCLEAN);
		MUST(ret || !t.records || t.last == r->seq);
		add_record(r);
	}
	redo_close(r);
	rows_destroy(t.rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size - 2 > REGION)
		return -1;
	memset(device, 0, sizeof(device));
	memcpy(device, data + 2, size - 2);
	if (data[0] & 1)
		mend_sums();
	load(data[1]);
	return 0;
}
