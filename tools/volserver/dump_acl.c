// SPDX-License-Identifier: MIT
/*
 * In a dump: five words, the size of the list in bytes, its version, the room
 * for entries, and the counts of positive and of negative entries; then entries
 * of two words, id and rights.  Positive entries begin at the first place,
 * negative ones at the last, backwards.  (OpenAFS: src/libacl/acl.h)
 */
#include "dump_acl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACL_VERSION	1
#define ACL_HEAD	(5 * sizeof(u32))
#define ACL_ENTRY	(2 * sizeof(u32))

/* Users and groups that ptserver.h gives fixed numbers. */
static const struct {
	s32 id;
	const char *name;
} fixed_ids[] = {
	{ -204, "system:administrators" },
	{ -205, "system:backup" },
	{ -101, "system:anyuser" },
	{ -102, "system:authuser" },
	{ 32766, "anonymous" },
};

struct entry {
	s32 id;
	u32 rights;
};

static u32 get_word(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static void put_word(u8 *p, u32 word)
{
	for (int i = 0; i < 4; i++)
		p[i] = (u8)(word >> (24 - 8 * i));
}

/* The place of the i-th entry of the text. */
static u32 place_of(u32 i, u32 positive, u32 total)
{
	return i < positive ? i : total - 1 - (i - positive);
}

/* ---- to text ---------------------------------------------------------------- */

static int print_entry(char *text, size_t room, const u8 *p)
{
	s32 id = (s32)get_word(p);
	u32 rights = get_word(p + sizeof(u32)) & ACL_RIGHTS;

	for (size_t i = 0; i < ARRAY_SIZE(fixed_ids); i++)
		if (fixed_ids[i].id == id)
			return snprintf(text, room, "%s\t%u\n",
					fixed_ids[i].name, rights);
	return snprintf(text, room, "%d\t%u\n", id, rights);
}

int dump_acl_text(const u8 *raw, char *text)
{
	u32 total = get_word(raw + 8), positive = get_word(raw + 12);
	u32 negative = get_word(raw + 16);
	const u8 *entries = raw + ACL_HEAD;
	int len;

	if (get_word(raw) > DUMP_ACL_SIZE || get_word(raw + 4) != ACL_VERSION ||
	    total > ACL_ENTRIES_MAX || positive > total ||
	    negative > total - positive)
		return -EBADMSG;
	len = snprintf(text, STORE_ACL_MAX, "%u\n%u\n", positive, negative);
	for (u32 i = 0; i < positive + negative; i++) {
		const u8 *p = entries + place_of(i, positive, total) * ACL_ENTRY;

		len += print_entry(text + len, STORE_ACL_MAX - (size_t)len, p);
	}
	return len;
}

/* ---- from text -------------------------------------------------------------- */

static int find_id(const struct acl_entry *e, s32 *id)
{
	char name[ACL_NAME_MAX + 1], *end;
	long number;

	memcpy(name, e->name, e->len);
	name[e->len] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(fixed_ids); i++) {
		if (!strcmp(fixed_ids[i].name, name)) {
			*id = fixed_ids[i].id;
			return 0;
		}
	}
	number = strtol(name, &end, 10);
	*id = (s32)number;
	return !*end && number == *id ? 0 : -ENOENT;
}

static void put_entry(u8 *raw, u32 place, const struct entry *e)
{
	u8 *p = raw + ACL_HEAD + place * ACL_ENTRY;

	put_word(p, (u32)e->id);
	put_word(p + sizeof(u32), e->rights);
}

/* OpenAFS's servers look entries up in a list that is sorted. */
static int by_id(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

int dump_acl_raw(const char *text, size_t len, u8 *raw,
		 struct acl_entry *stranger)
{
	struct entry e[ACL_ENTRIES_MAX];
	struct acl acl;
	unsigned int total;
	int ret = acl_parse(text, len, &acl);

	if (ret)
		return ret;
	total = acl.granting + acl.denying;
	for (unsigned int i = 0; i < total; i++) {
		*stranger = acl.entry[i];
		if (find_id(&acl.entry[i], &e[i].id))
			return -ENOENT;
		e[i].rights = acl.entry[i].rights;
	}
	qsort(e, acl.granting, sizeof(*e), by_id);
	qsort(e + acl.granting, acl.denying, sizeof(*e), by_id);
	memset(raw, 0, DUMP_ACL_SIZE);
	put_word(raw, (u32)(ACL_HEAD + total * ACL_ENTRY));
	put_word(raw + 4, ACL_VERSION);
	put_word(raw + 8, total);
	put_word(raw + 12, acl.granting);
	put_word(raw + 16, acl.denying);
	for (unsigned int i = 0; i < total; i++)
		put_entry(raw, place_of(i, acl.granting, total), &e[i]);
	return 0;
}
