// SPDX-License-Identifier: MIT
/*
 * store-big edge URI: a large device that is full but for its last blocks, which a
 * file takes to the last one.
 * store-big vnodes URI COUNT: so many files; times, memory, and what is found.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "die.h"
#include "query.h"
#include "resident.h"
#include "log.h"
#include "sound.h"
#include "store_priv.h"

#define LEFT		16384u		/* blocks at the end of the device: 64 MiB */
#define CLAIM		(1024u * 1024)	/* blocks */
#define CHUNK		(1024u * 1024)	/* bytes */
#define IN_DIRECTORY	1000u		/* files; a transaction each */
#define LOOKUPS		20000u

static struct store *st;
static struct afsx_fid root = { 0, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };

static void open_store(const char *uri)
{
	struct store_config cfg = { .uri = uri, .flags = STORE_TAKEOVER };
	struct errbuf err = { "" };

	if (store_open(&cfg, &st, &err))
		die("open: %s", err.text);
}

static struct store_tx *begin(void)
{
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	return tx;
}

static void make_store(const char *uri)
{
	struct store_format_opts format = { .uri = uri, .force = true };
	struct errbuf err = { "" };
	struct store_tx *tx;

	if (store_format(&format, &err))
		die("format: %s", err.text);
	open_store(uri);
	tx = begin();
	must(store_vol_create(tx, "v", 0, &root.vid), "volume");
	must(store_commit(tx), "commit");
}

/* ---- the end of the device ---------------------------------------------------------- */

/* Nothing between the regions and the end of the device is to be had. */
static void claim_most(void)
{
	u64 at = SB_FIRST_FREE, end = st->sb.blocks - 1 - LEFT;

	for (u32 i = 0; i < st->sb.nr; i++)
		at = max(at, st->sb.region[i].start + st->sb.region[i].nr);
	while (at < end) {
		struct alloc_run run = { at, (u32)min(end - at, (u64)CLAIM) };

		must(alloc_claim(st->alloc, &run), "claim");
		at += run.nr;
	}
	alloc_set_reserve(st->alloc, 0);
}

static void fill(u8 *buf, u64 nr)
{
	for (u32 i = 0; i < CHUNK; i += 8)
		memcpy(buf + i, &(u64){ nr << 32 | i }, 8);
}

static struct afsx_fid make_file(u32 chunks)
{
	static u8 buf[CHUNK];
	struct store_tx *tx = begin();
	struct afsx_fid fid;

	must(store_create(tx, &root, "f", 1, AFSX_FTYPE_FILE, NULL, NULL, &fid),
	     "create");
	for (u32 i = 0; i < chunks; i++) {
		fill(buf, i);
		must(store_write(tx, &fid, (u64)i * CHUNK, buf, CHUNK), "write");
	}
	must(store_commit(tx), "commit");
	return fid;
}

static void expect_file(const struct afsx_fid *fid, u32 chunks)
{
	static u8 want[CHUNK], got[CHUNK];

	for (u32 i = 0; i < chunks; i++) {
		fill(want, i);
		if (store_read(st, fid, (u64)i * CHUNK, got, CHUNK, NULL) !=
		    CHUNK || memcmp(want, got, CHUNK))
			die("other contents at %u MiB", i);
	}
}

static void collect(void)
{
	int ret;

	do
		ret = store_collect(st, 1000);
	while (ret > 0);
	must(ret, "collect");
}

static void expect_sound(void)
{
	if (check_store(st))
		die("the check finds problems");
}

