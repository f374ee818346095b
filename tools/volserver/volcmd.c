// SPDX-License-Identifier: MIT
#include "volcmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "size.h"
#include "volcmd_priv.h"

#define COLLECT_STEP	2000	/* rows in one transaction */

/* ---- telling ---------------------------------------------------------------- */

/* What an error of the store means, where strerror() would mislead. */
static const char *explain(int code)
{
	static const struct {
		int code;
		const char *text;
	} texts[] = {
		{ -ENOMEDIUM, "no such volume" },
		{ -EDQUOT, "the volume's quota would be exceeded" },
		{ -ENOSPC, "the device is full" },
		{ -EUCLEAN, "the store is damaged there; run a check" },
		{ -EFBIG, "the directory is full" },
		{ -EROFS, "it is read-only" },
		{ -EBUSY, "another command is at work on it" },
		{ -ESTALE, "it was replaced meanwhile" },
		{ -ECANCELED, "stopped" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].code == code)
			return texts[i].text;
	return strerror(-code);
}

static void tell(const struct volcmd *c, const char *fmt, va_list ap)
{
	fprintf(c->io->err, "afsx-vol: %s: ", c->desc->name);
	vfprintf(c->io->err, fmt, ap);
}

int volcmd_fail(const struct volcmd *c, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(c, fmt, ap);
	va_end(ap);
	if (code)
		fprintf(c->io->err, ": %s", explain(code));
	fputc('\n', c->io->err);
	return VOLCMD_FAILED;
}

int volcmd_misuse(const struct volcmd *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(c, fmt, ap);
	va_end(ap);
	fputc('\n', c->io->err);
	return VOLCMD_USAGE;
}

/* ---- what commands need ------------------------------------------------------ */

bool volcmd_stopped(const struct volcmd *c)
{
	return c->io->stop && atomic_load(c->io->stop);
}

int volcmd_commit(struct store_tx *tx, int ret)
{
	int err = ret ? store_refuse(tx) : store_commit(tx);

	return err ? err : ret;
}

int volcmd_collect(const struct volcmd *c)
{
	int n;

	do {
		n = store_collect(c->st, COLLECT_STEP);
	} while (n > 0 && !volcmd_stopped(c));
	return min(n, 0);
}

int volcmd_find(const struct volcmd *c, const char *name, struct store_vol *vol)
{
	u64 id;
	int ret;

	if (!number_parse(name, 1, U32_MAX, &id))
		ret = store_vol_get(c->st, (u32)id, vol);
	else
		ret = store_vol_find(c->st, name, strlen(name), vol);
	return ret ? volcmd_fail(c, ret, "volume '%s'", name) : VOLCMD_OK;
}

int volcmd_find_rw(const struct volcmd *c, const char *name,
		   struct store_vol *vol)
{
	int ret = volcmd_find(c, name, vol);

	if (!ret && vol->type != AFSX_VOL_RW)
		ret = volcmd_fail(c, 0, "volume '%s' is a clone, not a read/write volume",
				  name);
	return ret;
}

/* ---- short commands ---------------------------------------------------------- */

static int parse_quota(const struct volcmd *c, const char *text, u64 *kib)
{
	u64 bytes;

	if (size_parse(text, 1024, &bytes) || bytes / 1024 > S32_MAX)
		return volcmd_misuse(c, "--quota '%s' is not a size below 2T (as 5000, 200M, 10G)",
				     text);
	*kib = bytes / 1024;
	return VOLCMD_OK;
}

static int create_error(const struct volcmd *c, int ret, const char *name)
{
	switch (ret) {
	case -EEXIST:
		return volcmd_fail(c, 0, "volume '%s' exists already", name);
	case -ENAMETOOLONG:
		return volcmd_misuse(c, "volume name '%s' is longer than 54 characters",
				     name);
	case -EINVAL:
		return volcmd_misuse(c, "bad volume name '%s'; see NAMES in afsx-vol(8)",
				     name);
	default:
		return volcmd_fail(c, ret, "volume '%s'", name);
	}
}

static int vet_name(const struct volcmd *c, const char *name)
{
	int ret = store_vol_name_check(name);

	return ret ? create_error(c, ret, name) : VOLCMD_OK;
}

