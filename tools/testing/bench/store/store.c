// SPDX-License-Identifier: MIT
/* The volume store. A group of changes is a transaction. */
#include "bench.h"
#include "store.h"

static struct store *st;
static struct afsx_fid dirs[DIRS_MAX];
static struct afsx_fid fids[DIRS_MAX][FILES_MAX];
static _Thread_local struct store_tx *tx;
static _Thread_local bool alone;	/* the next change is a transaction */

static void check(ssize_t ret, const char *what)
{
	if (ret < 0)
		die("%s: %s", what, strerror((int)-ret));
}

static void begin(void)
{
	check(store_begin(st, &tx), "begin");
}

static void end(void)
{
	check(store_commit(tx), "commit");
	tx = NULL;
}

/* Of a group: what can be done ahead of its transaction is. */
static void begin_group(bool is_one)
{
	alone = is_one;
}

static void end_group(void)
{
	if (tx)
		end();
	alone = false;
}

/* A change: what it is, where, and what comes of it. */
struct change {
	int (*make)(struct store_tx *tx, struct change *c);
	const struct afsx_fid *dir;
	const char *name;
	size_t len;
	enum afsx_ftype type;
	struct afsx_fid *fid;
	const char *to;
	size_t to_len;
	struct store_ingest *in;
	int ret;
};

static bool make_alone(struct store_tx *change_tx, void *ctx)
{
	struct change *c = ctx;

	c->ret = c->make(change_tx, c);
	return true;
}

/* In the transaction of the group, or in one that any thread may execute. */
static void change(struct change *c, const char *what)
{
	if (alone) {
		check(store_change(st, make_alone, c), what);
	} else {
		if (!tx)
			begin();
		c->ret = c->make(tx, c);
	}
	check(c->ret, what);
}

static struct afsx_fid make_volume(const char *name)
{
	struct afsx_fid root = { .vnode = AFSX_ROOT_VNODE,
				 .unique = AFSX_ROOT_UNIQUE };

	begin();
	check(store_vol_create(tx, name, 0, &root.vid), "create volume");
	end();
	return root;
}

static struct afsx_fid root;

static void open_store(const char *where)
{
	struct store_config cfg = { .uri = where };
	struct errbuf err = { "" };

	if (store_open(&cfg, &st, &err))
		die("%s", err.text);
	root = make_volume("bench");
}

static void close_store(void)
{
	check(store_close(st), "close");
}

static int create(struct store_tx *t, struct change *c)
{
	return store_create(t, c->dir, c->name, c->len, c->type, NULL, NULL, c->fid);
}

static void make_dir(unsigned int dir)
{
	char name[NAME_SIZE];
	struct change c = {
		.make = create, .dir = &root, .name = name,
		.len = (size_t)snprintf(name, sizeof(name), "d%u", dir),
		.type = AFSX_FTYPE_DIR, .fid = &dirs[dir],
	};

	change(&c, "mkdir");
}

static void make_file(unsigned int dir, unsigned int nr)
{
	char name[NAME_SIZE];
	struct change c = {
		.make = create, .dir = &dirs[dir], .name = name,
		.len = name_of(name, nr, false), .type = AFSX_FTYPE_FILE,
		.fid = &fids[dir][nr],
	};

	change(&c, "create");
}

static int give_name(struct store_tx *t, struct change *c)
{
	return store_rename(t, c->dir, c->name, c->len, c->dir, c->to, c->to_len);
}

static void rename_file(unsigned int dir, unsigned int nr)
{
	char from[NAME_SIZE], to[NAME_SIZE];
	struct change c = {
		.make = give_name, .dir = &dirs[dir], .name = from,
		.len = name_of(from, nr, false), .to = to,
		.to_len = name_of(to, nr, true),
	};

	change(&c, "rename");
}

static int drop(struct store_tx *t, struct change *c)
{
	return store_unlink(t, c->dir, c->name, c->len, false, NULL);
}

