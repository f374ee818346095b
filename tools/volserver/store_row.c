// SPDX-License-Identifier: MIT
#include "store_row.h"

#include <errno.h>
#include <string.h>

#include "le.h"
#include "redo.h"
#include "store_priv.h"
#include "text.h"

#define PART_MAX	384u	/* bytes that differ, with where they are; more: a whole block */
#define RANGE_HEAD	4u	/* offset and length */
#define WORD		8u	/* what differs is found word by word */
#define CHUNK		128u	/* a block of a directory is so many of these: most are the same */

/* Offsets; those of AT_LEN to AT_BIRTH are common to all */
enum {
	AT_LEN = 0,
	AT_KIND = 4,
	AT_GRP = 8,
	AT_VNO = 12,
	AT_BIRTH = 16,

	AT_UNIQ = 24,
	AT_TYPE = 28,
	AT_DV = 32,
	AT_SIZE = 40,
	AT_NLINK = 48,
	AT_MODE = 52,
	AT_OWNER = 56,
	AT_GID = 60,
	AT_AUTHOR = 64,
	AT_PVNO = 68,
	AT_PUNIQ = 72,
	AT_TARGET_LEN = 76,
	AT_ACL_LEN = 80,
	AT_MTIME = 88,
	AT_STIME = 96,
	AT_USED = 104,
	AT_TEXT = 112,		/* the target, then the access list */

	GONE_LEN = ROW_HEAD,

	AT_NR = 24,
	AT_DATA_LEN = 28,	/* of a whole block */
	AT_BACK = 28,		/* of a part */
	AT_DATA = 32,

	AT_NEXT_FILE = 24,
	AT_NEXT_DIR = 28,
	AT_NEXT_UNIQUE = 32,
	AT_GRP_USED = 40,
	AT_FILES = 48,
	AT_UPDATED = 56,
	GROUP_LEN = 64,

	AT_BLOCK = 24,
	AT_PHYS = 32,
	AT_NEWEST = 40,
	AT_SUM = 48,
	BLOCK_LEN = 56,
};

u32 row_len(const u8 *row)
{
	return le32_get(row + AT_LEN);
}

enum row_kind row_kind(const u8 *row)
{
	return le32_get(row + AT_KIND);
}

u32 row_grp(const u8 *row)
{
	return le32_get(row + AT_GRP);
}

u32 row_vno(const u8 *row)
{
	return le32_get(row + AT_VNO);
}

s64 row_birth(const u8 *row)
{
	return (s64)le64_get(row + AT_BIRTH);
}

u64 row_nr(const u8 *row)
{
	switch (row_kind(row)) {
	case ROW_DIRBLK:
	case ROW_DIRPART:
		return le32_get(row + AT_NR);
	case ROW_BLOCK:
		return le64_get(row + AT_BLOCK);
	default:
		return 0;
	}
}

/* ---- whether it is one ---------------------------------------------------------- */

static bool is_vnode(const u8 *row, u32 len)
{
	u32 target, acl;

	if (len < AT_TEXT)
		return false;
	target = le32_get(row + AT_TARGET_LEN);
	acl = le32_get(row + AT_ACL_LEN);
	return target <= STORE_TARGET_MAX && acl <= STORE_ACL_MAX &&
	       len == AT_TEXT + target + acl;
}

static bool is_dirblk(const u8 *row, u32 len)
{
	return len >= AT_DATA && row_nr(row) < AFSX_DIR_MAX_BLOCKS &&
	       le32_get(row + AT_DATA_LEN) == len - AT_DATA &&
	       len - AT_DATA <= AFSX_DIR_BLOCK_SIZE;
}

/* Where the range at @at of the part ends; 0 when it is none. */
static u32 range_end(const u8 *row, u32 at, u32 len)
{
	u32 n;

	if (len - at < RANGE_HEAD)
		return 0;
	n = le16_get(row + at + 2);
	if (le16_get(row + at) + n > AFSX_DIR_BLOCK_SIZE ||
	    n > len - at - RANGE_HEAD)
		return 0;
	return at + RANGE_HEAD + n;
}

static bool is_dirpart(const u8 *row, u32 len)
{
	u32 at = AT_DATA;

	if (len < AT_DATA || row_nr(row) >= AFSX_DIR_MAX_BLOCKS)
		return false;
	while (at && at < len)
		at = range_end(row, at, len);
	return at;
}

