// SPDX-License-Identifier: MIT
#include "meta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cleanup.h"
#include "crc32c.h"
#include "le.h"
#include "meta_sums.h"

#define SLOTS_MIN	4096u
#define BUSY_MAX	1024u	/* pages being written at once */
#define NO_PAGE		U64_MAX
#define NO_SLOT		U32_MAX

/**
 * struct slot - one cached page
 * @page: which, or NO_PAGE
 * @next: slot of the same hash chain
 * @used: since the hand of the clock passed
 * @busy: being written; the device may not have it yet
 */
struct slot {
	u64 page;
	u32 next;
	bool used;
	bool busy;
};

struct meta {
	struct blkdev *dev;
	struct afsx_uuid uuid;

	pthread_mutex_t lock;		/* protects the rest */
	struct sb_region run[SB_REGIONS_MAX];
	struct sums *sums[SB_REGIONS_MAX];
	u32 nr_runs;
	u64 capacity;
	u64 size;

	u32 nr_slots;
	u32 hand;
	struct slot *slot;
	u32 *bucket;			/* nr_slots of them */
	u8 *pages;

	struct blkdev_batch writing;
	u32 nr_busy;
};

static u32 page_sum(const struct meta *m, u64 page, const u8 *data)
{
	u8 nr[8];
	u32 crc;

	le64_put(nr, page);
	crc = crc32c(0, m->uuid.b, sizeof(m->uuid.b));
	crc = crc32c(crc, nr, sizeof(nr));
	crc = crc32c(crc, data, META_PAGE - META_RESERVED);
	/* two values have a meaning of their own */
	return crc == SUMS_NONE || crc == SUMS_UNKNOWN ? 1 : crc;
}

static bool is_zero(const u8 *p, size_t len)
{
	return !p[0] && !memcmp(p, p + 1, len - 1);
}

/* The run that has a page below the capacity, and which of its pages that is. */
static u32 run_of(const struct meta *m, u64 page, u32 *in_run)
{
	u32 i = 0;

	while (page >= sums_pages(m->run[i].nr))
		page -= sums_pages(m->run[i++].nr);
	*in_run = (u32)page;
	return i;
}

static int verify(const struct meta *m, u64 page, const u8 *data)
{
	u32 in_run, run = run_of(m, page, &in_run);
	u32 want = sums_get(m->sums[run], in_run);

	if (want == SUMS_NONE)
		return is_zero(data, META_PAGE) ? 0 : -EUCLEAN;
	if (want == SUMS_UNKNOWN ||
	    want != le32_get(data + META_PAGE - META_RESERVED) ||
	    want != page_sum(m, page, data))
		return -EUCLEAN;
	return 0;
}

/* Device offset of a page below the capacity. */
static u64 page_offset(const struct meta *m, u64 page)
{
	u32 in_run, run = run_of(m, page, &in_run);

	return (m->run[run].start + sums_blocks(m->run[run].nr) + in_run) <<
	       BLK_SHIFT;
}

static u8 *slot_data(struct meta *m, u32 i)
{
	return m->pages + (size_t)i * META_PAGE;
}

static u32 *chain_of(struct meta *m, u64 page)
{
	return &m->bucket[page * 0x9e3779b97f4a7c15u % m->nr_slots];
}

static u32 find_slot(struct meta *m, u64 page)
{
	u32 i = *chain_of(m, page);

	while (i != NO_SLOT && m->slot[i].page != page)
		i = m->slot[i].next;
	return i;
}

static void unhash(struct meta *m, u32 i)
{
	u32 *link;

	if (m->slot[i].page == NO_PAGE)
		return;
	link = chain_of(m, m->slot[i].page);
	while (*link != i)
		link = &m->slot[*link].next;
	*link = m->slot[i].next;
	m->slot[i].page = NO_PAGE;
}

/* A slot to overwrite: at most BUSY_MAX of them, a quarter, are busy. */
static u32 evict_slot(struct meta *m)
{
	for (;;) {
		u32 i = m->hand;

		m->hand = (m->hand + 1) % m->nr_slots;
		if (m->slot[i].busy)
			continue;
		if (!m->slot[i].used) {
			unhash(m, i);
			return i;
		}
		m->slot[i].used = false;
	}
}

