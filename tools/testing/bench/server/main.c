// SPDX-License-Identifier: MIT
/*
 * bench-server ADDRESS PORT VOLUME CALLERS [GROUP...]
 * bench-server ADDRESS PORT VOLUME crowd CLIENTS
 *
 * The first is load on the file server, from processes
 * that are a client with a callback service each. Prints a line "CALL, N callers
 * VALUE" for each kind of call: how many a second, of all callers together.
 * GROUPs of calls leave the others out: status, names, small, big.
 * The root of VOLUME must let everybody do everything. The second has many clients
 * ask once.
 */
#include <arpa/inet.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* Seconds a call may take, and the server be silent for. */
#define CALL_SECONDS	120
#define DEAD_SECONDS	60

struct bench bench;

/* Groups of calls that are made, up to NULL; all when there are none. */
static char **groups;

/* Where the callers and the one that takes the time meet. */
static pthread_barrier_t *barrier;

void connect_to(const char *address, unsigned int port)
{
	static struct rx_securityClass *security[1];	/* librx keeps it */

	security[0] = rxnull_NewServerSecurityObject();
	if (rx_Init(0) ||
	    !rx_NewService(0, CB_SERVICE, "callback", security, 1,
			   RXAFSCB_ExecuteRequest))
		die("cannot open a port");
	rx_StartServer(0);
	bench.conn = rx_NewConnection(inet_addr(address), htons(port),
				      FS_SERVICE,
				      rxnull_NewClientSecurityObject(), 0);
	rx_SetConnDeadTime(bench.conn, DEAD_SECONDS);
	rx_SetConnHardDeadTime(bench.conn, CALL_SECONDS);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

bool is_wanted(const char *group)
{
	for (char **g = groups; *g; g++)
		if (!strcmp(*g, group))
			return true;
	return !*groups;
}

static void check_groups(void)
{
	for (char **group = groups; *group; group++) {
		const struct work *w = works;

		while (w->name && strcmp(*group, w->group))
			w++;
		if (!w->name)
			die("there is no group '%s'", *group);
	}
}

static void call(const char *address, unsigned int port, unsigned int callers)
{
	connect_to(address, port);
	srandom(bench.caller + 1);
	works_begin();
	for (const struct work *w = works; w->name; w++) {
		if (!is_wanted(w->group))
			continue;
		pthread_barrier_wait(barrier);
		for (unsigned int i = 0; i < w->count / callers; i++)
			w->run(i);
		pthread_barrier_wait(barrier);
	}
}

static void take_times(unsigned int callers)
{
	for (const struct work *w = works; w->name; w++) {
		double start;

		if (!is_wanted(w->group))
			continue;
		pthread_barrier_wait(barrier);
		start = now();
		pthread_barrier_wait(barrier);
		printf("%s, %u callers %.6g\n", w->name, callers,
		       w->count / callers * callers * w->items /
		       (now() - start));
		fflush(stdout);
	}
}

static void make_barrier(unsigned int parties)
{
	pthread_barrierattr_t attr;

	barrier = mmap(NULL, sizeof(*barrier), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (barrier == MAP_FAILED)
		die("out of memory");
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(barrier, &attr, parties);
}

/* A caller that fails ends all: the others wait for it. */
static void fail(int signal)
{
	int status;

	(void)signal;
	while (waitpid(-1, &status, WNOHANG) > 0)
		if (status)
			kill(0, SIGTERM);
}

static void load(const char *address, unsigned int port, unsigned int callers)
{
	setpgid(0, 0);
	make_barrier(callers + 1);
	signal(SIGCHLD, fail);
	for (unsigned int i = 0; i < callers; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("cannot start a process");
		if (pid)
			continue;
		signal(SIGCHLD, SIG_DFL);
		bench.caller = (unsigned int)getpid();
		call(address, port, callers);
		_exit(0);
	}
	take_times(callers);
}

static unsigned int parse(const char *word)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	if (!n || *end || n > UINT_MAX)
		die("'%s' is not a number", word);
	return n;
}

int main(int argc, char **argv)
{
	struct sockaddr_in server = { .sin_family = AF_INET };
	bool many;

	many = argc == 6 && !strcmp(argv[4], "crowd");
	if (argc < 5 || (argc == 5 && !strcmp(argv[4], "crowd")))
		die("usage: bench-server ADDRESS PORT VOLUME CALLERS [GROUP...]|crowd CLIENTS");
	server.sin_addr.s_addr = inet_addr(argv[1]);
	server.sin_port = htons(parse(argv[2]));
	bench.start = time(NULL);
	bench.root.Volume = parse(argv[3]);
	bench.root.Vnode = 1;
	bench.root.Unique = 1;
	if (many) {
		crowd(&server, parse(argv[5]));
		return 0;
	}
	groups = argv + 5;
	check_groups();
	load(argv[1], parse(argv[2]), parse(argv[4]));
	return 0;
}
