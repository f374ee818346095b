// SPDX-License-Identifier: MIT
/*
 * store-test race URI COUNT: threads read while one writes and clones. A file holds
 * one byte value from its start to its end, a new one in each transaction, so
 * a read that mixes two states, or one that a freed block was given away
 * beneath, shows. The data version must never go back.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sound.h"
#include "store-test.h"

#define READERS		3
#define FILES		4
#define SIZE		300001u		/* not a multiple of anything */

static struct store *st;
static u32 vid;
static struct afsx_fid files[FILES];
static atomic_bool done;
static atomic_ulong reads;
static atomic_ullong notified[FILES];

static void *reader(void *arg)
{
	unsigned int seed = (unsigned int)(size_t)arg;
	u64 seen[FILES] = { 0 };
	u8 *buf = malloc(SIZE);

	while (!atomic_load(&done)) {
		unsigned int i = (unsigned int)rand_r(&seed) % FILES;
		struct afsx_fid fid = files[i];
		struct store_status s;
		ssize_t n;

		if (!(rand_r(&seed) % 4))
			fid.vid = vid + AFSX_VOL_RO;
		n = store_read(st, &fid, 0, buf, SIZE, &s);
		if (n != (ssize_t)SIZE || memcmp(buf, buf + 1, SIZE - 1))
			die("file %u: read %zd, bytes %u..%u, version %ju", i, n,
			    buf[0], buf[SIZE - 1], (uintmax_t)s.dv);
		if (fid.vid == vid && s.dv < seen[i])
			die("file %u: version %ju after %ju", i,
			    (uintmax_t)s.dv, (uintmax_t)seen[i]);
		if (fid.vid == vid)
			seen[i] = s.dv;
		if (buf[0] != (u8)s.dv && fid.vid == vid)
			die("file %u: version %ju has bytes %u", i,
			    (uintmax_t)s.dv, buf[0]);
		atomic_fetch_add(&reads, 1);
	}
	free(buf);
	return NULL;
}

static void on_news(void *ctx, const void *origin, const struct afsx_fid *fids, size_t nr)
{
	for (size_t n = 0; n < nr; n++)
		for (unsigned int i = 0; i < FILES; i++)
			if (afsx_fid_eq(&fids[n], &files[i]))
				atomic_fetch_add(&notified[i], 1);
}

static void write_file(unsigned int i)
{
	static u8 buf[SIZE];
	struct store_status s;
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	must(store_tx_getattr(tx, &files[i], &s), "getattr");
	memset(buf, (u8)(s.dv + 1), SIZE);
	must(store_write(tx, &files[i], 0, buf, SIZE), "write");
	must(store_commit(tx), "commit");
}

static void clone_volume(void)
{
	struct store_tx *tx;
	u32 id;

	must(store_begin(st, &tx), "begin");
	must(store_vol_clone(tx, vid, AFSX_VOL_RO, &id), "clone");
	must(store_commit(tx), "commit");
	while (store_collect(st, 100) > 0)
		;
}

static void make_files(void)
{
	struct afsx_fid root;
	struct store_tx *tx;
	char name[8];

	must(store_begin(st, &tx), "begin");
	must(store_vol_create(tx, "race", 0, &vid), "create volume");
	root = (struct afsx_fid){ vid, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	for (unsigned int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		must(store_create(tx, &root, name, 2, AFSX_FTYPE_FILE, NULL,
				  NULL, &files[i]), "create");
	}
	must(store_commit(tx), "commit");
}

static void check_news(unsigned int writes)
{
	u64 total = 0;

	for (unsigned int i = 0; i < FILES; i++)
		total += atomic_load(&notified[i]);
	if (total != writes)
		die("%u writes, but %ju were told of", writes,
		    (uintmax_t)total);
}

int test_race(int argc, char **argv)
{
	struct store_config cfg = { .uri = argv[1], .readers = READERS };
	struct store_format_opts format = { .uri = argv[1], .force = true };
	pthread_t thread[READERS];
	struct errbuf err = { "" };
	unsigned int count;

	if (argc != 3)
		die("usage: store-test race URI COUNT");
	count = (unsigned int)atoi(argv[2]);
	if (store_format(&format, &err) || store_open(&cfg, &st, &err))
		die("%s", err.text);
	make_files();
	store_set_notify(st, on_news, NULL);
	for (unsigned int i = 0; i < FILES; i++)
		write_file(i);
	clone_volume();
	for (size_t i = 0; i < READERS; i++)
		pthread_create(&thread[i], NULL, reader, (void *)(i + 1));
	for (unsigned int i = 0; i < count; i++) {
		write_file((unsigned int)random() % FILES);
		if (i % 16 == 15)
			clone_volume();
	}
	/* a fast writer must not end before anybody has read */
	while (atomic_load(&reads) < count)
		;
	atomic_store(&done, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	check_news(count + FILES);
	if (check_store(st))
		die("the check found problems");
	printf("%u writes beside %lu reads\n", count, atomic_load(&reads));
	return store_close(st) ? 1 : 0;
}
