// SPDX-License-Identifier: MIT
/*
 * import: copy a directory tree into a volume.
 *
 * The tree is built in a directory that no name leads to, in transactions of
 * moderate size, and appears where it shall in one last transaction.  When
 * anything fails, or the machine stops, the volume is as it was; what was built
 * is collected.  No transaction is open while the source lets wait for it: nobody
 * else could change anything.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "import_tree.h"

/* ---- the last step ---------------------------------------------------------------- */

/* Names at the top of the new tree. */
struct names {
	struct import *im;
	char (*name)[AFSX_NAME_MAX + 1];
	size_t nr;
	int err;
};

static bool note_name(void *ctx, const char *name, size_t len,
		      const struct afsx_fid *fid)
{
	struct names *n = ctx;

	if (len <= 2 && !memcmp(name, "..", len))
		return true;
	if (!(n->nr & (n->nr + 1))) {
		void *more = realloc(n->name, (2 * n->nr + 1) * sizeof(*n->name));

		if (!more) {
			n->err = -ENOMEM;
			return false;
		}
		n->name = more;
	}
	memcpy(n->name[n->nr], name, len);
	n->name[n->nr++][len] = '\0';
	return true;
}

/*
 * Make room for @name: a directory in the way goes, with all that is in it, to
 * the stage under a name that nothing else has there.
 */
static int push_aside(struct import *im, const char *name, size_t nr)
{
	size_t len = strlen(name);
	struct store_status old, now;
	struct afsx_fid fid;
	char aside[48];
	int ret = store_tx_lookup(im->tx, &im->to, name, len, &fid);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (!volcmd_option(im->c, "replace"))
		return -EEXIST;
	ret = store_tx_getattr(im->tx, &fid, &old);
	if (!ret)
		ret = store_tx_lookup(im->tx, &im->stage, name, len, &fid);
	if (!ret)
		ret = store_tx_getattr(im->tx, &fid, &now);
	if (ret)
		return ret;
	if (old.type != AFSX_FTYPE_DIR && now.type != AFSX_FTYPE_DIR)
		return 0;	/* the rename replaces it */
	snprintf(aside, sizeof(aside), ".replaced by import %zu", nr);
	return store_rename(im->tx, &im->to, name, len, &im->stage, aside,
			    strlen(aside));
}

static int publish_names(struct import *im, const struct names *n,
			 const struct place *top)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < n->nr; i++) {
		const char *name = n->name[i];
		size_t len = strlen(name);

		ret = push_aside(im, name, i);
		if (!ret)
			ret = store_rename(im->tx, &im->stage, name, len,
					   &im->to, name, len);
		import_failed(im, ret, top, name);
	}
	return ret;
}

static int publish(struct import *im, const struct place *top,
		   const struct stat *s)
{
	struct store_attr attr = import_attr(s);
	struct names n = { .im = im };
	int ret = import_end_batch(im);

	if (!ret)
		ret = store_readdir(im->c->st, &im->stage, note_name, &n);
	if (!ret)
		ret = n.err;
	if (!ret)
		ret = import_begin_batch(im);
	if (!ret)
		ret = publish_names(im, &n, top);
	if (!ret)
		ret = store_setattr(im->tx, &im->to, &attr);
	if (!ret)
		ret = import_end_batch(im);
	free(n.name);
	return import_failed(im, ret, top, NULL);
}

/* ---- the whole -------------------------------------------------------------------- */

static bool see_name(void *ctx, const char *name, size_t len,
		     const struct afsx_fid *fid)
{
	bool *empty = ctx;

	*empty = len <= 2 && !memcmp(name, "..", len);
	return *empty;
}

