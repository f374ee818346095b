/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Directory blobs: the contents of a directory vnode, as file data.
 *
 * A directory is a sequence of 2048-byte blocks of 64 slots of 32 bytes.  The
 * first slot of a block is its header; in block 0 twelve more hold a count of
 * free slots for each of the first 128 blocks and the heads of 128 hash
 * chains.  An entry takes 1 + (len + 1 + 15) / 32 consecutive slots of one
 * block.  All integers are big-endian.  (OpenAFS: src/dir/dir.h)
 *
 * The code below touches no more than the header block and the blocks of the
 * chain it follows.  A blob comes from a peer: whatever it contains, work is
 * bounded and the answer to damage is -EIO.
 */
#ifndef AFSX_DIR_H
#define AFSX_DIR_H

#include <afsx/types.h>

#define AFSX_DIR_BLOCK_SIZE	2048
#define AFSX_DIR_SLOT_SIZE	32
#define AFSX_DIR_SLOTS		64	/* of a block */
#define AFSX_DIR_RESV		1	/* slots in front of the entries of a block */
#define AFSX_DIR_RESV0		13	/* the same in block 0 */
#define AFSX_DIR_MAX_BLOCKS	1023
#define AFSX_DIR_CTR_BLOCKS	128	/* blocks that have a free count in block 0 */
#define AFSX_DIR_BUCKETS	128
#define AFSX_DIR_MAGIC		1234
#define AFSX_DIR_NAME_MAX	1999	/* room for a name in an otherwise empty block */

/**
 * struct afsx_dir_slot - First slot of an entry
 * @flag: 1
 * @unused: was a length
 * @next: slot of the next entry of the hash chain, 0 at the end
 * @vnode: vnode number
 * @unique: uniquifier
 * @name: NUL-terminated; goes on in the following slots
 */
struct afsx_dir_slot {
	u8 flag;
	u8 unused;
	u8 next[2];
	u8 vnode[4];
	u8 unique[4];
	u8 name[20];
};

/**
 * struct afsx_dir_hdr - First slot of a block
 * @nr_blocks: in block 0, blocks of the directory
 * @magic: AFSX_DIR_MAGIC
 * @unused: was a free count
 * @bitmap: a bit per slot, set when in use; slot 0 is bit 0 of byte 0
 * @pad: zero
 */
struct afsx_dir_hdr {
	u8 nr_blocks[2];
	u8 magic[2];
	u8 unused;
	u8 bitmap[AFSX_DIR_SLOTS / 8];
	u8 pad[19];
};

/**
 * struct afsx_dir_head - The reserved slots of block 0
 * @hdr: as in every block
 * @free: free slots of each of the first 128 blocks; 64: block not yet there
 * @bucket: first slot of each hash chain, 0 when empty
 */
struct afsx_dir_head {
	struct afsx_dir_hdr hdr;
	u8 free[AFSX_DIR_CTR_BLOCKS];
	u8 bucket[AFSX_DIR_BUCKETS][2];
};

static_assert(sizeof(struct afsx_dir_slot) == AFSX_DIR_SLOT_SIZE, "afsx_dir_slot");
static_assert(sizeof(struct afsx_dir_hdr) == AFSX_DIR_RESV * AFSX_DIR_SLOT_SIZE, "afsx_dir_hdr");
static_assert(sizeof(struct afsx_dir_head) == AFSX_DIR_RESV0 * AFSX_DIR_SLOT_SIZE, "afsx_dir_head");

/**
 * struct afsx_dir_index - Who remembers where the names of a directory are
 * @candidate: first slot of an entry that may have this name, the next one behind
 *	       slot @after, which it gave before, or any when @after is 0; 0 when there
 *	       are no more, so that the name is not there; and in the last argument the
 *	       first slot of the entry in front of it in the hash chain, 0 if none
 * @added: an entry was added at @slot, as the first of its chain; @next is behind it
 * @removed: the entry at @slot, between @prev and @next of its chain, either 0 for none
 *
 * The first argument is @ctx of the reader.  The entry is compared with the name,
 * and the link with the entry, so that a wrong candidate does no harm; but nobody
 * looks for a name that is said not to be there.
 */
struct afsx_dir_index {
	u32 (*candidate)(void *ctx, const char *name, u32 len, u32 after, u32 *prev);
	void (*added)(void *ctx, const char *name, u32 len, u32 slot, u32 next);
	void (*removed)(void *ctx, u32 slot, u32 prev, u32 next);
};

/**
 * struct afsx_dir_reader - A directory blob, for reading
 * @block: returns block @nr (2048 bytes, @nr < @nr_blocks), NULL on failure;
 *	   the block stays where it is until the afsx_dir_*() call returns
 * @ctx: for @block
 * @nr_blocks: length of the blob in blocks
 * @index: where names are, for directories whose chains are long; or NULL
 *
 * When @block fails the operation gives -EIO; an accessor with a better errno
 * keeps it in @ctx.
 */
struct afsx_dir_reader {
	const void *(*block)(void *ctx, u32 nr);
	void *ctx;
	u32 nr_blocks;
	const struct afsx_dir_index *index;
};

/**
 * struct afsx_dir_editor - A directory blob, for changing
 * @rd: the same blob for reading; edits keep @rd.nr_blocks up to date
 * @modify: returns block @nr for writing and takes note that it changes; for
 *	    @nr == @rd.nr_blocks appends a block of zeros; NULL on failure;
 *	    uses @rd.ctx; lifetime as @rd.block, which sees the changes
 * @hint: where to look for room past the blocks that have a free count: a block
 *	  number, 0 for the last block; kept up to date, and worth carrying from
 *	  one editor of a directory to the next
 *
 * The caller excludes readers and other editors.
 */
