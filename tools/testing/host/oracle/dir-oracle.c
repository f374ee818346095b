// SPDX-License-Identifier: MIT
/*
 * Our directory code against OpenAFS's (libdir.a), edit by edit.
 *
 * The same random sequence of additions and removals is done to two blobs, one
 * by either code. After each batch the blobs must be equal but for what free
 * slots and padding hold, both must satisfy OpenAFS's salvager and our check,
 * and each code must find in the other's blob what it put into its own.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <afs/param.h>
#include <afs/stds.h>
#include <afs/dir.h>

#include <afsx/dir.h>

#define MAX_NAMES	6000
#define BATCHES		40
#define BATCH		500

struct DirHandle {
	u32 id;
};

static u8 blob[2][AFSX_DIR_MAX_BLOCKS][AFSX_DIR_BLOCK_SIZE];
static u32 seed = 0x2545f491;

/* Blocks of OpenAFS's blob: it asks for new ones, but takes the file to end there. */
static u32 theirs_blocks;

/*
 * What libdir.a wants of its surroundings: a cache of blocks, here simply the
 * blobs themselves.
 */
int DRead(struct DirHandle *dir, int page, struct DirBuffer *entry)
{
	if (dir->id == 1 && (u32)page >= theirs_blocks)
		return -1;
	entry->buffer = blob[dir->id - 1];
	entry->data = blob[dir->id - 1][page];
	return 0;
}

int DNew(struct DirHandle *dir, int page, struct DirBuffer *entry)
{
	if (dir->id == 1 && (u32)page >= theirs_blocks)
		theirs_blocks = (u32)page + 1;
	return DRead(dir, page, entry);
}

void DRelease(struct DirBuffer *entry, int dirty)
{
}

int DVOffset(struct DirBuffer *entry)
{
	return (int)((u8 *)entry->data - (u8 *)entry->buffer);
}

void Log(const char *fmt, ...);

void Log(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
}

void Die(const char *msg)
{
	fprintf(stderr, "%s\n", msg);
	abort();
}

static const void *our_block(void *ctx, u32 nr)
{
	return blob[*(u32 *)ctx][nr];
}

static void *our_modify(void *ctx, u32 nr)
{
	return blob[*(u32 *)ctx][nr];
}

static u32 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

/* Names of all lengths, mostly short, any byte but NUL and '/' */
static void make_name(char *name, u32 nr)
{
	u32 len = nr % 10 ? 1 + nr % 24 : 1 + nr % 255, n;

	n = (u32)sprintf(name, "%u", nr);
	for (; n < len; n++) {
		name[n] = (char)(1 + (nr * 31 + n * 17) % 255);
		if (name[n] == '/')
			name[n] = '.';
	}
	name[n] = '\0';
}

static void fail(const char *what, const char *name, int theirs, int ours)
{
	printf("%s %s: OpenAFS %d, afsx %d\n", what, name, theirs, ours);
	exit(1);
}

/* Free slots, and what follows a name in its slots, hold whatever was there. */
static void canonical(u8 *blk, u32 nr)
{
	const struct afsx_dir_hdr *hdr = (const void *)blk;
	u32 i = nr ? AFSX_DIR_RESV : AFSX_DIR_RESV0;

	while (i < AFSX_DIR_SLOTS) {
		u8 *slot = blk + i * AFSX_DIR_SLOT_SIZE;
		u32 len, nr_slots = 1;

		if (hdr->bitmap[i / 8] >> (i % 8) & 1) {
			len = (u32)strlen((char *)slot + 12);
			nr_slots = afsx_dir_slots(len);
			slot[1] = 0;
			memset(slot + 12 + len, 0, nr_slots * AFSX_DIR_SLOT_SIZE - 12 - len);
		} else {
			memset(slot, 0, AFSX_DIR_SLOT_SIZE);
		}
		i += nr_slots;
	}
}

