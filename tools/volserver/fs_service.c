// SPDX-License-Identifier: MIT
/*
 * The file service: its table of calls, and the calls about volumes, the
 * server and callbacks.
 */
#include <time.h>

#include "afsxd.h"
#include "callback.h"
#include "fs_vnode.h"
#include "host.h"
#include "log.h"
#include "rx_server.h"

/* The volume that clients with a classic root mount at the top. */
#define FS_ROOT_VOLUME	"root.afs"

static s32 clamp_kib(u64 kib)
{
	return kib > S32_MAX ? S32_MAX : (s32)kib;
}

static s32 get_volume_status(struct svc_call *call, const void *args,
			     void *reply)
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

static s32 get_root_volume(struct svc_call *call, const void *args,
			   void *reply)
{
	struct afsx_name_reply *r = reply;

	r->name.p = FS_ROOT_VOLUME;
	r->name.len = strlen(FS_ROOT_VOLUME);
	return 0;
}

static s32 get_time(struct svc_call *call, const void *args, void *reply)
{
	struct afsx_time_reply *r = reply;
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	r->sec = ts.tv_sec;
	r->usec = ts.tv_nsec / 1000;
	return 0;
}

static s32 get_capabilities(struct svc_call *call, const void *args,
			    void *reply)
{
	struct afsx_caps *caps = reply;

	caps->nr = 1;
	caps->word[0] = AFSX_FS_CAP_ERRORTRANS | AFSX_FS_CAP_64BITFILES;
	return 0;
}

/* A client that gives up no FID in particular gives up all. */
static s32 give_up_callbacks(struct svc_call *call, const void *args,
			     void *reply)
{
	const struct afsx_cb_callback_args *a = args;
	u32 i;

	if (!a->nr)
		callbacks_forget(call->d->callbacks, call->host);
	for (i = 0; i < a->nr; i++)
		callbacks_give_up(call->d->callbacks, call->host, &a->fid[i]);
	return 0;
}

static s32 give_up_all_callbacks(struct svc_call *call, const void *args,
				 void *reply)
{
	callbacks_forget(call->d->callbacks, call->host);
	return 0;
}

/*
 * Calls that would change something.  None is served: they are refused by what
 * they want to change, which is the volume in their first argument.
 */
static const struct {
	u32 opcode;
	const char *name;
} changes[] = {
	{ 133, "StoreData" },
	{ 134, "OldStoreACL" },
	{ 135, "StoreStatus" },
	{ 136, "RemoveFile" },
	{ 137, "CreateFile" },
	{ 138, "Rename" },
	{ 139, "Symlink" },
	{ 140, "Link" },
	{ 141, "MakeDir" },
	{ 142, "RemoveDir" },
	{ 150, "SetVolumeStatus" },
	{ 156, "SetLock" },
	{ 157, "ExtendLock" },
	{ 158, "ReleaseLock" },
	{ 164, "StoreACL" },
	{ 65538, "StoreData64" },
};

static s32 refuse_change(struct afsxd *d, struct rxs_call *rx, const char *name)
{
	struct store_vol vol;
	u8 word[4];
	int err;

	if (rxs_read(rx, word, sizeof(word)) != sizeof(word))
		return AFSX_RXGEN_SS_UNMARSHAL;
	log_debug("change refused", LOG_S("call", name));
	err = store_vol_get(d->store, get_unaligned_be32(word), &vol);
	if (err)
		return fs_abort(err);
	return fs_abort(vol.type == AFSX_VOL_RW ? -EACCES : -EROFS);
}

static s32 not_in_table(struct afsxd *d, struct rxs_call *rx, u32 opcode)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		if (changes[i].opcode == opcode)
			return refuse_change(d, rx, changes[i].name);
	}
	return AFSX_RXGEN_OPCODE;
}

static const struct svc_method fs_methods[] = {
	{ AFSX_FS_FETCH_DATA64,		fs_fetch_data },
	{ AFSX_FS_FETCH_STATUS,		fs_fetch_status },
	{ AFSX_FS_INLINE_BULK_STATUS,	fs_inline_bulk_status },
	{ AFSX_FS_FETCH_DATA,		fs_fetch_data },
	{ AFSX_FS_FETCH_ACL,		fs_fetch_acl },
	{ AFSX_FS_BULK_STATUS,		fs_bulk_status },
	{ AFSX_FS_LOOKUP,		fs_lookup },
	{ AFSX_FS_GET_VOLUME_STATUS,	get_volume_status },
	{ AFSX_FS_GET_ROOT_VOLUME,	get_root_volume },
	{ AFSX_FS_GET_TIME,		get_time },
	{ AFSX_FS_GET_CAPABILITIES,	get_capabilities },
	{ AFSX_FS_GIVE_UP_CALLBACKS,	give_up_callbacks },
	{ AFSX_FS_GIVE_UP_ALL_CALLBACKS, give_up_all_callbacks },
};

const struct svc fs_svc = {
	.service = AFSX_SVC_FS,
	.port = AFSX_FS_PORT,
	.keeps_clients = true,
	.methods = fs_methods,
	.nr_methods = ARRAY_SIZE(fs_methods),
	.other = not_in_table,
};
