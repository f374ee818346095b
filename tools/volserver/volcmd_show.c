// SPDX-License-Identifier: MIT
/* Commands that look: list, show. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "volcmd_priv.h"

static const char *const type_names[] = {
	[AFSX_VOL_RW] = "RW",
	[AFSX_VOL_RO] = "RO",
	[AFSX_VOL_BACKUP] = "BK",
};

int volcmd_list(struct volcmd *c)
{
	struct store_vol vol = { .id = 0 };
	unsigned int nr = 0;
	int ret;

	while ((ret = store_vol_next(c->st, vol.id, &vol)) > 0) {
		if (!nr++)
			fprintf(c->io->out, "%-10s %-4s %12s %12s %10s  %s\n",
				"id", "type", "used KiB", "quota KiB", "vnodes",
				"name");
		fprintf(c->io->out, "%-10u %-4s %12ju %12ju %10ju  %s%s\n",
			vol.id, type_names[vol.type], (uintmax_t)vol.used_kib,
			(uintmax_t)vol.quota_kib, (uintmax_t)vol.files,
			vol.name, vol.online ? "" : " (offline)");
	}
	return ret ? volcmd_fail(c, ret, "volumes") : VOLCMD_OK;
}

static void put_time(FILE *out, const char *what, s64 seconds)
{
	time_t t = seconds;
	struct tm tm;
	char text[32];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	fprintf(out, "%-12s %s\n", what, text);
}

static void put_number(FILE *out, const char *what, u64 n, const char *unit)
{
	fprintf(out, "%-12s %ju%s%s\n", what, (uintmax_t)n, unit[0] ? " " : "",
		unit);
}

static int show_store(const struct volcmd *c)
{
	FILE *out = c->io->out;
	struct store_info info;
	int ret = store_info(c->st, &info);

	if (ret)
		return volcmd_fail(c, ret, "store");
	fprintf(out, "%-12s ", "uuid");
	for (size_t i = 0; i < sizeof(info.uuid.b); i++)
		fprintf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ?
			"-" : "", info.uuid.b[i]);
	fputc('\n', out);
	put_number(out, "device", info.device_kib, "KiB");
	put_number(out, "for volumes", info.total_kib, "KiB");
	put_number(out, "free", info.free_kib, "KiB");
	put_number(out, "metadata", info.meta_kib, "KiB");
	put_number(out, "log", info.wal_kib, "KiB");
	put_number(out, "volumes", info.volumes, "");
	put_number(out, "vnodes", info.vnodes, "");
	fprintf(out, "%-12s %s\n", "state", info.failed ? strerror(-info.failed)
							: "good");
	return VOLCMD_OK;
}

static int show_volume(const struct volcmd *c, const struct store_vol *vol)
{
	FILE *out = c->io->out;
	struct store_group g;
	int ret = store_group_get(c->st, vol->id, &g);

	if (ret)
		return volcmd_fail(c, ret, "volume '%s'", vol->name);
	fprintf(out, "%-12s %s\n", "name", vol->name);
	put_number(out, "id", vol->id, "");
	fprintf(out, "%-12s %s\n", "type", type_names[vol->type]);
	if (!g.exists[AFSX_VOL_RW])
		put_number(out, "clone of", vol->rw_id, "");
	for (int i = 0; i < AFSX_VOL_TYPES && g.exists[AFSX_VOL_RW]; i++)
		fprintf(out, "%-12s %u%s\n", i == AFSX_VOL_RW ? "RW id" :
			i == AFSX_VOL_RO ? "RO id" : "BK id", g.id[i],
			g.exists[i] ? "" : " (no volume)");
	fprintf(out, "%-12s %s\n", "status", vol->online ? "online" : "offline");
	if (vol->offline_msg[0])
		fprintf(out, "%-12s %s\n", "offline", vol->offline_msg);
	if (vol->motd[0])
		fprintf(out, "%-12s %s\n", "motd", vol->motd);
	put_number(out, "quota", vol->quota_kib, "KiB");
	put_number(out, "used", vol->used_kib, "KiB");
	put_number(out, "vnodes", vol->files, "");
	put_time(out, "created", vol->created);
	put_time(out, "updated", vol->updated);
	return VOLCMD_OK;
}

static bool put_entry(void *ctx, const char *name, size_t len,
		      const struct afsx_fid *fid)
{
	fprintf(ctx, "%10u.%-10u %.*s\n", fid->vnode, fid->unique, (int)len,
		name);
	return true;
}

static int show_contents(const struct volcmd *c, const struct store_status *s)
{
	char target[STORE_TARGET_MAX];
	ssize_t n;

	if (s->type == AFSX_FTYPE_DIR)
		return store_readdir(c->st, &s->fid, put_entry, c->io->out);
	if (s->type != AFSX_FTYPE_SYMLINK)
		return 0;
	n = store_read(c->st, &s->fid, 0, target, sizeof(target), NULL);
	if (n >= 0)
		fprintf(c->io->out, "%-12s %.*s\n", "target", (int)n, target);
	return n < 0 ? (int)n : 0;
}

static int show_vnode(const struct volcmd *c, const struct store_vol *vol)
{
	static const char *const types[] = {
		[AFSX_FTYPE_FILE] = "file",
		[AFSX_FTYPE_DIR] = "directory",
		[AFSX_FTYPE_SYMLINK] = "symlink",
	};
	FILE *out = c->io->out;
	struct store_status s;
	struct afsx_fid fid;
	int ret = volcmd_walk(c, vol, c->arg[1], strlen(c->arg[1]), &fid);

	if (ret)
		return ret;
	ret = store_getattr(c->st, &fid, &s);
	if (ret)
		return volcmd_fail(c, ret, "'%s'", c->arg[1]);
	fprintf(out, "%-12s %u.%u.%u\n", "fid", s.fid.vid, s.fid.vnode,
		s.fid.unique);
	fprintf(out, "%-12s %s\n", "type", types[s.type]);
	put_number(out, "size", s.size, "");
	put_number(out, "used", s.used_kib, "KiB");
	put_number(out, "version", s.dv, "");
	put_number(out, "links", s.nlink, "");
	fprintf(out, "%-12s %04o\n", "mode", s.mode);
	fprintf(out, "%-12s %u:%u\n", "owner", s.owner, s.group);
	put_time(out, "modified", s.mtime_client);
	ret = s.type == AFSX_FTYPE_DIR ? volcmd_put_acl(c, &fid) : 0;
	if (!ret)
		ret = show_contents(c, &s);
	return ret ? volcmd_fail(c, ret, "'%s'", c->arg[1]) : VOLCMD_OK;
}

int volcmd_show(struct volcmd *c)
{
	struct store_vol vol;

	if (!c->nr)
		return show_store(c);
	if (volcmd_find(c, c->arg[0], &vol))
		return VOLCMD_FAILED;
	return c->nr == 1 ? show_volume(c, &vol) : show_vnode(c, &vol);
}

int volcmd_vet_status(const struct volcmd *c)
{
	if (!c->io->status)
		return volcmd_misuse(c, "there is no server to ask; use --control");
	return VOLCMD_OK;
}

int volcmd_status(struct volcmd *c)
{
	FILE *out = c->io->out;
	struct store_stats s;

	store_stats(c->st, &s);
	fprintf(out, "%-20s %ju\n", "commits", (uintmax_t)s.commits);
	fprintf(out, "%-20s %ju KiB\n", "log", (uintmax_t)s.log_kib);
	fprintf(out, "%-20s %ju, %ju KiB\n", "NBD reads", (uintmax_t)s.reads,
		(uintmax_t)s.read_kib);
	fprintf(out, "%-20s %ju, %ju KiB\n", "NBD writes", (uintmax_t)s.writes,
		(uintmax_t)s.written_kib);
	fprintf(out, "%-20s %ju\n", "NBD flushes", (uintmax_t)s.flushes);
	fprintf(out, "%-20s %ju\n", "NBD trims, zeroes", (uintmax_t)s.others);
	fprintf(out, "%-20s %ju\n", "NBD errors", (uintmax_t)s.errors);
	c->io->status(c->io->ctx, out);
	return VOLCMD_OK;
}
