// SPDX-License-Identifier: MIT
#include "defs.h"
#include "turns.h"

bool turns_taken(struct turns *turns)
{
	if (!turns->rest)
		return true;
	turns->rest--;
	return false;
}

void turns_note(struct turns *turns, bool came)
{
	if (!came) {
		turns->penalty /= 2;
		return;
	}
	turns->penalty = (unsigned int)clamp_u64(2 * turns->penalty, 1, TURNS_REST_MAX);
	turns->rest = turns->penalty;
}
