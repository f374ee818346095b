/* SPDX-License-Identifier: MIT */
/*
 * Records of changes, at the end of the log region, mirrored in memory.
 *
 * A record has the rows that the changes of a batch leave. It is durable with one write
 * of a block or a few, long before those rows are in the database. What has been taken
 * over there is told by the database itself: the sequence of the last record. Records
 * begin at the start of their region again when the database durably has all of them.
 *
 * Format: Documentation/store-format.rst, "Records".
 */
#ifndef AFSX_REDO_H
#define AFSX_REDO_H

#include <afsx/types.h>
#include <stdbool.h>

#include "blkdev.h"

/**
 * struct redo - the records
 * @dev: device
 * @uuid: of the store
 * @salt: records with another one are of a former opening
 * @start: device offset of the region, bytes
 * @limit: its size, bytes
 * @buf: @limit bytes
 * @tail: where the next record begins
 * @pos: end of the rows that it has so far
 * @seq: of the last record that is complete
 * @written: the device has what is before
 * @durable: sequence of the last record there
 *
 * @pos is protected by the writer's lock, the rest by that of the log; who changes @tail
 * and @seq has both.
 */
struct redo {
	struct blkdev *dev;
	struct afsx_uuid uuid;
	u64 salt;
	u64 start;
	u64 limit;
	u8 *buf;
	u64 tail;
	u64 pos;
	u64 seq;
	u64 written;
	u64 durable;
};

/** redo_len() - bytes of a log region of @len bytes that are for records */
u64 redo_len(u64 len);

/**
 * redo_open() - the records' region
 * @dev: device
 * @uuid: of the store
 * @start: device offset, bytes
 * @limit: bytes
 * @out: result; nothing is read yet
 */
int redo_open(struct blkdev *dev, const struct afsx_uuid *uuid, u64 start,
	      u64 limit, struct redo **out);

/** redo_close() - @r may be NULL */
void redo_close(struct redo *r);

/**
 * redo_load() - read the records of the device
 * @r: region
 * @salt: they have to have
 * @applied: sequence of the last one that the database has
 *
 * Return: 0; -EUCLEAN when records are lost that had been durable; an I/O error.
 */
int redo_load(struct redo *r, u64 salt, u64 applied);

/**
 * redo_each() - go through complete records
 * @r: region
 * @after: sequence; those that follow
 * @fn: called with the rows of each; an error ends it
 * @ctx: for @fn
 *
 * Return: 0; the error of @fn.
 */
int redo_each(const struct redo *r, u64 after,
	      int (*fn)(void *ctx, const u8 *rows, size_t len), void *ctx);

/** redo_take() - room for @len bytes in the record that is open; NULL when there is none */
u8 *redo_take(struct redo *r, size_t len);

/** redo_cut() - what was taken behind @pos, a former @r->pos, is given back */
void redo_cut(struct redo *r, u64 pos);

/** redo_is_empty() - whether the record that is open has nothing yet */
bool redo_is_empty(const struct redo *r);

/** redo_drop() - forget the record that is open */
void redo_drop(struct redo *r);

/** redo_seal() - the record that is open is complete, and another one begins */
void redo_seal(struct redo *r);

/** redo_restart() - the database durably has all: begin at the start again */
void redo_restart(struct redo *r, u64 salt);

/** redo_forget_unwritten() - the device will never have what it does not have now */
void redo_forget_unwritten(struct redo *r);

/**
 * struct redo_part - records that the device lacks
 * @from: offset in the region
 * @to: their end; nothing when it is @from
 * @durable: sequence of the last one that is durable
 * @seq: of the last one
 */
struct redo_part {
	u64 from;
	u64 to;
	u64 durable;
	u64 seq;
};

/** redo_unwritten() - all that the device lacks; nothing when @r is NULL */
struct redo_part redo_unwritten(const struct redo *r);

/** redo_write() - write it, durably; records may be added meanwhile */
int redo_write(struct redo *r, const struct redo_part *part);

/** redo_written() - that has succeeded; @r may be NULL */
void redo_written(struct redo *r, const struct redo_part *part);

#endif /* AFSX_REDO_H */
