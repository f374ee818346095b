/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the qcow2 format share.
 *
 * Locks, in the order in which they are taken:
 *  flushing	one flush at a time
 *  meta	L1 table, reference counts, loading of tables, what is dirty
 *  io		held shared while a request uses clusters it found in the L2 tables;
 *		taken exclusively, for a moment, before clusters that were freed or
 *		tables that were dropped from memory may be used otherwise
 * Entries of L2 tables are read without a lock and changed under meta; neither
 * meta nor flushing is taken with io held.
 */
#ifndef AFSX_NBD_QCOW2_PRIV_H
#define AFSX_NBD_QCOW2_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "be.h"
#include "cleanup.h"
#include "qcow2_header.h"

#define QCOW2_COPIED		0x8000000000000000ull
#define QCOW2_COMPRESSED	0x4000000000000000ull
#define QCOW2_ZERO		0x0000000000000001ull
#define QCOW2_HOST_MASK		0x00fffffffffffe00ull

/* One L2 table or block of reference counts in memory, as it is in the file. */
struct qcow2_table {
	u64		host;		/* where in the file */
	u32		dirty_from;	/* bytes that the file does not have yet */
	u32		dirty_to;
	bool		fresh;		/* nothing durable leads to it yet */
	_Atomic bool	used;		/* since the last look for one to drop */
	_Alignas(16) u8	data[];
};

/* All tables of one kind. */
struct qcow2_cache {
	struct qcow2_table *_Atomic *tables;
	u32	size;
	u32	loaded;
	u32	limit;
	u32	dirty;
	u32	hand;		/* where the search for one to drop goes on */
};

/* A growing list of offsets in the file. */
struct qcow2_list {
	u64	*v;
	size_t	nr;
	size_t	room;
};

/* A cluster that was decompressed not long ago. */
struct qcow2_unpacked {
	u64	entry;		/* 0: none */
	u8	*data;
};

#define QCOW2_UNPACKED	8

/* Guest clusters to which a write in progress gives new places. */
struct qcow2_claim {
	u64	first;
	u64	nr;
	struct qcow2_claim *next;
};

struct qcow2 {
	struct blk		blk;
	struct qcow2_file	file;
	struct qcow2_header	h;
	struct blk		*backing;
	u32			cluster_size;
	u32			l2_bits;	/* log2 of the entries of an L2 table */
	u32			refs_bits;	/* log2 of the entries of a block */

	pthread_mutex_t		flushing;
	pthread_mutex_t		meta;
	pthread_rwlock_t	io;
	_Atomic int		broken;		/* errno once metadata was lost */
	_Atomic bool		touched;	/* autoclear bits are cleared */
	_Atomic bool		crowded;	/* too much waits for a flush */

	_Atomic u64		*l1;
	u32			l1_dirty_from, l1_dirty_to;
	struct qcow2_cache	l2;
	u64			*reftable;
	u32			reftable_dirty_from, reftable_dirty_to;
	struct qcow2_cache	refs;
	u64			free_hint;	/* no free cluster is below it */
	u64			file_end;	/* behind it the file is a hole */
	struct qcow2_list	freed;		/* clusters that lose a reference */
	struct qcow2_claim	*claims;
	pthread_cond_t		claim_gone;
	_Atomic u64		flushes;	/* begun so far */
	int			flush_result;	/* of the last of them */

	pthread_mutex_t		unpack;
	struct qcow2_unpacked	unpacked[QCOW2_UNPACKED];
	u32			unpack_next;
};

enum qcow2_kind {
	QCOW2_KIND_BACKING,	/* not in this image */
	QCOW2_KIND_ZERO,
	QCOW2_KIND_DATA,
	QCOW2_KIND_COMPRESSED,
};

/**
 * struct qcow2_run - bytes that are stored in one way
 * @kind: how
 * @host: where in the file the first byte is, or 0
 * @len: how many; in the file they follow each other
 * @copied: the clusters belong to nobody else, and may be written to
 * @entry: entry of the L2 table, for the first of them
 */
struct qcow2_run {
	enum qcow2_kind	kind;
	u64		host;
	u64		len;
	bool		copied;
	u64		entry;
};

static inline struct qcow2 *to_qcow2(struct blk *blk)
{
	return container_of(blk, struct qcow2, blk);
}

static inline bool qcow2_is_dirty(const struct qcow2_table *t)
{
	return t->dirty_to > t->dirty_from;
}

static inline u64 qcow2_entry(const struct qcow2_table *t, u32 i)
{
	return be64toh(atomic_load_explicit((const _Atomic u64 *)t->data + i,
					    memory_order_acquire));
}

static inline void qcow2_set_entry(struct qcow2_table *t, u32 i, u64 entry)
{
	atomic_store_explicit((_Atomic u64 *)t->data + i, htobe64(entry),
			      memory_order_release);
}

