// SPDX-License-Identifier: MIT
/* afsx-nbd: serve images by the NBD protocol. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "image.h"
#include "log.h"
#include "options.h"
#include "overlay.h"
#include "partition.h"
#include "server.h"
#include "slice.h"

/* Leave out the beginning of an image. */
static int apply_offset(const struct options *o, struct blk **blk,
			struct errbuf *err)
{
	struct blk *whole = *blk;
	int ret;

	if (!o->offset)
		return 0;
	ret = o->offset > whole->size ?
	      err_set(err, -ERANGE, "the image has %ju bytes", (uintmax_t)whole->size) :
	      slice_open(whole, o->offset, whole->size - o->offset, blk, err);
	return ret ? err_prefix(err, ret, "--offset: %ju", (uintmax_t)o->offset) : 0;
}

/* Show only a partition of an image. */
static int apply_partition(const struct options *o, struct blk **blk,
			   struct errbuf *err)
{
	struct partition part;

	if (!o->partition)
		return 0;
	return partition_find(*blk, o->partition, &part, err) ?:
	       slice_open(*blk, part.offset, part.length, blk, err);
}

/* Open an image with the layers over it. What is in @blk is closed in any case. */
static int open_layers(const struct options *o, const char *file, struct blk **blk,
		       struct errbuf *err)
{
	struct blk_options image = o->image;
	bool overlay = o->overlay && !image.read_only;
	int ret;

	image.read_only |= overlay;
	ret = image_open(file, &image, blk, err);
	if (!ret && overlay)
		ret = overlay_open(*blk, blk, err);
	return ret ?: apply_offset(o, blk, err) ?: apply_partition(o, blk, err);
}

/* What an export without a name of its own is called. */
static const char *default_name(const struct options *o, unsigned int i)
{
	const char *slash;

	if (o->nr_files == 1)
		return "";
	slash = strrchr(o->files[i], '/');
	return slash ? slash + 1 : o->files[i];
}

static int open_export(const struct options *o, struct exports *exports,
		       unsigned int i, struct errbuf *err)
{
	struct export *exp = &exports->list[i];
	int ret;

	*exp = (struct export){
		.name = o->nr_names ? o->names[i] : default_name(o, i),
		.description = o->description,
		.write_through = o->write_through,
		.ignore_flush = o->ignore_flush,
		.discard = o->discard,
		.multi_conn = o->shared > 1,
	};
	if (i && exports_find(exports, exp->name, strlen(exp->name)))
		return err_set(err, -EEXIST, "%s: another file has that name; -x gives others",
			       o->files[i]);
	ret = open_layers(o, o->files[i], &exp->blk, err);
	exports->nr++;
	return ret;
}

static int open_exports(const struct options *o, struct exports *exports,
			struct errbuf *err)
{
	unsigned int i;
	int ret = 0;

	exports->nr = 0;
	exports->named = o->nr_names;
	exports->list = calloc(o->nr_files, sizeof(*exports->list));
	if (!exports->list)
		return err_set(err, -ENOMEM, "out of memory");
	for (i = 0; i < o->nr_files && !ret; i++)
		ret = open_export(o, exports, i, err);
	return ret;
}

static int run(const struct options *o, struct errbuf *err)
{
	struct exports exports = { .list = NULL };
	struct listeners listeners;
	struct server_config cfg = {
		.exports = &exports,
		.limits = o->limits,
		.listeners = &listeners,
		.shared = o->shared,
		.persistent = o->persistent,
		.oldstyle = o->oldstyle,
		.grace = o->grace,
	};
	struct daemon daemon;
	struct tls *tls = NULL;
	int ret;

	daemon_init(&daemon);
	server_block_signals();
	ret = listeners_inherit(&o->listen, &listeners, err);
	if (!ret && o->fork)
		ret = daemon_fork(&daemon, o->verbose, err);
	if (!ret)
		ret = tls_open(&o->tls, &tls, err);
	if (!ret)
		ret = open_exports(o, &exports, err);
	if (!ret)
		ret = listeners_open(&o->listen, &listeners, err);
	if (!ret)
		ret = daemon_ready(&daemon, o->pid_file, err);
	if (!ret) {
		/* what the images' file systems are mounted on stays free */
		if (chdir("/"))
			log_warn("still in the current directory");
		cfg.tls = tls;
		ret = server_run(&cfg, err);
	}
	listeners_close(&listeners);
	daemon_end(&daemon);
	exports_close(&exports);
	tls_close(tls);
	free(exports.list);
	return ret;
}

int main(int argc, char **argv)
{
	struct errbuf err = { "" };
	struct options o;
	int ret;

	options_parse(argc, argv, &o);
	log_setup("afsx-nbd", o.verbose ? LOG_DEBUG : LOG_INFO);
	ret = run(&o, &err);
	if (ret)
		fprintf(stderr, "%s: %s\n", program_invocation_short_name, err.text);
	options_free(&o);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
