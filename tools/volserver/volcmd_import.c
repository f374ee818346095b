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
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "volcmd_priv.h"
#include "volcmd_source.h"

#define BATCH_OPS	1000u			/* vnodes in a transaction */
#define BATCH_BYTES	(256u * 1024 * 1024)	/* file data in one */
#define BATCH_MS	250			/* others may wait that long for it */
#define CHUNK		SOURCE_CHUNK
#define LINK_BUCKETS	4096u
#define PROGRESS_MS	1000

/* A file with several names, which was imported under one of them. */
struct hard_link {
	struct hard_link *next;
	dev_t dev;
	ino_t ino;
	struct afsx_fid fid;
};

/**
 * struct import - an import under way
 * @c: command
 * @vol: into this volume
 * @to: and there into this directory
 * @stage: where the tree is built
 * @source: the tree
 * @tx: present transaction, or NULL
 * @begun: when it began, monotonic time, ms
 * @paused: it was ended because the source is slow
 * @ops: vnodes made in it
 * @bytes: data written in it
 * @files: files and links imported
 * @dirs: directories imported
 * @total: bytes imported
 * @skipped: what could not be represented
 * @started: monotonic time, ms
 * @shown: when progress was shown last
 * @told: the reason for failing was told
 * @links: files with several names
 */
struct import {
	struct volcmd *c;
	struct store_vol vol;
	struct afsx_fid to;
	struct afsx_fid stage;
	struct source *source;
	struct store_tx *tx;
	s64 begun;
	bool paused;
	unsigned int ops;
	u64 bytes;
	u64 files;
	u64 dirs;
	u64 total;
	u64 skipped;
	s64 started;
	s64 shown;
	bool told;
	struct hard_link *links[LINK_BUCKETS];
};

/**
 * struct place - a directory being copied
 * @fd: open
 * @fid: its copy
 * @path: of the source, as the user gave it and on from there
 */
struct place {
	int fd;
	struct afsx_fid fid;
	const char *path;
};

/* ---- telling ------------------------------------------------------------------ */

static s64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void show_progress(struct import *im)
{
	FILE *f = im->c->io->err;
	s64 now = now_ms();

	if (now - im->shown < PROGRESS_MS)
		return;
	im->shown = now;
	fprintf(f, "import: %ju files, %ju directories, %ju MiB after %jd s\n",
		(uintmax_t)im->files, (uintmax_t)im->dirs,
		(uintmax_t)im->total / CHUNK,
		(intmax_t)(now - im->started) / 1000);
	fflush(f);
}

/* Say what failed, once: -errno comes from the source or from the store. */
static int failed(struct import *im, int ret, const struct place *p,
		  const char *name)
{
	if (ret && !im->told)
		volcmd_fail(im->c, ret, "%s%s%s", p->path, name ? "/" : "",
			    name ? name : "");
	im->told |= !!ret;
	return ret;
}

static void skip(struct import *im, const struct place *p, const char *name,
		 const char *what)
{
	im->skipped++;
	fprintf(im->c->io->err, "import: skipped %s/%s: %s\n", p->path, name,
		what);
}

/* ---- transactions --------------------------------------------------------------- */

static int begin_batch(struct import *im)
{
	im->begun = now_ms();
	return store_begin(im->c->st, &im->tx);
}

static int end_batch(struct import *im)
{
	struct store_tx *tx = im->tx;

	im->tx = NULL;
	im->ops = 0;
	im->bytes = 0;
	return store_commit(tx);
}

/* Start another transaction when the present one is large enough. */
static int next_batch(struct import *im)
{
	int ret;

	show_progress(im);
	if (volcmd_stopped(im->c))
		return -ECANCELED;
	if (im->ops < BATCH_OPS && im->bytes < BATCH_BYTES &&
	    now_ms() - im->begun < BATCH_MS)
		return 0;
	ret = end_batch(im);
	return ret ? ret : begin_batch(im);
}

static int pause_batch(void *ctx)
{
	struct import *im = ctx;

	im->paused = im->tx;
	return im->paused ? end_batch(im) : 0;
}

static int resume_batch(void *ctx)
{
	struct import *im = ctx;

	return im->paused ? begin_batch(im) : 0;
}

static bool is_stopped(void *ctx)
{
	struct import *im = ctx;

	return volcmd_stopped(im->c);
}

/* ---- files ---------------------------------------------------------------------- */

