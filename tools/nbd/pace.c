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

/* Whether requests as @r have taken up to @most on average. */
static bool takes(const struct pace *pace, const struct request *r, unsigned int most)
{
	enum pace_kind kind = kind_of(r);

	if (kind == PACE_NR || pace->recent[kind] > most)
		return false;
	return kind != PACE_FLUSH || pace->unflushed <= PACE_UNFLUSHED;
}

bool pace_brief(const struct pace *pace, const struct request *r)
{
	return takes(pace, r, PACE_BRIEF);
}

bool pace_short(const struct pace *pace, const struct request *r)
{
	return takes(pace, r, PACE_SHORT);
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
	ns = min_u64(ns, clamp_u64(2 * (u64)old, PACE_LONG, PACE_MOST));
	pace->recent[kind] = (unsigned int)(old + ((s64)ns - old) / WEIGHT);
}
