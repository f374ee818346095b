/* SPDX-License-Identifier: MIT */
/* Access lists of a dump, which know users by number, and ours, which are text. */
#ifndef AFSX_DUMP_ACL_H
#define AFSX_DUMP_ACL_H

#include "acl.h"
#include "dump_format.h"
#include "store_read.h"

/**
 * dump_acl_text() - access list of a dump as text
 * @raw: DUMP_ACL_SIZE bytes
 * @text: room for STORE_ACL_MAX bytes
 *
 * Users and groups that every cell has get their names, others their numbers.
 *
 * Return: length of the text, or -EBADMSG.
 */
int dump_acl_text(const u8 *raw, char *text);

/**
 * dump_acl_raw() - the other way
 * @text: access list as text
 * @len: bytes of @text
 * @raw: room for DUMP_ACL_SIZE bytes
 * @stranger: an entry of @text whose name has no number here
 *
 * Return: 0; -ENOENT with @stranger; -EINVAL when @text is not an access list.
 */
int dump_acl_raw(const char *text, size_t len, u8 *raw,
		 struct acl_entry *stranger);

#endif /* AFSX_DUMP_ACL_H */
