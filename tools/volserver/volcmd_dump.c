// SPDX-License-Identifier: MIT
/*
 * dump: write a volume as OpenAFS's vos does, whole or what changed since.
 *
 * The volume is held as it is at the beginning, so clients may go on changing
 * it meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "dump_acl.h"
#include "dump_reader.h"
#include "dump_tree.h"
#include "size.h"
#include "store_hold.h"
#include "volcmd_priv.h"

#define CHUNK	(1024u * 1024)

/**
 * struct dump - a dump under way
 * @c: command
 * @vol: what is dumped
 * @held: the same, held; @held.id is for reading
 * @since: seconds since 1970; what changed before is not carried
 * @out: where it goes
 * @tree: the vnodes that names lead to
 * @unique: largest uniquifier among them
 * @err: of dump_tree_name(), during a walk of a directory
 * @dir: that directory
 * @lost: entries of access lists that could not be carried
 * @buf: CHUNK bytes
 */
struct dump {
	struct volcmd *c;
	struct store_vol vol;
	struct store_vol held;
	u32 since;
	FILE *out;
	struct dump_tree tree;
	u32 unique;
	int err;
	u32 dir;
	unsigned int lost;
	u8 *buf;
};

static u32 word_of(s64 value)
{
	return value < 0 ? 0 : value > U32_MAX ? U32_MAX : (u32)value;
}

static struct afsx_fid fid_of(const struct dump *d, const struct dump_node *n)
{
	return (struct afsx_fid){ d->held.id, n->vnode, n->unique };
}

/* ---- which vnodes there are ----------------------------------------------------- */

static bool see_entry(void *ctx, const char *name, size_t len,
		      const struct afsx_fid *fid)
{
	struct dump *d = ctx;

	if (len <= 2 && !memcmp(name, "..", len))
		return true;
	d->unique = max(d->unique, fid->unique);
	d->err = dump_tree_name(&d->tree, d->dir, fid->vnode, fid->unique);
	return !d->err;
}

static int find_vnodes(struct dump *d)
{
	struct dump_node *root = dump_tree_add(&d->tree, AFSX_ROOT_VNODE);
	int ret = 0;

	if (!root)
		return -ENOMEM;
	root->unique = AFSX_ROOT_UNIQUE;
	d->unique = AFSX_ROOT_UNIQUE;
	/* the set grows while it is gone through */
	for (size_t i = 0; !ret && i < d->tree.nr; i++) {
		struct afsx_fid fid = fid_of(d, &d->tree.node[i]);

		if (!(fid.vnode & 1))
			continue;
		if (volcmd_stopped(d->c))
			return -ECANCELED;
		d->dir = fid.vnode;
		ret = store_readdir(d->c->st, &fid, see_entry, d);
		if (!ret)
			ret = d->err == -ESTALE ? -EUCLEAN : d->err;
	}
	dump_tree_sort(&d->tree);
	return ret;
}

/* ---- writing -------------------------------------------------------------------- */

static void put_headers(struct dump *d)
{
	const struct store_vol *vol = &d->vol, *held = &d->held;
	const u32 begin[] = { DUMP_MAGIC, DUMP_VERSION };
	bool clone = vol->type != AFSX_VOL_RW;
	struct dump_span span = {
		.id = vol->id,
		.from = d->since,
		.to = word_of(clone ? held->created : held->updated),
	};
	struct dump_volume head = {
		.id = vol->id,
		.stamp = 1,
		.in_service = 1,
		.blessed = 1,
		.next_unique = word_of((s64)d->unique + 1),
		.type = (u8)vol->type,
		.parent = vol->rw_id,
		.quota = word_of((s64)held->quota_kib),
		.used = word_of((s64)held->used_kib),
		.files = word_of((s64)held->files),
		.created = word_of(held->created),
		.accessed = word_of(held->updated),
		.updated = word_of(held->updated),
		.backed_up = vol->type == AFSX_VOL_BACKUP ?
			     word_of(held->created) : 0,
	};

	memcpy(span.name, held->name, sizeof(span.name));
	memcpy(head.name, held->name, sizeof(head.name));
	memcpy(head.offline_msg, held->offline_msg, sizeof(head.offline_msg));
	dump_put(d->out, DUMP_BEGIN, ARRAY_SIZE(begin), begin, &span);
	dump_put(d->out, DUMP_VOLUME, 0, NULL, &head);
}

static void lose_acl(struct dump *d, u32 vnode, const struct acl_entry *why)
{
	d->lost++;
	fprintf(d->c->io->err,
		"dump: directory vnode %u: the access list stays behind: '%.*s' has no number\n",
		vnode, (int)why->len, why->name);
}

