/* SPDX-License-Identifier: MIT */
/*
 * Functions of the store that the linker lets go through controls.c: calls go
 * to __wrap_NAME(), which may go on to __real_NAME(), the store's own.
 */
#ifndef AFSX_CONTROLS_H
#define AFSX_CONTROLS_H

#include "alloc.h"
#include "wal.h"

int __real_alloc_take(struct alloc *a, u32 want, u64 near,
		      struct alloc_run *run);
int __real_alloc_retire(struct alloc *a, const struct alloc_run *run,
			u64 ticket);
int __real_wal_wait(struct wal *w, u64 ticket);
int __real_wal_barrier(struct wal *w, unsigned int losses);
void __real_wal_announce(struct wal *w, bool data);

int __wrap_alloc_take(struct alloc *a, u32 want, u64 near,
		      struct alloc_run *run);
int __wrap_alloc_retire(struct alloc *a, const struct alloc_run *run,
			u64 ticket);
int __wrap_wal_wait(struct wal *w, u64 ticket);
int __wrap_wal_barrier(struct wal *w, unsigned int losses);
void __wrap_wal_announce(struct wal *w, bool data);

/** controls_command() - crash-ram controls: what must be noticed */
int controls_command(char **argv);

#endif /* AFSX_CONTROLS_H */