static void compare(u32 nr_blocks)
{
	static u8 a[AFSX_DIR_BLOCK_SIZE], b[AFSX_DIR_BLOCK_SIZE];

	if (nr_blocks != theirs_blocks)
		fail("blocks", "", (int)theirs_blocks, (int)nr_blocks);
	for (u32 nr = 0; nr < nr_blocks; nr++) {
		memcpy(a, blob[0][nr], sizeof(a));
		memcpy(b, blob[1][nr], sizeof(b));
		if (afsx_dir_check_block(a, nr) || afsx_dir_check_block(b, nr))
			fail("check of block", "", (int)nr, (int)nr);
		canonical(a, nr);
		canonical(b, nr);
		if (memcmp(a, b, sizeof(a)))
			fail("contents of block", "", (int)nr, (int)nr);
	}
}

static struct DirHandle theirs = { .id = 1 }, ours = { .id = 2 };
static u32 at[2] = { 0, 1 };
static struct afsx_dir_editor ed = { .rd = { our_block, &at[1], 0 }, .modify = our_modify };
static bool there[MAX_NAMES];

/* One edit of both blobs, more often the one that @grow asks for */
static void edit(bool grow)
{
	u32 i = rnd() % MAX_NAMES, len;
	afs_int32 vfid[3] = { 7, (afs_int32)i + 1, (afs_int32)(i * 7) };
	struct afsx_fid fid = { 7, i + 1, i * 7 };
	bool add = grow ? rnd() % 4 : rnd() % 4 == 0;
	char name[300];
	int a, b;

	make_name(name, i);
	len = (u32)strlen(name);
	a = add ? afs_dir_Create(&theirs, name, vfid) : afs_dir_Delete(&theirs, name);
	b = add ? afsx_dir_add(&ed, name, len, &fid) : afsx_dir_remove(&ed, name, len, &fid);
	if (a != -b)
		fail(add ? "adding" : "removing", name, a, b);
	there[i] = add;
	a = afs_dir_DirHash(name);
	if (a != (int)afsx_dir_hash(name, len))
		fail("hash of", name, a, (int)afsx_dir_hash(name, len));
}

/* Each finds in the other's blob what is there. */
static void look_up(u32 i)
{
	const struct afsx_dir_reader rd = { our_block, &at[0], theirs_blocks };
	struct afsx_fid fid = {};
	afs_int32 found[3] = {};
	char name[300];
	int a, b;

	make_name(name, i);
	a = afs_dir_Lookup(&ours, name, found);
	b = afsx_dir_lookup(&rd, name, (u32)strlen(name), &fid);
	if (a != -b || !a != there[i])
		fail("looking up", name, a, b);
	if (!a && (fid.vnode != i + 1 || fid.unique != i * 7))
		fail("entry", name, (int)fid.vnode, (int)fid.unique);
	if (found[1] != (afs_int32)fid.vnode || found[2] != (afs_int32)fid.unique)
		fail("vnode of", name, found[1], (int)fid.vnode);
}

int main(void)
{
	afs_int32 self[3] = { 7, 1, 1 }, parent[3] = { 7, 3, 9 };

	afs_dir_MakeDir(&theirs, self, parent);
	afsx_dir_init(&ed, &(struct afsx_fid) { 7, 1, 1 }, &(struct afsx_fid) { 7, 3, 9 });
	/* Growing, then shrinking, within the blocks that have a free count */
	for (u32 batch = 0; batch < BATCHES; batch++) {
		for (u32 n = 0; n < BATCH; n++)
			edit(batch < BATCHES / 2);
		compare(ed.rd.nr_blocks);
		if (!DirOK(&ours) || !DirOK(&theirs))
			fail("salvager", "", 0, 0);
		for (u32 i = 0; i < MAX_NAMES; i++)
			look_up(i);
	}
	printf("%u edits agree with OpenAFS, in up to %u blocks\n", BATCHES * BATCH,
	       ed.rd.nr_blocks);
	return 0;
}
