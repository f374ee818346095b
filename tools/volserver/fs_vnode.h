/* SPDX-License-Identifier: MIT */
/* Calls of the file service that read vnodes. */
#ifndef AFSXD_FS_VNODE_H
#define AFSXD_FS_VNODE_H

#include "dispatch.h"

s32 fs_fetch_data(struct svc_call *call, const void *args, void *reply);
s32 fs_fetch_status(struct svc_call *call, const void *args, void *reply);
s32 fs_fetch_acl(struct svc_call *call, const void *args, void *reply);
s32 fs_bulk_status(struct svc_call *call, const void *args, void *reply);
s32 fs_inline_bulk_status(struct svc_call *call, const void *args, void *reply);
s32 fs_lookup(struct svc_call *call, const void *args, void *reply);

#endif /* AFSXD_FS_VNODE_H */