static bool is_block(const u8 *row, u32 len)
{
	return len == BLOCK_LEN && row_nr(row) < DATA_BLOCKS_MAX;
}

bool row_is_valid(const u8 *row, size_t room)
{
	u32 len = room < ROW_HEAD ? 0 : row_len(row);

	if (len < ROW_HEAD || len > room)
		return false;
	switch (row_kind(row)) {
	case ROW_VNODE:
		return is_vnode(row, len);
	case ROW_GONE:
		return len == GONE_LEN;
	case ROW_DIRBLK:
		return is_dirblk(row, len);
	case ROW_GROUP:
		return len == GROUP_LEN;
	case ROW_DIRPART:
		return is_dirpart(row, len);
	case ROW_BLOCK:
		return is_block(row, len);
	}
	return false;
}

/* The row that has the whole block. */
static const u8 *base_of(const u8 *row)
{
	return row_kind(row) == ROW_DIRPART ? row - le32_get(row + AT_BACK) : row;
}

bool row_has_base(const u8 *row, const u8 *first)
{
	const u8 *base;
	u32 back;

	if (row_kind(row) != ROW_DIRPART)
		return true;
	back = le32_get(row + AT_BACK);
	if (back > (size_t)(row - first))
		return false;
	base = row - back;
	return row_is_valid(base, back) && row_kind(base) == ROW_DIRBLK &&
	       row_grp(base) == row_grp(row) && row_vno(base) == row_vno(row) &&
	       row_nr(base) == row_nr(row);
}

/* ---- making them ---------------------------------------------------------------- */

static u8 *put_head(struct redo *r, enum row_kind kind, size_t len, u32 grp,
		    u32 vno, s64 birth)
{
	u8 *row = redo_take(r, len);

	if (!row)
		return NULL;
	le32_put(row + AT_LEN, (u32)len);
	le32_put(row + AT_KIND, kind);
	le32_put(row + AT_GRP, grp);
	le32_put(row + AT_VNO, vno);
	le64_put(row + AT_BIRTH, (u64)birth);
	return row;
}

static void put_status(u8 *row, const struct store_status *s)
{
	le32_put(row + AT_UNIQ, s->fid.unique);
	le32_put(row + AT_TYPE, s->type);
	le64_put(row + AT_DV, s->dv);
	le64_put(row + AT_SIZE, s->size);
	le32_put(row + AT_NLINK, s->nlink);
	le32_put(row + AT_MODE, s->mode);
	le32_put(row + AT_OWNER, s->owner);
	le32_put(row + AT_GID, s->group);
	le32_put(row + AT_AUTHOR, s->author);
	le32_put(row + AT_PVNO, s->parent_vnode);
	le32_put(row + AT_PUNIQ, s->parent_unique);
	le64_put(row + AT_MTIME, (u64)s->mtime_client);
	le64_put(row + AT_STIME, (u64)s->mtime_server);
	le64_put(row + AT_USED, s->used_kib);
}

int row_put_vnode(struct redo *r, const struct vnode *vn)
{
	size_t target = vn->target ? strlen(vn->target) : 0;
	size_t acl = vn->acl ? vn->acl_len : 0;
	u8 *row = NULL;

	/* a volume that was restored may have what others may not make */
	if (target <= STORE_TARGET_MAX && acl <= STORE_ACL_MAX)
		row = put_head(r, ROW_VNODE, AT_TEXT + target + acl, vn->grp,
			       vn->s.fid.vnode, vn->birth);
	if (!row)
		return -ENOBUFS;
	put_status(row, &vn->s);
	le32_put(row + AT_TARGET_LEN, (u32)target);
	le32_put(row + AT_ACL_LEN, (u32)acl);
	le32_put(row + AT_ACL_LEN + 4, 0);
	if (target)
		memcpy(row + AT_TEXT, vn->target, target);
	if (acl)
		memcpy(row + AT_TEXT + target, vn->acl, acl);
	return 0;
}

int row_put_gone(struct redo *r, const struct vnode *vn)
{
	return put_head(r, ROW_GONE, GONE_LEN, vn->grp, vn->s.fid.vnode,
			vn->birth) ? 0 : -ENOBUFS;
}