static void hash_slot(struct meta *m, u32 i, u64 page)
{
	u32 *head = chain_of(m, page);

	m->slot[i].page = page;
	m->slot[i].used = true;
	m->slot[i].next = *head;
	*head = i;
}

static int wait_for_writes(struct meta *m)
{
	int ret = blkdev_wait(m->dev, &m->writing);

	for (u32 i = 0; m->nr_busy && i < m->nr_slots; i++) {
		m->nr_busy -= m->slot[i].busy;
		m->slot[i].busy = false;
	}
	return ret;
}

/* Slot that holds @page, from the device if need be. */
static int load_page(struct meta *m, u64 page, u32 *slot)
{
	u32 i = find_slot(m, page);
	int ret;

	if (i == NO_SLOT) {
		i = evict_slot(m);
		ret = blkdev_read(m->dev, page_offset(m, page),
				  slot_data(m, i), META_PAGE);
		if (!ret)
			ret = verify(m, page, slot_data(m, i));
		if (ret)
			return ret;
		hash_slot(m, i, page);
	}
	m->slot[i].used = true;
	*slot = i;
	return 0;
}

int meta_read(struct meta *m, u64 off, void *buf)
{
	u64 page = off / META_PAGE;
	u32 i;
	int ret;

	MUTEX_GUARD(&m->lock);
	if (page >= m->size)
		return -ENODATA;
	ret = load_page(m, page, &i);
	if (!ret)
		memcpy(buf, slot_data(m, i), META_PAGE);
	return ret;
}

int meta_read_header(struct meta *m, u64 off, void *buf, size_t len)
{
	u8 page[META_PAGE];
	int ret = 0;
	u32 i;

	MUTEX_GUARD(&m->lock);
	if (!m->size)
		return -ENODATA;
	i = find_slot(m, 0);
	if (i == NO_SLOT)
		ret = blkdev_read(m->dev, page_offset(m, 0), page,
				  sizeof(page));
	if (!ret)
		memcpy(buf, (i == NO_SLOT ? page : slot_data(m, i)) + off, len);
	return ret;
}

/* What a page will be once its write and that of its sum have reached the device. */
static void fill_slot(struct meta *m, u32 slot, u64 page, const void *buf)
{
	u32 in_run, run = run_of(m, page, &in_run);
	u8 *data = slot_data(m, slot);
	u32 sum;

	memcpy(data, buf, META_PAGE);
	sum = page_sum(m, page, data);
	le32_put(data + META_PAGE - META_RESERVED, sum);
	sums_set(m->sums[run], in_run, sum);
}

int meta_write(struct meta *m, u64 off, const void *buf)
{
	u64 page = off / META_PAGE;
	int ret = 0;
	u32 i;

	MUTEX_GUARD(&m->lock);
	if (page >= m->capacity)
		return -ENOSPC;
	i = find_slot(m, page);
	if (m->nr_busy >= BUSY_MAX || (i != NO_SLOT && m->slot[i].busy))
		ret = wait_for_writes(m);
	if (i == NO_SLOT) {
		i = evict_slot(m);
		hash_slot(m, i, page);
	}
	fill_slot(m, i, page, buf);
	m->slot[i].busy = true;
	m->nr_busy++;
	m->size = max(m->size, page + 1);
	blkdev_write_async(m->dev, &m->writing, page_offset(m, page),
			   slot_data(m, i), META_PAGE);
	return ret;
}

int meta_sync(struct meta *m)
{
	int ret;

	pthread_mutex_lock(&m->lock);
	ret = wait_for_writes(m);
	for (u32 i = 0; !ret && i < m->nr_runs; i++)
		ret = sums_write(m->sums[i]);
	pthread_mutex_unlock(&m->lock);
	return ret ? ret : blkdev_flush(m->dev);
}

