/* SPDX-License-Identifier: MIT */
/*
 * Advisory locks on vnodes, as the file service has them: any number of
 * readers, or one writer; who holds them is not recorded.  A lock that is not
 * extended in time is gone, as are all when the server ends.
 */
#ifndef AFSXD_LOCK_H
#define AFSXD_LOCK_H

#include <afsx/rpc_change.h>

struct locks;

struct locks *locks_new(unsigned int max, unsigned int lifetime);
void locks_free(struct locks *locks);

int locks_set(struct locks *locks, const struct afsx_fid *fid, u32 type);
int locks_extend(struct locks *locks, const struct afsx_fid *fid);
u32 locks_release(struct locks *locks, const struct afsx_fid *fid);
unsigned int locks_number(struct locks *locks);
u32 locks_count(struct locks *locks, const struct afsx_fid *fid);

#endif /* AFSXD_LOCK_H */
