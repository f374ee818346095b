// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "afsxd.h"
#include "fs_access.h"
#include "fs_change.h"
#include "fs_volume.h"

/* The volume that clients with a classic root mount at the top. */
#define FS_ROOT_VOLUME	"root.afs"

static s32 clamp_kib(u64 kib)
{
	return kib > S32_MAX ? S32_MAX : (s32)kib;
}

/** fs_get_volume_status() - GetVolumeStatus */
s32 fs_get_volume_status(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_volume_args *a = args;
	const struct store_vol *vol = &call->vol;
	struct afsx_volstatus *r = reply;
	u64 total, avail;
	s32 code = fs_find_volume(call, a->vid);

	/* Asking about it is how one learns why a volume is off line. */
	if (code && code != AFSX_VOFFLINE)
		return code;
	store_space(call->d->store, &total, &avail);
	*r = (struct afsx_volstatus){
		.vid = vol->id,
		.parent_id = vol->rw_id,
		.online = vol->online,
		.in_service = 1,
		.blessed = 1,
		.type = vol->type == AFSX_VOL_RW ? AFSX_VOLSTATUS_READWRITE :
						   AFSX_VOLSTATUS_READONLY,
		.max_quota = clamp_kib(vol->quota_kib),
		.blocks_in_use = clamp_kib(vol->used_kib),
		.part_avail = clamp_kib(avail),
		.part_max = clamp_kib(total),
		.name = { vol->name, strlen(vol->name) },
		.offline_msg = { vol->offline_msg, strlen(vol->offline_msg) },
		.motd = { vol->motd, strlen(vol->motd) },
	};
	return 0;
}

/** fs_get_root_volume() - GetRootVolume */
s32 fs_get_root_volume(struct svc_call *call, const void *args, void *reply)
{
	struct afsx_name_reply *r = reply;

	r->name.p = FS_ROOT_VOLUME;
	r->name.len = strlen(FS_ROOT_VOLUME);
	return 0;
}

static bool is_text(const struct afsx_str *s, const char *text)
{
	return s->len == strlen(text) && !memcmp(s->p, text, s->len);
}

/* A message that shall be set, unless it is empty; false when it is too long. */
static bool take_message(const struct afsx_str *s, char *text,
			 unsigned int flag, unsigned int *mask)
{
	if (s->len > STORE_TEXT_MAX)
		return false;
	if (!s->len)
		return true;
	memcpy(text, s->p, s->len);
	text[s->len] = '\0';
	*mask |= flag;
	return true;
}

/*
 * What shall change of @vol.  Its name is also in the VLDB and stays; nothing
 * is guaranteed to a volume, so a least quota is not kept.
 */
static s32 take_changes(const struct afsx_set_volume_args *a,
			struct store_vol *vol, unsigned int *mask)
{
	bool good = !a->name.len || is_text(&a->name, vol->name);

	*mask = 0;
	if (a->mask & AFSX_SET_MAX_QUOTA) {
		good = good && a->max_quota >= 0;
		vol->quota_kib = (u64)a->max_quota;
		*mask |= STORE_VOL_QUOTA;
	}
	good = good &&
	       take_message(&a->offline_msg, vol->offline_msg,
			    STORE_VOL_OFFLINE_MSG, mask) &&
	       take_message(&a->motd, vol->motd, STORE_VOL_MOTD, mask);
	return good ? 0 : afsx_errno_to_abort(-EINVAL);
}

/*
 * It takes the right to administer the root directory: as long as nobody can
 * prove to be an administrator of the cell, that is how one is made.
 */
static s32 set_volume(struct fs_change *c, const void *args, void *reply)
{
	const struct afsx_set_volume_args *a = args;
	struct afsx_fid root = { a->vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	struct store_vol vol = c->call->vol;
	unsigned int mask;
	struct fs_vnode v;
	s32 code;
	int err;

	(void)reply;
	code = fs_tx_vnode(c->tx, &root, &v);
	if (!code)
		code = fs_may_change_dir(&v, AFSX_ACE_ADMINISTER);
	if (!code)
		code = take_changes(a, &vol, &mask);
	if (code)
		return code;
	err = store_vol_set(c->tx, &vol, mask);
	return err ? fs_abort(err) : 0;
}

/** fs_set_volume_status() - SetVolumeStatus */
s32 fs_set_volume_status(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_set_volume_args *a = args;

	return fs_change(call, a->vid, set_volume, a, reply);
}
