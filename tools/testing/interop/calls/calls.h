/* SPDX-License-Identifier: MIT */
/* What the files of file-calls share. */
#ifndef AFSX_TESTING_CALLS_H
#define AFSX_TESTING_CALLS_H

#include <limits.h>
#include <stdbool.h>

#include "../../../lib/defs.h"

#define CALL_ARGS	6

/**
 * struct line - one line of a script, taken apart
 * @dir: the directory the line's client has mounted
 * @arg: its words behind the name of the call, escapes resolved
 * @nr: how many there are
 * @answer: what the call prints when it works; empty is "ok"
 */
struct line {
	const char *dir;
	char *arg[CALL_ARGS];
	int nr;
	char answer[4 * PATH_MAX];
};

/**
 * struct call - what a script can ask for
 * @name: the word in the script
 * @args: what it takes, for the list of calls; as many words as arguments
 * @run: do it; returns 0 with line.answer, or -1 with errno
 */
struct call {
	const char *name;
	const char *args;
	int (*run)(struct line *line);
};

extern const struct call name_calls[];
extern const struct call data_calls[];

/** line_path() - argument @i as a path below the client's directory */
const char *line_path(const struct line *line, int i);

/** line_number() - argument @i as a size (K, M, G and T are understood) */
u64 line_number(const struct line *line, int i);

/** answer() - add to what the call prints */
void answer(struct line *line, const char *fmt, ...) __printf(2, 3);

/** answer_text() - add bytes, those that do not print as \xNN */
void answer_text(struct line *line, const char *text, size_t len);

/** bad_script() - end: the script is wrong at the present line */
void bad_script(const char *fmt, ...) __printf(1, 2) __attribute__((noreturn));

#endif /* AFSX_TESTING_CALLS_H */
