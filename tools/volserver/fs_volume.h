/* SPDX-License-Identifier: MIT */
/* Calls of the file service about volumes as a whole. */
#ifndef AFSXD_FS_VOLUME_H
#define AFSXD_FS_VOLUME_H

#include "dispatch.h"

s32 fs_get_volume_status(struct svc_call *call, const void *args, void *reply);
s32 fs_set_volume_status(struct svc_call *call, const void *args, void *reply);
s32 fs_get_root_volume(struct svc_call *call, const void *args, void *reply);

#endif /* AFSXD_FS_VOLUME_H */
