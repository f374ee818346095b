// SPDX-License-Identifier: MIT
/*
 * restore: make a volume from a dump, or bring one to the state of a dump.
 *
 * What is restored is not to be seen before all of it is there and was found to
 * fit; when anything fails, the volume is as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "restore_vnode.h"
#include "size.h"

/* ---- reading -------------------------------------------------------------------- */

/* Others may change the store while this waits for a slow source. */
static int before_waiting(struct restore *rs)
{
	struct pollfd p = { .fd = rs->fd, .events = POLLIN };

	if (!rs->r || poll(&p, 1, 0))
		return 0;
	return store_restore_pause(rs->r);
}

static ssize_t read_dump(void *ctx, void *buf, size_t len)
{
	struct restore *rs = ctx;
	int ret = before_waiting(rs);
	ssize_t n;

	if (ret)
		return ret;
	do {
		if (volcmd_stopped(rs->c))
			return -ECANCELED;
		n = read(rs->fd, buf, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* ---- the target ----------------------------------------------------------------- */

/* The base name of the volume that was dumped. */
static void base_name(const struct restore *rs, char *name)
{
	static const char *const suffixes[] = { ".readonly", ".backup" };

	memcpy(name, rs->vol.name, sizeof(rs->vol.name));
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t len = strlen(name), n = strlen(suffixes[i]);

		if (len > n && !strcmp(name + len - n, suffixes[i]))
			name[len - n] = '\0';
	}
}

static int begin_over(struct restore *rs, const struct store_vol *vol, u64 id)
{
	struct volcmd *c = rs->c;
	int ret;

	if (vol->type != AFSX_VOL_RW)
		return volcmd_fail(c, 0, "volume '%s' is a clone, not a read/write volume",
				   vol->name);
	if (id && id != vol->id)
		return volcmd_fail(c, 0, "volume '%s' has the id %u, not %ju",
				   vol->name, vol->id, (uintmax_t)id);
	if (!rs->span.from && !volcmd_option(c, "overwrite"))
		return volcmd_fail(c, 0, "volume '%s' exists; --overwrite replaces its contents",
				   vol->name);
	ret = store_restore_over(c->st, vol->id, &rs->r);
	if (ret == -EBUSY)
		return volcmd_fail(c, 0, "volume '%s' is in use by another command",
				   vol->name);
	return ret ? volcmd_fail(c, ret, "volume '%s'", vol->name) : VOLCMD_OK;
}

static int begin_new(struct restore *rs, const char *name, u32 id)
{
	struct volcmd *c = rs->c;
	int ret = store_restore_new(c->st, name, id, &rs->r);

	switch (ret) {
	case 0:
		return VOLCMD_OK;
	case -EDOM:
		return volcmd_fail(c, 0, "a volume cannot have the id %u; see afsx-vol(8)",
				   id);
	case -ENOTUNIQ:
		return volcmd_fail(c, 0, "the id %u belongs to another volume", id);
	case -EINVAL:
	case -ENAMETOOLONG:
		return volcmd_fail(c, 0, "bad volume name '%s'; --name NAME gives another",
				   name);
	default:
		return volcmd_fail(c, ret, "volume '%s'", name);
	}
}

static int parse_id(const struct volcmd *c, u64 *id)
{
	const char *text = volcmd_option(c, "id");

	*id = 0;
	if (text && number_parse(text, 1, U32_MAX, id))
		return volcmd_misuse(c, "--id '%s' is not the id of a volume",
				     text);
	return VOLCMD_OK;
}

static int begin(struct restore *rs, const char *name)
{
	struct store_vol vol;
	u64 id;
	int ret;

	if (parse_id(rs->c, &id))
		return VOLCMD_USAGE;
	ret = store_vol_find(rs->c->st, name, strlen(name), &vol);
	if (!ret)
		return begin_over(rs, &vol, id);
	if (ret != -ENOMEDIUM)
		return volcmd_fail(rs->c, ret, "volume '%s'", name);
	if (rs->span.from)
		return volcmd_fail(rs->c, 0, "there is no volume '%s' for an incremental dump",
				   name);
	return begin_new(rs, name, (u32)id);
}

/* ---- the whole ------------------------------------------------------------------ */

static int read_vnodes(struct restore *rs)
{
	struct dump_vnode vn;
	int ret;

	while ((ret = dump_read_vnode(rs->in, &vn)) > 0) {
		ret = restore_vnode(rs, &vn);
		if (!ret && volcmd_stopped(rs->c))
			ret = -ECANCELED;
		if (ret)
			return ret;
	}
	return ret ? ret : restore_tree(rs);
}

static int publish(struct restore *rs, const char *name)
{
	struct store_restored as = {
		.name = name,
		.quota_kib = rs->vol.quota,
		.created = rs->vol.created,
		.updated = rs->vol.updated,
		.next_unique = rs->vol.next_unique,
	};
	u32 id = store_restore_id(rs->r);
	int ret = store_restore_publish(rs->r, &as);

	if (ret)
		return ret;
	fprintf(rs->c->io->out,
		"restored volume %s, id %u: %ju files and %ju directories, %ju bytes\n",
		name, id, (uintmax_t)rs->files, (uintmax_t)rs->dirs,
		(uintmax_t)rs->bytes);
	return 0;
}

static int fill(struct restore *rs, const char *name, const char *path)
{
	int end, ret = read_vnodes(rs);

	if (!ret)
		ret = publish(rs, name);
	store_restore_end(rs->r);
	end = volcmd_collect(rs->c);
	if (ret == -EBADMSG)
		return volcmd_fail(rs->c, 0, "dump '%s': %s", path,
				   rs->in->error);
	if (ret)
		return volcmd_fail(rs->c, ret, "dump '%s' into volume '%s', at byte %ju",
				   path, name, (uintmax_t)rs->in->offset);
	return end ? volcmd_fail(rs->c, end, "cleaning up") : VOLCMD_OK;
}

static int restore(struct restore *rs, const char *path)
{
	const char *wanted = volcmd_option(rs->c, "name");
	char name[DUMP_NAME_MAX + 1];
	int ret;

	rs->in->input = read_dump;
	rs->in->ctx = rs;
	if (dump_read_headers(rs->in, &rs->span, &rs->vol))
		return volcmd_fail(rs->c, 0, "dump '%s': %s", path,
				   rs->in->error);
	base_name(rs, name);
	if (!wanted)
		wanted = name;
	ret = begin(rs, wanted);
	return ret ? ret : fill(rs, wanted, path);
}

int volcmd_vet_restore(const struct volcmd *c)
{
	u64 id;

	if (!strcmp(c->arg[0], "-") && !c->io->in)
		return volcmd_misuse(c, "the daemon cannot read your input; name a file");
	return parse_id(c, &id);
}

static int open_dump(struct volcmd *c, const char *path)
{
	if (strcmp(path, "-"))
		return open(path, O_RDONLY | O_CLOEXEC);
	return fcntl(fileno(c->io->in), F_DUPFD_CLOEXEC, 0);
}

int volcmd_restore(struct volcmd *c)
{
	struct restore rs = { .c = c };
	const char *path = c->arg[0];
	int ret;

	rs.fd = open_dump(c, path);
	if (rs.fd < 0)
		return volcmd_fail(c, -errno, "dump '%s'", path);
	rs.in = calloc(1, sizeof(*rs.in));
	rs.buf = malloc(RESTORE_CHUNK);
	rs.blob = malloc(RESTORE_DIR_MAX);
	if (rs.in && rs.buf && rs.blob)
		ret = restore(&rs, path);
	else
		ret = volcmd_fail(c, -ENOMEM, "dump '%s'", path);
	close(rs.fd);
	dump_tree_free(&rs.tree);
	free(rs.in);
	free(rs.buf);
	free(rs.blob);
	return ret;
}
