// SPDX-License-Identifier: MIT
/* afsx-nbd: serve images by the NBD protocol. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "device.h"
#include "image.h"
#include "log.h"
#include "notify.h"
#include "options.h"
#include "overlay.h"
#include "partition.h"
#include "ring.h"
#include "server.h"
#include "slice.h"

#define DEVICE_BLOCK_MIN	512u

/* Leave out the beginning of an image. */
static int apply_offset(const struct options *o, struct blk **blk,
			struct errbuf *err)
{
	int ret;

	if (!o->offset)
		return 0;
	ret = slice_open_rest(*blk, o->offset, blk, err);
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

/* Whether images can be accessed by io_uring, and are to be. */
static bool async_possible(const struct options *o)
{
	int ret;

	if (!o->image.async)
		return false;
	ret = ring_probe();
	if (ret && o->async_given)
		log_warn("threads in place of io_uring, which the kernel refuses",
			 LOG_S("why", strerror(-ret)));
	return !ret;
}

/* Open an image with the layers over it. What is in @blk is closed in any case. */
static int open_layers(const struct options *o, const char *file, struct blk **blk,
		       struct errbuf *err)
{
	struct blk_options image = o->image;
	bool overlay = o->overlay && !image.read_only;
	int ret;

	image.async = async_possible(o);
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

/* Whether the file is one of those before it, by whatever path. */
static bool given_before(const struct options *o, unsigned int i)
{
	struct stat st, other;
	unsigned int n;

	for (n = 0; n < i; n++)
		if (!stat(o->files[n], &other) && !stat(o->files[i], &st) &&
		    st.st_dev == other.st_dev && st.st_ino == other.st_ino)
			return true;
	return false;
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
	if (ret == -EBUSY && given_before(o, i))
		err_set(err, ret, "%s: is given twice, and only one export may change it",
			o->files[i]);
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

/* A server from its start to its end. */
struct life {
	const struct options	*o;
	struct exports		exports;
	struct listeners	listeners;
	struct handover		handover;
	struct daemon		daemon;
	struct device		device;
	struct tls		*tls;
};

/* Give the export to the kernel. */
static int connect_device(struct life *life, struct server *server, struct errbuf *err)
{
	const struct export *exp = life->exports.list;
	struct device_params params = {
		.backend = life->o->files[0],
		.size = exp->blk->size,
		.block = max(exp->blk->min_block, DEVICE_BLOCK_MIN),
		.flags = export_flags(exp, false),
	};
	int fds[2], ret;

	if (params.size % params.block)
		log_warn("the end of the export is not in the device",
			 LOG_U("bytes", params.size % params.block));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return err_set(err, -errno, "no socket: %s", strerror(errno));
	ret = server_attach(server, fds[0]);
	if (ret) {
		close(fds[0]);
		err_set(err, ret, "no thread: %s", strerror(-ret));
	} else {
		ret = device_connect(&life->device, fds[1], &params, err);
	}
	/* the kernel has its own hold on the socket */
	close(fds[1]);
	return ret;
}

/* A service manager need not have started this process itself. */
static void notify_ready(void)
{
	char state[64];

	snprintf(state, sizeof(state), "READY=1\nMAINPID=%d", (int)getpid());
	notify(state);
}

static int ready(void *ctx, struct server *server, struct errbuf *err)
{
	struct life *life = ctx;
	int ret = 0;

	if (life->o->device)
		ret = connect_device(life, server, err);
	if (ret)
		return ret;
	/* what the images' file systems are mounted on stays free */
	if (chdir("/"))
		log_warn("still in the current directory");
	ret = daemon_ready(&life->daemon, life->o->pid_file, err);
	if (!ret)
		notify_ready();
	return ret;
}

static void ending(void *ctx)
{
	struct life *life = ctx;

	if (!life->handover.given)
		notify("STOPPING=1");
	if (life->o->device)
		device_release(&life->device);
}

static int serve(struct life *life, struct errbuf *err)
{
	const struct options *o = life->o;
	struct server_config cfg = {
		.exports = &life->exports,
		.limits = o->limits,
		.tls = life->tls,
		.listeners = &life->listeners,
		.handover = &life->handover,
		.shared = o->shared,
		.persistent = o->persistent,
		.oldstyle = o->oldstyle,
		.grace = o->grace,
		.hooks = { ready, ending, life },
	};

	return server_run(&cfg, err);
}

/* Whether the images could be served, as far as that is known while others have them. */
static int rehearse(const struct options *o, struct errbuf *err)
{
	struct options trial = *o;
	struct exports exports;
	int ret;

	trial.image.read_only = true;
	trial.image.unlocked = true;
	ret = open_exports(&trial, &exports, err);
	exports_close(&exports);
	free(exports.list);
	return ret;
}

/* Have the older server end, if there is one and this one can take its place. */
static int hand_over(struct life *life, struct errbuf *err)
{
	const struct options *o = life->o;
	unsigned int i;
	int ret;

	if (life->listeners.nr)
		return err_set(err, -EINVAL,
			       "--hand-over: does not go with sockets from a service manager");
	for (i = 0; i < o->nr_files; i++)
		if (access(o->files[i], o->image.read_only ? R_OK : R_OK | W_OK))
			return err_set(err, -errno, "%s: %s", o->files[i],
				       strerror(errno));
	ret = rehearse(o, err);
	return ret ?: handover_begin(&life->handover, o->hand_over, &o->listen,
				     &life->listeners, err);
}

static int run(const struct options *o, struct errbuf *err)
{
	struct life life = { .o = o };
	int ret;

	daemon_init(&life.daemon);
	handover_init(&life.handover);
	server_block_signals();
	ret = listeners_inherit(&o->listen, &life.listeners, err);
	if (!ret && o->fork)
		ret = daemon_fork(&life.daemon, o->verbose, err);
	if (!ret && o->device)
		ret = device_find(&life.device, o->device, err) ?:
		      device_check_unused(&life.device, err);
	if (!ret)
		ret = tls_open(&o->tls, &life.tls, err);
	if (!ret && o->hand_over)
		ret = hand_over(&life, err);
	if (!ret)
		ret = open_exports(o, &life.exports, err);
	if (!ret)
		ret = listeners_open(&o->listen, &life.listeners, err);
	if (!ret)
		ret = serve(&life, err);
	listeners_close(&life.listeners);
	daemon_end(&life.daemon);
	exports_close(&life.exports);
	tls_close(life.tls);
	free(life.exports.list);
	handover_end(&life.handover);
	return ret;
}

static int disconnect(const struct options *o, struct errbuf *err)
{
	int ret = device_disconnect(o->files[0], err);

	if (!ret)
		printf("%s disconnected\n", o->files[0]);
	return ret;
}

int main(int argc, char **argv)
{
	struct errbuf err = { "" };
	struct options o;
	int ret;

	options_parse(argc, argv, &o);
	log_setup("afsx-nbd", o.verbose ? LOG_DEBUG : LOG_INFO);
	ret = o.disconnect ? disconnect(&o, &err) : run(&o, &err);
	if (ret)
		fprintf(stderr, "%s: %s\n", program_invocation_short_name, err.text);
	options_free(&o);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
