// SPDX-License-Identifier: MIT
#include "pace.h"
#include "proto.h"

#define WEIGHT	8	/* the latest counts as much as one in so many */

static enum pace_kind kind_of(const struct request *r)
{
	switch (r->type) {
	case NBD_CMD_WRITE:
		return PACE_WRITE;
	case NBD_CMD_FLUSH:
		return PACE_FLUSH;
	default:
		return PACE_NR;
	}
}

void pace_init(struct pace *pace)
{
	int i;

	for (i = 0; i < PACE_NR; i++)
		atomic_init(&pace->recent[i], PACE_BRIEF);
	atomic_init(&pace->unflushed, 0);
}

bool pace_brief(const struct pace *pace, const struct request *r)
{
	enum pace_kind kind = kind_of(r);

	if (kind == PACE_NR || pace->recent[kind] > PACE_BRIEF)
		return false;
	return kind != PACE_FLUSH || pace->unflushed <= PACE_UNFLUSHED;
}

void pace_note_change(struct pace *pace, u64 bytes)
{
	atomic_fetch_add_explicit(&pace->unflushed, bytes, memory_order_relaxed);
}

void pace_note(struct pace *pace, const struct request *r, u64 ns)
{
	enum pace_kind kind = kind_of(r);
	s64 old;

	if (kind == PACE_FLUSH)
		pace->unflushed = 0;
	if (kind == PACE_NR) {
		pace_note_change(pace, r->length);
		return;
	}
	old = pace->recent[kind];
	pace->recent[kind] = (unsigned int)
		(old + ((s64)min_u64(ns, PACE_LONG) - old) / WEIGHT);
}
