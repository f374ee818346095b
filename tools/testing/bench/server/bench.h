/* SPDX-License-Identifier: MIT */
/* Load on a file server: bench-server. */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <netinet/in.h>

#include <afs/param.h>
#include <afs/stds.h>
#include <rx/rx.h>
#include <rx/rx_null.h>
#include <afs/afsint.h>
#ifndef FSINT_COMMON_XG
#define FSINT_COMMON_XG
#endif
#include <afs/afscbint.h>

#define FS_SERVICE	1
#define CB_SERVICE	1

/* Ends the process with a message. */
#define die(...)							\
({									\
	fprintf(stderr, "bench-server: " __VA_ARGS__);			\
	fputc('\n', stderr);						\
	exit(1);							\
})

/**
 * struct bench - what this process knows
 * @conn: to the server
 * @root: root directory of the volume
 * @dir: directory of this caller
 * @start: of the program, seconds since 1970
 * @caller: number of the process, which no other caller has had
 */
struct bench {
	struct rx_connection *conn;
	AFSFid root;
	AFSFid dir;
	unsigned int start;
	unsigned int caller;
};

extern struct bench bench;

/** connect_to() - become a client of the server at an address and port */
void connect_to(const char *address, unsigned int port);

/**
 * struct work - one kind of call
 * @name: of the figure
 * @group: what it is asked for by, with others
 * @count: calls of all callers together
 * @items: what counts for one call: 1, entries, or MB
 * @run: the call number @i
 */
struct work {
	const char *name;
	const char *group;
	unsigned int count;
	double items;
	void (*run)(unsigned int i);
};

extern const struct work works[];

/** crowd() - @clients clients that each are promised to hear of the root */
void crowd(const struct sockaddr_in *server, unsigned int clients);

/** is_wanted() - whether calls of that group are made */
bool is_wanted(const char *group);

/** works_begin() - make what the calls that are wanted need */
void works_begin(void);

#endif /* BENCH_SERVER_H */