static struct store_attr attr_of(const struct stat *s)
{
	return (struct store_attr){
		.mask = STORE_SET_MODE | STORE_SET_OWNER | STORE_SET_GROUP |
			STORE_SET_MTIME | STORE_SET_AUTHOR,
		.mode = s->st_mode & 07777,
		.owner = s->st_uid,
		.group = s->st_gid,
		.author = s->st_uid,
		.mtime = s->st_mtime,
	};
}

/* Copy [@off, @end) of the source, or what is left of it. */
static int copy_range(struct import *im, int fd, const struct afsx_fid *fid,
		      off_t off, off_t end)
{
	while (off < end) {
		size_t want = (size_t)min(end - off,
					  (off_t)(CHUNK - off % CHUNK));
		const void *data;
		ssize_t n = source_read(im->source, fd, off, want, &data);
		int ret;

		if (n <= 0)
			return (int)n;	/* 0: it became shorter */
		ret = store_write(im->tx, fid, (u64)off, data, (size_t)n);
		if (ret)
			return ret;
		off += n;
		im->bytes += (u64)n;
		im->total += (u64)n;
		ret = next_batch(im);
		if (ret)
			return ret;
	}
	return 0;
}

static int copy_data(struct import *im, int fd, const struct afsx_fid *fid,
		     off_t size)
{
	off_t data, hole = 0;
	int ret = 0;

	while (!ret && hole < size) {
		data = source_seek(im->source, fd, hole, SEEK_DATA);
		if (data == -ENXIO)
			break;
		if (data < 0)
			return (int)data;
		hole = source_seek(im->source, fd, data, SEEK_HOLE);
		if (hole < 0)
			return (int)hole;
		ret = copy_range(im, fd, fid, data, min(hole, size));
	}
	return ret;
}

static int fill_file(struct import *im, int fd, const struct afsx_fid *fid,
		     const struct stat *s)
{
	struct store_attr attr = attr_of(s);
	struct stat now;
	int ret = copy_data(im, fd, fid, s->st_size);

	if (!ret)
		ret = source_fstat(im->source, fd, &now);
	if (ret)
		return ret;
	/* a hole at the end is not written; a writer may have shortened it */
	attr.mask |= STORE_SET_SIZE;
	attr.size = (u64)min(s->st_size, now.st_size);
	return store_setattr(im->tx, fid, &attr);
}

static int import_file(struct import *im, const struct place *p,
		       const char *name, struct afsx_fid *fid)
{
	struct store_attr attr;
	struct stat s;
	int ret;
	int fd CLEANUP_CLOSE = source_open(im->source, p->fd, name,
					   O_NOFOLLOW | O_NONBLOCK, &s);

	if (fd < 0)
		return fd;
	if (!S_ISREG(s.st_mode))
		return -EAGAIN;		/* replaced while we looked */
	attr = attr_of(&s);
	ret = store_create(im->tx, &p->fid, name, strlen(name),
			   AFSX_FTYPE_FILE, &attr, NULL, fid);
	if (!ret && s.st_size)
		ret = fill_file(im, fd, fid, &s);
	im->files += !ret;
	return ret;
}

static struct hard_link **link_chain(struct import *im, const struct stat *s)
{
	return &im->links[(s->st_ino ^ s->st_dev) % LINK_BUCKETS];
}

static const struct hard_link *find_link(struct import *im,
					 const struct stat *s)
{
	const struct hard_link *l = *link_chain(im, s);

	while (l && (l->ino != s->st_ino || l->dev != s->st_dev))
		l = l->next;
	return l;
}

static int import_linked_file(struct import *im, const struct place *p,
			      const char *name, const struct stat *s)
{
	const struct hard_link *known = find_link(im, s);
	struct hard_link *l;
	int ret;

	if (known) {
		ret = store_link(im->tx, &p->fid, name, strlen(name),
				 &known->fid);
		im->files += !ret;
		return ret;
	}
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	ret = import_file(im, p, name, &l->fid);
	if (ret) {
		free(l);
		return ret;
	}
	l->dev = s->st_dev;
	l->ino = s->st_ino;
	l->next = *link_chain(im, s);
	*link_chain(im, s) = l;
	return 0;
}

static int import_symlink(struct import *im, const struct place *p,
			  const char *name, const struct stat *s)
{
	struct store_attr attr = attr_of(s);
	char target[STORE_TARGET_MAX + 1];
	struct afsx_fid fid;
	const char *found;
	ssize_t n = source_readlink(im->source, p->fd, name, sizeof(target),
				    &found);
	int ret;

	if (n < 0)
		return (int)n;
	if (n > STORE_TARGET_MAX) {
		skip(im, p, name, "symlink target longer than 1023 bytes");
		return 0;
	}
	memcpy(target, found, (size_t)n);
	target[n] = '\0';
	ret = store_create(im->tx, &p->fid, name, strlen(name),
			   AFSX_FTYPE_SYMLINK, &attr, target, &fid);
	im->files += !ret;
	return ret;
}

