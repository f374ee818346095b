/* SPDX-License-Identifier: MIT */
/* Calls of the file service that change a vnode: data, status, access list. */
#ifndef AFSXD_FS_STORE_H
#define AFSXD_FS_STORE_H

#include "dispatch.h"

s32 fs_store_data(struct svc_call *call, const void *args, void *reply);
s32 fs_store_status(struct svc_call *call, const void *args, void *reply);
s32 fs_store_acl(struct svc_call *call, const void *args, void *reply);

#endif /* AFSXD_FS_STORE_H */
