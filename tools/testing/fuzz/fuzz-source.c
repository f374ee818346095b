// SPDX-License-Identifier: MIT
/*
 * Fuzz target: mount sources.
 *
 * Input: '0' or '1' (whether it is below a read/write path), then the text.
 *
 * What parses must have a canonical form, which parses to the same meaning.
 */
#include <afsx/source.h>

#include "fuzz.h"

static void check_parts(const struct afsx_source *src)
{
	MUST(src->volume.len >= 1 && src->volume.len <= AFSX_VOLNAME_MAX);
	MUST(src->cell.len <= AFSX_CELLNAME_MAX);
	MUST(!src->cell.len || !memchr(src->cell.p, '/', src->cell.len));
	MUST(!memchr(src->volume.p, '/', src->volume.len));
	MUST(!memchr(src->volume.p, ':', src->volume.len));
	MUST(src->numeric == (src->vid != 0));
	MUST(src->force || src->type == AFSX_VOL_RO);
}

static void check_pick(const struct afsx_source *src)
{
	for (u32 flags = 0; flags < 8; flags++) {
		int type = afsx_source_pick(src, flags << 12);

		MUST(type == -ENOMEDIUM || (type >= 0 && type < AFSX_VOL_TYPES));
		MUST(type < 0 || flags >> type & 1);
		MUST(!src->force || type < 0 || type == (int)src->type);
	}
}

static void check_canonical(const struct afsx_source *src)
{
	char buf[AFSX_SOURCE_BUF];
	struct afsx_source again;
	const char *why;
	int len = afsx_source_format(buf, sizeof(buf), src);

	MUST(len > 0 && (size_t)len == strlen(buf));
	MUST(afsx_source_parse(buf, (size_t)len, false, &again, &why) == 0);
	MUST(again.type == src->type && again.force == src->force && again.vid == src->vid);
	MUST(again.volume.len == src->volume.len && again.cell.len == src->cell.len);
	MUST(!memcmp(again.volume.p, src->volume.p, src->volume.len));
	MUST(!src->cell.len || !memcmp(again.cell.p, src->cell.p, src->cell.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct afsx_source src;
	const char *why;
	int ret;

	if (!size)
		return -1;
	ret = afsx_source_parse((const char *)data + 1, size - 1, data[0] == '1', &src, &why);
	if (ret) {
		MUST(ret == -EINVAL || ret == -ENOMEDIUM || ret == -ENAMETOOLONG);
		MUST(why && *why);
		return 0;
	}
	check_parts(&src);
	check_pick(&src);
	check_canonical(&src);
	return 0;
}