static void remove_file(unsigned int dir, unsigned int nr)
{
	char name[NAME_SIZE];
	struct change c = {
		.make = drop, .dir = &dirs[dir], .name = name,
		.len = name_of(name, nr, false),
	};

	change(&c, "remove");
}

static void lookup_file(unsigned int dir, unsigned int nr)
{
	char name[NAME_SIZE];
	size_t len = name_of(name, nr, false);
	struct afsx_fid fid;

	check(store_lookup(st, &dirs[dir], name, len, &fid), "lookup");
}

static void status_of_file(unsigned int dir, unsigned int nr)
{
	struct store_status status;

	check(store_getattr(st, &fids[dir][nr], &status), "getattr");
}

static int take_data(struct store_tx *t, struct change *c)
{
	return store_write_ingest(t, c->fid, c->in);
}

/* As StoreData does it: the data first. */
static void write_ahead(struct afsx_fid *fid, u64 off, const void *buf, size_t len)
{
	struct change c = { .make = take_data, .fid = fid };

	check(store_ingest_begin(st, off, &c.in), "ingest");
	check(store_ingest_add(c.in, buf, len), "ingest");
	check(store_ingest_end(c.in, false), "ingest");
	change(&c, "write");
	store_ingest_free(c.in);
}

static void write_file(unsigned int dir, unsigned int nr, u64 off,
		       const void *buf, size_t len)
{
	if (tx)
		check(store_write(tx, &fids[dir][nr], off, buf, len), "write");
	else
		write_ahead(&fids[dir][nr], off, buf, len);
}

static void read_file(unsigned int dir, unsigned int nr, u64 off, void *buf,
		      size_t len)
{
	ssize_t n = store_read(st, &fids[dir][nr], off, buf, len, NULL);

	check(n, "read");
	if (n != (ssize_t)len)
		die("read: %zd bytes, not %zu", n, len);
}

const struct target store_target = {
	.name = "store",
	.open = open_store,
	.close = close_store,
	.begin = begin_group,
	.end = end_group,
	.mkdir = make_dir,
	.create = make_file,
	.rename = rename_file,
	.remove = remove_file,
	.lookup = lookup_file,
	.status = status_of_file,
	.write = write_file,
	.read = read_file,
};

/* A directory of AFS has room for some 64,000 short names. */
#define PER_DIR		50000u
#define PER_TX		1000u

static void fill(const struct afsx_fid *top, unsigned int vnodes)
{
	struct afsx_fid dir = *top, fid;
	char name[NAME_SIZE];

	for (unsigned int i = 0; i < vnodes; i++) {
		size_t len = name_of(name, i, false);

		if (!(i % PER_TX))
			begin();
		if (!(i % PER_DIR))
			check(store_create(tx, top, name, len, AFSX_FTYPE_DIR,
					   NULL, NULL, &dir), "mkdir");
		check(store_create(tx, &dir, name, len, AFSX_FTYPE_FILE, NULL,
				   NULL, &fid), "create");
		if (i % PER_TX == PER_TX - 1 || i == vnodes - 1)
			end();
	}
}

static u64 space_used(void)
{
	struct store_info info;
	u64 total, avail;

	store_space(st, &total, &avail);
	check(store_info(st, &info), "info");
	return total - avail + info.meta_kib;
}

double store_clones(unsigned int vnodes, unsigned int count, u64 *kib)
{
	struct afsx_fid top;
	char name[32];
	double start;
	u64 before;
	u32 id;

	snprintf(name, sizeof(name), "clone%u", vnodes);
	top = make_volume(name);
	fill(&top, vnodes);
	before = space_used();
	start = now();
	for (unsigned int i = 0; i < count; i++) {
		begin();
		check(store_vol_clone(tx, top.vid, AFSX_VOL_BACKUP, &id),
		      "clone");
		end();
	}
	start = now() - start;
	*kib = space_used() - before;
	return start;
}

u64 store_fill(unsigned int vnodes)
{
	u64 before = space_used();
	struct afsx_fid top = make_volume("many");

	fill(&top, vnodes);
	return space_used() - before;
}
