/* SPDX-License-Identifier: MIT */
/*
 * What was acknowledged when, and whether a store that went through a crash
 * shows it: one of the states between the last one acknowledged and the last
 * one begun, whole, and sound.
 */
#ifndef AFSX_JUDGE_H
#define AFSX_JUDGE_H

#include <stdatomic.h>

#include "ramnbd.h"
#include "work.h"

#define HISTORY_MAX	1024u

/**
 * struct history - the states of a store, in the order of its transactions
 * @nr: number of states; [0] is what there was before
 * @state: text of each
 * @begun: moment before its commit; the transaction may be seen afterwards
 * @acked: first moment at which somebody knew of it, or RAM_NEVER
 */
struct history {
	u32 nr;
	char *state[HISTORY_MAX];
	u64 begun[HISTORY_MAX];
	atomic_ullong acked[HISTORY_MAX];
};

/** history_init() - begin with the state of @m */
void history_init(struct history *h, const struct model *m);

/** history_add() - another state, which a commit beginning @now will make */
u32 history_add(struct history *h, const struct model *m, u64 now);

/** history_acked() - state @nr can be relied upon since @now, if not before; any thread */
void history_acked(struct history *h, u32 nr, u64 now);

/** history_free() - release the texts */
void history_free(struct history *h);

/** history_range() - first and last state that may be seen after @when */
void history_range(const struct history *h, u64 when, u32 *low, u32 *high);

/**
 * history_find() - which of some states a store shows
 * @h: states
 * @text: what it shows
 * @low: first of them
 * @high: last of them
 *
 * Return: its number, or -1 after saying what is wrong.
 */
int history_find(const struct history *h, const char *text, u32 low, u32 high);

/**
 * judge() - open what a crash left, look at all of it, and close it
 * @d: device that holds it
 * @h: what it may show
 * @low: first state that it may show
 * @high: last one
 * @thorough: collect what is left over as well, change something, and look
 *	again
 *
 * Return: the state it shows, or -1 after saying what is wrong.
 */
int judge(struct ramdev *d, const struct history *h, u32 low, u32 high,
	  bool thorough);

#endif /* AFSX_JUDGE_H */
