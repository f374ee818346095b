/* SPDX-License-Identifier: MIT */
/*
 * Access lists: who has which rights in a directory.
 *
 * The text is that of the protocol: a line with the number of entries that
 * grant, a line with the number of entries that deny, then the entries, in this
 * order, each a name, a tab, and the rights as a decimal number.
 */
#ifndef AFSXD_ACL_H
#define AFSXD_ACL_H

#include <stddef.h>
#include <sys/types.h>

#include <afsx/types.h>

/* Entries of a list, and bytes of a name, as other file servers have them. */
#define ACL_ENTRIES_MAX	20
#define ACL_NAME_MAX	63

/* Rights an entry can have: those of the protocol and the eight of users. */
#define ACL_RIGHTS	(0x7fu | 0xff000000u)

/* The list of a directory that has none: everybody may look and read. */
#define ACL_DEFAULT	"1\n0\nsystem:anyuser\t9\n"

/* Longest text of some rights as letters, with NUL */
#define ACL_LETTERS_MAX	16

/**
 * struct acl_entry - what one name has
 * @name: user or group; points into the text it was read from
 * @len: of @name
 * @rights: AFSX_ACE_*
 */
struct acl_entry {
	const char *name;
	size_t len;
	u32 rights;
};

/**
 * struct acl - a list, parsed
 * @granting: entries that grant
 * @denying: entries that deny
 * @entry: first the ones, then the others
 */
struct acl {
	unsigned int granting;
	unsigned int denying;
	struct acl_entry entry[ACL_ENTRIES_MAX];
};

int acl_parse(const char *text, size_t len, struct acl *acl);
ssize_t acl_format(const struct acl *acl, char *text, size_t size);
u32 acl_rights_of_anyone(const struct acl *acl);
int acl_set(struct acl *acl, const char *name, bool deny, u32 rights);
int acl_parse_rights(const char *word, u32 *rights);
void acl_format_rights(u32 rights, char text[ACL_LETTERS_MAX]);

#endif /* AFSXD_ACL_H */