/* A volume to be made; without @acl_len its root has the default list. */
struct new_volume {
	const char *name;
	u64 kib;
	char acl[STORE_ACL_MAX];
	size_t acl_len;
};

static int create_volume(struct store_tx *tx, const struct new_volume *v,
			 u32 *id)
{
	struct afsx_fid root = { 0, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	int ret = store_vol_create(tx, v->name, v->kib, id);

	root.vid = *id;
	if (!ret && v->acl_len)
		ret = store_acl_set(tx, &root, v->acl, v->acl_len);
	return ret;
}

static int parse_create(const struct volcmd *c, struct new_volume *v)
{
	const char *quota = volcmd_option(c, "quota");
	const char *anyone = volcmd_option(c, "anyone");

	v->name = c->arg[0];
	if (vet_name(c, v->name) ||
	    (quota && parse_quota(c, quota, &v->kib)) ||
	    (anyone && volcmd_parse_anyone(c, anyone, v->acl, &v->acl_len)))
		return VOLCMD_USAGE;
	return VOLCMD_OK;
}

static int vet_create(const struct volcmd *c)
{
	struct new_volume v = { .kib = 0 };

	return parse_create(c, &v);
}

static int run_create(struct volcmd *c)
{
	struct new_volume v = { .kib = 0 };
	struct store_tx *tx;
	u32 id = 0;
	int ret;

	if (parse_create(c, &v))
		return VOLCMD_USAGE;
	ret = store_begin(c->st, &tx);
	if (!ret)
		ret = volcmd_commit(tx, create_volume(tx, &v, &id));
	if (ret)
		return create_error(c, ret, c->arg[0]);
	fprintf(c->io->out, "created volume %s, id %u\n", c->arg[0], id);
	return VOLCMD_OK;
}

/* A clone of a kind, which may replace one, or one with a name of its own. */
static int make_clone(struct store_tx *tx, u32 rw_id, enum afsx_voltype type,
		      const char *name, u32 *id)
{
	return name ? store_vol_clone_as(tx, rw_id, name, id) :
		      store_vol_clone(tx, rw_id, type, id);
}

int volcmd_parse_clone(const struct volcmd *c, const char *kind,
		       enum afsx_voltype *type)
{
	*type = strcmp(kind, "backup") ? AFSX_VOL_RO : AFSX_VOL_BACKUP;
	if (*type == AFSX_VOL_RO && strcmp(kind, "readonly"))
		return volcmd_misuse(c, "'%s' is not a kind of clone (readonly, backup)",
				     kind);
	return VOLCMD_OK;
}

static int parse_clone(const struct volcmd *c, enum afsx_voltype *type)
{
	const char *name = volcmd_option(c, "name");
	bool kind = c->nr > 1;

	if (kind == !!name)
		return volcmd_misuse(c, "give either a kind of clone (readonly, backup) or --name");
	return name ? vet_name(c, name) :
		      volcmd_parse_clone(c, c->arg[1], type);
}

static int vet_clone(const struct volcmd *c)
{
	enum afsx_voltype type;

	return parse_clone(c, &type);
}

static int run_clone(struct volcmd *c)
{
	const char *name = volcmd_option(c, "name");
	enum afsx_voltype type = AFSX_VOL_RO;
	struct store_vol vol, clone;
	struct store_tx *tx;
	u32 id = 0;
	int ret;

	if (parse_clone(c, &type))
		return VOLCMD_USAGE;
	if (volcmd_find_rw(c, c->arg[0], &vol))
		return VOLCMD_FAILED;
	ret = store_begin(c->st, &tx);
	if (!ret)
		ret = volcmd_commit(tx, make_clone(tx, vol.id, type, name, &id));
	if (ret && name)
		return create_error(c, ret, name);
	if (!ret)
		ret = store_vol_get(c->st, id, &clone);
	if (!ret)
		fprintf(c->io->out, "cloned %s to %s, id %u\n", vol.name,
			clone.name, id);
	if (!ret)
		ret = volcmd_collect(c);
	return ret ? volcmd_fail(c, ret, "volume '%s'", c->arg[0]) : VOLCMD_OK;
}

static int vet_rename(const struct volcmd *c)
{
	return vet_name(c, c->arg[1]);
}

static int run_rename(struct volcmd *c)
{
	struct store_vol vol;
	struct store_tx *tx;
	int ret;

	if (volcmd_find_rw(c, c->arg[0], &vol))
		return VOLCMD_FAILED;
	ret = store_begin(c->st, &tx);
	if (!ret)
		ret = volcmd_commit(tx, store_vol_rename(tx, vol.id, c->arg[1]));
	if (ret)
		return create_error(c, ret, c->arg[1]);
	fprintf(c->io->out, "renamed %s to %s, id %u\n", vol.name, c->arg[1],
		vol.id);
	return VOLCMD_OK;
}

static int run_remove(struct volcmd *c)
{
	struct store_vol vol;
	struct store_tx *tx;
	int ret;

	if (volcmd_find(c, c->arg[0], &vol))
		return VOLCMD_FAILED;
	ret = store_begin(c->st, &tx);
	if (!ret)
		ret = volcmd_commit(tx, store_vol_remove(tx, vol.id));
	if (ret == -EBUSY)
		return volcmd_fail(c, 0, "volume '%s' still has clones; remove them first",
				   vol.name);
	if (!ret)
		fprintf(c->io->out, "removed volume %s, id %u\n", vol.name,
			vol.id);
	if (!ret)
		ret = volcmd_collect(c);
	return ret ? volcmd_fail(c, ret, "volume '%s'", c->arg[0]) : VOLCMD_OK;
}

static int parse_text(const struct volcmd *c, const char *name, char *text)
{
	const char *value = volcmd_option(c, name);

	if (!value)
		return VOLCMD_OK;
	if (strlen(value) > STORE_TEXT_MAX)
		return volcmd_misuse(c, "--%s is longer than %d bytes", name,
				     STORE_TEXT_MAX);
	memcpy(text, value, strlen(value) + 1);
	return VOLCMD_OK;
}

/* What `set` shall change, by its options. */
static int parse_changes(const struct volcmd *c, struct store_vol *vol,
			 unsigned int *mask)
{
	const char *quota = volcmd_option(c, "quota");

	*mask = 0;
	if (quota) {
		if (parse_quota(c, quota, &vol->quota_kib))
			return VOLCMD_USAGE;
		*mask |= STORE_VOL_QUOTA;
	}
	if (volcmd_option(c, "online") && volcmd_option(c, "offline"))
		return volcmd_misuse(c, "--online and --offline exclude each other");
	if (volcmd_option(c, "online") || volcmd_option(c, "offline")) {
		vol->online = volcmd_option(c, "online");
		vol->offline_msg[0] = '\0';
		*mask |= STORE_VOL_ONLINE | STORE_VOL_OFFLINE_MSG;
	}
	if (volcmd_option(c, "motd"))
		*mask |= STORE_VOL_MOTD;
	if (parse_text(c, "offline", vol->offline_msg) ||
	    parse_text(c, "motd", vol->motd))
		return VOLCMD_USAGE;
	if (!*mask)
		return volcmd_misuse(c, "nothing to set; give an option");
	return VOLCMD_OK;
}

static int vet_set(const struct volcmd *c)
{
	struct store_vol vol;
	unsigned int mask;

	return parse_changes(c, &vol, &mask);
}

static int run_set(struct volcmd *c)
{
	struct store_vol vol;
	struct store_tx *tx;
	unsigned int mask;
	int ret;

	if (volcmd_find(c, c->arg[0], &vol))
		return VOLCMD_FAILED;
	ret = parse_changes(c, &vol, &mask);
	if (ret)
		return ret;
	ret = store_begin(c->st, &tx);
	if (!ret)
		ret = volcmd_commit(tx, store_vol_set(tx, &vol, mask));
	return ret ? volcmd_fail(c, ret, "volume '%s'", c->arg[0]) : VOLCMD_OK;
}

static int run_grow(struct volcmd *c)
{
	struct errbuf err = { "" };
	u64 before, now;

	if (store_grow(c->st, &before, &now, &err))
		return volcmd_fail(c, 0, "%s", err.text);
	if (before == now)
		fprintf(c->io->out, "the device is not larger than the %ju KiB in use\n",
			(uintmax_t)now);
	else
		fprintf(c->io->out, "grown from %ju to %ju KiB\n",
			(uintmax_t)before, (uintmax_t)now);
	return VOLCMD_OK;
}

/* ---- the table --------------------------------------------------------------- */

static const struct volcmd_desc commands[] = {
	{ "create", "NAME", "make an empty volume", 1, 1,
	  { { "quota", "KIB" }, { "anyone", "RIGHTS" } }, run_create, vet_create,
	  VOLCMD_CHANGES },
	{ "import", "VOLUME DIRECTORY", "copy a directory tree into a volume",
	  2, 2, { { "to", "PATH" }, { "replace", NULL } }, volcmd_import, NULL,
	  VOLCMD_CHANGES },
	{ "mkmount", "VOLUME PATH TARGET", "make a mount point of volume TARGET",
	  3, 3, { { "cell", "CELL" }, { "rw", NULL } }, volcmd_mkmount,
	  volcmd_vet_mkmount, VOLCMD_CHANGES },
	{ "rm", "VOLUME PATH", "remove a file, link, mount point or empty directory",
	  2, 2, { }, volcmd_remove_name, volcmd_vet_path, VOLCMD_CHANGES },
	{ "setacl", "VOLUME PATH NAME RIGHTS",
	  "give a user or group rights in a directory", 4, 4,
	  { { "negative", NULL }, { "recursive", NULL } }, volcmd_setacl,
	  volcmd_vet_setacl, VOLCMD_CHANGES },
	{ "dump", "VOLUME [FILE]", "write a volume in AFS's dump format", 1, 2,
	  { { "since", "TIME" }, { "since-clone", "readonly|backup" },
	    { "since-dump", "FILE" }, { "omit-dirs", NULL } }, volcmd_dump,
	  volcmd_vet_dump, VOLCMD_CHANGES },
	{ "restore", "FILE", "make a volume from a dump, or change it by one",
	  1, 1, { { "name", "NAME" }, { "id", "ID" }, { "overwrite", NULL } },
	  volcmd_restore, volcmd_vet_restore, VOLCMD_CHANGES },
	{ "clone", "VOLUME [readonly|backup]",
	  "make or renew a clone, or make one with a name of its own", 1, 2,
	  { { "name", "NAME" } }, run_clone, vet_clone, VOLCMD_CHANGES },
	{ "rename", "VOLUME NAME", "rename a volume, with its clones", 2, 2,
	  { }, run_rename, vet_rename, VOLCMD_CHANGES },
	{ "remove", "VOLUME", "remove a volume or a clone", 1, 1, { },
	  run_remove, NULL, VOLCMD_CHANGES },
	{ "set", "VOLUME", "change attributes of a volume", 1, 1,
	  { { "quota", "KIB" }, { "online", NULL }, { "offline", "MESSAGE" },
	    { "motd", "MESSAGE" } }, run_set, vet_set, VOLCMD_CHANGES },
	{ "list", "", "list the volumes", 0, 0, { }, volcmd_list, NULL, VOLCMD_LOOKS },
	{ "show", "[VOLUME [PATH]]", "show the store, a volume, or a vnode",
	  0, 2, { }, volcmd_show, NULL, VOLCMD_LOOKS },
	{ "status", "", "show what the server did so far", 0, 0, { },
	  volcmd_status, volcmd_vet_status, VOLCMD_CHANGES },
	{ "grow", "", "use all of a device that has become larger", 0, 0, { },
	  run_grow, NULL, VOLCMD_GROWS },
	{ "check", "", "verify the store", 0, 0,
	  { { "data", NULL }, { "repair", NULL } }, volcmd_check, NULL, VOLCMD_LOOKS },
	{ "scrub", "", "read and verify all file data", 0, 0,
	  { { "rate", "SIZE" } }, volcmd_scrub, volcmd_vet_scrub, VOLCMD_LOOKS },
};

static const struct volcmd_desc *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

int volcmd_known(const char *name)
{
	return !!find_command(name);
}

enum volcmd_needs volcmd_needs(int argc, char **argv)
{
	const struct volcmd_desc *d = find_command(argv[0]);

	for (int i = 1; i < argc; i++)
		if (d->needs == VOLCMD_LOOKS && !strcmp(argv[i], "--repair"))
			return VOLCMD_CHANGES;
	return d->needs;
}

void volcmd_usage(FILE *out, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct volcmd_desc *d = &commands[i];

		if (name && strcmp(name, d->name))
			continue;
		fprintf(out, "  %s", d->name);
		for (const struct volcmd_option *o = d->options; o->name; o++)
			fprintf(out, " [--%s%s%s]", o->name,
				o->value ? " " : "", o->value ? o->value : "");
		fprintf(out, "%s%s\n\t%s\n", d->args[0] ? " " : "", d->args,
			d->help);
	}
}

