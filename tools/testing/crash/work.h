/* SPDX-License-Identifier: MIT */
/* Steps on a real store, and what a store shows. */
#ifndef AFSX_WORK_H
#define AFSX_WORK_H

#include "model.h"
#include "store.h"

/** work_format() - a new store with an empty volume */
void work_format(const char *uri);

/** work_open() - open a store whatever its lease says; NULL with @err filled */
struct store *work_open(const char *uri, struct errbuf *err);

/** work_volume() - id of the volume that steps change, or 0 */
u32 work_volume(struct store *st);

/** work_step() - carry out a step; a negative errno when it fails */
int work_step(struct store_tx *tx, u32 vid, const struct step *s);

/** work_text() - what the store shows, as model_text(); NULL with *@err set */
char *work_text(struct store *st, int *err);

/** work_commit() - one step as a transaction of its own */
int work_commit(struct store *st, u32 vid, const struct step *s);

/** work_collect() - collect what nothing refers to; 0 or an error */
int work_collect(struct store *st);

#endif /* AFSX_WORK_H */