/* Before any work: nothing may be in the way, unless it is to be replaced. */
static int check_names(struct import *im, const struct place *top)
{
	struct afsx_fid fid;
	struct dirent **names;
	bool empty = true;
	int nr, ret;

	if (volcmd_option(im->c, "replace"))
		return 0;
	ret = store_readdir(im->c->st, &im->to, see_name, &empty);
	if (ret || empty)
		return import_failed(im, ret, top, NULL);
	nr = source_list(im->source, top->fd, &names);
	if (nr < 0)
		return import_failed(im, nr, top, NULL);
	for (int i = 0; !ret && i < nr; i++) {
		const char *name = names[i]->d_name;

		ret = store_lookup(im->c->st, &im->to, name, strlen(name),
				   &fid);
		ret = ret == -ENOENT ? 0 : ret ? ret : -EEXIST;
		if (ret == -EEXIST) {
			im->told = true;
			volcmd_fail(im->c, 0, "'%s' exists in volume '%s'; --replace replaces it",
				    name, im->vol.name);
		}
		import_failed(im, ret, top, name);
	}
	source_free_names(names, nr);
	return ret;
}

static int build(struct import *im, struct place *top, const struct stat *s)
{
	int ret = check_names(im, top);

	if (ret)
		return ret;
	ret = import_begin_batch(im);
	if (!ret)
		ret = store_stage(im->tx, im->vol.id, &im->stage);
	if (ret)
		return import_failed(im, ret, top, NULL);
	top->fid = im->stage;
	ret = import_dir(im, top);
	return ret ? ret : publish(im, top, s);
}

static void clean_up(struct import *im)
{
	int ret;

	if (im->tx)
		store_abort(im->tx);
	if (im->stage.vnode)
		store_unstage(im->c->st, &im->stage);
	do {
		ret = store_collect(im->c->st, IMPORT_BATCH_OPS);
	} while (ret > 0);
	if (ret)
		volcmd_fail(im->c, ret, "cleaning up");
	for (size_t i = 0; i < IMPORT_LINK_BUCKETS; i++) {
		while (im->links[i]) {
			struct hard_link *l = im->links[i];

			im->links[i] = l->next;
			free(l);
		}
	}
}

static int import_tree(struct import *im, const char *source)
{
	int fd CLEANUP_CLOSE = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct place top = { .fd = fd, .path = source };
	struct stat s;
	int ret;

	if (fd < 0 || fstat(fd, &s))
		return volcmd_fail(im->c, -errno, "source '%s'", source);
	im->started = clock_mono_ms();
	im->shown = im->started;
	ret = build(im, &top, &s);
	clean_up(im);
	if (ret)
		return VOLCMD_FAILED;
	fprintf(im->c->io->out, "imported %ju files and %ju directories, %ju bytes, into %s\n",
		(uintmax_t)im->files, (uintmax_t)im->dirs,
		(uintmax_t)im->total, im->vol.name);
	if (!im->skipped)
		return VOLCMD_OK;
	fprintf(im->c->io->err, "import: skipped %ju that a volume cannot hold\n",
		(uintmax_t)im->skipped);
	return VOLCMD_SKIPPED;
}

static int find_destination(struct import *im)
{
	const char *to = volcmd_option(im->c, "to");
	struct store_status s;
	int ret;

	if (volcmd_find_rw(im->c, im->c->arg[0], &im->vol) ||
	    volcmd_walk(im->c, &im->vol, to ? to : "", to ? strlen(to) : 0,
			&im->to))
		return VOLCMD_FAILED;
	ret = store_getattr(im->c->st, &im->to, &s);
	if (!ret && s.type != AFSX_FTYPE_DIR)
		ret = -ENOTDIR;
	return ret ? volcmd_fail(im->c, ret, "'%s' in volume '%s'",
				 to ? to : "/", im->vol.name) : VOLCMD_OK;
}

static bool is_stopped(void *ctx)
{
	struct import *im = ctx;

	return volcmd_stopped(im->c);
}

int volcmd_import(struct volcmd *c)
{
	struct import *im = calloc(1, sizeof(*im));
	int ret = VOLCMD_FAILED;

	if (im)
		im->source = source_create(&(struct source_user){
			.pause = import_pause,
			.resume = import_resume,
			.stopped = is_stopped,
			.ctx = im,
		});
	if (!im || !im->source) {
		free(im);
		return volcmd_fail(c, -ENOMEM, "import");
	}
	im->c = c;
	if (!find_destination(im))
		ret = import_tree(im, c->arg[1]);
	source_destroy(im->source);
	free(im);
	return ret;
}
