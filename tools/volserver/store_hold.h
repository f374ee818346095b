/* SPDX-License-Identifier: MIT */
/* Volumes held as they are; included by store.h, which has the conventions. */
#ifndef AFSX_STORE_HOLD_H
#define AFSX_STORE_HOLD_H

#include "store_vol.h"

/**
 * store_hold() - keep a volume as it is at this moment, for reading
 * @st: store
 * @id: a volume of any type
 * @vol: what it is, with the id in @vol->id by which the reading functions
 *	find the moment that is held; no other function knows that id
 *
 * It takes constant time and no space.  What only the held volume shows is not
 * freed before store_unhold(); after a crash store_collect() forgets it.
 *
 * Return: 0; -EBUSY when too many are held, or the volume is being restored.
 */
int store_hold(struct store *st, u32 id, struct store_vol *vol);

/** store_unhold() - a held volume is not needed; then call store_collect() */
void store_unhold(struct store *st, const struct store_vol *vol);

#endif /* AFSX_STORE_HOLD_H */
