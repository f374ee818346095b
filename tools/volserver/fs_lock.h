/* SPDX-License-Identifier: MIT */
/* Calls of the file service about advisory locks. */
#ifndef AFSXD_FS_LOCK_H
#define AFSXD_FS_LOCK_H

#include "dispatch.h"

s32 fs_set_lock(struct svc_call *call, const void *args, void *reply);
s32 fs_extend_lock(struct svc_call *call, const void *args, void *reply);
s32 fs_release_lock(struct svc_call *call, const void *args, void *reply);

#endif /* AFSXD_FS_LOCK_H */
