/* SPDX-License-Identifier: MIT */
/*
 * Data for a file, brought to the device ahead of the transaction that makes
 * them part of it; included by store.h, which has the conventions.
 *
 * Whoever sends the data may take its time: no lock is held between the calls
 * of store_ingest_add(), and other writers see nothing of it.  What becomes of
 * the data is decided by store_write_ingest(): until then the blocks belong to
 * nobody, and are free again after a crash.
 */
#ifndef AFSX_STORE_INGEST_H
#define AFSX_STORE_INGEST_H

#include <stdbool.h>
#include <stddef.h>

#include <afsx/types.h>

struct store;
struct store_ingest;
struct store_tx;

/**
 * store_ingest_begin() - announce data for a file
 * @st: store
 * @off: where in the file they begin, bytes
 * @in: the handle, for one thread at a time
 *
 * Takes up to 1 MiB of memory, whatever comes.
 *
 * Return: 0; -ENOMEM.
 */
int store_ingest_begin(struct store *st, u64 off, struct store_ingest **in);

/**
 * store_ingest_add() - the next bytes
 * @in: handle
 * @buf: bytes, copied
 * @len: how many
 *
 * Return: 0; -ENOSPC; -EFBIG beyond the largest file; -ENOMEM.
 */
int store_ingest_add(struct store_ingest *in, const void *buf, size_t len);

/**
 * store_ingest_end() - there are no more; wait for the device
 * @in: handle
 * @at_end: the file is expected to end where these bytes do, so that nothing of its
 *	last block need be read; nothing is lost when it does not
 */
int store_ingest_end(struct store_ingest *in, bool at_end);

/**
 * store_write_ingest() - store_write() of what was brought
 * @tx: transaction
 * @fid: a file
 * @in: handle, after store_ingest_end(); can be used once
 *
 * Return: as store_write().
 */
int store_write_ingest(struct store_tx *tx, const struct afsx_fid *fid,
		       struct store_ingest *in);

/** store_ingest_free() - give back what was not used; @in may be NULL */
void store_ingest_free(struct store_ingest *in);

#endif /* AFSX_STORE_INGEST_H */
