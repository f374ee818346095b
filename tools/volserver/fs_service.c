// SPDX-License-Identifier: MIT
/*
 * The file service: its table of calls, and the calls about the server and
 * callbacks.
 */
#include <errno.h>
#include <time.h>

#include "afsxd.h"
#include "callback.h"
#include "fs_lock.h"
#include "fs_name.h"
#include "fs_store.h"
#include "fs_vnode.h"
#include "fs_volume.h"

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
 * Memberships of users are not kept: there is nothing to flush, and nobody who
 * may say so.
 */
static s32 flush_cps(struct svc_call *call, const void *args, void *reply)
{
	return afsx_errno_to_abort(-EPERM);
}

static const struct svc_method fs_methods[] = {
	{ AFSX_FS_FETCH_DATA64,		fs_fetch_data },
	{ AFSX_FS_FETCH_STATUS,		fs_fetch_status },
	{ AFSX_FS_INLINE_BULK_STATUS,	fs_inline_bulk_status },
	{ AFSX_FS_FETCH_DATA,		fs_fetch_data },
	{ AFSX_FS_FETCH_ACL,		fs_fetch_acl },
	{ AFSX_FS_BULK_STATUS,		fs_bulk_status },
	{ AFSX_FS_LOOKUP,		fs_lookup },
	{ AFSX_FS_STORE_DATA64,		fs_store_data },
	{ AFSX_FS_STORE_DATA,		fs_store_data },
	{ AFSX_FS_STORE_STATUS,		fs_store_status },
	{ AFSX_FS_STORE_ACL,		fs_store_acl },
	{ AFSX_FS_OLD_STORE_ACL,	fs_store_acl },
	{ AFSX_FS_CREATE_FILE,		fs_create_file },
	{ AFSX_FS_MAKE_DIR,		fs_make_dir },
	{ AFSX_FS_SYMLINK,		fs_symlink },
	{ AFSX_FS_LINK,			fs_link },
	{ AFSX_FS_RENAME,		fs_rename },
	{ AFSX_FS_REMOVE_FILE,		fs_remove_file },
	{ AFSX_FS_REMOVE_DIR,		fs_remove_dir },
	{ AFSX_FS_SET_LOCK,		fs_set_lock },
	{ AFSX_FS_EXTEND_LOCK,		fs_extend_lock },
	{ AFSX_FS_RELEASE_LOCK,		fs_release_lock },
	{ AFSX_FS_GET_VOLUME_STATUS,	fs_get_volume_status },
	{ AFSX_FS_SET_VOLUME_STATUS,	fs_set_volume_status },
	{ AFSX_FS_GET_ROOT_VOLUME,	fs_get_root_volume },
	{ AFSX_FS_GET_TIME,		get_time },
	{ AFSX_FS_GET_CAPABILITIES,	get_capabilities },
	{ AFSX_FS_GIVE_UP_CALLBACKS,	give_up_callbacks },
	{ AFSX_FS_GIVE_UP_ALL_CALLBACKS, give_up_all_callbacks },
	{ AFSX_FS_FLUSH_CPS,		flush_cps },
};

const struct svc fs_svc = {
	.service = AFSX_SVC_FS,
	.port = AFSX_FS_PORT,
	.keeps_clients = true,
	.methods = fs_methods,
	.nr_methods = ARRAY_SIZE(fs_methods),
};
