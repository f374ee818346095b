// SPDX-License-Identifier: MIT
/*
 * image-test: drive images through the table of their operations, as the server
 * does. What they then hold is judged by QEMU's programs, in the scripts.
 *
 *   read IMAGE OUT SEED		copy the image by random pieces, four threads
 *   map IMAGE				print its extents: start, length, zero, hole
 *   part IMAGE				print the size of what is shown
 *   random IMAGE MODEL SEED N THREADS	N random operations on it and on MODEL
 *   journal IMAGE JOURNAL SEED N THREADS  N operations, noting what must survive
 *   verify JOURNAL RAW INITIAL		judge what survived
 * Options before the command: -f FORMAT, -i SNAPSHOT-ID, -n SNAPSHOT-NAME,
 * -l ID-OR-NAME, -s (overlay), -P PARTITION, -o OFFSET, -r (read-only), -d (direct).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image-test.h"
#include "overlay.h"
#include "partition.h"
#include "slice.h"

#define COPIERS		4
#define PIECE		(192u << 10)

struct blk *shown_open(const struct shown *shown, const char *path)
{
	struct partition part = { shown->offset, 0 };
	struct errbuf e = { "" };
	struct blk *blk, *layer;

	if (image_open(path, &shown->options, &blk, &e))
		errx(2, "%s", e.text);
	if (shown->overlay) {
		if (overlay_open(blk, &layer, &e))
			errx(2, "%s", e.text);
		blk = layer;
	}
	part.length = blk->size - part.offset;
	if (shown->partition && partition_find(blk, shown->partition, &part, &e)) {
		blk->ops->close(blk);
		errx(2, "%s", e.text);
	}
	if (shown->partition || shown->offset) {
		if (slice_open(blk, part.offset, part.length, &layer, &e))
			errx(2, "%s", e.text);
		blk = layer;
	}
	if (shown->partition)
		printf("%" PRIu64 " %" PRIu64 "\n", (uint64_t)part.offset,
		       (uint64_t)part.length);
	return blk;
}

void *map_file(const char *path, u64 *size)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	struct stat st;
	void *p;

	if (fd < 0 || (*size && ftruncate(fd, (off_t)*size)) || fstat(fd, &st))
		err(2, "%s", path);
	*size = (u64)st.st_size;
	p = mmap(NULL, *size ? *size : 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		err(2, "%s", path);
	close(fd);
	return p;
}

struct copier {
	struct blk *blk;
	int out;
	u64 from;
	u64 to;
	struct rng rng;
};

static void *copy_part(void *arg)
{
	struct copier *c = arg;
	u8 *buf = malloc(PIECE);
	u64 n;
	int ret;

	for (; c->from < c->to; c->from += n) {
		n = min(c->to - c->from, 1 + rng_below(&c->rng, PIECE));
		ret = c->blk->ops->read(c->blk, buf, (u32)n, c->from, BLK_NOWAIT);
		if (ret == -EAGAIN)
			ret = c->blk->ops->read(c->blk, buf, (u32)n, c->from, 0);
		MUST(!ret, "reading %llu bytes at %llu: %s", n, c->from, strerror(-ret));
		if (pwrite(c->out, buf, n, (off_t)c->from) != (ssize_t)n)
			err(2, "output");
	}
	free(buf);
	return NULL;
}

static void copy(struct blk *blk, const char *path, u64 seed)
{
	struct copier c[COPIERS];
	pthread_t threads[COPIERS];
	int i, out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (out < 0 || ftruncate(out, (off_t)blk->size))
		err(2, "%s", path);
	for (i = 0; i < COPIERS; i++) {
		c[i] = (struct copier) {
			blk, out, blk->size / COPIERS * i,
			i == COPIERS - 1 ? blk->size : blk->size / COPIERS * (i + 1),
			rng_seed(seed * COPIERS + i)
		};
		pthread_create(&threads[i], NULL, copy_part, &c[i]);
	}
	for (i = 0; i < COPIERS; i++)
		pthread_join(threads[i], NULL);
	close(out);
}

static void print_map(struct blk *blk)
{
	struct blk_extent e[7];
	u64 at = 0;
	int i, nr;

	while (at < blk->size) {
		nr = blk->ops->extents(blk, blk->size - at, at, e, ARRAY_SIZE(e));
		MUST(nr > 0 && nr <= (int)ARRAY_SIZE(e), "extents at %llu: %d", at, nr);
		for (i = 0; i < nr; i++) {
			printf("%" PRIu64 " %" PRIu64 " %d %d\n", (uint64_t)at,
			       (uint64_t)e[i].length, e[i].zero, e[i].hole);
			MUST(e[i].length, "an empty extent at %llu", at);
			at += e[i].length;
		}
	}
	MUST(at == blk->size, "extents end at %llu", at);
}

static struct shown parse_options(int argc, char **argv)
{
	struct shown s = { .offset = 0 };
	int c;

	while ((c = getopt(argc, argv, "f:i:n:l:sP:o:rd")) != -1) {
		switch (c) {
		case 'f':
			s.options.format = optarg;
			break;
		case 'l':
			s.options.snapshot_id = optarg;
			s.options.snapshot_name = optarg;
			break;
		case 'i':
			s.options.snapshot_id = optarg;
			break;
		case 'n':
			s.options.snapshot_name = optarg;
			break;
		case 's':
			s.overlay = true;
			break;
		case 'P':
			s.partition = (unsigned int)atoi(optarg);
			break;
		case 'o':
			s.offset = strtoull(optarg, NULL, 10);
			break;
		case 'r':
			s.options.read_only = true;
			break;
		case 'd':
			s.options.direct = true;
			break;
		default:
			exit(2);
		}
	}
	return s;
}

/* Whether the command is @name with @nr arguments. */
static bool is(char **args, int have, const char *name, int nr)
{
	return have == nr + 1 && !strcmp(args[0], name);
}

static void run_on_image(struct blk *blk, char **args, int nr)
{
	u64 n[3] = { 0 };
	int i;

	for (i = 3; i < nr; i++)
		n[i - 3] = strtoull(args[i], NULL, 10);
	if (is(args, nr, "read", 3))
		copy(blk, args[2], n[0]);
	else if (is(args, nr, "map", 1))
		print_map(blk);
	else if (is(args, nr, "random", 5))
		random_run(blk, args[2], n[0], n[1], (unsigned int)n[2]);
	else if (is(args, nr, "journal", 5))
		journal_run(blk, args[2], n[0], n[1], (unsigned int)n[2]);
	else if (!is(args, nr, "part", 1))
		errx(2, "unknown command, or wrong number of arguments");
}

int main(int argc, char **argv)
{
	struct shown shown = parse_options(argc, argv);
	struct blk *blk;

	argv += optind;
	argc -= optind;
	if (argc < 2)
		errx(2, "no command");
	if (is(argv, argc, "verify", 3))
		return journal_verify(argv[1], argv[2], argv[3]);
	if (!strcmp(argv[0], "read") || !strcmp(argv[0], "map") || !strcmp(argv[0], "part"))
		shown.options.read_only = true;
	blk = shown_open(&shown, argv[1]);
	run_on_image(blk, argv, argc);
	blk->ops->close(blk);
	return 0;
}
