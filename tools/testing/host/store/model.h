/* SPDX-License-Identifier: MIT */
/*
 * A model of the volume store: arrays of volumes, vnodes, names and blocks, each
 * as plain as it can be, and the same random operations on both.
 *
 * A block that two volumes share is one struct page with two references, so the
 * number of pages is what the store should occupy.
 */
#ifndef AFSX_STORE_MODEL_H
#define AFSX_STORE_MODEL_H

#include <afsx/dir.h>

#include "blkdev.h"
#include "defs.h"
#include "store.h"

#define NAMES		40u	/* different names in directories */
#define NAMES_LARGE	9000u	/* the same where there are large ones: more than fit */
#define VOLUMES_MAX	16u
#define NODES_SOFT	120u	/* vnodes of a volume, about */
#define TEXT_MAX	48u	/* of an access list or a message */

struct page {
	u32 refs;
	u8 data[BLK_SIZE];
};

struct block {
	u64 nr;
	struct page *page;
};

/**
 * struct node - a vnode, in one version; shared by volumes until it changes
 * @refs: trees that have it
 * @s: what its status must be; @s.fid.vid is not used
 * @mtime_known: @s.mtime_client was given, not taken from the clock
 * @tx: transaction that raised its data version last
 * @entry: of a directory: vnode numbers by name; 0 for none
 * @names: of a directory: how many it has
 * @slots: of a directory: how many its names take
 * @acl: of a directory
 * @acl_len: bytes of @acl
 * @target: of a symlink
 * @block: of a file, in order
 * @nr_blocks: their number
 */
struct node {
	u32 refs;
	struct store_status s;
	bool mtime_known;
	u64 tx;
	u32 *entry;
	u32 names;
	u32 slots;
	char acl[TEXT_MAX];
	u32 acl_len;
	char target[STORE_TARGET_MAX + 1];
	struct block *block;
	size_t nr_blocks;
};

/**
 * struct volume - a volume or a clone
 * @v: what the store must say of it; @v.id is 0 in an unused slot
 * @node: its vnodes
 * @nr: their number
 * @next_unique: larger than every uniquifier the volume has given out
 */
struct volume {
	struct store_vol v;
	struct node **node;
	u32 nr;
	u32 next_unique;
};

/**
 * struct world - the test
 * @st: store
 * @tx: transaction under way, or NULL
 * @tx_nr: its number
 * @seed: of the run
 * @op: number of the operation
 * @text: what the operation is, for messages
 * @vol: volumes
 * @pages: pages that exist
 * @next_id: ids of volumes below this were used
 * @large: there shall be large directories
 * @names: different names in directories
 * @name: these
 * @verbose: print every operation
 * @pending: something was removed or cut that may not be freed yet
 * @damaged: the device is: errors that say so are right answers
 * @refused: how many of them there were
 * @full: how many names did not fit
 */
struct world {
	struct store *st;
	struct store_tx *tx;
	u64 tx_nr;
	u64 seed;
	u64 op;
	char text[256];
	struct volume vol[VOLUMES_MAX];
	u64 pages;
	u32 next_id;
	bool large;
	u32 names;
	char name[NAMES_LARGE][AFSX_NAME_MAX + 1];
	bool verbose;
	bool pending;
	bool damaged;
	u64 refused;
	u64 full;
};

extern struct world w;

/* ---- model_run.c ------------------------------------------------------------ */

/** model_random() - random numbers of seed and @nr follow */
void model_random(u64 nr);

/** model_start() - an empty store on a device in memory of @device bytes */
void model_start(u64 seed, u64 device);

/** model_operate() - operation @nr, and what comes before the next */
void model_operate(u64 nr);

/** model_finish() - end the transaction under way */
void model_finish(void);

/** open_store() - open it, or end the test */
void open_store(void);

/** close_store() - close it, which must succeed */
void close_store(void);

/** pick() - a random number below @n */
u64 pick(u64 n);

/** say() - describe the operation under way */
__printf(1, 2)
void say(const char *fmt, ...);

/** wrong() - end the test: seed, operation, and what is wrong with it */
__printf(1, 2)
_Noreturn void wrong(const char *fmt, ...);