struct afsx_dir_editor {
	struct afsx_dir_reader rd;
	void *(*modify)(void *ctx, u32 nr);
	u32 hint;
};

/**
 * typedef afsx_dir_emit_t - Receives one entry
 * @ctx: of afsx_dir_iterate()
 * @name: name; @len bytes, without '/' or NUL
 * @len: 1..AFSX_DIR_NAME_MAX; other servers accept names longer than AFSX_NAME_MAX
 * @vnode: vnode number; odd for a directory
 * @unique: uniquifier
 * @pos: cookie of this entry
 *
 * Return: false to stop; this entry then comes first next time.
 */
typedef bool (*afsx_dir_emit_t)(void *ctx, const char *name, u32 len, u32 vnode, u32 unique,
				u64 pos);

/**
 * afsx_dir_hash - The hash chain a name belongs to
 * @name: name
 * @len: its length in bytes
 *
 * Return: 0..AFSX_DIR_BUCKETS - 1
 */
u32 afsx_dir_hash(const char *name, u32 len);

/**
 * afsx_dir_slots - Slots that an entry takes
 * @len: length of the name in bytes
 *
 * Return: 1..9 up to AFSX_NAME_MAX, 1..63 up to AFSX_DIR_NAME_MAX
 */
u32 afsx_dir_slots(u32 len);

/**
 * afsx_dir_header_ok - Does a block look like one of a directory?
 * @hdr: its beginning
 * @block_nr: its number
 *
 * Return: whether it has the magic number and its reserved slots are in use.
 */
bool afsx_dir_header_ok(const struct afsx_dir_hdr *hdr, u32 block_nr);

/**
 * afsx_dir_check_block - Validate one block by itself
 * @blk: AFSX_DIR_BLOCK_SIZE bytes
 * @nr: its number
 *
 * Checks the magic number, that the reserved slots are in use, and that every
 * entry lies within the block in slots marked as used, refers to a vnode, and
 * has a name that ends there, is not empty, is at most AFSX_NAME_MAX long and
 * has no '/'.  Longer names, which are no damage for afsx_dir_lookup() and
 * afsx_dir_iterate(), are none that afsx_dir_add() makes.
 *
 * Return: 0 or -EIO.
 */
int afsx_dir_check_block(const void *blk, u32 nr);

/**
 * afsx_dir_lookup - Find a name
 * @rd: directory
 * @name: name
 * @len: its length in bytes
 * @fid: @vnode and @unique are filled in, @vid is left alone
 *
 * Return: 0; -ENOENT; -ENAMETOOLONG; -EIO when the blob is damaged.
 */
int afsx_dir_lookup(const struct afsx_dir_reader *rd, const char *name, u32 len,
		    struct afsx_fid *fid);

/**
 * afsx_dir_iterate - List entries in slot order, "." and ".." included
 * @rd: directory
 * @pos: cookie: 0 at the start; afterwards where to go on
 * @emit: called for each entry from *@pos on
 * @ctx: for @emit
 *
 * A cookie is the number of an entry's first slot, so it stays good while
 * other entries come and go: an entry that was there all the time is listed
 * exactly once.
 *
 * Return: 0 when the end was reached or @emit stopped; -EIO for a bad block.
 */
int afsx_dir_iterate(const struct afsx_dir_reader *rd, u64 *pos, afsx_dir_emit_t emit, void *ctx);

/**
 * afsx_dir_init - Make an empty directory in an empty blob
 * @ed: editor with @rd.nr_blocks 0
 * @self: what "." refers to
 * @parent: what ".." refers to
 *
 * Return: 0; -EINVAL when the blob is not empty; -EIO.
 */
int afsx_dir_init(struct afsx_dir_editor *ed, const struct afsx_fid *self,
		  const struct afsx_fid *parent);

/**
 * afsx_dir_add - Add an entry
 * @ed: directory
 * @name: name
 * @len: its length in bytes
 * @fid: @vnode and @unique are stored
 *
 * Return: 0; -EEXIST; -EINVAL for a name that is empty or contains '/' or NUL;
 * -ENAMETOOLONG; -EFBIG when all AFSX_DIR_MAX_BLOCKS are full; -EIO.  After an
 * error the directory has the entries it had.
 */
int afsx_dir_add(struct afsx_dir_editor *ed, const char *name, u32 len,
		 const struct afsx_fid *fid);

/**
 * afsx_dir_remove - Remove an entry
 * @ed: directory
 * @name: name
 * @len: its length in bytes
 * @fid: as afsx_dir_lookup(): what the entry referred to
 *
 * The blob never becomes shorter.
 *
 * Return: 0; -ENOENT; -ENAMETOOLONG; -EIO.
 */
int afsx_dir_remove(struct afsx_dir_editor *ed, const char *name, u32 len, struct afsx_fid *fid);

/**
 * afsx_dir_replace - Make an existing entry refer to another vnode
 * @ed: directory
 * @name: name
 * @len: its length in bytes
 * @fid: @vnode and @unique are stored
 *
 * Return: 0; -ENOENT; -ENAMETOOLONG; -EIO.
 */
int afsx_dir_replace(struct afsx_dir_editor *ed, const char *name, u32 len,
		     const struct afsx_fid *fid);

#endif /* AFSX_DIR_H */
