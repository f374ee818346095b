// SPDX-License-Identifier: MIT
#include "import_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"

#define BATCH_BYTES	(256u * 1024 * 1024)	/* file data in a transaction */
#define BATCH_MS	250			/* others may wait that long for it */
#define CHUNK		SOURCE_CHUNK
#define PROGRESS_MS	1000

/* ---- telling ------------------------------------------------------------------ */

static void show_progress(struct import *im)
{
	FILE *f = im->c->io->err;
	s64 now = clock_mono_ms();

	if (now - im->shown < PROGRESS_MS)
		return;
	im->shown = now;
	fprintf(f, "import: %ju files, %ju directories, %ju MiB after %jd s\n",
		(uintmax_t)im->files, (uintmax_t)im->dirs,
		(uintmax_t)im->total / CHUNK,
		(intmax_t)(now - im->started) / 1000);
	fflush(f);
}

int import_failed(struct import *im, int ret, const struct place *p,
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

int import_begin_batch(struct import *im)
{
	im->begun = clock_mono_ms();
	return store_begin_long(im->c->st, &im->tx);
}

int import_end_batch(struct import *im)
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
	if (im->ops < IMPORT_BATCH_OPS && im->bytes < BATCH_BYTES &&
	    clock_mono_ms() - im->begun < BATCH_MS)
		return 0;
	ret = import_end_batch(im);
	return ret ? ret : import_begin_batch(im);
}

int import_pause(void *ctx)
{
	struct import *im = ctx;

	im->paused = im->tx;
	return im->paused ? import_end_batch(im) : 0;
}

int import_resume(void *ctx)
{
	struct import *im = ctx;

	return im->paused ? import_begin_batch(im) : 0;
}

/* ---- files ---------------------------------------------------------------------- */

struct store_attr import_attr(const struct stat *s)
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
	struct store_attr attr = import_attr(s);
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
	attr = import_attr(&s);
	ret = store_create(im->tx, &p->fid, name, strlen(name),
			   AFSX_FTYPE_FILE, &attr, NULL, fid);
	if (!ret && s.st_size)
		ret = fill_file(im, fd, fid, &s);
	im->files += !ret;
	return ret;
}

static struct hard_link **link_chain(struct import *im, const struct stat *s)
{
	return &im->links[(s->st_ino ^ s->st_dev) % IMPORT_LINK_BUCKETS];
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
	struct store_attr attr = import_attr(s);
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

static int import_subdir(struct import *im, const struct place *p,
			 const char *name, const struct stat *s)
{
	struct store_attr attr = import_attr(s);
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

int import_dir(struct import *im, const struct place *p)
{
	struct dirent **names;
	int nr, ret = 0;

	nr = source_list(im->source, p->fd, &names);
	if (nr < 0)
		return import_failed(im, nr, p, NULL);
	for (int i = 0; !ret && i < nr; i++) {
		ret = import_entry(im, p, names[i]->d_name);
		if (!ret)
			ret = next_batch(im);
		import_failed(im, ret, p, names[i]->d_name);
	}
	source_free_names(names, nr);
	return ret;
}
