/* SPDX-License-Identifier: MIT */
/*
 * The volume store: volumes, vnodes, directories and file data kept on blocks
 * of an NBD export.  On-device format: Documentation/store-format.rst.
 *
 * Conventions, for every function here:
 *  - 0 (or a count) on success, negative errno on failure;
 *  - any thread may call any function, unless it says otherwise;
 *  - a read sees the last committed state, and returns only once that state is
 *    durable, so that nothing a client was told can be lost by a crash;
 *  - changes happen between store_begin() and store_commit(), one writer at a
 *    time; the others queue in store_begin();
 *  - volumes are addressed by id, in fid.vid.  The ids of one volume group are
 *    V (read/write), V + 1 (.readonly) and V + 2 (.backup).
 *
 * Errors with one meaning throughout:
 *  -ENOMEDIUM	no such volume
 *  -ENOENT	no such vnode, or no such name in the directory
 *  -ESTALE	the vnode exists with another uniquifier
 *  -EROFS	the volume is a clone, or the store is read-only or degraded
 *  -EDQUOT	the volume's quota would be exceeded
 *  -ENOSPC	the device is full
 *  -EUCLEAN	a checksum or an invariant of the format does not hold
 *  -EIO	the device failed
 */
#ifndef AFSX_STORE_H
#define AFSX_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <afsx/platform.h>
#include <afsx/types.h>

#include "err.h"
#include "store_change.h"
#include "store_ingest.h"
#include "store_read.h"
#include "store_vol.h"

struct store;
struct store_tx;

/* ---- opening ---------------------------------------------------------- */

#define STORE_RDONLY	0x1u	/* never write, not even the owner's lease */
#define STORE_TAKEOVER	0x2u	/* open even if another owner seems alive */
#define STORE_KEEP_SIZE	0x4u	/* leave it to store_grow() to use a larger device */

/**
 * struct store_config - how to open a store
 * @uri: NBD URI of the export
 * @flags: STORE_*
 * @readers: threads that can read at once; 0 means 8
 * @cache_mib: memory for metadata pages, MiB; 0 means 64
 * @data_cache_mib: memory for small parts of files read lately, MiB; 0 means 64
 * @connect_s: seconds that connecting, with the NBD handshake, may take; 0 means
 *	10
 * @answer_s: seconds that the NBD server may take to answer a request, after which it
 *	counts as gone; 0 means 60
 * @reconnect_s: seconds to keep trying after the NBD server went away before
 *	the store stops; 0 means 30
 * @free_step: extents of a file that is removed or cut which one transaction
 *	frees at most; 0 means 1024
 */
struct store_config {
	const char *uri;
	unsigned int flags;
	unsigned int readers;
	unsigned int cache_mib;
	unsigned int data_cache_mib;
	unsigned int connect_s;
	unsigned int answer_s;
	unsigned int reconnect_s;
	unsigned int free_step;
};

/**
 * struct store_format_opts - how to make a new store
 * @uri: NBD URI of the export
 * @force: overwrite an existing store or other data
 * @wal_mib: size of the log region, MiB; 0 means chosen by the device's size
 * @connect_s: as in struct store_config
 */
struct store_format_opts {
	const char *uri;
	bool force;
	unsigned int wal_mib;
	unsigned int connect_s;
};

/**
 * store_format() - write an empty store
 * @o: what and where
 * @err: says why on failure
 *
 * Return: 0; -EEXIST when the device holds something and @o->force is not set;
 * -ENOSPC when it is too small; -EBUSY when a live owner has it.
 */
int store_format(const struct store_format_opts *o, struct errbuf *err);

/**
 * store_open() - open a store, recovering it after a crash
 * @cfg: how
 * @st: the handle, on success
 * @err: says why on failure
 *
 * Return: 0; -EBUSY when another process owns the store; -EMEDIUMTYPE when
 * there is no store on the device; -EUCLEAN when it is damaged.
 */
int store_open(const struct store_config *cfg, struct store **st,
	       struct errbuf *err);

/**
 * store_close() - make everything durable and release the store
 * @st: a handle, or NULL; no other thread may be inside the store
 *
 * Return: 0, or the error that stopped the store earlier.
 */
int store_close(struct store *st);

