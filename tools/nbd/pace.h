/* SPDX-License-Identifier: MIT */
/* Which requests that may wait for the disk are over so soon that no thread is worth it. */
#ifndef AFSX_NBD_PACE_H
#define AFSX_NBD_PACE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "request.h"

/* An average up to this is brief, in ns: about what a change of threads costs twice. */
#define PACE_BRIEF	20000u
/* One up to this is short: the changes of threads would be a tenth of it, or more. */
#define PACE_SHORT	200000u
/*
 * What takes longer counts no more than that, or than twice the average, so that one delay
 * is soon forgotten; and never more than the other one, so that many are.
 */
#define PACE_LONG	100000u
#define PACE_MOST	400000u
/* The flush of more bytes than these is neither, whatever the last ones were. */
#define PACE_UNFLUSHED	(1024 * 1024u)

/* What is measured: writes that are durable at once, and flushes. */
enum pace_kind {
	PACE_WRITE,
	PACE_FLUSH,
	PACE_NR,
};

/**
 * struct pace - how long the requests of a connection have taken lately
 * @recent: moving averages in ns
 * @unflushed: bytes that were changed since the last flush
 *
 * Any number of threads may use it. It is an estimate, which an update that gets lost
 * between two threads does no harm.
 */
struct pace {
	atomic_uint		recent[PACE_NR];
	atomic_ullong		unflushed;
};

/** pace_init() - begin; the first request of each kind is taken for a brief one. */
void pace_init(struct pace *pace);

/**
 * pace_brief() - whether the thread that has received a request should carry it out
 * @pace: of the connection
 * @r: request, other than the writes that need not be durable
 *
 * The requests behind it have to wait meanwhile, so that is worth it only if it takes
 * no longer than the change to another thread.
 */
bool pace_brief(const struct pace *pace, const struct request *r);

/**
 * pace_short() - whether it should, if the client has nothing else to be done meanwhile
 * @pace: of the connection
 * @r: request, as above
 */
bool pace_short(const struct pace *pace, const struct request *r);

/** pace_note_change() - bytes were changed, and a flush has to make that durable. */
void pace_note_change(struct pace *pace, u64 bytes);

/** pace_note() - the request @r, as pace_brief() takes it, has taken @ns. */
void pace_note(struct pace *pace, const struct request *r, u64 ns);

#endif /* AFSX_NBD_PACE_H */
