/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What reading (dir.c) and editing (dir_edit.c) a directory have in common.
 */
#ifndef AFSX_DIR_FIND_H
#define AFSX_DIR_FIND_H

#include <afsx/dir.h>

/**
 * struct afsx_dir_hit - An entry found by name
 * @ent: the entry; valid until the afsx_dir_*() call returns
 * @slot: its first slot, counted from the start of the directory
 * @prev: first slot of the entry in front of it in the hash chain, 0 if none
 * @bucket: the hash chain
 */
struct afsx_dir_hit {
	const struct afsx_dir_slot *ent;
	u32 slot;
	u32 prev;
	u32 bucket;
};

/**
 * afsx_dir_find - Find a name by its hash chain
 * @rd: directory
 * @name: name
 * @len: its length in bytes
 * @hit: filled in
 *
 * Return: 0; -ENOENT; -ENAMETOOLONG; -EIO.
 */
int afsx_dir_find(const struct afsx_dir_reader *rd, const char *name, u32 len,
		  struct afsx_dir_hit *hit);

/* Whether slot @i of a block is in use. */
static inline bool afsx_dir_slot_used(const struct afsx_dir_hdr *hdr, u32 i)
{
	return hdr->bitmap[i / 8] >> (i % 8) & 1;
}

#endif /* AFSX_DIR_FIND_H */