size_t dirblk_used(const u8 *data)
{
	static const u8 zeros[CHUNK];
	size_t len = AFSX_DIR_BLOCK_SIZE;

	while (len && !memcmp(data + len - CHUNK, zeros, CHUNK))
		len -= CHUNK;
	while (len && !data[len - 1])
		len--;
	return len;
}

static bool same_word(const u8 *a, const u8 *b, u32 at)
{
	return !memcmp(a + at, b + at, WORD);
}

/* The next word that differs, from @at on. */
static u32 skip_same(const u8 *was, const u8 *is, u32 at)
{
	while (at < AFSX_DIR_BLOCK_SIZE) {
		if (!(at % CHUNK) && !memcmp(was + at, is + at, CHUNK))
			at += CHUNK;
		else if (same_word(was, is, at))
			at += WORD;
		else
			break;
	}
	return at;
}

/* The next words that differ, from @at on: how many bytes. */
static u32 next_range(const u8 *was, const u8 *is, u32 *at)
{
	u32 end;

	*at = skip_same(was, is, *at);
	end = *at;
	while (end < AFSX_DIR_BLOCK_SIZE && !same_word(was, is, end))
		end += WORD;
	return end - *at;
}

/* What differs, as it is in a row: its length; more than PART_MAX if that is too much. */
static u32 find_part(const u8 *was, const u8 *is, u8 *part)
{
	u32 at = 0, len = 0, n;

	while ((n = next_range(was, is, &at))) {
		if (len + RANGE_HEAD + n > PART_MAX)
			return PART_MAX + 1;
		le16_put(part + len, (u16)at);
		le16_put(part + len + 2, (u16)n);
		memcpy(part + len + RANGE_HEAD, is + at, n);
		len += RANGE_HEAD + n;
		at += n;
	}
	return len;
}

static u8 *put_block(struct redo *r, enum row_kind kind, const struct vnode *dir,
		     u32 nr, s64 birth, const u8 *data, size_t len)
{
	u8 *row = put_head(r, kind, AT_DATA + len, dir->grp, dir->s.fid.vnode,
			   birth);

	if (!row)
		return NULL;
	le32_put(row + AT_NR, nr);
	memcpy(row + AT_DATA, data, len);
	return row;
}

static int put_whole(struct redo *r, const struct vnode *dir, u32 nr, s64 birth,
		     const u8 *data, size_t len)
{
	u8 *row = put_block(r, ROW_DIRBLK, dir, nr, birth, data, len);

	if (!row)
		return -ENOBUFS;
	le32_put(row + AT_DATA_LEN, (u32)len);
	return 0;
}

int row_put_dirblk(struct redo *r, const struct vnode *dir, u32 nr, s64 birth,
		   const u8 *data, const u8 *last)
{
	const u8 *base = last ? base_of(last) : NULL;
	u8 was[AFSX_DIR_BLOCK_SIZE], part[PART_MAX];
	size_t used = dirblk_used(data);
	u32 len;
	u8 *row;

	if (!base)
		return put_whole(r, dir, nr, birth, data, used);
	row_get_dirblk(base, was);
	len = find_part(was, data, part);
	if (len > PART_MAX || len > used)
		return put_whole(r, dir, nr, birth, data, used);
	row = put_block(r, ROW_DIRPART, dir, nr, birth, part, len);
	if (!row)
		return -ENOBUFS;
	le32_put(row + AT_BACK, (u32)(row - base));
	return 0;
}

int row_put_block(struct redo *r, const struct file_block *b)
{
	u8 *row = put_head(r, ROW_BLOCK, BLOCK_LEN, b->grp, b->vno, b->birth);

	if (!row)
		return -ENOBUFS;
	le64_put(row + AT_BLOCK, b->nr);
	le64_put(row + AT_PHYS, b->phys);
	le64_put(row + AT_NEWEST, (u64)b->newest);
	le32_put(row + AT_SUM, b->sum);
	le32_put(row + AT_SUM + 4, 0);
	return 0;
}

