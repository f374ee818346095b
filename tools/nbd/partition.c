// SPDX-License-Identifier: MIT
/*
 * The master boot record: four entries, of which those of an extended type lead
 * to a chain of records of the same shape. In such a record the start of a
 * partition counts from the record, the start of the next record from the whole
 * extended partition. Linux's rules decide what is a partition and has a number.
 */
#include "partition.h"

#include "le.h"

#define SECTOR		512
#define ENTRIES		4
#define ENTRIES_AT	446
#define ENTRY_SIZE	16
#define RECORDS_MAX	1024	/* of one chain, so that a loop ends */

struct mbr_entry {
	u8 type;
	u32 start;
	u32 sectors;
};

struct mbr_record {
	struct mbr_entry entries[ENTRIES];
};

/* What a search through the chains carries along. */
struct search {
	struct blk *blk;
	struct errbuf *err;
	unsigned int wanted;
	unsigned int next;	/* number of the next logical partition */
	struct partition *part;
};

static int read_record(struct blk *blk, u64 sector, struct mbr_record *record)
{
	_Alignas(4096) u8 data[4096];
	u32 len = blk->min_block > SECTOR ? blk->min_block : SECTOR;
	u64 at = sector * SECTOR, from = ROUND_DOWN(at, (u64)len);
	const u8 *raw = data + (at - from);
	int i, ret;

	if (blk->size < SECTOR || at > blk->size - SECTOR)
		return -EINVAL;
	ret = blk->ops->read(blk, data, min((u64)len, blk->size - from), from, 0);
	if (ret)
		return ret;
	if (raw[510] != 0x55 || raw[511] != 0xaa)
		return -EINVAL;
	for (i = 0; i < ENTRIES; i++) {
		const u8 *e = raw + ENTRIES_AT + i * ENTRY_SIZE;

		record->entries[i] = (struct mbr_entry) {
			.type = e[4],
			.start = le32_get(e + 8),
			.sectors = le32_get(e + 12),
		};
	}
	return 0;
}

static bool is_extended(const struct mbr_entry *e)
{
	return e->sectors && (e->type == 0x05 || e->type == 0x0f || e->type == 0x85);
}

/* Return: 1, the search is over; -EINVAL. */
static int found(struct search *s, u64 start, u32 sectors)
{
	u64 offset = start * SECTOR, length = (u64)sectors * SECTOR;

	if (offset > s->blk->size || length > s->blk->size - offset)
		return err_set(s->err, -EINVAL,
			       "partition %u ends at byte %llu, but the image at %llu",
			       s->wanted, offset + length, s->blk->size);
	*s->part = (struct partition) { offset, length };
	return 1;
}

/*
 * Number the partitions of one extended record at @at, and find the next record.
 * Entries beyond the second are believed only when they lie inside of the extended
 * partition @ext. Return: 1 when the wanted one was found, 0, -EINVAL.
 */
static int number_logical(struct search *s, const struct mbr_record *record, u64 at,
			  const struct mbr_entry *ext, u64 *next)
{
	u64 end = (u64)ext->start + ext->sectors;
	int i;

	*next = 0;
	for (i = 0; i < ENTRIES; i++) {
		const struct mbr_entry *e = &record->entries[i];

		if (is_extended(e)) {
			if (!*next)
				*next = (u64)ext->start + e->start;
		} else if (e->sectors) {
			if (i >= 2 && at + e->start + e->sectors > end)
				continue;
			if (s->next++ == s->wanted)
				return found(s, at + e->start, e->sectors);
		}
	}
	return 0;
}

/* Follow the chain of records in the extended partition @ext. */
static int search_chain(struct search *s, const struct mbr_entry *ext)
{
	u64 at = ext->start, next, seen;
	struct mbr_record record;
	int ret;

	for (seen = 0; at; seen++, at = next) {
		if (seen == RECORDS_MAX || (seen && at == ext->start))
			return err_set(s->err, -EINVAL,
				       "partition %u: the chain of records at sector %u does not end",
				       s->wanted, ext->start);
		if (at - ext->start >= ext->sectors)
			return err_set(s->err, -EINVAL,
				       "partition %u: the record at sector %llu is out of its chain",
				       s->wanted, at);
		ret = read_record(s->blk, at, &record);
		if (ret)
			return err_set(s->err, ret,
				       "partition %u: no extended record at sector %llu",
				       s->wanted, at);
		ret = number_logical(s, &record, at, ext, &next);
		if (ret || s->next > PARTITION_MAX)
			return ret;
	}
	return 0;
}

static int search_mbr(struct search *s, const struct mbr_record *mbr)
{
	const struct mbr_entry *e;
	int i, ret;

	if (s->wanted <= ENTRIES) {
		e = &mbr->entries[s->wanted - 1];
		if (is_extended(e))
			return err_set(s->err, -EINVAL,
			       "partition %u is an extended one, which only holds others",
				       s->wanted);
		return e->sectors ? found(s, e->start, e->sectors) : 0;
	}
	for (i = 0; i < ENTRIES; i++) {
		if (!is_extended(&mbr->entries[i]))
			continue;
		ret = search_chain(s, &mbr->entries[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static bool stands_for_gpt(const struct mbr_record *mbr)
{
	int i;

	for (i = 0; i < ENTRIES; i++)
		if (mbr->entries[i].type == 0xee)
			return true;
	return false;
}

int partition_find(struct blk *blk, unsigned int nr, struct partition *part,
		   struct errbuf *err)
{
	struct search s = { blk, err, nr, ENTRIES + 1, part };
	struct mbr_record mbr;
	int ret;

	if (nr < 1 || nr > PARTITION_MAX)
		return err_set(err, -EINVAL, "partition %u is not a number from 1 to %u",
			       nr, PARTITION_MAX);
	ret = read_record(blk, 0, &mbr);
	if (ret == -EINVAL)
		return err_set(err, ret, "partition %u: the image has no partition table", nr);
	if (ret)
		return err_set(err, ret, "partition %u: reading the partition table: %s",
			       nr, strerror(-ret));
	if (stands_for_gpt(&mbr))
		return partition_find_gpt(blk, nr, part, err);
	ret = search_mbr(&s, &mbr);
	if (!ret)
		return err_set(err, -ENOENT, "partition %u does not exist", nr);
	return ret < 0 ? ret : 0;
}