static int get_acl(struct dump *d, const struct afsx_fid *fid, u8 *raw)
{
	static const char standard[] = ACL_DEFAULT, empty[] = "0\n0\n";
	char text[STORE_ACL_MAX];
	struct acl_entry stranger;
	ssize_t n = store_acl_get(d->c->st, fid, text, sizeof(text));
	int ret;

	if (n < 0)
		return (int)n;
	ret = dump_acl_raw(n ? text : standard, n ? (size_t)n : sizeof(standard),
			   raw, &stranger);
	if (ret != -ENOENT)
		return ret == -EINVAL ? -EUCLEAN : ret;
	lose_acl(d, fid->vnode, &stranger);
	/* only administrators may do anything there, until told otherwise */
	return dump_acl_raw(empty, sizeof(empty), raw, &stranger);
}

static int put_contents(struct dump *d, const struct afsx_fid *fid, u64 size)
{
	for (u64 off = 0; off < size;) {
		ssize_t n = store_read(d->c->st, fid, off, d->buf, CHUNK, NULL);

		if (n <= 0)
			return n ? (int)n : -EUCLEAN;
		if (fwrite(d->buf, 1, (size_t)n, d->out) != (size_t)n)
			return volcmd_stopped(d->c) ? -ECANCELED : -errno;
		if (d->c->io->wait)
			d->c->io->wait(d->c->io->client);
		if (volcmd_stopped(d->c))
			return -ECANCELED;
		off += (u64)n;
	}
	return 0;
}

static int put_carried(struct dump *d, const struct store_status *s,
		       const u32 *words)
{
	bool root = s->fid.vnode == AFSX_ROOT_VNODE;
	struct dump_vnode vn = {
		.has_group = s->group != 0,
		.has_acl = s->type == AFSX_FTYPE_DIR,
		.has_data = true,
		.type = (u8)s->type,
		.links = (u16)min(s->nlink, 0xffffu),
		.version = (u32)s->dv,
		.mtime = word_of(s->mtime_client),
		.author = s->author,
		.owner = s->owner,
		.group = s->group,
		.mode = (u16)s->mode,
		.parent = root ? 0 : s->parent_vnode,
		.stime = word_of(s->mtime_server),
		.size = s->size,
	};
	int ret = 0;

	if (vn.has_acl)
		ret = get_acl(d, &s->fid, vn.acl);
	if (ret)
		return ret;
	dump_put(d->out, DUMP_VNODE, 2, words, &vn);
	return put_contents(d, &s->fid, s->size);
}

static int put_vnode(struct dump *d, const struct dump_node *n)
{
	bool force = n->vnode & 1 && !volcmd_option(d->c, "omit-dirs");
	const u32 words[] = { n->vnode, n->unique };
	struct afsx_fid fid = fid_of(d, n);
	struct store_status s;
	int ret = store_getattr(d->c->st, &fid, &s);

	if (ret)
		return ret == -ENOENT || ret == -ESTALE ? -EUCLEAN : ret;
	if (force || word_of(s.mtime_server) >= d->since)
		return put_carried(d, &s, words);
	dump_put(d->out, DUMP_VNODE, ARRAY_SIZE(words), words, NULL);
	return 0;
}

static int put_all(struct dump *d)
{
	const u32 end[] = { DUMP_END_MAGIC };
	int ret = find_vnodes(d);

	if (ret)
		return volcmd_fail(d->c, ret, "volume '%s'", d->held.name);
	put_headers(d);
	for (size_t i = 0; !ret && i < d->tree.nr; i++) {
		ret = ferror(d->out) ? -EIO : put_vnode(d, &d->tree.node[i]);
		if (ret)
			return volcmd_fail(d->c, ret, "volume '%s', vnode %u",
					   d->held.name, d->tree.node[i].vnode);
	}
	dump_put(d->out, DUMP_END, ARRAY_SIZE(end), end, NULL);
	if (fflush(d->out) || ferror(d->out))
		return volcmd_fail(d->c, 0, "the dump could not be written");
	return d->lost ? VOLCMD_SKIPPED : VOLCMD_OK;
}

/* ---- since when ----------------------------------------------------------------- */

static int since_clone(struct dump *d, const char *kind)
{
	enum afsx_voltype type;
	struct store_group g;
	struct store_vol clone;
	int ret;

	if (volcmd_parse_clone(d->c, kind, &type))
		return VOLCMD_USAGE;
	ret = store_group_get(d->c->st, d->vol.rw_id, &g);
	if (!ret)
		ret = store_vol_get(d->c->st, g.id[type], &clone);
	if (ret)
		return volcmd_fail(d->c, ret, "'%s.%s'", g.name, kind);
	d->since = word_of(clone.created);
	return VOLCMD_OK;
}

static ssize_t read_stream(void *ctx, void *buf, size_t len)
{
	size_t n = fread(buf, 1, len, ctx);

	return !n && ferror((FILE *)ctx) ? -errno : (ssize_t)n;
}