/**
 * struct store_info - facts about a whole store
 * @uuid: of the store; serves as the server's UUID in the VLDB
 * @device_kib: size of the device, KiB
 * @total_kib: what volumes can use of it, KiB
 * @free_kib: what is left of that, KiB
 * @volumes: number of volumes, clones included
 * @vnodes: number of live vnodes of R/W volumes
 * @meta_kib: size of the metadata region, KiB
 * @wal_kib: size of the log region, KiB
 * @failed: 0, or the negative errno that made the store read-only
 */
struct store_info {
	struct afsx_uuid uuid;
	u64 device_kib;
	u64 total_kib;
	u64 free_kib;
	u64 volumes;
	u64 vnodes;
	u64 meta_kib;
	u64 wal_kib;
	int failed;
};

/** store_info() - fill in @info; counts are read from the store (slow). */
int store_info(struct store *st, struct store_info *info);

/** store_space() - total and free KiB only; takes no lock, cheap. */
void store_space(struct store *st, u64 *total_kib, u64 *free_kib);

/**
 * struct store_stats - what an open store did so far
 * @commits: transactions that changed something
 * @log_kib: size of the log now, KiB
 * @reads: READ requests to the NBD server
 * @writes: WRITE requests
 * @flushes: FLUSH requests
 * @others: TRIM and WRITE_ZEROES requests
 * @read_kib: KiB read
 * @written_kib: KiB written
 * @errors: requests that failed
 */
struct store_stats {
	u64 commits;
	u64 log_kib;
	u64 reads;
	u64 writes;
	u64 flushes;
	u64 others;
	u64 read_kib;
	u64 written_kib;
	u64 errors;
};

/** store_stats() - fill in @stats; cheap */
void store_stats(struct store *st, struct store_stats *stats);

/* ---- news ------------------------------------------------------------- */

/**
 * typedef store_notify_t - told what a transaction changed, once it is durable
 * @ctx: as registered
 * @origin: of the transaction, see store_set_origin()
 * @fids: vnodes whose status or data changed or that are gone; an entry with
 *	vnode 0 and unique 0 means the whole volume (renewed or removed clone)
 * @nr: number of entries, at least 1
 *
 * Runs in the thread that commits, before store_commit() returns, with no lock
 * of the store held: it may call the reading functions.  Breaking callbacks
 * here makes the writer wait for it, as AFS wants.
 */
typedef void (*store_notify_t)(void *ctx, const void *origin,
			       const struct afsx_fid *fids, size_t nr);

/** store_set_notify() - register the one receiver; before threads start. */
void store_set_notify(struct store *st, store_notify_t fn, void *ctx);

/* ---- checking --------------------------------------------------------- */

#define STORE_CHECK_DATA	0x1u	/* read and verify file data as well */
#define STORE_CHECK_REPAIR	0x2u	/* mend what can be, in one transaction */

/** typedef store_report_t - receives one problem, one line, per call */
typedef void (*store_report_t)(void *ctx, const char *problem);

/**
 * store_grow() - use all of a device that has become larger
 * @st: store
 * @before: receives the KiB of the device that were used so far
 * @now: the same, from now on; equal when it is not larger
 * @err: says why on failure
 *
 * Goes on beside everything else, which may have to wait for a new connection.  A crash
 * leaves the store as large as it was, or as it is then.
 *
 * Return: 0; -EROFS when the store cannot be changed; -EMEDIUMTYPE when the device has
 * become smaller.
 */
int store_grow(struct store *st, u64 *before, u64 *now, struct errbuf *err);

/**
 * store_check() - verify every invariant of the format
 * @st: store; writers are held up while it runs
 * @flags: STORE_CHECK_*
 * @report: told of every problem, and of all that was mended
 * @ctx: for @report
 *
 * What was mended counts as found: only another check tells what is left.
 *
 * Return: number of problems found, or a negative errno when the check itself
 * could not go on.
 */
int store_check(struct store *st, unsigned int flags, store_report_t report,
		void *ctx);

/**
 * struct store_scrub - how far a reading of all file data has come
 * @after: row it has come to; 0 to begin
 * @last: the last row there is
 * @kib: read so far
 * @problems: found so far
 */
struct store_scrub {
	s64 after;
	s64 last;
	u64 kib;
	u64 problems;
};

/**
 * store_scrub() - read and verify some file data, beside other work
 * @st: store
 * @s: where to go on
 * @kib: how much, about
 * @report: told of every problem
 * @ctx: for @report
 *
 * Return: 1, or 0 when all has been read, or a negative errno.
 */
int store_scrub(struct store *st, struct store_scrub *s, u64 kib,
		store_report_t report, void *ctx);

#endif /* AFSX_STORE_H */
