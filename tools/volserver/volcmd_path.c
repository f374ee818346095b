// SPDX-License-Identifier: MIT
/* Commands on single names inside a volume. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <afsx/source.h>

#include "volcmd_priv.h"

int volcmd_walk(const struct volcmd *c, const struct store_vol *vol,
		const char *path, size_t len, struct afsx_fid *fid)
{
	const char *p = path, *end = path + len;

	*fid = (struct afsx_fid){ vol->id, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	while (p < end) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t n = (size_t)((slash ? slash : end) - p);
		struct afsx_fid dir = *fid;
		int ret = n ? store_lookup(c->st, &dir, p, n, fid) : 0;

		if (ret)
			return volcmd_fail(c, ret, "'%.*s' in volume '%s'",
					   (int)(p + n - path), path,
					   vol->name);
		p += n + !!slash;
	}
	return VOLCMD_OK;
}

/**
 * struct place - a name in a directory of a volume
 * @vol: volume
 * @dir: directory
 * @name: last part of the path
 * @len: of @name
 */
struct place {
	struct store_vol vol;
	struct afsx_fid dir;
	const char *name;
	size_t len;
};

/* The last name of the path. */
static int parse_path(const struct volcmd *c, struct place *p)
{
	const char *path = c->arg[1];
	const char *end = path + strlen(path);

	while (end > path && end[-1] == '/')
		end--;
	p->name = end;
	while (p->name > path && p->name[-1] != '/')
		p->name--;
	p->len = (size_t)(end - p->name);
	if (!p->len)
		return volcmd_misuse(c, "path '%s' names the root directory",
				     path);
	return VOLCMD_OK;
}

int volcmd_vet_path(const struct volcmd *c)
{
	struct place p;

	return parse_path(c, &p);
}

static int find_place(const struct volcmd *c, struct place *p)
{
	const char *path = c->arg[1];

	if (parse_path(c, p))
		return VOLCMD_USAGE;
	if (volcmd_find_rw(c, c->arg[0], &p->vol))
		return VOLCMD_FAILED;
	return volcmd_walk(c, &p->vol, path, (size_t)(p->name - path), &p->dir);
}

static int make_target(const struct volcmd *c, char *target, size_t size)
{
	const char *cell = volcmd_option(c, "cell");
	const char *why = "is not a volume name";
	struct afsx_source source;
	int n;

	n = snprintf(target, size, "%c%s%s%s.",
		     volcmd_option(c, "rw") ? '%' : '#', cell ? cell : "",
		     cell ? ":" : "", c->arg[2]);
	if (n >= (int)size)
		return volcmd_misuse(c, "the mount point's target is longer than %zu bytes",
				     size - 1);
	if (afsx_source_parse(target, (size_t)n, false, &source, &why))
		return volcmd_misuse(c, "target '%s'%s%s: %s", c->arg[2],
				     cell ? " in cell " : "", cell ? cell : "",
				     why);
	return VOLCMD_OK;
}

int volcmd_vet_mkmount(const struct volcmd *c)
{
	char target[STORE_TARGET_MAX + 1];
	int ret = make_target(c, target, sizeof(target));

	return ret ? ret : volcmd_vet_path(c);
}

int volcmd_mkmount(struct volcmd *c)
{
	struct store_attr attr = { .mask = STORE_SET_MODE, .mode = 0644 };
	char target[STORE_TARGET_MAX + 1];
	struct store_tx *tx;
	struct afsx_fid fid;
	struct place p;
	int ret = make_target(c, target, sizeof(target));

	if (!ret)
		ret = find_place(c, &p);
	if (ret)
		return ret;
	ret = store_begin(c->st, &tx);
	if (!ret)
		ret = volcmd_commit(tx, store_create(tx, &p.dir, p.name, p.len,
						     AFSX_FTYPE_SYMLINK, &attr,
						     target, &fid));
	if (ret)
		return volcmd_fail(c, ret, "'%s' in volume '%s'", c->arg[1],
				   p.vol.name);
	fprintf(c->io->out, "made mount point %s -> %s\n", c->arg[1], target);
	return VOLCMD_OK;
}

static int unlink_any(struct store_tx *tx, const struct place *p)
{
	int ret = store_unlink(tx, &p->dir, p->name, p->len, false, NULL);

	if (ret == -EISDIR)
		ret = store_unlink(tx, &p->dir, p->name, p->len, true, NULL);
	return ret;
}

int volcmd_remove_name(struct volcmd *c)
{
	struct store_tx *tx;
	struct place p;
	int ret = find_place(c, &p);

	if (ret)
		return ret;
	ret = store_begin(c->st, &tx);
	if (!ret)
		ret = volcmd_commit(tx, unlink_any(tx, &p));
	if (!ret)
		ret = volcmd_collect(c);
	if (ret)
		return volcmd_fail(c, ret, "'%s' in volume '%s'", c->arg[1],
				   p.vol.name);
	return VOLCMD_OK;
}
