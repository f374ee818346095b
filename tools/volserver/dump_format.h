/* SPDX-License-Identifier: MIT */
/*
 * AFS's volume dump format; Documentation/volume-dump.rst describes it.
 *
 * A dump is a sequence of records, each a tag of at most DUMP_RECORD_MAX, what
 * belongs to that tag, and attributes: a tag above it and a value whose form
 * follows from the tag.  The tables here are what the reader and the writer
 * know of attributes.
 */
#ifndef AFSX_DUMP_FORMAT_H
#define AFSX_DUMP_FORMAT_H

#include <stdbool.h>
#include <stdio.h>

#include "defs.h"

#define DUMP_VERSION		1
#define DUMP_MAGIC		0xb3a11322u	/* behind the tag DUMP_BEGIN */
#define DUMP_END_MAGIC		0x3a214b6eu	/* behind the tag DUMP_END */
#define DUMP_RECORD_MAX		20
#define DUMP_CRITICAL		0x7e	/* who does not know the next tag stops */

/* Tags of records */
#define DUMP_BEGIN		1
#define DUMP_VOLUME		2
#define DUMP_VNODE		3
#define DUMP_END		4

#define DUMP_NAME_MAX		64
#define DUMP_TEXT_MAX		255
#define DUMP_ACL_SIZE		192	/* of an access list in a dump */
#define DUMP_WEEK		7

/**
 * struct dump_span - attributes of the record DUMP_BEGIN
 * @id: volume that was dumped
 * @name: its name
 * @from: seconds since 1970; the dump has what changed since; 0: all
 * @to: seconds since 1970; the dump has what changed until then
 */
struct dump_span {
	u32 id;
	char name[DUMP_NAME_MAX + 1];
	u32 from;
	u32 to;
};

/**
 * struct dump_volume - attributes of the record DUMP_VOLUME
 * @id: volume
 * @stamp: version of OpenAFS's volume header, 1
 * @name: of the volume
 * @in_service: 1 unless it was taken off-line
 * @blessed: 1 when it may be used
 * @next_unique: larger than any uniquifier in use
 * @type: 0 R/W, 1 .readonly, 2 .backup
 * @parent: id of the R/W volume
 * @clone: id of a clone, or 0
 * @quota: KiB; 0 for none
 * @min_quota: KiB, not used
 * @used: KiB
 * @files: number of vnodes
 * @account: not used
 * @owner: not used
 * @created: this and the following: seconds since 1970
 * @accessed: last access
 * @updated: last change
 * @expires: 0
 * @backed_up: when a backup clone was made
 * @offline_msg: message for when it is off-line
 * @motd: empty
 * @week: accesses on each of the last days
 * @day_date: of @day_use
 * @day_use: accesses since
 */
struct dump_volume {
	u32 id;
	u32 stamp;
	char name[DUMP_NAME_MAX + 1];
	u8 in_service;
	u8 blessed;
	u32 next_unique;
	u8 type;
	u32 parent;
	u32 clone;
	u32 quota;
	u32 min_quota;
	u32 used;
	u32 files;
	u32 account;
	u32 owner;
	u32 created;
	u32 accessed;
	u32 updated;
	u32 expires;
	u32 backed_up;
	char offline_msg[DUMP_TEXT_MAX + 1];
	char motd[DUMP_TEXT_MAX + 1];
	u32 week[DUMP_WEEK];
	u32 day_date;
	u32 day_use;
};

/**
 * struct dump_vnode - the record DUMP_VNODE
 * @vnode: number; odd for a directory
 * @unique: uniquifier
 * @carried: it has attributes; else it is what it was before @from
 * @has_group: @group is there
 * @has_acl: @acl is there
 * @has_data: contents of @size bytes follow
 * @type: enum afsx_ftype
 * @links: link count
 * @version: data version, lower half
 * @mtime: seconds since 1970, as clients set it
 * @author: user id of the last writer
 * @owner: user id
 * @group: group id
 * @mode: permission bits
 * @parent: directory it is in; 0 for the root
 * @stime: seconds since 1970, by the server's clock
 * @acl: access list; dump_acl_text() reads it
 * @size: bytes
 */
struct dump_vnode {
	u32 vnode;
	u32 unique;
	bool carried;
	bool has_group;
	bool has_acl;
	bool has_data;
	u8 type;
	u16 links;
	u32 version;
	u32 mtime;
	u32 author;
	u32 owner;
	u32 group;
	u16 mode;
	u32 parent;
	u32 stime;
	u8 acl[DUMP_ACL_SIZE];
	u64 size;
};

/* Forms of values.  Integers are big-endian. */
enum dump_form {
	DUMP_BYTE,		/* u8 */
	DUMP_SHORT,		/* u16 */
	DUMP_WORD,		/* u32 */
	DUMP_STRING,		/* bytes, and a NUL */
	DUMP_WORDS,		/* a short, and as many words */
	DUMP_SPAN,		/* the same: pairs of times, the spans of merged dumps */
	DUMP_BYTES,		/* a fixed number of bytes */
	DUMP_SIZE,		/* a word, and as many bytes of contents */
	DUMP_SIZE64,		/* two words, and as many bytes of contents */
};

/**
 * struct dump_tag - an attribute
 * @tag: its tag
 * @form: enum dump_form
 * @off: where the value is in the record's struct
 * @size: room there, bytes; only for forms without a size of their own
 * @flag: where a bool there says whether there is a value; 0: there always is
 */
struct dump_tag {
	u8 tag;
	u8 form;
	u16 off;
	u16 size;
	u16 flag;
};

/**
 * struct dump_record - what a record is made of
 * @name: for messages
 * @tags: its attributes, in the order in which they are written
 * @nr: number of them, at most 64
 */
struct dump_record {
	const char *name;
	const struct dump_tag *tags;
	unsigned int nr;
};

/** dump_records - by the record's tag: DUMP_BEGIN, DUMP_VOLUME, DUMP_VNODE */
extern const struct dump_record dump_records[DUMP_VNODE + 1];

/**
 * dump_put() - write a record
 * @out: stream; its error indicator says whether all could be written
 * @record: its tag
 * @nr: number of words that follow the tag, 0 to 2
 * @words: these words
 * @attrs: struct with the attributes, or NULL for none
 */
void dump_put(FILE *out, u8 record, unsigned int nr, const u32 *words,
	      const void *attrs);

#endif /* AFSX_DUMP_FORMAT_H */
