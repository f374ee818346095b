/* SPDX-License-Identifier: MIT */
/*
 * Functions of the store that the linker lets go through controls.c: calls go
 * to __wrap_NAME(), which may go on to __real_NAME(), the store's own.
 */
#ifndef AFSX_CONTROLS_H
#define AFSX_CONTROLS_H

#include "store_tx.h"

int __real_alloc_take(struct alloc *a, u32 want, u64 near,
		      struct alloc_run *run);
void __real_batch_add(struct store_tx *tx);
void __real_wal_set_source(struct wal *w, const struct wal_source *source,
			   void *ctx);
int __real_wal_wait(struct wal *w, u64 ticket);
int __real_store_refuse(struct store_tx *tx);
void __real_wal_announce(struct wal *w, bool data);

bool __wrap_rally_is_quick(const struct rally *r);

int __wrap_alloc_take(struct alloc *a, u32 want, u64 near,
		      struct alloc_run *run);
void __wrap_batch_add(struct store_tx *tx);
void __wrap_wal_set_source(struct wal *w, const struct wal_source *source,
			   void *ctx);
int __wrap_wal_wait(struct wal *w, u64 ticket);
int __wrap_store_refuse(struct store_tx *tx);
void __wrap_wal_announce(struct wal *w, bool data);

/** controls_command() - crash-ram controls: what must be noticed */
int controls_command(char **argv);

#endif /* AFSX_CONTROLS_H */
