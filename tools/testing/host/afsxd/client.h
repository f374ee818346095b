/* SPDX-License-Identifier: MIT */
/*
 * A file-server client for tests, made of somebody else's parts: librx, the
 * stubs OpenAFS's rxgen made, and OpenAFS's directory reader.  It has a
 * callback service of its own, which records what it is told.
 *
 * The program reads commands from standard input, one a line, and answers each
 * with one line: "ok ..." or "not ok ...".
 */
#ifndef AFSXD_CLIENT_H
#define AFSXD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <afs/param.h>
#include <afs/stds.h>
#include <rx/rx.h>
#include <afs/afsint.h>
#ifndef FSINT_COMMON_XG
#define FSINT_COMMON_XG
#endif
#include <afs/afscbint.h>
#include <afs/vldbint.h>

/* Words of a command line. */
#define WORDS_MAX	64

/* Longest answer. */
#define ANSWER_MAX	4096

/**
 * struct client - the connections of this process
 * @fs: to the file service
 * @vl: to the volume location service
 * @address: of this client, host byte order
 * @server: the server's address, host byte order
 * @fs_port: port of its file service
 * @vl_port: port of its volume location service
 * @promise: seconds a promise is expected to last
 * @uuid: identity of this client
 */
struct client {
	struct rx_connection *fs;
	struct rx_connection *vl;
	uint32_t address;
	uint32_t server;
	uint16_t fs_port;
	uint16_t vl_port;
	uint32_t promise;
	afsUUID uuid;
};

extern struct client client;

/**
 * struct command - one word this program understands
 * @name: first word of the line
 * @args: number of words that must follow; further ones are passed, too
 * @run: carries it out; says what it found with answer() and expect*()
 */
struct command {
	const char *name;
	int args;
	void (*run)(char **args, int nr);
};

extern const struct command vl_commands[], fs_commands[], change_commands[],
	tree_commands[], event_commands[], raw_commands[];

/* What is expected; a difference makes the answer "not ok". */
void answer(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void expect(const char *what, uint64_t got, uint64_t want);
void expect_text(const char *what, const char *got, const char *want);
void expect_uuid(const char *what, const afsUUID *got, const afsUUID *want);

/* Arguments */
uint64_t number(const char *word);
AFSFid fid_of(char **words);

/* events.c: what the server told us */
enum event { EVENT_CALLBACK, EVENT_INIT, EVENT_INIT3, EVENT_ASKED };

void event_add(enum event kind, const AFSFid *fid);

/* tree.c */
void expect_promise(const AFSCallBack *cb);
size_t fetch(const AFSFid *fid, uint64_t pos, uint64_t len, bool wide,
	     void *buf, size_t size, AFSFetchStatus *st);

/* dirblob.c: OpenAFS's reader for directories, over a blob in memory */
struct DirHandle {
	const unsigned char *data;
	size_t len;
};

typedef int (*entry_fn)(void *ctx, char *name, afs_int32 vnode,
			afs_int32 unique);

bool dirblob_ok(const void *data, size_t len);
void dirblob_each(const void *data, size_t len, entry_fn fn, void *ctx);
bool dirblob_find(const void *data, size_t len, const char *name,
		  uint32_t *vnode, uint32_t *unique);

#endif /* AFSXD_CLIENT_H */