int row_put_group(struct redo *r, const struct tx_grp *g, s64 now)
{
	u8 *row = put_head(r, ROW_GROUP, GROUP_LEN, g->id, 0, 0);

	if (!row)
		return -ENOBUFS;
	le32_put(row + AT_NEXT_FILE, g->next_file);
	le32_put(row + AT_NEXT_DIR, g->next_dir);
	le32_put(row + AT_NEXT_UNIQUE, g->next_unique);
	le32_put(row + AT_NEXT_UNIQUE + 4, 0);
	le64_put(row + AT_GRP_USED, (u64)((s64)g->vol.used_kib + g->used_delta));
	le64_put(row + AT_FILES, (u64)((s64)g->vol.files + g->files_delta));
	le64_put(row + AT_UPDATED, (u64)now);
	return 0;
}

/* ---- reading them --------------------------------------------------------------- */

void row_get_status(const u8 *row, struct store_status *s, const char **acl,
		    size_t *acl_len)
{
	*s = (struct store_status){
		.fid = { row_grp(row), row_vno(row), le32_get(row + AT_UNIQ) },
		.type = (enum afsx_ftype)le32_get(row + AT_TYPE),
		.dv = le64_get(row + AT_DV),
		.size = le64_get(row + AT_SIZE),
		.nlink = le32_get(row + AT_NLINK),
		.mode = le32_get(row + AT_MODE),
		.owner = le32_get(row + AT_OWNER),
		.group = le32_get(row + AT_GID),
		.author = le32_get(row + AT_AUTHOR),
		.parent_vnode = le32_get(row + AT_PVNO),
		.parent_unique = le32_get(row + AT_PUNIQ),
		.mtime_client = (s64)le64_get(row + AT_MTIME),
		.mtime_server = (s64)le64_get(row + AT_STIME),
		.used_kib = le64_get(row + AT_USED),
	};
	*acl_len = le32_get(row + AT_ACL_LEN);
	*acl = *acl_len ? (const char *)row + AT_TEXT +
			  le32_get(row + AT_TARGET_LEN) : NULL;
}

const char *row_get_target(const u8 *row, size_t *len)
{
	*len = le32_get(row + AT_TARGET_LEN);
	return *len ? (const char *)row + AT_TEXT : NULL;
}

int row_get_vnode(const u8 *row, struct vnode *vn)
{
	const char *acl, *target;
	size_t len;
	int ret;

	memset(vn, 0, sizeof(*vn));
	vn->grp = row_grp(row);
	vn->snap = SNAP_LIVE;
	vn->birth = row_birth(row);
	vn->vol_type = AFSX_VOL_RW;
	vn->row = true;
	row_get_status(row, &vn->s, &acl, &vn->acl_len);
	target = row_get_target(row, &len);
	ret = text_copy(target, len, &vn->target);
	if (!ret)
		ret = text_copy(acl, vn->acl_len, &vn->acl);
	if (ret)
		vnode_release(vn);
	return ret;
}

void row_get_dirblk(const u8 *row, u8 *data)
{
	const u8 *base = base_of(row);
	u32 used = le32_get(base + AT_DATA_LEN), at = AT_DATA, n;

	memcpy(data, base + AT_DATA, used);
	memset(data + used, 0, AFSX_DIR_BLOCK_SIZE - used);
	if (row == base)
		return;
	for (; at < row_len(row); at += RANGE_HEAD + n) {
		n = le16_get(row + at + 2);
		memcpy(data + le16_get(row + at), row + at + RANGE_HEAD, n);
	}
}

void row_get_block(const u8 *row, struct file_block *b)
{
	*b = (struct file_block){
		.grp = row_grp(row),
		.vno = row_vno(row),
		.birth = row_birth(row),
		.newest = (s64)le64_get(row + AT_NEWEST),
		.nr = le64_get(row + AT_BLOCK),
		.phys = le64_get(row + AT_PHYS),
		.sum = le32_get(row + AT_SUM),
	};
}

void row_get_group(const u8 *row, struct tx_grp *g)
{
	g->next_file = le32_get(row + AT_NEXT_FILE);
	g->next_dir = le32_get(row + AT_NEXT_DIR);
	g->next_unique = le32_get(row + AT_NEXT_UNIQUE);
	g->vol.used_kib = le64_get(row + AT_GRP_USED);
	g->vol.files = le64_get(row + AT_FILES);
	g->vol.updated = (s64)le64_get(row + AT_UPDATED);
}
