// SPDX-License-Identifier: MIT
/*
 * nbd-load URI read|write|fua BYTES DEPTH SECONDS: requests of BYTES at random places of
 * an export, DEPTH of them in flight on one connection. Prints how many were answered a
 * second, and the median of the microseconds one took.
 */
#include <err.h>
#include <libnbd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUCKETS		100000	/* of 0.1 us; the last one has all above */
#define DEPTH_MAX	256

static struct nbd_handle *nbd;
static uint64_t blocks;
static uint32_t bytes;
static bool writes;
static uint32_t write_flags;
static uint64_t end;		/* ns: nothing is sent from then on */
static unsigned int in_flight;
static uint64_t answered;
static uint32_t histogram[BUCKETS];

struct slot {
	char		*buf;
	uint64_t	sent;	/* ns */
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(const char *what)
{
	errx(1, "%s: %s", what, nbd_get_error());
}

static uint64_t any_block(void)
{
	static uint64_t state = 88172645463325252;	/* xorshift */

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % blocks;
}

static void note(uint64_t ns)
{
	uint64_t bucket = ns / 100;

	histogram[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
	answered++;
}

static int done(void *arg, int *error);

static void request(struct slot *slot)
{
	nbd_completion_callback callback = { .callback = done, .user_data = slot };
	uint64_t offset = any_block() * bytes;
	int64_t cookie;

	slot->sent = now();
	if (writes)
		cookie = nbd_aio_pwrite(nbd, slot->buf, bytes, offset, callback, write_flags);
	else
		cookie = nbd_aio_pread(nbd, slot->buf, bytes, offset, callback, 0);
	if (cookie < 0)
		fail("request");
	in_flight++;
}

static struct slot *answers[DEPTH_MAX];	/* whose requests can be sent anew */
static unsigned int nr_answers;

/* libnbd allows no request from here. */
static int done(void *arg, int *error)
{
	struct slot *slot = arg;

	if (*error)
		errx(1, "request: %s", strerror(*error));
	note(now() - slot->sent);
	in_flight--;
	answers[nr_answers++] = slot;
	return 1;
}

static void run(unsigned int depth)
{
	struct slot slots[DEPTH_MAX];
	unsigned int i;

	for (i = 0; i < depth; i++) {
		slots[i].buf = malloc(bytes);
		if (!slots[i].buf)
			err(1, "memory");
		memset(slots[i].buf, 1 + i, bytes);
		request(&slots[i]);
	}
	while (in_flight) {
		if (nbd_poll(nbd, -1) < 0)
			fail("answer");
		while (nr_answers) {
			nr_answers--;
			if (now() < end)
				request(answers[nr_answers]);
		}
	}
	for (i = 0; i < depth; i++)
		free(slots[i].buf);
}

static double median(void)
{
	uint64_t seen = 0;
	unsigned int i;

	for (i = 0; i < BUCKETS && seen <= answered / 2; i++)
		seen += histogram[i];
	return i / 10.0;
}

int main(int argc, char **argv)
{
	unsigned int depth;
	uint64_t start;
	int64_t size;

	if (argc != 6)
		errx(2, "usage: nbd-load URI read|write|fua BYTES DEPTH SECONDS");
	bytes = (uint32_t)strtoul(argv[3], NULL, 10);
	depth = (unsigned int)strtoul(argv[4], NULL, 10);
	if (!bytes || !depth || depth > DEPTH_MAX)
		errx(2, "BYTES is at least 1, DEPTH 1 to %u", DEPTH_MAX);
	writes = strcmp(argv[2], "read");
	write_flags = strcmp(argv[2], "fua") ? 0 : LIBNBD_CMD_FLAG_FUA;
	nbd = nbd_create();
	if (!nbd || nbd_connect_uri(nbd, argv[1]) < 0)
		fail(argv[1]);
	size = nbd_get_size(nbd);
	if (size < (int64_t)bytes)
		errx(1, "%s: smaller than one request", argv[1]);
	blocks = (uint64_t)size / bytes;
	start = now();
	end = start + strtoull(argv[5], NULL, 10) * 1000000000;
	run(depth);
	printf("%.0f %.1f\n", (double)answered * 1e9 / (double)(now() - start), median());
	nbd_shutdown(nbd, 0);
	nbd_close(nbd);
	return 0;
}
