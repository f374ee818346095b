// SPDX-License-Identifier: MIT
/* All that can be read of a store, as text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "die.h"
#include "redo_test.h"
#include "sound.h"

#define FILE_MAX	(64u * 1024)

struct entry {
	char name[256];
	struct afsx_fid fid;
};

/* Names of a directory, without those of itself and its parent. */
struct listing {
	struct entry *entry;
	size_t nr;
};

static bool add_entry(void *ctx, const char *name, size_t len,
		      const struct afsx_fid *fid)
{
	struct listing *l = ctx;
	struct entry *e;

	if ((len == 1 && name[0] == '.') || (len == 2 && !memcmp(name, "..", 2)))
		return true;
	l->entry = realloc(l->entry, (l->nr + 1) * sizeof(*l->entry));
	if (!l->entry)
		die("out of memory");
	e = &l->entry[l->nr++];
	memcpy(e->name, name, len);
	e->name[len] = '\0';
	e->fid = *fid;
	return true;
}

static void dump_status(FILE *f, const char *name, const struct afsx_fid *fid,
			struct store_status *s)
{
	char acl[STORE_ACL_MAX];
	ssize_t len;

	must(store_getattr(st, fid, s), name);
	fprintf(f, "%s %u.%u type %u size %ju dv %ju nlink %u mode %o by %u:%u:%u",
		name, s->fid.vnode, s->fid.unique, s->type, (uintmax_t)s->size,
		(uintmax_t)s->dv, s->nlink, s->mode, s->owner, s->group,
		s->author);
	fprintf(f, " in %u.%u at %jd %jd uses %ju", s->parent_vnode,
		s->parent_unique, (intmax_t)s->mtime_client,
		(intmax_t)s->mtime_server, (uintmax_t)s->used_kib);
	if (s->type != AFSX_FTYPE_DIR)
		return;
	len = store_acl_get(st, fid, acl, sizeof(acl));
	must(min(len, 0), "access list");
	fprintf(f, " acl '%.*s'", (int)len, acl);
}

static void dump_bytes(FILE *f, const struct afsx_fid *fid)
{
	static u8 buf[FILE_MAX];
	ssize_t len = store_read(st, fid, 0, buf, sizeof(buf), NULL);

	must((int)min(len, 0), "read");
	fprintf(f, " sum %08x\n", crc32c(0, buf, (size_t)len));
}

static void dump_vnode(FILE *f, const char *name, const struct afsx_fid *fid)
{
	struct listing l = { .nr = 0 };
	struct store_status s;

	dump_status(f, name, fid, &s);
	dump_bytes(f, fid);
	if (s.type != AFSX_FTYPE_DIR)
		return;
	must(store_readdir(st, fid, add_entry, &l), "list");
	for (size_t i = 0; i < l.nr; i++) {
		struct afsx_fid found;

		must(store_lookup(st, fid, l.entry[i].name,
				  strlen(l.entry[i].name), &found), "look up");
		if (!afsx_fid_eq(&found, &l.entry[i].fid))
			die("%s: another vnode when looked up", l.entry[i].name);
		dump_vnode(f, l.entry[i].name, &found);
	}
	fprintf(f, "end of %s\n", name);
	free(l.entry);
}

static void dump_volume(FILE *f, const struct store_vol *v)
{
	struct afsx_fid root = { v->id, AFSX_ROOT_VNODE, AFSX_ROOT_UNIQUE };
	struct store_vol one;

	must(store_vol_get(st, v->id, &one), "volume");
	if (one.files != v->files || one.used_kib != v->used_kib ||
	    one.updated != v->updated)
		die("%s: two answers", v->name);
	fprintf(f, "volume %s type %u quota %ju used %ju files %ju at %jd %jd\n",
		v->name, v->type, (uintmax_t)v->quota_kib,
		(uintmax_t)v->used_kib, (uintmax_t)v->files,
		(intmax_t)v->created, (intmax_t)v->updated);
	dump_vnode(f, "/", &root);
}

char *dump_store(void)
{
	struct store_vol v = { .id = 0 };
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int ret;

	while ((ret = store_vol_next(st, v.id, &v)) > 0)
		dump_volume(f, &v);
	must(ret, "volumes");
	fclose(f);
	return text;
}

static size_t line_len(const char *p)
{
	return strcspn(p, "\n");
}

/* Where they begin to differ. */
static void die_of(const char *when, const char *is, const char *should)
{
	while (*is && *should && line_len(is) == line_len(should) &&
	       !memcmp(is, should, line_len(is))) {
		is += line_len(is) + !!is[line_len(is)];
		should += line_len(should) + !!should[line_len(should)];
	}
	die("%s:\n'%.*s' instead of\n'%.*s'", when, (int)line_len(is), is,
	    (int)line_len(should), should);
}

void expect_shown(const char *when, const char *want)
{
	char *text = dump_store();

	if (strcmp(text, want))
		die_of(when, text, want);
	free(text);
	checks++;
}

void expect_dump(const char *when, const char *want)
{
	expect_shown(when, want);
	expect(when, check_store(st), 0);
}
