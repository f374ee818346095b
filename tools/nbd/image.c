// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "image.h"
#include "log.h"
#include "raw.h"

/* The formats; an image that is none of the others is raw. */
static const struct format {
	const char *name;
	int (*open)(const char *path, const struct blk_options *opts,
		    struct blk **blk, struct errbuf *err);
} formats[] = {
	{ "raw", raw_open },
};

static const struct format *find_format(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	}
	return NULL;
}

bool image_format_known(const char *name)
{
	return find_format(name);
}

int image_open(const char *path, const struct blk_options *opts,
	       struct blk **blk, struct errbuf *err)
{
	const char *name = opts->format;

	if (!name) {
		name = "raw";
		log_warn("format not given, taken for raw; -f raw says so",
			 LOG_S("image", path));
	}
	return find_format(name)->open(path, opts, blk, err);
}
