// SPDX-License-Identifier: MIT
/* Volumes and clones. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model.h"

#define IDS_PER_NAME	3
#define VOLUME_NAMES	30u
#define ROOT_KIB	(AFSX_DIR_BLOCK_SIZE / 1024)	/* of an empty root directory */

static const char *const suffix[] = { "", ".readonly", ".backup" };

static struct volume *by_id(u32 id)
{
	for (u32 i = 0; i < VOLUMES_MAX; i++)
		if (w.vol[i].v.id == id)
			return &w.vol[i];
	return NULL;
}

static bool name_in_use(const char *name)
{
	for (u32 i = 0; i < VOLUMES_MAX; i++)
		if (w.vol[i].v.id && !strcmp(w.vol[i].v.name, name))
			return true;
	return false;
}

static u64 a_quota(void)
{
	return pick(4) ? 1 + pick(30000) : 0;
}

static void a_name(char name[STORE_NAME_MAX])
{
	snprintf(name, STORE_NAME_MAX, "v%ju", (uintmax_t)pick(VOLUME_NAMES));
}

void op_vol_create(void)
{
	struct volume *v = by_id(0);
	char name[STORE_NAME_MAX];
	u64 quota = a_quota();
	struct afsx_fid root;
	struct node *n;
	int want = 0;
	u32 id;

	if (!v)
		return;
	a_name(name);
	say("create volume %s", name);
	if (name_in_use(name))
		want = -EEXIST;
	else if (quota && quota < ROOT_KIB)
		want = -EDQUOT;
	if (!settle(store_vol_create(w.tx, name, quota, &id), want))
		return;
	if (id < w.next_id)
		wrong("volume id %u was used before", id);
	w.next_id = id + IDS_PER_NAME;
	v->v = (struct store_vol){ .id = id, .rw_id = id, .type = AFSX_VOL_RW,
		.online = true, .quota_kib = quota };
	memcpy(v->v.name, name, sizeof(name));
	v->next_unique = 2;
	root = (struct afsx_fid){ id, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	n = node_add(v, &root, AFSX_FTYPE_DIR);
	n->s.mode = 0777;
	n->s.parent_vnode = root.vnode;
	n->s.parent_unique = root.unique;
	dir_changed(v, n);
}

/* The clone of a kind that a volume has, or a slot for it. */
static struct volume *clone_slot(const struct volume *rw,
				 enum afsx_voltype type)
{
	struct volume *v = by_id(rw->v.id + type);

	return v ? v : by_id(0);
}

/* @v shows what @rw is now. */
static void become_clone(struct volume *v, const struct volume *rw,
			 enum afsx_voltype type, u32 id, const char *name)
{
	tree_free(v);
	if (!v->v.id) {
		v->v.online = true;
		v->v.offline_msg[0] = '\0';
		v->v.motd[0] = '\0';
	}
	v->v.id = id;
	v->v.rw_id = rw->v.id;
	v->v.type = type;
	v->v.quota_kib = rw->v.quota_kib;
	v->v.used_kib = rw->v.used_kib;
	v->v.files = rw->v.files;
	snprintf(v->v.name, sizeof(v->v.name), "%s", name);
	tree_copy(v, rw);
}

void op_vol_clone(void)
{
	char name[STORE_NAME_MAX];
	enum afsx_voltype type = pick(2) ? AFSX_VOL_RO : AFSX_VOL_BACKUP;
	struct volume *rw = a_volume(true);
	struct volume *v = rw ? clone_slot(rw, type) : NULL;
	u32 id;

	/* a clone keeps what waits to be freed */
	if (!v || w.pending)
		return;
	say("clone %u to %s", rw->v.id, suffix[type]);
	if (!settle(store_vol_clone(w.tx, rw->v.id, type, &id), 0))
		return;
	if (id != rw->v.id + type)
		wrong("the clone has the id %u", id);
	snprintf(name, sizeof(name), "%.20s%s", rw->v.name, suffix[type]);
	become_clone(v, rw, type, id, name);
}

void op_vol_clone_as(void)
{
	struct volume *rw = a_volume(true);
	struct volume *v = rw ? by_id(0) : NULL;
	char name[STORE_NAME_MAX];
	u32 id;

	if (!v || w.pending)
		return;
	a_name(name);
	say("clone %u as %s", rw->v.id, name);
	if (!settle(store_vol_clone_as(w.tx, rw->v.id, name, &id),
		    name_in_use(name) ? -EEXIST : 0))
		return;
	if (id - AFSX_VOL_RO < w.next_id)
		wrong("volume id %u was used before", id);
	w.next_id = id - AFSX_VOL_RO + IDS_PER_NAME;
	become_clone(v, rw, AFSX_VOL_RO, id, name);
}

void op_vol_rename(void)
{
	struct volume *v = a_volume(true);
	char name[STORE_NAME_MAX];

	if (!v)
		return;
	a_name(name);
	say("rename volume %u to %s", v->v.id, name);
	if (!settle(store_vol_rename(w.tx, v->v.id, name),
		    name_in_use(name) ? -EEXIST : 0))
		return;
	for (u32 i = 0; i < ARRAY_SIZE(suffix); i++) {
		struct volume *one = by_id(v->v.id + i);

		if (one)
			snprintf(one->v.name, sizeof(one->v.name), "%.20s%s",
				 name, suffix[i]);
	}
}

static bool has_clones(const struct volume *v)
{
	for (u32 i = 0; i < VOLUMES_MAX; i++)
		if (w.vol[i].v.id && w.vol[i].v.type != AFSX_VOL_RW &&
		    w.vol[i].v.rw_id == v->v.id)
			return true;
	return false;
}

void op_vol_remove(void)
{
	struct volume *v = a_volume(false);
	bool busy;

	if (!v)
		return;
	say("remove volume %u", v->v.id);
	busy = v->v.type == AFSX_VOL_RW && has_clones(v);
	if (!settle(store_vol_remove(w.tx, v->v.id), busy ? -EBUSY : 0))
		return;
	tree_free(v);
	memset(v, 0, sizeof(*v));
}

void op_vol_set(void)
{
	unsigned int mask = (unsigned int)pick(16);
	struct volume *v = a_volume(false);
	struct store_vol set;

	if (!v)
		return;
	say("set volume %u, mask %#x", v->v.id, mask);
	set = (struct store_vol){ .id = v->v.id, .quota_kib = a_quota(),
		.online = pick(2) };
	snprintf(set.offline_msg, TEXT_MAX, "offline %ju", (uintmax_t)pick(99));
	snprintf(set.motd, TEXT_MAX, "motd %ju", (uintmax_t)pick(99));
	if (!settle(store_vol_set(w.tx, &set, mask), 0))
		return;
	if (mask & STORE_VOL_QUOTA)
		v->v.quota_kib = set.quota_kib;
	if (mask & STORE_VOL_ONLINE)
		v->v.online = set.online;
	if (mask & STORE_VOL_OFFLINE_MSG)
		memcpy(v->v.offline_msg, set.offline_msg, TEXT_MAX);
	if (mask & STORE_VOL_MOTD)
		memcpy(v->v.motd, set.motd, TEXT_MAX);
}