static int since_dump(struct dump *d, const char *path)
{
	FILE *f CLEANUP_FCLOSE = fopen(path, "re");
	struct dump_reader *r CLEANUP_FREE = calloc(1, sizeof(*r));
	struct dump_volume head;
	struct dump_span span;

	if (!f || !r)
		return volcmd_fail(d->c, -errno, "dump '%s'", path);
	r->input = read_stream;
	r->ctx = f;
	if (dump_read_headers(r, &span, &head))
		return volcmd_fail(d->c, 0, "dump '%s': %s", path, r->error);
	if (head.parent != d->vol.rw_id)
		return volcmd_fail(d->c, 0, "dump '%s' is of volume %u '%s', not of volume '%s'",
				   path, head.parent, span.name, d->vol.name);
	d->since = span.to;
	return VOLCMD_OK;
}

/* Seconds since 1970, or a date as strptime() knows it, in UTC. */
static int parse_time(const struct volcmd *c, const char *text, u32 *since)
{
	static const char *const forms[] = {
		"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M",
		"%Y-%m-%d",
	};
	u64 number;

	if (!number_parse(text, 0, U32_MAX, &number)) {
		*since = (u32)number;
		return VOLCMD_OK;
	}
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = { .tm_mday = 1 };
		const char *end = strptime(text, forms[i], &tm);

		if (end && !*end) {
			*since = word_of(timegm(&tm));
			return VOLCMD_OK;
		}
	}
	return volcmd_misuse(c, "--since '%s' is not a time (as 2026-11-21 or 1795200000)",
			     text);
}

static int since_time(struct dump *d, const char *text)
{
	return parse_time(d->c, text, &d->since);
}

int volcmd_vet_dump(const struct volcmd *c)
{
	const char *since = volcmd_option(c, "since");
	const char *kind = volcmd_option(c, "since-clone");
	enum afsx_voltype type;
	u32 seconds;

	if (!!since + !!kind + !!volcmd_option(c, "since-dump") > 1)
		return volcmd_misuse(c, "only one --since... can be given");
	if (since)
		return parse_time(c, since, &seconds);
	return kind ? volcmd_parse_clone(c, kind, &type) : VOLCMD_OK;
}

static int find_since(struct dump *d)
{
	static const struct {
		const char *option;
		int (*find)(struct dump *d, const char *value);
	} ways[] = {
		{ "since", since_time },
		{ "since-clone", since_clone },
		{ "since-dump", since_dump },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const char *value = volcmd_option(d->c, ways[i].option);

		if (value)
			return ways[i].find(d, value);
	}
	return VOLCMD_OK;
}

/* ---- where to ------------------------------------------------------------------- */

static int run_held(struct dump *d)
{
	int ret = store_hold(d->c->st, d->vol.id, &d->held);
	int end;

	if (ret)
		return volcmd_fail(d->c, ret, "volume '%s'", d->vol.name);
	ret = put_all(d);
	store_unhold(d->c->st, &d->held);
	end = volcmd_collect(d->c);
	if (end && ret == VOLCMD_OK)
		ret = volcmd_fail(d->c, end, "cleaning up");
	return ret;
}

/* A file appears, or is replaced, when its dump is complete. */
static int run_to_file(struct dump *d, const char *path)
{
	char *part CLEANUP_FREE = NULL;
	FILE *f CLEANUP_FCLOSE = NULL;
	int ret, fd;

	if (asprintf(&part, "%s.XXXXXX", path) < 0)
		return volcmd_fail(d->c, -ENOMEM, "'%s'", path);
	fd = mkostemp(part, O_CLOEXEC);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f)
		return volcmd_fail(d->c, -errno, "'%s'", path);
	d->out = f;
	ret = run_held(d);
	if ((ret == VOLCMD_OK || ret == VOLCMD_SKIPPED) &&
	    (fsync(fd) || rename(part, path)))
		ret = volcmd_fail(d->c, -errno, "'%s'", path);
	if (ret != VOLCMD_OK && ret != VOLCMD_SKIPPED)
		unlink(part);
	return ret;
}

static int run_to_device(struct dump *d, const char *path)
{
	FILE *f CLEANUP_FCLOSE = fopen(path, "we");

	if (!f)
		return volcmd_fail(d->c, -errno, "'%s'", path);
	d->out = f;
	return run_held(d);
}

static int run(struct dump *d)
{
	const char *path = d->c->nr > 1 ? d->c->arg[1] : "-";
	struct stat s;

	d->out = d->c->io->out;
	if (!strcmp(path, "-"))
		return run_held(d);
	if (!stat(path, &s) && !S_ISREG(s.st_mode))
		return run_to_device(d, path);
	return run_to_file(d, path);
}

int volcmd_dump(struct volcmd *c)
{
	struct dump d = { .c = c };
	int ret;

	if (volcmd_find(c, c->arg[0], &d.vol))
		return VOLCMD_FAILED;
	ret = find_since(&d);
	if (ret)
		return ret;
	d.buf = malloc(CHUNK);
	ret = d.buf ? run(&d) : volcmd_fail(c, -ENOMEM, "buffer");
	dump_tree_free(&d.tree);
	free(d.buf);
	return ret;
}
