// SPDX-License-Identifier: MIT
/*
 * store-model [--large] [--shrink] SEED COUNT: random operations on the store and on
 * a model of it, in memory. After each batch everything is compared. With --large,
 * directories are filled until they are full.
 *
 * Every operation has random numbers of its own, made of seed and number, so that
 * some can be left out: --shrink looks for a short list of operations that
 * still fails, and prints it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "model.h"

#define DEVICE		(UINT64_C(1) << 30)
#define FULL_AFTER	1000u	/* operations with large directories */

static bool *left_out;

static void run(u64 seed, u64 count)
{
	model_start(seed, DEVICE);
	for (u64 i = 0; i < count; i++)
		if (!left_out || !left_out[i])
			model_operate(i);
	model_finish();
	verify_all();
	close_store();
	open_store();
	verify_all();
	close_store();
}

/* Whether it fails with what is left, without a word. */
static bool fails(u64 seed, u64 count)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(0);
		run(seed, count);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && status;
}

static void shrink(u64 seed, u64 count)
{
	left_out = calloc(count, sizeof(*left_out));
	if (!left_out || !fails(seed, count)) {
		puts("it does not fail");
		return;
	}
	for (u64 step = count / 2; step; step /= 2) {
		for (u64 at = 0; at < count; at += step) {
			memset(left_out + at, 1, min(step, count - at));
			if (!fails(seed, count))
				memset(left_out + at, 0, min(step, count - at));
		}
	}
	puts("these operations fail:");
	w.verbose = true;
	run(seed, count);
}

int main(int argc, char **argv)
{
	bool shrinking = false;
	u64 seed, count;

	log_setup("store-model", LOG_WARN);
	for (; argc > 3; argc--, argv++) {
		if (!strcmp(argv[1], "--large"))
			w.large = true;
		else if (!strcmp(argv[1], "--shrink"))
			shrinking = true;
		else
			break;
	}
	if (argc != 3) {
		puts("usage: store-model [--large] [--shrink] SEED COUNT");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 0);
	count = strtoull(argv[2], NULL, 0);
	if (shrinking) {
		shrink(seed, count);
		return 0;
	}
	run(seed, count);
	printf("%ju operations, seed %ju: as the model has it\n",
	       (uintmax_t)count, (uintmax_t)seed);
	if (w.large)
		printf("%ju names did not fit\n", (uintmax_t)w.full);
	if (w.large && count >= FULL_AFTER && !w.full)
		wrong("no directory was full");
	return 0;
}
