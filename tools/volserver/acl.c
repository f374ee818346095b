// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "acl.h"
#include "defs.h"

/* What a caller without a token goes by. */
static const char *const anyone[] = { "system:anyuser", "anonymous" };

/* A cursor over text that has no NUL at its end. */
struct scan {
	const char *p;
	const char *end;
};

static int scan_number(struct scan *s, u32 max, u32 *n)
{
	u64 v = 0;
	const char *first = s->p;

	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) {
		v = v * 10 + (u64)(*s->p - '0');
		if (v > max)
			return -EINVAL;
	}
	*n = (u32)v;
	return s->p > first ? 0 : -EINVAL;
}

static int scan_newline(struct scan *s)
{
	if (s->p == s->end || *s->p != '\n')
		return -EINVAL;
	s->p++;
	return 0;
}

static int scan_count(struct scan *s, u32 max, unsigned int *n)
{
	u32 v;
	int ret = scan_number(s, max, &v);

	if (ret)
		return ret;
	*n = v;
	return scan_newline(s);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_name_char(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f;
}

static int scan_entry(struct scan *s, struct acl_entry *e)
{
	int ret;

	e->name = s->p;
	while (s->p < s->end && is_name_char(*s->p))
		s->p++;
	e->len = (size_t)(s->p - e->name);
	if (!e->len || e->len > ACL_NAME_MAX)
		return -EINVAL;
	if (s->p == s->end || !is_blank(*s->p))
		return -EINVAL;
	while (s->p < s->end && is_blank(*s->p))
		s->p++;
	ret = scan_number(s, U32_MAX, &e->rights);
	if (!ret && e->rights & ~ACL_RIGHTS)
		ret = -EINVAL;
	return ret ? ret : scan_newline(s);
}

/**
 * acl_parse() - read the text of a list
 * @text: the text; a NUL ends it
 * @len: bytes there are, if there is no NUL
 * @acl: result, with names that point into @text
 *
 * Return: 0; -EINVAL when the text is anything but one list.
 */
int acl_parse(const char *text, size_t len, struct acl *acl)
{
	struct scan s = { .p = text, .end = text + strnlen(text, len) };
	unsigned int i;
	int ret;

	ret = scan_count(&s, ACL_ENTRIES_MAX, &acl->granting);
	if (!ret)
		ret = scan_count(&s, ACL_ENTRIES_MAX - acl->granting,
				 &acl->denying);
	for (i = 0; !ret && i < acl->granting + acl->denying; i++)
		ret = scan_entry(&s, &acl->entry[i]);
	return !ret && s.p != s.end ? -EINVAL : ret;
}

/**
 * acl_format() - write a list as text, with a NUL at the end
 * @acl: list
 * @text: where to
 * @size: bytes there
 *
 * Return: length without the NUL; -E2BIG when there is no room.
 */
ssize_t acl_format(const struct acl *acl, char *text, size_t size)
{
	unsigned int i;
	size_t len;

	len = (size_t)snprintf(text, size, "%u\n%u\n", acl->granting,
			       acl->denying);
	for (i = 0; len < size && i < acl->granting + acl->denying; i++) {
		const struct acl_entry *e = &acl->entry[i];

		len += (size_t)snprintf(text + len, size - len, "%.*s\t%u\n",
					(int)e->len, e->name, e->rights);
	}
	return len < size ? (ssize_t)len : -E2BIG;
}

static bool is_named(const struct acl_entry *e, const char *name)
{
	return strlen(name) == e->len && !memcmp(name, e->name, e->len);
}

static u32 rights_of(const struct acl_entry *e)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(anyone); i++) {
		if (is_named(e, anyone[i]))
			return e->rights;
	}
	return 0;
}

/** acl_rights_of_anyone() - rights of a caller that nobody vouches for */
u32 acl_rights_of_anyone(const struct acl *acl)
{
	u32 granted = 0, denied = 0;
	unsigned int i;

	for (i = 0; i < acl->granting; i++)
		granted |= rights_of(&acl->entry[i]);
	for (; i < acl->granting + acl->denying; i++)
		denied |= rights_of(&acl->entry[i]);
	return granted & ~denied;
}

static void drop_entry(struct acl *acl, unsigned int at, unsigned int *count)
{
	unsigned int nr = acl->granting + acl->denying;

	memmove(&acl->entry[at], &acl->entry[at + 1],
		(nr - at - 1) * sizeof(acl->entry[0]));
	--*count;
}

/**
 * acl_set() - give a name rights, in place of those it had
 * @acl: list
 * @name: user or group; must stay as long as @acl
 * @deny: among the entries that deny
 * @rights: AFSX_ACE_*; 0 removes the entry
 *
 * Return: 0; -E2BIG when the list is full.
 */
int acl_set(struct acl *acl, const char *name, bool deny, u32 rights)
{
	unsigned int *count = deny ? &acl->denying : &acl->granting;
	unsigned int from = deny ? acl->granting : 0, at = from;
	unsigned int nr = acl->granting + acl->denying;

	while (at < from + *count && !is_named(&acl->entry[at], name))
		at++;
	if (at < from + *count) {
		if (rights)
			acl->entry[at].rights = rights;
		else
			drop_entry(acl, at, count);
		return 0;
	}
	if (!rights)
		return 0;
	if (nr == ACL_ENTRIES_MAX)
		return -E2BIG;
	memmove(&acl->entry[at + 1], &acl->entry[at],
		(nr - at) * sizeof(acl->entry[0]));
	acl->entry[at] = (struct acl_entry){ name, strlen(name), rights };
	++*count;
	return 0;
}

static const char letters[] = "rwildkaABCDEFGH";

static u32 right_of_letter(size_t i)
{
	return i < 7 ? 1u << i : AFSX_ACE_USER(i - 7);
}

/**
 * acl_parse_rights() - read rights as people write them
 * @word: letters of "rlidwkaABCDEFGH", or "all", "write", "read" or "none"
 * @rights: result
 *
 * Return: 0 or -EINVAL.
 */
int acl_parse_rights(const char *word, u32 *rights)
{
	static const struct {
		const char *word;
		const char *means;
	} words[] = {
		{ "all", "rlidwka" }, { "write", "rlidwk" },
		{ "read", "rl" }, { "none", "" },
	};
	const char *found;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(word, words[i].word))
			word = words[i].means;
	}
	*rights = 0;
	for (; *word; word++) {
		found = strchr(letters, *word);
		if (!found)
			return -EINVAL;
		*rights |= right_of_letter((size_t)(found - letters));
	}
	return 0;
}

/** acl_format_rights() - rights as letters, "none" for none */
void acl_format_rights(u32 rights, char text[ACL_LETTERS_MAX])
{
	/* in the order people are used to */
	static const char order[] = "rlidwkaABCDEFGH";
	char *p = text;
	size_t i;

	for (i = 0; order[i]; i++) {
		if (rights & right_of_letter((size_t)(strchr(letters, order[i]) -
						      letters)))
			*p++ = order[i];
	}
	*p = '\0';
	if (p == text)
		memcpy(text, "none", sizeof("none"));
}