int meta_check_page(struct meta *m, u64 nr)
{
	u8 page[META_PAGE];
	u64 off;
	int ret;

	pthread_mutex_lock(&m->lock);
	off = nr < m->capacity ? page_offset(m, nr) : NO_PAGE;
	pthread_mutex_unlock(&m->lock);
	if (off == NO_PAGE)
		return -ENODATA;
	ret = blkdev_read(m->dev, off, page, sizeof(page));
	return ret ? ret : verify(m, nr, page);
}

u64 meta_run_blocks(u64 pages)
{
	u64 blocks = pages + 2;

	while (sums_pages((u32)blocks) < pages)
		blocks++;
	return blocks;
}

u64 meta_blocks(struct meta *m)
{
	u64 blocks = 0;

	MUTEX_GUARD(&m->lock);
	for (u32 i = 0; i < m->nr_runs; i++)
		blocks += m->run[i].nr;
	return blocks;
}

u64 meta_capacity(struct meta *m)
{
	MUTEX_GUARD(&m->lock);

	return m->capacity;
}

u64 meta_size(struct meta *m)
{
	MUTEX_GUARD(&m->lock);

	return m->size;
}

int meta_prepare(struct meta *m, const struct sb_region *run, struct sums **sums)
{
	return sums_load(m->dev, &m->uuid, run, sums);
}

void meta_extend(struct meta *m, const struct sb_region *run, struct sums *sums)
{
	MUTEX_GUARD(&m->lock);

	m->sums[m->nr_runs] = sums;
	m->run[m->nr_runs++] = *run;
	m->capacity += sums_pages(run->nr);
}

u32 meta_damaged_sums(struct meta *m)
{
	u32 nr = 0;

	MUTEX_GUARD(&m->lock);
	for (u32 i = 0; i < m->nr_runs; i++)
		nr += sums_damaged(m->sums[i]);
	return nr;
}

static int init_cache(struct meta *m, u32 nr)
{
	m->nr_slots = max(nr, SLOTS_MIN);
	m->slot = calloc(m->nr_slots, sizeof(*m->slot));
	m->bucket = malloc(m->nr_slots * sizeof(*m->bucket));
	m->pages = mmap(NULL, (size_t)m->nr_slots * META_PAGE,
			PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->pages == MAP_FAILED)
		m->pages = NULL;
	if (!m->slot || !m->bucket || !m->pages)
		return -ENOMEM;
	for (u32 i = 0; i < m->nr_slots; i++) {
		m->slot[i].page = NO_PAGE;
		m->bucket[i] = NO_SLOT;
	}
	return 0;
}

static int add_run(struct meta *m, const struct sb_region *run)
{
	struct sums *sums;
	int ret = meta_prepare(m, run, &sums);

	if (!ret)
		meta_extend(m, run, sums);
	return ret;
}

/* The file is as long as the region, unless no database was ever made. */
static int find_size(struct meta *m)
{
	u8 page[META_PAGE];
	int ret = blkdev_read(m->dev, page_offset(m, 0), page, sizeof(page));

	if (!ret && !is_zero(page, sizeof(page)))
		m->size = m->capacity;
	return ret;
}

int meta_open(struct blkdev *dev, const struct sb *sb, u32 cache_pages,
	      struct meta **out)
{
	struct meta *m = calloc(1, sizeof(*m));
	int ret = 0;

	if (!m)
		return -ENOMEM;
	m->dev = dev;
	m->uuid = sb->uuid;
	pthread_mutex_init(&m->lock, NULL);
	for (u32 i = 0; !ret && i < sb->nr; i++)
		if (sb->region[i].type == SB_REGION_META)
			ret = add_run(m, &sb->region[i]);
	if (!ret)
		ret = init_cache(m, cache_pages);
	if (!ret)
		ret = find_size(m);
	if (ret)
		meta_close(m);
	else
		*out = m;
	return ret;
}

void meta_close(struct meta *m)
{
	if (!m)
		return;
	if (m->pages)
		munmap(m->pages, (size_t)m->nr_slots * META_PAGE);
	for (u32 i = 0; i < m->nr_runs; i++)
		sums_free(m->sums[i]);
	free(m->slot);
	free(m->bucket);
	pthread_mutex_destroy(&m->lock);
	free(m);
}
