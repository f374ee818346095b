// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "image.h"
#include "log.h"
#include "qcow2.h"
#include "raw.h"

#define CHAIN_MAX	256

/**
 * struct format - a format that images can have
 * @name: as -f takes it
 * @magic: bytes every such image begins with, or NULL: nothing tells it
 * @magic_len: bytes of @magic
 * @snapshots: it has internal snapshots
 * @open: open @path; on success *@blk is the caller's, to be closed by its ops
 * @backing: name of the image's backing file and, where the image has that, its
 *	format; NULL for one without. The formats without them have no function
 * @attach: let what an image does not have be read from another, which is closed
 *	with it
 */
struct format {
	const char *name;
	const char *magic;
	size_t magic_len;
	bool snapshots;
	int (*open)(const char *path, const struct blk_options *options,
		    struct blk **blk, struct errbuf *err);
	const char *(*backing)(const struct blk *blk, const char **format);
	void (*attach)(struct blk *blk, struct blk *below);
};

static const struct format formats[] = {
	{
		.name = "qcow2",
		.magic = QCOW2_MAGIC,
		.magic_len = 4,
		.snapshots = true,
		.open = qcow2_open,
		.backing = qcow2_backing,
		.attach = qcow2_attach,
	},
	{
		.name = "raw",
		.open = raw_open,
	},
};

/* Which files a chain has so far. */
struct chain {
	struct {
		dev_t dev;
		ino_t ino;
	} files[CHAIN_MAX];
	unsigned int nr;
};

static const struct format *find_format(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}

bool image_format_known(const char *name)
{
	return find_format(name);
}

static int probe(const char *path, const struct format **format, struct errbuf *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const struct format *f = formats;
	char start[16] = "";

	if (fd < 0)
		return err_set(err, -errno, "%s: cannot be opened: %s", path,
			       strerror(errno));
	/* what cannot be read is raw, whose open says why */
	(void)!pread(fd, start, sizeof(start), 0);
	while (f->magic && memcmp(start, f->magic, f->magic_len))
		f++;
	if (!f->magic)
		log_warn("format not given, taken for raw; -f raw says so",
			 LOG_S("image", path));
	*format = f;
	return 0;
}

static int choose_format(const char *path, const struct blk_options *options,
			 const struct format **format, struct errbuf *err)
{
	if (!options->format)
		return probe(path, format, err);
	*format = find_format(options->format);
	if (!*format)
		return err_set(err, -EINVAL, "unknown format '%s'", options->format);
	return 0;
}

/* Open one file of a chain. */
static int open_one(struct chain *chain, const char *path,
		    const struct blk_options *options, const struct format **format,
		    struct blk **blk, struct errbuf *err)
{
	struct stat st = { .st_ino = 0 };
	unsigned int i;
	int ret;

	(void)!stat(path, &st);
	for (i = 0; i < chain->nr; i++)
		if (st.st_ino && chain->files[i].dev == st.st_dev &&
		    chain->files[i].ino == st.st_ino)
			return err_set(err, -ELOOP,
				       "%s: the image is in its own chain of backing files",
				       path);
	if (chain->nr == CHAIN_MAX)
		return err_set(err, -ELOOP, "%s: a chain of more than %u images", path, CHAIN_MAX);
	chain->files[chain->nr].dev = st.st_dev;
	chain->files[chain->nr++].ino = st.st_ino;
	ret = choose_format(path, options, format, err);
	if (ret)
		return ret;
	if ((options->snapshot_id || options->snapshot_name) && !(*format)->snapshots)
		return err_set(err, -EINVAL, "%s: images of format %s have no snapshots",
			       path, (*format)->name);
	return (*format)->open(path, options, blk, err);
}

/* The path that an image at @path means by @name. */
static int resolve(const char *path, const char *name, char **found, struct errbuf *err)
{
	const char *slash = strrchr(path, '/');
	int directory = slash ? (int)(slash - path + 1) : 0, ret;

	if (!strncmp(name, "file:", 5))
		name += 5;
	else if (name[strcspn(name, ":/")] == ':')
		return err_set(err, -ENOTSUP, "%s: the backing file '%s' is not a file",
			       path, name);
	if (name[0] == '/')
		directory = 0;
	ret = asprintf(found, "%.*s%s", directory, path, name);
	return ret < 0 ? err_set(err, -ENOMEM, "out of memory") : 0;
}

/* Open what is below @blk, and below that, and so on. */
static int open_backing(struct chain *chain, const char *path,
			const struct format *format, struct blk *blk, bool unlocked,
			struct errbuf *err)
{
	struct blk_options options = { .read_only = true, .unlocked = unlocked };
	CLEANUP_FREE char *owned = NULL;
	struct blk *below;
	const char *name;
	char *found;
	int ret;

	while (format->backing && (name = format->backing(blk, &options.format))) {
		ret = resolve(path, name, &found, err);
		if (ret)
			return ret;
		ret = open_one(chain, found, &options, &format, &below, err);
		if (ret) {
			free(found);
			return err_prefix(err, ret, "backing file of %s", path);
		}
		find_format(blk->ops->name)->attach(blk, below);
		blk = below;
		free(owned);
		owned = found;
		path = found;
	}
	return 0;
}

int image_open(const char *path, const struct blk_options *options, struct blk **blk,
	       struct errbuf *err)
{
	const struct format *format;
	struct chain chain = { .nr = 0 };
	struct blk *top;
	int ret;

	ret = open_one(&chain, path, options, &format, &top, err);
	if (ret)
		return ret;
	ret = open_backing(&chain, path, format, top, options->unlocked, err);
	if (ret) {
		top->ops->close(top);
		return ret;
	}
	*blk = top;
	return 0;
}
