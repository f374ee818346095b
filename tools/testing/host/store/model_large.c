// SPDX-License-Identifier: MIT
/* Directories with thousands of names, and with as many as fit. */
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define ENTRIES_SLOTS	UINT32_C(64437)	/* 1022 blocks with 63 for entries, one with 51 */
#define DOTS		2u		/* slots of "." and ".." */
#define BATCH_MAX	3000u		/* names entered at once */

/* As AFS has it: 12 bytes and the name with its NUL, the rest of the first slot used. */
u32 name_slots(u32 name)
{
	return 1 + ((u32)strlen(w.name[name]) + 1 + 15) / 32;
}

static u32 free_slots(const struct node *dir)
{
	return ENTRIES_SLOTS - DOTS - dir->slots;
}

/* Whether a block of a directory has so many free slots in a row. */
static bool has_run(const u8 *block, u32 need)
{
	const u8 *bitmap = block + offsetof(struct afsx_dir_hdr, bitmap);
	u32 run = 0;

	for (u32 i = 0; i < AFSX_DIR_SLOTS && run < need; i++)
		run = bitmap[i / 8] >> i % 8 & 1 ? 0 : run + 1;
	return run == need;
}

/* What the store has of it, before the transaction. */
static bool some_block_has(const struct spot *s, u32 need)
{
	static u8 blob[AFSX_DIR_MAX_BLOCKS * AFSX_DIR_BLOCK_SIZE];
	struct afsx_fid fid = fid_of(s->v, s->dir);

	must(store_read(w.st, &fid, 0, blob, sizeof(blob), NULL) !=
	     sizeof(blob), 0);
	for (u32 i = 0; i < AFSX_DIR_MAX_BLOCKS; i++)
		if (has_run(blob + i * AFSX_DIR_BLOCK_SIZE, need))
			return true;
	return false;
}

enum room room_for(const struct spot *s, u32 spare)
{
	u32 need = name_slots(s->name), left = free_slots(s->dir) + spare;

	if (s->dir->s.size < AFSX_DIR_MAX_BLOCKS * AFSX_DIR_BLOCK_SIZE ||
	    spare >= need)
		return ROOM;
	if (left < need)
		return NO_ROOM;
	if (need == 1)
		return ROOM;
	/* how they lie is known unless names of it came and went meanwhile */
	if (s->dir->tx == w.tx_nr)
		return PERHAPS;
	return some_block_has(s, need) ? ROOM : spare ? PERHAPS : NO_ROOM;
}

static struct node *largest(const struct volume *v)
{
	struct node *best = v->node[0];

	for (u32 i = 1; i < v->nr; i++)
		if (v->node[i]->names > best->names)
			best = v->node[i];
	return best->s.type == AFSX_FTYPE_DIR ? best : NULL;
}

struct node *a_dir(const struct volume *v)
{
	struct node *dir = w.large && v->nr && pick(2) ? largest(v) : NULL;

	return dir ? dir : a_node(v, AFSX_FTYPE_DIR);
}

/* Mostly the volume with the largest directory. */
static bool a_large_spot(struct spot *s)
{
	struct node *dir;

	s->v = a_volume(true);
	if (!s->v)
		return false;
	s->dir = a_dir(s->v);
	s->name = (u32)pick(w.names);
	for (u32 i = 0; pick(8) && i < VOLUMES_MAX; i++) {
		struct volume *v = &w.vol[i];

		dir = v->v.id && v->v.type == AFSX_VOL_RW ? largest(v) : NULL;
		if (dir && dir->names > s->dir->names) {
			s->dir = dir;
			s->v = v;
		}
	}
	return true;
}

/* Give a file many names; mostly no more than fit, as that spoils all of it. */
void op_fill(void)
{
	u32 count = 1 + (u32)pick(pick(3) ? BATCH_MAX : 30), dir;
	struct node *n;
	struct spot s;

	if (!a_large_spot(&s))
		return;
	n = a_node(s.v, AFSX_FTYPE_FILE);
	if (!n)
		return;
	dir = s.dir->s.fid.vnode;
	say("fill %u.%u with %u names from %u", s.v->v.id, dir, count, s.name);
	for (; count && !spoiled(); s.name = (s.name + 1) % w.names, count--) {
		s.dir = node_find(s.v, dir);
		if (s.dir->entry[s.name])
			continue;
		if (free_slots(s.dir) < 4 * name_slots(s.name) && pick(20))
			break;
		name_link(&s, node_find(s.v, n->s.fid.vnode));
	}
}

/* Remove many names of files. */
void op_thin(void)
{
	u32 count = 1 + (u32)pick(BATCH_MAX), step = 1 + (u32)pick(3), dir;
	struct node *n;
	struct spot s;

	if (!a_large_spot(&s))
		return;
	dir = s.dir->s.fid.vnode;
	say("thin out %u names of %u.%u from %u", count, s.v->v.id, dir, s.name);
	for (; count; s.name = (s.name + step) % w.names, count--) {
		s.dir = node_find(s.v, dir);
		n = node_find(s.v, s.dir->entry[s.name]);
		if (n && n->s.type != AFSX_FTYPE_DIR)
			name_unlink(&s, false);
	}
}
