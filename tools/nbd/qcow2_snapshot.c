// SPDX-License-Identifier: MIT
/*
 * The table of internal snapshots: entries of 40 bytes, extra data (of which the
 * second 8 bytes are the size of the disk), the ID, the name, padding to 8 bytes.
 */
#include "qcow2_priv.h"

#define ENTRY_SIZE	40
#define EXTRA_MAX	1024
#define SNAPSHOTS_MAX	65536

struct search {
	const struct blk_options *options;
	bool by_id;		/* of an option that may be either: look at IDs */
	struct qcow2_snapshot *found;
};

static int check_l1(const struct qcow2_header *h, const struct qcow2_snapshot *s)
{
	u64 mask = (1ull << h->cluster_bits) - 1;

	if (s->l1_size > QCOW2_L1_MAX / 8 || s->l1_at & mask || s->l1_at >> 56)
		return -EINVAL;
	if (s->size > INT64_MAX || s->size > (u64)s->l1_size << (2 * h->cluster_bits - 3))
		return -EINVAL;
	return 0;
}

/* Read the entry at *@at, give it to @fn, and move *@at behind it. */
static int walk_one(struct qcow2_file *file, const struct qcow2_header *h,
		    qcow2_snapshot_fn fn, void *ctx, u64 *at)
{
	CLEANUP_FREE char *id = NULL, *name = NULL;
	struct qcow2_snapshot s;
	u8 e[ENTRY_SIZE], extra[16];
	u32 id_len, name_len, extra_len;
	int ret;

	ret = qcow2_pread(file, e, sizeof(e), *at, 0);
	if (ret)
		return ret;
	id_len = be16_get(e + 12);
	name_len = be16_get(e + 14);
	extra_len = be32_get(e + 36);
	if (extra_len > EXTRA_MAX)
		return -EINVAL;
	*at += ENTRY_SIZE;
	s = (struct qcow2_snapshot) { be64_get(e), be32_get(e + 8), h->size };
	if (extra_len >= sizeof(extra)) {
		ret = qcow2_pread(file, extra, sizeof(extra), *at, 0);
		s.size = be64_get(extra + 8);
	}
	*at += extra_len;
	id = calloc(1, id_len + 1);
	name = calloc(1, name_len + 1);
	if (!id || !name)
		return -ENOMEM;
	ret = ret ?: qcow2_pread(file, id, id_len, *at, 0);
	ret = ret ?: qcow2_pread(file, name, name_len, *at + id_len, 0);
	*at = ROUND_UP(*at + id_len + name_len, 8ull);
	return ret ?: check_l1(h, &s) ?: fn(ctx, &s, id, name);
}

int qcow2_snapshots_walk(struct qcow2_file *file, const struct qcow2_header *h,
			 qcow2_snapshot_fn fn, void *ctx, u64 *end)
{
	u64 at = h->snapshots_at;
	int ret = 0;
	u32 i;

	if (h->nb_snapshots > SNAPSHOTS_MAX)
		return -EINVAL;
	for (i = 0; i < h->nb_snapshots && !ret; i++)
		ret = walk_one(file, h, fn, ctx, &at);
	*end = at;
	return ret;
}

/* Return: 1 to end the search. */
static int compare(void *ctx, const struct qcow2_snapshot *s, const char *id,
		   const char *name)
{
	const struct search *search = ctx;
	const char *want_id = search->options->snapshot_id;
	const char *want_name = search->options->snapshot_name;

	if (want_id && want_id == want_name) {
		if (strcmp(search->by_id ? id : name, want_id))
			return 0;
	} else if ((want_id && strcmp(id, want_id)) ||
		   (want_name && strcmp(name, want_name))) {
		return 0;
	}
	*search->found = *s;
	return 1;
}

int qcow2_snapshot_find(struct qcow2_file *file, const struct qcow2_header *h,
			const struct blk_options *options,
			struct qcow2_snapshot *found, struct errbuf *err)
{
	struct search search = { options, true, found };
	u64 end;
	int ret;

	ret = qcow2_snapshots_walk(file, h, compare, &search, &end);
	if (!ret) {
		search.by_id = false;
		ret = qcow2_snapshots_walk(file, h, compare, &search, &end);
	}
	if (ret > 0)
		return 0;
	if (ret)
		return err_set(err, ret, "the table of snapshots is damaged");
	return err_set(err, -ENOENT, "no snapshot '%s' in the image",
		       options->snapshot_id ?: options->snapshot_name);
}
