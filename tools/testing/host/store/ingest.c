// SPDX-License-Identifier: MIT
/*
 * store-ingest: data that are brought ahead of their transaction, and where the file
 * ends: before, at or behind their end, as was expected or not. A copy of the file in
 * memory, changed by memcpy(), says what must be there.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "die.h"
#include "log.h"
#include "memdev.h"
#include "sound.h"
#include "store.h"

#define SIZE_MAX_TESTED	(3u << 20)

/* A file of so many bytes gets so many others at an offset. */
static const struct {
	u32 size;
	u32 off;
	u32 len;
} writes[] = {
	{ 0, 0, 1 }, { 0, 0, 100 }, { 0, 0, 4095 }, { 0, 0, 4096 },
	{ 0, 0, 4097 }, { 100, 0, 100 }, { 100, 0, 99 }, { 100, 0, 50 },
	{ 100, 100, 50 }, { 100, 50, 50 }, { 4096, 4096, 10 },
	{ 4096, 0, 10 }, { 5000, 4096, 904 }, { 5000, 4096, 903 },
	{ 5000, 4096, 905 }, { 5000, 4000, 1000 }, { 5000, 8192, 10 },
	{ 20000, 4096, 100 }, { 20000, 0, 20000 }, { 20000, 1, 19999 },
	{ 10, 1048576, 5 }, { 2097152, 1048576, 1048577 },
	{ 1048577, 1048576, 1 }, { 1048580, 1048576, 3 },
};

static struct store *st;
static struct afsx_fid root = { .vnode = AFSX_ROOT_VNODE,
				.unique = AFSX_ROOT_UNIQUE };
static u8 model[SIZE_MAX_TESTED], shown[SIZE_MAX_TESTED];
static unsigned int checks;

static void make_store(void)
{
	struct store_format_opts format = { .uri = "memory" };
	struct store_config cfg = { .uri = "memory", .flags = STORE_TAKEOVER };
	struct errbuf err = { "" };
	struct store_tx *tx;

	memdev_create(UINT64_C(256) << 20);
	if (store_format(&format, &err) || store_open(&cfg, &st, &err))
		die("%s", err.text);
	must(store_begin(st, &tx), "begin");
	must(store_vol_create(tx, "ingest", 0, &root.vid), "volume");
	must(store_commit(tx), "commit");
}

static void fill(u8 *buf, u32 len, unsigned int seed)
{
	for (u32 i = 0; i < len; i++)
		buf[i] = (u8)(seed + i + i / 255);
}

static struct afsx_fid make_file(u32 size)
{
	struct afsx_fid fid;
	struct store_tx *tx;
	char name[16];

	memset(model, 0, sizeof(model));
	fill(model, size, 7);
	snprintf(name, sizeof(name), "f%u", checks);
	must(store_begin(st, &tx), "begin");
	must(store_create(tx, &root, name, strlen(name), AFSX_FTYPE_FILE, NULL,
			  NULL, &fid), "create");
	must(store_write(tx, &fid, 0, model, size), "write");
	must(store_commit(tx), "commit");
	return fid;
}

static void bring_data(const struct afsx_fid *fid, u32 off, u32 len,
		       bool at_end, bool keep)
{
	static u8 buf[SIZE_MAX_TESTED];
	struct store_ingest *in;
	struct store_tx *tx;

	fill(buf, len, 99);
	must(store_ingest_begin(st, off, &in), "begin to bring");
	must(store_ingest_add(in, buf, len / 2), "bring");
	must(store_ingest_add(in, buf + len / 2, len - len / 2), "bring");
	must(store_ingest_end(in, at_end), "end");
	must(store_begin(st, &tx), "begin");
	must(store_write_ingest(tx, fid, in), "write");
	if (keep) {
		memcpy(model + off, buf, len);
		must(store_commit(tx), "commit");
	} else {
		store_abort(tx);
	}
	store_ingest_free(in);
}

static void compare(const struct afsx_fid *fid, u64 size, unsigned int i,
		    bool at_end)
{
	struct store_status s;
	ssize_t n = store_read(st, fid, 0, shown, sizeof(shown), &s);

	if (n != (ssize_t)size || s.size != size || memcmp(shown, model, size))
		die("write %u%s: %zd bytes, size %ju, not %ju, or others", i,
		    at_end ? ", end expected" : "", n, (uintmax_t)s.size,
		    (uintmax_t)size);
	checks++;
}

/* What is behind the end must not come back when the file grows. */
static void grow(const struct afsx_fid *fid, u64 size)
{
	struct store_attr attr = { .mask = STORE_SET_SIZE, .size = size };
	struct store_tx *tx;

	must(store_begin(st, &tx), "begin");
	must(store_setattr(tx, fid, &attr), "grow");
	must(store_commit(tx), "commit");
}

static u64 free_kib(void)
{
	u64 total, left;

	store_space(st, &total, &left);
	return left;
}

static void run(unsigned int i, bool at_end)
{
	u32 size = writes[i].size, off = writes[i].off, len = writes[i].len;
	struct afsx_fid fid = make_file(size);
	u64 left = free_kib();

	bring_data(&fid, off, len, at_end, false);
	if (free_kib() != left)
		die("write %u: what was brought in vain is not free", i);
	compare(&fid, size, i, at_end);
	bring_data(&fid, off, len, at_end, true);
	size = max(size, off + len);
	compare(&fid, size, i, at_end);
	grow(&fid, size + 5000);
	compare(&fid, size + 5000, i, at_end);
}

int main(void)
{
	log_setup("store-ingest", LOG_ERROR);
	make_store();
	for (unsigned int i = 0; i < ARRAY_SIZE(writes); i++) {
		run(i, false);
		run(i, true);
	}
	if (check_store(st))
		die("the store is not sound");
	must(store_close(st), "close");
	printf("%u files as they should be\n", checks);
	return 0;
}