/** must() - @got has to be @want */
void must(int got, int want);

/**
 * settle() - end an operation
 * @got: what the store said
 * @want: what it has to say
 *
 * Return: true when the model shall do the same.  Errors that spoil the
 * transaction are remembered: it is undone, in both.
 */
bool settle(int got, int want);

/** spoiled() - 0, or the error that the transaction can only end with */
int spoiled(void);

/* ---- model_tree.c ----------------------------------------------------------- */

/** page_new() - a page of zeros, or a copy of @old */
struct page *page_new(const struct page *old);

/** node_find() - vnode by number, or NULL */
struct node *node_find(const struct volume *v, u32 vno);

/** node_block() - page of block @nr of a file; NULL for a hole */
struct page *node_block(const struct node *n, u64 nr);

/** node_put() - replace a block of a file by @page; NULL makes a hole */
void node_put(struct node *n, u64 nr, struct page *page);

/** node_cut() - holes from block @from on */
void node_cut(struct node *n, u64 from);

/** node_change() - the vnode, not shared with any other tree any more */
struct node *node_change(struct volume *v, u32 vno);

/** node_add() - a new vnode; *@fid says which */
struct node *node_add(struct volume *v, const struct afsx_fid *fid,
		      enum afsx_ftype type);

/** node_drop() - a vnode is gone */
void node_drop(struct volume *v, u32 vno);

/** node_bump() - a change of data in the present transaction */
void node_bump(struct node *n);

/** tree_copy() - @to shows the vnodes that @from has now */
void tree_copy(struct volume *to, const struct volume *from);

/** tree_free() - @v shows no vnodes */
void tree_free(struct volume *v);

/** world_save() - remember the state, before a transaction */
void world_save(void);

/** world_forget() - what was remembered is not needed */
void world_forget(void);

/** world_restore() - go back to what was remembered */
void world_restore(void);

/* ---- operations: model_name.c, model_large.c, model_file.c, model_vol.c ------- */

/* A place for a name. */
struct spot {
	struct volume *v;
	struct node *dir;
	u32 name;
};

/** a_volume() - a random one, of any type or R/W only; NULL for none */
struct volume *a_volume(bool rw);

/** a_node() - a random vnode of a type, 0 for any; NULL for none */
struct node *a_node(const struct volume *v, enum afsx_ftype type);

/** a_dir() - a random directory; of large ones, often the one with most names */
struct node *a_dir(const struct volume *v);

/** fid_of() - FID of a vnode in a volume */
struct afsx_fid fid_of(const struct volume *v, const struct node *n);

/** name_link() - give a vnode one more name; whether that was done */
bool name_link(const struct spot *s, const struct node *n);

/** name_unlink() - remove a name, which may be missing */
void name_unlink(const struct spot *s, bool want_dir);

/** name_slots() - how many a name takes in a directory */
u32 name_slots(u32 name);

/** enum room - whether a name fits into a directory */
enum room { ROOM, NO_ROOM, PERHAPS };

/**
 * room_for() - whether a name fits
 * @s: where
 * @spare: slots of a name that goes away there before
 */
enum room room_for(const struct spot *s, u32 spare);

/** dir_changed() - after a change of names: size and space of a directory */
void dir_changed(struct volume *v, struct node *dir);

void op_create(void);
void op_link(void);
void op_unlink(void);
void op_rename(void);
void op_lookup(void);
void op_mistake(void);
void op_fill(void);
void op_thin(void);
void op_write(void);
void op_truncate(void);
void op_setattr(void);
void op_acl(void);
void op_vol_create(void);
void op_vol_clone(void);
void op_vol_clone_as(void);
void op_vol_rename(void);
void op_vol_remove(void);
void op_vol_set(void);

/* ---- model_verify.c ----------------------------------------------------------- */

/** collect_all() - let the store free what nothing refers to */
void collect_all(void);

/** verify_volumes() - every volume, vnode, name and byte */
void verify_volumes(void);

/** verify_some() - one random vnode */
void verify_some(void);

/** verify_all() - the same, the space in use, and the check */
void verify_all(void);

#endif /* AFSX_STORE_MODEL_H */
