/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What df should say about a volume. */
#ifndef AFSX_STATFS_H
#define AFSX_STATFS_H

#include <afsx/types.h>

#define AFSX_STATFS_BSIZE	1024

/**
 * struct afsx_statfs - Sizes in units of AFSX_STATFS_BSIZE bytes
 * @blocks: size of the volume: its quota, or the partition when it has none
 * @bfree: @blocks less what is used
 * @bavail: what can be written now: 0 <= @bavail <= @bfree <= @blocks
 */
struct afsx_statfs {
	u64 blocks;
	u64 bfree;
	u64 bavail;
};

/**
 * afsx_statfs_from - Derive the sizes from a GetVolumeStatus reply
 * @vs: volume status as a server sent it
 * @readonly: the volume is a replica or a backup: nothing is available
 * @out: filled in
 *
 * A volume with a quota can take what the quota leaves or what the partition
 * has left, whichever is less.  Nonsense (negative sizes, more used than the
 * quota, more available than there is) saturates.
 */
void afsx_statfs_from(const struct afsx_volstatus *vs, bool readonly, struct afsx_statfs *out);

#endif /* AFSX_STATFS_H */