static int run_edge(const char *uri)
{
	u32 chunks = LEFT * (BLK_SIZE / 1024) / 1024;
	struct afsx_fid fid;
	struct store_tx *tx;
	u64 before;

	make_store(uri);
	before = alloc_count_free(st->alloc);
	claim_most();
	fid = make_file(chunks);
	must(store_close(st), "close");
	open_store(uri);
	if (query_number(st, "SELECT max(phys + nr) FROM extent") !=
	    (s64)st->sb.blocks - 1)
		die("the last block is not in use");
	expect_file(&fid, chunks);
	expect_sound();
	if (before - alloc_count_free(st->alloc) != LEFT)
		die("%ju blocks in use", (uintmax_t)(before -
		    alloc_count_free(st->alloc)));
	tx = begin();
	must(store_unlink(tx, &root, "f", 1, false, NULL), "unlink");
	must(store_commit(tx), "commit");
	collect();
	if (alloc_count_free(st->alloc) != before)
		die("not all is free again");
	printf("%ju GiB: data in the last %u blocks\n",
	       (uintmax_t)st->sb.blocks >> 18, LEFT);
	must(store_close(st), "close");
	return 0;
}

/* ---- many vnodes -------------------------------------------------------------------- */

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double report(const char *what, double since)
{
	double now = seconds();

	printf("%-24s %8.1f s, %8ju KiB resident\n", what, now - since,
	       (uintmax_t)resident_kib());
	fflush(stdout);
	return seconds();
}

static void name_of(char name[16], u32 nr)
{
	snprintf(name, 16, "%u", nr);
}

static void make_directory(u32 nr)
{
	struct store_tx *tx = begin();
	struct afsx_fid dir, fid;
	char name[16];

	name_of(name, nr);
	must(store_create(tx, &root, name, strlen(name), AFSX_FTYPE_DIR, NULL,
			  NULL, &dir), "mkdir");
	for (u32 i = 0; i < IN_DIRECTORY; i++) {
		name_of(name, i);
		must(store_create(tx, &dir, name, strlen(name), AFSX_FTYPE_FILE,
				  NULL, NULL, &fid), "create");
	}
	must(store_commit(tx), "commit");
}

/* Files all over the volume, by their names; vnode numbers are even, in order. */
static void look_up(u32 dirs)
{
	struct store_status s;
	struct afsx_fid fid;
	char name[16];
	u64 at = 1;

	for (u32 i = 0; i < LOOKUPS; i++) {
		u32 dir, file;

		at = at * 6364136223846793005u + 1442695040888963407u;
		dir = (u32)(at >> 33) % dirs;
		file = (u32)(at >> 11) % IN_DIRECTORY;
		name_of(name, dir);
		must(store_lookup(st, &root, name, strlen(name), &fid), "lookup");
		name_of(name, file);
		must(store_lookup(st, &fid, name, strlen(name), &fid), "lookup");
		must(store_getattr(st, &fid, &s), "status");
		if (fid.vnode != 2 * (dir * IN_DIRECTORY + file + 1))
			die("file %u.%u is vnode %u", dir, file, fid.vnode);
	}
}

static int run_vnodes(const char *uri, u32 dirs)
{
	struct store_info info;
	double since;

	make_store(uri);
	since = report("an empty store", seconds());
	for (u32 i = 0; i < dirs; i++)
		make_directory(i);
	since = report("creating", since);
	look_up(dirs);
	since = report("20000 lookups", since);
	must(store_close(st), "close");
	since = report("closing", since);
	open_store(uri);
	since = report("opening", since);
	look_up(dirs);
	report("20000 lookups", since);
	must(store_info(st, &info), "info");
	if (info.vnodes != (u64)dirs * (IN_DIRECTORY + 1) + 1)
		die("%ju vnodes", (uintmax_t)info.vnodes);
	printf("%ju vnodes, %ju KiB of metadata\n", (uintmax_t)info.vnodes,
	       (uintmax_t)info.meta_kib);
	must(store_close(st), "close");
	return 0;
}

int main(int argc, char **argv)
{
	log_setup("store-big", LOG_WARN);
	if (argc == 3 && !strcmp(argv[1], "edge"))
		return run_edge(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "vnodes"))
		return run_vnodes(argv[2], (u32)strtoul(argv[3], NULL, 10) /
				  IN_DIRECTORY);
	die("usage: store-big edge URI | vnodes URI COUNT");
}