/* ---- arguments --------------------------------------------------------------- */

const char *volcmd_option(const struct volcmd *c, const char *name)
{
	for (int i = 0; c->desc->options[i].name; i++)
		if (!strcmp(c->desc->options[i].name, name))
			return c->value[i];
	return NULL;
}

/* Take one option from the words; how many words it took, or 0 when wrong. */
static int parse_option(struct volcmd *c, int argc, char **argv)
{
	const char *name = argv[0] + 2;
	size_t len = strcspn(name, "=");

	for (int i = 0; c->desc->options[i].name; i++) {
		const struct volcmd_option *o = &c->desc->options[i];

		if (strlen(o->name) != len || memcmp(o->name, name, len))
			continue;
		if (!o->value && name[len]) {
			volcmd_misuse(c, "--%s takes no value", o->name);
			return 0;
		}
		if (!o->value || name[len]) {
			c->value[i] = o->value ? name + len + 1 : "";
			return 1;
		}
		if (argc < 2) {
			volcmd_misuse(c, "--%s needs a value (%s)", o->name,
				      o->value);
			return 0;
		}
		c->value[i] = argv[1];
		return 2;
	}
	volcmd_misuse(c, "unknown option '%s'", argv[0]);
	return 0;
}

/* Each wrong option is named; what seems an argument then may be its value. */
static int parse_words(struct volcmd *c, int argc, char **argv)
{
	bool options = true, wrong = false;
	int taken;

	for (int i = 1; i < argc; i += max(taken, 1)) {
		taken = 1;
		if (options && !strcmp(argv[i], "--")) {
			options = false;
		} else if (options && !strncmp(argv[i], "--", 2)) {
			taken = parse_option(c, argc - i, argv + i);
			wrong |= !taken;
		} else if (wrong) {
			continue;
		} else if (c->nr == c->desc->max_args) {
			return volcmd_misuse(c, "unexpected argument '%s'",
					     argv[i]);
		} else {
			c->arg[c->nr++] = argv[i];
		}
	}
	if (wrong)
		return VOLCMD_USAGE;
	if (c->nr < c->desc->min_args)
		return volcmd_misuse(c, "arguments needed: %s", c->desc->args);
	return VOLCMD_OK;
}

static int parse_command(struct volcmd *c, int argc, char **argv)
{
	int ret;

	c->desc = argc > 0 ? find_command(argv[0]) : NULL;
	if (!c->desc) {
		fprintf(c->io->err, "afsx-vol: unknown command '%s'\n",
			argc > 0 ? argv[0] : "");
		return VOLCMD_USAGE;
	}
	ret = parse_words(c, argc, argv);
	return ret || !c->desc->vet ? ret : c->desc->vet(c);
}

int volcmd_vet(const struct volcmd_io *io, int argc, char **argv)
{
	struct volcmd c = { .io = io };

	return parse_command(&c, argc, argv);
}

int volcmd_run(struct store *st, const struct volcmd_io *io, int argc,
	       char **argv)
{
	struct volcmd c = { .st = st, .io = io };
	int ret = parse_command(&c, argc, argv);

	if (!ret)
		ret = c.desc->run(&c);
	fflush(io->out);
	fflush(io->err);
	return ret;
}
