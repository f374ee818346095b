// SPDX-License-Identifier: MIT
#include "spin.h"

#define SPIN_FIRST	8000u	/* ns, of who has been quick once */

void spin_note(struct spin *spin, u64 ns)
{
	if (ns > SPIN_MAX)
		spin->limit /= 2;
	else if (ns > spin->limit)
		spin->limit = (unsigned int)clamp_u64(2 * ns, SPIN_FIRST, SPIN_MAX);
	if (spin->limit < SPIN_FIRST)
		spin->limit = 0;
}
