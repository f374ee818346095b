/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Mount sources and mount point targets: which volume a string means.
 *
 *	%[cell:]volume[.]		the read/write volume
 *	#[cell:]volume[.]		the read-only volume, else the read/write one;
 *					under a read/write path, the read/write one
 *	{%|#}[cell:]volume.readonly[.]	the read-only volume and no other
 *	{%|#}[cell:]volume.backup[.]	the backup volume and no other
 *
 * The dot at the end is what a mount point's target has; a mount source may
 * omit it.  A volume made of digits is a volume id.
 */
#ifndef AFSX_SOURCE_H
#define AFSX_SOURCE_H

#include <afsx/types.h>

/**
 * struct afsx_source - A parsed source
 * @sigil: '%' or '#'
 * @numeric: @volume is a volume id, which is in @vid
 * @force: only a volume of @type will do
 * @type: volume wanted (@force), or preferred
 * @vid: volume id if @numeric, otherwise 0
 * @cell: cell name as written (cell names ignore case); len 0: the default cell
 * @volume: volume name without its type suffix and without the final dot
 *
 * The strings point into the text that was parsed.
 */
struct afsx_source {
	char sigil;
	bool numeric;
	bool force;
	enum afsx_voltype type;
	u32 vid;
	struct afsx_str cell;
	struct afsx_str volume;
};

/**
 * afsx_source_parse - Parse a mount source or a mount point target
 * @s: text, not necessarily NUL-terminated
 * @len: its length in bytes
 * @rwpath: the mount point lies in a read/write volume that was itself reached
 *	    by a read/write path, so '#' means the read/write volume
 * @out: filled in
 * @why: on error, a static text naming what is wrong, without a full stop
 *
 * Return: 0; -EINVAL for a malformed string; -ENOMEDIUM when no volume is
 * named ("%cell:"); -ENAMETOOLONG for a volume name over AFSX_VOLNAME_MAX.
 */
int afsx_source_parse(const char *s, size_t len, bool rwpath, struct afsx_source *out,
		      const char **why);

/**
 * afsx_source_pick - Choose among the volumes that exist
 * @src: parsed source
 * @vldb_flags: AFSX_VLF_*EXISTS of the volume's VLDB entry
 *
 * Return: an enum afsx_voltype; -ENOMEDIUM when none of them will do.
 */
int afsx_source_pick(const struct afsx_source *src, u32 vldb_flags);

/**
 * afsx_source_format - Write the canonical form, as /proc/mounts shows it
 * @buf: where to; NUL-terminated unless @size is 0
 * @size: bytes there; AFSX_SOURCE_BUF is always enough
 * @src: @type, @force, @cell and @volume are used (a caller may fill them from
 *	 the volume it mounted)
 *
 * "%cell:vol" for read/write, "#cell:vol" for read-only, with ".readonly"
 * when that was forced, "#cell:vol.backup" for a backup.
 *
 * Return: length without the NUL; -ENAMETOOLONG when @buf is too small.
 */
int afsx_source_format(char *buf, size_t size, const struct afsx_source *src);

#define AFSX_SOURCE_BUF (1 + AFSX_CELLNAME_MAX + 1 + AFSX_VOLNAME_MAX + sizeof(".readonly"))

#endif /* AFSX_SOURCE_H */