/* ---- directories ----------------------------------------------------------------- */

static int import_dir(struct import *im, const struct place *p);

static int import_subdir(struct import *im, const struct place *p,
			 const char *name, const struct stat *s)
{
	struct store_attr attr = attr_of(s);
	struct place sub = { .fd = -1 };
	struct stat now;
	int ret;
	char *path CLEANUP_FREE = NULL;

	if (asprintf(&path, "%s/%s", p->path, name) < 0)
		return -ENOMEM;
	sub.path = path;
	ret = store_create(im->tx, &p->fid, name, strlen(name), AFSX_FTYPE_DIR,
			   &attr, NULL, &sub.fid);
	if (ret)
		return ret;
	sub.fd = source_open(im->source, p->fd, name, O_DIRECTORY | O_NOFOLLOW,
			     &now);
	if (sub.fd < 0)
		return sub.fd;
	ret = import_dir(im, &sub);
	close(sub.fd);
	/* filling it changed the modification time */
	if (!ret)
		ret = store_setattr(im->tx, &sub.fid, &attr);
	im->dirs += !ret;
	return ret;
}

static int import_entry(struct import *im, const struct place *p,
			const char *name)
{
	struct afsx_fid fid;
	struct stat s;
	int ret = source_stat(im->source, p->fd, name, &s);

	if (ret)
		return ret;
	im->ops++;
	switch (s.st_mode & S_IFMT) {
	case S_IFREG:
		return s.st_nlink > 1 ? import_linked_file(im, p, name, &s) :
					import_file(im, p, name, &fid);
	case S_IFDIR:
		return import_subdir(im, p, name, &s);
	case S_IFLNK:
		return import_symlink(im, p, name, &s);
	case S_IFIFO:
		skip(im, p, name, "a fifo");
		return 0;
	case S_IFSOCK:
		skip(im, p, name, "a socket");
		return 0;
	default:
		skip(im, p, name, "a device node");
		return 0;
	}
}

/* Names are sorted, so that the same tree gives the same vnode numbers. */
static int import_dir(struct import *im, const struct place *p)
{
	struct dirent **names;
	int nr, ret = 0;

	nr = source_list(im->source, p->fd, &names);
	if (nr < 0)
		return failed(im, nr, p, NULL);
	for (int i = 0; !ret && i < nr; i++) {
		ret = import_entry(im, p, names[i]->d_name);
		if (!ret)
			ret = next_batch(im);
		failed(im, ret, p, names[i]->d_name);
	}
	source_free_names(names, nr);
	return ret;
}

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
		failed(im, ret, top, name);
	}
	return ret;
}

static int publish(struct import *im, const struct place *top,
		   const struct stat *s)
{
	struct store_attr attr = attr_of(s);
	struct names n = { .im = im };
	int ret = end_batch(im);

	if (!ret)
		ret = store_readdir(im->c->st, &im->stage, note_name, &n);
	if (!ret)
		ret = n.err;
	if (!ret)
		ret = begin_batch(im);
	if (!ret)
		ret = publish_names(im, &n, top);
	if (!ret)
		ret = store_setattr(im->tx, &im->to, &attr);
	if (!ret)
		ret = end_batch(im);
	free(n.name);
	return failed(im, ret, top, NULL);
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
		return failed(im, ret, top, NULL);
	nr = source_list(im->source, top->fd, &names);
	if (nr < 0)
		return failed(im, nr, top, NULL);
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
		failed(im, ret, top, name);
	}
	source_free_names(names, nr);
	return ret;
}

static int build(struct import *im, struct place *top, const struct stat *s)
{
	int ret = check_names(im, top);

	if (ret)
		return ret;
	ret = begin_batch(im);
	if (!ret)
		ret = store_stage(im->tx, im->vol.id, &im->stage);
	if (ret)
		return failed(im, ret, top, NULL);
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
		ret = store_collect(im->c->st, BATCH_OPS);
	} while (ret > 0);
	if (ret)
		volcmd_fail(im->c, ret, "cleaning up");
	for (size_t i = 0; i < LINK_BUCKETS; i++) {
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
	im->started = now_ms();
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

int volcmd_import(struct volcmd *c)
{
	struct import *im = calloc(1, sizeof(*im));
	int ret = VOLCMD_FAILED;

	if (im)
		im->source = source_create(&(struct source_user){
			.pause = pause_batch,
			.resume = resume_batch,
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