/* Nothing more may be changed, as metadata was lost or is contradictory. */
static inline int qcow2_break(struct qcow2 *q, int ret)
{
	q->broken = ret;
	return ret;
}

/* qcow2_map.c: tables in memory, and where guest clusters are */
int qcow2_cache_init(struct qcow2_cache *cache, u32 size, u32 limit);
void qcow2_cache_free(struct qcow2_cache *cache);
struct qcow2_table *qcow2_table_new(struct qcow2 *q, u64 host);
int qcow2_table_load(struct qcow2 *q, struct qcow2_cache *cache, u32 i, u64 host,
		     struct qcow2_table **table);
void qcow2_table_dirty(struct qcow2_cache *cache, struct qcow2_table *t, u32 from, u32 to);
void qcow2_table_clean(struct qcow2_cache *cache, struct qcow2_table *t);
int qcow2_read_be64s(struct qcow2_file *file, _Atomic u64 *to, u32 nr, u64 offset);
/* io held: -EAGAIN when the L2 table must be brought by qcow2_l2_fetch(). */
int qcow2_lookup(struct qcow2 *q, u64 offset, u64 len, struct qcow2_run *run);
/* no lock held */
int qcow2_l2_fetch(struct qcow2 *q, u64 offset);
/* meta held */
int qcow2_l2_load(struct qcow2 *q, u32 l1_index, struct qcow2_table **table);
int qcow2_l2_writable(struct qcow2 *q, u32 l1_index, struct qcow2_table **table);
void qcow2_mark(u32 *from, u32 *to, u32 i);

/* qcow2_read.c */
int qcow2_read(struct blk *blk, void *buf, u32 len, u64 offset, u32 flags);
int qcow2_extents(struct blk *blk, u64 len, u64 offset, struct blk_extent *extents,
		  u32 max);

/* qcow2_unpack.c: @len bytes from @skip in a compressed cluster */
int qcow2_unpack(struct qcow2 *q, u64 entry, void *buf, u32 len, u32 skip);
void qcow2_unpack_forget(struct qcow2 *q);
/* Where the compressed data of an entry is, in whole sectors at its end. */
void qcow2_packed_range(const struct qcow2_header *h, u64 entry, u64 *at, u32 *len);

/* qcow2_refs.c, meta held: reference counts of the clusters of the file */
int qcow2_refs_get(struct qcow2 *q, u64 cluster, u64 *count);
int qcow2_refs_block(struct qcow2 *q, u64 cluster, struct qcow2_table **block);
u64 qcow2_refs_peek(const struct qcow2 *q, const struct qcow2_table *block, u64 cluster);
void qcow2_refs_poke(struct qcow2 *q, struct qcow2_table *block, u64 cluster, u64 count);
int qcow2_refs_add_block(struct qcow2 *q, u64 cluster, u64 host);
/* Return: 1 when @cluster is free now, 0 when it is not, errors. */
int qcow2_refs_drop(struct qcow2 *q, u64 cluster);
/* At most @max clusters that follow each other: @nr of them from byte @host. */
int qcow2_alloc(struct qcow2 *q, u32 max, u64 *host, u32 *nr);
/* Give back clusters of qcow2_alloc() that nothing leads to. */
void qcow2_unalloc(struct qcow2 *q, u64 host, u32 nr);
/* When the next flush is durable, the clusters of an L2 entry lose a reference. */
void qcow2_free_later(struct qcow2 *q, u64 entry);
void qcow2_list_add(struct qcow2_list *list, u64 v);

/* qcow2_grow.c, meta held */
int qcow2_grow_reftable(struct qcow2 *q, u64 cluster);
int qcow2_write_fresh(struct qcow2 *q, struct qcow2_cache *cache, bool *any);

/* qcow2_write.c, qcow2_zero.c */
int qcow2_write(struct blk *blk, const void *buf, u32 len, u64 offset, u32 flags);
int qcow2_zero(struct blk *blk, u64 len, u64 offset, u32 flags);
int qcow2_trim(struct blk *blk, u64 len, u64 offset, u32 flags);
/* meta held: wait until no write claims one of the clusters. */
void qcow2_claims_wait(struct qcow2 *q, u64 first, u64 nr);
/* Before anything is changed: 0, or why nothing may be. */
int qcow2_touch(struct qcow2 *q);
/* meta held: see whether enough was changed for a flush. */
void qcow2_note_crowd(struct qcow2 *q);
/* After a change: write metadata when too much waits, or as @flags ask. */
int qcow2_settle(struct qcow2 *q, u32 flags);

/* qcow2_flush.c */
int qcow2_flush(struct blk *blk);

/* qcow2_repair.c: compute the reference counts anew */
int qcow2_repair(struct qcow2 *q, struct errbuf *err);

#endif /* AFSX_NBD_QCOW2_PRIV_H */
