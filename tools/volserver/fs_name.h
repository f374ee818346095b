/* SPDX-License-Identifier: MIT */
/* Calls of the file service that change what directories hold. */
#ifndef AFSXD_FS_NAME_H
#define AFSXD_FS_NAME_H

#include "dispatch.h"

s32 fs_create_file(struct svc_call *call, const void *args, void *reply);
s32 fs_make_dir(struct svc_call *call, const void *args, void *reply);
s32 fs_symlink(struct svc_call *call, const void *args, void *reply);
s32 fs_link(struct svc_call *call, const void *args, void *reply);
s32 fs_remove_file(struct svc_call *call, const void *args, void *reply);
s32 fs_remove_dir(struct svc_call *call, const void *args, void *reply);
s32 fs_rename(struct svc_call *call, const void *args, void *reply);

#endif /* AFSXD_FS_NAME_H */
