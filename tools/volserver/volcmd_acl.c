// SPDX-License-Identifier: MIT
/* Commands on access lists. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "volcmd_priv.h"

#define RIGHTS_HELP "of rlidwka and A-H, or all, write, read, none"

/**
 * struct dir_list - directories still to be handled
 * @fid: the directories
 * @nr: how many
 * @size: room in @fid
 * @err: 0 or -ENOMEM
 */
struct dir_list {
	struct afsx_fid *fid;
	size_t nr;
	size_t size;
	int err;
};

static void add_dir(struct dir_list *l, const struct afsx_fid *fid)
{
	if (l->nr == l->size) {
		size_t size = l->size ? 2 * l->size : 64;
		struct afsx_fid *p = realloc(l->fid, size * sizeof(*p));

		if (!p) {
			l->err = -ENOMEM;
			return;
		}
		l->fid = p;
		l->size = size;
	}
	l->fid[l->nr++] = *fid;
}

/* An entry of a directory; directories have odd vnode numbers. */
static bool add_entry(void *ctx, const char *name, size_t len,
		      const struct afsx_fid *fid)
{
	struct dir_list *l = ctx;

	if (fid->vnode & 1 && !(len <= 2 && !memcmp(name, "..", len)))
		add_dir(l, fid);
	return !l->err;
}

/* The list of a directory, in text of STORE_ACL_MAX bytes. */
static int read_acl(const struct volcmd *c, const struct afsx_fid *dir,
		    char *text, struct acl *acl)
{
	ssize_t len = store_acl_get(c->st, dir, text, STORE_ACL_MAX);

	if (len < 0)
		return (int)len;
	if (!len) {
		len = (ssize_t)strlen(ACL_DEFAULT);
		memcpy(text, ACL_DEFAULT, (size_t)len);
	}
	return acl_parse(text, (size_t)len, acl) ? -EUCLEAN : 0;
}

static int change_acl(const struct volcmd *c, const struct afsx_fid *dir,
		      u32 rights)
{
	char old[STORE_ACL_MAX], text[STORE_ACL_MAX];
	struct store_tx *tx;
	struct acl acl;
	ssize_t len;
	int ret;

	ret = read_acl(c, dir, old, &acl);
	if (!ret)
		ret = acl_set(&acl, c->arg[2], volcmd_option(c, "negative"),
			      rights);
	if (ret)
		return ret;
	len = acl_format(&acl, text, sizeof(text));
	if (len < 0)
		return (int)len;
	ret = store_begin(c->st, &tx);
	return ret ? ret : volcmd_commit(tx, store_acl_set(tx, dir, text,
							   (size_t)len));
}

static int change_below(const struct volcmd *c, const struct afsx_fid *top,
			u32 rights)
{
	struct dir_list l = { .nr = 0 };
	struct afsx_fid dir;
	int ret = 0;

	add_dir(&l, top);
	while (!ret && !l.err && l.nr) {
		dir = l.fid[--l.nr];
		ret = change_acl(c, &dir, rights);
		if (!ret)
			ret = store_readdir(c->st, &dir, add_entry, &l);
		if (volcmd_stopped(c))
			ret = -ECANCELED;
	}
	free(l.fid);
	return ret ? ret : l.err;
}

static int parse_setacl(const struct volcmd *c, u32 *rights)
{
	const char *name = c->arg[2];
	char line[ACL_NAME_MAX + 16];
	struct acl acl;
	int len;

	if (acl_parse_rights(c->arg[3], rights))
		return volcmd_misuse(c, "'%s' are not rights (%s)", c->arg[3],
				     RIGHTS_HELP);
	len = snprintf(line, sizeof(line), "1\n0\n%s\t0\n", name);
	if (len >= (int)sizeof(line) || acl_parse(line, (size_t)len, &acl))
		return volcmd_misuse(c, "'%s' cannot be the name of a user or group",
				     name);
	return VOLCMD_OK;
}

int volcmd_vet_setacl(const struct volcmd *c)
{
	u32 rights;

	return parse_setacl(c, &rights);
}

int volcmd_setacl(struct volcmd *c)
{
	const char *path = c->arg[1];
	struct store_vol vol;
	struct afsx_fid dir;
	u32 rights;
	int ret;

	if (parse_setacl(c, &rights))
		return VOLCMD_USAGE;
	if (volcmd_find_rw(c, c->arg[0], &vol) ||
	    volcmd_walk(c, &vol, path, strlen(path), &dir))
		return VOLCMD_FAILED;
	ret = volcmd_option(c, "recursive") ? change_below(c, &dir, rights) :
					      change_acl(c, &dir, rights);
	if (ret == -E2BIG)
		return volcmd_fail(c, 0, "'%s' in volume '%s': the list would be too long",
				   path, vol.name);
	return ret ? volcmd_fail(c, ret, "'%s' in volume '%s'", path, vol.name) :
		     VOLCMD_OK;
}

int volcmd_parse_anyone(const struct volcmd *c, const char *rights, char *text,
			size_t *len)
{
	struct acl acl = { .granting = 0 };
	u32 bits;

	if (acl_parse_rights(rights, &bits))
		return volcmd_misuse(c, "--anyone '%s' are not rights (%s)",
				     rights, RIGHTS_HELP);
	acl_set(&acl, "system:anyuser", false, bits);
	*len = (size_t)acl_format(&acl, text, STORE_ACL_MAX);
	return VOLCMD_OK;
}

int volcmd_put_acl(const struct volcmd *c, const struct afsx_fid *dir)
{
	char text[STORE_ACL_MAX], letters[ACL_LETTERS_MAX];
	struct acl acl;
	unsigned int i;
	int ret = read_acl(c, dir, text, &acl);

	for (i = 0; !ret && i < acl.granting + acl.denying; i++) {
		const struct acl_entry *e = &acl.entry[i];

		acl_format_rights(e->rights, letters);
		fprintf(c->io->out, "%-12s %.*s %s\n",
			i < acl.granting ? "grants" : "denies", (int)e->len,
			e->name, letters);
	}
	return ret;
}
