// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What df should say about a volume.
 */
#include <afsx/statfs.h>

static u64 at_least_0(s32 v)
{
	return v > 0 ? (u64)v : 0;
}

void afsx_statfs_from(const struct afsx_volstatus *vs, bool readonly, struct afsx_statfs *out)
{
	u64 part_max = at_least_0(vs->part_max);
	u64 part_avail = min(at_least_0(vs->part_avail), part_max);
	u64 used = at_least_0(vs->blocks_in_use);

	if (vs->max_quota > 0) {
		out->blocks = at_least_0(vs->max_quota);
		out->bfree = out->blocks - min(used, out->blocks);
	} else {
		out->blocks = part_max;
		out->bfree = part_avail;
	}
	out->bavail = readonly ? 0 : min(out->bfree, part_avail);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_statfs_from);
